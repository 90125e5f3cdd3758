//! Small-area estimates by the Fay-Herriot area model.
//!
//! Notation, for areas d = 1…m with p covariates (the intercept included): `y_d` the direct estimate, `ψ_d` its
//! sampling variance, taken as known; `y_d = x_dᵀβ + u_d + e_d`, `var(u) = A`, `var(e_d) = ψ_d`;
//! `γ_d = A / (A + ψ_d)` the weight of the direct estimate. The EBLUP is `x_dᵀβ + γ_d (y_d − x_dᵀβ)`: between the direct
//! and the synthetic estimate, and `1 − γ_d` is the share that the model supplies.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::linear_algebra::{LinearAlgebraError, inverse_positive_definite, product};

/// Scoring steps before giving up. Steps near a flat likelihood are small; R's reference runs allow as many.
const ITERATIONS_MAX: usize = 5000;
/// The variance has settled when a step changes it by less than this, relative.
const TOLERANCE: f64 = 1e-14;

/// How the between-area variance A is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum VarianceMethod {
    /// Restricted maximum likelihood; the default.
    #[serde(rename = "REML")]
    Reml,
    /// Maximum likelihood.
    #[serde(rename = "ML")]
    Ml,
    /// Fay and Herriot's moment equation.
    #[serde(rename = "FH")]
    Moment,
}

/// Why the area model cannot be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SmallAreaError {
    /// More areas than coefficients are needed.
    #[error("{areas} areas cannot support a model of {coefficients} coefficients")]
    TooFewAreas {
        /// Areas given.
        areas: usize,
        /// Coefficients of the model.
        coefficients: usize,
    },
    /// A direct estimate, sampling variance or covariate that cannot be used.
    #[error("area {area}: {what} is {value}")]
    Value {
        /// The area, counted from 0.
        area: usize,
        /// What is wrong.
        what: &'static str,
        /// The value.
        value: f64,
    },
    /// As many variances and covariate rows as direct estimates are needed.
    #[error("{direct} direct estimates, {variances} variances and {covariates} covariate rows")]
    Lengths {
        /// Direct estimates given.
        direct: usize,
        /// Variances given.
        variances: usize,
        /// Rows of covariates given.
        covariates: usize,
    },
    /// A covariate that depends on those before it.
    #[error("covariate column {0} depends on the columns before it")]
    Redundant(usize),
    /// The scoring did not settle.
    #[error("the between-area variance did not settle in {0} steps")]
    NoConvergence(usize),
    /// A benchmark that cannot be met.
    #[error("cannot benchmark: {0}")]
    Benchmark(&'static str),
    /// Too little to fit a variance function to.
    #[error("smoothing variances needs {needed} areas with a positive variance, there are {usable}")]
    TooFewVariances {
        /// Areas needed.
        needed: usize,
        /// Areas that can be used.
        usable: usize,
    },
}

/// The direct estimates with all that the model needs.
#[derive(Debug, Clone, PartialEq)]
pub struct AreaData<'a> {
    /// Direct estimate of every area.
    pub direct: &'a [f64],
    /// Its sampling variance, usually smoothed.
    pub variances: &'a [f64],
    /// Model matrix: one row an area, the intercept as its first column.
    pub covariates: &'a DMatrix<f64>,
}

