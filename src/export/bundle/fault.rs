//! The first thing wrong with a bundle, in one sentence.

use crate::{
    evidence::{EnvelopeError, LogProofError, NoteError},
    instrument::Message,
};

/// What kind of thing is wrong; each has an exit code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A file is missing, changed, or not one of the bundle.
    File,
    /// The manifest's signature does not hold, or its key is not one of those known.
    Signature,
    /// The audit log does not say what the bundle says.
    Log,
    /// The files contradict each other: counts, totals or inputs are not what the manifest says.
    Contents,
    /// The engine computes something else.
    Recomputation,
    /// Another engine than this would be needed.
    Policy,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", message.en)]
pub struct BundleFault {
    /// The kind.
    pub kind: FaultKind,
    /// The sentence.
    pub message: Message,
}

impl BundleFault {
    pub(super) fn new(kind: FaultKind, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { kind, message: Message { zh: zh.into(), en: en.into() } }
    }

    pub(super) fn file(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(FaultKind::File, zh, en)
    }

    pub(super) fn missing(name: &str) -> Self {
        Self::file(format!("缺少文件 {name}"), format!("the file {name} is missing"))
    }

    pub(super) fn contents(name: &str, zh: &str, en: &str) -> Self {
        Self::new(FaultKind::Contents, format!("{name}：{zh}"), format!("{name}: {en}"))
    }

    pub(super) fn log(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(FaultKind::Log, zh, en)
    }

    pub(super) fn envelope(error: EnvelopeError) -> Self {
        Self::new(FaultKind::Signature, "清单的签名无效", format!("the manifest's signature does not hold: {error}"))
    }

    pub(super) fn note(error: &NoteError) -> Self {
        Self::log("检查点的签名无效", format!("the checkpoint does not hold: {error}"))
    }

    pub(super) fn proof(error: &LogProofError) -> Self {
        Self::log("审计日志的证明无效", format!("the audit log's proof does not hold: {error}"))
    }
}
