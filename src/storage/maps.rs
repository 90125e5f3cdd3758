//! The outlines of surveys' districts.

use diesel::prelude::*;
use serde_json::json;

use super::{Act, Author, Database, StorageError, audit::Appends, schema::*};

/// Outlines on their way into a survey.
#[derive(Debug, Clone, Copy)]
pub struct NewMap<'a> {
    /// SHA-256 of the bytes.
    pub sha256: &'a str,
    /// The checked outlines.
    pub content: &'a [u8],
    /// When they came.
    pub received_at_ms: i64,
    /// From whom.
    pub by: &'a Author,
}

/// A version of a survey's outlines without them.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = survey_map)]
pub struct MapHead {
    /// 1 for the first.
    pub version: i32,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// When they came.
    pub received_at_ms: i64,
}

/// The outlines in force.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = survey_map)]
pub struct StoredMap {
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// GeoJSON.
    pub content: Vec<u8>,
}

impl Database {
    /// Puts outlines into the survey as a new version; those in force again change nothing. Returns the version and whether
    /// it is new.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing changed.
    pub fn put_map(&self, survey_id: &str, new: NewMap<'_>) -> Result<(i32, bool), StorageError> {
        writing!(self, c => {
            // Two uploads at once take their turn at the survey's row.
            diesel::update(survey::table.find(survey_id)).set(survey::id.eq(survey::id)).execute(c)?;
            let current: Option<(i32, String)> = survey_map::table
                .filter(survey_map::survey_id.eq(survey_id))
                .order(survey_map::version.desc())
                .select((survey_map::version, survey_map::sha256))
                .first(c)
                .optional()?;
            if let Some((version, digest)) = &current && digest == new.sha256 {
                return Ok((*version, false));
            }
            let version = current.map_or(1, |(version, _)| version + 1);
            let NewMap { sha256, content, received_at_ms, by } = new;
            let row = (
                survey_map::survey_id.eq(survey_id),
                survey_map::version.eq(version),
                survey_map::sha256.eq(sha256),
                survey_map::content.eq(content),
                survey_map::received_at_ms.eq(received_at_ms),
                survey_map::received_from.eq(&by.id),
            );
            diesel::insert_into(survey_map::table).values(row).execute(c)?;
            let (object, detail) = (format!("survey/{survey_id}"), json!({ "version": version, "sha256": sha256 }));
            c.append(&[Act::done(by, received_at_ms, "survey.put-map", object, detail)])?;
            Ok((version, true))
        })
    }

    /// Which version of a survey's outlines is in force.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn map_head(&self, survey_id: &str) -> Result<Option<MapHead>, StorageError> {
        Ok(reading!(self, c => survey_map::table
            .filter(survey_map::survey_id.eq(survey_id))
            .order(survey_map::version.desc())
            .select(MapHead::as_select())
            .first(c)
            .optional())?)
    }

    /// A survey's outlines in force.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn map(&self, survey_id: &str) -> Result<Option<StoredMap>, StorageError> {
        Ok(reading!(self, c => survey_map::table
            .filter(survey_map::survey_id.eq(survey_id))
            .order(survey_map::version.desc())
            .select(StoredMap::as_select())
            .first(c)
            .optional())?)
    }

    /// The districts of a survey's sample, in the order of their codes.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn sample_districts(&self, survey_id: &str) -> Result<Vec<String>, StorageError> {
        Ok(reading!(self, c => sample_case::table
            .filter(sample_case::survey_id.eq(survey_id))
            .select(sample_case::district)
            .distinct()
            .order(sample_case::district)
            .load(c))?)
    }
}
