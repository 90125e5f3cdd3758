//! Nonresponse by a modelled propensity: w = d / p(x).

use super::{
    WeightStep,
    nonresponse::{PreStep, has_state, start, written},
};
use crate::statistics::{
    StatisticsError,
    data::DataTable,
    model_matrix::ModelMatrix,
    plan::{NonresponsePropensity, Term},
    regression,
};

/// Weights respondents by the inverse of a weighted logistic regression on the factors' main effects.
pub(super) fn propensity(step: &NonresponsePropensity, table: &DataTable) -> Result<PreStep, StatisticsError> {
    let name = "nonresponse_propensity";
    let before = start(table, &step.weight, "nonresponse_propensity.weight")?;
    let responds = has_state(table, &step.status, &step.respondent, "nonresponse_propensity.status")?;
    let terms: Vec<Term> = step.factors.iter().cloned().map(Term::Factor).collect();
    let model = ModelMatrix::new(table, &terms, name, |row| before[row] > 0.0)?;
    let live: Vec<usize> = (0..before.len()).filter(|&row| before[row] > 0.0).collect();
    if let Some(&row) = live.iter().find(|&&row| !model.complete(row)) {
        let reason = format!("{name} needs every factor for every case");
        return Err(StatisticsError::Cell { column: step.factors.join(", "), row: row + 1, reason });
    }
    let outcome: Vec<f64> = responds.iter().map(|&r| f64::from(u8::from(r))).collect();
    let fit = regression::logistic(model.regressors(), &outcome, &before)
        .map_err(|error| StatisticsError::weighting(name, error.to_string()))?;
    let mut after = vec![0.0; before.len()];
    for &row in live.iter().filter(|&&row| responds[row]) {
        after[row] = before[row] / fit.fitted[row];
    }
    let mut written = written(WeightStep::new(name, &before, after), &step.result);
    written.coefficients = model.names.iter().cloned().zip(fit.coefficients).collect();
    let range = |[low, high]: [f64; 2], &row: &usize| [low.min(fit.fitted[row]), high.max(fit.fitted[row])];
    written.propensity_range = Some(live.iter().fold([f64::INFINITY, 0.0], range));
    written.dropped = step.drop_nonrespondents.then(|| responds.iter().map(|r| !r).collect());
    Ok(written)
}
