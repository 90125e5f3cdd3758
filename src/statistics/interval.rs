//! Confidence intervals for proportions, means and totals, with the t quantile of the design df.
//!
//! Notation: `p` the estimate, `V` its variance, `t` the quantile `t_{1-α/2, df}`, `neff = p(1-p)/V` the effective
//! sample size, `n` the rows behind the estimate. The seven methods are those of R's `svyciprop`; none of them is
//! defined at p = 0, at p = 1, without variance or without degrees of freedom, and there the answer is the reason.
//! The capped Korn-Graubard interval, which is defined there, stands in [`super::presentation`].

use std::{f64::consts::FRAC_PI_2, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::distribution::{beta_quantile, t_quantile};

/// The two ends of a confidence interval, in the units of the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// The distance between the ends.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Whether the value lies inside, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// How an interval is made: the plain one of means and totals, or one of the seven of a proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IntervalMethod {
    /// Wald on the logit scale of a logistic fit; the default.
    Logit,
    /// Inverted binomial likelihood ratio with a Rao-Scott denominator.
    Likelihood,
    /// Wald on the arcsine square-root scale.
    Asin,
    /// Korn-Graubard: Clopper-Pearson with the effective sample size, not capped.
    Beta,
    /// Wald on the scale of the proportion; may leave [0, 1].
    Mean,
    /// Wald on the logit scale of the weighted mean.
    Xlogit,
    /// Wilson's score interval with the effective sample size.
    Wilson,
    /// The estimate plus and minus t standard errors: what means and totals have; for a proportion it is called `mean`.
    T,
}

impl IntervalMethod {
    /// The seven methods of a proportion, in the order in which plans list them.
    pub const ALL: [Self; 7] =
        [Self::Logit, Self::Likelihood, Self::Asin, Self::Beta, Self::Mean, Self::Xlogit, Self::Wilson];

    /// The method's name in plans and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::Likelihood => "likelihood",
            Self::Asin => "asin",
            Self::Beta => "beta",
            Self::Mean => "mean",
            Self::Xlogit => "xlogit",
            Self::Wilson => "wilson",
            Self::T => "t",
        }
    }
}

impl fmt::Display for IntervalMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for IntervalMethod {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        Self::ALL.into_iter().find(|m| m.name() == name).ok_or_else(|| UnknownMethod(name.to_owned()))
    }
}

/// A name that no interval method has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown interval method {0:?}: known are logit, likelihood, asin, beta, mean, xlogit and wilson")]
pub struct UnknownMethod(pub String);

/// Why an interval cannot be given. The estimate itself may still stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoInterval {
    /// The estimated proportion is 0 or 1.
    #[error("the proportion is 0 or 1, where no interval method of this kind is defined")]
    Boundary,
    /// The design has no degrees of freedom here.
    #[error("no degrees of freedom")]
    NoDegreesOfFreedom,
    /// The variance is zero.
    #[error("the variance is zero")]
    NoVariance,
    /// A method that uses the row count has fewer than two rows.
    #[error("fewer than two rows")]
    TooFewRows,
    /// The estimate or its standard error is NaN, infinite or negative, or the proportion is outside [0, 1].
    #[error("the estimate or its standard error is not a usable number")]
    NotANumber,
    /// The confidence level is not strictly between 0 and 1.
    #[error("the confidence level is not between 0 and 1")]
    Level,
}

/// An estimated proportion with all that its intervals need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    /// The estimate p, in [0, 1].
    pub estimate: f64,
    /// Its standard error, √V.
    pub standard_error: f64,
    /// Degrees of freedom of the design (in the domain).
    pub df: f64,
    /// Rows behind the estimate; `beta` and `likelihood` use it (R takes all rows of a calibrated design).
    pub n: f64,
    /// Standard error of logit(p) where it was estimated on its own, by replicates; `logit` uses it if given, else
    /// the linearised `√V / (p(1-p))`.
    pub logit_standard_error: Option<f64>,
}

impl Proportion {
    fn variance(&self) -> f64 {
        self.standard_error * self.standard_error
    }

    /// Effective sample size `p(1-p)/V`.
    pub fn effective_n(&self) -> f64 {
        self.estimate * (1.0 - self.estimate) / self.variance()
    }

