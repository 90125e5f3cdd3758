//! The audit log at work: what the server logs of itself, and reading the log back.

use serde_json::json;

use super::Clock;
use crate::{
    evidence::{Checkpoint, LogCheck, LogFault, LogProof, ProofBuilder, Voucher},
    storage::{Act, AuditCheckpoint, AuditEntry, Author, Database, StorageError},
};

/// Entries read at once.
const PAGE: i64 = 5000;

/// What the log calls the server.
const SERVER: &str = "server/scilit";

/// Why a log could not be vouched for.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log is not what it was.
    #[error("check the audit log: {0}")]
    Fault(#[from] LogFault),
    /// The database refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Brings the schema up to date and logs the migrations that were applied.
///
/// # Errors
/// `Migration` with the failing migration.
pub fn migrate(database: &Database, by: &Author, clock: &Clock) -> Result<Vec<String>, StorageError> {
    let applied = database.migrate()?;
    if !applied.is_empty() {
        let detail = json!({ "applied": applied });
        database.log(&[Act::done(by, clock.now_ms(), "database.migrate", SERVER.to_owned(), detail)])?;
    }
    Ok(applied)
}

/// Logs that the server begins to work. `after_stop` in the detail says whether it was stopped in order before; when
/// it was not, what it did last may not have been logged.
///
/// # Errors
/// Whatever the database refused.
pub fn log_start(database: &Database, clock: &Clock, key_id: &str, is_new_key: bool) -> Result<(), StorageError> {
    let before = database.latest_audit_entry(SERVER, &["server.start", "server.stop"])?;
    let after_stop = before.is_none_or(|entry| entry.action == "server.stop");
    let detail = json!({ "version": env!("CARGO_PKG_VERSION"), "key": key_id, "after_stop": after_stop });
    let start = Act::done(&Author::system(), clock.now_ms(), "server.start", SERVER.to_owned(), detail);
    let key = Act::done(&Author::system(), clock.now_ms(), "key.create", format!("key/{key_id}"), json!({}));
    let acts: &[Act] = if is_new_key { &[key, start] } else { &[start] };
    database.log(acts).map(|_| ())
}

/// Logs that the server ends its work in order.
///
/// # Errors
/// Whatever the database refused.
pub fn log_stop(database: &Database, clock: &Clock) -> Result<(), StorageError> {
    let stop = Act::done(&Author::system(), clock.now_ms(), "server.stop", SERVER.to_owned(), json!({}));
    database.log(&[stop]).map(|_| ())
}

/// A stored checkpoint as something that vouches for the log.
pub fn voucher(stored: &AuditCheckpoint) -> Option<Voucher> {
    let size = u64::try_from(stored.size).ok()?;
    let root = stored.root.as_slice().try_into().ok()?;
    Some(Voucher { checkpoint: Checkpoint { size, root }, source: format!("the stored checkpoint of {size} entries") })
}

/// Takes every entry up to the head that `check` has not taken, and ends with the head.
///
/// # Errors
/// `Fault` with the first entry that is wrong, or that the log is cut or rewritten.
pub fn read_log(database: &Database, check: &mut LogCheck) -> Result<Checkpoint, AuditError> {
    let head = database.audit_frontier()?;
    let end = i64::try_from(head.size()).unwrap_or(i64::MAX);
    loop {
        let next = i64::try_from(check.tree().size()).unwrap_or(i64::MAX);
        let rows = database.audit_entries(next, PAGE.min(end.saturating_sub(next)).max(0))?;
        // Entries from the head's size on came after the head was read.
        let covered: Vec<&AuditEntry> = rows.iter().filter(|entry| entry.seq < end).collect();
        for entry in &covered {
            check.take(&entry.header(), &entry.leaf, entry.open_detail())?;
        }
        if covered.is_empty() {
            return Ok(check.finish(&head)?);
        }
    }
}

/// Reads the whole log and holds it against the vouchers and against its own head.
///
/// # Errors
/// As [`read_log`]; `Fault` also for an entry behind the end.
pub fn verify_log(database: &Database, vouchers: Vec<Voucher>) -> Result<Checkpoint, AuditError> {
    let mut check = LogCheck::default();
    check.expect(vouchers);
    let first = database.find_audit_entries(&Default::default(), i64::MIN, 1)?;
    if let Some(entry) = first.first().filter(|entry| entry.seq < 0) {
        return Err(LogFault::Edited(entry.seq).into());
    }
    let checkpoint = read_log(database, &mut check)?;
    let behind = database.audit_entries(i64::try_from(checkpoint.size).unwrap_or(i64::MAX), 1)?;
    // Whoever appends moves the head in the same transaction, so that a head read later covers what was read before.
    let head = database.audit_head()?;
    match behind.first().filter(|entry| entry.seq >= head.size) {
        Some(entry) => Err(LogFault::Added(entry.seq).into()),
        None => Ok(checkpoint),
    }
}

/// The entry with the proof that the newest checkpoint covers it; none when there is no such entry or checkpoint.
///
/// # Errors
/// Whatever the database refused.
pub fn prove(database: &Database, seq: i64) -> Result<Option<LogProof>, StorageError> {
    let Some(newest) = database.newest_checkpoint()? else { return Ok(None) };
    let (size, index) = (u64::try_from(newest.size).unwrap_or(0), u64::try_from(seq).unwrap_or(u64::MAX));
    let Some(mut builder) = ProofBuilder::inclusion(index, size) else { return Ok(None) };
    let Some(entry) = database.audit_entries(seq, 1)?.into_iter().find(|entry| entry.seq == seq) else {
        return Ok(None);
    };
    let mut next = 0;
    while next < newest.size {
        let leaves = database.audit_leaves(next, PAGE.min(newest.size - next))?;
        if leaves.is_empty() {
            break;
        }
        next += i64::try_from(leaves.len()).unwrap_or(i64::MAX);
        leaves.into_iter().for_each(|leaf| builder.push(leaf));
    }
    let header = entry.header().to_json();
    Ok(builder.finish().map(|hashes| LogProof { header, index, hashes, note: newest.note }))
}
