//! Comparisons between estimates, and between an estimate and a target.
//!
//! Notation: `θ` the estimates, `V` their covariance, `L` a row of coefficients, `g` the gradient of an expression.
//! A linear contrast has variance `L V Lᵀ`, an expression `g V gᵀ` (delta method); intervals and p-values use the t
//! distribution with the df of the whole design, not of a domain.

use nalgebra::DMatrix;
use serde::Serialize;

use super::{
    distribution::t_two_sided,
    expression::{ExpressionError, evaluate},
    interval::{Interval, NoInterval, t_interval},
    linear_algebra::sandwich,
};

/// Why a contrast cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ContrastError {
    /// The covariance does not belong to the estimates.
    #[error("{estimates} estimates with a covariance matrix of {rows} × {columns}")]
    Shape {
        /// Number of estimates.
        estimates: usize,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// The coefficients do not belong to the estimates.
    #[error("{coefficients} coefficients for {estimates} estimates")]
    Coefficients {
        /// Number of coefficients.
        coefficients: usize,
        /// Number of estimates.
        estimates: usize,
    },
    /// The expression cannot be read.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// The contrast has no finite value or a variance that is not a number.
    #[error("the contrast has no finite value")]
    NotFinite,
}

/// A contrast with its standard error and test of zero.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contrast {
    /// The value of the contrast.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of the design.
    pub df: f64,
    /// Estimate divided by standard error; absent when the standard error is zero.
    pub t: Option<f64>,
    /// Two-sided p-value of "the contrast is zero"; absent without t or df.
    pub p_value: Option<f64>,
    /// The t interval, or the reason why there is none.
    #[serde(skip)]
    pub interval: Result<Interval, NoInterval>,
}

fn checked(estimates: &[f64], covariance: &DMatrix<f64>) -> Result<(), ContrastError> {
    let (rows, columns) = covariance.shape();
    if (rows, columns) == (estimates.len(), estimates.len()) {
        return Ok(());
    }
    Err(ContrastError::Shape { estimates: estimates.len(), rows, columns })
}

/// A contrast from its value and its gradient by the estimates.
fn by_gradient(
    value: f64,
    gradient: &[f64],
    covariance: &DMatrix<f64>,
    df: f64,
    level: f64,
) -> Result<Contrast, ContrastError> {
    let row = DMatrix::from_row_slice(1, gradient.len(), gradient);
    let variance = sandwich(&row, covariance)[(0, 0)];
    if !value.is_finite() || !variance.is_finite() {
        return Err(ContrastError::NotFinite);
    }
    // Two estimates that are one and the same leave a variance of zero, up to rounding on either side of it.
    let standard_error = variance.max(0.0).sqrt();
    let t = (standard_error > 0.0).then(|| value / standard_error);
    Ok(Contrast {
        estimate: value,
        standard_error,
        df,
        t,
        p_value: t.filter(|_| df > 0.0).map(|t| t_two_sided(t, df)),
        interval: t_interval(value, standard_error, df, level),
    })
}

/// The linear contrast `L θ` with variance `L V Lᵀ`.
///
/// **Shapes and units**: one coefficient an estimate; `covariance` square in the same order; `df` of the design;
/// `level` in (0, 1).
///
/// **Errors**: [`ContrastError::Shape`], [`ContrastError::Coefficients`], [`ContrastError::NotFinite`].
///
/// **Source**: Lumley 2010, 5.2; R `svycontrast(b, list(c = L))`.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::contrast::linear;
/// let v = DMatrix::from_row_slice(2, 2, &[4.0, 0.0, 0.0, 5.0]);
/// let c = linear(&[1.0, -1.0], &[10.0, 4.0], &v, 20.0, 0.95).unwrap();
/// assert_eq!((c.estimate, c.standard_error, c.t), (6.0, 3.0, Some(2.0)));
/// ```
pub fn linear(
    coefficients: &[f64],
    estimates: &[f64],
    covariance: &DMatrix<f64>,
    df: f64,
    level: f64,
) -> Result<Contrast, ContrastError> {
    checked(estimates, covariance)?;
    if coefficients.len() != estimates.len() {
        return Err(ContrastError::Coefficients { coefficients: coefficients.len(), estimates: estimates.len() });
    }
    let value = coefficients.iter().zip(estimates).fold(0.0, |s, (l, e)| s + l * e);
    by_gradient(value, coefficients, covariance, df, level)
}

