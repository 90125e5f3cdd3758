//! The calibration distances as their response F(u), its slope and its integral.

use crate::statistics::{StatisticsError, plan::Distance};

/// F of a calibration distance: F(0) = 1, F'(0) = 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Response {
    /// F = 1 + u.
    Linear,
    /// F = 1 + u, cut off at the bounds.
    Bounded {
        /// The smallest factor.
        lower: f64,
        /// The largest.
        upper: f64,
    },
    /// F = exp(u).
    Raking,
    /// Smooth between bounds: F = (L(U-1) + U(1-L)e^{Au}) / (U-1 + (1-L)e^{Au}), A = (U-L) / ((1-L)(U-1)).
    Logit {
        /// L.
        lower: f64,
        /// U.
        upper: f64,
    },
}

impl Response {
    /// The response of a distance with its bounds.
    ///
    /// # Errors
    /// [`StatisticsError::Plan`]: logit without bounds, raking with bounds, bounds that do not enclose 1.
    pub fn new(distance: Distance, bounds: Option<[f64; 2]>) -> Result<Self, StatisticsError> {
        let fault = |reason: &str| Err(StatisticsError::plan("calibrate.bounds", reason));
        if bounds.is_some_and(|[lower, upper]| !(lower < 1.0 && upper > 1.0 && upper.is_finite())) {
            return fault("bounds of new over old weight enclose 1");
        }
        match (distance, bounds) {
            (Distance::Linear, None) => Ok(Self::Linear),
            (Distance::Linear, Some([lower, upper])) => Ok(Self::Bounded { lower, upper }),
            (Distance::Raking, None) => Ok(Self::Raking),
            (Distance::Raking, Some(_)) => fault("the raking distance has no bounds; use logit or linear"),
            (Distance::Logit, None) => fault("the logit distance needs bounds"),
            (Distance::Logit, Some([lower, upper])) => Ok(Self::Logit { lower, upper }),
        }
    }

    /// F(u).
    pub fn value(&self, u: f64) -> f64 {
        match *self {
            Self::Linear => 1.0 + u,
            Self::Bounded { lower, upper } => (1.0 + u).clamp(lower, upper),
            Self::Raking => libm::exp(u),
            Self::Logit { lower, upper } => {
                let share = logit_share(lower, upper, u);
                lower + (upper - lower) * share
            }
        }
    }

    /// F'(u).
    pub fn slope(&self, u: f64) -> f64 {
        match *self {
            Self::Linear => 1.0,
            Self::Bounded { lower, upper } => f64::from(u8::from((lower..=upper).contains(&(1.0 + u)))),
            Self::Raking => libm::exp(u),
            Self::Logit { lower, upper } => {
                let share = logit_share(lower, upper, u);
                logit_rate(lower, upper) * (upper - lower) * share * (1.0 - share)
            }
        }
    }

    /// The integral of F from 0 to u, up to a constant.
    pub fn integral(&self, u: f64) -> f64 {
        match *self {
            Self::Linear => u + 0.5 * u * u,
            Self::Bounded { lower, upper } => {
                let inside = u.clamp(lower - 1.0, upper - 1.0);
                inside + 0.5 * inside * inside + (u - inside) * (1.0 + u).clamp(lower, upper)
            }
            Self::Raking => libm::exp(u),
            Self::Logit { lower, upper } => {
                let rate = logit_rate(lower, upper);
                // log(U-1 + (1-L) e^{Au}) without overflow for large u.
                let log = if rate * u > 0.0 {
                    rate * u + libm::log((upper - 1.0) * libm::exp(-rate * u) + (1.0 - lower))
                } else {
                    libm::log((upper - 1.0) + (1.0 - lower) * libm::exp(rate * u))
                };
                lower * u + (upper - lower) / rate * log
            }
        }
    }
}

/// A.
fn logit_rate(lower: f64, upper: f64) -> f64 {
    (upper - lower) / ((1.0 - lower) * (upper - 1.0))
}

/// Where F lies between L and U.
fn logit_share(lower: f64, upper: f64, u: f64) -> f64 {
    1.0 / (1.0 + (upper - 1.0) / (1.0 - lower) * libm::exp(-logit_rate(lower, upper) * u))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Response; 4] = [
        Response::Linear,
        Response::Bounded { lower: 0.5, upper: 2.0 },
        Response::Raking,
        Response::Logit { lower: 0.6, upper: 1.6 },
    ];

    #[test]
    fn every_response_starts_at_one_with_slope_one() {
        for response in ALL {
            assert!((response.value(0.0) - 1.0).abs() < 1e-15, "{response:?}");
            assert!((response.slope(0.0) - 1.0).abs() < 1e-15, "{response:?}");
        }
    }

    #[test]
    fn slope_and_integral_belong_to_the_response() {
        let h = 1e-6;
        for response in ALL {
            for u in [-3.0, -0.2, 0.1, 0.7, 2.5] {
                let slope = (response.value(u + h) - response.value(u - h)) / (2.0 * h);
                assert!((slope - response.slope(u)).abs() < 1e-7, "{response:?} at {u}");
                let value = (response.integral(u + h) - response.integral(u - h)) / (2.0 * h);
                assert!((value - response.value(u)).abs() < 1e-6, "{response:?} at {u}");
            }
        }
    }

    #[test]
    fn bounds_must_enclose_one_and_fit_the_distance() {
        assert!(Response::new(Distance::Logit, None).is_err());
        assert!(Response::new(Distance::Logit, Some([1.1, 2.0])).is_err());
        assert!(Response::new(Distance::Raking, Some([0.5, 2.0])).is_err());
        assert!(Response::new(Distance::Linear, Some([0.5, f64::NAN])).is_err());
    }
}
