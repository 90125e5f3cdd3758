//! Post-stratification and direct standardisation: w_i = d_i N_c / Σ_c d.

use super::margins::{self, BoundMargin};
use crate::statistics::{
    StatisticsError,
    data::{DataTable, MISSING},
    design::cross,
    plan::Standardize,
};

/// One factor a cell, from the weights' sums and the totals.
///
/// # Errors
/// [`StatisticsError::Category`] where a cell has a total but no weight, as can happen in a replicate.
pub fn cell_factors(step: &str, margin: &BoundMargin, weights: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    factors(step, margin, &margin.sums(weights))
}

/// One factor a cell, from the cells' sums of weights.
///
/// # Errors
/// As [`cell_factors`].
pub fn factors(step: &str, margin: &BoundMargin, sums: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    let factor = |(at, (&sum, &total)): (usize, (&f64, &f64))| {
        if sum > 0.0 { Ok(total / sum) } else { Err(without_weight(step, margin, at)) }
    };
    sums.iter().zip(&margin.totals).enumerate().map(factor).collect()
}

pub(super) fn without_weight(step: &str, margin: &BoundMargin, at: usize) -> StatisticsError {
    StatisticsError::Category {
        step: step.to_owned(),
        margin: margin.name.clone(),
        category: margin.labels[at].clone(),
        reason: "nobody with a positive weight has this category".to_owned(),
    }
}

/// A standard structure within groups: cells are group × category, totals are the group's weight times the share.
#[derive(Debug, Clone, PartialEq)]
pub struct Standard {
    /// The cells; their totals are shares.
    cells: BoundMargin,
    /// The group of each cell.
    group_of_cell: Vec<u32>,
    groups: usize,
    /// Cells of the standard that nobody is in, for the notes.
    pub empty: Vec<String>,
}

impl Standard {
    /// Binds a standard to the data. Cells that nobody is in are left out and listed, as R's `svystandardize` does.
    ///
    /// # Errors
    /// [`StatisticsError::Category`] for a category of the standard that nobody has at all, or the reverse.
    pub fn bind(step: &Standardize, table: &DataTable, weights: &[f64]) -> Result<Self, StatisticsError> {
        let name = "standardize";
        let sum: f64 = step.standard.iter().map(|cell| cell.total).sum();
        let shares = margins::bind(name, &step.by, &step.standard, table, weights)?;
        let live = |row: usize| weights[row] != 0.0;
        let groups = cross(table, step.over.names(), "standardize.over", Some(live))?;
        if let Some(row) = (0..weights.len()).find(|&row| live(row) && groups.codes[row] == MISSING) {
            let reason = "standardize needs a group for every respondent".to_owned();
            return Err(StatisticsError::Cell { column: step.over.names().join(", "), row: row + 1, reason });
        }
        let columns: Vec<String> = step.over.0.iter().chain(&step.by.0).cloned().collect();
        let crossed = cross(table, &columns, name, Some(live))?;
        let (mut totals, mut group_of_cell) = (vec![0.0; crossed.len()], vec![0; crossed.len()]);
        for row in (0..weights.len()).filter(|&row| live(row)) {
            let cell = crossed.codes[row] as usize;
            totals[cell] = shares.totals[shares.codes[row] as usize] / sum;
            group_of_cell[cell] = groups.codes[row];
        }
        let empty = empty_cells(&groups, &shares, &crossed);
        let labels = (0..crossed.len()).map(|at| crossed.label(at, " × ")).collect();
        let cells = BoundMargin { name: columns.join(" × "), labels, totals, codes: crossed.codes, complete: false };
        Ok(Self { cells, group_of_cell, groups: groups.len(), empty })
    }

    /// The cells with the totals that these weights imply.
    pub fn targets(&self, weights: &[f64]) -> BoundMargin {
        let sums = self.cells.sums(weights);
        let mut group_sums = vec![0.0; self.groups];
        for (&group, sum) in self.group_of_cell.iter().zip(&sums) {
            group_sums[group as usize] += sum;
        }
        let mut cells = self.cells.clone();
        for (total, &group) in cells.totals.iter_mut().zip(&self.group_of_cell) {
            *total *= group_sums[group as usize];
        }
        cells
    }
}

fn empty_cells(
    groups: &crate::statistics::design::Crossing,
    shares: &BoundMargin,
    crossed: &crate::statistics::design::Crossing,
) -> Vec<String> {
    let mut empty = Vec::new();
    for group in 0..groups.len() {
        for label in &shares.labels {
            let joined = if groups.columns.is_empty() {
                label.clone()
            } else {
                format!("{} × {label}", groups.label(group, " × "))
            };
            if !(0..crossed.len()).any(|at| crossed.label(at, " × ") == joined) {
                empty.push(joined);
            }
        }
    }
    empty
}
