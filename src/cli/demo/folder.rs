//! The demo's folder: made new each time, and never at the cost of somebody's files.

use anyhow::{Context, Result, bail};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// Stands in every folder that a demo made; only such a folder is replaced.
const MARKER: &str = "SCILIT-DEMO";
const MARKER_TEXT: &str = "示例数据。本文件夹由 scilit demo 生成，再次运行时会被替换。\n\
                           Made-up data. This folder was made by `scilit demo` and is replaced when it runs again.\n";

pub(super) struct DemoFolder {
    path: PathBuf,
}

impl DemoFolder {
    /// An empty folder at the path.
    pub(super) fn prepare(path: &Path) -> Result<Self> {
        if path.join(MARKER).is_file() {
            fs::remove_dir_all(path).with_context(|| format!("the earlier demo in {} stays", path.display()))?;
        } else if path.is_dir() && fs::read_dir(path)?.next().is_some() {
            bail!("{} holds files that no demo made: name another folder with --dir", path.display());
        }
        fs::create_dir_all(path).with_context(|| format!("no folder can be made at {}", path.display()))?;
        let folder = Self { path: path.to_owned() };
        folder.write(MARKER, MARKER_TEXT.as_bytes())?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn sqlite_url(&self) -> String {
        format!("sqlite:{}", self.path.join("scilit.db").display())
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        fs::write(&path, bytes).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Keeps secrets, one a line, where only the user can read them.
    pub(super) fn keep_private(&self, name: &str, lines: &[String]) -> Result<()> {
        let path = self.path.join(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        for line in lines {
            writeln!(file, "{line}")?;
        }
        Ok(())
    }
}
