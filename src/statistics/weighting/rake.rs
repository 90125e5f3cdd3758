//! Raking by iterative proportional fitting, on the cells of the crossed margins.
//!
//! Raking sees a person only through the margins' categories, so the cells are raked and the factors handed back.

use super::{
    margins::{BoundMargin, MarginCells},
    poststratify::without_weight,
};
use crate::statistics::StatisticsError;

/// How close the margins must be met at the end, relatively; a fit to 1e-12 of the table's change is far inside.
const MISFIT_MAX: f64 = 1e-8;

/// What raking gives for each cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Raked {
    /// w / d of each cell.
    pub factors: Vec<f64>,
    /// For each margin, (weight right after that margin in the last cycle) / d of each cell.
    pub after_margin: Vec<Vec<f64>>,
    /// Cycles made.
    pub cycles: usize,
}

/// Post-stratifies to each margin in turn until two successive tables differ by less than `epsilon` times the sum
/// of weights.
///
/// **Source**: Deming and Stephan 1940; R `survey::rake`.
///
/// # Errors
/// [`StatisticsError::NotConverged`] with the worst margin and category; [`StatisticsError::Category`] for a
/// category without weight.
pub fn rake(
    margins: &[BoundMargin],
    cells: &MarginCells,
    sums: &[f64],
    epsilon: f64,
    iterations: usize,
) -> Result<Raked, StatisticsError> {
    let mut table = sums.to_vec();
    let limit = epsilon * sums.iter().sum::<f64>();
    let mut previous = table.clone();
    let mut after_margin = vec![Vec::new(); margins.len()];
    for cycle in 1..=iterations {
        for (at, margin) in margins.iter().enumerate() {
            fit(margin, &cells.category[at], &mut table)?;
            after_margin[at].clone_from(&table);
        }
        let change = table.iter().zip(&previous).fold(0.0f64, |most, (new, old)| most.max((new - old).abs()));
        if change < limit {
            check(margins, cells, &table, cycle)?;
            let over =
                |table: &[f64]| table.iter().zip(sums).map(|(w, d)| if *d > 0.0 { w / d } else { 0.0 }).collect();
            let after_margin = after_margin.iter().map(|table| over(table)).collect();
            return Ok(Raked { factors: over(&table), after_margin, cycles: cycle });
        }
        previous.clone_from(&table);
    }
    Err(worst(margins, cells, &table, iterations))
}

fn fit(margin: &BoundMargin, category: &[u32], table: &mut [f64]) -> Result<(), StatisticsError> {
    let mut factors = vec![0.0; margin.totals.len()];
    for (&code, &weight) in category.iter().zip(table.iter()) {
        factors[code as usize] += weight;
    }
    for (at, (factor, total)) in factors.iter_mut().zip(&margin.totals).enumerate() {
        if factor.is_nan() || *factor <= 0.0 {
            return Err(without_weight("rake", margin, at));
        }
        *factor = total / *factor;
    }
    for (&code, weight) in category.iter().zip(table.iter_mut()) {
        *weight *= factors[code as usize];
    }
    Ok(())
}

fn check(margins: &[BoundMargin], cells: &MarginCells, table: &[f64], cycle: usize) -> Result<(), StatisticsError> {
    match worst(margins, cells, table, cycle) {
        StatisticsError::NotConverged { off, .. } if off.abs() <= MISFIT_MAX => Ok(()),
        error => Err(error),
    }
}

fn worst(margins: &[BoundMargin], cells: &MarginCells, table: &[f64], passes: usize) -> StatisticsError {
    let mut found = (0, 0, 0.0f64);
    for (at, margin) in margins.iter().enumerate() {
        let mut sums = vec![0.0; margin.totals.len()];
        cells.category[at].iter().zip(table).for_each(|(&code, &weight)| sums[code as usize] += weight);
        let (category, off) = margin.worst(&sums);
        if off.abs() > found.2.abs() || off.is_nan() {
            found = (at, category, off);
        }
    }
    StatisticsError::NotConverged {
        step: "rake".to_owned(),
        passes,
        margin: margins[found.0].name.clone(),
        category: margins[found.0].labels[found.1].clone(),
        off: found.2,
    }
}