impl AreaData<'_> {
    fn check(&self) -> Result<(), SmallAreaError> {
        let (areas, p) = self.covariates.shape();
        if self.direct.len() != areas || self.variances.len() != areas {
            let (direct, variances) = (self.direct.len(), self.variances.len());
            return Err(SmallAreaError::Lengths { direct, variances, covariates: areas });
        }
        if areas <= p {
            return Err(SmallAreaError::TooFewAreas { areas, coefficients: p });
        }
        for area in 0..areas {
            let fault = |what, value| Err(SmallAreaError::Value { area, what, value });
            if !self.direct[area].is_finite() {
                return fault("the direct estimate", self.direct[area]);
            }
            if !self.variances[area].is_finite() || self.variances[area] <= 0.0 {
                return fault("the sampling variance", self.variances[area]);
            }
            if let Some(x) = self.covariates.row(area).iter().find(|x| !x.is_finite()) {
                return fault("a covariate", *x);
            }
        }
        Ok(())
    }

    /// Weighted least squares at between-area variance `a`.
    fn at(&self, a: f64) -> Result<Gls, SmallAreaError> {
        let inverse: Vec<f64> = self.variances.iter().map(|v| 1.0 / (a + v)).collect();
        let q = inverse_positive_definite(&self.cross(&inverse)).map_err(|e| match e {
            LinearAlgebraError::Singular(j) => SmallAreaError::Redundant(j),
            LinearAlgebraError::Shape { rows, .. } => SmallAreaError::Redundant(rows),
        })?;
        let right = DMatrix::from_fn(self.covariates.ncols(), 1, |j, _| {
            (0..inverse.len()).fold(0.0, |s, d| s + inverse[d] * self.covariates[(d, j)] * self.direct[d])
        });
        let beta: Vec<f64> = product(&q, &right).iter().copied().collect();
        let synthetic: Vec<f64> = (0..inverse.len())
            .map(|d| beta.iter().enumerate().fold(0.0, |s, (j, b)| s + b * self.covariates[(d, j)]))
            .collect();
        let residuals = self.direct.iter().zip(&synthetic).map(|(y, s)| y - s).collect();
        Ok(Gls { inverse, q, beta, synthetic, residuals })
    }

    /// `Xᵀ diag(w) X`.
    fn cross(&self, w: &[f64]) -> DMatrix<f64> {
        let x = self.covariates;
        DMatrix::from_fn(x.ncols(), x.ncols(), |i, j| {
            let (i, j) = (i.max(j), i.min(j));
            (0..w.len()).fold(0.0, |s, d| s + w[d] * x[(d, i)] * x[(d, j)])
        })
    }

    /// `x_dᵀ M x_d`.
    fn quadratic(&self, d: usize, m: &DMatrix<f64>) -> f64 {
        let x = self.covariates;
        let row = |i: usize| (0..x.ncols()).fold(0.0, |s, j| s + m[(i, j)] * x[(d, j)]);
        (0..x.ncols()).fold(0.0, |s, i| s + x[(d, i)] * row(i))
    }
}

/// Weighted least squares at one value of A.
struct Gls {
    /// `1 / (A + ψ_d)`.
    inverse: Vec<f64>,
    /// `(Xᵀ V⁻¹ X)⁻¹`.
    q: DMatrix<f64>,
    beta: Vec<f64>,
    synthetic: Vec<f64>,
    residuals: Vec<f64>,
}

/// The estimate of one area, with how it came about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AreaEstimate {
    /// The direct estimate.
    pub direct: f64,
    /// Its sampling variance.
    pub variance: f64,
    /// What the covariates alone say.
    pub synthetic: f64,
    /// The empirical best linear unbiased predictor.
    pub eblup: f64,
    /// Its estimated mean squared error.
    pub mse: f64,
    /// Weight of the direct estimate.
    pub gamma: f64,
    /// Share that the model supplies, 1 − γ.
    pub model_share: f64,
}

/// A fitted area model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FayHerriot {
    /// Between-area variance A, not negative.
    pub between_variance: f64,
    /// Coefficients β in the order of the covariates.
    pub coefficients: Vec<f64>,
    /// Their standard errors, `√diag (Xᵀ V⁻¹ X)⁻¹`.
    pub standard_errors: Vec<f64>,
    /// Log likelihood at the estimates.
    pub log_likelihood: f64,
    /// Akaike's criterion, A counted as a parameter.
    pub aic: f64,
    /// Schwarz's criterion.
    pub bic: f64,
    /// Steps until A settled.
    pub iterations: usize,
    /// One estimate an area, in the order of the data.
    pub areas: Vec<AreaEstimate>,
}

