//! Opening a PostgreSQL database the way the promises need it.

use diesel::{
    connection::SimpleConnection,
    dsl::sql,
    prelude::*,
    r2d2::{CustomizeConnection, Error as PoolBuildError, Pool},
    sql_types::Text,
};

use super::{
    PoolSettings, StorageError,
    trusted::{Trusted, TrustingManager},
};

/// Each session's settings: an acknowledged commit is on disk, and nobody waits for ever.
pub(super) const SETTINGS: &str = "SET synchronous_commit = on; SET client_encoding = 'UTF8'; SET timezone = 'UTC'; \
     SET statement_timeout = '10s'; SET lock_timeout = '2500ms'; SET idle_in_transaction_session_timeout = '30s';";

type Connections = Pool<TrustingManager<PgConnection>>;

#[derive(Debug)]
struct Settings;

impl CustomizeConnection<Trusted<PgConnection>, PoolBuildError> for Settings {
    fn on_acquire(&self, connection: &mut Trusted<PgConnection>) -> Result<(), PoolBuildError> {
        connection.batch_execute(SETTINGS).map_err(PoolBuildError::QueryError)
    }
}

pub(super) fn open(url: &str, settings: PoolSettings) -> Result<Connections, StorageError> {
    let mut first = PgConnection::establish(url)?;
    first.batch_execute(SETTINGS)?;
    for (setting, wanted) in [("synchronous_commit", "on"), ("server_encoding", "UTF8"), ("client_encoding", "UTF8")] {
        let found: String = sql::<Text>(&format!("SHOW {setting}")).get_result(&mut first)?;
        if found != wanted {
            return Err(StorageError::UnsafeSetting { setting, found, wanted });
        }
    }
    Ok(Pool::builder()
        .max_size(settings.connections_max)
        .min_idle(Some(1))
        .connection_timeout(settings.wait_max)
        .connection_customizer(Box::new(Settings))
        .build(TrustingManager::new(url))?)
}
