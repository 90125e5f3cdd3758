//! What there is that has an end: counted for plans, and which interview names which attachment.

use diesel::prelude::*;

use super::{Attachment, Database, StorageError, schema::*};

/// What a survey holds that may be deleted one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// When it was closed; nothing while it is open.
    pub closed_at_ms: Option<i64>,
    /// Cases with contact data or words of visits.
    pub contacts: i64,
    /// Received bodies.
    pub raw: i64,
    /// Received bodies that were deleted.
    pub raw_deleted: i64,
}

/// A deletion that was done.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = retention_job)]
pub struct RetentionJob {
    /// `contacts`, `attachments`, `uploads` or `raw`.
    pub kind: String,
    /// How many.
    pub items: i64,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by_id: String,
    /// When.
    pub at_ms: i64,
}

/// A link from an interview's bytes to an attachment.
#[derive(Debug, Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = attachment_link)]
pub struct AttachmentLink {
    /// The attachment.
    pub attachment_id: String,
    /// The interview.
    pub interview_id: String,
    /// The digest that the interview names.
    pub sha256: String,
    /// What it calls it.
    pub kind: String,
}

/// An attachment with one of the interviews that name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedAttachment {
    /// The attachment.
    pub attachment: Attachment,
    /// What the interview calls it; nothing where no interview that arrived names it.
    pub kind: Option<String>,
    /// The interview's survey.
    pub survey_id: Option<String>,
    /// Whether the interview's case was erased.
    pub erased: bool,
}

/// Place in the order of arrival, the submission and its bytes.
pub type PlacedBody = (i64, String, Vec<u8>);

impl Database {
    /// What a survey holds.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn held(&self, survey_id: &str) -> Result<Held, StorageError> {
        reading!(self, c => {
            let closed = survey_closing::table.find(survey_id).select(survey_closing::closed_at_ms);
            let contacts = identity_case::survey_id.eq(survey_id).and(identity_case::erased_at_ms.is_null());
            let own = || interview::table.filter(interview::survey_id.eq(survey_id)).select(interview::id);
            let erased = || submission_erased::table.select(submission_erased::server_seq);
            let bodies = || submission_raw::table.filter(submission_raw::id.eq_any(own()));
            Ok(Held {
                closed_at_ms: closed.first(c).optional()?,
                contacts: identity_case::table.filter(contacts).count().get_result(c)?,
                raw: bodies().filter(submission_raw::server_seq.ne_all(erased())).count().get_result(c)?,
                raw_deleted: bodies().filter(submission_raw::server_seq.eq_any(erased())).count().get_result(c)?,
            })
        })
    }

    /// When the survey was closed; nothing while it is open.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn closed_at_ms(&self, survey_id: &str) -> Result<Option<i64>, StorageError> {
        let closed = survey_closing::table.find(survey_id).select(survey_closing::closed_at_ms);
        Ok(reading!(self, c => closed.first(c).optional())?)
    }

    /// Which of these places in the order of arrival were emptied.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn erased_bodies(&self, seqs: &[i64]) -> Result<Vec<i64>, StorageError> {
        Ok(reading!(self, c => submission_erased::table
            .filter(submission_erased::server_seq.eq_any(seqs.to_vec()))
            .order(submission_erased::server_seq)
            .select(submission_erased::server_seq)
            .load(c))?)
    }

    /// The deletions of a survey, the latest first.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn retention_jobs(&self, survey_id: &str, rows_max: i64) -> Result<Vec<RetentionJob>, StorageError> {
        Ok(reading!(self, c => retention_job::table
            .filter(retention_job::survey_id.eq(survey_id))
            .order((retention_job::at_ms.desc(), retention_job::id.desc()))
            .limit(rows_max)
            .select(RetentionJob::as_select())
            .load(c))?)
    }

    /// Up to which place in the order of arrival bodies were looked at for attachments.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn looked_at_through(&self) -> Result<i64, StorageError> {
        Ok(reading!(self, c => attachment_reading::table.find(1).select(attachment_reading::through_seq).first(c))?)
    }

    /// The bodies after a place, in the order of arrival.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn bodies_after(&self, seq: i64, rows_max: i64) -> Result<Vec<PlacedBody>, StorageError> {
        Ok(reading!(self, c => submission_raw::table
            .filter(submission_raw::server_seq.gt(seq))
            .order(submission_raw::server_seq)
            .limit(rows_max)
            .select((submission_raw::server_seq, submission_raw::id, submission_raw::body))
            .load(c))?)
    }

    /// Keeps what bodies up to this place name.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn keep_links(&self, through_seq: i64, links: &[AttachmentLink]) -> Result<(), StorageError> {
        writing!(self, c => {
            for link in links {
                diesel::insert_into(attachment_link::table).values(link).on_conflict_do_nothing().execute(c)?;
            }
            let behind = attachment_reading::table.find(1).filter(attachment_reading::through_seq.lt(through_seq));
            diesel::update(behind).set(attachment_reading::through_seq.eq(through_seq)).execute(c)?;
            Ok(())
        })
    }

    /// Up to so many attachments after this id whose bytes are there, each with every interview that names it.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn live_attachments(&self, after: &str, rows_max: i64) -> Result<Vec<LinkedAttachment>, StorageError> {
        type Link = (String, String, String, Option<String>, Option<i64>);
        reading!(self, c => {
            let live: Vec<Attachment> = attachment::table
                .filter(attachment::deleted_at_ms.is_null().and(attachment::id.gt(after)))
                .order(attachment::id)
                .limit(rows_max)
                .select(Attachment::as_select())
                .load(c)?;
            let ids: Vec<&str> = live.iter().map(|one| one.id.as_str()).collect();
            let of_case = interview::survey_id
                .eq(identity_case::survey_id.nullable())
                .and(interview::case_id.eq(identity_case::case_id.nullable()));
            let links: Vec<Link> = attachment_link::table
                .inner_join(interview::table.on(interview::id.eq(attachment_link::interview_id)))
                .left_join(identity_case::table.on(of_case))
                .filter(attachment_link::attachment_id.eq_any(ids))
                .order((attachment_link::attachment_id, attachment_link::interview_id))
                .select((
                    attachment_link::attachment_id,
                    attachment_link::sha256,
                    attachment_link::kind,
                    interview::survey_id,
                    identity_case::erased_at_ms.nullable(),
                ))
                .load(c)?;
            let mut found = Vec::new();
            for attachment in live {
                let before = found.len();
                let own = |link: &&Link| (&link.0, &link.1) == (&attachment.id, &attachment.sha256);
                for (_, _, kind, survey_id, erased_at_ms) in links.iter().filter(own) {
                    let (kind, survey_id) = (Some(kind.clone()), survey_id.clone());
                    let (attachment, erased) = (attachment.clone(), erased_at_ms.is_some());
                    found.push(LinkedAttachment { attachment, kind, survey_id, erased });
                }
                if found.len() == before {
                    found.push(LinkedAttachment { attachment, kind: None, survey_id: None, erased: false });
                }
            }
            Ok(found)
        })
    }
}
