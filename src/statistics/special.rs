//! Incomplete beta and gamma functions on the logarithmic scale, from `libm` alone.
//!
//! Notation: `a`, `b` shape parameters, `x` and `y = 1 - x` the two arguments of the beta function (both are given,
//! so that neither loses digits near its end), `L` the lower and `U = 1 - L` the upper tail.
//!
//! Both tails come back as natural logarithms, because a p-value of 1e-167 is an answer and `1 - cdf` is not. The
//! power-and-factorial prefactors use Loader's deviance form, in which no large logarithms cancel: shape parameters
//! of a million keep thirteen digits where a difference of log-gammas keeps eight. `statrs` computes the same
//! functions through the platform's `exp` and `ln`; results here must not depend on the platform.

use std::f64::consts::{LN_2, PI};

/// Natural logarithms of the two tails of a distribution at one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogTails {
    /// ln P(X ≤ x).
    pub lower: f64,
    /// ln P(X > x).
    pub upper: f64,
    /// ln of the density prefactor: `x^a y^b / B(a, b)` for beta, `x^a e^-x / Γ(a)` for gamma.
    pub prefactor: f64,
}

impl LogTails {
    fn from_lower(lower: f64, prefactor: f64) -> Self {
        let lower = lower.min(0.0);
        Self { lower, upper: log_complement(lower), prefactor }
    }

    fn from_upper(upper: f64, prefactor: f64) -> Self {
        let upper = upper.min(0.0);
        Self { lower: log_complement(upper), upper, prefactor }
    }

    fn nothing_below() -> Self {
        Self { lower: f64::NEG_INFINITY, upper: 0.0, prefactor: f64::NEG_INFINITY }
    }

    fn nothing_above() -> Self {
        Self { lower: 0.0, upper: f64::NEG_INFINITY, prefactor: f64::NEG_INFINITY }
    }
}

/// ln(1 - e^l) for l ≤ 0, by whichever of the two forms keeps the digits (Mächler 2012).
fn log_complement(l: f64) -> f64 {
    if l > -LN_2 { libm::log(-libm::expm1(l)) } else { libm::log1p(-libm::exp(l)) }
}

/// The error of Stirling's formula: ln Γ(z) − [(z − ½) ln z − z + ½ ln 2π].
///
/// Above 15 six terms of the asymptotic series leave less than 1e-16.
fn stirling_error(z: f64) -> f64 {
    if z < 15.0 {
        return libm::lgamma(z) - ((z - 0.5) * libm::log(z) - z + 0.5 * libm::log(2.0 * PI));
    }
    let s = 1.0 / (z * z);
    (1.0 / 12.0
        - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * (1.0 / 1680.0 - s * (1.0 / 1188.0 - s * 691.0 / 360_360.0)))))
        / z
}

/// Loader's deviance `x ln(x / m) + m − x`, without cancellation when `x` is near `m`.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * libm::log(x / m) + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut term = 2.0 * x * v;
    for j in 1..1000 {
        term *= v * v;
        let next = sum + term / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// ln of `x^a y^b / B(a, b)`.
fn log_beta_prefactor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    0.5 * libm::log(a / (2.0 * PI) * (b / n)) + stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * y)
}

/// ln of `x^a e^-x / Γ(a)`.
fn log_gamma_prefactor(a: f64, x: f64) -> f64 {
    0.5 * libm::log(a / (2.0 * PI)) - stirling_error(a) - deviance(a, x)
}

/// `c / (b₀ + a₁ / (b₁ + a₂ / (b₂ + …)))` by the modified Lentz method.
///
/// The number of terms grows with the square root of the larger shape; 200,000 covers shapes of 1e10.
fn continued_fraction(term: impl Fn(f64) -> (f64, f64), first: (f64, f64)) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = guard(first.1);
    let mut d = 0.0;
    let mut f = c;
    for m in 1..200_000 {
        let (numerator, denominator) = term(f64::from(m));
        d = 1.0 / guard(denominator + numerator * d);
        c = guard(denominator + numerator / c);
        let step = c * d;
        f *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    first.0 / f
}

/// I_x(a, b) divided by its prefactor, for x below the mean.
///
/// The fraction of DiDonato and Morris: its terms are built on `a y - b x`, which keeps its digits for huge shapes
/// where the textbook fraction subtracts two numbers near one.
fn beta_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let lambda = a * y - b * x + 1.0;
    let term = |m: f64| {
        let d = a + 2.0 * m - 1.0;
        let numerator = (m * (a + m - 1.0) / d) * ((a + b + m - 1.0) / d) * (b - m) * x * x;
        let denominator = m + m * (b - m) * x / d + (a + m) * (lambda + m * (1.0 + y)) / (a + 2.0 * m + 1.0);
        (numerator, denominator)
    };
    continued_fraction(term, (1.0, a * lambda / (a + 1.0)))
}

