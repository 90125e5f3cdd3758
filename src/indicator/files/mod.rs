//! The files that set up a survey: sample, margins, regions, targets. Each is checked whole, so that a person who
//! prepares one sees every fault at once with its line.

mod margins;
mod outlines;
mod regions;
mod rows;
mod sample;
mod targets;

pub use margins::{Margin, MarginLevel, Margins};
pub use outlines::{OutlineFault, Outlines};
pub use regions::{Region, Regions};
pub(crate) use sample::RESERVE_RANK;
pub use sample::{Residence, Sample, SampleCase};
pub use targets::{Target, Targets};

use serde::Serialize;
use std::fmt;

/// One fault of a file, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFault {
    /// The file as the user named it.
    pub file: String,
    /// Line in the file, from 1; the header is line 1.
    pub line: u64,
    /// The column or key at fault, where there is one.
    pub column: Option<String>,
    /// A stable code for programs.
    pub code: &'static str,
    /// What is wrong, in Chinese.
    pub message_zh: String,
    /// What is wrong, in English.
    pub message_en: String,
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(column) = &self.column {
            write!(f, "{column}: ")?;
        }
        f.write_str(&self.message_en)
    }
}

/// Faults of one file listed at most: a file that is wrong in every line must not fill the memory.
const FAULTS_MAX: usize = 1000;

/// Characters of a fault's text at most. A cell that is quoted in it may be the whole file.
const TEXT_LENGTH_MAX: usize = 200;

fn clipped(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(TEXT_LENGTH_MAX) {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// Every fault of one file, up to a thousand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read {file}: {} fault(s){}", faults.len(), listed(faults))]
pub struct FileFaults {
    /// The file as the user named it.
    pub file: String,
    /// The faults in the order of their lines; never empty. Beyond a thousand one more says so.
    pub faults: Vec<FileFault>,
}

fn listed(faults: &[FileFault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

/// Collects the faults of one file while it is read.
#[derive(Debug)]
pub(crate) struct Faults {
    file: String,
    faults: Vec<FileFault>,
}

impl Faults {
    pub(crate) fn of(file: &str) -> Self {
        Self { file: file.to_owned(), faults: Vec::new() }
    }

    pub(crate) fn add(
        &mut self,
        line: u64,
        column: Option<&str>,
        code: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) {
        let column = column.map(|name| clipped(name.to_owned()));
        let (message_zh, message_en) = (clipped(zh.into()), clipped(en.into()));
        let fault = FileFault { file: self.file.clone(), line, column, code, message_zh, message_en };
        match self.faults.len() {
            0..FAULTS_MAX => self.faults.push(fault),
            FAULTS_MAX => self.faults.push(FileFault {
                column: None,
                code: "more-faults",
                message_zh: "后面还有问题，未一一列出".to_owned(),
                message_en: "there are more faults, not listed one by one".to_owned(),
                ..fault
            }),
            _ => {}
        }
    }

    pub(crate) fn any(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The value if nothing was wrong, every fault otherwise.
    pub(crate) fn or<T>(mut self, value: T) -> Result<T, FileFaults> {
        if self.faults.is_empty() {
            return Ok(value);
        }
        self.faults.sort_by_key(|fault| fault.line);
        Err(FileFaults { file: self.file, faults: self.faults })
    }
}
