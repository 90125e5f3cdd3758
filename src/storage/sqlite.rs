//! Opening a SQLite file the way the promises need it.

use std::path::Path;

use diesel::{
    connection::SimpleConnection,
    dsl::sql,
    prelude::*,
    r2d2::{ConnectionManager, CustomizeConnection, Error as PoolBuildError, Pool},
    sql_types::{BigInt, Text},
};

use super::{PoolSettings, StorageError};

/// SQLite 3.7.0 to 3.51.2 can corrupt a file when the write-ahead log is reset during a checkpoint.
const VERSION_MIN: (u32, u32, u32) = (3, 51, 3);

/// A starting server waits longer: another may be migrating.
pub(super) const PATIENCE: &str = "PRAGMA busy_timeout = 60000;";

/// Each connection's settings. `busy_timeout` comes first, since the others may meet a lock; only other processes hold
/// one for long, for writers of this process take turns.
pub(super) const SETTINGS: &str = "PRAGMA busy_timeout = 900; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; \
     PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; \
     PRAGMA secure_delete = ON;";

type Connections = Pool<ConnectionManager<SqliteConnection>>;

#[derive(Debug)]
struct Settings;

impl CustomizeConnection<SqliteConnection, PoolBuildError> for Settings {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), PoolBuildError> {
        connection.batch_execute(SETTINGS).map_err(PoolBuildError::QueryError)
    }
}

pub(super) fn open(path: &Path, settings: PoolSettings) -> Result<Connections, StorageError> {
    // A relative path is anchored, so that no name can be taken for one of SQLite's own URLs.
    let path = if path.is_absolute() { path.to_path_buf() } else { Path::new(".").join(path) };
    let path = path.to_string_lossy().into_owned();
    let mut first = SqliteConnection::establish(&path)?;
    first.batch_execute(SETTINGS)?;
    first.batch_execute(PATIENCE)?;
    first.batch_execute("PRAGMA journal_mode = WAL;")?;
    assert_settings(&mut first)?;
    let manager = ConnectionManager::new(path);
    Ok(Pool::builder()
        .max_size(settings.connections_max)
        .min_idle(Some(1))
        .connection_timeout(settings.wait_max)
        // A file does not go away as a server does; asking each time only costs.
        .test_on_check_out(false)
        .connection_customizer(Box::new(Settings))
        .build(manager)?)
}

fn assert_settings(connection: &mut SqliteConnection) -> Result<(), StorageError> {
    let version: String = diesel::select(sql::<Text>("sqlite_version()")).get_result(connection)?;
    require("the SQLite version", &version, "3.51.3 or newer", is_new_enough(&version))?;
    let journal: String = sql::<Text>("PRAGMA journal_mode").get_result(connection)?;
    require("journal_mode", &journal, "wal", journal == "wal")?;
    let encoding: String = sql::<Text>("PRAGMA encoding").get_result(connection)?;
    require("encoding", &encoding, "UTF-8", encoding == "UTF-8")?;
    for (setting, wanted) in [("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0), ("secure_delete", 1)] {
        let found: i64 = sql::<BigInt>(&format!("PRAGMA {setting}")).get_result(connection)?;
        let label = if wanted == 2 {
            "2 (FULL)"
        } else if wanted == 1 {
            "1"
        } else {
            "0"
        };
        require(setting, &found.to_string(), label, found == wanted)?;
    }
    Ok(())
}

fn require(setting: &'static str, found: &str, wanted: &'static str, holds: bool) -> Result<(), StorageError> {
    match holds {
        true => Ok(()),
        false => Err(StorageError::UnsafeSetting { setting, found: found.to_owned(), wanted }),
    }
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= VERSION_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_with_the_log_reset_fault_are_refused() {
        assert!(!is_new_enough("3.40.1"));
        assert!(!is_new_enough("3.51.2"));
        assert!(is_new_enough("3.51.3"));
        assert!(is_new_enough("3.53.2"));
    }
}
