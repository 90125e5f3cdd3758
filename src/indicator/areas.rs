//! Model-based estimates of districts beside the direct ones: Fay-Herriot by REML on smoothed variances, benchmarked.

use nalgebra::DMatrix;

use super::{
    Label,
    files::Regions,
    plan,
    results::{ModelEstimate, ResultRow, ResultTable, SmallArea},
};
use crate::statistics::{
    distribution::normal_quantile,
    small_area::{AreaData, Benchmark, SmallAreaError, VarianceMethod, benchmark, fay_herriot},
    variance_function::{DirectArea, pooled_design_effect},
};

/// Fewer districts than this cannot tell a variance between districts from the noise within them.
const AREAS_MIN: usize = 8;

/// A coefficient needs about this many districts.
const AREAS_PER_COVARIATE: usize = 5;

/// Adds model-based estimates to the district table; says how they were made, or why not.
pub(super) fn add(regions: &Regions, tables: &mut [ResultTable]) -> SmallArea {
    let city = tables.iter().find(|table| table.id == "city").and_then(|table| table.rows.first()?.estimate);
    let districts = tables.iter_mut().find(|table| table.id == "district");
    let (Some(city), Some(districts)) = (city, districts) else { return not_fitted(no_districts()) };
    let in_model: Vec<usize> = (0..districts.rows.len()).filter(|&at| usable(&districts.rows[at])).collect();
    if in_model.len() < AREAS_MIN {
        let zh = format!("可估计的区县只有 {} 个，少于 {AREAS_MIN} 个", in_model.len());
        let en = format!("{} districts can be estimated, fewer than {AREAS_MIN}", in_model.len());
        return not_fitted(Label { zh, en });
    }
    let covariates = covariates(regions, &districts.rows, &in_model);
    match fit(&districts.rows, &in_model, &covariates, city) {
        Err(error) => not_fitted(Label {
            zh: "区县模型不能拟合".to_owned(),
            en: format!("the area model cannot be fitted: {error}"),
        }),
        Ok(fitted) => {
            for (&at, estimate) in in_model.iter().zip(fitted.estimates) {
                districts.rows[at].model = Some(estimate);
            }
            SmallArea {
                areas: in_model.len(),
                covariates: covariates.into_iter().map(|covariate| covariate.column).collect(),
                between_variance: Some(fitted.between_variance),
                benchmark_factor: Some(fitted.factor),
                not_fitted: None,
            }
        }
    }
}

fn no_districts() -> Label {
    Label::new("没有全市或区县的直接估计", "there is no direct estimate of the whole or of its districts")
}

fn not_fitted(why: Label) -> SmallArea {
    SmallArea { not_fitted: Some(why), ..SmallArea::default() }
}

/// A district with a direct estimate; one of 0 or 1 counts, since its variance is smoothed.
fn usable(row: &ResultRow) -> bool {
    row.n.is_some_and(|n| n > 0) && row.estimate.is_some() && row.population.is_some()
}

struct Covariate {
    column: String,
    /// One a district of the model.
    values: Vec<f64>,
}

/// Columns known for every district of the model and not the same for all, by name, as many as the districts carry.
fn covariates(regions: &Regions, rows: &[ResultRow], in_model: &[usize]) -> Vec<Covariate> {
    let of = |at: &usize| rows[*at].domain.get("district").and_then(|code| regions.regions.get(code));
    let Some(first) = in_model.first().and_then(of) else { return Vec::new() };
    let column = |column: &String| {
        let value = |at: &usize| of(at)?.covariates.get(column).copied();
        let values: Vec<f64> = in_model.iter().map(value).collect::<Option<_>>()?;
        let varies = values.iter().any(|value| *value != values[0]);
        varies.then(|| Covariate { column: column.clone(), values })
    };
    first.covariates.keys().filter_map(column).take(in_model.len() / AREAS_PER_COVARIATE).collect()
}

struct Fitted {
    estimates: Vec<ModelEstimate>,
    between_variance: f64,
    factor: f64,
}

fn fit(rows: &[ResultRow], in_model: &[usize], covariates: &[Covariate], city: f64) -> Result<Fitted, SmallAreaError> {
    let number = |of: fn(&ResultRow) -> Option<f64>| -> Vec<f64> {
        in_model.iter().map(|&at| of(&rows[at]).unwrap_or(f64::NAN)).collect()
    };
    let (direct, errors, shares) = (number(|row| row.estimate), number(|row| row.se), number(|row| row.population));
    let area = |at: usize| DirectArea {
        estimate: direct[at],
        variance: errors[at] * errors[at],
        n: rows[in_model[at]].n.unwrap_or(0) as f64,
    };
    let variances = pooled_design_effect(&(0..in_model.len()).map(area).collect::<Vec<_>>())?;
    let matrix = DMatrix::from_fn(in_model.len(), covariates.len() + 1, |area, column| match column {
        0 => 1.0,
        _ => covariates[column - 1].values[area],
    });
    let data = AreaData { direct: &direct, variances: &variances, covariates: &matrix };
    let model = fay_herriot(&data, VarianceMethod::Reml)?;
    // A share below 0 is no estimate of one; the model knows no bounds.
    let predicted: Vec<f64> = model.areas.iter().map(|area| area.eblup.clamp(0.0, 1.0)).collect();
    let moved = benchmark(&predicted, &shares, city, Benchmark::Ratio)?;
    let total: f64 = shares.iter().sum();
    let mean: f64 = predicted.iter().zip(&shares).map(|(share, weight)| share * weight).sum::<f64>() / total;
    let quantile = normal_quantile(0.5 + plan::LEVEL / 2.0);
    let estimates = model.areas.iter().zip(moved).map(|(area, estimate)| {
        let rmse = area.mse.max(0.0).sqrt();
        ModelEstimate {
            estimate,
            rmse,
            ci: [(estimate - quantile * rmse).max(0.0), (estimate + quantile * rmse).min(1.0)],
            synthetic: area.synthetic,
            model_share: area.model_share,
        }
    });
    Ok(Fitted { estimates: estimates.collect(), between_variance: model.between_variance, factor: city / mean })
}
