//! Weight steps before the design: base weight, unknown eligibility, nonresponse, household size.

use super::{MarginLine, WeightStep};
use crate::statistics::{
    StatisticsError,
    data::{DataTable, MISSING},
    design::{Crossing, cross},
    plan::{BaseWeight, Household, NonresponseClass, PreAdjustment, UnknownEligibility},
};

/// What a step before the design gives.
#[derive(Debug, Clone)]
pub struct PreStep {
    /// The weights after it, one a row.
    pub step: WeightStep,
    /// The column that it writes.
    pub result: String,
    /// The rows that leave the data, when the step drops any.
    pub dropped: Option<Vec<bool>>,
    /// Coefficients of a propensity model by term.
    pub coefficients: Vec<(String, f64)>,
    /// The smallest and the largest propensity.
    pub propensity_range: Option<[f64; 2]>,
}

/// Makes one step; `written` is true where an earlier step wrote its weights, so that 0 is a nonrespondent.
///
/// # Errors
/// A missing column; a probability outside (0, 1]; a weight that is not positive; a class with nobody to carry its
/// weight, named.
pub fn apply(step: &PreAdjustment, table: &DataTable, written: bool) -> Result<PreStep, StatisticsError> {
    if let (Some(column), false) = (step.weight(), written) {
        refuse_zeros(column, &table.numbers(column, "pre_adjustments")?)?;
    }
    match step {
        PreAdjustment::BaseWeight(step) => base_weight(step, table),
        PreAdjustment::Household(step) => household(step, table),
        PreAdjustment::UnknownEligibility(step) => unknown_eligibility(step, table),
        PreAdjustment::NonresponseClass(step) => classes(step, table),
        PreAdjustment::NonresponsePropensity(step) => super::propensity::propensity(step, table),
    }
}

fn refuse_zeros(column: &str, weights: &[f64]) -> Result<(), StatisticsError> {
    match weights.iter().position(|&weight| weight == 0.0) {
        None => Ok(()),
        Some(row) => Err(cell_fault(column, row, "the weight 0 is not positive".to_owned())),
    }
}

pub(super) fn written(step: WeightStep, result: &str) -> PreStep {
    PreStep { step, result: result.to_owned(), dropped: None, coefficients: Vec::new(), propensity_range: None }
}

fn cell_fault(column: &str, row: usize, reason: String) -> StatisticsError {
    StatisticsError::Cell { column: column.to_owned(), row: row + 1, reason }
}

/// 1 / Π pi_s, times the multiplier.
fn base_weight(step: &BaseWeight, table: &DataTable) -> Result<PreStep, StatisticsError> {
    if step.probabilities.is_empty() {
        return Err(StatisticsError::plan("base_weight.probabilities", "at least one stage has a probability"));
    }
    let mut weights = vec![1.0; table.rows()];
    for column in &step.probabilities {
        let chances = table.numbers(column, "base_weight.probabilities")?;
        for (row, (weight, &chance)) in weights.iter_mut().zip(chances.iter()).enumerate() {
            if !(chance > 0.0 && chance <= 1.0) {
                return Err(cell_fault(column, row, "a probability lies above 0 and not above 1".to_owned()));
            }
            *weight /= chance;
        }
    }
    let before = vec![1.0; table.rows()];
    if let Some(column) = &step.multiplier {
        multiply(&mut weights, table, column, "base_weight.multiplier")?;
    }
    Ok(written(WeightStep::new("base_weight", &before, weights), &step.result))
}

fn multiply(weights: &mut [f64], table: &DataTable, column: &str, place: &str) -> Result<(), StatisticsError> {
    let factors = table.numbers(column, place)?;
    for (row, (weight, &factor)) in weights.iter_mut().zip(factors.iter()).enumerate() {
        // Rows that earlier steps left without a weight need no multiplier: nobody was met to count the household.
        if *weight == 0.0 {
            continue;
        }
        if factor.is_nan() || factor <= 0.0 {
            return Err(cell_fault(column, row, "a multiplier of a weight is positive".to_owned()));
        }
        *weight *= factor;
    }
    Ok(())
}

fn household(step: &Household, table: &DataTable) -> Result<PreStep, StatisticsError> {
    let before = start(table, &step.weight, "household.weight")?;
    let mut weights = before.clone();
    multiply(&mut weights, table, &step.multiplier, "household.multiplier")?;
    Ok(written(WeightStep::new("household", &before, weights), &step.result))
}

/// Weights that a step starts from; 0 is allowed as the result of an earlier step.
pub(super) fn start(table: &DataTable, column: &str, place: &str) -> Result<Vec<f64>, StatisticsError> {
    let weights = table.numbers(column, place)?;
    match weights.iter().position(|w| w.is_nan() || *w < 0.0) {
        None => Ok(weights.to_vec()),
        Some(row) if weights[row].is_nan() => Err(cell_fault(column, row, "the weight is missing".to_owned())),
        Some(row) => Err(cell_fault(column, row, format!("the weight {} is not positive", weights[row]))),
    }
}

