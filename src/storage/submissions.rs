//! Received bytes and their receipts: durable before anything is judged, and never changed.

use diesel::prelude::*;

use super::{Database, StorageError, schema::*};

/// Bytes that arrived.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The id the device made.
    pub id: &'a str,
    /// The revision.
    pub rev: i32,
    /// SHA-256 of the bytes, checked.
    pub sha256: &'a str,
    /// The bytes.
    pub body: &'a [u8],
    /// Their announced type.
    pub content_type: &'a str,
    /// By the server's clock.
    pub received_at_ms: i64,
    /// The token they came with.
    pub received_from: &'a str,
    /// Whether that token's tablet or person stood revoked.
    pub revoked: bool,
}

/// What keeping them came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Place in the order of arrival.
    pub server_seq: i64,
    /// The receipt, byte for byte as it was first given.
    pub receipt: String,
    /// Whether the same bytes had been kept before.
    pub replay: bool,
    /// Whether other bytes were there first under this id and revision.
    pub conflict: bool,
}

/// Kept bytes that wait for a judgement.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = submission_raw)]
pub struct Waiting {
    /// Place in the order of arrival.
    pub server_seq: i64,
    /// The submission.
    pub id: String,
    /// Its revision.
    pub rev: i32,
    /// The bytes.
    pub body: Vec<u8>,
    /// When they arrived.
    pub received_at_ms: i64,
}

impl Database {
    /// The receipts with this short code; nearly always one.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn receipts(&self, short_code: &str) -> Result<Vec<String>, StorageError> {
        Ok(reading!(self, c => receipt::table
            .filter(receipt::short_code.eq(short_code))
            .order(receipt::server_seq)
            .select(receipt::body)
            .load(c))?)
    }

    /// Up to `rows_max` kept bytes after `server_seq` that nobody has judged, because the server stopped between the
    /// two steps.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn unjudged_submissions(&self, after: i64, rows_max: i64) -> Result<Vec<Waiting>, StorageError> {
        Ok(reading!(self, c => submission_raw::table
            .inner_join(submission_unjudged::table)
            .filter(submission_raw::server_seq.gt(after))
            .order(submission_raw::server_seq)
            .limit(rows_max)
            .select(Waiting::as_select())
            .load(c))?)
    }

    /// Up to `rows_max` bytes after `server_seq` in quarantine for one of these reasons.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn quarantined_submissions(
        &self,
        reasons: &[&str],
        after: i64,
        rows_max: i64,
    ) -> Result<Vec<Waiting>, StorageError> {
        Ok(reading!(self, c => submission_raw::table
            .inner_join(quarantine::table)
            .filter(quarantine::state.eq("open"))
            .filter(quarantine::reason.eq_any(reasons.to_vec()))
            .filter(submission_raw::server_seq.gt(after))
            .order(submission_raw::server_seq)
            .limit(rows_max)
            .select(Waiting::as_select())
            .load(c))?)
    }
}
