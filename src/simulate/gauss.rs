//! The standard normal distribution and the logit, in the few forms that the city needs.

use statrs::distribution::{ContinuousCDF, Normal};

/// P(Z < x).
pub(super) fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// The x with P(Z < x) = p, for p inside (0, 1).
pub(super) fn quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

pub(super) fn logit(p: f64) -> f64 {
    libm::log(p / (1.0 - p))
}

pub(super) fn expit(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_undone_by_the_distribution_function() {
        for p in [1e-6, 0.023, 0.1414, 0.5, 0.975] {
            assert!((cdf(quantile(p)) - p).abs() < 1e-12);
            assert!((expit(logit(p)) - p).abs() < 1e-14);
        }
    }
}