    fn check(&self) -> Result<(), NoInterval> {
        check_estimate(self.estimate, self.standard_error, self.df)?;
        if !(0.0..=1.0).contains(&self.estimate) {
            return Err(NoInterval::NotANumber);
        }
        // A weighted mean of ones can miss 1 by rounding; R's own guard is the same 1e-12.
        if self.estimate < 1e-12 || self.estimate > 1.0 - 1e-12 {
            return Err(NoInterval::Boundary);
        }
        if self.df <= 0.0 {
            return Err(NoInterval::NoDegreesOfFreedom);
        }
        if self.standard_error == 0.0 {
            return Err(NoInterval::NoVariance);
        }
        Ok(())
    }
}

fn check_estimate(estimate: f64, standard_error: f64, df: f64) -> Result<(), NoInterval> {
    let usable = estimate.is_finite() && standard_error.is_finite() && standard_error >= 0.0 && !df.is_nan();
    if usable { Ok(()) } else { Err(NoInterval::NotANumber) }
}

/// The t quantile `t_{1-α/2, df}` of a two-sided interval.
///
/// Compute it once for each distinct df and hand it to [`interval_at`] when a table has thousands of cells.
///
/// **Shapes and units**: `level` in (0, 1), for example 0.95; `df > 0`, may be infinite.
///
/// **Errors**: [`NoInterval::Level`], [`NoInterval::NoDegreesOfFreedom`].
///
/// **Source**: R `qt(1 - (1 - level) / 2, df)`.
///
/// **Example**
/// ```
/// let t = scilit::statistics::interval::two_sided_t(0.5, 1.0).unwrap();
/// assert!((t - 1.0).abs() < 1e-14); // the quartiles of the Cauchy distribution are -1 and 1
/// ```
pub fn two_sided_t(level: f64, df: f64) -> Result<f64, NoInterval> {
    if !(level > 0.0 && level < 1.0) {
        return Err(NoInterval::Level);
    }
    if df.is_nan() || df <= 0.0 {
        return Err(NoInterval::NoDegreesOfFreedom);
    }
    Ok(-t_quantile((1.0 - level) / 2.0, df))
}

/// The symmetric t interval of a mean, total, difference or coefficient.
///
/// **Shapes and units**: estimate and standard error in one unit; `level` in (0, 1); `df > 0`.
///
/// **Errors**: [`NoInterval::NotANumber`], [`NoInterval::Level`], [`NoInterval::NoDegreesOfFreedom`]. A standard error
/// of zero gives an interval of width zero, as a complete count has.
///
/// **Source**: R `confint(m, level = level, df = df)` on a `svystat`.
///
/// **Example**
/// ```
/// let i = scilit::statistics::interval::t_interval(10.0, 2.0, 1.0, 0.5).unwrap();
/// assert!((i.low - 8.0).abs() < 1e-12 && (i.high - 12.0).abs() < 1e-12);
/// ```
pub fn t_interval(estimate: f64, standard_error: f64, df: f64, level: f64) -> Result<Interval, NoInterval> {
    check_estimate(estimate, standard_error, df)?;
    let t = two_sided_t(level, df)?;
    Ok(Interval { low: estimate - t * standard_error, high: estimate + t * standard_error })
}

/// A confidence interval for a proportion by one of the seven methods.
///
/// **Shapes and units**: proportions, not percent; `level` in (0, 1).
///
/// **Errors**: the reason why no interval exists, one [`NoInterval`] variant each: a proportion of 0 or 1, no
/// degrees of freedom, no variance, fewer than two rows (`beta`, `likelihood`), an unusable number, a level
/// outside (0, 1).
///
/// **Source**: Korn and Graubard 1998 (`beta`), Rao and Scott 1984 (`likelihood`), Wilson 1927; R
/// `svyciprop(method = )` of survey 4.5. R inverts the likelihood on a spline; here the equation is solved.
///
/// **Example**
/// ```
/// use scilit::statistics::interval::{IntervalMethod, Proportion, interval};
/// let p = Proportion { estimate: 0.2, standard_error: 0.1, df: 1.0, n: 16.0, logit_standard_error: None };
/// let i = interval(IntervalMethod::Mean, &p, 0.5).unwrap();
/// assert!((i.low - 0.1).abs() < 1e-12 && (i.high - 0.3).abs() < 1e-12);
/// ```
pub fn interval(method: IntervalMethod, proportion: &Proportion, level: f64) -> Result<Interval, NoInterval> {
    proportion.check()?;
    interval_at(method, proportion, level, two_sided_t(level, proportion.df)?)
}

