//! What vouches for a submission: every body with its receipt, and what the log says of it.

use diesel::prelude::*;

use super::{AuditEntry, Database, StorageError, schema::*};

/// One body as it was received, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct ReceivedBody {
    /// Place in the order of arrival.
    pub server_seq: i64,
    /// The revision.
    pub rev: i32,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// When they arrived.
    pub received_at_ms: i64,
    /// The tablet or token that they came from.
    pub received_from: String,
    /// Whether others were there first.
    pub conflict: bool,
    /// The receipt, byte for byte as it was given.
    pub receipt: Option<String>,
    /// Whether the bytes were deleted.
    pub is_deleted: bool,
}

impl Database {
    /// The ids of a survey's interviews.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn interview_ids(&self, survey_id: &str) -> Result<Vec<String>, StorageError> {
        Ok(reading!(self, c => interview::table
            .filter(interview::survey_id.eq(survey_id))
            .order(interview::id)
            .select(interview::id)
            .load(c))?)
    }

    /// Every body of a submission in the order of arrival.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn received_bodies(&self, id: &str) -> Result<Vec<ReceivedBody>, StorageError> {
        Ok(reading!(self, c => submission_raw::table
            .left_join(receipt::table)
            .left_join(submission_erased::table.on(submission_erased::server_seq.eq(submission_raw::server_seq)))
            .filter(submission_raw::id.eq(id))
            .order(submission_raw::server_seq)
            .select((
                submission_raw::server_seq,
                submission_raw::rev,
                submission_raw::sha256,
                submission_raw::received_at_ms,
                submission_raw::received_from,
                submission_raw::conflict,
                receipt::body.nullable(),
                submission_erased::job_id.nullable().is_not_null(),
            ))
            .load(c))?)
    }

    /// Up to so many entries of these objects, in the order of the log.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn audit_entries_of(&self, objects: &[String], rows_max: i64) -> Result<Vec<AuditEntry>, StorageError> {
        Ok(reading!(self, c => audit_entry::table
            .filter(audit_entry::object.eq_any(objects.to_vec()))
            .order(audit_entry::seq)
            .limit(rows_max)
            .select(AuditEntry::as_select())
            .load(c))?)
    }
}
