//! Signed checkpoints of the audit log, and the looks at the log that an outsider's questions need.

use diesel::prelude::*;

use super::{AuditEntry, Database, StorageError, schema::*};
use crate::evidence::{Detail, Hash};

/// A signed checkpoint as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_checkpoint)]
pub struct AuditCheckpoint {
    /// How many entries it covers.
    pub size: i64,
    /// The root over them.
    pub root: Vec<u8>,
    /// The signed note.
    pub note: String,
    /// When it was signed.
    pub at_ms: i64,
}

/// Which entries are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntryFilter {
    /// What it was done to, `kind/id`.
    pub object: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// Nobody else's entries than theirs; everybody's when nothing is said.
    pub only_of: Option<Vec<String>>,
}

impl AuditEntry {
    /// Salt and detail as far as they are still there.
    pub fn open_detail(&self) -> Detail<'_> {
        (self.salt.as_deref(), self.detail.as_deref())
    }
}

impl Database {
    /// Keeps a checkpoint; one of the same size that is there already stays.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn add_checkpoint(&self, new: &AuditCheckpoint) -> Result<(), StorageError> {
        writing!(self, c => {
            diesel::insert_into(audit_checkpoint::table).values(new).on_conflict_do_nothing().execute(c)?;
            Ok(())
        })
    }

    /// Every checkpoint of more than `size` entries, the shortest first.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn checkpoints_beyond(&self, size: i64) -> Result<Vec<AuditCheckpoint>, StorageError> {
        Ok(reading!(self, c => audit_checkpoint::table
            .filter(audit_checkpoint::size.gt(size))
            .order(audit_checkpoint::size)
            .select(AuditCheckpoint::as_select())
            .load(c))?)
    }

    /// The longest checkpoint.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn newest_checkpoint(&self) -> Result<Option<AuditCheckpoint>, StorageError> {
        Ok(reading!(self, c => audit_checkpoint::table
            .order(audit_checkpoint::size.desc())
            .select(AuditCheckpoint::as_select())
            .first(c)
            .optional())?)
    }

    /// Up to `rows_max` entries after number `after` that the filter lets through, in order.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn find_audit_entries(
        &self,
        filter: &EntryFilter,
        after: i64,
        rows_max: i64,
    ) -> Result<Vec<AuditEntry>, StorageError> {
        Ok(reading!(self, c => {
            let mut query = audit_entry::table
                .filter(audit_entry::seq.gt(after))
                .order(audit_entry::seq)
                .limit(rows_max)
                .select(AuditEntry::as_select())
                .into_boxed();
            if let Some(object) = &filter.object {
                query = query.filter(audit_entry::object.eq(object.as_str()));
            }
            if let Some(actor) = &filter.actor {
                query = query.filter(audit_entry::actor.eq(actor.as_str()));
            }
            if let Some(actors) = &filter.only_of {
                query = query.filter(audit_entry::actor.eq_any(actors.clone()));
            }
            query.load(c)
        })?)
    }

    /// The latest entry with this object and one of these actions.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn latest_audit_entry(&self, object: &str, actions: &[&str]) -> Result<Option<AuditEntry>, StorageError> {
        Ok(reading!(self, c => audit_entry::table
            .filter(audit_entry::object.eq(object).and(audit_entry::action.eq_any(actions.to_vec())))
            .order(audit_entry::seq.desc())
            .select(AuditEntry::as_select())
            .first(c)
            .optional())?)
    }

    /// Up to `rows_max` leaves from number `seq` on, in order.
    ///
    /// # Errors
    /// `BrokenLog` when one is no hash.
    pub fn audit_leaves(&self, seq: i64, rows_max: i64) -> Result<Vec<Hash>, StorageError> {
        let rows: Vec<Vec<u8>> = reading!(self, c => audit_entry::table
            .filter(audit_entry::seq.ge(seq))
            .order(audit_entry::seq)
            .limit(rows_max)
            .select(audit_entry::leaf)
            .load(c))?;
        let hash = |row: Vec<u8>| row.try_into().map_err(|_| StorageError::BrokenLog("a leaf is no hash".to_owned()));
        rows.into_iter().map(hash).collect()
    }
}
