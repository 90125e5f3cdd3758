//! Weighted regression whose covariance the design supplies.
//!
//! Notation: `x_i` the row of the model matrix, `w_i` the weight, `y_i` the outcome, `μ_i` the fitted mean,
//! `A = Σ w_i v_i x_i x_iᵀ` with `v = μ(1-μ)` for the logistic and 1 for the linear model. A coefficient vector is a
//! smooth function of totals, so its design-based covariance is the covariance of the total of the influence values
//! `z_i = A⁻¹ x_i w_i (y_i − μ_i)`, by Taylor linearization over the design (Binder 1983). This module gives the `z_i`;
//! the design does the rest.

use nalgebra::DMatrix;
use serde::Serialize;

use super::{
    distribution::{f_upper, t_two_sided},
    linear_algebra::{LinearAlgebraError, cholesky, inverse_positive_definite, product, solve_lower},
};

/// Fisher scoring doubles the correct digits a step; a fit that needs more steps than this does not converge.
const ITERATIONS_MAX: usize = 100;
/// The fit stops when the deviance moves by less than this, relative; R's `glm.control(epsilon = 1e-14)`.
const DEVIANCE_TOLERANCE: f64 = 1e-14;
/// A fitted probability nearer to 0 or 1 than this means that a combination of columns separates the outcomes.
const SEPARATION: f64 = 1e-9;

/// Why a regression has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegressionError {
    /// A column that depends on the columns before it.
    #[error("column {0:?} of the model depends on the columns before it")]
    Redundant(String),
    /// The outcome is separated: the maximum likelihood estimate is infinite.
    #[error("the outcome is separated by the model (fitted probabilities of 0 or 1); the largest coefficient is {0:?}")]
    Separated(String),
    /// No convergence.
    #[error("no convergence after {0} iterations")]
    NoConvergence(usize),
    /// An outcome outside its range, or a weight that is negative or not finite.
    #[error("row {row}: {what} is {value}")]
    Value {
        /// The row, counted from 0.
        row: usize,
        /// What is wrong: the weight or the outcome.
        what: &'static str,
        /// The value as text.
        value: String,
    },
    /// As many outcomes and weights as rows are needed.
    #[error("the model has {rows} rows, but there are {outcomes} outcomes and {weights} weights")]
    Lengths {
        /// Rows of the model.
        rows: usize,
        /// Outcomes given.
        outcomes: usize,
        /// Weights given.
        weights: usize,
    },
    /// All weights are zero.
    #[error("no row has a positive weight")]
    NoWeight,
    /// A Wald test of columns whose covariance is singular or that do not exist.
    #[error("the covariance of the tested coefficients is singular")]
    SingularTest,
}

/// The columns of a model, borrowed: an intercept, 0/1 columns of factor levels, numbers.
///
/// Rows of weight zero take no part: their values, even NaN, are never looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regressors<'a> {
    /// One name a column, for messages.
    pub names: &'a [String],
    /// The columns, all as long as the outcome.
    pub columns: &'a [Vec<f64>],
}

impl Regressors<'_> {
    fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// `Σ_i w_i x_i x_iᵀ`, exactly symmetric, rows summed in order.
    fn cross_product(&self, weights: &[f64]) -> DMatrix<f64> {
        let k = self.columns.len();
        let mut out = DMatrix::zeros(k, k);
        for a in 0..k {
            for b in 0..=a {
                let (x, y) = (&self.columns[a], &self.columns[b]);
                let term = |(i, w): (usize, &f64)| if *w == 0.0 { 0.0 } else { w * x[i] * y[i] };
                let s = weights.iter().enumerate().map(term).fold(0.0, |s, v| s + v);
                out[(a, b)] = s;
                out[(b, a)] = s;
            }
        }
        out
    }

    /// `Σ_i v_i x_i` as a column, rows summed in order; rows with `v_i = 0` are left out.
    fn sum(&self, values: &[f64]) -> DMatrix<f64> {
        let term = |(x, v): (&f64, &f64)| if *v == 0.0 { 0.0 } else { x * v };
        let sum = |column: &Vec<f64>| column.iter().zip(values).map(term).fold(0.0, |s, t| s + t);
        DMatrix::from_iterator(self.columns.len(), 1, self.columns.iter().map(sum))
    }

    /// `x_i β` of every row.
    fn predict(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.rows()];
        for (column, b) in self.columns.iter().zip(coefficients) {
            for (o, x) in out.iter_mut().zip(column) {
                *o += b * x;
            }
        }
        out
    }
}

/// A fitted regression, ready for the design to give its covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// One coefficient a column of the model.
    pub coefficients: Vec<f64>,
    /// Fitted mean of every row.
    pub fitted: Vec<f64>,
    /// `A⁻¹` for weights scaled to mean one (over rows of positive weight).
    pub bread: DMatrix<f64>,
    /// Scaled `w_i (y_i − μ_i)` of every row: the row's score is this times `x_i`.
    pub residuals: Vec<f64>,
    /// Iterations until convergence; 1 for the linear model.
    pub iterations: usize,
}

