//! Reserves in the place of cases that could not be interviewed: released one by one, and every request is kept.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde_json::json;

use super::{Act, Author, Database, Outcome, StorageError, audit::Appends, schema::*};

/// A request for a reserve.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = substitution)]
pub struct Substitution {
    /// UUID.
    pub id: String,
    /// The survey.
    pub survey_id: String,
    /// The case that could not be interviewed.
    pub original_case: String,
    /// The reserve in its place; none where the request was refused.
    pub reserve_case: Option<String>,
    /// On how many days somebody had tried.
    pub days: i32,
    /// Why it was asked for all the same.
    pub reason: Option<String>,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at_ms: i64,
}

/// What a request for a reserve came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Released {
    /// A reserve was released.
    Reserve(Substitution),
    /// Nobody tried often enough, and no reason was given; this is kept.
    TooFewDays(i32),
    /// The sampling unit has no reserve left.
    NoneLeft,
    /// The case has an interview, or a reserve in its place already.
    NotNeeded,
    /// The sample does not have the case, or it is a reserve that was not released.
    NoCase,
}

/// A request for a reserve as it is made.
#[derive(Debug, Clone, Copy)]
pub struct ReserveRequest<'a> {
    /// UUID for it.
    pub id: &'a str,
    /// The survey.
    pub survey_id: &'a str,
    /// The case that could not be interviewed.
    pub original_case: &'a str,
    /// Why, where the policy alone would refuse.
    pub reason: Option<&'a str>,
    /// Days on which somebody must have tried.
    pub days_min: i32,
    /// The day of a time.
    pub day_of: fn(i64) -> i64,
}

impl Database {
    /// Releases the next reserve of a case's sampling unit in its place, or says why not. A refusal for too few tries is
    /// kept like a release.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing changed.
    pub fn release_reserve(
        &self,
        request: ReserveRequest<'_>,
        by: &Author,
        now_ms: i64,
    ) -> Result<Released, StorageError> {
        let ReserveRequest { id, survey_id, original_case, reason, days_min, day_of } = request;
        writing!(self, c => {
            // Two releases of one survey take their turn at its row.
            diesel::update(survey::table.find(survey_id)).set(survey::id.eq(survey::id)).execute(c)?;
            let released: Vec<String> = substitution::table
                .filter(substitution::survey_id.eq(survey_id))
                .filter(substitution::reserve_case.is_not_null())
                .select(substitution::reserve_case.assume_not_null())
                .load(c)?;
            let case: Option<(String, Option<i32>)> = sample_case::table
                .find((survey_id, original_case))
                .select((sample_case::psu, sample_case::reserve_rank))
                .first(c)
                .optional()?;
            let is_idle = |rank: Option<i32>, case: &str| rank.is_some() && !released.iter().any(|one| one == case);
            let Some((psu, _)) = case.filter(|(_, rank)| !is_idle(*rank, original_case)) else {
                return Ok(Released::NoCase);
            };
            let interviews: i64 = canonical_interview::table
                .filter(canonical_interview::survey_id.eq(survey_id).and(canonical_interview::case_id.eq(original_case)))
                .count()
                .get_result(c)?;
            let replaced: i64 = substitution::table
                .filter(substitution::survey_id.eq(survey_id).and(substitution::original_case.eq(original_case)))
                .filter(substitution::reserve_case.is_not_null())
                .count()
                .get_result(c)?;
            if interviews + replaced > 0 {
                return Ok(Released::NotNeeded);
            }
            let times: Vec<i64> = contact_attempt::table
                .filter(contact_attempt::survey_id.eq(survey_id).and(contact_attempt::case_id.eq(original_case)))
                .select(contact_attempt::at_ms)
                .load(c)?;
            let days: BTreeSet<i64> = times.into_iter().map(day_of).collect();
            let days = i32::try_from(days.len()).unwrap_or(i32::MAX);
            let mut row = Substitution {
                id: id.to_owned(),
                survey_id: survey_id.to_owned(),
                original_case: original_case.to_owned(),
                reserve_case: None,
                days,
                reason: reason.map(str::to_owned),
                requested_by: by.id.clone(),
                requested_at_ms: now_ms,
            };
            let detail = json!({ "days": days, "by_reason": reason.is_some() && days < days_min });
            let object = format!("case/{survey_id}/{original_case}");
            let act = Act::done(by, now_ms, "reserve.release", object, detail);
            if days < days_min && reason.is_none() {
                diesel::insert_into(substitution::table).values(&row).execute(c)?;
                c.append(&[Act { outcome: Outcome::Refused, ..act }])?;
                return Ok(Released::TooFewDays(days));
            }
            let reserves: Vec<String> = sample_case::table
                .filter(sample_case::survey_id.eq(survey_id).and(sample_case::psu.eq(psu)))
                .filter(sample_case::reserve_rank.is_not_null())
                .order(sample_case::reserve_rank)
                .select(sample_case::case_id)
                .load(c)?;
            let Some(next) = reserves.into_iter().find(|reserve| !released.contains(reserve)) else {
                return Ok(Released::NoneLeft);
            };
            row.reserve_case = Some(next);
            diesel::insert_into(substitution::table).values(&row).execute(c)?;
            c.append(&[act])?;
            Ok(Released::Reserve(row))
        })
    }

    /// Every request of a survey for a reserve, in the order of their times.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn substitutions(&self, survey_id: &str) -> Result<Vec<Substitution>, StorageError> {
        Ok(reading!(self, c => substitution::table
            .filter(substitution::survey_id.eq(survey_id))
            .order((substitution::requested_at_ms, substitution::id))
            .select(Substitution::as_select())
            .load(c))?)
    }

    /// The reserves of a survey that were released, in the order of their bytes.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn released_reserves(&self, survey_id: &str) -> Result<Vec<String>, StorageError> {
        let mut cases: Vec<String> = reading!(self, c => substitution::table
            .filter(substitution::survey_id.eq(survey_id).and(substitution::reserve_case.is_not_null()))
            .select(substitution::reserve_case.assume_not_null())
            .load(c))?;
        cases.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        Ok(cases)
    }
}
