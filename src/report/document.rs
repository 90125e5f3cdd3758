//! What a report is made of, without a word about how it is set.

use super::{Drawing, Language};

/// A report, ready to be set as HTML or PDF.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Its language.
    pub language: Language,
    /// The survey's title.
    pub title: String,
    /// What it is.
    pub subtitle: String,
    /// 示例数据, 临时结果 or 最终结果.
    pub marks: Vec<String>,
    /// Whether the numbers may still change.
    pub interim: bool,
    /// At the head of each page.
    pub running_head: String,
    /// What the reader with two minutes reads, the answer first.
    pub summary: Vec<String>,
    /// The heading of the contents.
    pub contents: String,
    /// The sections.
    pub sections: Vec<Section>,
    /// What the QR code says.
    pub code: String,
    /// SHA-256 of the run's results.
    pub digest: String,
}

/// A numbered section.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Names it in links.
    pub id: &'static str,
    /// Its heading.
    pub heading: String,
    /// What it holds, in order.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A remark in small type.
    Note(String),
    /// A list.
    List(Vec<String>),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// A table.
    Table(ReportTable),
    /// A chart.
    Figure(Figure),
    /// Commands to type, one a line.
    Commands(Vec<String>),
    /// The QR code, with a line below it.
    Code(String),
}

/// A table whose cells are written already.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportTable {
    /// Names it for whoever reads the report by program.
    pub id: String,
    /// What it is.
    pub caption: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The cells, one a column.
    pub rows: Vec<Vec<String>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its head.
    pub head: String,
    /// Whether it stands to the right.
    pub number: bool,
}

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The finding.
    pub title: String,
    /// n, weights, profile and status.
    pub basis: String,
    /// The same finding for those who do not see it.
    pub alternative: String,
    /// The drawing.
    pub drawing: Drawing,
}

impl Column {
    /// A column of names.
    #[must_use]
    pub fn text(head: impl Into<String>) -> Self {
        Self { head: head.into(), number: false }
    }

    /// A column of numbers.
    #[must_use]
    pub fn number(head: impl Into<String>) -> Self {
        Self { head: head.into(), number: true }
    }
}
