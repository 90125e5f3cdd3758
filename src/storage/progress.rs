//! What the desk counts: cases with what became of them, interviews by whose they are, and what waits for a reviewer.

use diesel::{dsl::count_star, prelude::*};

use super::{Database, Device, Interview, InterviewState, StorageError, schema::*};

/// A case of the sample in force, with whose it is and what counts for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldedCase {
    /// The case.
    pub case_id: String,
    /// Its district.
    pub district: String,
    /// Its primary sampling unit.
    pub psu: String,
    /// `urban` or `rural`.
    pub residence: String,
    /// Whether it is a reserve that was released.
    pub is_reserve: bool,
    /// Who holds it.
    pub holder: Option<String>,
    /// The interview that counts for it: its state, and from whom its bytes came.
    pub interview: Option<(String, Option<String>)>,
}

/// A visit with whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = contact_attempt)]
pub struct Visit {
    /// The case.
    pub case_id: String,
    /// The attempt.
    pub id: String,
    /// Who made it.
    pub person_id: String,
    /// What it came to.
    pub outcome: String,
    /// When, by the tablet's clock.
    pub at_ms: i64,
}

/// How many interviews from one sender stand in one state.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct SentCount {
    /// From whom the bytes in force came.
    pub sender: Option<String>,
    /// The state.
    pub state: String,
    /// Whether two bodies wait for a choice.
    pub has_conflict: bool,
    /// Who asked for them to be taken out.
    pub void_by: Option<String>,
    /// How many.
    pub count: i64,
}

/// Who somebody is, without what only signing in needs.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = person)]
pub struct PersonName {
    /// UUID.
    pub id: String,
    /// The name.
    pub display_name: String,
    /// 工作证号.
    pub work_id: Option<String>,
}

/// A part of what waits for a reviewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pile {
    /// Whatever is out of the ordinary: two bodies, a void asked for, surplus, quarantined.
    Exceptions,
    /// Good and approved by nobody.
    First,
    /// Approved by one person.
    Second,
    /// Approved twice, to be locked.
    ToLock,
}

/// The digits of a region as the two ends between which every district code of it lies; `:` follows the digits.
fn ends(scope: &str) -> (String, String) {
    (scope.to_owned(), format!("{scope}:"))
}