/// A contrast written as an expression of the estimates, by the delta method.
///
/// **Shapes and units**: one key an estimate; `covariance` square in the same order; `df` of the design; `level` in
/// (0, 1). The grammar stands in [`super::expression`].
///
/// **Errors**: [`ContrastError::Shape`], [`ContrastError::Expression`], [`ContrastError::NotFinite`].
///
/// **Source**: Lumley 2010, 5.2; R `svycontrast(b, list(c = quote(...)))`.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::contrast::expression;
/// let v = DMatrix::from_row_slice(2, 2, &[0.04, 0.0, 0.0, 0.0]);
/// let c = expression("{city}/{village}", &["city", "village"], &[0.6, 0.2], &v, 20.0, 0.95).unwrap();
/// assert!((c.estimate - 3.0).abs() < 1e-12 && (c.standard_error - 1.0).abs() < 1e-12);
/// ```
pub fn expression<K: AsRef<str>>(
    text: &str,
    keys: &[K],
    estimates: &[f64],
    covariance: &DMatrix<f64>,
    df: f64,
    level: f64,
) -> Result<Contrast, ContrastError> {
    checked(estimates, covariance)?;
    if keys.len() != estimates.len() {
        return Err(ContrastError::Coefficients { coefficients: keys.len(), estimates: estimates.len() });
    }
    let dual = evaluate(text, keys, estimates)?;
    by_gradient(dual.value, &dual.gradient, covariance, df, level)
}

/// The difference of estimates `i` and `j`, θ_i − θ_j.
///
/// **Shapes and units**: positions in `estimates`; otherwise as [`linear`].
///
/// **Errors**: as [`linear`].
///
/// **Source**: as [`linear`].
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// let v = DMatrix::from_row_slice(2, 2, &[4.0, 0.0, 0.0, 5.0]);
/// assert_eq!(scilit::statistics::contrast::difference(1, 0, &[1.0, 3.0], &v, 9.0, 0.95).unwrap().estimate, 2.0);
/// ```
pub fn difference(
    i: usize,
    j: usize,
    estimates: &[f64],
    covariance: &DMatrix<f64>,
    df: f64,
    level: f64,
) -> Result<Contrast, ContrastError> {
    let mut coefficients = vec![0.0; estimates.len()];
    coefficients[i] += 1.0;
    coefficients[j] -= 1.0;
    linear(&coefficients, estimates, covariance, df, level)
}

/// The ratio θ_i / θ_j.
///
/// **Shapes and units**: as [`difference`].
///
/// **Errors**: as [`expression`]; [`ContrastError::NotFinite`] where θ_j is zero.
///
/// **Source**: as [`expression`].
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// let v = DMatrix::from_row_slice(2, 2, &[4.0, 0.0, 0.0, 0.0]);
/// assert_eq!(scilit::statistics::contrast::ratio(0, 1, &[6.0, 2.0], &v, 9.0, 0.95).unwrap().standard_error, 1.0);
/// ```
pub fn ratio(
    i: usize,
    j: usize,
    estimates: &[f64],
    covariance: &DMatrix<f64>,
    df: f64,
    level: f64,
) -> Result<Contrast, ContrastError> {
    checked(estimates, covariance)?;
    let (a, b) = (estimates[i], estimates[j]);
    let mut gradient = vec![0.0; estimates.len()];
    gradient[i] += 1.0 / b;
    gradient[j] -= a / (b * b);
    by_gradient(a / b, &gradient, covariance, df, level)
}

