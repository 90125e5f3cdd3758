//! Units and strata of one stage, numbered in the order of parent unit, stratum, id.

use std::sync::Arc;

use rayon::prelude::*;

use super::{
    CHUNK, Crossing, StageUnits, Stratum,
    crossing::{compress, cross, partners},
};
use crate::statistics::{
    StatisticsError,
    data::{DataTable, MISSING},
    plan::{Columns, Stage},
};

/// Strata within the units of the stage before.
struct Groups {
    /// The group of each row.
    of_row: Arc<Vec<u32>>,
    /// Each group's parent and stratum, as one key.
    keys: Vec<u64>,
}

/// The units of one stage within the units of the stage before.
pub(super) fn units(
    table: &DataTable,
    stage: &Stage,
    at: usize,
    nested: bool,
    parents: Option<&[u32]>,
) -> Result<StageUnits, StatisticsError> {
    let place = format!("design.stages[{at}]");
    let strata = complete(table, &stage.stratum, &format!("{place}.stratum"))?;
    let ids = stage.unit.as_ref().map(|u| complete(table, &Columns::one(u), &format!("{place}.unit"))).transpose()?;
    let groups = groups(&strata, parents);
    let (unit_of_row, stratum_of_unit) = match ids.as_ref().and_then(|ids| units_in_one_group(&groups, ids)) {
        Some(found) => found,
        None => {
            let found = numbered(&groups, ids.as_ref());
            if let (Some(ids), false) = (&ids, nested) {
                refuse_units_in_two_strata(&found, ids, |group| strata.label(group, ", "))?;
            }
            (found.unit_of_row, found.group_of_unit)
        }
    };
    let mut sampled = vec![0; groups.keys.len()];
    stratum_of_unit.iter().for_each(|&group| sampled[group as usize] += 1);
    let many = strata.len() as u64;
    let label = |key: u64| match (strata.columns.is_empty(), parents) {
        (true, None) => "(all)".to_owned(),
        (true, Some(_)) => format!("(unit {} of stage {at})", key / many + 1),
        (false, _) => strata.label((key % many) as usize, ", "),
    };
    let population = population(table, stage, &place, &groups.of_row, groups.keys.len())?;
    let mut built = Vec::with_capacity(groups.keys.len());
    for (group, &key) in groups.keys.iter().enumerate() {
        let stratum = Stratum { label: label(key), sampled: sampled[group], population: population[group] };
        built.push(checked(stratum, at)?);
    }
    Ok(StageUnits { strata: built, stratum_of_unit, unit_of_row, has_fpc: stage.population_units.is_some() })
}

fn groups(strata: &Crossing, parents: Option<&[u32]>) -> Groups {
    let many = strata.len() as u64;
    let Some(parents) = parents else {
        // Every stratum of the crossing has a row.
        return Groups { of_row: strata.codes.clone(), keys: (0..many).collect() };
    };
    let key = |(&parent, &stratum): (&u32, &u32)| u64::from(parent) * many + u64::from(stratum);
    let keys: Vec<u64> = parents.iter().zip(strata.codes.iter()).map(key).collect();
    let span = parents.iter().max().map_or(1, |most| (u64::from(*most) + 1) * many);
    let (of_row, keys) = compress(&keys, span);
    Groups { of_row: Arc::new(of_row), keys }
}

/// Where each id stands in one group alone, as most files have it: the unit of each row and the group of each unit.
fn units_in_one_group(groups: &Groups, ids: &Crossing) -> Option<(Arc<Vec<u32>>, Vec<u32>)> {
    let mut group_of_unit = partners(&ids.codes, ids.len(), &groups.of_row)?;
    if group_of_unit.is_sorted() {
        return Some((ids.codes.clone(), group_of_unit));
    }
    let mut order: Vec<u32> = (0..group_of_unit.len() as u32).collect();
    order.sort_by_key(|&id| group_of_unit[id as usize]);
    let mut unit_of_id = vec![0; order.len()];
    order.iter().enumerate().for_each(|(unit, &id)| unit_of_id[id as usize] = unit as u32);
    group_of_unit.sort_unstable();
    let unit_of_row: Vec<u32> = ids.codes.par_iter().with_min_len(CHUNK).map(|&id| unit_of_id[id as usize]).collect();
    Some((Arc::new(unit_of_row), group_of_unit))
}