/// [`interval`] with the quantile `t = two_sided_t(level, df)` computed beforehand.
///
/// **Shapes and units**: as [`interval`]; `t > 0`.
///
/// **Errors**: as [`interval`].
///
/// **Source**: as [`interval`].
///
/// **Example**
/// ```
/// use scilit::statistics::interval::{IntervalMethod, Proportion, interval_at};
/// let p = Proportion { estimate: 0.5, standard_error: 0.1, df: 9.0, n: 40.0, logit_standard_error: None };
/// let i = interval_at(IntervalMethod::Mean, &p, 0.95, 2.0).unwrap();
/// assert!((i.low - 0.3).abs() < 1e-12 && (i.high - 0.7).abs() < 1e-12);
/// ```
pub fn interval_at(
    method: IntervalMethod,
    proportion: &Proportion,
    level: f64,
    t: f64,
) -> Result<Interval, NoInterval> {
    proportion.check()?;
    let (p, se) = (proportion.estimate, proportion.standard_error);
    match method {
        IntervalMethod::Mean | IntervalMethod::T => Ok(Interval { low: p - t * se, high: p + t * se }),
        IntervalMethod::Xlogit => Ok(on_logit_scale(p, t * se / (p * (1.0 - p)))),
        IntervalMethod::Logit => {
            let by_linearisation = se / (p * (1.0 - p));
            let half = t * proportion.logit_standard_error.unwrap_or(by_linearisation);
            if half.is_finite() { Ok(on_logit_scale(p, half)) } else { Err(NoInterval::NotANumber) }
        }
        IntervalMethod::Asin => Ok(arcsine(p, t * se / (2.0 * libm::sqrt(p * (1.0 - p))))),
        IntervalMethod::Wilson => Ok(wilson(p, proportion.effective_n(), t)),
        IntervalMethod::Beta => korn_graubard(proportion, level, t),
        IntervalMethod::Likelihood => likelihood(proportion, t),
    }
}

fn on_logit_scale(p: f64, half: f64) -> Interval {
    let centre = libm::log(p / (1.0 - p));
    Interval { low: inverse_logit(centre - half), high: inverse_logit(centre + half) }
}

