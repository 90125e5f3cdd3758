//! From the bytes of a tablet to a checked response.
//!
//! Two steps, each with all its faults at once: [`Submission::parse`] knows JSON and the form of a submission,
//! [`Response::accept`] holds it against the questionnaire. Nothing is dropped: what fails is quarantined as sent.

mod accept;
mod carry;
mod coded;
#[cfg(test)]
mod conformance;
mod faults;
mod household;
mod signs;
mod submission;
mod value;

use std::collections::BTreeMap;

use uuid::Uuid;

use super::questionnaire::{MissingKind, Questionnaire};

pub use carry::can_carry;
pub use coded::coded_columns;
pub use faults::{ItemFault, ItemFaultCode, Message, Notice};
pub use signs::Sign;
pub use submission::{Consent, RosterPerson, Selection, Submission, SubmittedAnswer, SubmittedValue, Timing};

/// What a person gave to an item, in the type of the item.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// The code of one option; for true/false `true` or `false`.
    Choice(String),
    /// The codes of a multiple choice, in the order of the options.
    Choices(Vec<String>),
    /// A finite number.
    Number(f64),
    /// A text.
    Text(String),
    /// A day, `YYYY-MM-DD`.
    Date(String),
    /// Option code by row code.
    Matrix(BTreeMap<String, String>),
    /// No value, and why.
    Missing(MissingKind),
}

/// One person's answer to one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The value, or why there is none.
    pub given: Given,
    /// Whether the item is relevant by the other answers; an inactive answer is kept and never scored.
    pub active: bool,
    /// How often the answer was changed.
    pub n_changes: Option<u32>,
    /// How long the item was on screen, in milliseconds.
    pub shown_ms: Option<i64>,
}

/// One person's whole submission, checked against its questionnaire.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The submission's id, made by the tablet.
    pub id: Uuid,
    /// Its revision.
    pub rev: u32,
    /// The case it belongs to.
    pub case: String,
    /// Hash of the questionnaire.
    pub questionnaire: String,
    /// How the person was drawn in the household.
    pub selection: Option<Selection>,
    /// The members of the household.
    pub roster: Vec<RosterPerson>,
    /// When the interview began, ended, and how long it ran.
    pub timing: Option<Timing>,
    /// Soft checks that spoke up.
    pub notices: Vec<Notice>,
    answers: Vec<Option<Answer>>,
}

impl Response {
    /// The answer to an item; none when the item was irrelevant or optional and left out.
    #[must_use]
    pub fn answer(&self, questionnaire: &Questionnaire, item: &str) -> Option<&Answer> {
        self.answers.get(questionnaire.item_index(item)?)?.as_ref()
    }

    /// The answers by the place of their item in the questionnaire.
    #[must_use]
    pub fn answers_by_place(&self) -> &[Option<Answer>] {
        &self.answers
    }

    /// Probability that this person was drawn among the eligible of the household.
    #[must_use]
    pub fn person_probability(&self) -> Option<f64> {
        self.selection.as_ref().map(|selection| selection.prob)
    }

    pub(crate) fn relevance(&self) -> Vec<bool> {
        self.answers.iter().map(|answer| answer.as_ref().is_some_and(|answer| answer.active)).collect()
    }
}