/// Units as pairs of group and id; without ids every row is one.
struct Numbered {
    unit_of_row: Arc<Vec<u32>>,
    group_of_unit: Vec<u32>,
    id_of_unit: Vec<usize>,
}

fn numbered(groups: &Groups, ids: Option<&Crossing>) -> Numbered {
    let rows = groups.of_row.len();
    let id_of = |row: usize| ids.map_or(row as u64, |ids| u64::from(ids.codes[row]));
    let id_span = ids.map_or(rows as u64, |ids| ids.len() as u64);
    let keys: Vec<u64> = (0..rows).map(|row| u64::from(groups.of_row[row]) * id_span + id_of(row)).collect();
    let (unit_of_row, found) = compress(&keys, groups.keys.len() as u64 * id_span);
    Numbered {
        unit_of_row: Arc::new(unit_of_row),
        group_of_unit: found.iter().map(|key| (key / id_span) as u32).collect(),
        id_of_unit: found.iter().map(|key| (key % id_span) as usize).collect(),
    }
}

fn checked(stratum: Stratum, at: usize) -> Result<Stratum, StatisticsError> {
    match stratum.population {
        // Counts that were computed, not written, may miss the sample size by a rounding error.
        Some(population) if population < stratum.sampled as f64 * (1.0 - 1e-9) => {
            Err(StatisticsError::design(format!(
                "stratum {} at stage {}: {} units were sampled but the population has {population}",
                stratum.label,
                at + 1,
                stratum.sampled
            )))
        }
        _ => Ok(stratum),
    }
}

fn complete(table: &DataTable, columns: &Columns, place: &str) -> Result<Crossing, StatisticsError> {
    let crossed = cross(table, columns.names(), place, None::<fn(usize) -> bool>)?;
    if crossed.is_complete() {
        return Ok(crossed);
    }
    match crossed.codes.iter().position(|&code| code == MISSING) {
        None => Ok(crossed),
        Some(row) => Err(StatisticsError::Cell {
            column: columns.names().join(", "),
            row: row + 1,
            reason: format!("{place} needs a value in every row"),
        }),
    }
}

fn refuse_units_in_two_strata(
    found: &Numbered,
    ids: &Crossing,
    stratum: impl Fn(usize) -> String,
) -> Result<(), StatisticsError> {
    let mut seen: Vec<Option<u32>> = vec![None; ids.len()];
    for (&group, &id) in found.group_of_unit.iter().zip(&found.id_of_unit) {
        match seen[id].replace(group) {
            Some(other) if other != group => {
                return Err(StatisticsError::design(format!(
                    "unit {} stands in the strata {} and {}; if these are two units, say unit_ids_nested_in_stratum",
                    ids.label(id, ", "),
                    stratum(other as usize),
                    stratum(group as usize)
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

fn population(
    table: &DataTable,
    stage: &Stage,
    place: &str,
    group_of_row: &[u32],
    groups: usize,
) -> Result<Vec<Option<f64>>, StatisticsError> {
    let Some(column) = &stage.population_units else { return Ok(vec![None; groups]) };
    let counts = table.numbers(column, &format!("{place}.population_units"))?;
    let mut population: Vec<Option<f64>> = vec![None; groups];
    for (row, (&group, &count)) in group_of_row.iter().zip(counts.iter()).enumerate() {
        let fault = |reason: String| StatisticsError::Cell { column: column.clone(), row: row + 1, reason };
        if count.is_nan() || count <= 0.0 {
            return Err(fault("a number of population units is positive".to_owned()));
        }
        match population[group as usize].replace(count) {
            Some(other) if other.to_bits() != count.to_bits() => {
                return Err(fault(format!(
                    "the same stratum has {other} population units in one row and {count} here"
                )));
            }
            _ => {}
        }
    }
    Ok(population)
}
