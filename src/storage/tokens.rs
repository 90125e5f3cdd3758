//! API tokens: only the digest of the secret is kept.

use diesel::prelude::*;

use serde_json::json;

use super::{Act, Author, Database, StorageError, audit::Appends, schema::api_token};

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_token)]
pub struct ApiToken {
    /// UUID.
    pub id: String,
    /// Who or what uses it.
    pub label: String,
    /// Its role's name.
    pub role: String,
    /// SHA-256 of the secret.
    pub secret_sha256: String,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it ends, if it does.
    pub expires_at_ms: Option<i64>,
    /// When it was taken back, if it was.
    pub revoked_at_ms: Option<i64>,
}

impl Database {
    /// Adds a token.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn add_token(&self, new: &ApiToken, by: &Author) -> Result<(), StorageError> {
        writing!(self, c => {
            diesel::insert_into(api_token::table).values(new).execute(c)?;
            let detail = json!({ "role": new.role, "expires_at_ms": new.expires_at_ms });
            c.append(&[Act::done(by, new.created_at_ms, "token.create", format!("token/{}", new.id), detail)])?;
            Ok(())
        })
    }

    /// The token whose secret has this digest.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn token_with_digest(&self, secret_sha256: &str) -> Result<Option<ApiToken>, StorageError> {
        Ok(reading!(self, c => api_token::table
            .filter(api_token::secret_sha256.eq(secret_sha256))
            .select(ApiToken::as_select())
            .first(c)
            .optional())?)
    }

    /// Every token, in the order of their making.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn tokens(&self) -> Result<Vec<ApiToken>, StorageError> {
        Ok(reading!(self, c => api_token::table
            .order((api_token::created_at_ms, api_token::id))
            .select(ApiToken::as_select())
            .load(c))?)
    }

    /// Takes a token back; whether there was one to take.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn revoke_token(&self, id: &str, by: &Author, now_ms: i64) -> Result<bool, StorageError> {
        let active = api_token::table.filter(api_token::id.eq(id).and(api_token::revoked_at_ms.is_null()));
        writing!(self, c => {
            let revoked = diesel::update(active).set(api_token::revoked_at_ms.eq(now_ms)).execute(c)? == 1;
            if revoked {
                c.append(&[Act::done(by, now_ms, "token.revoke", format!("token/{id}"), json!({}))])?;
            }
            Ok(revoked)
        })
    }
}
