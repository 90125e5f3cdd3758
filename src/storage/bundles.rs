//! What vouches for a run's files: signed once, kept, never changed.

use diesel::prelude::*;
use serde_json::json;

use super::{Act, Author, Database, StorageError, audit::Appends, schema::*};
use crate::evidence::sha256_hex;

/// The signed part of a run's bundle.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = run_bundle)]
pub struct RunBundle {
    /// The run.
    pub run_id: String,
    /// The manifest's file.
    pub manifest: Vec<u8>,
    /// The proof's file.
    pub proof: String,
    /// The entry's file.
    pub entry: String,
    /// The checkpoint's file.
    pub checkpoint: String,
    /// The public keys' file.
    pub public_keys: String,
    /// SHA-256 of the bundle as one archive.
    pub sha256: String,
    /// The archive's size.
    pub bytes: i64,
    /// When it was signed.
    pub made_at_ms: i64,
}

impl Database {
    /// The signed part of a run's bundle, once it was made.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn run_bundle(&self, run_id: &str) -> Result<Option<RunBundle>, StorageError> {
        Ok(reading!(self, c => run_bundle::table.find(run_id).select(RunBundle::as_select()).first(c).optional())?)
    }

    /// Keeps the bundle with its entry in the log, unless somebody was first; the one that is kept.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn add_run_bundle(&self, new: &RunBundle, by: &Author) -> Result<RunBundle, StorageError> {
        writing!(self, c => {
            let added = diesel::insert_into(run_bundle::table).values(new).on_conflict_do_nothing().execute(c)?;
            if added == 1 {
                let detail = json!({ "sha256": new.sha256, "manifest_sha256": sha256_hex(&new.manifest) });
                c.append(&[Act::done(by, new.made_at_ms, "bundle.create", format!("run/{}", new.run_id), detail)])?;
            }
            Ok(run_bundle::table.find(&new.run_id).select(RunBundle::as_select()).first(c)?)
        })
    }
}
