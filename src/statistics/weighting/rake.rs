//! Raking by iterative proportional fitting, on the cells of the crossed margins.
//!
//! Raking sees a person only through the margins' categories, so the cells are raked and the factors handed back.
//! Where the cells fill a matrix, a cycle is made on it (see [`Dense`]); else on the list of cells.

use super::calibrate::{Controls, Dense, DenseFactors, Fit};
use crate::statistics::StatisticsError;

/// How close the margins must be met at the end, relatively; a fit to 1e-12 of the table's change is far inside.
const MISFIT_MAX: f64 = 1e-8;

/// What raking gives for each cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Raked {
    /// w / d of each cell.
    pub factors: CellFactors,
    /// For each margin, (weight right after that margin in the last cycle) / d of each cell; where asked for.
    pub after_margin: Vec<Vec<f64>>,
    /// Cycles made.
    pub cycles: usize,
}

/// A factor for each cell.
#[derive(Debug, Clone, PartialEq)]
pub enum CellFactors {
    /// One a cell.
    Each(Vec<f64>),
    /// The product of a row's and a column's, in the matrix of the cells: a hundredth of the memory.
    Products(DenseFactors),
}

impl CellFactors {
    /// The factor of a cell; `MISSING` has none.
    pub fn get(&self, dense: Option<&Dense>, cell: u32) -> Option<f64> {
        match (self, dense) {
            (Self::Each(factors), _) => factors.get(cell as usize).copied(),
            (Self::Products(factors), dense) => dense?.of_unit(factors, cell),
        }
    }

    /// Sums by cell times the cells' factors.
    pub fn times(&self, dense: Option<&Dense>, sums: &[f64]) -> Vec<f64> {
        let mut of = self.expand(dense);
        // An empty cell stays empty whatever its factor is.
        of.iter_mut().zip(sums).for_each(|(of, sum)| *of = if *sum == 0.0 { 0.0 } else { *of * sum });
        of
    }

    /// One a cell.
    pub fn expand(&self, dense: Option<&Dense>) -> Vec<f64> {
        match (self, dense) {
            (Self::Products(factors), Some(dense)) => dense.of_units(factors),
            (Self::Each(factors), _) => factors.clone(),
            (Self::Products(_), None) => unreachable!("products come from a matrix"),
        }
    }
}

/// When raking stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// The largest change of a cell between two cycles, over the sum of weights.
    pub epsilon: f64,
    /// Cycles after which raking gives up.
    pub iterations: usize,
}

/// Post-stratifies to each margin in turn until two successive tables differ by less than `epsilon` times the sum
/// of weights. `keep_margins` asks for [`Raked::after_margin`].
///
/// **Source**: Deming and Stephan 1940; R `survey::rake`.
///
/// # Errors
/// [`StatisticsError::NotConverged`] with the worst margin and category; [`StatisticsError::Category`] for a
/// category without weight.
pub fn rake(
    controls: &Controls,
    dense: Option<&Dense>,
    sums: &[f64],
    stop: Stop,
    keep_margins: bool,
) -> Result<Raked, StatisticsError> {
    match dense {
        Some(dense) => on_matrix(controls, dense, sums, stop, keep_margins),
        None => on_list(controls, sums, stop, keep_margins),
    }
}

fn on_matrix(
    controls: &Controls,
    dense: &Dense,
    sums: &[f64],
    stop: Stop,
    keep_margins: bool,
) -> Result<Raked, StatisticsError> {
    let mut fit = dense.fit(sums);
    let table =
        |fit: &Fit<'_>| -> Vec<f64> { dense.of_units(fit.factors()).iter().zip(sums).map(|(g, d)| g * d).collect() };
    let limit = stop.epsilon * sums.iter().sum::<f64>();
    let mut previous = fit.factors().clone();
    let mut after_margin = vec![Vec::new(); controls.margins.len()];
    for cycle in 1..=stop.iterations {
        for at in 0..controls.margins.len() {
            fit.margin(at).map_err(|category| without_weight(controls, at, category))?;
            if keep_margins {
                after_margin[at] = dense.of_units(fit.factors());
            }
        }
        // The last margin is met; how far the others have moved since is what is left to see.
        if fit.changed_less(&previous, limit) && met(controls, |at| fit.reached(at)) {
            let factors = CellFactors::Products(fit.into_factors());
            return Ok(Raked { factors, after_margin, cycles: cycle });
        }
        previous.clone_from(fit.factors());
    }
    Err(worst(controls, &table(&fit), stop.iterations))
}

