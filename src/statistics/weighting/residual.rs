//! What a weight step takes out of the variance: linearized values become residuals.
//!
//! x_i = w_i e_i is the linearized value of a row with its weight in it. A step that ties weights to known totals
//! leaves only the part of e that the totals do not explain.

use std::sync::{Arc, OnceLock};

use super::calibrate::{Controls, Normal};
use crate::statistics::data::MISSING;

/// The sweeps that R's `rake` makes.
const SWEEPS: usize = 10;

/// One step's residual rule, bound to the rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Residual {
    /// Post-stratification: the d-weighted cell mean of e is removed.
    Cells {
        /// The cell of each row.
        codes: Arc<Vec<u32>>,
        /// The weight before the step.
        before: Arc<Vec<f64>>,
        /// The weight after it.
        after: Arc<Vec<f64>>,
        /// How many cells there are.
        cells: usize,
    },
    /// R's raking rule: ten sweeps, each removing from every margin in turn the unweighted mean of x / w_margin.
    Sweeps(Vec<Sweep>),
    /// Calibration: the d-weighted regression of e on x is removed.
    Regression(Box<Regression>),
}

/// A margin of a raking with the weights right after it in the last cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The column of each cell's category.
    pub columns: Vec<u32>,
    /// The cells of the rows.
    pub controls: Arc<Controls>,
    /// The weights.
    pub weights: Vec<f64>,
}

/// The regression of a calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// The controls.
    pub controls: Arc<Controls>,
    /// Σ d x x', factored when the first variance asks for it.
    normal: OnceLock<Normal>,
    /// The weight before the step.
    pub before: Arc<Vec<f64>>,
    /// The weight after it.
    pub after: Arc<Vec<f64>>,
}

impl Residual {
    /// Replaces linearized values by residuals, in place.
    ///
    /// **Source**: Särndal, Swensson and Wretman 1992, chapter 6; R `survey::svyrecvar`.
    pub fn apply(&self, x: &mut [f64]) {
        match self {
            Self::Cells { codes, before, after, cells } => cell_means(x, codes, before, after, *cells),
            Self::Sweeps(margins) => {
                for _ in 0..SWEEPS {
                    margins.iter().for_each(|margin| margin.remove_means(x));
                }
            }
            Self::Regression(regression) => regression.apply(x),
        }
    }
}

fn cell_means(x: &mut [f64], codes: &[u32], before: &[f64], after: &[f64], cells: usize) {
    let (mut sums, mut weights) = (vec![0.0; cells], vec![0.0; cells]);
    for (row, &code) in codes.iter().enumerate().filter(|(row, code)| **code != MISSING && after[*row] != 0.0) {
        sums[code as usize] += x[row] * before[row] / after[row];
        weights[code as usize] += before[row];
    }
    for (row, &code) in codes.iter().enumerate().filter(|(row, code)| **code != MISSING && after[*row] != 0.0) {
        x[row] -= after[row] * sums[code as usize] / weights[code as usize];
    }
}

impl Sweep {
    fn remove_means(&self, x: &mut [f64]) {
        let many = self.controls.totals.len();
        let (mut sums, mut counts) = (vec![0.0; many], vec![0.0; many]);
        for (row, &unit) in self.controls.unit_of_row.iter().enumerate().filter(|(_, unit)| **unit != MISSING) {
            let at = self.columns[unit as usize] as usize;
            sums[at] += x[row] / self.weights[row];
            counts[at] += 1.0;
        }
        for (row, &unit) in self.controls.unit_of_row.iter().enumerate().filter(|(_, unit)| **unit != MISSING) {
            let at = self.columns[unit as usize] as usize;
            x[row] -= self.weights[row] * sums[at] / counts[at];
        }
    }
}

impl Regression {
    /// Binds a calibration's regression.
    pub fn new(controls: Arc<Controls>, before: &Arc<Vec<f64>>, after: &Arc<Vec<f64>>) -> Self {
        Self { controls, normal: OnceLock::new(), before: before.clone(), after: after.clone() }
    }

    /// Σ d x x', factored.
    pub fn normal(&self) -> &Normal {
        self.normal.get_or_init(|| Normal::new(&self.controls, &self.controls.sums(&self.before)))
    }

    fn apply(&self, x: &mut [f64]) {
        let ratio = |row: usize| if self.after[row] == 0.0 { 0.0 } else { self.before[row] / self.after[row] };
        let mut sums = vec![0.0; self.controls.units];
        for (row, &unit) in self.controls.unit_of_row.iter().enumerate().filter(|(_, unit)| **unit != MISSING) {
            sums[unit as usize] += x[row] * ratio(row);
        }
        let slopes = self.normal().solve(&self.controls.moments(&sums));
        let fitted = self.controls.scores(&slopes);
        for (row, &unit) in self.controls.unit_of_row.iter().enumerate().filter(|(_, unit)| **unit != MISSING) {
            x[row] -= self.after[row] * fitted[unit as usize];
        }
    }
}
