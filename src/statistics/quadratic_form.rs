//! Upper tails of weighted sums of chi-squared and F variables.
//!
//! Notation: `Q = Σ λ_i X_i` with independent `X_i` chi-squared on `m_i` df; `K(s) = −½ Σ m_i ln(1 − 2 s λ_i)` its
//! cumulant generating function; `s` runs left of `1 / (2 max λ)`.
//!
//! With a denominator on `d` df, `P(Σ λ_i X_i / (D/d) > x) = P(Σ λ_i X_i − (x/d) D > 0)`: one more, negative, term.

use std::f64::consts::PI;

use super::distribution::{chi_squared_upper, f_upper, normal_upper};

/// A weighted sum of independent chi-squared variables: pairs of a coefficient and its df.
#[derive(Debug, Clone, PartialEq)]
struct Form {
    terms: Vec<(f64, f64)>,
}

impl Form {
    /// The terms of `P(Σ λ X / (D/d) > x) = P(Q > 0)`, scaled so that the largest coefficient is one.
    fn against(x: f64, weights: &[f64], denominator_df: f64) -> Self {
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let mut terms: Vec<(f64, f64)> = weights.iter().filter(|l| **l > 0.0).map(|l| (l / largest, 1.0)).collect();
        terms.push((-x / denominator_df / largest, denominator_df));
        Self { terms }
    }

    fn cumulant(&self, s: f64) -> f64 {
        self.terms.iter().fold(0.0, |k, (l, m)| k - 0.5 * m * libm::log1p(-2.0 * s * l))
    }

    fn slope(&self, s: f64) -> f64 {
        self.terms.iter().fold(0.0, |k, (l, m)| k + m * l / (1.0 - 2.0 * s * l))
    }

    fn curvature(&self, s: f64) -> f64 {
        self.terms.iter().fold(0.0, |k, (l, m)| {
            let r = l / (1.0 - 2.0 * s * l);
            k + 2.0 * m * r * r
        })
    }

    /// The open interval in which K exists.
    fn range(&self) -> (f64, f64) {
        let bound = |sign: f64| {
            let steepest = self.terms.iter().map(|(l, _)| sign * l).fold(0.0, f64::max);
            sign / (2.0 * steepest)
        };
        (bound(-1.0), bound(1.0))
    }
}

