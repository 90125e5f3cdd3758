//! The two pools behind one type, and the two macros that run one expression on either.

use std::{sync::Arc, time::Duration};

use diesel::{
    PgConnection, SqliteConnection,
    r2d2::{ConnectionManager, Pool, PooledConnection},
};
use parking_lot::Mutex;

use super::{DatabaseUrl, StorageError, migrations, postgres, sqlite, trusted::TrustingManager};

/// How long a writer waits for its turn. With the wait for another process's lock it stays under three seconds.
pub(super) const TURN_WAIT_MAX: Duration = Duration::from_secs(2);

/// How many connections a pool holds and how long a caller waits for one.
#[derive(Debug, Clone, Copy)]
pub struct PoolSettings {
    /// Connections at most.
    pub connections_max: u32,
    /// Wait for a free connection at most.
    pub wait_max: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { connections_max: 16, wait_max: Duration::from_secs(2) }
    }
}

/// A database: SQLite in a file or PostgreSQL on a server. Cloning shares the pool.
#[derive(Clone)]
pub enum Database {
    /// SQLite. One writer at a time holds `turn`; waiting there is fair and quick, unlike SQLite's own busy polling.
    Sqlite {
        /// The connections that read.
        pool: Pool<ConnectionManager<SqliteConnection>>,
        /// The one connection that writes. It is always the same, for what another one writes empties a connection's
        /// cache of pages.
        writer: Pool<ConnectionManager<SqliteConnection>>,
        /// The turn of the one writer.
        turn: Arc<Mutex<()>>,
    },
    /// PostgreSQL.
    Postgres {
        /// The connections.
        pool: Pool<TrustingManager<PgConnection>>,
    },
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.backend())
    }
}

pub(super) enum Connection {
    Sqlite(PooledConnection<ConnectionManager<SqliteConnection>>),
    Postgres(PooledConnection<TrustingManager<PgConnection>>),
}

/// Runs one diesel expression on a connection of the database.
macro_rules! reading {
    ($database:expr, $connection:ident => $body:expr) => {
        match $database.connection()? {
            crate::storage::connection::Connection::Sqlite(mut held) => {
                let $connection = &mut *held;
                $body
            }
            crate::storage::connection::Connection::Postgres(mut held) => {
                let $connection = &mut **held;
                $body
            }
        }
    };
}

/// Runs a block from which `?` and `return` lead out.
pub(super) fn once<T>(block: impl FnOnce() -> Result<T, StorageError>) -> Result<T, StorageError> {
    block()
}

/// Runs one block in a transaction of a pool's connection. A database whose disk fails ends the transaction by itself;
/// diesel would then tell that there is none to roll back, so the block's own error is kept.
macro_rules! whole {
    ($pool:expr, $transaction:ident, $connection:ident => $body:block) => {{
        let mut cause = None;
        let done = $pool.get()?.$transaction(|$connection| {
            let done = crate::storage::connection::once(|| -> Result<_, crate::storage::StorageError> { $body });
            done.map_err(|error| {
                cause = Some(error);
                crate::storage::StorageError::Unavailable("rolled back".to_owned())
            })
        });
        done.map_err(|error| cause.unwrap_or(error))
    }};
}

/// Runs one block in a transaction that may write: all of it is durable when this returns `Ok`, or none of it happened.
macro_rules! writing {
    ($database:expr, $connection:ident => $body:block) => {
        match $database {
            crate::storage::Database::Sqlite { writer, turn, .. } => {
                // Waiting has an end, so that a caller hears in time that the database is busy.
                match turn.try_lock_for(crate::storage::connection::TURN_WAIT_MAX) {
                    None => Err(crate::storage::StorageError::Unavailable("too many are writing".to_owned())),
                    Some(_turn) => whole!(writer, immediate_transaction, $connection => $body),
                }
            }
            crate::storage::Database::Postgres { pool } => {
                whole!(pool, transaction, $connection => $body)
            }
        }
    };
}

impl Database {
    /// Opens the database and checks the settings the promises rest on; the schema stays as it is.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be reached, `UnsafeSetting` when a setting is not as it must be.
    pub fn open(url: &DatabaseUrl, settings: PoolSettings) -> Result<Self, StorageError> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let pool = sqlite::open(path, settings)?;
                let writer = sqlite::open(path, PoolSettings { connections_max: 1, ..settings })?;
                Ok(Self::Sqlite { pool, writer, turn: Arc::default() })
            }
            DatabaseUrl::Postgres(url) => Ok(Self::Postgres { pool: postgres::open(url, settings)? }),
        }
    }

    /// `sqlite` or `postgres`.
    pub fn backend(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }

    /// Applies every migration not yet applied and names them; several servers may start at once.
    ///
    /// # Errors
    /// `Migration` with the failing migration.
    pub fn migrate(&self) -> Result<Vec<String>, StorageError> {
        migrations::apply(self)
    }

    /// Takes every migration back and names them: all data is gone afterwards.
    ///
    /// # Errors
    /// `Migration` with the failing migration.
    pub fn revert_all_migrations(&self) -> Result<Vec<String>, StorageError> {
        migrations::revert(self)
    }

    /// The migrations not yet applied.
    ///
    /// # Errors
    /// `Migration` when the database cannot say.
    pub fn pending_migrations(&self) -> Result<Vec<String>, StorageError> {
        migrations::pending(self)
    }

    /// Fails unless the database answers.
    ///
    /// # Errors
    /// `Unavailable` or what the database said.
    pub fn ping(&self) -> Result<(), StorageError> {
        use diesel::prelude::*;
        reading!(self, c => diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1")).get_result::<i32>(c))?;
        Ok(())
    }

    pub(super) fn connection(&self) -> Result<Connection, StorageError> {
        Ok(match self {
            Self::Sqlite { pool, .. } => Connection::Sqlite(pool.get()?),
            Self::Postgres { pool } => Connection::Postgres(pool.get()?),
        })
    }
}
