//! Regressions with the design's covariance.

use nalgebra::DMatrix;
use serde_json::{Value, json};

use super::{
    Answer, DomainValue, EstimateRow, Quantity,
    answer::number_json,
    contrast::{matrix_json, selected_df},
};
use crate::statistics::{
    Prepared, StatisticsError,
    model_matrix::ModelMatrix,
    plan::{Family, Glm},
    regression::{self, Fit, RegressionError},
    variance::taylor::LeafValues,
};

/// A fitted model with its design covariance.
struct Fitted {
    model: ModelMatrix,
    coefficients: Vec<f64>,
    covariance: DMatrix<f64>,
    df: f64,
}

/// Coefficients, t tests with df = design df + 1 - coefficients, and a Wald test for each term.
///
/// **Source**: Binder 1983; R `survey::svyglm`, `regTermTest(method = "Wald")`.
pub(super) fn estimate(prepared: &Prepared, plan: &Glm) -> Result<Answer, StatisticsError> {
    let fitted = fit(prepared, plan)?;
    let tests = regression::coefficient_tests(&fitted.coefficients, &fitted.covariance, fitted.df);
    let row = |(name, test): (&String, &regression::CoefficientTest)| EstimateRow {
        domain: vec![("term".to_owned(), DomainValue::Text(name.clone()))],
        estimate: Some(test.estimate),
        se: Some(test.standard_error),
        others: vec![("t", Quantity::Number(test.t)), ("p_value", Quantity::Number(test.p_value))],
        ..EstimateRow::default()
    };
    let mut answer = Answer::of(fitted.model.names.iter().zip(&tests).map(row).collect());
    let model = json!({
        "df_residual": number_json(fitted.df),
        "vcov": matrix_json(&fitted.covariance),
        "terms": fitted.model.names.clone(),
    });
    answer.extra.insert("model".to_owned(), model);
    answer.extra.insert("wald_tests".to_owned(), wald_tests(plan, &fitted)?);
    Ok(answer)
}

fn fit(prepared: &Prepared, plan: &Glm) -> Result<Fitted, StatisticsError> {
    let outcome = prepared.table.numbers(&plan.variable, "estimator.variable")?;
    if let Some(row) = prepared.weights.iter().position(|&weight| weight < 0.0) {
        let reason = format!(
            "row {} has the negative weight {}; bound the calibration",
            prepared.rows_in_file().map_or(row, |rows| rows[row]) + 1,
            prepared.weights[row]
        );
        return Err(StatisticsError::estimate("a regression", reason));
    }
    let live = |row: usize| prepared.counts(row) && !outcome[row].is_nan();
    let model = ModelMatrix::new(&prepared.table, &plan.terms, "estimator.terms", live)?;
    // A row without the outcome or a term has weight 0 in the fit and stays in the design.
    let kept: Vec<bool> = (0..outcome.len()).map(|row| live(row) && model.complete(row)).collect();
    let weights = |of: &dyn Fn(usize) -> f64| {
        kept.iter().enumerate().map(|(row, &kept)| if kept { of(row) } else { 0.0 }).collect::<Vec<f64>>()
    };
    let full = one_fit(plan, &model, &outcome, &weights(&|row| prepared.weights[row]))?;
    let covariance = match &prepared.replicates {
        None => linearized(prepared, &model, &full)?,
        Some(replicates) => {
            let one = |r: usize| {
                let of = |row: usize| replicates.weight(r, row);
                one_fit(plan, &model, &outcome, &weights(&of)).map(|fit| fit.coefficients)
            };
            let values = (0..replicates.len()).map(one).collect::<Result<Vec<_>, _>>()?;
            replicates.covariance(&values, &full.coefficients)?
        }
    };
    let k = full.coefficients.len();
    let df = regression::residual_df(selected_df(prepared), k);
    Ok(Fitted { coefficients: full.coefficients, covariance: DMatrix::from_row_slice(k, k, &covariance), model, df })
}

fn one_fit(plan: &Glm, model: &ModelMatrix, outcome: &[f64], weights: &[f64]) -> Result<Fit, StatisticsError> {
    let fit = match plan.family {
        Family::Binomial => regression::logistic(model.regressors(), outcome, weights),
        Family::Gaussian => regression::linear(model.regressors(), outcome, weights),
    };
    fit.map_err(refused)
}

fn refused(error: RegressionError) -> StatisticsError {
    StatisticsError::estimate("a regression", error.to_string())
}

fn linearized(prepared: &Prepared, model: &ModelMatrix, fit: &Fit) -> Result<Vec<f64>, StatisticsError> {
    let influence = fit.influence_columns(model.regressors());
    let (leaves, k) = (prepared.all_leaves(), influence.len());
    let mut values = vec![0.0; leaves.len() * k];
    for (at, column) in influence.into_iter().enumerate() {
        for (leaf, total) in prepared.residual_totals(column).into_iter().enumerate() {
            values[leaf * k + at] = total;
        }
    }
    let (kept, values) = prepared.present(&leaves, values, k);
    prepared.taylor(LeafValues { leaves: &kept, values: &values, columns: k })
}

fn wald_tests(plan: &Glm, fitted: &Fitted) -> Result<Value, StatisticsError> {
    let one = |(term, range): (&crate::statistics::plan::Term, &std::ops::Range<usize>)| {
        let columns: Vec<usize> = range.clone().collect();
        let test =
            regression::wald_test(&fitted.coefficients, &fitted.covariance, &columns, fitted.df).map_err(refused)?;
        Ok(json!({
            "term": term.column(),
            "F": number_json(test.f),
            "df1": number_json(test.df1),
            "df2": number_json(test.df2),
            "p": number_json(test.p_value),
        }))
    };
    plan.terms.iter().zip(&fitted.model.terms).map(one).collect()
}
