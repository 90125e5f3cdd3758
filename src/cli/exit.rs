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
    /// A signature or key does not hold.
    pub const SIGNATURE: u8 = 3;
    /// The audit log is not what something outside it remembers, or contradicts itself.
    pub const LOG: u8 = 4;
    /// The detail of an entry of the audit log was changed; the entries themselves hold.
    pub const DETAIL: u8 = 5;

    /// The finding as an error.
    pub fn with(code: u8, message: impl Into<String>) -> anyhow::Error {
        Self { code, message: message.into() }.into()
    }
}
