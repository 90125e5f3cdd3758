//! Received bytes and their receipts: durable before anything is judged, and never changed.

use diesel::prelude::*;
use serde_json::json;

use super::{
    Database, StorageError,
    audit::{Act, Appends, Author},
    schema::*,
};
use crate::evidence::{Receipt, Signer};

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

#[derive(Insertable)]
#[diesel(table_name = submission_raw)]
struct RawRow<'a> {
    id: &'a str,
    rev: i32,
    sha256: &'a str,
    body: &'a [u8],
    content_type: &'a str,
    received_at_ms: i64,
    received_from: &'a str,
    conflict: bool,
}

#[derive(Insertable)]
#[diesel(table_name = interview)]
struct NewHead<'a> {
    id: &'a str,
    state: &'a str,
    has_conflict: bool,
    current_rev: i32,
    current_seq: i64,
    changed_at_ms: i64,
}

impl Database {
    /// Keeps the bytes, their entry in the audit log and their signed receipt, in one transaction. When this returns
    /// they are on disk; the same bytes again get the same receipt and no second entry.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing is kept and nothing may be acknowledged.
    pub fn keep_submission(&self, arrival: Arrival<'_>, by: &Author, signer: &Signer) -> Result<Kept, StorageError> {
        let Arrival { id, rev, sha256, body, content_type, received_at_ms, received_from } = arrival;
        writing!(self, c => {
            // Everybody who brings this id takes a turn at its head, so that the look below sees what came before.
            let head = NewHead { id, state: "received", has_conflict: false, current_rev: rev, current_seq: 0, changed_at_ms: received_at_ms };
            diesel::insert_into(interview::table).values(head).on_conflict(interview::id).do_nothing().execute(c)?;
            diesel::update(interview::table.find(id)).set(interview::changed_at_ms.eq(received_at_ms)).execute(c)?;

            let there: Vec<(i64, String, bool)> = submission_raw::table
                .filter(submission_raw::id.eq(id).and(submission_raw::rev.eq(rev)))
                .order(submission_raw::server_seq)
                .select((submission_raw::server_seq, submission_raw::sha256, submission_raw::conflict))
                .load(c)?;
            if let Some((server_seq, _, conflict)) = there.iter().find(|(_, digest, _)| digest == sha256) {
                let receipt = receipt::table.find(server_seq).select(receipt::body).first(c)?;
                return Ok(Kept { server_seq: *server_seq, receipt, replay: true, conflict: *conflict });
            }

            let conflict = !there.is_empty();
            let row = RawRow { id, rev, sha256, body, content_type, received_at_ms, received_from, conflict };
            let server_seq: i64 = diesel::insert_into(submission_raw::table)
                .values(row)
                .returning(submission_raw::server_seq)
                .get_result(c)?;
            if conflict {
                diesel::update(interview::table.find(id)).set(interview::has_conflict.eq(true)).execute(c)?;
            }
            let detail = json!({ "sha256": sha256, "server_seq": server_seq, "conflict": conflict });
            let object = format!("submission/{id}/{rev}");
            let log_index = c.append(&[Act::done(by, received_at_ms, "submission.keep", object, detail)])?;
            // After the log's turn only a row that nobody else can want: the receipt names the place in the log.
            let made = Receipt::new(id, rev, sha256, server_seq, received_at_ms, conflict);
            let made = made.logged(log_index).signed(signer);
            let (short_code, receipt) = (made.short_code.clone(), made.to_json());
            diesel::insert_into(receipt::table)
                .values((
                    receipt::server_seq.eq(server_seq),
                    receipt::short_code.eq(short_code),
                    receipt::body.eq(&receipt),
                ))
                .execute(c)?;
            Ok(Kept { server_seq, receipt, replay: false, conflict })
        })
    }

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
            .filter(submission_raw::judged_at_ms.is_null())
            .filter(submission_raw::conflict.eq(false))
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