fn inverse_logit(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// R squares the sine of an angle below 0 or above π/2 as it comes, so an end folds back into [0, 1]; that number is
/// kept for agreement, unless it has folded past the estimate, where the end of the range is the only honest bound.
fn arcsine(p: f64, half: f64) -> Interval {
    let angle = libm::asin(libm::sqrt(p));
    let end = |a: f64| {
        let s = libm::sin(a);
        s * s
    };
    let low = if half < 2.0 * angle { end(angle - half) } else { 0.0 };
    let high = if half < 2.0 * (FRAC_PI_2 - angle) { end(angle + half) } else { 1.0 };
    Interval { low, high }
}

fn wilson(p: f64, neff: f64, t: f64) -> Interval {
    let t2 = t * t;
    let centre = p + t2 / (2.0 * neff);
    let half = t / (2.0 * neff) * libm::sqrt(4.0 * neff * p * (1.0 - p) + t2);
    let scale = 1.0 + t2 / neff;
    Interval { low: (centre - half) / scale, high: (centre + half) / scale }
}

fn korn_graubard(proportion: &Proportion, level: f64, t: f64) -> Result<Interval, NoInterval> {
    if proportion.n < 2.0 || proportion.n.is_nan() {
        return Err(NoInterval::TooFewRows);
    }
    let ratio = two_sided_t(level, proportion.n - 1.0)? / t;
    Ok(clopper_pearson(proportion.estimate, proportion.effective_n() * ratio * ratio, level))
}

/// The Clopper-Pearson interval for `m` (not necessarily whole) trials of which the share `p` succeeded.
pub(super) fn clopper_pearson(p: f64, m: f64, level: f64) -> Interval {
    let tail = (1.0 - level) / 2.0;
    let (successes, failures) = (m * p, m * (1.0 - p));
    let low = if successes > 0.0 { beta_quantile(tail, successes, failures + 1.0) } else { 0.0 };
    // The upper end through the mirrored distribution: 1 - tail would round away digits of the tail.
    let high = if failures > 0.0 { 1.0 - beta_quantile(tail, failures, successes + 1.0) } else { 1.0 };
    Interval { low, high }
}

/// Solves `2 neff D(x) = t² n / (n - 1)`, D the Kullback-Leibler divergence of p from x, on each side of p.
fn likelihood(proportion: &Proportion, t: f64) -> Result<Interval, NoInterval> {
    let n = proportion.n;
    if n < 2.0 || n.is_nan() {
        return Err(NoInterval::TooFewRows);
    }
    let bound = t * t * n / (n - 1.0) / (2.0 * proportion.effective_n());
    let p = proportion.estimate;
    Ok(Interval { low: divergence_root(p, bound), high: 1.0 - divergence_root(1.0 - p, bound) })
}

/// The x < p with `p ln(p/x) + (1-p) ln((1-p)/(1-x)) = bound`, by bisection on the logit scale.
///
/// The divergence is at least `(1-p) ln(1-p) + p ln p - p u'`, so the bracket below always holds the root.
fn divergence_root(p: f64, bound: f64) -> f64 {
    let logit = libm::log(p / (1.0 - p));
    let divergence = |x: f64| p * libm::log(p / x) + (1.0 - p) * libm::log((1.0 - p) / (1.0 - x));
    let (mut below, mut above) = (logit - (bound + 1.0) / p - 1.0, logit);
    below = below.max(-700.0);
    for _ in 0..200 {
        let middle = 0.5 * (below + above);
        if middle <= below || middle >= above {
            break;
        }
        if divergence(inverse_logit(middle)) > bound {
            below = middle;
        } else {
            above = middle;
        }
    }
    inverse_logit(0.5 * (below + above))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn rows(case: &str) -> Vec<Value> {
        let case: Value = serde_json::from_str(case).unwrap();
        case["expected"]["rows"].as_array().unwrap().clone()
    }

    fn agree_with(case: &str) -> usize {
        let mut compared = 0;
        for row in rows(case) {
            let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
            let p = Proportion {
                estimate: number("estimate"),
                standard_error: number("se"),
                df: number("df"),
                n: row.get("beta_n").map_or(number("n"), |n| n.as_f64().unwrap()),
                logit_standard_error: None,
            };
            for (name, ends) in row.get("ci").and_then(Value::as_object).into_iter().flatten() {
                let got = interval(name.parse().unwrap(), &p, 0.95).unwrap();
                // R interpolates the likelihood interval on a spline, and its logit comes from glm() stopped at 1e-8.
                let tolerance = match name.as_str() {
                    "likelihood" => 5e-3,
                    "logit" => 1e-7,
                    _ => 1e-9,
                };
                for (got, want) in [(got.low, &ends[0]), (got.high, &ends[1])] {
                    let want = want.as_f64().unwrap();
                    assert!((got - want).abs() <= tolerance * want.abs(), "{name} {row}: {got} against {want}");
                    compared += 1;
                }
            }
            if row.get("note").is_some() {
                for method in IntervalMethod::ALL {
                    assert!(interval(method, &p, 0.95).is_err(), "{row} has no interval in R");
                }
            }
        }
        compared
    }

    /// R 4.2.2, survey 4.5: `confint(svyciprop(~y, design, method = m))` in the cases named.
    #[test]
    fn the_intervals_of_r_are_met() {
        assert_eq!(agree_with(include_str!("../../tests/golden/cases/S10.json")), 14);
        assert!(agree_with(include_str!("../../tests/golden/cases/S11.json")) >= 12 * 30);
        assert!(agree_with(include_str!("../../tests/golden/cases/S13.json")) >= 8 * 60);
        assert!(agree_with(include_str!("../../tests/golden/cases/S14.json")) >= 6 * 50);
        assert!(agree_with(include_str!("../../tests/golden/cases/S17.json")) >= 12 * 3);
    }

    fn example(estimate: f64, standard_error: f64, df: f64) -> Proportion {
        Proportion { estimate, standard_error, df, n: 183.0, logit_standard_error: None }
    }

    #[test]
    fn where_no_interval_exists_the_reason_is_the_answer() {
        for method in IntervalMethod::ALL {
            let reason = |p: Proportion| interval(method, &p, 0.95).unwrap_err();
            assert_eq!(reason(example(0.0, 0.0, 5.0)), NoInterval::Boundary);
            assert_eq!(reason(example(1.0, 0.0, 5.0)), NoInterval::Boundary);
            assert_eq!(reason(example(0.4, 0.1, 0.0)), NoInterval::NoDegreesOfFreedom);
            assert_eq!(reason(example(0.4, 0.0, 5.0)), NoInterval::NoVariance);
            assert_eq!(reason(example(f64::NAN, 0.1, 5.0)), NoInterval::NotANumber);
            assert_eq!(interval(method, &example(0.4, 0.1, 5.0), 1.0), Err(NoInterval::Level));
        }
    }

    #[test]
    fn an_arcsine_end_folds_as_in_r_but_never_past_the_estimate() {
        // A rare share whose lower angle is below zero: R gives sin² of it, a small positive number.
        let folded = interval(IntervalMethod::Asin, &example(0.022, 0.0226, 14.0), 0.95).unwrap();
        assert!(folded.low > 0.0 && folded.low < 0.022);
        let too_far = interval(IntervalMethod::Asin, &example(0.001, 0.05, 14.0), 0.95).unwrap();
        assert_eq!(too_far.low, 0.0);
    }

    #[test]
    fn a_replicated_logit_variance_replaces_the_linearised_one() {
        let plain = example(0.3, 0.05, 20.0);
        let replicated = Proportion { logit_standard_error: Some(0.05 / (0.3 * 0.7)), ..plain };
        let wider = Proportion { logit_standard_error: Some(0.5), ..plain };
        let width = |p: &Proportion| interval(IntervalMethod::Logit, p, 0.95).unwrap().width();
        assert_eq!(width(&plain), width(&replicated));
        assert!(width(&wider) > width(&plain));
    }

    #[test]
    fn an_unknown_method_is_an_error_that_names_it() {
        assert!("logit ".parse::<IntervalMethod>().unwrap_err().to_string().contains("\"logit \""));
    }

    #[test]
    fn a_complete_count_has_a_t_interval_of_no_width() {
        assert_eq!(t_interval(3.0, 0.0, 10.0, 0.95).unwrap().width(), 0.0);
        assert_eq!(t_interval(3.0, 1.0, 0.0, 0.95), Err(NoInterval::NoDegreesOfFreedom));
    }

    proptest! {
        #[test]
        fn every_interval_holds_the_estimate_and_all_but_the_mean_stay_inside(
            p in 0.001..0.999f64, relative in 0.01..3.0f64, df in 1.0..500.0f64, level in 0.5..0.999f64
        ) {
            let proportion = example(p, relative * p.min(1.0 - p) / 2.0, df.floor());
            for method in IntervalMethod::ALL {
                let i = interval(method, &proportion, level).unwrap();
                prop_assert!(i.contains(p), "{method} {i:?}");
                prop_assert!(method == IntervalMethod::Mean || (i.low >= 0.0 && i.high <= 1.0), "{method} {i:?}");
            }
        }

        #[test]
        fn swapping_success_and_failure_mirrors_the_interval(p in 0.01..0.99f64, se in 0.005..0.05f64) {
            for method in IntervalMethod::ALL {
                let i = interval(method, &example(p, se, 30.0), 0.95).unwrap();
                let j = interval(method, &example(1.0 - p, se, 30.0), 0.95).unwrap();
                prop_assert!((i.low - (1.0 - j.high)).abs() < 1e-9, "{method} {i:?} {j:?}");
            }
        }
    }
}
