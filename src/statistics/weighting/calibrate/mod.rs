//! Calibration: the weights closest to the given ones that meet the totals exactly.
//!
//! w_i = d_i F(x_i'λ), where x_i holds the indicators of the margins' categories and the numeric variables, and λ
//! solves Σ w_i x_i = T. λ minimises the convex function φ(λ) = Σ d_i Γ(x_i'λ) - λ'T with Γ' = F, so Newton's method
//! with a line search on φ finds it or shows that it does not exist.

pub mod dense;
pub mod distance;
mod normal;

pub(in crate::statistics::weighting) use dense::Fit;
pub(in crate::statistics) use dense::dot;
pub use dense::{Dense, DenseFactors};
pub use distance::Response;
pub use normal::Normal;

use std::sync::Arc;

use super::{
    margins::{BoundMargin, MarginCells},
    spread, sums_by,
};
use crate::statistics::StatisticsError;

/// Newton steps before giving up: from λ = 0 raking needs 5 to 10, tight bounds some 30.
const STEPS_MAX: usize = 200;

/// The misfit below which another Newton step only moves rounding errors.
const MISFIT_AIM: f64 = 1e-14;

/// The largest misfit that counts as met.
const MISFIT_MAX: f64 = 1e-10;

/// What calibration sees of the data: one unit a cell of crossed margins, or one a row with numeric variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Controls {
    /// The margins; without numeric variables their rows are those of the cells.
    pub margins: Vec<BoundMargin>,
    /// For each margin, the column of each unit's category.
    pub columns: Vec<Vec<u32>>,
    /// Numeric variables, one value a unit.
    pub numbers: Vec<Vec<f64>>,
    /// Their names.
    pub number_names: Vec<String>,
    /// The totals: categories of the margins in order, then the numeric ones.
    pub totals: Vec<f64>,
    /// The unit of each row, `MISSING` without weight.
    pub unit_of_row: Arc<Vec<u32>>,
    /// How many units there are.
    pub units: usize,
}

impl Controls {
    /// Lays out margins and numeric variables (name, values by row, total).
    pub fn new(mut margins: Vec<BoundMargin>, numeric: Vec<(String, Vec<f64>, f64)>, rows: usize) -> Self {
        let cells = MarginCells::new(&margins, rows);
        let mut totals: Vec<f64> = Vec::new();
        let by_row = !numeric.is_empty();
        let mut columns = Vec::with_capacity(margins.len());
        for (at, margin) in margins.iter().enumerate() {
            let offset = totals.len() as u32;
            let codes: &[u32] = if by_row { &margin.codes } else { &cells.category[at] };
            let column = |&code: &u32| if code == u32::MAX { offset } else { offset + code };
            columns.push(codes.iter().map(column).collect());
            totals.extend(&margin.totals);
        }
        totals.extend(numeric.iter().map(|(_, _, total)| total));
        if !by_row {
            // From here on the cells say it all.
            margins.iter_mut().for_each(|margin| margin.codes = Arc::default());
        }
        let unit_of_row = Arc::new(if by_row { (0..rows as u32).collect() } else { cells.cell_of_row });
        let units = if by_row { rows } else { cells.len };
        let number_names = numeric.iter().map(|(name, _, _)| name.clone()).collect();
        let numbers = numeric.into_iter().map(|(_, values, _)| values).collect();
        Self { margins, columns, numbers, number_names, totals, unit_of_row, units }
    }

    /// Sums of the weights by unit.
    pub fn sums(&self, weights: &[f64]) -> Vec<f64> {
        sums_by(&self.unit_of_row, self.units, weights)
    }

    /// The weights times a factor for each unit.
    pub fn spread(&self, weights: &[f64], factors: &[f64]) -> Vec<f64> {
        spread(&self.unit_of_row, weights, factors)
    }

    /// x_u'λ of each unit.
    pub fn scores(&self, lambda: &[f64]) -> Vec<f64> {
        let mut scores = vec![0.0; self.units];
        for column in &self.columns {
            scores.iter_mut().zip(column).for_each(|(score, &at)| *score += lambda[at as usize]);
        }
        let first = self.totals.len() - self.numbers.len();
        for (values, lambda) in self.numbers.iter().zip(&lambda[first..]) {
            scores.iter_mut().zip(values).for_each(|(score, value)| *score += lambda * value);
        }
        scores
    }

    /// Σ v_u x_u.
    pub fn moments(&self, of: &[f64]) -> Vec<f64> {
        let mut moments = vec![0.0; self.totals.len()];
        for column in &self.columns {
            column.iter().zip(of).for_each(|(&at, value)| moments[at as usize] += value);
        }
        let first = self.totals.len() - self.numbers.len();
        for (values, moment) in self.numbers.iter().zip(&mut moments[first..]) {
            *moment = values.iter().zip(of).map(|(x, v)| x * v).sum();
        }
        moments
    }