fn on_list(controls: &Controls, sums: &[f64], stop: Stop, keep_margins: bool) -> Result<Raked, StatisticsError> {
    let mut table = sums.to_vec();
    let limit = stop.epsilon * sums.iter().sum::<f64>();
    let mut previous = table.clone();
    let mut after_margin = vec![Vec::new(); controls.margins.len()];
    let over = |table: &[f64]| -> Vec<f64> {
        table.iter().zip(sums).map(|(w, d)| if *d > 0.0 { w / d } else { 0.0 }).collect()
    };
    let mut factors = vec![0.0; controls.totals.len()];
    for cycle in 1..=stop.iterations {
        for (at, after) in after_margin.iter_mut().enumerate() {
            fit(controls, at, &mut table, &mut factors)?;
            if keep_margins {
                *after = over(&table);
            }
        }
        let change = table.iter().zip(&previous).fold(0.0f64, |most, (new, old)| most.max((new - old).abs()));
        if change < limit && is_met(controls, &table) {
            return Ok(Raked { factors: CellFactors::Each(over(&table)), after_margin, cycles: cycle });
        }
        previous.clone_from(&table);
    }
    Err(worst(controls, &table, stop.iterations))
}

/// Fits one margin; `factors` has a place for every control.
fn fit(controls: &Controls, at: usize, table: &mut [f64], factors: &mut [f64]) -> Result<(), StatisticsError> {
    let columns = &controls.columns[at];
    let first: usize = controls.margins[..at].iter().map(|margin| margin.totals.len()).sum();
    let own = first..first + controls.margins[at].totals.len();
    factors[own.clone()].fill(0.0);
    for (&column, &weight) in columns.iter().zip(table.iter()) {
        factors[column as usize] += weight;
    }
    for (category, (factor, total)) in factors[own.clone()].iter_mut().zip(&controls.totals[own]).enumerate() {
        if factor.is_nan() || *factor <= 0.0 {
            return Err(without_weight(controls, at, category));
        }
        *factor = total / *factor;
    }
    for (&column, weight) in columns.iter().zip(table.iter_mut()) {
        *weight *= factors[column as usize];
    }
    Ok(())
}

fn without_weight(controls: &Controls, margin: usize, category: usize) -> StatisticsError {
    super::poststratify::without_weight("rake", &controls.margins[margin], category)
}

/// Whether every margin is met. A cell's change is measured against the whole sum of weights, so that a small category
/// may still be far from its total when no cell changes by much any more: then more cycles are made.
fn is_met(controls: &Controls, table: &[f64]) -> bool {
    let reached = controls.moments(table);
    let mut rest = reached.as_slice();
    met(controls, |at| {
        let (own, others) = rest.split_at(controls.margins[at].totals.len());
        rest = others;
        own.to_vec()
    })
}

/// The same from what each margin has reached, asked for in order.
fn met(controls: &Controls, mut reached: impl FnMut(usize) -> Vec<f64>) -> bool {
    controls.margins.iter().enumerate().all(|(at, margin)| margin.worst(&reached(at)).1.abs() <= MISFIT_MAX)
}

