//! What a monitor asks the database.

use diesel::prelude::*;

use super::{Database, StorageError, schema::*};

/// The audit log's head beside its last entry, both of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogState {
    /// How many entries the head counts; -1 when there is no head.
    pub size: i64,
    /// The last entry's number.
    pub last_seq: Option<i64>,
    /// The last entry's time.
    pub last_ms: Option<i64>,
}

impl LogState {
    /// Whether the head and the entries agree.
    pub fn holds(&self) -> bool {
        self.size == self.last_seq.map_or(0, |seq| seq + 1)
    }
}

impl Database {
    /// The state of the audit log, in one statement: between two an entry could come.
    ///
    /// # Errors
    /// `Unavailable` or what the database said.
    pub fn log_state(&self) -> Result<LogState, StorageError> {
        let last = || audit_entry::table.order(audit_entry::seq.desc());
        let (size, last_seq, last_ms): (Option<i64>, _, _) = reading!(self, c => diesel::select((
                audit_head::table.select(audit_head::size).single_value(),
                last().select(audit_entry::seq).single_value(),
                last().select(audit_entry::at_ms).single_value(),
            ))
            .get_result(c))?;
        Ok(LogState { size: size.unwrap_or(-1), last_seq, last_ms })
    }
}