    /// The margin and the category (or the variable) of a column, for messages.
    pub fn name(&self, mut column: usize) -> (String, String) {
        for margin in &self.margins {
            if column < margin.labels.len() {
                return (margin.name.clone(), margin.labels[column].clone());
            }
            column -= margin.labels.len();
        }
        (self.number_names[column].clone(), "(total)".to_owned())
    }
}

/// The solution of a calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// λ, 0 for columns that others imply.
    pub lambda: Vec<f64>,
    /// F(x'λ) of each unit.
    pub factors: Vec<f64>,
    /// Newton steps.
    pub steps: usize,
}

/// Solves for λ, from `start` when one is given.
///
/// **Source**: Deville and Särndal 1992; R `survey::calibrate` (`grake`).
///
/// # Errors
/// [`StatisticsError::NotConverged`] with the worst control: bounds that cannot be met, totals that contradict each
/// other or the sample.
pub fn solve(
    controls: &Controls,
    sums: &[f64],
    response: &Response,
    start: Option<&[f64]>,
) -> Result<Solution, StatisticsError> {
    let mut lambda = start.map_or_else(|| vec![0.0; controls.totals.len()], <[f64]>::to_vec);
    let mut state = State::at(controls, sums, response, &lambda);
    for step in 0..STEPS_MAX {
        let (worst, misfit) = state.worst(controls);
        if misfit <= MISFIT_AIM {
            return Ok(Solution { lambda, factors: state.factors, steps: step });
        }
        let slopes: Vec<f64> = state.scores.iter().zip(sums).map(|(&u, d)| d * response.slope(u)).collect();
        let direction = Normal::new(controls, &slopes).solve(&state.gap);
        match search(controls, sums, response, &lambda, &state, &direction) {
            Some((next, next_state)) if next_state.worst(controls).1 < misfit || misfit > MISFIT_MAX => {
                (lambda, state) = (next, next_state);
            }
            // No step improves: either the totals are met to rounding, or they cannot be met.
            _ if misfit <= MISFIT_MAX => return Ok(Solution { lambda, factors: state.factors, steps: step }),
            _ => return Err(not_converged(controls, step, worst, misfit)),
        }
    }
    let (worst, misfit) = state.worst(controls);
    Err(not_converged(controls, STEPS_MAX, worst, misfit))
}

fn not_converged(controls: &Controls, passes: usize, worst: usize, off: f64) -> StatisticsError {
    let (margin, category) = controls.name(worst);
    StatisticsError::NotConverged { step: "calibrate".to_owned(), passes, margin, category, off }
}

/// φ and its pieces at one λ.
struct State {
    scores: Vec<f64>,
    factors: Vec<f64>,
    /// T - Σ w x.
    gap: Vec<f64>,
    objective: f64,
}

impl State {
    fn at(controls: &Controls, sums: &[f64], response: &Response, lambda: &[f64]) -> Self {
        let scores = controls.scores(lambda);
        let factors: Vec<f64> = scores.iter().map(|&u| response.value(u)).collect();
        let weights: Vec<f64> = factors.iter().zip(sums).map(|(f, d)| f * d).collect();
        let reached = controls.moments(&weights);
        let gap: Vec<f64> = controls.totals.iter().zip(&reached).map(|(total, sum)| total - sum).collect();
        let integral: f64 = scores.iter().zip(sums).map(|(&u, d)| d * response.integral(u)).sum();
        let objective = integral - lambda.iter().zip(&controls.totals).map(|(l, t)| l * t).sum::<f64>();
        Self { scores, factors, gap, objective }
    }

    /// The control that is furthest off, and by how much of its total.
    fn worst(&self, controls: &Controls) -> (usize, f64) {
        let mut worst = (0, 0.0f64);
        for (at, (gap, total)) in self.gap.iter().zip(&controls.totals).enumerate() {
            let off = gap.abs() / total.abs().max(1.0);
            if off > worst.1 || !off.is_finite() {
                worst = (at, if off.is_finite() { off } else { f64::INFINITY });
            }
        }
        worst
    }
}

/// Halves a Newton step until φ falls as much as its slope promises.
fn search(
    controls: &Controls,
    sums: &[f64],
    response: &Response,
    lambda: &[f64],
    state: &State,
    direction: &[f64],
) -> Option<(Vec<f64>, State)> {
    // φ falls along the direction at the rate gap'direction; a ten-thousandth of that is Armijo's usual demand.
    let rate: f64 = state.gap.iter().zip(direction).map(|(g, d)| g * d).sum();
    if !(rate.is_finite() && rate > 0.0) {
        return None;
    }
    // The objective is a difference of large sums: what rounding hides may not stop a step.
    let noise = 1e-13 * state.objective.abs().max(1.0);
    let mut length = 1.0;
    for _ in 0..40 {
        let next: Vec<f64> = lambda.iter().zip(direction).map(|(l, d)| l + length * d).collect();
        let at = State::at(controls, sums, response, &next);
        if at.objective <= state.objective - 1e-4 * length * rate + noise {
            return Some((next, at));
        }
        length *= 0.5;
    }
    None
}