impl Fit {
    /// The influence values `z_i = A⁻¹ x_i w_i (y_i − μ_i)`, one column a coefficient, zero for rows of weight zero.
    ///
    /// The covariance of the coefficients is the design covariance of the totals of these columns; the weights are
    /// inside them already.
    pub fn influence_columns(&self, model: Regressors<'_>) -> Vec<Vec<f64>> {
        let column = |a: usize| {
            let bread: Vec<f64> = (0..model.columns.len()).map(|b| self.bread[(a, b)]).collect();
            let term = |(x, r): (f64, &f64)| if *r == 0.0 { 0.0 } else { x * r };
            model.predict(&bread).into_iter().zip(&self.residuals).map(term).collect()
        };
        (0..model.columns.len()).map(column).collect()
    }
}

/// The rows of positive weight with their values.
fn live<'a>(values: &'a [f64], weights: &'a [f64]) -> impl Iterator<Item = (usize, f64)> + 'a {
    values.iter().copied().enumerate().filter(|(row, _)| weights[*row] > 0.0)
}

fn scaled_weights(model: Regressors<'_>, outcome: &[f64], weights: &[f64]) -> Result<Vec<f64>, RegressionError> {
    let fits = model.names.len() == model.columns.len() && model.columns.iter().all(|c| c.len() == model.rows());
    if !fits || outcome.len() != model.rows() || weights.len() != model.rows() {
        let (outcomes, weights) = (outcome.len(), weights.len());
        return Err(RegressionError::Lengths { rows: model.rows(), outcomes, weights });
    }
    for (row, w) in weights.iter().enumerate() {
        if !w.is_finite() || *w < 0.0 {
            return Err(RegressionError::Value { row, what: "the weight", value: w.to_string() });
        }
    }
    for (row, y) in live(outcome, weights) {
        if !y.is_finite() {
            return Err(RegressionError::Value { row, what: "the outcome", value: y.to_string() });
        }
        if let Some(j) = model.columns.iter().position(|c| !c[row].is_finite()) {
            let value = format!("{} in column {:?}", model.columns[j][row], model.names[j]);
            return Err(RegressionError::Value { row, what: "the model", value });
        }
    }
    let total = weights.iter().fold(0.0, |s, w| s + w);
    let rows = weights.iter().filter(|w| **w > 0.0).count();
    if rows == 0 {
        return Err(RegressionError::NoWeight);
    }
    let mean = total / rows as f64;
    Ok(weights.iter().map(|w| w / mean).collect())
}

fn inverse(model: Regressors<'_>, weights: &[f64]) -> Result<DMatrix<f64>, RegressionError> {
    inverse_positive_definite(&model.cross_product(weights)).map_err(|e| match e {
        LinearAlgebraError::Singular(j) => RegressionError::Redundant(model.names[j].clone()),
        LinearAlgebraError::Shape { .. } => RegressionError::NoWeight,
    })
}

/// Fits a weighted logistic regression by Fisher scoring.
///
/// Weights are scaled to mean one first: raw survey weights in the thousands make a plain fit diverge from its start
/// values in silence. A fit that is separated or does not settle is an error, never a number.
///
/// **Shapes and units**: outcomes in [0, 1] and weights ≥ 0, one a row; coefficients on the logit scale.
///
/// **Errors**: [`RegressionError::Redundant`], [`RegressionError::Separated`], [`RegressionError::NoConvergence`],
/// [`RegressionError::Value`], [`RegressionError::Lengths`], [`RegressionError::NoWeight`].
///
/// **Source**: McCullagh and Nelder 1989, 4.4; Binder 1983; R `svyglm(family = quasibinomial)`.
///
/// **Example**
/// ```
/// use scilit::statistics::regression::{Regressors, logistic};
/// let model = Regressors { names: &["(Intercept)".into()], columns: &[vec![1.0; 4]] };
/// let fit = logistic(model, &[1.0, 0.0, 0.0, 0.0], &[1.0; 4]).unwrap();
/// assert!((fit.coefficients[0] - (1.0f64 / 3.0).ln()).abs() < 1e-12); // logit of 1/4
/// ```
pub fn logistic(model: Regressors<'_>, outcome: &[f64], weights: &[f64]) -> Result<Fit, RegressionError> {
    let weights = scaled_weights(model, outcome, weights)?;
    if let Some((row, y)) = live(outcome, &weights).find(|(_, y)| !(0.0..=1.0).contains(y)) {
        return Err(RegressionError::Value { row, what: "the outcome", value: y.to_string() });
    }
    // Dependence is a property of the columns: look for it before the fit moves any variance to zero.
    inverse(model, &weights)?;
    let mut fitted: Vec<f64> = outcome.iter().zip(&weights).map(|(y, w)| (w * y + 0.5) / (w + 1.0)).collect();
    let mut predictor: Vec<f64> = fitted.iter().map(|mu| logit(*mu)).collect();
    let mut deviance = binomial_deviance(outcome, &fitted, &weights);
    for iterations in 1..=ITERATIONS_MAX {
        let step = scoring_step(model, outcome, &weights, &predictor, &fitted)?;
        predictor = model.predict(&step.coefficients);
        fitted = predictor.iter().map(|e| 1.0 / (1.0 + libm::exp(-e))).collect();
        refuse_separation(model, &step.coefficients, &fitted, &weights)?;
        let next = binomial_deviance(outcome, &fitted, &weights);
        let settled = (next - deviance).abs() < DEVIANCE_TOLERANCE * (next.abs() + 0.1);
        deviance = next;
        if settled {
            return Ok(step.finish(outcome, fitted, iterations));
        }
    }
    Err(RegressionError::NoConvergence(ITERATIONS_MAX))
}

