//! When the server starts runs of a survey by itself.

use diesel::prelude::*;
use serde_json::json;

use super::{Act, Author, Database, StorageError, audit::Appends, schema::*};

/// A survey's schedule.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = survey_schedule)]
pub struct Schedule {
    /// The survey.
    pub survey_id: String,
    /// When, as a cron expression.
    pub cron: String,
    /// Who set it.
    pub set_by: String,
    /// When it was set.
    pub set_at_ms: i64,
    /// What was due before is done.
    pub looked_at_ms: i64,
}

/// A run that a schedule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRun {
    /// The schedule's expression.
    pub cron: String,
    /// The mark it was found with.
    pub looked_at_ms: i64,
    /// The mark it gets.
    pub now_ms: i64,
}

impl Database {
    /// Sets or removes a survey's schedule.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn set_schedule(
        &self,
        survey_id: &str,
        cron: Option<&str>,
        by: &Author,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        writing!(self, c => {
            match cron {
                Some(cron) => {
                    let row = Schedule {
                        survey_id: survey_id.to_owned(),
                        cron: cron.to_owned(),
                        set_by: by.id.clone(),
                        set_at_ms: now_ms,
                        looked_at_ms: now_ms,
                    };
                    diesel::insert_into(survey_schedule::table)
                        .values(&row)
                        .on_conflict(survey_schedule::survey_id)
                        .do_update()
                        .set(&row)
                        .execute(c)?;
                }
                None => {
                    diesel::delete(survey_schedule::table.find(survey_id)).execute(c)?;
                }
            }
            let object = format!("survey/{survey_id}");
            c.append(&[Act::done(by, now_ms, "survey.set-schedule", object, json!({ "cron": cron }))])?;
            Ok(())
        })
    }

    /// A survey's schedule.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn schedule(&self, survey_id: &str) -> Result<Option<Schedule>, StorageError> {
        Ok(reading!(self, c => survey_schedule::table
            .find(survey_id)
            .select(Schedule::as_select())
            .first(c)
            .optional())?)
    }

    /// The schedules of open surveys, in the order of the surveys' ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn schedules(&self) -> Result<Vec<Schedule>, StorageError> {
        let open = survey::table.filter(survey::state.eq("open")).select(survey::id);
        Ok(reading!(self, c => survey_schedule::table
            .filter(survey_schedule::survey_id.eq_any(open))
            .order(survey_schedule::survey_id)
            .select(Schedule::as_select())
            .load(c))?)
    }
}
