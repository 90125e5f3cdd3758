//! Reading what the judgement and the review made of kept bytes: heads, bodies, and what counts.

use diesel::prelude::*;

use super::{Database, InterviewState, StorageError, schema::*};

/// The head of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = interview)]
pub struct Interview {
    /// The submission's id.
    pub id: String,
    /// Its state.
    pub state: String,
    /// Whether a revision came with two different bodies.
    pub has_conflict: bool,
    /// The revision in force.
    pub current_rev: i32,
    /// Its place in the order of arrival; 0 while none is judged.
    pub current_seq: i64,
    /// The survey, once known.
    pub survey_id: Option<String>,
    /// The case, once known.
    pub case_id: Option<String>,
    /// The questionnaire version, once known.
    pub questionnaire_hash: Option<String>,
    /// The checked answers as JSON, once judged good.
    pub answers: Option<String>,
    /// When this head last changed.
    pub changed_at_ms: i64,
    /// The case's district, once known.
    pub district: Option<String>,
    /// From whom the body in force came.
    pub surveyor: Option<String>,
    /// Who approved it first.
    pub l1_by: Option<String>,
    /// Who asked for it to be taken out.
    pub void_by: Option<String>,
}

impl Interview {
    /// The state; the table's own check keeps it to the known ones.
    pub fn state(&self) -> InterviewState {
        InterviewState::named(&self.state).unwrap_or(InterviewState::Received)
    }
}

/// Which responses of a survey a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseFilter {
    /// In this state.
    pub state: Option<InterviewState>,
    /// In this region: a prefix of district codes.
    pub district: Option<String>,
    /// From this surveyor.
    pub surveyor: Option<String>,
    /// In the region of whoever asks; empty is everywhere.
    pub scope: String,
}

/// A stored body with its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = submission_raw)]
pub struct StoredBody {
    /// Place in the order of arrival.
    pub server_seq: i64,
    /// The submission.
    pub id: String,
    /// The revision.
    pub rev: i32,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// The bytes.
    pub body: Vec<u8>,
    /// When they arrived.
    pub received_at_ms: i64,
}

/// One stored body of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = submission_raw)]
pub struct SubmissionVersion {
    /// Place in the order of arrival.
    pub server_seq: i64,
    /// The revision.
    pub rev: i32,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// When they arrived.
    pub received_at_ms: i64,
    /// Whether others were there first.
    pub conflict: bool,
}

/// The bytes of an interview that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedBody {
    /// The case.
    pub case_id: String,
    /// The submission.
    pub interview_id: String,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// The bytes.
    pub body: Vec<u8>,
}

impl Database {
    /// The head with this id.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn interview(&self, id: &str) -> Result<Option<Interview>, StorageError> {
        Ok(reading!(self, c => interview::table.find(id).select(Interview::as_select()).first(c).optional())?)
    }

    /// Up to `rows_max` heads of the survey after the id that pass the filter, in the order of their ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn interviews(
        &self,
        survey_id: &str,
        filter: &ResponseFilter,
        after: &str,
        rows_max: i64,
    ) -> Result<Vec<Interview>, StorageError> {
        Ok(reading!(self, c => {
            let mut query = interview::table
                .filter(interview::survey_id.eq(survey_id).and(interview::id.gt(after)))
                .order(interview::id)
                .limit(rows_max)
                .select(Interview::as_select())
                .into_boxed();
            if let Some(state) = filter.state {
                query = query.filter(interview::state.eq(state.name()));
            }
            if let Some(surveyor) = &filter.surveyor {
                query = query.filter(interview::surveyor.eq(surveyor));
            }
            for prefix in filter.district.iter().chain([&filter.scope]).filter(|prefix| !prefix.is_empty()) {
                // `:` follows the digits: everything that begins with the prefix lies between.
                query = query.filter(interview::district.ge(prefix).and(interview::district.lt(format!("{prefix}:"))));
            }
            query.load(c)
        })?)
    }

    /// Every stored body of a submission without its bytes, in the order of arrival.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn submission_versions(&self, id: &str) -> Result<Vec<SubmissionVersion>, StorageError> {
        Ok(reading!(self, c => submission_raw::table
            .filter(submission_raw::id.eq(id))
            .order(submission_raw::server_seq)
            .select(SubmissionVersion::as_select())
            .load(c))?)
    }

    /// Every stored body of a submission, in the order of arrival.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn submission_bodies(&self, id: &str) -> Result<Vec<StoredBody>, StorageError> {
        Ok(reading!(self, c => submission_raw::table
            .filter(submission_raw::id.eq(id))
            .order(submission_raw::server_seq)
            .select(StoredBody::as_select())
            .load(c))?)
    }

    /// The stored body at this place in the order of arrival.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn submission_body(&self, server_seq: i64) -> Result<Option<StoredBody>, StorageError> {
        Ok(reading!(self, c => submission_raw::table
            .find(server_seq)
            .select(StoredBody::as_select())
            .first(c)
            .optional())?)
    }

    /// The bytes of every interview of the survey that counts, in the order of their cases' bytes: approved by two
    /// persons, or with `interim` also those that may still be.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn counted_bodies(&self, survey_id: &str, interim: bool) -> Result<Vec<JudgedBody>, StorageError> {
        let counted = InterviewState::ALL.iter().filter(|state| state.counts(interim)).map(|state| state.name());
        let counted: Vec<&str> = counted.collect();
        let rows: Vec<(String, String, String, Vec<u8>)> = reading!(self, c => canonical_interview::table
            .inner_join(interview::table.on(interview::id.eq(canonical_interview::interview_id)))
            .inner_join(submission_raw::table.on(submission_raw::server_seq.eq(interview::current_seq)))
            .filter(canonical_interview::survey_id.eq(survey_id).and(interview::state.eq_any(counted.clone())))
            .select((canonical_interview::case_id, interview::id, submission_raw::sha256, submission_raw::body))
            .load(c))?;
        let body = |(case_id, interview_id, sha256, body)| JudgedBody { case_id, interview_id, sha256, body };
        let mut bodies: Vec<JudgedBody> = rows.into_iter().map(body).collect();
        bodies.sort_by(|a, b| a.case_id.as_bytes().cmp(b.case_id.as_bytes()));
        Ok(bodies)
    }
}