fn logit(p: f64) -> f64 {
    libm::log(p / (1.0 - p))
}

/// One weighted least-squares step with the working weights it was made with.
struct Step {
    coefficients: Vec<f64>,
    bread: DMatrix<f64>,
    working: Vec<f64>,
}

impl Step {
    /// R's `glm` keeps the working weights of its last step in both the bread and the scores, though the fitted means
    /// are one step newer. At convergence the two differ by 1e-8 relative; the p-values of strong effects show it.
    fn finish(self, outcome: &[f64], fitted: Vec<f64>, iterations: usize) -> Fit {
        let residual =
            |((y, mu), v): ((&f64, &f64), &f64)| if *v == 0.0 { 0.0 } else { v * (y - mu) / (mu * (1.0 - mu)) };
        let residuals = outcome.iter().zip(&fitted).zip(&self.working).map(residual).collect();
        Fit { coefficients: self.coefficients, fitted, bread: self.bread, residuals, iterations }
    }
}

fn scoring_step(
    model: Regressors<'_>,
    outcome: &[f64],
    weights: &[f64],
    predictor: &[f64],
    fitted: &[f64],
) -> Result<Step, RegressionError> {
    let mut working = vec![0.0; weights.len()];
    let mut response = vec![0.0; weights.len()];
    for (row, w) in live(weights, weights) {
        let mu = fitted[row];
        working[row] = w * mu * (1.0 - mu);
        response[row] = working[row] * predictor[row] + w * (outcome[row] - mu);
    }
    let bread = inverse(model, &working)?;
    let coefficients = product(&bread, &model.sum(&response)).iter().copied().collect();
    Ok(Step { coefficients, bread, working })
}

fn refuse_separation(
    model: Regressors<'_>,
    coefficients: &[f64],
    fitted: &[f64],
    weights: &[f64],
) -> Result<(), RegressionError> {
    let extreme = |mu: f64| !(SEPARATION..=1.0 - SEPARATION).contains(&mu);
    if !fitted.iter().zip(weights).any(|(mu, w)| *w > 0.0 && extreme(*mu)) {
        return Ok(());
    }
    let largest = (0..coefficients.len()).max_by(|a, b| coefficients[*a].abs().total_cmp(&coefficients[*b].abs()));
    Err(RegressionError::Separated(largest.map_or_else(String::new, |j| model.names[j].clone())))
}

/// Twice the weighted Kullback-Leibler divergence of the fit from the outcomes, by compensated summation: the stopping
/// rule looks at its fifteenth digit.
fn binomial_deviance(outcome: &[f64], fitted: &[f64], weights: &[f64]) -> f64 {
    let part = |y: f64, mu: f64| if y > 0.0 { y * libm::log(y / mu) } else { 0.0 };
    let (mut sum, mut lost) = (0.0f64, 0.0);
    for (row, y) in live(outcome, weights) {
        let term = 2.0 * weights[row] * (part(y, fitted[row]) + part(1.0 - y, 1.0 - fitted[row]));
        let next = sum + term;
        lost += if sum.abs() >= term.abs() { (sum - next) + term } else { (term - next) + sum };
        sum = next;
    }
    sum + lost
}

