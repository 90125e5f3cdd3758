//! The sections, in the order in which they are read.

mod closing;
mod compared;
mod figures;
mod method;
mod scores;
mod shares;
mod weights;

use super::{AboutRun, Block, Column, Language, ReportTable, Section, format};
use crate::indicator::results::{ResultRow, Results};

/// Every section that has something to say.
pub(super) fn all(results: &Results, about: &AboutRun<'_>, language: Language) -> Vec<Section> {
    let at = At { results, language };
    let sections = [
        shares::whole(&at),
        shares::districts(&at),
        shares::groups(&at),
        compared::differences(&at),
        compared::changes(&at),
        scores::levels(&at),
        scores::items(&at),
        method::method(&at),
        method::response(&at),
        weights::weights(&at),
        closing::limits(&at),
        closing::verification(&at, about),
    ];
    sections.into_iter().filter(|section| !section.blocks.is_empty()).collect()
}

/// What every section reads.
struct At<'a> {
    results: &'a Results,
    language: Language,
}

impl At<'_> {
    fn pick<'b>(&self, zh: &'b str, en: &'b str) -> &'b str {
        self.language.pick(zh, en)
    }

    fn section(&self, id: &'static str, zh: &str, en: &str, blocks: Vec<Block>) -> Section {
        Section { id, heading: self.pick(zh, en).to_owned(), blocks }
    }

    fn text(&self, zh: &str, en: &str) -> Block {
        Block::Text(self.pick(zh, en).to_owned())
    }

    fn note(&self, zh: &str, en: &str) -> Block {
        Block::Note(self.pick(zh, en).to_owned())
    }

    fn number(&self, zh: &str, en: &str) -> Column {
        Column::number(self.pick(zh, en))
    }

    fn name(&self, zh: &str, en: &str) -> Column {
        Column::text(self.pick(zh, en))
    }

    /// The head of an interval's column.
    fn interval(&self) -> Column {
        let level = format::set_share(self.results.method.level);
        Column::number(match self.language {
            Language::Chinese => format!("{level}置信区间"),
            Language::English => format!("{level} interval"),
        })
    }

    /// A row's names.
    fn row_name(&self, row: &ResultRow) -> String {
        row.labels.iter().map(|label| self.language.say(label)).collect::<Vec<_>>().join(" · ")
    }

    /// n, weights, profile and status: what every chart and table rests on.
    fn basis(&self, n: usize) -> String {
        let profile = self.language.say(&self.results.profile.title);
        let n = format::count(n);
        let status = match self.results.status {
            crate::indicator::results::Status::Interim => self.pick("临时结果", "interim"),
            crate::indicator::results::Status::Final => self.pick("最终结果", "final"),
        };
        match self.language {
            Language::Chinese => format!("样本{n}人，加权；{profile}；{status}"),
            Language::English => format!("{n} responses, weighted; {profile}; {status}"),
        }
    }
}

fn table(id: &str, caption: impl Into<String>, columns: Vec<Column>, rows: Vec<Vec<String>>) -> Block {
    Block::Table(ReportTable { id: id.to_owned(), caption: caption.into(), columns, rows })
}
