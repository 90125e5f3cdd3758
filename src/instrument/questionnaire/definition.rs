//! The questionnaire file: one struct for the TOML a person writes and for the canonical form that is hashed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::instrument::{expression::Expression, scoring::Points, text::Texts};

/// A questionnaire as its file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Version of the file format: 1.
    pub format: u32,
    /// Stable id of the questionnaire, for instance `csl-demo`.
    pub id: String,
    /// Version of this questionnaire, for instance `1.0.0`.
    pub version: String,
    /// Whether it is an example (示例): made for demonstration, not a fielded instrument.
    #[serde(default, skip_serializing_if = "is_false")]
    pub example: bool,
    /// Language tags in which every text stands; zh-CN among them.
    pub languages: Vec<String>,
    /// The title.
    pub title: Texts,
    /// What a government survey form must show.
    pub header: Header,
    /// Schemes that sort the items into dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schemes: Vec<Scheme>,
    /// The sections, in the order they are asked.
    pub sections: Vec<Section>,
    /// Analysis columns derived from the answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classifications: Vec<Classification>,
}

/// What a government survey form must show, or people may refuse it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// 表号.
    pub form_number: String,
    /// 制定机关.
    pub issued_by: Texts,
    /// 批准或备案机关.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Texts>,
    /// 批准文号 or 备案文号.
    pub approval_number: String,
    /// 有效期至, the last day on which the form may be used.
    #[schemars(with = "String")]
    pub valid_until: Date,
}

/// A way to sort items into dimensions, for instance the framework of 2024.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Its id, for instance `framework-2024`.
    pub id: String,
    /// Its name.
    pub label: Texts,
    /// Its dimensions.
    pub dimensions: Vec<Dimension>,
}

/// One dimension of a scheme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its code, for instance `knowledge`.
    pub code: String,
    /// Its name, for instance 科学知识.
    pub label: Texts,
}

/// A part of the questionnaire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: Texts,
    /// Read aloud before the first item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduction: Option<Texts>,
    /// For the interviewer, never read aloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interviewer_note: Option<Texts>,
    /// When the section is asked; always when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relevant_when: Option<Expression>,
    /// Whether each case sees the items in an order of its own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shuffle_items: bool,
    /// The items, in the order they are asked.
    pub items: Vec<Item>,
}

/// The type of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// One option of several.
    SingleChoice,
    /// True or false: codes `true` and `false`.
    TrueFalse,
    /// Any number of options.
    MultipleChoice,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A day.
    Date,
    /// One option for each row.
    Matrix,
}

impl ItemKind {
    /// The name it has in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SingleChoice => "single_choice",
            Self::TrueFalse => "true_false",
            Self::MultipleChoice => "multiple_choice",
            Self::Number => "number",
            Self::Text => "text",
            Self::Date => "date",
            Self::Matrix => "matrix",
        }
    }

    /// Whether its values are option codes.
    #[must_use]
    pub fn has_options(self) -> bool {
        matches!(self, Self::SingleChoice | Self::TrueFalse | Self::MultipleChoice | Self::Matrix)
    }
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingKind {
    /// 不知道.
    DontKnow,
    /// 拒答.
    Refused,
    /// 不适用.
    NotApplicable,
    /// 未问: the draw or the design left it out.
    NotAsked,
    /// 中止未达: the interview broke off before it.
    NotReached,
}

impl MissingKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::DontKnow, Self::Refused, Self::NotApplicable, Self::NotAsked, Self::NotReached];

    /// The name it has in files and submissions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DontKnow => "dont_know",
            Self::Refused => "refused",
            Self::NotApplicable => "not_applicable",
            Self::NotAsked => "not_asked",
            Self::NotReached => "not_reached",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it tells how the interview went and not what the person said: then every item may have it.
    #[must_use]
    pub fn is_of_the_interview(self) -> bool {
        matches!(self, Self::NotAsked | Self::NotReached)
    }
}

/// One question as asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Stable id, for instance `K01`.
    pub id: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: ItemKind,
    /// Read aloud.
    pub text: Texts,
    /// For the interviewer, never read aloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interviewer_note: Option<Texts>,
    /// Whether a relevant item must have a value or an allowed missing kind; true unless said otherwise.
    #[serde(default = "yes")]
    pub required: bool,
    /// The missing kinds a person may give; `not_asked` and `not_reached` are always possible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingKind>,
    /// When the item is asked; always when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relevant_when: Option<Expression>,
    /// Options of a choice or of every row of a matrix; true/false brings its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// Whether each case sees the options in an order of its own; those that exclude all others keep their places.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shuffle_options: bool,
    /// Rows of a matrix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Row>,
    /// Smallest number of options of a multiple choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices_min: Option<u32>,
    /// Largest number of options of a multiple choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices_max: Option<u32>,
    /// Smallest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Whether a number must be whole.
    #[serde(default, skip_serializing_if = "is_false")]
    pub integer: bool,
    /// Unit of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Texts>,
    /// Longest text, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_max: Option<u32>,
    /// Earliest day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub date_min: Option<Date>,
    /// Latest day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub date_max: Option<Date>,
    /// Checks of the answer against other answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The dimension of the item in each scheme that has one for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// Codes of the 基准 (1 to 26) the item covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub benchmarks: Vec<u8>,
    /// The right codes: any one of them for one choice, exactly all of them for a multiple choice. Never leaves the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Points for the right answer. Never leaves the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<Points>,
}

impl Item {
    /// Whether the item has a scoring key.
    #[must_use]
    pub fn is_scored(&self) -> bool {
        !self.key.is_empty()
    }

    /// Whether a person may give this missing kind.
    #[must_use]
    pub fn allows(&self, kind: MissingKind) -> bool {
        kind.is_of_the_interview() || self.missing.contains(&kind)
    }
}

/// One option.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The stored value.
    pub code: String,
    /// The words.
    pub label: Texts,
    /// In a multiple choice: excludes every other option (以上都没有).
    #[serde(default, skip_serializing_if = "is_false")]
    pub exclusive: bool,
}

/// One row of a matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The stored name of the row.
    pub code: String,
    /// The words.
    pub label: Texts,
}

/// How a check is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Ask again, explain, go on.
    Soft,
    /// The answer cannot stand.
    Hard,
}

/// A check of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Soft or hard.
    pub severity: Severity,
    /// The check speaks up when this holds.
    pub fails_when: Expression,
    /// What the interviewer reads then.
    pub message: Texts,
}

/// An analysis column: the code of the first category whose rule holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    /// Name of the column, for instance `age_group`.
    pub id: String,
    /// Its words.
    pub label: Texts,
    /// The categories, in reporting order.
    pub categories: Vec<Category>,
}

/// One category of an analysis column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// The value in the column.
    pub code: String,
    /// Its words.
    pub label: Texts,
    /// Who belongs to it.
    pub when: Expression,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if hands a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
