//! Published questionnaires: one row a version, never changed.

use diesel::prelude::*;

use serde_json::json;

use super::{Act, Author, Database, StorageError, audit::Appends, schema::questionnaire};

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = questionnaire)]
pub struct StoredQuestionnaire {
    /// SHA-256 of the canonical form.
    pub hash: String,
    /// The questionnaire's id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its title in Chinese.
    pub title: String,
    /// The canonical JSON the hash is taken of.
    pub canonical: String,
    /// The file as it was published.
    pub source: String,
    /// When.
    pub published_at_ms: i64,
    /// By whom.
    pub published_by: String,
}

/// What publishing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication {
    /// The version is new.
    New,
    /// The same version was there already; nothing changed.
    Already,
}

impl Database {
    /// Publishes a version; the same hash again changes nothing.
    ///
    /// # Errors
    /// `VersionTaken` when the id and version stand for another hash.
    pub fn publish_questionnaire(&self, new: &StoredQuestionnaire, by: &Author) -> Result<Publication, StorageError> {
        writing!(self, c => {
            let inserted = diesel::insert_into(questionnaire::table).values(new).on_conflict_do_nothing().execute(c)?;
            if inserted == 1 {
                let (object, detail) = (format!("questionnaire/{}", new.hash), json!({ "id": new.id, "version": new.version }));
                c.append(&[Act::done(by, new.published_at_ms, "questionnaire.publish", object, detail)])?;
                return Ok(Publication::New);
            }
            let same_version = questionnaire::id.eq(&new.id).and(questionnaire::version.eq(&new.version));
            let found = questionnaire::table.filter(questionnaire::hash.eq(&new.hash).or(same_version));
            let published: String = found.select(questionnaire::hash).first(c)?;
            match published == new.hash {
                true => Ok(Publication::Already),
                false => Err(StorageError::VersionTaken { id: new.id.clone(), version: new.version.clone(), published }),
            }
        })
    }

    /// The version with this hash.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn questionnaire(&self, hash: &str) -> Result<Option<StoredQuestionnaire>, StorageError> {
        Ok(
            reading!(self, c => questionnaire::table.find(hash).select(StoredQuestionnaire::as_select()).first(c).optional())?,
        )
    }

    /// Every version, in the order of id and version.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn questionnaires(&self) -> Result<Vec<StoredQuestionnaire>, StorageError> {
        Ok(reading!(self, c => questionnaire::table
            .order((questionnaire::id, questionnaire::version))
            .select(StoredQuestionnaire::as_select())
            .load(c))?)
    }
}