fn worst(controls: &Controls, table: &[f64], passes: usize) -> StatisticsError {
    let reached = controls.moments(table);
    let mut found = (0, 0, 0.0f64);
    let mut rest = reached.as_slice();
    for (at, margin) in controls.margins.iter().enumerate() {
        let (own, others) = rest.split_at(margin.totals.len());
        rest = others;
        let (category, off) = margin.worst(own);
        if off.abs() > found.2.abs() || off.is_nan() {
            found = (at, category, off);
        }
    }
    StatisticsError::NotConverged {
        step: "rake".to_owned(),
        passes,
        margin: controls.margins[found.0].name.clone(),
        category: controls.margins[found.0].labels[found.1].clone(),
        off: found.2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::weighting::margins::BoundMargin;

    /// Margins over rows whose categories are drawn by a fixed rule, with totals that the weights do not meet.
    fn controls(sizes: &[usize], rows: usize) -> (Controls, Vec<f64>) {
        let weights: Vec<f64> = (0..rows).map(|row| 1.0 + (row * 37 % 11) as f64).collect();
        let margin = |(at, &size): (usize, &usize)| {
            // The upper bits of multiples of an odd number look like drawn ones.
            let mixed = |row: usize| (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (20 + 11 * at);
            let codes: Vec<u32> = (0..rows).map(|row| (mixed(row) % size as u64) as u32).collect();
            let raw: Vec<f64> = (0..size).map(|category| 1.0 + (category + at) as f64 / size as f64).collect();
            let sum: f64 = raw.iter().sum();
            BoundMargin {
                name: format!("m{at}"),
                labels: (0..size).map(|category| category.to_string()).collect(),
                totals: raw.iter().map(|r| 1000.0 * r / sum).collect(),
                codes: codes.into(),
                complete: true,
            }
        };
        let controls = Controls::new(sizes.iter().enumerate().map(margin).collect(), Vec::new(), rows);
        let sums = controls.sums(&weights);
        (controls, sums)
    }

    #[test]
    fn the_matrix_and_the_list_give_the_same_factors_wherever_the_longest_margin_stands() {
        for sizes in [[9, 2, 3], [2, 9, 3], [2, 3, 9]] {
            let (controls, sums) = controls(&sizes, 4000);
            let dense = Dense::new(&controls).expect("a matrix");
            let stop = Stop { epsilon: 1e-13, iterations: 200 };
            let list = rake(&controls, None, &sums, stop, true).expect("factors");
            let matrix = rake(&controls, Some(&dense), &sums, stop, true).expect("factors");
            let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| *a == 0.0 || (a - b).abs() < 1e-11 * b);
            assert!(close(&list.factors.expand(None), &matrix.factors.expand(Some(&dense))), "{sizes:?}");
            for (a, b) in list.after_margin.iter().zip(&matrix.after_margin) {
                assert!(close(a, b), "{sizes:?}");
            }
        }
    }

    #[test]
    fn cycles_go_on_until_the_margins_are_met_however_coarse_the_change_that_is_asked_for() {
        let (controls, sums) = controls(&[2, 3, 9], 4000);
        let dense = Dense::new(&controls).expect("a matrix");
        let stop = Stop { epsilon: 1e-2, iterations: 200 };
        for dense in [None, Some(&dense)] {
            let raked = rake(&controls, dense, &sums, stop, false).expect("factors");
            let table: Vec<f64> = raked.factors.expand(dense).iter().zip(&sums).map(|(g, d)| g * d).collect();
            for (reached, total) in controls.moments(&table).iter().zip(&controls.totals) {
                assert!((reached / total - 1.0).abs() < 1e-8, "{reached} of {total} after {} cycles", raked.cycles);
            }
        }
    }

    #[test]
    fn too_few_cycles_are_an_error_on_the_matrix_too() {
        let (controls, sums) = controls(&[2, 3, 9], 4000);
        let dense = Dense::new(&controls).expect("a matrix");
        let error = rake(&controls, Some(&dense), &sums, Stop { epsilon: 1e-13, iterations: 1 }, false);
        assert!(matches!(error, Err(StatisticsError::NotConverged { passes: 1, .. })), "{error:?}");
    }
}
