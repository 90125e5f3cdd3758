//! What is deleted because its time is over, in transactions of some hundred rows, each with its row of `retention_job` and
//! its entry in the log. Every one asks anew whether the survey is closed for long enough and no legal hold stands over it.

use diesel::{PgConnection, SqliteConnection, prelude::*};
use serde_json::{Value, json};

use super::{Act, Author, Database, StorageError, audit::Appends, holds::LegalHolds, schema::*};

/// The survey of the vault under which attachments have their keys.
const NO_SURVEY: &str = "-";

/// Rows of one transaction: as long as it takes, submissions wait.
const CASES_PER_JOB: i64 = 500;
const BODIES_PER_JOB: i64 = 200;

/// One deletion: what it is called in the tables, who causes it, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// A new id.
    pub id: String,
    /// By whom.
    pub by: Author,
    /// Why: the rule, or what the person wrote.
    pub reason: String,
    /// When.
    pub now_ms: i64,
}

/// What a deletion came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// So many are gone; there may be more.
    Some(i64),
    /// There was nothing left.
    Nothing,
    /// A legal hold stands over the survey.
    Held,
    /// The survey is open, or was not closed long enough.
    TooEarly,
}

/// Deleting within a transaction.
pub(super) trait Deletes {
    /// The attachments that the interviews of a case name, as far as bodies were read, those deleted already left out.
    fn attachments_of_case(&mut self, survey_id: &str, case_id: &str) -> Result<Vec<String>, StorageError>;
    /// Destroys pieces and keys of attachments; their heads stay and say so.
    fn destroy_attachments(&mut self, ids: &[String], now_ms: i64) -> Result<(), StorageError>;
    /// Why nothing of the survey may be deleted, if so.
    fn bar(&mut self, survey_id: &str, closed_by_ms: i64) -> Result<Option<Deleted>, StorageError>;
    /// The row of a deletion.
    fn record(&mut self, of: &Deletion, kind: &str, survey_id: Option<&str>, items: i64) -> Result<(), StorageError>;
    /// The entry of a deletion, as the last statement.
    fn tell(
        &mut self,
        of: &Deletion,
        kind: &str,
        survey_id: Option<&str>,
        items: i64,
        what: Value,
    ) -> Result<(), StorageError>;
}

macro_rules! deletes {
    ($connection:ty) => {
        impl Deletes for $connection {
            fn attachments_of_case(&mut self, survey_id: &str, case_id: &str) -> Result<Vec<String>, StorageError> {
                let own = interview::survey_id.eq(survey_id).and(interview::case_id.eq(case_id));
                let links = attachment_link::table
                    .inner_join(interview::table.on(interview::id.eq(attachment_link::interview_id)))
                    .inner_join(attachment::table.on(attachment::id.eq(attachment_link::attachment_id)))
                    .filter(own.and(attachment::sha256.eq(attachment_link::sha256)))
                    .filter(attachment::deleted_at_ms.is_null());
                Ok(links.order(attachment::id).select(attachment::id).distinct().load(self)?)
            }

            fn destroy_attachments(&mut self, ids: &[String], now_ms: i64) -> Result<(), StorageError> {
                diesel::delete(attachment_piece::table.filter(attachment_piece::attachment_id.eq_any(ids)))
                    .execute(self)?;
                let keys = identity_case::survey_id.eq(NO_SURVEY).and(identity_case::case_id.eq_any(ids));
                diesel::update(identity_case::table.filter(keys))
                    .set((identity_case::case_key.eq(None::<Vec<u8>>), identity_case::erased_at_ms.eq(now_ms)))
                    .execute(self)?;
                diesel::update(attachment::table.filter(attachment::id.eq_any(ids)))
                    .set(attachment::deleted_at_ms.eq(now_ms))
                    .execute(self)?;
                Ok(())
            }

            fn bar(&mut self, survey_id: &str, closed_by_ms: i64) -> Result<Option<Deleted>, StorageError> {
                if self.hold_over(survey_id)? {
                    return Ok(Some(Deleted::Held));
                }
                let closed = survey_closing::table.find(survey_id).select(survey_closing::closed_at_ms);
                let closed: Option<i64> = closed.first(self).optional()?;
                Ok(closed.is_none_or(|at_ms| at_ms > closed_by_ms).then_some(Deleted::TooEarly))
            }

            fn record(
                &mut self,
                of: &Deletion,
                kind: &str,
                survey_id: Option<&str>,
                items: i64,
            ) -> Result<(), StorageError> {
                let row = (
                    retention_job::id.eq(&of.id),
                    retention_job::survey_id.eq(survey_id),
                    retention_job::kind.eq(kind),
                    retention_job::items.eq(items),
                    retention_job::reason.eq(&of.reason),
                    retention_job::by_id.eq(&of.by.id),
                    retention_job::by_role.eq(&of.by.role),
                    retention_job::at_ms.eq(of.now_ms),
                );
                diesel::insert_into(retention_job::table).values(row).execute(self)?;
                Ok(())
            }

            fn tell(
                &mut self,
                of: &Deletion,
                kind: &str,
                survey_id: Option<&str>,
                items: i64,
                what: Value,
            ) -> Result<(), StorageError> {
                let object = survey_id.map_or_else(|| "server/scilit".to_owned(), |id| format!("survey/{id}"));
                let mut detail = json!({ "kind": kind, "items": items, "job": of.id, "reason": of.reason });
                if let (Some(detail), Value::Object(what)) = (detail.as_object_mut(), what) {
                    detail.extend(what);
                }
                self.append(&[Act::done(&of.by, of.now_ms, "retention.delete", object, detail)])?;
                Ok(())
            }
        }
    };
}