/// Fits the Fay-Herriot model and predicts every area.
///
/// A is found by Fisher scoring (REML, ML) or by the moment equation, and set to zero where it would be negative; the
/// mean squared error is `g1 + g2 + 2 g3`, with the bias term of the estimator of A for ML and FH.
///
/// **Shapes and units**: see [`AreaData`]; estimates in the unit of the direct ones, `mse` in its square.
///
/// **Errors**: [`SmallAreaError::Lengths`], [`SmallAreaError::TooFewAreas`], [`SmallAreaError::Value`],
/// [`SmallAreaError::Redundant`], [`SmallAreaError::NoConvergence`].
///
/// **Source**: Fay and Herriot 1979; Prasad and Rao 1990; Datta and Lahiri 2000; Rao and Molina 2015, chapter 6; R
/// `sae::mseFH(method = )`.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::small_area::{AreaData, VarianceMethod, fay_herriot};
/// let x = DMatrix::from_element(4, 1, 1.0);
/// let data = AreaData { direct: &[1.0, 2.0, 3.0, 6.0], variances: &[0.5; 4], covariates: &x };
/// let fit = fay_herriot(&data, VarianceMethod::Reml).unwrap();
/// // Equal variances: A + ψ is the variance of the four, 14/3, and the coefficient is their mean.
/// assert!((fit.between_variance - (14.0 / 3.0 - 0.5)).abs() < 1e-9);
/// assert!((fit.coefficients[0] - 3.0).abs() < 1e-12);
/// ```
pub fn fay_herriot(data: &AreaData<'_>, method: VarianceMethod) -> Result<FayHerriot, SmallAreaError> {
    data.check()?;
    let (a, iterations) = between_variance(data, method)?;
    let gls = data.at(a)?;
    let (m, p) = data.covariates.shape();
    let log_likelihood = gls
        .inverse
        .iter()
        .zip(&gls.residuals)
        .fold(0.0, |s, (v, r)| s - 0.5 * (libm::log(2.0 * std::f64::consts::PI / v) + r * r * v));
    let parameters = (p + 1) as f64;
    Ok(FayHerriot {
        between_variance: a,
        standard_errors: (0..p).map(|j| gls.q[(j, j)].sqrt()).collect(),
        log_likelihood,
        aic: -2.0 * log_likelihood + 2.0 * parameters,
        bic: -2.0 * log_likelihood + parameters * libm::log(m as f64),
        iterations,
        areas: predict(data, method, a, &gls),
        coefficients: gls.beta,
    })
}

/// Scores A until it settles; the second number counts the steps.
fn between_variance(data: &AreaData<'_>, method: VarianceMethod) -> Result<(f64, usize), SmallAreaError> {
    let mut a = median(data.variances);
    for iteration in 1..=ITERATIONS_MAX {
        let next = a + step(data, method, a)?;
        // A negative value on the way would make weights infinite; the likelihood then rises towards zero.
        if next <= 0.0 && step(data, method, 0.0)? <= 0.0 {
            return Ok((0.0, iteration));
        }
        let next = if next <= 0.0 { 0.5 * a } else { next };
        let moved = ((next - a) / a).abs();
        a = next;
        if moved <= TOLERANCE {
            return Ok((a, iteration));
        }
        // Below any variance that matters the relative rule would go on halving.
        if a < 1e-14 * median(data.variances) {
            return Ok((0.0, iteration));
        }
    }
    settled_by_rounding(data, method, a)
}

/// After many steps A may alternate between neighbouring numbers; that is as settled as it gets.
fn settled_by_rounding(data: &AreaData<'_>, method: VarianceMethod, a: f64) -> Result<(f64, usize), SmallAreaError> {
    if (step(data, method, a)? / a).abs() <= 1e3 * TOLERANCE {
        return Ok((a, ITERATIONS_MAX));
    }
    Err(SmallAreaError::NoConvergence(ITERATIONS_MAX))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { 0.5 * (sorted[half - 1] + sorted[half]) }
}

