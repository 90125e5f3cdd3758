//! Legal holds: while one stands over a survey, nothing of it is deleted.

use diesel::{PgConnection, SqliteConnection, prelude::*};
use serde_json::json;

use super::{Act, Author, Database, Outcome, StorageError, audit::Appends, schema::*};

/// A legal hold.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = legal_hold)]
pub struct LegalHold {
    /// Its id.
    pub id: String,
    /// The survey.
    pub survey_id: String,
    /// Why nothing may be deleted.
    pub reason: String,
    /// Who set it.
    pub set_by: String,
    /// When.
    pub set_at_ms: i64,
    /// Why it is to be lifted.
    pub lift_reason: Option<String>,
    /// Who asked that it be lifted.
    pub lift_asked_by: Option<String>,
    /// When.
    pub lift_asked_at_ms: Option<i64>,
    /// The other person, who lifted it.
    pub lifted_by: Option<String>,
    /// When.
    pub lifted_at_ms: Option<i64>,
}

/// Asks for holds within a transaction.
pub(super) trait LegalHolds {
    /// Whether a hold stands over the survey. None is set before this transaction ends.
    fn hold_over(&mut self, survey_id: &str) -> Result<bool, StorageError>;
    /// The hold in force. The survey's row is held to the end of the transaction.
    fn hold_in_force(&mut self, survey_id: &str) -> Result<Option<LegalHold>, StorageError>;
}

macro_rules! legal_holds {
    ($connection:ty) => {
        impl LegalHolds for $connection {
            fn hold_over(&mut self, survey_id: &str) -> Result<bool, StorageError> {
                Ok(self.hold_in_force(survey_id)?.is_some())
            }

            fn hold_in_force(&mut self, survey_id: &str) -> Result<Option<LegalHold>, StorageError> {
                // The update takes the row's lock: a hold and a deletion have one order.
                diesel::update(survey::table.find(survey_id)).set(survey::state.eq(survey::state)).execute(self)?;
                let standing = legal_hold::survey_id.eq(survey_id).and(legal_hold::lifted_at_ms.is_null());
                Ok(legal_hold::table.filter(standing).select(LegalHold::as_select()).first(self).optional()?)
            }
        }
    };
}

legal_holds!(SqliteConnection);
legal_holds!(PgConnection);

fn act(by: &Author, now_ms: i64, action: &'static str, survey_id: &str, detail: serde_json::Value) -> Act {
    Act::done(by, now_ms, action, format!("survey/{survey_id}"), detail)
}

impl Database {
    /// Sets a hold; over one whose lifting was asked for, takes that back. `false` when one stands already.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn set_hold(
        &self,
        survey_id: &str,
        id: &str,
        reason: &str,
        by: &Author,
        now_ms: i64,
    ) -> Result<bool, StorageError> {
        writing!(self, c => {
            let action = match c.hold_in_force(survey_id)? {
                Some(hold) if hold.lift_asked_by.is_none() => return Ok(false),
                Some(hold) => {
                    diesel::update(legal_hold::table.find(&hold.id))
                        .set((
                            legal_hold::lift_reason.eq(None::<String>),
                            legal_hold::lift_asked_by.eq(None::<String>),
                            legal_hold::lift_asked_at_ms.eq(None::<i64>),
                        ))
                        .execute(c)?;
                    "hold.keep"
                }
                None => {
                    let new = (
                        legal_hold::id.eq(id),
                        legal_hold::survey_id.eq(survey_id),
                        legal_hold::reason.eq(reason),
                        legal_hold::set_by.eq(&by.id),
                        legal_hold::set_at_ms.eq(now_ms),
                    );
                    diesel::insert_into(legal_hold::table).values(new).execute(c)?;
                    "hold.set"
                }
            };
            c.append(&[act(by, now_ms, action, survey_id, json!({ "reason": reason }))])?;
            Ok(true)
        })
    }

    /// Asks that the hold be lifted; `false` when none stands, or somebody asked already.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn ask_to_lift_hold(
        &self,
        survey_id: &str,
        reason: &str,
        by: &Author,
        now_ms: i64,
    ) -> Result<bool, StorageError> {
        writing!(self, c => {
            let Some(hold) = c.hold_in_force(survey_id)?.filter(|hold| hold.lift_asked_by.is_none()) else {
                return Ok(false);
            };
            diesel::update(legal_hold::table.find(&hold.id))
                .set((
                    legal_hold::lift_reason.eq(reason),
                    legal_hold::lift_asked_by.eq(&by.id),
                    legal_hold::lift_asked_at_ms.eq(now_ms),
                ))
                .execute(c)?;
            c.append(&[act(by, now_ms, "hold.lift-request", survey_id, json!({ "reason": reason }))])?;
            Ok(true)
        })
    }

    /// Lifts the hold as another person asked; `false` when nobody did.
    ///
    /// # Errors
    /// `SamePerson` when whoever lifts it is the one who asked; the attempt is logged.
    pub fn lift_hold(&self, survey_id: &str, by: &Author, now_ms: i64) -> Result<bool, StorageError> {
        let lifted = writing!(self, c => {
            let Some(hold) = c.hold_in_force(survey_id)? else { return Ok(Some(false)) };
            let Some(asked_by) = hold.lift_asked_by else { return Ok(Some(false)) };
            let lift = act(by, now_ms, "hold.lift", survey_id, json!({ "set_at_ms": hold.set_at_ms }));
            if asked_by == by.id {
                c.append(&[lift.ended(Outcome::Refused)])?;
                return Ok(None);
            }
            diesel::update(legal_hold::table.find(&hold.id))
                .set((legal_hold::lifted_by.eq(&by.id), legal_hold::lifted_at_ms.eq(now_ms)))
                .execute(c)?;
            c.append(&[lift])?;
            Ok(Some(true))
        })?;
        lifted.ok_or(StorageError::SamePerson)
    }

    /// The hold over a survey.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn hold(&self, survey_id: &str) -> Result<Option<LegalHold>, StorageError> {
        Ok(reading!(self, c => legal_hold::table
            .filter(legal_hold::survey_id.eq(survey_id).and(legal_hold::lifted_at_ms.is_null()))
            .select(LegalHold::as_select())
            .first(c)
            .optional())?)
    }
}