deletes!(SqliteConnection);
deletes!(PgConnection);

fn items(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

impl Database {
    /// Destroys the keys, fields and notes of some hundred cases of a survey that was closed by then.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn delete_contacts(&self, survey_id: &str, closed_by_ms: i64, of: &Deletion) -> Result<Deleted, StorageError> {
        writing!(self, c => {
            if let Some(bar) = c.bar(survey_id, closed_by_ms)? {
                return Ok(bar);
            }
            let cases: Vec<String> = identity_case::table
                .filter(identity_case::survey_id.eq(survey_id).and(identity_case::erased_at_ms.is_null()))
                .order(identity_case::case_id)
                .limit(CASES_PER_JOB)
                .select(identity_case::case_id)
                .load(c)?;
            if cases.is_empty() {
                return Ok(Deleted::Nothing);
            }
            c.record(of, "contacts", Some(survey_id), items(cases.len()))?;
            diesel::delete(identity_field::table
                .filter(identity_field::survey_id.eq(survey_id).and(identity_field::case_id.eq_any(&cases))))
                .execute(c)?;
            diesel::delete(identity_note::table
                .filter(identity_note::survey_id.eq(survey_id).and(identity_note::case_id.eq_any(&cases))))
                .execute(c)?;
            let gone = (
                identity_case::case_key.eq(None::<Vec<u8>>),
                identity_case::phone_index.eq(None::<Vec<u8>>),
                identity_case::changed_at_ms.eq(of.now_ms),
                identity_case::erased_at_ms.eq(of.now_ms),
            );
            diesel::update(identity_case::table
                .filter(identity_case::survey_id.eq(survey_id).and(identity_case::case_id.eq_any(&cases))))
                .set(gone)
                .execute(c)?;
            // Reasons were typed by people and may name the person; the log stays verifiable without them.
            let objects: Vec<String> = cases.iter().map(|case| format!("case/{survey_id}/{case}")).collect();
            let told = audit_entry::object.eq_any(objects).and(audit_entry::action.like("identity.%"));
            diesel::update(audit_entry::table.filter(told))
                .set((audit_entry::salt.eq(None::<Vec<u8>>), audit_entry::detail.eq(None::<String>)))
                .execute(c)?;
            let range = json!({ "first": cases.first(), "last": cases.last() });
            c.tell(of, "contacts", Some(survey_id), items(cases.len()), range)?;
            Ok(Deleted::Some(items(cases.len())))
        })
    }

    /// Empties some hundred received bodies of a survey that was closed by then, and forgets the answers read out of them.
    /// Digests, receipts, states and places in the order of arrival stay.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn delete_raw(&self, survey_id: &str, closed_by_ms: i64, of: &Deletion) -> Result<Deleted, StorageError> {
        writing!(self, c => {
            if let Some(bar) = c.bar(survey_id, closed_by_ms)? {
                return Ok(bar);
            }
            let own = interview::table.filter(interview::survey_id.eq(survey_id)).select(interview::id);
            let gone = submission_erased::table.select(submission_erased::server_seq);
            let bodies: Vec<(i64, String)> = submission_raw::table
                .filter(submission_raw::id.eq_any(own).and(submission_raw::server_seq.ne_all(gone)))
                .order(submission_raw::server_seq)
                .limit(BODIES_PER_JOB)
                .select((submission_raw::server_seq, submission_raw::id))
                .load(c)?;
            let (seqs, ids): (Vec<i64>, Vec<String>) = bodies.into_iter().unzip();
            let (Some(first), Some(last)) = (seqs.first(), seqs.last()) else { return Ok(Deleted::Nothing) };
            c.record(of, "raw", Some(survey_id), items(seqs.len()))?;
            let row = |seq: &i64| (submission_erased::server_seq.eq(*seq), submission_erased::job_id.eq(of.id.clone()));
            let rows: Vec<_> = seqs.iter().map(row).collect();
            diesel::insert_into(submission_erased::table).values(rows).execute(c)?;
            diesel::update(submission_raw::table.filter(submission_raw::server_seq.eq_any(&seqs)))
                .set(submission_raw::body.eq(Vec::<u8>::new()))
                .execute(c)?;
            diesel::update(interview::table.filter(interview::id.eq_any(&ids)))
                .set(interview::answers.eq(None::<String>))
                .execute(c)?;
            // Nothing is left to judge.
            diesel::delete(submission_unjudged::table.filter(submission_unjudged::server_seq.eq_any(&seqs))).execute(c)?;
            diesel::update(quarantine::table.filter(quarantine::server_seq.eq_any(&seqs)))
                .set(quarantine::next_try_ms.eq(None::<i64>))
                .execute(c)?;
            c.tell(of, "raw", Some(survey_id), items(seqs.len()), json!({ "first_seq": first, "last_seq": last }))?;
            Ok(Deleted::Some(items(seqs.len())))
        })
    }

    /// Destroys these attachments, which belong to interviews of this survey, or to none that arrived.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn delete_attachments(
        &self,
        survey_id: Option<&str>,
        ids: &[String],
        of: &Deletion,
    ) -> Result<Deleted, StorageError> {
        writing!(self, c => {
            if survey_id.map(|id| c.hold_over(id)).transpose()? == Some(true) {
                return Ok(Deleted::Held);
            }
            let live: Vec<String> = attachment::table
                .filter(attachment::id.eq_any(ids).and(attachment::deleted_at_ms.is_null()))
                .order(attachment::id)
                .select(attachment::id)
                .load(c)?;
            if live.is_empty() {
                return Ok(Deleted::Nothing);
            }
            c.record(of, "attachments", survey_id, items(live.len()))?;
            c.destroy_attachments(&live, of.now_ms)?;
            c.tell(of, "attachments", survey_id, items(live.len()), json!({ "attachments": live }))?;
            Ok(Deleted::Some(items(live.len())))
        })
    }

    /// Forgets uploads that were begun by then and never ended: a tablet that comes back with one begins it anew.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn delete_uploads(
        &self,
        survey_id: Option<&str>,
        ids: &[String],
        begun_by_ms: i64,
        of: &Deletion,
    ) -> Result<Deleted, StorageError> {
        writing!(self, c => {
            if survey_id.map(|id| c.hold_over(id)).transpose()? == Some(true) {
                return Ok(Deleted::Held);
            }
            let abandoned = attachment::completed_at_ms.is_null().and(attachment::begun_at_ms.le(begun_by_ms));
            let abandoned: Vec<String> = attachment::table
                .filter(attachment::id.eq_any(ids).and(abandoned).and(attachment::deleted_at_ms.is_null()))
                .order(attachment::id)
                .select(attachment::id)
                .load(c)?;
            if abandoned.is_empty() {
                return Ok(Deleted::Nothing);
            }
            c.record(of, "uploads", survey_id, items(abandoned.len()))?;
            diesel::delete(attachment_piece::table.filter(attachment_piece::attachment_id.eq_any(&abandoned))).execute(c)?;
            diesel::delete(attachment::table.filter(attachment::id.eq_any(&abandoned))).execute(c)?;
            let keys = identity_case::survey_id.eq(NO_SURVEY).and(identity_case::case_id.eq_any(&abandoned));
            diesel::delete(identity_case::table.filter(keys)).execute(c)?;
            c.tell(of, "uploads", survey_id, items(abandoned.len()), json!({ "attachments": abandoned }))?;
            Ok(Deleted::Some(items(abandoned.len())))
        })
    }

    /// Overwrites on disk what was removed: SQLite's log is emptied into the file, whose freed bytes `secure_delete` has
    /// zeroed; PostgreSQL's dead rows are vacuumed.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn scrub(&self) -> Result<(), StorageError> {
        use super::connection::Connection;
        use diesel::connection::SimpleConnection;
        match self.connection()? {
            Connection::Sqlite(mut c) => c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?,
            Connection::Postgres(mut c) => {
                for table in SCRUBBED {
                    c.batch_execute(&format!("VACUUM {table}"))?;
                }
            }
        }
        Ok(())
    }
}

/// Tables from which something personal is removed.
const SCRUBBED: [&str; 8] = [
    "identity_survey",
    "identity_case",
    "identity_field",
    "identity_note",
    "audit_entry",
    "attachment_piece",
    "submission_raw",
    "interview",
];
