//! What a call refuses, in words for both readers, and why.

use serde::{Deserialize, Serialize};

use crate::storage::{ReviewRefusal, StorageError};

/// Longest message, in characters.
const MESSAGE_LENGTH_MAX: usize = 1000;

/// The same sentence in Chinese and in English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Text {
    /// Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// The sentence in both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: sentence(zh.into()), en: sentence(en.into()) }
    }
}

/// A parser may repeat a line of megabytes; whoever reads the message needs its beginning.
fn sentence(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MESSAGE_LENGTH_MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// One fault of what was sent, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fault {
    /// A stable code for programs.
    pub code: String,
    /// What is wrong.
    pub message: Text,
    /// The file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column or key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The item of the questionnaire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The place in a JSON document (RFC 6901).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl Fault {
    /// A fault without a place.
    pub fn new(code: &str, message: Text) -> Self {
        let (file, line, column, item, pointer) = (None, None, None, None, None);
        Self { code: code.to_owned(), message, file, line, column, item, pointer }
    }

    /// The fault at a place in a JSON document.
    #[must_use]
    pub fn at(self, pointer: &str) -> Self {
        Self { pointer: Some(pointer.to_owned()), ..self }
    }
}

impl From<crate::indicator::files::FileFault> for Fault {
    fn from(fault: crate::indicator::files::FileFault) -> Self {
        let message = Text::new(fault.message_zh, fault.message_en);
        Self { file: Some(fault.file), line: Some(fault.line), column: fault.column, ..Self::new(fault.code, message) }
    }
}

/// Why a call was refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// What was sent has these faults; nothing changed.
    #[error("accept what was sent: {} fault(s)", .0.len())]
    Faults(Vec<Fault>),
    /// No published questionnaire has this hash.
    #[error("find the questionnaire {0}")]
    UnknownQuestionnaire(String),
    /// The digest sent is not the digest of the bytes received.
    #[error("receive the bytes: their digest is not the one announced")]
    DigestMismatch,
    /// A stored document cannot be read any more.
    #[error("read the stored {what}: {message}")]
    Stored {
        /// Which document.
        what: &'static str,
        /// Why.
        message: String,
    },
    /// A tablet's cursor is none of this database's.
    #[error("go on from the cursor: this database never gave it")]
    CursorExpired,
    /// A run has no bundle (yet).
    #[error("bundle the run: {0}")]
    NoBundle(String),
    /// A run cannot be released as it is.
    #[error(transparent)]
    Release(#[from] super::releases::ReleaseRefusal),
    /// A step of a review was not taken.
    #[error(transparent)]
    Review(#[from] ReviewRefusal),
    /// An account, a grant or a tablet refused.
    #[error(transparent)]
    Account(#[from] super::AccountRefusal),
    /// An attachment's bytes do not go on here.
    #[error(transparent)]
    Attachment(super::AttachmentRefusal),
    /// The vault refused.
    #[error(transparent)]
    Vault(super::vault::VaultError),
    /// The database refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
