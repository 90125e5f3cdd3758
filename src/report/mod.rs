//! The report of a run: its results as sentences, tables and charts, in Chinese or in English.
//!
//! [`report`] lays a run's results out once, as a [`Report`] of sections and blocks; what writes HTML or PDF only sets
//! them. Every number is written here, by the conventions of the official releases ([`format`]).

mod chart;
mod document;
pub mod drawing;
pub mod format;
mod language;
mod sections;
mod summary;

pub use document::{Block, Column, Figure, Report, ReportTable, Section};
pub use drawing::Drawing;
pub use language::Language;

use crate::indicator::results::{Results, Status};

/// What a report says of its run beside the results.
#[derive(Debug, Clone, Copy)]
pub struct AboutRun<'a> {
    /// The run's id.
    pub id: &'a str,
    /// SHA-256 of `results.json`, byte for byte.
    pub results_sha256: &'a str,
    /// The page at which the run can be verified, where there is one.
    pub address: Option<&'a str>,
}

/// Lays out the report of a run. The same inputs give the same report.
#[must_use]
pub fn report(results: &Results, about: &AboutRun<'_>, language: Language) -> Report {
    let interim = results.status == Status::Interim;
    let mut marks = Vec::new();
    if results.survey.example {
        marks.push(language.pick("示例数据", "Made-up data").to_owned());
    }
    marks.push(match interim {
        true => language.pick("临时结果", "Interim results").to_owned(),
        false => language.pick("最终结果", "Final results").to_owned(),
    });
    Report {
        language,
        title: results.survey.title.clone(),
        subtitle: language.pick("公民科学素质测评报告", "Report on civic scientific literacy").to_owned(),
        marks,
        interim,
        running_head: running_head(results, language),
        summary: summary::summary(results, language),
        contents: language.pick("目录", "Contents").to_owned(),
        sections: sections::all(results, about, language),
        code: about.address.unwrap_or(about.results_sha256).to_owned(),
        digest: about.results_sha256.to_owned(),
    }
}

/// On each page: what it is of, and that it may change.
fn running_head(results: &Results, language: Language) -> String {
    let title = &results.survey.title;
    match (results.status, language) {
        (Status::Interim, Language::Chinese) => format!("{title} · 临时结果"),
        (Status::Interim, Language::English) => format!("{title} · Interim results"),
        (Status::Final, _) => title.clone(),
    }
}
