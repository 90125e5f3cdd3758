//! What a device asks before it deletes anything: which of these bytes does the server keep?

use diesel::prelude::*;

use super::{Database, StorageError, schema::*};

/// Bytes the server keeps, by the three things a device knows about them.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct KeptDigest {
    /// The submission.
    pub id: String,
    /// Its revision.
    pub rev: i32,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// The receipt they were given, byte for byte.
    pub receipt: String,
}

impl Database {
    /// Everything kept under these ids, in the order of arrival.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn kept_under(&self, ids: &[&str]) -> Result<Vec<KeptDigest>, StorageError> {
        Ok(reading!(self, c => submission_raw::table
            .inner_join(receipt::table)
            .filter(submission_raw::id.eq_any(ids.to_vec()))
            .order(submission_raw::server_seq)
            .select((submission_raw::id, submission_raw::rev, submission_raw::sha256, receipt::body))
            .load(c))?)
    }
}
