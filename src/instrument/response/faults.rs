//! What can be wrong with a submission, by item and in two languages.

use std::fmt;

use serde::Serialize;

/// The kind of fault; stable words that tablets and pages rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ItemFaultCode {
    /// Not JSON as it must be: syntax, duplicate keys, NUL characters, too deep.
    Malformed,
    /// A field that must be there is not.
    MissingField,
    /// A value of another type.
    WrongType,
    /// A value outside its bounds.
    OutOfRange,
    /// A schema version this program does not read.
    UnsupportedSchema,
    /// Made with another questionnaire.
    WrongQuestionnaire,
    /// Answers without consent.
    NoConsent,
    /// An item the questionnaire does not have.
    UnknownItem,
    /// A code the item does not have.
    ImpossibleCode,
    /// Two answers to one item.
    DuplicateAnswer,
    /// A relevant required item without an answer.
    RequiredMissing,
    /// A missing kind the item does not allow.
    MissingKindNotAllowed,
    /// A hard check of the questionnaire.
    HardCheckFailed,
    /// A selection that the roster or its own method contradicts.
    InconsistentSelection,
}

impl ItemFaultCode {
    /// The word, for instance `out-of-range`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::MissingField => "missing-field",
            Self::WrongType => "wrong-type",
            Self::OutOfRange => "out-of-range",
            Self::UnsupportedSchema => "unsupported-schema",
            Self::WrongQuestionnaire => "wrong-questionnaire",
            Self::NoConsent => "no-consent",
            Self::UnknownItem => "unknown-item",
            Self::ImpossibleCode => "impossible-code",
            Self::DuplicateAnswer => "duplicate-answer",
            Self::RequiredMissing => "required-missing",
            Self::MissingKindNotAllowed => "missing-kind-not-allowed",
            Self::HardCheckFailed => "hard-check-failed",
            Self::InconsistentSelection => "inconsistent-selection",
        }
    }
}

/// One message in the two languages of the screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Simplified Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Message {
    pub(crate) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// One fault of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemFault {
    /// Where in the submission, as a JSON pointer (`/answers/12`).
    pub pointer: String,
    /// The item, where the fault lies in one.
    pub item: Option<String>,
    /// The kind of fault.
    pub code: ItemFaultCode,
    /// What is wrong.
    pub message: Message,
}

impl ItemFault {
    pub(crate) fn new(pointer: impl Into<String>, item: Option<&str>, code: ItemFaultCode, message: Message) -> Self {
        Self { pointer: pointer.into(), item: item.map(str::to_owned), code, message }
    }
}

impl fmt::Display for ItemFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        if let Some(item) = &self.item {
            write!(f, "item {item}: ")?;
        }
        write!(f, "{} ({})", self.message.en, self.code.as_str())
    }
}

/// A soft check that spoke up: the response stands, a person should look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The item that carries the check.
    pub item: String,
    /// The check, counted from 0 within its item.
    pub check: usize,
    /// Its message, as the questionnaire words it.
    pub message: Message,
}
