//! Deletes once a day what is not kept any longer.

use super::Watch;
use crate::{
    server::{
        Clock, disk,
        retention::{Periods, Retention},
    },
    storage::{Author, Database, StorageError},
};

const DAY_MS: i64 = 24 * 3600 * 1000;
const HOUR_MS: i64 = 3600 * 1000;

/// Starts a thread that looks at the start and once a day.
///
/// # Errors
/// When there is no thread.
pub fn keep(database: Database, clock: Clock, periods: Periods) -> Result<Watch, StorageError> {
    let mut next_ms = i64::MIN;
    Watch::start("retention", move || {
        let now_ms = clock.now_ms();
        if now_ms < next_ms {
            return;
        }
        let retention = Retention { database: &database, clock: &clock, periods };
        match retention.run(None, &Author::system()) {
            Ok(done) => {
                next_ms = now_ms + DAY_MS;
                for (survey, what, items) in done {
                    tracing::info!(survey, what = what.name(), items, "deleted what is not kept any longer");
                }
            }
            Err(error) => {
                // Tried again soon: a day later would be a day too long.
                next_ms = now_ms + HOUR_MS;
                disk::end_if_failed(&error);
                tracing::warn!(%error, "what is not kept any longer could not be deleted");
            }
        }
    })
}