/// The root of an increasing function by bisection to the last bit.
fn increasing_root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if f(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

fn usable(x: f64, weights: &[f64], denominator_df: f64) -> bool {
    x.is_finite()
        && denominator_df > 0.0
        && weights.iter().all(|l| l.is_finite() && *l >= 0.0)
        && weights.iter().any(|l| *l > 0.0)
}

/// P(Σ λ_i X_i / (D/d) > x), X_i chi-squared on one df, D on d: Satterthwaite's F with matched moments.
///
/// **Shapes and units**: weights ≥ 0, one at least positive; `denominator_df` may be infinite.
///
/// **Errors**: none; arguments out of range give NaN.
///
/// **Source**: Satterthwaite 1946; R `survey::pFsum(method = "satterthwaite")`.
///
/// **Example**
/// ```
/// use scilit::statistics::{distribution::f_upper, quadratic_form::satterthwaite_upper};
/// let p = satterthwaite_upper(6.0, &[1.0, 1.0], 10.0);
/// assert!((p - f_upper(3.0, 2.0, 10.0)).abs() < 1e-15);
/// ```
pub fn satterthwaite_upper(x: f64, weights: &[f64], denominator_df: f64) -> f64 {
    if !usable(x, weights, denominator_df) {
        return f64::NAN;
    }
    let sum = weights.iter().fold(0.0, |s, l| s + l);
    let squares = weights.iter().fold(0.0, |s, l| s + l * l);
    f_upper((x / sum).max(0.0), sum * sum / squares, denominator_df)
}

/// P(Σ λ_i X_i / (D/d) > x) by Lugannani and Rice's saddlepoint approximation in Barndorff-Nielsen's form.
///
/// **Shapes and units**: as [`satterthwaite_upper`].
///
/// **Errors**: none; arguments out of range give NaN. Where the saddlepoint is nearer to zero than 1e-4, the formula
/// loses its digits, and the answer is Satterthwaite's, as in R. A `denominator_df` below one gives NaN.
///
/// **Source**: Kuonen 1999; R `survey::pFsum(method = "saddlepoint")`, `pchisqsum` for an infinite `denominator_df`.
///
/// **Example**
/// ```
/// use scilit::statistics::{distribution::f_upper, quadratic_form::saddlepoint_upper};
/// let p = saddlepoint_upper(20.0, &[1.0, 1.0], 60.0);
/// assert!((p / f_upper(10.0, 2.0, 60.0) - 1.0).abs() < 0.1); // an approximation, good to a few percent
/// ```
pub fn saddlepoint_upper(x: f64, weights: &[f64], denominator_df: f64) -> f64 {
    if !usable(x, weights, denominator_df) || denominator_df < 1.0 {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    let approximation = if denominator_df == f64::INFINITY {
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let terms = weights.iter().filter(|l| **l > 0.0).map(|l| (l / largest, 1.0)).collect();
        barndorff_nielsen(&Form { terms }, x / largest)
    } else {
        let mut form = Form::against(x, weights, denominator_df);
        // R repeats the denominator's coefficient a whole number of times, its df without the fraction.
        form.terms.iter_mut().for_each(|(_, m)| *m = m.floor());
        barndorff_nielsen(&form, 0.0)
    };
    approximation.unwrap_or_else(|| satterthwaite_upper(x, weights, denominator_df))
}

fn barndorff_nielsen(form: &Form, x: f64) -> Option<f64> {
    // R's bracket and its tolerance of 1e-8, both kept: a tail of 1e-95 shows them in its seventh digit.
    let (low, high) = form.range();
    let low = if low.is_finite() {
        low * 0.99999
    } else if x > form.terms.iter().fold(0.0, |s, (l, m)| s + l * m) {
        -0.01
    } else {
        -form.terms.iter().fold(0.0, |s, (_, m)| s + m) / (2.0 * x)
    };
    let s = brent(low, high * 0.99999, 1e-8, |s| form.slope(s) - x)?;
    if s.abs() < 1e-4 {
        return None;
    }
    let w = s.signum() * (2.0 * (s * x - form.cumulant(s))).sqrt();
    let v = s * form.curvature(s).sqrt();
    Some(normal_upper(w + libm::log(v / w) / w))
}

/// A root of `f` between `a` and `b` by Brent's method, to within `tolerance`; `None` without a change of sign.
///
/// `b` is the best point so far, `a` the one before it, `c` a point beyond the root: Brent 1973, chapter 4, with the
/// stopping rule of R's `uniroot`.
fn brent(mut a: f64, mut b: f64, tolerance: f64, f: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut fa, mut fb) = (f(a), f(b));
    if fa * fb > 0.0 || fa.is_nan() || fb.is_nan() {
        return None;
    }
    let (mut c, mut fc) = (a, fa);
    for _ in 0..1000 {
        let before = b - a;
        if fc.abs() < fb.abs() {
            (a, b, c) = (b, c, b);
            (fa, fb, fc) = (fb, fc, fb);
        }
        let least = 2.0 * f64::EPSILON * b.abs() + tolerance / 2.0;
        let middle = (c - b) / 2.0;
        if middle.abs() <= least || fb == 0.0 {
            return Some(b);
        }
        let mut step = middle;
        if before.abs() >= least && fa.abs() > fb.abs() {
            step = interpolated([a, b, c], [fa, fb, fc], before, least).unwrap_or(middle);
        }
        if step.abs() < least {
            step = least.copysign(step);
        }
        (a, fa) = (b, fb);
        b += step;
        fb = f(b);
        if (fb > 0.0) == (fc > 0.0) && fb != 0.0 {
            (c, fc) = (a, fa);
        }
    }
    Some(b)
}

/// The secant or inverse quadratic step from `b`, unless it leaves the bracket or falls too slowly.
fn interpolated([a, b, c]: [f64; 3], [fa, fb, fc]: [f64; 3], before: f64, least: f64) -> Option<f64> {
    let across = c - b;
    let t = fb / fa;
    let (mut p, mut q) = if a == c {
        (across * t, 1.0 - t)
    } else {
        let (r, u) = (fa / fc, fb / fc);
        (t * (across * r * (r - u) - (b - a) * (u - 1.0)), (r - 1.0) * (u - 1.0) * (t - 1.0))
    };
    if p > 0.0 {
        q = -q;
    } else {
        p = -p;
    }
    let good = p < 0.75 * across * q - (least * q).abs() / 2.0 && p < (before * q / 2.0).abs();
    good.then(|| p / q)
}

/// P(Σ λ_i X_i / (D/d) > x), exact to about ten digits.
///
/// The inversion integral of the moment generating function runs along a line through the saddlepoint, where the
/// integrand does not oscillate, so a tail of 1e-100 keeps its relative accuracy. (Davies's algorithm, which R calls,
/// is good to an absolute 1e-7.)
///
/// **Shapes and units**: as [`satterthwaite_upper`].
///
/// **Errors**: none; arguments out of range give NaN.
///
/// **Source**: Rice 1980 (inversion through the saddlepoint); the quantity is that of R
/// `survey::pFsum(method = "integration")`.
///
/// **Example**
/// ```
/// use scilit::statistics::{distribution::f_upper, quadratic_form::exact_upper};
/// let p = exact_upper(20.0, &[1.0, 1.0], 60.0);
/// assert!((p / f_upper(10.0, 2.0, 60.0) - 1.0).abs() < 1e-9);
/// ```
pub fn exact_upper(x: f64, weights: &[f64], denominator_df: f64) -> f64 {
    if !usable(x, weights, denominator_df) {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    let first = weights.iter().copied().fold(0.0, f64::max);
    if weights.iter().all(|l| (l - first).abs() <= 1e-13 * first) {
        let k = weights.len() as f64;
        return if denominator_df == f64::INFINITY {
            chi_squared_upper(x / first, k)
        } else {
            f_upper(x / first / k, k, denominator_df)
        };
    }
    // A denominator on 1e15 df is the number one: the tail moves by less than 1e-8 of itself.
    inversion(&Form::against(x, weights, denominator_df.min(1e15)))
}

/// (1/π) ∫₀^∞ Re[exp K(c + it) / (c + it)] dt by the trapezoidal rule after t = a sinh u, halving until it settles.
fn inversion(form: &Form) -> f64 {
    let (_, high) = form.range();
    let c = increasing_root(0.0, high, |s| form.slope(s) - 1.0 / s);
    let peak = form.cumulant(c);
    let scale = 1.0 / (form.curvature(c) + 1.0 / (c * c)).sqrt();
    let at = |u: f64| scale * libm::cosh(u) * real_part(form, c, scale * libm::sinh(u), peak);
    let mut step = 0.5;
    let mut sum = 0.5 * at(0.0) + tail_sum(&at, step, step);
    let mut value = sum * step;
    for _ in 0..12 {
        sum += tail_sum(&at, 0.5 * step, step);
        step *= 0.5;
        let next = sum * step;
        let settled = (next - value).abs() <= 1e-13 * next.abs();
        value = next;
        if settled {
            break;
        }
    }
    libm::exp(peak) * value / PI
}

/// Sums the integrand at `first, first + step, …` until it has died away.
fn tail_sum(at: &impl Fn(f64) -> f64, first: f64, step: f64) -> f64 {
    let mut sum = 0.0;
    let mut small = 0;
    let mut u = first;
    while u < 700.0 && small < 5 {
        let value = at(u);
        sum += value;
        small = if value.abs() <= 1e-18 * sum.abs() { small + 1 } else { 0 };
        u += step;
    }
    sum
}

/// Re[exp(K(c + it) − peak) / (c + it)].
fn real_part(form: &Form, c: f64, t: f64, peak: f64) -> f64 {
    let (mut modulus, mut angle) = (-peak, 0.0);
    for (l, m) in &form.terms {
        let (re, im) = (1.0 - 2.0 * c * l, -2.0 * t * l);
        let ratio = im / re;
        modulus -= 0.5 * m * (libm::log1p(-2.0 * c * l) + 0.5 * libm::log1p(ratio * ratio));
        angle -= 0.5 * m * libm::atan(ratio);
    }
    let size = libm::exp(modulus) / (c * c + t * t);
    size * (c * libm::cos(angle) + t * libm::sin(angle))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_exact_tail_keeps_its_digits_far_out() {
        // Two pairs of equal weights are a sum of two exponentials: P = (a e^(-x/2a) - b e^(-x/2b)) / (a - b).
        let (a, b) = (2.0, 0.5);
        for x in [0.5, 5.0, 50.0, 300.0] {
            let exact = (a * libm::exp(-x / (2.0 * a)) - b * libm::exp(-x / (2.0 * b))) / (a - b);
            let got = exact_upper(x, &[a, a, b, b], f64::INFINITY);
            assert!((got / exact - 1.0).abs() < 1e-7, "{x}: {got:e} against {exact:e}");
        }
    }

    #[test]
    fn brents_method_finds_a_root_to_its_tolerance() {
        let root = brent(0.0, 2.0, 1e-12, |x| x * x * x - 2.0).unwrap();
        assert!((root - libm::cbrt(2.0)).abs() < 1e-12);
        assert_eq!(brent(2.0, 3.0, 1e-12, |x| x), None);
    }

    #[test]
    fn arguments_out_of_range_give_nan() {
        assert!(exact_upper(1.0, &[], 5.0).is_nan() && saddlepoint_upper(1.0, &[-1.0, 2.0], 5.0).is_nan());
        assert!(satterthwaite_upper(f64::NAN, &[1.0], 5.0).is_nan() && exact_upper(1.0, &[1.0], 0.0).is_nan());
    }

    proptest! {
        #[test]
        fn nearly_equal_weights_give_nearly_an_f(x in 0.1..60.0f64, d in 3.0..400.0f64) {
            let got = exact_upper(x, &[1.0, 1.0 + 1e-10, 1.0], d);
            prop_assert!((got / f_upper(x / 3.0, 3.0, d) - 1.0).abs() < 1e-7, "{got}");
        }

        #[test]
        fn an_exact_tail_falls(x in 0.1..30.0f64, l in 0.05..1.0f64, d in 2.0..300.0f64) {
            let (one, next) = (exact_upper(x, &[1.0, l], d), exact_upper(x * 1.1, &[1.0, l], d));
            prop_assert!(one > next && one < 1.0 && next > 0.0);
        }
    }
}
