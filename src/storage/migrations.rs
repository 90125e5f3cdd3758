//! The schema's history, one folder for each backend with the same names.

use diesel::{connection::SimpleConnection, migration::MigrationVersion};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Database, StorageError, connection::Connection};

pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
pub(super) const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The key of the advisory lock several starting servers take in turn; any fixed number would do.
const LOCK: &str = "SELECT pg_advisory_lock(7352917640018211)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(7352917640018211)";

/// Waiting for another server's migrations may take longer than a query's usual limits.
const PATIENCE: &str = "SET statement_timeout = '10min'; SET lock_timeout = '10min'";

type Versions<'a> = diesel::migration::Result<Vec<MigrationVersion<'a>>>;

pub(super) fn apply(database: &Database) -> Result<Vec<String>, StorageError> {
    match database.connection()? {
        // One transaction around all: a second server waits for it, and then finds nothing left to do.
        Connection::Sqlite(mut c) => {
            c.batch_execute(super::sqlite::PATIENCE)?;
            let applied = c.immediate_transaction(|c| named(c.run_pending_migrations(SQLITE)));
            c.batch_execute(super::sqlite::SETTINGS)?;
            applied
        }
        Connection::Postgres(mut c) => {
            c.batch_execute(PATIENCE)?;
            c.batch_execute(LOCK)?;
            let applied = named(c.run_pending_migrations(POSTGRES));
            c.batch_execute(UNLOCK)?;
            c.batch_execute(super::postgres::SETTINGS)?;
            applied
        }
    }
}

pub(super) fn revert(database: &Database) -> Result<Vec<String>, StorageError> {
    match database.connection()? {
        Connection::Sqlite(mut c) => named(c.revert_all_migrations(SQLITE)),
        Connection::Postgres(mut c) => named(c.revert_all_migrations(POSTGRES)),
    }
}

pub(super) fn pending(database: &Database) -> Result<Vec<String>, StorageError> {
    let names = match database.connection()? {
        Connection::Sqlite(mut c) => {
            c.pending_migrations(SQLITE).map(|m| m.iter().map(|m| m.name().to_string()).collect())
        }
        Connection::Postgres(mut c) => {
            c.pending_migrations(POSTGRES).map(|m| m.iter().map(|m| m.name().to_string()).collect())
        }
    };
    names.map_err(|error| StorageError::in_migration(error.to_string()))
}

fn named(versions: Versions<'_>) -> Result<Vec<String>, StorageError> {
    match versions {
        Ok(versions) => Ok(versions.iter().map(ToString::to_string).collect()),
        Err(error) => Err(StorageError::in_migration(error.to_string())),
    }
}
