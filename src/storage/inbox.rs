//! What surveyors are told.

use diesel::prelude::*;
use serde_json::json;

use super::{Act, Author, Database, StorageError, audit::Appends, schema::*};

/// A message to a surveyor.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = inbox_message)]
pub struct InboxMessage {
    /// Its number, rising.
    pub seq: i64,
    /// To whom: the id their bytes came from.
    pub recipient: String,
    /// About which interview.
    pub interview_id: String,
    /// About which revision.
    pub rev: i32,
    /// `returned`.
    pub kind: String,
    /// The rest as JSON.
    pub payload: String,
    /// Since when.
    pub created_at_ms: i64,
    /// When it was read.
    pub read_at_ms: Option<i64>,
}

impl Database {
    /// Up to `rows_max` messages to one of these ids after the number, in order.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn inbox(&self, recipients: &[String], after: i64, rows_max: i64) -> Result<Vec<InboxMessage>, StorageError> {
        Ok(reading!(self, c => inbox_message::table
            .filter(inbox_message::recipient.eq_any(recipients.to_vec()).and(inbox_message::seq.gt(after)))
            .order(inbox_message::seq)
            .limit(rows_max)
            .select(InboxMessage::as_select())
            .load(c))?)
    }

    /// Up to `rows_max` messages to one of these ids that nobody acknowledged yet, in order.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn unread_messages(&self, recipients: &[String], rows_max: i64) -> Result<Vec<InboxMessage>, StorageError> {
        Ok(reading!(self, c => inbox_message::table
            .filter(inbox_message::recipient.eq_any(recipients.to_vec()).and(inbox_message::read_at_ms.is_null()))
            .order(inbox_message::seq)
            .limit(rows_max)
            .select(InboxMessage::as_select())
            .load(c))?)
    }

    /// Marks a message to one of these ids as read, once; `false` when there is none.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn acknowledge(&self, seq: i64, recipients: &[String], by: &Author, now_ms: i64) -> Result<bool, StorageError> {
        writing!(self, c => {
            let mine = inbox_message::table.find(seq).filter(inbox_message::recipient.eq_any(recipients.to_vec()));
            let found: Option<i64> = mine.select(inbox_message::seq).first(c).optional()?;
            let unread = inbox_message::seq.eq(seq).and(inbox_message::read_at_ms.is_null());
            let read = found.is_some()
                && diesel::update(inbox_message::table.filter(unread))
                    .set(inbox_message::read_at_ms.eq(now_ms))
                    .execute(c)? == 1;
            if read {
                c.append(&[Act::done(by, now_ms, "inbox.read", format!("message/{seq}"), json!({}))])?;
            }
            Ok(found.is_some())
        })
    }
}