/// The log odds ratio ln[p_i/(1-p_i)] − ln[p_j/(1-p_j)] of two proportions.
///
/// **Shapes and units**: as [`difference`]; proportions strictly between 0 and 1.
///
/// **Errors**: as [`expression`]; [`ContrastError::NotFinite`] where a proportion is 0 or 1.
///
/// **Source**: as [`expression`].
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// let v = DMatrix::from_row_slice(2, 2, &[0.01, 0.0, 0.0, 0.01]);
/// let c = scilit::statistics::contrast::log_odds_ratio(0, 1, &[0.5, 0.5], &v, 9.0, 0.95).unwrap();
/// assert_eq!(c.estimate, 0.0);
/// assert!((c.standard_error - 0.4 * 2.0f64.sqrt()).abs() < 1e-15);
/// ```
pub fn log_odds_ratio(
    i: usize,
    j: usize,
    estimates: &[f64],
    covariance: &DMatrix<f64>,
    df: f64,
    level: f64,
) -> Result<Contrast, ContrastError> {
    checked(estimates, covariance)?;
    let (p, q) = (estimates[i], estimates[j]);
    let logit = |p: f64| libm::log(p / (1.0 - p));
    let mut gradient = vec![0.0; estimates.len()];
    gradient[i] += 1.0 / (p * (1.0 - p));
    gradient[j] -= 1.0 / (q * (1.0 - q));
    by_gradient(logit(p) - logit(q), &gradient, covariance, df, level)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    struct Reference {
        case: Value,
        keys: Vec<String>,
        estimates: Vec<f64>,
        covariance: DMatrix<f64>,
    }

    fn read(text: &str) -> Reference {
        let case: Value = serde_json::from_str(text).unwrap();
        let expected = &case["expected"];
        let estimates: Vec<f64> =
            expected["estimates"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let keys = expected["keys"].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect();
        let covariance =
            DMatrix::from_fn(estimates.len(), estimates.len(), |i, j| expected["vcov"][i][j].as_f64().unwrap());
        Reference { keys, estimates, covariance, case }
    }

    fn contrast_of(r: &Reference, plan: &Value, df: f64) -> Contrast {
        if let Some(text) = plan["expression"].as_str() {
            return expression(text, &r.keys, &r.estimates, &r.covariance, df, 0.95).unwrap();
        }
        let mut coefficients = vec![0.0; r.keys.len()];
        for c in plan["coefficients"].as_array().unwrap() {
            let at = r.keys.iter().position(|k| k == c["key"].as_str().unwrap()).unwrap();
            coefficients[at] = c["coefficient"].as_f64().unwrap();
        }
        linear(&coefficients, &r.estimates, &r.covariance, df, 0.95).unwrap()
    }

    fn agree_with(text: &str) {
        let r = read(text);
        let plans = r.case["case"]["estimator"]["contrasts"].as_array().unwrap();
        let rows = r.case["expected"]["rows"].as_array().unwrap();
        assert_eq!(plans.len(), rows.len());
        for (plan, row) in plans.iter().zip(rows) {
            let number = |key: &str| row[key].as_f64().unwrap();
            let got = contrast_of(&r, plan, number("df"));
            let interval = got.interval.unwrap();
            for (got, want) in [
                (got.estimate, number("estimate")),
                (got.standard_error, number("se")),
                (got.t.unwrap(), number("t")),
                (got.p_value.unwrap(), number("p_value")),
                (interval.low, row["ci"]["t"][0].as_f64().unwrap()),
                (interval.high, row["ci"]["t"][1].as_f64().unwrap()),
            ] {
                // The p-value multiplies the fifteen printed digits of the covariance by its own steepness.
                assert!((got - want).abs() <= 1e-10 * want.abs(), "{row}: {got} against {want}");
            }
        }
    }

    /// R 4.2.2, survey 4.5: differences, a ratio, a log odds ratio; inside the same PSUs; between waves.
    #[test]
    fn the_contrasts_of_r_are_met() {
        agree_with(include_str!("../../tests/golden/cases/S43.json"));
        agree_with(include_str!("../../tests/golden/cases/S44.json"));
        agree_with(include_str!("../../tests/golden/cases/S45.json"));
    }

    #[test]
    fn the_named_contrasts_are_the_written_ones() {
        let r = read(include_str!("../../tests/golden/cases/S44.json"));
        let written = |text: &str| expression(text, &["F", "M"], &r.estimates, &r.covariance, 180.0, 0.95).unwrap();
        let close = |a: Contrast, b: Contrast| {
            assert!((a.estimate - b.estimate).abs() < 1e-15 && (a.standard_error - b.standard_error).abs() < 1e-15);
        };
        let (e, v) = (&r.estimates, &r.covariance);
        close(difference(1, 0, e, v, 180.0, 0.95).unwrap(), written("{M} - {F}"));
        close(ratio(1, 0, e, v, 180.0, 0.95).unwrap(), written("{M}/{F}"));
        close(log_odds_ratio(1, 0, e, v, 180.0, 0.95).unwrap(), written("log({M}/(1-{M})) - log({F}/(1-{F}))"));
    }

    #[test]
    fn a_ratio_to_zero_is_refused() {
        let v = DMatrix::identity(2, 2);
        assert_eq!(ratio(0, 1, &[1.0, 0.0], &v, 5.0, 0.95), Err(ContrastError::NotFinite));
        assert_eq!(log_odds_ratio(0, 1, &[1.0, 0.5], &v, 5.0, 0.95), Err(ContrastError::NotFinite));
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let v = DMatrix::identity(2, 2);
        assert!(matches!(linear(&[1.0], &[1.0, 2.0], &v, 5.0, 0.95), Err(ContrastError::Coefficients { .. })));
        assert!(matches!(linear(&[1.0; 3], &[1.0; 3], &v, 5.0, 0.95), Err(ContrastError::Shape { .. })));
    }

    proptest! {
        #[test]
        fn a_difference_changes_sign_with_its_order(a in 0.0..1.0f64, b in 0.0..1.0f64, c in -0.9..0.9f64) {
            let v = DMatrix::from_row_slice(2, 2, &[1.0, c, c, 1.0]);
            let one = difference(0, 1, &[a, b], &v, 7.0, 0.9).unwrap();
            let other = difference(1, 0, &[a, b], &v, 7.0, 0.9).unwrap();
            prop_assert_eq!(one.estimate, -other.estimate);
            prop_assert_eq!(one.p_value, other.p_value);
        }
    }
}
