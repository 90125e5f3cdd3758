//! Appending to the audit log, always in the transaction of what is logged and as its last statement.
//!
//! Whoever appends holds the row of the head until the commit, so that entries have one order on either backend. Being
//! last keeps that time short and rules out a deadlock: nobody waits for anything else while holding the head.

use diesel::{PgConnection, SqliteConnection, prelude::*};

use super::{Database, StorageError, schema::*};
use crate::evidence::{EntryHeader, Frontier, commitment};

/// Who causes a change, as the log names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The id of a person, a device or a token; `system` for what the server does by itself.
    pub id: String,
    /// The role they act in; `system` likewise.
    pub role: String,
}

impl Author {
    /// The server itself.
    pub fn system() -> Self {
        Self { id: "system".to_owned(), role: "system".to_owned() }
    }

    /// Whoever may run the program on the server's own machine.
    pub fn command_line() -> Self {
        Self { id: "command-line".to_owned(), role: "operator".to_owned() }
    }
}

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed.
    Refused,
    /// It was allowed and went wrong.
    Failed,
}

impl Outcome {
    /// The outcome's name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// One thing that happened, before it has its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// By whom.
    pub author: Author,
    /// When, by the server's clock.
    pub at_ms: i64,
    /// What was done, `noun.verb`.
    pub action: &'static str,
    /// To what, `kind/id`. Never a name, an address or an answer: headers cannot be erased.
    pub object: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Everything else worth knowing; can be erased later without a trace in the hashes.
    pub detail: serde_json::Value,
}

impl Act {
    /// Something that was done.
    pub fn done(author: &Author, at_ms: i64, action: &'static str, object: String, detail: serde_json::Value) -> Self {
        Self { author: author.clone(), at_ms, action, object, outcome: Outcome::Done, detail }
    }
}

impl Act {
    /// The same with another outcome.
    #[must_use]
    pub fn ended(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_entry)]
pub struct AuditEntry {
    /// Place in the log, from 0.
    pub seq: i64,
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// How it ended.
    pub outcome: String,
    /// The salted digest of the detail.
    pub commitment: String,
    /// The salt; absent once the detail was erased.
    pub salt: Option<Vec<u8>>,
    /// The detail as JSON; absent once erased.
    pub detail: Option<String>,
    /// The leaf of the log's tree.
    pub leaf: Vec<u8>,
}

impl AuditEntry {
    /// What the leaf commits to.
    pub fn header(&self) -> EntryHeader {
        EntryHeader {
            seq: self.seq,
            at_ms: self.at_ms,
            actor: self.actor.clone(),
            role: self.role.clone(),
            action: self.action.clone(),
            object: self.object.clone(),
            outcome: self.outcome.clone(),
            commitment: self.commitment.clone(),
        }
    }

    fn new(seq: i64, act: &Act) -> Result<Self, StorageError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| StorageError::Random(error.to_string()))?;
        let detail = act.detail.to_string();
        let mut entry = Self {
            seq,
            at_ms: act.at_ms,
            actor: act.author.id.clone(),
            role: act.author.role.clone(),
            action: act.action.to_owned(),
            object: act.object.clone(),
            outcome: act.outcome.name().to_owned(),
            commitment: commitment(&salt, &detail),
            salt: Some(salt.to_vec()),
            detail: Some(detail),
            leaf: Vec::new(),
        };
        entry.leaf = entry.header().leaf().to_vec();
        Ok(entry)
    }
}

/// The log's size and the frontier of its tree.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_head)]
pub struct AuditHead {
    /// How many entries there are.
    pub size: i64,
    /// The peaks of the tree over them; see [`Frontier::from_bytes`].
    pub frontier: Vec<u8>,
}

/// A connection that can append; the one body below serves both backends.
pub(super) trait Appends {
    /// Takes the places of `acts` in the log; the first entry's number.
    fn append(&mut self, acts: &[Act]) -> Result<i64, StorageError>;
}

macro_rules! appends {
    ($connection:ty) => {
        impl Appends for $connection {
            fn append(&mut self, acts: &[Act]) -> Result<i64, StorageError> {
                let taken = i64::try_from(acts.len()).unwrap_or(i64::MAX);
                // The update takes the row's lock, so that the frontier read with it is the newest.
                let head: AuditHead = diesel::update(audit_head::table.find(1))
                    .set(audit_head::size.eq(audit_head::size + taken))
                    .returning((audit_head::size, audit_head::frontier))
                    .get_result(self)?;
                let first = head.size - taken;
                let mut tree = Frontier::from_bytes(u64::try_from(first).unwrap_or(0), &head.frontier)
                    .map_err(|error| StorageError::BrokenLog(error.to_string()))?;
                let entries: Vec<AuditEntry> = (first..)
                    .zip(acts)
                    .map(|(seq, act)| AuditEntry::new(seq, act))
                    .collect::<Result<_, StorageError>>()?;
                for entry in &entries {
                    tree.push(entry.header().leaf());
                }
                for rows in entries.chunks(super::ROWS_PER_INSERT_MAX) {
                    diesel::insert_into(audit_entry::table).values(rows).execute(self)?;
                }
                diesel::update(audit_head::table.find(1))
                    .set(audit_head::frontier.eq(tree.to_bytes()))
                    .execute(self)?;
                Ok(first)
            }
        }
    };
}

appends!(SqliteConnection);
appends!(PgConnection);

impl Database {
    /// Logs what changes no other table, a download for instance; the first entry's number. What does change a table
    /// is logged by the call that changes it, in the same transaction.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing is logged, and what was to be logged must not happen.
    pub fn log(&self, acts: &[Act]) -> Result<i64, StorageError> {
        writing!(self, c => { c.append(acts) })
    }

    /// The log's size and frontier as they stand.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn audit_head(&self) -> Result<AuditHead, StorageError> {
        Ok(reading!(self, c => audit_head::table.find(1).select(AuditHead::as_select()).first(c))?)
    }

    /// Up to `rows_max` entries from `seq` on, in order.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn audit_entries(&self, seq: i64, rows_max: i64) -> Result<Vec<AuditEntry>, StorageError> {
        Ok(reading!(self, c => audit_entry::table
            .filter(audit_entry::seq.ge(seq))
            .order(audit_entry::seq)
            .limit(rows_max)
            .select(AuditEntry::as_select())
            .load(c))?)
    }

    /// The frontier of the log as it stands.
    ///
    /// # Errors
    /// `BrokenLog` when the head's own bytes do not fit its size.
    pub fn audit_frontier(&self) -> Result<Frontier, StorageError> {
        let head = self.audit_head()?;
        let broken = |message: String| StorageError::BrokenLog(message);
        let size = u64::try_from(head.size).map_err(|error| broken(error.to_string()))?;
        Frontier::from_bytes(size, &head.frontier).map_err(|error| broken(error.to_string()))
    }
}
