//! Opening and closing a survey. What arrived up to the closing is in time, what came after is late: one order, and the
//! log shows the place.

use diesel::prelude::*;
use serde_json::json;

use super::{Act, Author, Database, StorageError, audit::Appends, schema::*};

impl Database {
    /// Closes the survey, or opens it again; `false` when it is so already.
    ///
    /// # Errors
    /// Whatever the database refused; then it is as it was.
    pub fn set_survey_open(&self, id: &str, open: bool, by: &Author, now_ms: i64) -> Result<bool, StorageError> {
        let (from, to) = if open { ("closed", "open") } else { ("open", "closed") };
        writing!(self, c => {
            // The lock first: whoever judges an arrival for this survey has committed, or waits for us.
            let changed = diesel::update(survey::table.filter(survey::id.eq(id).and(survey::state.eq(from))))
                .set(survey::state.eq(to))
                .execute(c)?;
            if changed == 0 {
                return Ok(false);
            }
            diesel::delete(survey_closing::table.find(id)).execute(c)?;
            let mut detail = json!({});
            if !open {
                let last: Option<i64> = submission_raw::table
                    .order(submission_raw::server_seq.desc())
                    .select(submission_raw::server_seq)
                    .first(c)
                    .optional()?;
                let after = last.unwrap_or(0);
                diesel::insert_into(survey_closing::table)
                    .values((
                        survey_closing::survey_id.eq(id),
                        survey_closing::after_seq.eq(after),
                        survey_closing::closed_at_ms.eq(now_ms),
                    ))
                    .execute(c)?;
                detail = json!({ "after_seq": after });
            }
            let action = if open { "survey.open" } else { "survey.close" };
            c.append(&[Act::done(by, now_ms, action, format!("survey/{id}"), detail)])?;
            Ok(true)
        })
    }
}
