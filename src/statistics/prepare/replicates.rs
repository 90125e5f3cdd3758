//! The replicates of a plan, every one of them adjusted again.

use std::{collections::BTreeMap, sync::Arc};

use super::Prepared;
use crate::statistics::{
    DataTable, Plan, StatisticsError,
    plan::{DesignPlan, DfPlan, VarianceMethod},
    replicate,
    variance::{
        Replicates,
        replicate::{AdjustedReplicates, DfRule, ReplicateFactors},
        unit_sums::{Rows, UnitSums, Values},
    },
    weighting::{Adjuster, Start, rake::CellFactors},
};

/// Makes a plan's replicates; none for a plan of linearization.
///
/// # Errors
/// What contradicts itself in `variance`; a replicate whose adjustment fails, with its number.
pub(super) fn replicates(
    plan: &Plan,
    design_plan: &DesignPlan,
    prepared: &Prepared,
    adjusters: &[Arc<Adjuster>],
    starts: &[Start],
    files: &BTreeMap<String, DataTable>,
) -> Result<Option<Replicates>, StatisticsError> {
    let Some((mut factors, given)) = unadjusted(plan, design_plan, prepared, files)? else { return Ok(None) };
    match (plan.variance.df, design_plan) {
        (None, _) => {}
        (Some(DfPlan::Design), DesignPlan::ReplicateWeights(_)) => {
            let reason = "replicate weights that come with the data do not tell the design: state `degf`";
            return Err(StatisticsError::plan("variance.df", reason));
        }
        (Some(DfPlan::Design), _) => factors.df = DfRule::Design,
        (Some(DfPlan::Rank), _) => factors.df = DfRule::Rank,
    }
    let mut replicates = Replicates { factors, base: prepared.design.weights.clone(), adjusted: given };
    let on_cells = match (adjusters, &replicates.adjusted) {
        ([adjuster], AdjustedReplicates::Unchanged) => adjuster.cells().map(|cells| (adjuster, cells)),
        _ => None,
    };
    if let Some((adjuster, (cell_of_row, cells))) = on_cells {
        let rows = Rows {
            order: prepared.by_leaf(),
            unit_of_row: &replicates.factors.unit_of_row,
            group_of_row: cell_of_row,
            groups: cells,
            weights: &replicates.base,
        };
        let (factors, weights) = readjust_cells(rows, &replicates, adjuster, &starts[0])?;
        let dense = adjuster.dense().cloned();
        let weights = weights.into_iter().collect();
        replicates.adjusted = AdjustedReplicates::Cells { cell_of_row: cell_of_row.clone(), factors, dense, weights };
    } else if !adjusters.is_empty() {
        replicates.adjusted = AdjustedReplicates::Rows(readjust(&replicates, adjusters, starts)?);
    }
    Ok(Some(replicates))
}

/// The factors of the replicates, and their weights where the data bring them.
fn unadjusted(
    plan: &Plan,
    design_plan: &DesignPlan,
    prepared: &Prepared,
    files: &BTreeMap<String, DataTable>,
) -> Result<Option<(ReplicateFactors, AdjustedReplicates)>, StatisticsError> {
    let (variance, design) = (&plan.variance, &prepared.design);
    let wrong = |key: &str, reason: &str| Err(StatisticsError::plan(format!("variance.{key}"), reason));
    match (variance.method, design_plan, &variance.replicates) {
        (VarianceMethod::Taylor, DesignPlan::ReplicateWeights(_), _) => {
            wrong("method", "replicate weights go with the method `replicate`")
        }
        (VarianceMethod::Taylor, _, _) if variance.df.is_some() => {
            wrong("df", "the method is taylor, whose degrees are the design's")
        }
        (VarianceMethod::Taylor, _, None) => Ok(None),
        (VarianceMethod::Taylor, _, Some(_)) => wrong("replicates", "the method is taylor"),
        (VarianceMethod::Replicate, DesignPlan::ReplicateWeights(_), Some(_)) => {
            wrong("replicates", "the design already has replicate weights")
        }
        (VarianceMethod::Replicate, DesignPlan::ReplicateWeights(given), None) => {
            let given = replicate::bind(given, &prepared.table, &design.weights)
                .map_err(|error| error.on_rows(prepared.rows_in_file()))?;
            Ok(Some((given.factors, AdjustedReplicates::Rows(given.weights))))
        }
        (VarianceMethod::Replicate, _, None) => wrong("replicates", "the method replicate needs them"),
        (VarianceMethod::Replicate, _, Some(replicates)) => {
            let file = replicates.multipliers_file.as_ref().and_then(|file| files.get(file));
            let made = replicate::make(replicates, design, prepared.rule, &prepared.table, file)?;
            Ok(Some((made, AdjustedReplicates::Unchanged)))
        }
    }
}

fn in_replicate(replicate: usize) -> impl Fn(StatisticsError) -> StatisticsError {
    move |source| StatisticsError::Replicate { replicate: replicate + 1, source: Box::new(source) }
}

/// Every replicate goes through the adjustments again, each starting from the full sample's solution.
fn readjust(
    replicates: &Replicates,
    adjusters: &[Arc<Adjuster>],
    starts: &[Start],
) -> Result<Vec<Vec<f64>>, StatisticsError> {
    use rayon::prelude::*;
    let one = |replicate: usize| {
        let mut weights: Vec<f64> = (0..replicates.base.len()).map(|row| replicates.weight(replicate, row)).collect();
        for (adjuster, start) in adjusters.iter().zip(starts) {
            let adjusted = adjuster.apply(&weights, start).map_err(in_replicate(replicate))?;
            weights = Arc::try_unwrap(adjusted.weights).unwrap_or_else(|shared| shared.to_vec());
        }
        Ok(weights)
    };
    let all: Vec<Result<Vec<f64>, StatisticsError>> = (0..replicates.len()).into_par_iter().map(one).collect();
    all.into_iter().collect()
}

/// Sums by cell and replicate are kept up to this many numbers a row: sixteen bytes a person.
const KEPT_A_ROW: usize = 2;

/// The factors of each replicate and, where they are kept, its sums of weights by cell.
type ByReplicate = (Vec<CellFactors>, Vec<Option<Vec<f64>>>);

/// The same where a step's factor depends on a cell alone: cells are adjusted, not rows. With the factors of each
/// replicate come its sums of weights by cell, where they are kept.
fn readjust_cells(
    rows: Rows<'_>,
    replicates: &Replicates,
    adjuster: &Adjuster,
    start: &Start,
) -> Result<ByReplicate, StatisticsError> {
    let kept = replicates.len() * rows.groups <= KEPT_A_ROW * replicates.base.len();
    let one = |replicate: usize, sums: &[f64]| {
        let factors = adjuster.cell_factors(sums, start).map_err(in_replicate(replicate))?;
        let weights = kept.then(|| factors.times(adjuster.dense().map(Arc::as_ref), sums));
        Ok((factors, weights))
    };
    UnitSums::new(rows, &[Values::One]).of_replicates(&replicates.factors, one).into_iter().collect()
}