/// Fits a weighted linear regression.
///
/// **Shapes and units**: finite outcomes and weights ≥ 0, one a row; coefficients in units of the outcome.
///
/// **Errors**: [`RegressionError::Redundant`], [`RegressionError::Value`], [`RegressionError::Lengths`],
/// [`RegressionError::NoWeight`].
///
/// **Source**: Fuller 1975; R `svyglm(family = gaussian)`.
///
/// **Example**
/// ```
/// use scilit::statistics::regression::{Regressors, linear};
/// let names = ["(Intercept)".into(), "x".into()];
/// let model = Regressors { names: &names, columns: &[vec![1.0; 3], vec![0.0, 1.0, 2.0]] };
/// let fit = linear(model, &[1.0, 3.0, 5.0], &[1.0, 7.0, 2.0]).unwrap();
/// assert!((fit.coefficients[1] - 2.0).abs() < 1e-12);
/// ```
pub fn linear(model: Regressors<'_>, outcome: &[f64], weights: &[f64]) -> Result<Fit, RegressionError> {
    let weights = scaled_weights(model, outcome, weights)?;
    let bread = inverse(model, &weights)?;
    let times =
        |a: &[f64]| -> Vec<f64> { a.iter().zip(&weights).map(|(a, w)| if *w == 0.0 { 0.0 } else { a * w }).collect() };
    let coefficients: Vec<f64> = product(&bread, &model.sum(&times(outcome))).iter().copied().collect();
    let fitted = model.predict(&coefficients);
    let errors: Vec<f64> = outcome.iter().zip(&fitted).map(|(y, mu)| y - mu).collect();
    Ok(Fit { coefficients, residuals: times(&errors), fitted, bread, iterations: 1 })
}

/// One coefficient with its test of zero.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoefficientTest {
    /// The coefficient.
    pub estimate: f64,
    /// Its design-based standard error.
    pub standard_error: f64,
    /// Estimate divided by standard error.
    pub t: f64,
    /// Two-sided p-value.
    pub p_value: f64,
}

/// The residual degrees of freedom of a design-based regression: design df + 1 − coefficients.
///
/// **Shapes and units**: counts. **Errors**: none; may be zero or negative, and then no test is defined.
/// **Source**: R `svyglm(...)$df.residual`.
/// **Example**
/// ```
/// assert_eq!(scilit::statistics::regression::residual_df(180.0, 11), 170.0);
/// ```
pub fn residual_df(design_df: f64, n_coefficients: usize) -> f64 {
    design_df + 1.0 - n_coefficients as f64
}

/// Tests every coefficient against zero.
///
/// **Shapes and units**: `covariance` square in the order of `coefficients`; `df` from [`residual_df`].
///
/// **Errors**: none; without df or variance the p-value is NaN.
///
/// **Source**: R `summary(svyglm(...))$coefficients`.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// let v = DMatrix::from_row_slice(1, 1, &[4.0]);
/// let tests = scilit::statistics::regression::coefficient_tests(&[2.0], &v, 1.0);
/// assert!((tests[0].t - 1.0).abs() < 1e-15 && (tests[0].p_value - 0.5).abs() < 1e-14);
/// ```
pub fn coefficient_tests(coefficients: &[f64], covariance: &DMatrix<f64>, df: f64) -> Vec<CoefficientTest> {
    let test = |(j, estimate): (usize, &f64)| {
        let standard_error = covariance[(j, j)].sqrt();
        let t = estimate / standard_error;
        CoefficientTest { estimate: *estimate, standard_error, t, p_value: t_two_sided(t, df) }
    };
    coefficients.iter().enumerate().map(test).collect()
}

/// A joint test that several coefficients are zero.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaldTest {
    /// The F statistic.
    pub f: f64,
    /// Numerator df: how many coefficients are tested.
    pub df1: f64,
    /// Denominator df.
    pub df2: f64,
    /// P(F > f).
    pub p_value: f64,
}

/// The Wald test that the coefficients at `columns` are all zero.
///
/// **Shapes and units**: `covariance` square in the order of `coefficients`; `df` from [`residual_df`].
///
/// **Errors**: [`RegressionError::SingularTest`].
///
/// **Source**: R `regTermTest(m, ~term, method = "Wald")`.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// let v = DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, 4.0]);
/// let test = scilit::statistics::regression::wald_test(&[3.0, 2.0], &v, &[0, 1], 50.0).unwrap();
/// assert!((test.f - 5.0).abs() < 1e-14); // (9/1 + 4/4) / 2
/// ```
pub fn wald_test(
    coefficients: &[f64],
    covariance: &DMatrix<f64>,
    columns: &[usize],
    df: f64,
) -> Result<WaldTest, RegressionError> {
    let k = columns.len();
    let v = DMatrix::from_fn(k, k, |i, j| covariance[(columns[i], columns[j])]);
    let b = DMatrix::from_fn(k, 1, |i, _| coefficients[columns[i]]);
    let root = cholesky(&v).map_err(|_| RegressionError::SingularTest)?;
    let chi_squared = solve_lower(&root, &b).iter().fold(0.0, |s, u| s + u * u);
    let df1 = k as f64;
    let f = chi_squared / df1;
    Ok(WaldTest { f, df1, df2: df, p_value: f_upper(f, df1, df) })
}

#[cfg(test)]
mod tests;