/// The step of A from `a`: score over information, or the moment equation over its slope.
fn step(data: &AreaData<'_>, method: VarianceMethod, a: f64) -> Result<f64, SmallAreaError> {
    let gls = data.at(a)?;
    let sum = |power: i32| gls.inverse.iter().fold(0.0, |s, v| s + if power == 1 { *v } else { v * v });
    let squares = gls.inverse.iter().zip(&gls.residuals).fold(0.0, |s, (v, r)| s + (v * r) * (v * r));
    Ok(match method {
        VarianceMethod::Ml => (squares - sum(1)) / sum(2),
        VarianceMethod::Reml => {
            let (trace, trace_of_square) = projection_traces(data, &gls);
            (squares - trace) / trace_of_square
        }
        VarianceMethod::Moment => {
            let (m, p) = data.covariates.shape();
            let fit = gls.inverse.iter().zip(&gls.residuals).fold(0.0, |s, (v, r)| s + v * r * r);
            (fit - (m - p) as f64) / sum(1)
        }
    })
}

/// tr P and tr P² for `P = V⁻¹ − V⁻¹ X Q Xᵀ V⁻¹`, from p × p matrices alone.
fn projection_traces(data: &AreaData<'_>, gls: &Gls) -> (f64, f64) {
    let power = |k: usize| -> Vec<f64> { gls.inverse.iter().map(|v| (0..k).fold(1.0, |s, _| s * v)).collect() };
    let sum = |w: &[f64]| w.iter().fold(0.0, |s, v| s + v);
    let (w1, w2, w3) = (power(1), power(2), power(3));
    let q2 = product(&gls.q, &data.cross(&w2));
    let q3 = product(&gls.q, &data.cross(&w3));
    let trace = sum(&w1) - q2.trace();
    let trace_of_square = sum(&w2) - 2.0 * q3.trace() + product(&q2, &q2).trace();
    (trace, trace_of_square)
}

/// The EBLUP with `g1 + g2 + 2 g3`, less the bias of A times the square of the model's share.
fn predict(data: &AreaData<'_>, method: VarianceMethod, a: f64, gls: &Gls) -> Vec<AreaEstimate> {
    let m = gls.inverse.len() as f64;
    let s1 = gls.inverse.iter().fold(0.0, |s, v| s + v);
    let s2 = gls.inverse.iter().fold(0.0, |s, v| s + v * v);
    let (variance_of_a, bias_of_a) = match method {
        VarianceMethod::Reml => (2.0 / s2, 0.0),
        VarianceMethod::Ml => {
            let squares: Vec<f64> = gls.inverse.iter().map(|v| v * v).collect();
            (2.0 / s2, -product(&gls.q, &data.cross(&squares)).trace() / s2)
        }
        VarianceMethod::Moment => (2.0 * m / (s1 * s1), 2.0 * (m * s2 - s1 * s1) / (s1 * s1 * s1)),
    };
    let area = |d: usize| {
        let (variance, v) = (data.variances[d], gls.inverse[d]);
        let model_share = variance * v;
        let gamma = a * v;
        let g1 = variance * gamma;
        let g2 = model_share * model_share * data.quadratic(d, &gls.q);
        let g3 = model_share * model_share * variance_of_a * v;
        AreaEstimate {
            direct: data.direct[d],
            variance,
            synthetic: gls.synthetic[d],
            eblup: gls.synthetic[d] + gamma * gls.residuals[d],
            mse: g1 + g2 + 2.0 * g3 - bias_of_a * model_share * model_share,
            gamma,
            model_share,
        }
    };
    (0..gls.inverse.len()).map(area).collect()
}

/// How area estimates are moved to add to the city's direct estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Benchmark {
    /// Every estimate times one factor.
    Ratio,
    /// Every estimate plus one amount.
    Difference,
}

