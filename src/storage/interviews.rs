//! What the judgement made of kept bytes: heads, quarantine, and the one interview of a case that counts.

use diesel::prelude::*;

use super::{Database, StorageError, schema::*};

/// Where a submission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterviewState {
    /// Kept, not yet judged.
    Received,
    /// Judged good, and the one interview of its case.
    Parsed,
    /// Kept, and waits for a person or for master data.
    Quarantined,
    /// Judged good, but its case has another interview.
    Surplus,
}

impl InterviewState {
    /// The state's name in tables and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Parsed => "parsed",
            Self::Quarantined => "quarantined",
            Self::Surplus => "surplus",
        }
    }
}

/// A judgement on kept bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// They are a response to this case of this survey.
    Good {
        /// The survey.
        survey_id: String,
        /// The case.
        case_id: String,
        /// The questionnaire version they answer.
        questionnaire_hash: String,
        /// The checked answers as JSON.
        answers: String,
    },
    /// They are not, for now.
    Quarantine {
        /// The first fault's code.
        reason: String,
        /// Every fault as a JSON array.
        detail: String,
    },
}

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

/// Why bytes wait.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = quarantine)]
pub struct Quarantined {
    /// Place in the order of arrival.
    pub server_seq: i64,
    /// The first fault's code.
    pub reason: String,
    /// Every fault as a JSON array.
    pub detail: String,
    /// `open` or `resolved`.
    pub state: String,
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
    /// Writes a judgement down and returns where the submission now stands.
    ///
    /// A good revision takes the place of an earlier one; a revision in quarantine never does, so a good interview is
    /// not lost to a bad successor. The first good interview of a case counts, later ones are surplus.
    ///
    /// # Errors
    /// Whatever the database refused; then the bytes stay unjudged.
    pub fn judge_submission(
        &self,
        server_seq: i64,
        judgement: &Judgement,
        now_ms: i64,
    ) -> Result<InterviewState, StorageError> {
        match judgement {
            Judgement::Good { survey_id, case_id, questionnaire_hash, answers } => {
                self.accept(server_seq, (survey_id, case_id), questionnaire_hash, answers, now_ms)
            }
            Judgement::Quarantine { reason, detail } => self.quarantine(server_seq, reason, detail, now_ms),
        }
    }

    fn accept(
        &self,
        server_seq: i64,
        (survey_id, case_id): (&str, &str),
        questionnaire_hash: &str,
        answers: &str,
        now_ms: i64,
    ) -> Result<InterviewState, StorageError> {
        writing!(self, c => {
            let (id, rev): (String, i32) = submission_raw::table
                .find(server_seq)
                .select((submission_raw::id, submission_raw::rev))
                .first(c)?;
            diesel::update(interview::table.find(&id)).set(interview::changed_at_ms.eq(now_ms)).execute(c)?;
            let mine = canonical_interview::interview_id.eq(&id);
            let elsewhere = canonical_interview::survey_id.ne(survey_id).or(canonical_interview::case_id.ne(case_id));
            diesel::delete(canonical_interview::table.filter(mine.and(elsewhere))).execute(c)?;
            diesel::insert_into(canonical_interview::table)
                .values((
                    canonical_interview::survey_id.eq(survey_id),
                    canonical_interview::case_id.eq(case_id),
                    canonical_interview::interview_id.eq(&id),
                ))
                .on_conflict_do_nothing()
                .execute(c)?;
            let counts: String = canonical_interview::table
                .find((survey_id, case_id))
                .select(canonical_interview::interview_id)
                .first(c)?;
            let state = if counts == id { InterviewState::Parsed } else { InterviewState::Surplus };
            // An earlier revision that arrives late does not push the later one away.
            let older = interview::current_rev.le(rev).or(interview::current_seq.eq(0));
            diesel::update(interview::table.filter(interview::id.eq(&id).and(older)))
                .set((
                    interview::state.eq(state.name()),
                    interview::current_rev.eq(rev),
                    interview::current_seq.eq(server_seq),
                    interview::survey_id.eq(survey_id),
                    interview::case_id.eq(case_id),
                    interview::questionnaire_hash.eq(questionnaire_hash),
                    interview::answers.eq(answers),
                ))
                .execute(c)?;
            diesel::update(quarantine::table.find(server_seq))
                .set((quarantine::state.eq("resolved"), quarantine::resolved_at_ms.eq(now_ms)))
                .execute(c)?;
            diesel::update(submission_raw::table.find(server_seq)).set(submission_raw::judged_at_ms.eq(now_ms)).execute(c)?;
            Ok(state)
        })
    }

