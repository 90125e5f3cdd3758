//! Combining the estimates of several plausible values or imputations.
//!
//! Notation: `Q_m`, `U_m` estimate and variance of value m of M; `B` the variance between the `Q_m`;
//! `T = mean(U) + (1 + 1/M) B` the total variance.

use serde::Serialize;

/// Why plausible values cannot be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// Fewer than two values: there is no variance between them.
    #[error("combining plausible values needs at least two of them")]
    TooFewValues,
    /// As many variances as estimates are needed.
    #[error("{estimates} estimates but {variances} variances")]
    Lengths {
        /// Number of estimates.
        estimates: usize,
        /// Number of variances.
        variances: usize,
    },
    /// An estimate or variance that is not finite, or a negative variance.
    #[error("plausible value {0} has an estimate or a variance that is not a usable number")]
    NotANumber(usize),
}

/// The combined estimate with its variance split into its two parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Combined {
    /// Mean of the estimates.
    pub estimate: f64,
    /// Mean of the variances: what sampling contributes.
    pub within_variance: f64,
    /// Variance of the estimates: what measurement contributes, before the factor 1 + 1/M.
    pub between_variance: f64,
    /// Square root of the total variance.
    pub standard_error: f64,
    /// Share of the total variance that comes from measurement.
    pub fraction_imputation: f64,
    /// Rubin's degrees of freedom; infinite when the values agree exactly.
    pub df_rubin: f64,
}

/// Combines plausible values by Rubin's rules.
///
/// The estimate is the mean over the values; its variance is the mean sampling variance plus the variance between
/// the values times `1 + 1/M`.
///
/// **Shapes and units**: one estimate and one variance a value, at least two values.
///
/// **Errors**: [`CombineError::TooFewValues`], [`CombineError::Lengths`], [`CombineError::NotANumber`].
///
/// **Source**: Rubin 1987, chapter 3; R `mitools::MIcombine`.
///
/// **Example**
/// ```
/// let c = scilit::statistics::combine::rubin(&[0.4, 0.6], &[0.01, 0.03]).unwrap();
/// assert!((c.estimate - 0.5).abs() < 1e-15);
/// assert!((c.standard_error * c.standard_error - (0.02 + 1.5 * 0.02)).abs() < 1e-15);
/// ```
pub fn rubin(estimates: &[f64], variances: &[f64]) -> Result<Combined, CombineError> {
    check(estimates, variances)?;
    let m = estimates.len() as f64;
    let estimate = mean(estimates);
    let within = mean(variances);
    let between = estimates.iter().fold(0.0, |s, q| s + (q - estimate) * (q - estimate)) / (m - 1.0);
    let extra = (1.0 + 1.0 / m) * between;
    let total = within + extra;
    let ratio = 1.0 + within / extra;
    Ok(Combined {
        estimate,
        within_variance: within,
        between_variance: between,
        standard_error: total.sqrt(),
        fraction_imputation: if total > 0.0 { extra / total } else { 0.0 },
        df_rubin: if extra > 0.0 { (m - 1.0) * ratio * ratio } else { f64::INFINITY },
    })
}

fn check(estimates: &[f64], variances: &[f64]) -> Result<(), CombineError> {
    if estimates.len() != variances.len() {
        return Err(CombineError::Lengths { estimates: estimates.len(), variances: variances.len() });
    }
    if estimates.len() < 2 {
        return Err(CombineError::TooFewValues);
    }
    let bad = estimates.iter().zip(variances).position(|(q, u)| !q.is_finite() || !u.is_finite() || *u < 0.0);
    bad.map_or(Ok(()), |m| Err(CombineError::NotANumber(m)))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |s, v| s + v) / values.len() as f64
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// R 4.2.2, survey 4.5: five plausible values of survey A over the threshold 60, by region (S52).
    #[test]
    fn rubins_rules_give_the_numbers_of_r() {
        let case: Value = serde_json::from_str(include_str!("../../tests/golden/cases/S52.json")).unwrap();
        for row in case["expected"]["rows"].as_array().unwrap() {
            let list =
                |key: &str| -> Vec<f64> { row[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect() };
            let variances: Vec<f64> = list("per_value_se").iter().map(|s| s * s).collect();
            let got = rubin(&list("per_value"), &variances).unwrap();
            for (name, value) in [
                ("estimate", got.estimate),
                ("within_variance", got.within_variance),
                ("between_variance", got.between_variance),
                ("se", got.standard_error),
                ("fraction_imputation", got.fraction_imputation),
                ("df_rubin", got.df_rubin),
            ] {
                let want = row[name].as_f64().unwrap();
                assert!((value - want).abs() <= 1e-9 * want.abs(), "{name}: {value} against {want}");
            }
        }
    }

    #[test]
    fn values_that_agree_add_no_variance() {
        let c = rubin(&[0.25; 5], &[0.01; 5]).unwrap();
        assert_eq!((c.between_variance, c.fraction_imputation, c.df_rubin), (0.0, 0.0, f64::INFINITY));
    }

    #[test]
    fn one_value_alone_is_refused() {
        assert_eq!(rubin(&[0.3], &[0.1]), Err(CombineError::TooFewValues));
        assert_eq!(rubin(&[0.3, 0.4], &[0.1]), Err(CombineError::Lengths { estimates: 2, variances: 1 }));
        assert_eq!(rubin(&[0.3, 0.4], &[0.1, -0.1]), Err(CombineError::NotANumber(1)));
    }
}