/// Both tails of the beta distribution with shapes `a`, `b` at `x`, where `y` is `1 - x`.
///
/// **Shapes and units**: `a, b > 0`; `x, y` in [0, 1] with `x + y = 1`; natural logarithms of probabilities.
///
/// **Errors**: none; a NaN argument gives NaN.
///
/// **Source**: Loader 2000 (prefactor); DiDonato and Morris 1992, equation 9 (continued fraction); agrees with R's
/// `pbeta(log.p = TRUE)`.
///
/// **Example**
/// ```
/// let tails = scilit::statistics::special::log_beta_tails(1.0, 1.0, 0.25, 0.75);
/// assert!((tails.lower.exp() - 0.25).abs() < 1e-15);
/// ```
pub fn log_beta_tails(a: f64, b: f64, x: f64, y: f64) -> LogTails {
    if x <= 0.0 {
        return LogTails::nothing_below();
    }
    if y <= 0.0 {
        return LogTails::nothing_above();
    }
    let prefactor = log_beta_prefactor(a, b, x, y);
    if x <= (a + 1.0) / (a + b + 2.0) {
        LogTails::from_lower(prefactor + libm::log(beta_fraction(a, b, x, y)), prefactor)
    } else {
        LogTails::from_upper(prefactor + libm::log(beta_fraction(b, a, y, x)), prefactor)
    }
}

/// P(a, x) divided by its prefactor: the power series, for x below a + 1.
fn gamma_series(a: f64, x: f64) -> f64 {
    let mut term = 1.0 / a;
    let mut sum = term;
    for k in 1..1_000_000 {
        term *= x / (a + f64::from(k));
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

/// Q(a, x) divided by its prefactor: the continued fraction, for x above a + 1.
fn gamma_fraction(a: f64, x: f64) -> f64 {
    continued_fraction(|k| (-k * (k - a), x + 2.0 * k + 1.0 - a), (1.0, x + 1.0 - a))
}

/// Both tails of the gamma distribution with shape `a` and unit rate at `x`.
///
/// **Shapes and units**: `a > 0`, `x ≥ 0`; natural logarithms of probabilities.
///
/// **Errors**: none; a NaN argument gives NaN.
///
/// **Source**: Loader 2000 (prefactor); Press et al. 2007, 6.2; agrees with R's `pgamma(log.p = TRUE)`.
///
/// **Example**
/// ```
/// let tails = scilit::statistics::special::log_gamma_tails(1.0, 2.0);
/// assert!((tails.upper + 2.0).abs() < 1e-15); // the exponential distribution: P(X > 2) = e^-2
/// ```
pub fn log_gamma_tails(a: f64, x: f64) -> LogTails {
    if x <= 0.0 {
        return LogTails::nothing_below();
    }
    if x == f64::INFINITY {
        return LogTails::nothing_above();
    }
    let prefactor = log_gamma_prefactor(a, x);
    if x < a + 1.0 {
        LogTails::from_lower(prefactor + libm::log(gamma_series(a, x)), prefactor)
    } else {
        LogTails::from_upper(prefactor + libm::log(gamma_fraction(a, x)), prefactor)
    }
}

/// Solves ln F(u) = ln p for a log-concave F by Newton's method.
///
/// ln F is concave and increasing, so a tangent never underestimates it: after one step every iterate lies at or
/// below the root and climbs to it, whatever the start. `slope` is d ln F / d u.
pub(super) fn solve_log_concave(start: f64, target: f64, at: impl Fn(f64) -> (f64, f64)) -> f64 {
    let mut u = start;
    for _ in 0..500 {
        let (value, slope) = at(u);
        let step = (value - target) / slope;
        if !step.is_finite() {
            return f64::NAN;
        }
        u -= step;
        if step.abs() <= 4e-16 * u.abs().max(1.0) {
            break;
        }
    }
    u
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_tails_of_a_beta_add_to_one() {
        for (a, b, x) in [(0.5, 90.0, 0.01), (3.0, 2.0, 0.9), (2000.0, 4000.0, 0.33), (1e6, 0.5, 0.999_999)] {
            let tails = log_beta_tails(a, b, x, 1.0 - x);
            assert!((libm::exp(tails.lower) + libm::exp(tails.upper) - 1.0).abs() < 1e-15, "{a} {b} {x}");
        }
    }

    #[test]
    fn stirling_error_is_smooth_where_its_two_forms_meet() {
        let by_log_gamma = |z: f64| libm::lgamma(z) - ((z - 0.5) * libm::log(z) - z + 0.5 * libm::log(2.0 * PI));
        assert!((stirling_error(15.0) - by_log_gamma(15.0)).abs() < 1e-14);
    }
}