/// Moves area estimates so that their weighted mean is the city's estimate.
///
/// **Shapes and units**: one estimate and one population share (any positive scale) an area; `city` in the unit of the
/// estimates.
///
/// **Errors**: [`SmallAreaError::Lengths`], [`SmallAreaError::Benchmark`] for shares that are negative or add to
/// nothing and for a ratio to a mean of zero.
///
/// **Source**: Rao and Molina 2015, 6.4.6; Datta et al. 2011.
///
/// **Example**
/// ```
/// use scilit::statistics::small_area::{Benchmark, benchmark};
/// let moved = benchmark(&[0.1, 0.3], &[1.0, 1.0], 0.25, Benchmark::Difference).unwrap();
/// assert!((moved[0] - 0.15).abs() < 1e-15 && (moved[1] - 0.35).abs() < 1e-15);
/// ```
pub fn benchmark(estimates: &[f64], shares: &[f64], city: f64, method: Benchmark) -> Result<Vec<f64>, SmallAreaError> {
    if estimates.len() != shares.len() {
        return Err(SmallAreaError::Lengths { direct: estimates.len(), variances: shares.len(), covariates: 0 });
    }
    let total = shares.iter().fold(0.0, |s, w| s + w);
    if shares.iter().any(|w| !w.is_finite() || *w < 0.0) || total <= 0.0 {
        return Err(SmallAreaError::Benchmark("the population shares are not usable"));
    }
    if !city.is_finite() || estimates.iter().any(|e| !e.is_finite()) {
        return Err(SmallAreaError::Benchmark("an estimate is not a finite number"));
    }
    let mean = estimates.iter().zip(shares).fold(0.0, |s, (e, w)| s + e * w) / total;
    match method {
        Benchmark::Ratio if mean == 0.0 => Err(SmallAreaError::Benchmark("the weighted mean of the areas is zero")),
        Benchmark::Ratio => Ok(estimates.iter().map(|e| e * (city / mean)).collect()),
        Benchmark::Difference => Ok(estimates.iter().map(|e| e + (city - mean)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn survey_a() -> (Vec<f64>, Vec<f64>, DMatrix<f64>) {
        let text = include_str!("../../tests/golden/data/litA_fh.csv");
        let rows: Vec<Vec<f64>> = csv::Reader::from_reader(text.as_bytes())
            .records()
            .map(|r| r.unwrap().iter().skip(1).map(|v| v.parse().unwrap()).collect())
            .collect();
        let column = |j: usize| rows.iter().map(|r| r[j]).collect();
        let x = DMatrix::from_fn(rows.len(), 3, |d, j| if j == 0 { 1.0 } else { rows[d][j + 1] });
        (column(0), column(1), x)
    }

    fn agree_with(text: &str, method: VarianceMethod) {
        let case: Value = serde_json::from_str(text).unwrap();
        let (direct, variances, covariates) = survey_a();
        let data = AreaData { direct: &direct, variances: &variances, covariates: &covariates };
        let fit = fay_herriot(&data, method).unwrap();
        let close = |got: f64, want: &Value| {
            let want = want.as_f64().unwrap();
            assert!((got - want).abs() <= 1e-9 * want.abs(), "{got} against {want}");
        };
        let model = &case["expected"]["model"];
        close(fit.between_variance, &model["refvar"]);
        close(fit.log_likelihood, &model["loglike"]);
        close(fit.aic, &model["AIC"]);
        close(fit.bic, &model["BIC"]);
        for (got, name) in fit.coefficients.iter().zip(["X(Intercept)", "Xtertiary", "Xurban_share"]) {
            close(*got, &model["coefficients"][name]);
        }
        for (got, name) in fit.standard_errors.iter().zip(["X(Intercept)", "Xtertiary", "Xurban_share"]) {
            close(*got, &model["se"][name]);
        }
        let rows = case["expected"]["rows"].as_array().unwrap();
        assert_eq!(rows.len(), fit.areas.len());
        for (area, row) in fit.areas.iter().zip(rows) {
            close(area.eblup, &row["eblup"]);
            close(area.mse, &row["mse"]);
            close(area.gamma, &row["gamma"]);
        }
    }

    /// R 4.2.2, sae 1.3: `mseFH(direct ~ tertiary + urban_share, vardir, method)` (S55, S56).
    #[test]
    fn the_area_models_of_r_are_met() {
        agree_with(include_str!("../../tests/golden/cases/S55.json"), VarianceMethod::Reml);
        agree_with(include_str!("../../tests/golden/cases/S56.json"), VarianceMethod::Ml);
    }

    #[test]
    fn the_moment_estimate_solves_its_equation() {
        let (direct, variances, covariates) = survey_a();
        let data = AreaData { direct: &direct, variances: &variances, covariates: &covariates };
        let fit = fay_herriot(&data, VarianceMethod::Moment).unwrap();
        let sum: f64 = fit
            .areas
            .iter()
            .map(|a| (a.direct - a.synthetic) * (a.direct - a.synthetic) / (fit.between_variance + a.variance))
            .sum();
        assert!((sum - 33.0).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn areas_that_differ_by_noise_alone_take_the_model() {
        let x = DMatrix::from_element(5, 1, 1.0);
        let data = AreaData { direct: &[1.0, 1.1, 0.9, 1.0, 1.05], variances: &[1.0; 5], covariates: &x };
        for method in [VarianceMethod::Reml, VarianceMethod::Ml, VarianceMethod::Moment] {
            let fit = fay_herriot(&data, method).unwrap();
            assert_eq!(fit.between_variance, 0.0);
            assert!(fit.areas.iter().all(|a| a.eblup == a.synthetic && a.model_share == 1.0));
        }
    }

    #[test]
    fn unusable_areas_are_named() {
        let x = DMatrix::from_element(3, 1, 1.0);
        let fault = |direct: &[f64], variances: &[f64], x: &DMatrix<f64>| {
            fay_herriot(&AreaData { direct, variances, covariates: x }, VarianceMethod::Reml).unwrap_err().to_string()
        };
        assert!(fault(&[1.0, 2.0, 3.0], &[1.0, 0.0, 1.0], &x).contains("area 1: the sampling variance is 0"));
        assert!(fault(&[1.0, f64::NAN, 3.0], &[1.0; 3], &x).contains("the direct estimate is NaN"));
        assert!(fault(&[1.0, 2.0], &[1.0; 3], &x).contains("2 direct estimates"));
        let square = DMatrix::identity(3, 3);
        assert!(fault(&[1.0, 2.0, 3.0], &[1.0; 3], &square).contains("cannot support"));
        let twice = DMatrix::from_element(3, 2, 1.0);
        assert!(fault(&[1.0, 2.0, 3.0], &[1.0; 3], &twice).contains("covariate column 1"));
    }

    #[test]
    fn a_benchmark_that_cannot_be_met_is_refused() {
        assert!(benchmark(&[0.0, 0.0], &[1.0, 1.0], 0.1, Benchmark::Ratio).is_err());
        assert!(benchmark(&[0.1, 0.2], &[1.0, -1.0], 0.1, Benchmark::Ratio).is_err());
        assert!(benchmark(&[0.1], &[1.0, 1.0], 0.1, Benchmark::Difference).is_err());
    }

    proptest! {
        #[test]
        fn every_estimate_lies_between_the_direct_and_the_synthetic(
            direct in prop::collection::vec(0.0..1.0f64, 12),
            variances in prop::collection::vec(0.0005..0.02f64, 12),
            covariate in prop::collection::vec(-1.0..1.0f64, 12),
        ) {
            let x = DMatrix::from_fn(12, 2, |d, j| if j == 0 { 1.0 } else { covariate[d] });
            let data = AreaData { direct: &direct, variances: &variances, covariates: &x };
            for method in [VarianceMethod::Reml, VarianceMethod::Ml, VarianceMethod::Moment] {
                let fit = fay_herriot(&data, method).unwrap();
                prop_assert!(fit.between_variance >= 0.0);
                for a in &fit.areas {
                    let (low, high) = (a.direct.min(a.synthetic), a.direct.max(a.synthetic));
                    prop_assert!(a.eblup >= low - 1e-12 && a.eblup <= high + 1e-12);
                    prop_assert!((a.gamma + a.model_share - 1.0).abs() < 1e-12 && a.mse.is_finite());
                }
            }
        }

        #[test]
        fn benchmarked_estimates_average_to_the_city(
            estimates in prop::collection::vec(0.01..0.9f64, 9), shares in prop::collection::vec(0.1..5.0f64, 9)
        ) {
            for method in [Benchmark::Ratio, Benchmark::Difference] {
                let moved = benchmark(&estimates, &shares, 0.15, method).unwrap();
                let mean: f64 = moved.iter().zip(&shares).map(|(e, w)| e * w).sum::<f64>() / shares.iter().sum::<f64>();
                prop_assert!((mean - 0.15).abs() < 1e-13);
            }
        }
    }
}
