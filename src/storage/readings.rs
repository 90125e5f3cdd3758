//! How much of the vault somebody reads.

use diesel::{PgConnection, SqliteConnection, prelude::*};

use super::{StorageError, schema::audit_entry};

/// A person who reads more cases than this within an hour is marked in the log.
const READS_PER_HOUR: i64 = 20;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// What is counted as a reading.
const READINGS: [&str; 2] = ["identity.read", "identity.read-attempt"];

/// Counts how much somebody read within the last hour.
pub(super) trait Readings {
    /// Whether it is conspicuously much.
    fn reads_much(&mut self, actor: &str, now_ms: i64) -> Result<bool, StorageError>;
}

macro_rules! readings {
    ($connection:ty) => {
        impl Readings for $connection {
            fn reads_much(&mut self, actor: &str, now_ms: i64) -> Result<bool, StorageError> {
                let earlier: i64 = audit_entry::table
                    .filter(audit_entry::actor.eq(actor).and(audit_entry::action.eq_any(READINGS)))
                    .filter(audit_entry::at_ms.gt(now_ms - HOUR_MS))
                    .count()
                    .get_result(self)?;
                Ok(earlier >= READS_PER_HOUR)
            }
        }
    };
}

readings!(SqliteConnection);
readings!(PgConnection);
