//! Releases of runs: asked for by one person, confirmed by another, and then what everybody reads.

use diesel::prelude::*;
use serde_json::json;

use super::{Act, Author, Database, Outcome, Run, StorageError, audit::Appends, schema::*};

/// A release of a run.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = disclosure_release)]
pub struct StoredRelease {
    /// The run.
    pub run_id: String,
    /// Its survey.
    pub survey_id: String,
    /// The rule set with its version.
    pub rules: String,
    /// SHA-256 of the public document.
    pub sha256: String,
    /// The public document.
    pub results: Vec<u8>,
    /// The public table.
    pub indicator: Vec<u8>,
    /// SHA-256 of the public table.
    pub indicator_sha256: String,
    /// Every cell with what became of it; it never leaves the server.
    pub cells: Vec<u8>,
    /// The person who asked.
    pub requested_by: String,
    /// When.
    pub requested_at_ms: i64,
    /// The person who confirmed.
    pub confirmed_by: Option<String>,
    /// When.
    pub confirmed_at_ms: Option<i64>,
}

impl StoredRelease {
    /// Whether everybody may read it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.confirmed_at_ms.is_some()
    }

    fn detail(&self) -> serde_json::Value {
        json!({ "rules": self.rules, "sha256": self.sha256, "indicator_sha256": self.indicator_sha256 })
    }
}

fn object(run_id: &str) -> String {
    format!("run/{run_id}")
}

impl Database {
    /// Keeps a release that waits for its confirmation, in the place of one that waits; `false` when the run is
    /// released already.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn request_release(&self, new: &StoredRelease, by: &Author) -> Result<bool, StorageError> {
        writing!(self, c => {
            let waiting = disclosure_release::table
                .filter(disclosure_release::run_id.eq(&new.run_id).and(disclosure_release::confirmed_at_ms.is_null()));
            diesel::delete(waiting).execute(c)?;
            let added = diesel::insert_into(disclosure_release::table).values(new).on_conflict_do_nothing().execute(c)?;
            if added == 1 {
                c.append(&[Act::done(by, new.requested_at_ms, "release.request", object(&new.run_id), new.detail())])?;
            }
            Ok(added == 1)
        })
    }

    /// Makes the waiting release with this digest public; `None` when there is none.
    ///
    /// # Errors
    /// `SamePerson` when one of `ids`, under which the confirmer acts, asked for it; the attempt is logged.
    pub fn confirm_release(
        &self,
        run_id: &str,
        sha256: &str,
        by: &Author,
        ids: &[String],
        now_ms: i64,
    ) -> Result<Option<StoredRelease>, StorageError> {
        let confirmed: Option<Result<StoredRelease, StorageError>> = writing!(self, c => {
            let waiting = disclosure_release::table.find(run_id).filter(
                disclosure_release::confirmed_at_ms.is_null().and(disclosure_release::sha256.eq(sha256)));
            let found: Option<StoredRelease> = waiting.select(StoredRelease::as_select()).first(c).optional()?;
            let Some(mut release) = found else { return Ok(None) };
            let act = Act::done(by, now_ms, "release.confirm", object(run_id), release.detail());
            if ids.contains(&release.requested_by) {
                c.append(&[act.ended(Outcome::Refused)])?;
                return Ok(Some(Err(StorageError::SamePerson)));
            }
            release.confirmed_by = Some(by.id.clone());
            release.confirmed_at_ms = Some(now_ms);
            diesel::update(disclosure_release::table.find(run_id))
                .set((
                    disclosure_release::confirmed_by.eq(&release.confirmed_by),
                    disclosure_release::confirmed_at_ms.eq(release.confirmed_at_ms),
                ))
                .execute(c)?;
            c.append(&[act])?;
            Ok(Some(Ok(release)))
        })?;
        confirmed.transpose()
    }

    /// The release of a run, public or waiting.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn release(&self, run_id: &str) -> Result<Option<StoredRelease>, StorageError> {
        Ok(reading!(self, c => disclosure_release::table
            .find(run_id)
            .select(StoredRelease::as_select())
            .first(c)
            .optional())?)
    }

    /// The public releases of a survey's runs but this one, in the order of the runs' ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn public_releases_of(&self, survey_id: &str, but: &str) -> Result<Vec<StoredRelease>, StorageError> {
        Ok(reading!(self, c => disclosure_release::table
            .filter(disclosure_release::survey_id.eq(survey_id))
            .filter(disclosure_release::run_id.ne(but))
            .filter(disclosure_release::confirmed_at_ms.is_not_null())
            .order(disclosure_release::run_id)
            .select(StoredRelease::as_select())
            .load(c))?)
    }

    /// Whether everybody may read of the run.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn is_released(&self, run_id: &str) -> Result<bool, StorageError> {
        let one = disclosure_release::table.find(run_id).filter(disclosure_release::confirmed_at_ms.is_not_null());
        let found: Option<String> = reading!(self, c => one.select(disclosure_release::run_id).first(c).optional())?;
        Ok(found.is_some())
    }

    /// Up to `rows_max` released runs before the id, the latest first.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn released_runs(&self, before: &str, rows_max: i64) -> Result<Vec<Run>, StorageError> {
        Ok(reading!(self, c => run::table
            .inner_join(disclosure_release::table)
            .filter(run::id.lt(before))
            .filter(disclosure_release::confirmed_at_ms.is_not_null())
            .order(run::id.desc())
            .limit(rows_max)
            .select(Run::as_select())
            .load(c))?)
    }
}
