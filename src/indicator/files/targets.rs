//! The targets file: what a plan promised, with the place where it says so.

use super::{Faults, FileFaults};
use crate::indicator::Label;
use serde::{Deserialize, Serialize};

/// One promised share. A plan that contradicts itself has one target for each place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Identifier, used in column names.
    pub id: String,
    /// The region that is judged by it.
    pub region: String,
    /// The year in which it is due.
    pub year: i32,
    /// The promised share, in (0, 1).
    pub value: f64,
    /// How pages and tables call it.
    pub label: Label,
    /// The document and the place in it.
    pub source: String,
}

/// A checked targets file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Targets {
    /// The targets in the order of the file.
    pub targets: Vec<Target>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    target: Vec<toml::Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    region: String,
    year: i32,
    value: f64,
    label_zh: String,
    label_en: String,
    source: String,
}

impl Targets {
    /// Reads a targets file (TOML, one `[[target]]` a target) and checks it whole.
    ///
    /// # Errors
    /// Every fault with its line: an unknown key, an identifier that appears twice or is not lower-case words with
    /// hyphens, a value outside (0, 1) (write 15 % as 0.15), a year outside 1990 to 2100.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileFaults> {
        let mut faults = Faults::of(file);
        let parsed: File = match toml::from_str(text) {
            Ok(parsed) => parsed,
            Err(error) => {
                let line = line_of(text, error.span().map_or(0, |span| span.start));
                faults.add(line, None, "unreadable", format!("无法读取：{}", error.message()), error.message());
                return faults.or(Self::default());
            }
        };
        let mut targets: Vec<Target> = Vec::new();
        for entry in parsed.target {
            let line = line_of(text, entry.span().start);
            let entry = entry.into_inner();
            check(&entry, line, &targets, &mut faults);
            let label = Label { zh: entry.label_zh, en: entry.label_en };
            let Entry { id, region, year, value, source, .. } = entry;
            targets.push(Target { id, region, year, value, label, source });
        }
        faults.or(Self { targets })
    }
}

fn check(entry: &Entry, line: u64, before: &[Target], faults: &mut Faults) {
    let Entry { id, value, year, .. } = entry;
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        let en = format!("`{id}` is not made of lower-case letters, digits and hyphens");
        faults.add(line, Some("id"), "bad-identifier", format!("“{id}”只能由小写字母、数字和连字符组成"), en);
    }
    if before.iter().any(|target| target.id == *id) {
        faults.add(line, Some("id"), "duplicate", format!("目标“{id}”重复"), format!("target `{id}` appears twice"));
    }
    if !(*value > 0.0 && *value < 1.0) {
        let en = format!("a target lies between 0 and 1, not {value} (15 % is 0.15)");
        faults.add(line, Some("value"), "value-range", format!("目标值 {value} 应在 0 与 1 之间（15% 写作 0.15）"), en);
    }
    if !(1990..=2100).contains(year) {
        let en = format!("year {year} is outside 1990 to 2100");
        faults.add(line, Some("year"), "year-range", format!("年份 {year} 不在 1990 至 2100 之间"), en);
    }
}

fn line_of(text: &str, offset: usize) -> u64 {
    1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOAL: &str = "[[target]]\nid = \"goal\"\nregion = \"230100\"\nyear = 2025\nvalue = 0.15\n\
                        label_zh = \"目标\"\nlabel_en = \"Goal\"\nsource = \"plan\"\n";

    #[test]
    fn a_plan_may_have_two_targets() {
        let text = format!("{GOAL}{}", GOAL.replace("goal", "preamble").replace("0.15", "0.155"));
        let targets = Targets::parse("targets.toml", &text).expect("a sound file");
        assert_eq!(targets.targets.iter().map(|t| t.value).collect::<Vec<_>>(), [0.15, 0.155]);
    }

    #[test]
    fn a_percentage_written_as_a_whole_number_is_refused_with_its_line() {
        let text = format!("{GOAL}{}", GOAL.replace("0.15", "15.0"));
        let error = Targets::parse("targets.toml", &text).expect_err("a faulty file");
        let codes: Vec<_> = error.faults.iter().map(|f| (f.line, f.code)).collect();
        assert_eq!(codes, [(9, "duplicate"), (9, "value-range")]);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = Targets::parse("t.toml", &format!("{GOAL}note = 1\n")).expect_err("a faulty file");
        assert_eq!(error.faults[0].line, 9);
    }

    #[test]
    fn the_shipped_plans_are_sound_and_harbin_keeps_both_of_its_targets() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/questionnaires/targets");
        let mut plans: Vec<_> =
            std::fs::read_dir(folder).expect("plans").map(|entry| entry.expect("one").path()).collect();
        plans.sort();
        let read = |path: &std::path::PathBuf| {
            let text = std::fs::read_to_string(path).expect("a file");
            Targets::parse("targets.toml", &text).expect("a sound file").targets
        };
        let values: Vec<Vec<f64>> =
            plans.iter().map(|plan| read(plan).iter().map(|target| target.value).collect()).collect();
        assert_eq!(values, [vec![0.175], vec![0.15, 0.155], vec![0.0475, 0.1], vec![0.125], vec![0.125]]);
    }
}
