//! Area-level models on a table with one row an area.

use nalgebra::DMatrix;
use serde_json::{Map, Value, json};

use super::{Answer, DomainValue, EstimateRow, Quantity, answer::number_json};
use crate::statistics::{
    DataTable, StatisticsError,
    plan::{AreaMethod, FayHerriot},
    small_area::{self, AreaData, AreaEstimate, VarianceMethod},
};

/// Fits the Fay-Herriot model of a plan to a table of areas: the direct and the model-based estimate side by side,
/// with the share of each area that the direct estimate keeps (`gamma`).
///
/// **Source**: Fay and Herriot 1979; Rao and Molina 2015, chapter 6; R `sae::mseFH`.
///
/// # Errors
/// A missing column or value; a variance that is not positive; too few areas.
pub fn fay_herriot(plan: &FayHerriot, table: &DataTable) -> Result<Answer, StatisticsError> {
    let column = |name: &str, place: &str| {
        let values = table.numbers(name, place)?;
        match values.iter().position(|v| v.is_nan()) {
            None => Ok(values.to_vec()),
            Some(row) => Err(StatisticsError::Cell {
                column: name.to_owned(),
                row: row + 1,
                reason: "the model needs a value for every area".to_owned(),
            }),
        }
    };
    let direct = column(&plan.direct, "estimator.direct")?;
    let variances = column(&plan.variance, "estimator.variance")?;
    let mut columns = vec![vec![1.0; table.rows()]];
    for covariate in &plan.covariates {
        columns.push(column(covariate, "estimator.covariates")?);
    }
    let covariates = DMatrix::from_fn(table.rows(), columns.len(), |i, j| columns[j][i]);
    let data = AreaData { direct: &direct, variances: &variances, covariates: &covariates };
    let fit = small_area::fay_herriot(&data, method(plan.method))
        .map_err(|error| StatisticsError::estimate("an area-level model", error.to_string()))?;
    let areas = table.categories(&plan.area, "estimator.area")?;
    let label = |row: usize| areas.levels().get(areas.codes()[row] as usize).cloned().unwrap_or_default();
    let rows = fit.areas.iter().enumerate().map(|(row, area)| area_row(&plan.area, label(row), area)).collect();
    let mut answer = Answer::of(rows);
    answer.extra.insert("model".to_owned(), model(plan, &fit));
    Ok(answer)
}

fn method(plan: AreaMethod) -> VarianceMethod {
    match plan {
        AreaMethod::Reml => VarianceMethod::Reml,
        AreaMethod::Ml => VarianceMethod::Ml,
        AreaMethod::Fh => VarianceMethod::Moment,
    }
}

fn area_row(column: &str, label: String, area: &AreaEstimate) -> EstimateRow {
    EstimateRow {
        domain: vec![(column.to_owned(), DomainValue::Text(label))],
        others: vec![
            ("direct", Quantity::Number(area.direct)),
            ("vardir", Quantity::Number(area.variance)),
            ("synthetic", Quantity::Number(area.synthetic)),
            ("eblup", Quantity::Number(area.eblup)),
            ("mse", Quantity::Number(area.mse)),
            ("gamma", Quantity::Number(area.gamma)),
        ],
        ..EstimateRow::default()
    }
}

/// Coefficients under the names that R's model matrix gives them.
fn model(plan: &FayHerriot, fit: &small_area::FayHerriot) -> Value {
    let names: Vec<String> =
        std::iter::once("X(Intercept)".to_owned()).chain(plan.covariates.iter().map(|c| format!("X{c}"))).collect();
    let by_name = |values: &[f64]| -> Map<String, Value> {
        names.iter().cloned().zip(values.iter().map(|v| number_json(*v))).collect()
    };
    json!({
        "refvar": number_json(fit.between_variance),
        "coefficients": by_name(&fit.coefficients),
        "se": by_name(&fit.standard_errors),
        "loglike": number_json(fit.log_likelihood),
        "AIC": number_json(fit.aic),
        "BIC": number_json(fit.bic),
        "iterations": fit.iterations,
        "converged": true,
    })
}
