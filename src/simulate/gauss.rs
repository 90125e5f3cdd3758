//! The standard normal distribution and the logit, in the few forms that the city needs.

pub(super) use crate::statistics::distribution::{normal_cdf as cdf, normal_quantile as quantile};

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
