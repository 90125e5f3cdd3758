//! When a reserve may take a case's place. Substitution hides nonresponse, so it is made hard and kept visible.

use super::{Actor, Clock, Refusal};
use crate::storage::{Database, Released, ReserveRequest, StorageError, Substitution};

/// Days on which somebody must have tried before a reserve is released without a reason.
pub const DAYS_MIN: i32 = 3;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Asks for a reserve in the place of a case within the actor's region.
///
/// # Errors
/// Whatever the database refused.
pub fn release(
    database: &Database,
    survey_id: &str,
    (original_case, reason): (&str, Option<&str>),
    by: &Actor,
    clock: &Clock,
) -> Result<Released, Refusal> {
    if !is_within(database, survey_id, original_case, by.scope.as_deref())? {
        return Ok(Released::NoCase);
    }
    let id = clock.uuid().to_string();
    let request =
        ReserveRequest { id: &id, survey_id, original_case, reason, days_min: DAYS_MIN, day_of: day_in_china };
    Ok(database.release_reserve(request, &by.author(), clock.now_ms())?)
}

/// Every request for a reserve within a region.
///
/// # Errors
/// Whatever the database refused.
pub fn report(database: &Database, survey_id: &str, scope: Option<&str>) -> Result<Vec<Substitution>, Refusal> {
    let mut rows = Vec::new();
    for row in database.substitutions(survey_id)? {
        if is_within(database, survey_id, &row.original_case, scope)? {
            rows.push(row);
        }
    }
    Ok(rows)
}

fn is_within(database: &Database, survey_id: &str, case_id: &str, scope: Option<&str>) -> Result<bool, StorageError> {
    let Some(scope) = scope else { return Ok(true) };
    Ok(database.case_district(survey_id, case_id)?.is_some_and(|district| district.starts_with(scope)))
}

/// The day of a time by the one calendar of China, counted from 1970.
fn day_in_china(at_ms: i64) -> i64 {
    (at_ms + 8 * HOUR_MS).div_euclid(24 * HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        // 2025-05-10 15:59:59.999 UTC is 23:59:59.999 in China.
        let before = 1_746_892_799_999;
        assert_eq!(day_in_china(before) + 1, day_in_china(before + 1));
        assert_eq!(day_in_china(before), day_in_china(before - 23 * HOUR_MS));
    }
}
