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
};

/// Newton steps before giving up; a logistic fit without separation needs fewer than 10.
const STEPS_MAX: usize = 50;

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
    let (coefficients, fitted) = fit(&model, &live, &before, &responds)?;
    let mut after = vec![0.0; before.len()];
    for (&row, &p) in live.iter().zip(&fitted) {
        if responds[row] {
            after[row] = before[row] / p;
        }
    }
    let mut written = written(WeightStep::new(name, &before, after), &step.result);
    written.coefficients = model.names.iter().cloned().zip(coefficients).collect();
    let range = |[low, high]: [f64; 2], &p: &f64| [low.min(p), high.max(p)];
    written.propensity_range = Some(fitted.iter().fold([f64::INFINITY, 0.0], range));
    written.dropped = step.drop_nonrespondents.then(|| responds.iter().map(|r| !r).collect());
    Ok(written)
}

/// The weighted logistic fit by Newton's method: coefficients and fitted probabilities.
fn fit(
    model: &ModelMatrix,
    live: &[usize],
    weights: &[f64],
    responds: &[bool],
) -> Result<(Vec<f64>, Vec<f64>), StatisticsError> {
    let k = model.columns.len();
    // Weights of mean 1 keep the steps of one size whatever the population.
    let mean = live.iter().map(|&row| weights[row]).sum::<f64>() / live.len() as f64;
    let mut beta = nalgebra::DVector::zeros(k);
    for _ in 0..STEPS_MAX {
        let mut information = nalgebra::DMatrix::zeros(k, k);
        let mut score = nalgebra::DVector::zeros(k);
        let mut fitted = Vec::with_capacity(live.len());
        for &row in live {
            let x = |j: usize| model.columns[j][row];
            let linear: f64 = (0..k).map(|j| x(j) * beta[j]).sum();
            let p = 1.0 / (1.0 + libm::exp(-linear));
            let w = weights[row] / mean;
            let residual = w * (f64::from(u8::from(responds[row])) - p);
            for i in (0..k).filter(|&i| x(i) != 0.0) {
                score[i] += residual * x(i);
                for j in 0..=i {
                    information[(i, j)] += w * p * (1.0 - p) * x(i) * x(j);
                }
            }
            fitted.push(p);
        }
        information.fill_upper_triangle_with_lower_triangle();
        let solved = information.cholesky().map(|c| c.solve(&score));
        let step = solved.ok_or_else(|| {
            StatisticsError::weighting("nonresponse_propensity", "the factors separate or repeat each other")
        })?;
        if step.amax() < 1e-12 * (1.0 + beta.amax()) {
            return Ok((beta.iter().copied().collect(), fitted));
        }
        beta += step;
        if beta.amax() > 30.0 {
            break;
        }
    }
    let reason = "the logistic regression does not converge: some factor predicts response perfectly";
    Err(StatisticsError::weighting("nonresponse_propensity", reason))
}
