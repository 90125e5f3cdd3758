//! Replicates that someone else made: multipliers in a file, weights in columns.

use super::PLACE;
use crate::statistics::{
    StatisticsError,
    data::{DataTable, MISSING},
    plan::{ReplicateDesign, ReplicateType, ReplicatesPlan},
    variance::replicate::{DfRule, Multipliers, ReplicateFactors},
};

/// Replicate weights that came with the data.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenWeights {
    /// The factors of the variance; rows are the units and multipliers are not used.
    pub factors: ReplicateFactors,
    /// The weights, replicate by replicate.
    pub weights: Vec<Vec<f64>>,
}

/// One row a unit, columns rep1 to repR.
pub(super) fn multipliers(
    plan: &ReplicatesPlan,
    table: &DataTable,
    file: Option<&DataTable>,
) -> Result<ReplicateFactors, StatisticsError> {
    let key = plan.multipliers_key.as_deref().unwrap_or_default();
    let file = file.ok_or_else(|| StatisticsError::plan(PLACE, "the multipliers_file was not read"))?;
    let scale = plan.scale.filter(|scale| *scale > 0.0);
    let scale = scale.ok_or_else(|| StatisticsError::plan(PLACE, "a multipliers_file needs a positive `scale`"))?;
    let mut names: Vec<(usize, &String)> =
        file.column_names().iter().filter_map(|name| Some((name.strip_prefix("rep")?.parse().ok()?, name))).collect();
    names.sort_unstable();
    if names.len() < 2 {
        return Err(StatisticsError::plan(PLACE, format!("{} has no columns rep1, rep2, …", file.name())));
    }
    let (units, keys) = (table.categories(key, PLACE)?, file.categories(key, PLACE)?);
    let row_of_unit = rows_of(units.levels(), &keys, file.name(), key)?;
    let mut multipliers = Vec::with_capacity(names.len());
    for (_, name) in &names {
        let values = file.numbers(name, PLACE)?;
        if let Some(row) = row_of_unit.iter().find(|&&row| values[row].is_nan() || values[row] < 0.0) {
            let reason = "a multiplier is at least 0".to_owned();
            return Err(StatisticsError::Cell { column: (*name).clone(), row: row + 1, reason });
        }
        multipliers.push(row_of_unit.iter().map(|&row| values[row]).collect());
    }
    if let Some(row) = units.codes().iter().position(|&code| code == MISSING) {
        let reason = "every row needs a unit with multipliers".to_owned();
        return Err(StatisticsError::Cell { column: key.to_owned(), row: row + 1, reason });
    }
    let rscales = vec![1.0; multipliers.len()];
    let unit_of_row = units.shared_codes();
    Ok(ReplicateFactors {
        unit_of_row,
        multipliers: Multipliers::Table(multipliers),
        scale,
        rscales,
        mse: plan.mse,
        df: DfRule::Rank,
    })
}

fn rows_of(
    levels: &[String],
    keys: &crate::statistics::data::Categories,
    file: &str,
    key: &str,
) -> Result<Vec<usize>, StatisticsError> {
    let mut row_of_key: Vec<Option<usize>> = vec![None; keys.levels().len()];
    for (row, &code) in keys.codes().iter().enumerate().filter(|(_, code)| **code != MISSING) {
        if row_of_key[code as usize].replace(row).is_some() {
            let reason = format!("{key} = {} stands in two rows", keys.levels()[code as usize]);
            return Err(StatisticsError::Table { table: file.to_owned(), reason });
        }
    }
    let row = |level: &String| {
        let found = keys.levels().iter().position(|have| have == level).and_then(|code| row_of_key[code]);
        found.ok_or_else(|| StatisticsError::Table {
            table: file.to_owned(),
            reason: format!("no row for {key} = {level}"),
        })
    };
    levels.iter().map(row).collect()
}

/// Replicate weights in columns of the data.
pub(super) fn weights(
    plan: &ReplicateDesign,
    table: &DataTable,
    full: &[f64],
) -> Result<GivenWeights, StatisticsError> {
    let place = "design.replicate_columns";
    let count = plan.replicate_columns.len();
    if count < 2 {
        return Err(StatisticsError::plan(place, "at least two replicates are needed"));
    }
    let mut all = Vec::with_capacity(count);
    for column in &plan.replicate_columns {
        let values = table.numbers(column, place)?;
        if let Some(row) = values.iter().position(|v| v.is_nan() || *v < 0.0) {
            let reason = "a replicate weight is at least 0".to_owned();
            return Err(StatisticsError::Cell { column: column.clone(), row: row + 1, reason });
        }
        let factor = |row: usize| if plan.replicates_include_base_weight { 1.0 } else { full[row] };
        all.push(values.iter().enumerate().map(|(row, v)| v * factor(row)).collect::<Vec<f64>>());
    }
    let rscales = plan.rscales.clone().unwrap_or_else(|| vec![1.0; count]);
    if rscales.len() != count || rscales.iter().any(|r| r.is_nan() || *r < 0.0) {
        return Err(StatisticsError::plan("design.rscales", format!("{count} factors of at least 0 are needed")));
    }
    let factors = ReplicateFactors {
        unit_of_row: std::sync::Arc::new((0..full.len() as u32).collect()),
        multipliers: Multipliers::Table(Vec::new()),
        scale: scale(plan, count as f64)?,
        rscales,
        mse: plan.mse,
        df: plan.degf.map_or(DfRule::Rank, DfRule::Stated),
    };
    Ok(GivenWeights { factors, weights: all })
}

fn scale(plan: &ReplicateDesign, count: f64) -> Result<f64, StatisticsError> {
    let needs = |what: &str| StatisticsError::plan("design", format!("replicates of this type need `{what}`"));
    if plan.rho.is_some() != (plan.kind == ReplicateType::Fay) {
        return Err(StatisticsError::plan("design.rho", "`rho` and the type Fay belong together"));
    }
    match plan.kind {
        ReplicateType::Brr => Ok(plan.scale.unwrap_or(1.0 / count)),
        ReplicateType::Fay => {
            let rho = plan.rho.filter(|rho| (0.0..1.0).contains(rho)).ok_or_else(|| needs("rho"))?;
            Ok(plan.scale.unwrap_or(1.0 / (count * (1.0 - rho) * (1.0 - rho))))
        }
        ReplicateType::SuccessiveDifference => Ok(plan.scale.unwrap_or(4.0 / count)),
        ReplicateType::Jk1 => Ok(plan.scale.unwrap_or((count - 1.0) / count)),
        ReplicateType::Jkn if plan.rscales.is_none() => Err(needs("rscales")),
        ReplicateType::Jkn => Ok(plan.scale.unwrap_or(1.0)),
        ReplicateType::Bootstrap => Ok(plan.scale.unwrap_or(1.0 / (count - 1.0))),
        ReplicateType::Other => plan.scale.ok_or_else(|| needs("scale")),
    }
}