/// The weights of a class over those of its carriers, as a factor for the carriers.
struct Classes {
    cells: Crossing,
    factors: Vec<f64>,
    lines: Vec<MarginLine>,
}

fn class_factors(
    name: &str,
    table: &DataTable,
    columns: &[String],
    weights: &[f64],
    carries: &[bool],
) -> Result<Classes, StatisticsError> {
    let cells = cross(table, columns, &format!("{name}.cells"), Some(|row: usize| weights[row] > 0.0))?;
    if let Some(row) = (0..weights.len()).find(|&row| weights[row] > 0.0 && cells.codes[row] == MISSING) {
        return Err(cell_fault(&columns.join(", "), row, format!("{name} needs a class for every case")));
    }
    let (mut all, mut carried, mut n) = (vec![0.0; cells.len()], vec![0.0; cells.len()], vec![0; cells.len()]);
    for (row, &weight) in weights.iter().enumerate().filter(|(_, w)| **w > 0.0) {
        let cell = cells.codes[row] as usize;
        all[cell] += weight;
        if carries[row] {
            carried[cell] += weight;
            n[cell] += 1;
        }
    }
    if let Some(empty) = (0..cells.len()).find(|&cell| n[cell] == 0) {
        return Err(StatisticsError::Category {
            step: name.to_owned(),
            margin: columns.join(" × "),
            category: cells.label(empty, " × "),
            reason: "nobody in this class can carry its weight; join it with another".to_owned(),
        });
    }
    let factors: Vec<f64> = all.iter().zip(&carried).map(|(all, carried)| all / carried).collect();
    let lines = (0..cells.len()).map(|cell| MarginLine {
        margin: columns.join(" × "),
        category: cells.label(cell, " × "),
        n: n[cell],
        target: Some(all[cell]),
        before: carried[cell],
        after: carried[cell] * factors[cell],
        factor: Some(factors[cell]),
    });
    let lines = lines.collect();
    Ok(Classes { cells, factors, lines })
}

pub(super) fn has_state(
    table: &DataTable,
    column: &str,
    state: &str,
    place: &str,
) -> Result<Vec<bool>, StatisticsError> {
    let states = table.categories(column, place)?;
    let code = states.code_of(state);
    if let Some(row) = states.codes().iter().position(|&c| c == MISSING) {
        return Err(cell_fault(column, row, format!("{place} needs a state in every row")));
    }
    Ok(states.codes().iter().map(|&c| Some(c) == code).collect())
}

/// w = d Σd / Σd(carriers) of the class for carriers, 0 for the others; the sums are over the weights handed over or
/// kept, `base`.
fn hand_over(
    name: &str,
    table: &DataTable,
    columns: &[String],
    (before, base): (&[f64], &[f64]),
    carries: &[bool],
) -> Result<WeightStep, StatisticsError> {
    let classes = class_factors(name, table, columns, base, carries)?;
    let after = |(row, &d): (usize, &f64)| match carries[row] && d > 0.0 {
        true => d * classes.factors[classes.cells.codes[row] as usize],
        false => 0.0,
    };
    let after = base.iter().enumerate().map(after).collect();
    let mut step = WeightStep::new(name, before, after);
    step.diagnostics = step.diagnostics.with_margins(classes.lines);
    Ok(step)
}

fn classes(step: &NonresponseClass, table: &DataTable) -> Result<PreStep, StatisticsError> {
    let name = "nonresponse_class";
    let before = start(table, &step.weight, "nonresponse_class.weight")?;
    let responds = has_state(table, &step.status, &step.respondent, "nonresponse_class.status")?;
    let leaves = match &step.ineligible {
        Some(state) => has_state(table, &step.status, state, "nonresponse_class.status")?,
        None => vec![false; before.len()],
    };
    let base: Vec<f64> = before.iter().zip(&leaves).map(|(&d, &leaves)| if leaves { 0.0 } else { d }).collect();
    let mut written = written(hand_over(name, table, &step.cells, (&before, &base), &responds)?, &step.result);
    written.dropped = step.drop_nonrespondents.then(|| responds.iter().map(|r| !r).collect());
    Ok(written)
}

fn unknown_eligibility(step: &UnknownEligibility, table: &DataTable) -> Result<PreStep, StatisticsError> {
    let name = "unknown_eligibility";
    let before = start(table, &step.weight, "unknown_eligibility.weight")?;
    let unknown = has_state(table, &step.status, &step.unknown, "unknown_eligibility.status")?;
    let known: Vec<bool> = unknown.iter().map(|u| !u).collect();
    let mut written = written(hand_over(name, table, &step.cells, (&before, &before), &known)?, &step.result);
    written.dropped = step.drop_unknown.then_some(unknown);
    Ok(written)
}
