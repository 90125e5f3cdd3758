//! Failures that a script must be able to tell apart: each has an exit code of its own.

/// Something was found wrong; the process ends with this code. 1 is left to every other failure, 2 to wrong usage.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Exit {
    /// The process's exit code.
    pub code: u8,
    /// What was found, for a person.
    pub message: String,
}

impl Exit {
    /// A file of a bundle is missing, was changed, or is not one of it.
    pub const BUNDLE_FILE: u8 = 2;
    /// A signature or key does not hold.
    pub const SIGNATURE: u8 = 3;
    /// The audit log is not what something outside it remembers, or contradicts itself.
    pub const LOG: u8 = 4;
    /// The detail of an entry of the audit log was changed; the entries themselves hold.
    pub const DETAIL: u8 = 5;
    /// The files of a bundle contradict its manifest's counts, totals or inputs.
    pub const CONTENTS: u8 = 5;
    /// The engine computes something else than a bundle says.
    pub const RECOMPUTATION: u8 = 6;
    /// Another engine would be needed.
    pub const POLICY: u8 = 7;
    /// `verify` was called in a way that it cannot be; 2 means something else there.
    pub const VERIFY_USAGE: u8 = 64;

    /// The finding as an error.
    pub fn with(code: u8, message: impl Into<String>) -> anyhow::Error {
        Self { code, message: message.into() }.into()
    }
}
