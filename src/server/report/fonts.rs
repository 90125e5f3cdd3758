//! The fonts of the machine that have Chinese signs.

use std::sync::OnceLock;

use fontdb::{Database, Family, Query, Source, Weight};

/// Families in the order in which they are taken; the sans ones read best in tables.
const FAMILIES: [&str; 12] = [
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "SimSun",
];

/// No font with Chinese signs is installed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error(
    "没有找到中文字体，无法生成 PDF：请安装软件包 fonts-noto-cjk（Debian、Ubuntu）或 google-noto-sans-cjk-fonts（RHEL）；HTML 报告不受影响\n\
     no Chinese font is installed, so no PDF can be made: install the package fonts-noto-cjk (Debian, Ubuntu) or \
     google-noto-sans-cjk-fonts (RHEL); HTML reports work without it"
)]
pub struct FontsMissing;

/// One family with its faces.
#[derive(Debug, Clone)]
pub(super) struct Fonts {
    /// Its name.
    pub(super) family: &'static str,
    /// The bytes of each file with the place of the face in it.
    pub(super) faces: Vec<(Vec<u8>, u32)>,
}

/// The first family that is installed, regular and bold; looked for once, since fonts do not come and go.
pub(super) fn chinese() -> Result<&'static Fonts, FontsMissing> {
    static FOUND: OnceLock<Option<Fonts>> = OnceLock::new();
    FOUND.get_or_init(|| find(&system())).as_ref().ok_or(FontsMissing)
}

fn system() -> Database {
    let mut database = Database::new();
    database.load_system_fonts();
    database
}

fn find(database: &Database) -> Option<Fonts> {
    FAMILIES.iter().find_map(|family| {
        let face = |weight| {
            let families = [Family::Name(family)];
            let id = database.query(&Query { families: &families, weight, ..Query::default() })?;
            let info = database.face(id)?;
            let path = match &info.source {
                Source::File(path) => path,
                Source::Binary(_) => return None,
            };
            Some((std::fs::read(path).ok()?, info.index))
        };
        let regular = face(Weight::NORMAL)?;
        // Where there is no bold face the query gives the regular one again, and once is enough.
        let bold = face(Weight::BOLD).filter(|bold| *bold != regular);
        Some(Fonts { family, faces: std::iter::once(regular).chain(bold).collect() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_chinese_font_the_error_names_the_package() {
        assert!(find(&Database::new()).is_none());
        assert!(FontsMissing.to_string().contains("fonts-noto-cjk"));
    }
}