impl Database {
    /// Every case in force of the survey in the region, in the order of the cases' bytes.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn fielded_cases(&self, survey_id: &str, scope: &str) -> Result<Vec<FieldedCase>, StorageError> {
        type Heard = (Option<String>, Option<String>);
        type Row = (String, String, String, String, Option<i32>, Option<String>, Heard);
        let held = assignment::survey_id.eq(sample_case::survey_id).and(assignment::case_id.eq(sample_case::case_id));
        let held = held.and(assignment::ended_at_ms.is_null());
        let counts = canonical_interview::survey_id.eq(sample_case::survey_id);
        let counts = counts.and(canonical_interview::case_id.eq(sample_case::case_id));
        let released = substitution::survey_id.eq(sample_case::survey_id);
        let released = released.and(substitution::reserve_case.eq(sample_case::case_id.nullable()));
        let (from, to) = ends(scope);
        let rows: Vec<Row> = reading!(self, c => sample_case::table
            .left_join(substitution::table.on(released))
            .left_join(assignment::table.on(held))
            .left_join(canonical_interview::table.on(counts))
            .left_join(interview::table.on(interview::id.eq(canonical_interview::interview_id)))
            .filter(sample_case::survey_id.eq(survey_id))
            .filter(sample_case::district.ge(&from).and(sample_case::district.lt(&to)))
            .filter(sample_case::reserve_rank.is_null().or(substitution::id.nullable().is_not_null()))
            .select((
                sample_case::case_id,
                sample_case::district,
                sample_case::psu,
                sample_case::residence,
                sample_case::reserve_rank,
                assignment::person_id.nullable(),
                (interview::state.nullable(), interview::surveyor.nullable()),
            ))
            .load(c))?;
        let case = |(case_id, district, psu, residence, rank, holder, (state, sender)): Row| FieldedCase {
            case_id,
            district,
            psu,
            residence,
            is_reserve: rank.is_some(),
            holder,
            interview: state.map(|state| (state, sender)),
        };
        let mut cases: Vec<FieldedCase> = rows.into_iter().map(case).collect();
        cases.sort_by(|a, b| a.case_id.as_bytes().cmp(b.case_id.as_bytes()));
        Ok(cases)
    }

    /// Every visit of the survey, in the order of the cases' bytes, the times and the ids: the order of a run.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn survey_visits(&self, survey_id: &str) -> Result<Vec<Visit>, StorageError> {
        let mut rows: Vec<Visit> = reading!(self, c => contact_attempt::table
            .filter(contact_attempt::survey_id.eq(survey_id))
            .select(Visit::as_select())
            .load(c))?;
        rows.sort_by(|a, b| (a.case_id.as_bytes(), a.at_ms, &a.id).cmp(&(b.case_id.as_bytes(), b.at_ms, &b.id)));
        Ok(rows)
    }

    /// The interviews of the survey in the region, counted by sender and state.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn sent_counts(&self, survey_id: &str, scope: &str) -> Result<Vec<SentCount>, StorageError> {
        let (from, to) = ends(scope);
        Ok(reading!(self, c => interview::table
            .filter(interview::survey_id.eq(survey_id))
            .filter(interview::district.ge(&from).and(interview::district.lt(&to)))
            .group_by((
                interview::surveyor,
                interview::state,
                interview::has_conflict,
                interview::void_by,
            ))
            .select((
                interview::surveyor,
                interview::state,
                interview::has_conflict,
                interview::void_by,
                count_star(),
            ))
            .load(c))?)
    }

    /// Up to `rows_max` interviews of a pile in the region, those that changed longest ago first.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn waiting_interviews(
        &self,
        survey_id: &str,
        scope: &str,
        pile: Pile,
        rows_max: i64,
    ) -> Result<Vec<Interview>, StorageError> {
        let names = |states: &[InterviewState]| states.iter().map(|state| state.name()).collect::<Vec<_>>();
        let ended = names(&[InterviewState::Locked, InterviewState::Void]);
        let odd = names(&[InterviewState::Surplus, InterviewState::Quarantined]);
        let states = match pile {
            Pile::Exceptions => Vec::new(),
            Pile::First => names(&[InterviewState::Parsed, InterviewState::UnderReview]),
            Pile::Second => names(&[InterviewState::ApprovedL1]),
            Pile::ToLock => names(&[InterviewState::ApprovedL2]),
        };
        let (from, to) = ends(scope);
        Ok(reading!(self, c => {
            let mut query = interview::table
                .filter(interview::survey_id.eq(survey_id))
                .filter(interview::district.ge(&from).and(interview::district.lt(&to)))
                .order((interview::changed_at_ms, interview::id))
                .limit(rows_max)
                .select(Interview::as_select())
                .into_boxed();
            let is_odd = interview::has_conflict.eq(true).or(interview::void_by.is_not_null());
            query = match pile {
                Pile::Exceptions => query
                    .filter(is_odd.or(interview::state.eq_any(odd)))
                    .filter(interview::state.ne_all(ended)),
                _ => query
                    .filter(interview::state.eq_any(states))
                    .filter(interview::has_conflict.eq(false).and(interview::void_by.is_null())),
            };
            query.load(c)
        })?)
    }

    /// The bytes at these places in the order of arrival.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn bodies_at(&self, seqs: &[i64]) -> Result<Vec<(i64, Vec<u8>)>, StorageError> {
        Ok(reading!(self, c => submission_raw::table
            .filter(submission_raw::server_seq.eq_any(seqs.to_vec()))
            .order(submission_raw::server_seq)
            .select((submission_raw::server_seq, submission_raw::body))
            .load(c))?)
    }

    /// Every person's name, in the order of their ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn person_names(&self) -> Result<Vec<PersonName>, StorageError> {
        Ok(reading!(self, c => person::table.order(person::id).select(PersonName::as_select()).load(c))?)
    }

    /// Every tablet, in the order of their ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn every_device(&self) -> Result<Vec<Device>, StorageError> {
        self.devices("", i64::MAX)
    }

    /// Persons with a role in force that takes tablets into the field, each with the regions of these roles, in the order
    /// of role and grant.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn field_grants(&self, now_ms: i64) -> Result<Vec<(String, String, String)>, StorageError> {
        Ok(reading!(self, c => role_grant::table
            .inner_join(person::table.on(person::id.eq(role_grant::person_id)))
            .filter(role_grant::state.eq("active").and(person::status.eq("active")))
            .filter(role_grant::role.eq_any(["surveyor", "supervisor"]))
            .filter(role_grant::from_ms.le(now_ms))
            .filter(role_grant::to_ms.is_null().or(role_grant::to_ms.gt(now_ms)))
            .order((role_grant::role, role_grant::id))
            .select((role_grant::person_id, role_grant::role, role_grant::scope))
            .load(c))?)
    }
}