    fn quarantine(
        &self,
        server_seq: i64,
        reason: &str,
        detail: &str,
        now_ms: i64,
    ) -> Result<InterviewState, StorageError> {
        writing!(self, c => {
            let id: String = submission_raw::table.find(server_seq).select(submission_raw::id).first(c)?;
            let waiting = interview::id.eq(&id).and(interview::current_seq.eq(0));
            diesel::update(interview::table.filter(waiting))
                .set((interview::state.eq("quarantined"), interview::changed_at_ms.eq(now_ms)))
                .execute(c)?;
            diesel::insert_into(quarantine::table)
                .values((
                    quarantine::server_seq.eq(server_seq),
                    quarantine::reason.eq(reason),
                    quarantine::detail.eq(detail),
                    quarantine::state.eq("open"),
                    quarantine::created_at_ms.eq(now_ms),
                ))
                .on_conflict(quarantine::server_seq)
                .do_update()
                .set((quarantine::reason.eq(reason), quarantine::detail.eq(detail)))
                .execute(c)?;
            diesel::update(submission_raw::table.find(server_seq)).set(submission_raw::judged_at_ms.eq(now_ms)).execute(c)?;
            Ok(InterviewState::Quarantined)
        })
    }

    /// The head with this id.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn interview(&self, id: &str) -> Result<Option<Interview>, StorageError> {
        Ok(reading!(self, c => interview::table.find(id).select(Interview::as_select()).first(c).optional())?)
    }

    /// Up to `rows_max` heads of the survey after the id, in the order of their ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn interviews(&self, survey_id: &str, after: &str, rows_max: i64) -> Result<Vec<Interview>, StorageError> {
        Ok(reading!(self, c => interview::table
            .filter(interview::survey_id.eq(survey_id).and(interview::id.gt(after)))
            .order(interview::id)
            .limit(rows_max)
            .select(Interview::as_select())
            .load(c))?)
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

    /// Why a submission's bodies wait or waited, in the order of arrival.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn quarantine_of(&self, id: &str) -> Result<Vec<Quarantined>, StorageError> {
        Ok(reading!(self, c => quarantine::table
            .inner_join(submission_raw::table)
            .filter(submission_raw::id.eq(id))
            .order(quarantine::server_seq)
            .select(Quarantined::as_select())
            .load(c))?)
    }

    /// The bytes of every interview of the survey that counts, in the order of their cases' bytes.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn counted_bodies(&self, survey_id: &str) -> Result<Vec<JudgedBody>, StorageError> {
        let rows: Vec<(String, String, String, Vec<u8>)> = reading!(self, c => canonical_interview::table
            .inner_join(interview::table.on(interview::id.eq(canonical_interview::interview_id)))
            .inner_join(submission_raw::table.on(submission_raw::server_seq.eq(interview::current_seq)))
            .filter(canonical_interview::survey_id.eq(survey_id).and(interview::state.eq("parsed")))
            .select((canonical_interview::case_id, interview::id, submission_raw::sha256, submission_raw::body))
            .load(c))?;
        let body = |(case_id, interview_id, sha256, body)| JudgedBody { case_id, interview_id, sha256, body };
        let mut bodies: Vec<JudgedBody> = rows.into_iter().map(body).collect();
        bodies.sort_by(|a, b| a.case_id.as_bytes().cmp(b.case_id.as_bytes()));
        Ok(bodies)
    }
}
