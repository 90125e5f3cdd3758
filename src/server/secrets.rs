//! Secrets: 256 random bits in hex behind a prefix a scanner can find; only their SHA-256 is ever kept.

use crate::storage::StorageError;

/// Draws a secret.
pub(super) fn draw(prefix: &str) -> Result<String, StorageError> {
    Ok(format!("{prefix}{}", hex(&random::<32>()?)))
}

/// Random bytes of the operating system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], StorageError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| StorageError::Random(error.to_string()))?;
    Ok(bytes)
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
