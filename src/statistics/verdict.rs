//! Whether an estimate meets a target: 达到, 未达到, or 无法判定.
//!
//! A municipal plan sets a number; the survey knows the indicator up to an interval. The target counts as met only
//! when the whole interval lies at or above it, as missed only when the whole interval lies below it. Otherwise the
//! survey cannot tell, and that is an answer.

use serde::{Deserialize, Serialize};

use super::{
    distribution::t_cdf,
    interval::{Interval, Proportion},
};

/// The three states of an estimate against a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// 达到: the whole interval lies at or above the target.
    Met,
    /// 未达到: the whole interval lies below the target.
    NotMet,
    /// 无法判定: the interval holds the target, or there is no interval.
    Undetermined,
}

impl Verdict {
    /// The code in files.
    pub fn code(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not_met",
            Self::Undetermined => "undetermined",
        }
    }

    /// The verdict's Chinese name, as plans and reports print it.
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::Met => "达到",
            Self::NotMet => "未达到",
            Self::Undetermined => "无法判定",
        }
    }
}

/// Compares an interval with a target.
///
/// With a two-sided 95 % interval the chance of a wrong 达到 is at most 2.5 %, and of a wrong 未达到 the same.
///
/// **Shapes and units**: interval and target in the same unit (proportions, not percent). `None` is an interval that
/// could not be given.
///
/// **Errors**: none; a target that is not finite leaves the verdict open.
///
/// **Source**: the confidence-interval form of two one-sided tests, Schuirmann 1987.
///
/// **Example**
/// ```
/// use scilit::statistics::{interval::Interval, verdict::{Verdict, verdict}};
/// let interval = Interval { low: 0.131, high: 0.162 };
/// assert_eq!(verdict(Some(interval), 0.125), Verdict::Met);
/// assert_eq!(verdict(Some(interval), 0.150), Verdict::Undetermined);
/// assert_eq!(verdict(Some(interval), 0.175), Verdict::NotMet);
/// ```
pub fn verdict(interval: Option<Interval>, target: f64) -> Verdict {
    match interval {
        Some(i) if i.low >= target => Verdict::Met,
        Some(i) if i.high < target => Verdict::NotMet,
        _ => Verdict::Undetermined,
    }
}

/// The scale on which the estimate is taken as t distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// The scale of the estimate itself, as the `mean` interval.
    Identity,
    /// The logit scale, as the `logit` and `xlogit` intervals.
    Logit,
}

/// The probability that the true proportion is at or above the target, given the estimate.
///
/// It is the confidence distribution of the estimate: 1 − (one-sided p-value of "the target is met"). On the scale of
/// the interval it agrees with the verdict exactly: 达到 at level 95 % is a probability of at least 0.975, 未达到 one
/// below 0.025.
///
/// **Shapes and units**: a proportion with its standard error and df; target in (0, 1) for the logit scale.
///
/// **Errors**: `None` where no interval exists (a proportion of 0 or 1, no variance, no degrees of freedom) or the
/// target is outside (0, 1).
///
/// **Source**: Schweder and Hjort 2016, 3.2; R `pt((logit(p) - logit(target)) / (se / (p * (1 - p))), df)`.
///
/// **Example**
/// ```
/// use scilit::statistics::{interval::Proportion, verdict::{Scale, probability_met}};
/// let p = Proportion { estimate: 0.15, standard_error: 0.01, df: 30.0, n: 900.0, logit_standard_error: None };
/// assert_eq!(probability_met(&p, 0.15, Scale::Logit), Some(0.5));
/// assert!(probability_met(&p, 0.12, Scale::Logit).unwrap() > 0.99);
/// ```
pub fn probability_met(proportion: &Proportion, target: f64, scale: Scale) -> Option<f64> {
    let (p, se, df) = (proportion.estimate, proportion.standard_error, proportion.df);
    let usable = p > 1e-12 && p < 1.0 - 1e-12 && se > 0.0 && se.is_finite() && df > 0.0;
    if !usable || !(target > 0.0 && target < 1.0) {
        return None;
    }
    let t = match scale {
        Scale::Identity => (p - target) / se,
        Scale::Logit => {
            let logit = |p: f64| libm::log(p / (1.0 - p));
            (logit(p) - logit(target)) / proportion.logit_standard_error.unwrap_or(se / (p * (1.0 - p)))
        }
    };
    Some(t_cdf(t, df))
}

/// A verdict on a target with the probability behind it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The target.
    pub target: f64,
    /// The state.
    pub verdict: Verdict,
    /// Probability that the true value is at or above the target; absent where it is not defined.
    pub probability_met: Option<f64>,
}

/// Judges a proportion against a target: the verdict by its interval and the probability on the logit scale.
///
/// **Shapes and units**: `interval` is the one that is published beside the estimate; proportions, not percent.
///
/// **Errors**: none; what is not defined is absent.
///
/// **Source**: [`verdict`] and [`probability_met`].
///
/// **Example**
/// ```
/// use scilit::statistics::{interval::{IntervalMethod, Proportion, interval}, verdict::{Verdict, judge}};
/// let p = Proportion { estimate: 0.15, standard_error: 0.01, df: 30.0, n: 900.0, logit_standard_error: None };
/// let judgement = judge(&p, interval(IntervalMethod::Logit, &p, 0.95).ok(), 0.10);
/// assert_eq!(judgement.verdict, Verdict::Met);
/// ```
pub fn judge(proportion: &Proportion, interval: Option<Interval>, target: f64) -> Judgement {
    Judgement {
        target,
        verdict: verdict(interval, target),
        probability_met: probability_met(proportion, target, Scale::Logit),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::statistics::interval::{IntervalMethod, interval};

    #[test]
    fn without_an_interval_nothing_can_be_said() {
        assert_eq!(verdict(None, 0.1), Verdict::Undetermined);
        let none = Proportion { estimate: 0.0, standard_error: 0.0, df: 5.0, n: 40.0, logit_standard_error: None };
        assert_eq!(probability_met(&none, 0.1, Scale::Logit), None);
    }

    #[test]
    fn a_target_at_the_lower_end_is_met() {
        assert_eq!(verdict(Some(Interval { low: 0.1, high: 0.2 }), 0.1), Verdict::Met);
        assert_eq!(verdict(Some(Interval { low: 0.1, high: 0.2 }), 0.2), Verdict::Undetermined);
    }

    proptest! {
        #[test]
        fn the_probability_and_the_verdict_never_disagree(
            p in 0.02..0.6f64, cv in 0.01..0.4f64, df in 1.0..300.0f64, target in 0.01..0.7f64
        ) {
            let proportion =
                Proportion { estimate: p, standard_error: cv * p, df, n: 800.0, logit_standard_error: None };
            for (scale, method) in [(Scale::Identity, IntervalMethod::Mean), (Scale::Logit, IntervalMethod::Logit)] {
                let met = probability_met(&proportion, target, scale).unwrap();
                prop_assume!((met - 0.975).abs() > 1e-9 && (met - 0.025).abs() > 1e-9);
                let said = verdict(interval(method, &proportion, 0.95).ok(), target);
                prop_assert_eq!(said == Verdict::Met, met > 0.975);
                prop_assert_eq!(said == Verdict::NotMet, met < 0.025);
            }
        }
    }
}
