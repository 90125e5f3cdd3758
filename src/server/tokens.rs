//! API tokens: 256 random bits whose SHA-256 is all that is kept.

use super::{Actor, Clock, Role};
use crate::{
    evidence::sha256_hex,
    storage::{ApiToken, Author, Database, StorageError},
};

/// What every secret begins with, so that a scanner can find one that leaked.
const PREFIX: &str = "scilit_";

/// Why no token could be issued.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The operating system gave no random bytes.
    #[error("draw a secret: {0}")]
    Random(getrandom::Error),
    /// The database refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Makes a token and returns it with its secret, which nobody can read again.
///
/// # Errors
/// When the operating system has no random bytes or the database refuses.
pub fn issue(
    database: &Database,
    role: Role,
    label: &str,
    expires_at_ms: Option<i64>,
    by: &Author,
    clock: &Clock,
) -> Result<(ApiToken, String), TokenError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(TokenError::Random)?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let secret = format!("{PREFIX}{digits}");
    let token = ApiToken {
        id: clock.uuid().to_string(),
        label: label.to_owned(),
        role: role.name().to_owned(),
        secret_sha256: sha256_hex(secret.as_bytes()),
        created_at_ms: clock.now_ms(),
        expires_at_ms,
        revoked_at_ms: None,
    };
    database.add_token(&token, by)?;
    Ok((token, secret))
}

/// The holder of a secret, unless it is unknown, expired or taken back.
///
/// The look-up goes by digest, so its time tells nothing about a secret.
///
/// # Errors
/// When the database cannot say.
pub fn holder(database: &Database, secret: &str, now_ms: i64) -> Result<Option<Actor>, StorageError> {
    let Some(token) = database.token_with_digest(&sha256_hex(secret.as_bytes()))? else { return Ok(None) };
    let ended = token.revoked_at_ms.is_some() || token.expires_at_ms.is_some_and(|end| end <= now_ms);
    let role = Role::named(&token.role).filter(|_| !ended);
    Ok(role.map(|role| Actor::service(token.id, role)))
}
