//! How many interviews a proportion needs, and what a number of interviews gives.
//!
//! Notation: `p` the proportion expected, `e` the half-width of its interval, `z` the normal quantile, `deff` the design
//! effect, `N` the population, `r` the response rate. A design with effect `deff` has the variance
//! `deff · p(1−p)/n · (N−n)/(N−1)`.

use serde::Serialize;

use super::distribution::normal_quantile;

/// Why a sample size cannot be worked out.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum SampleSizeError {
    /// A parameter outside its range.
    #[error("{parameter} is {value}, it must be {wanted}")]
    Range {
        /// The parameter's name.
        parameter: &'static str,
        /// What was given.
        value: f64,
        /// What would do.
        wanted: &'static str,
    },
    /// More interviews than people.
    #[error("{needed} persons must be drawn for {completes} interviews, the population has {population}")]
    Population {
        /// Persons to draw.
        needed: u64,
        /// Interviews wanted from them.
        completes: u64,
        /// Persons there are.
        population: u64,
    },
}

/// What the survey expects and wants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// The proportion expected, in (0, 1); one half is the most demanding.
    pub proportion: f64,
    /// Confidence level, in (0, 1).
    pub level: f64,
    /// Design effect against simple random sampling, positive.
    pub deff: f64,
    /// Population size; `None` is without a finite population correction.
    pub population: Option<u64>,
}

/// A sample size with what it was made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleSize {
    /// Interviews that simple random sampling would need from an infinite population, not rounded.
    pub simple_random: f64,
    /// Completed interviews needed, rounded up.
    pub completes: u64,
    /// Persons to draw so that as many complete, rounded up.
    pub draw: u64,
}

fn require(parameter: &'static str, value: f64, fine: bool, wanted: &'static str) -> Result<(), SampleSizeError> {
    if fine { Ok(()) } else { Err(SampleSizeError::Range { parameter, value, wanted }) }
}

impl Precision {
    fn check(&self) -> Result<(), SampleSizeError> {
        let inside = |v: f64| v > 0.0 && v < 1.0;
        require("the proportion", self.proportion, inside(self.proportion), "between 0 and 1")?;
        require("the level", self.level, inside(self.level), "between 0 and 1")?;
        require("the design effect", self.deff, self.deff > 0.0 && self.deff.is_finite(), "positive")?;
        let population = self.population.map_or(f64::INFINITY, |n| n as f64);
        require("the population", population, population >= 2.0, "at least 2")
    }

    fn z(&self) -> f64 {
        -normal_quantile((1.0 - self.level) / 2.0)
    }

    /// Finite population factor as (N, N - 1); both infinite cancel.
    fn corrected(&self, without: f64) -> f64 {
        self.population.map_or(without, |n| without / (1.0 + (without - 1.0) / n as f64))
    }
}

/// The sample size that brings the half-width of the interval down to `margin`.
///
/// **Shapes and units**: `margin` and `response_rate` are proportions, not percent; counts are persons.
///
/// **Errors**: [`SampleSizeError::Range`] for a parameter outside its range, [`SampleSizeError::Population`] when
/// nonresponse asks for more persons than there are.
///
/// **Source**: Cochran 1977, 4.4; Lohr 2019, 2.6.
///
/// **Example**
/// ```
/// use scilit::statistics::sample_size::{Precision, sample_size};
/// let half = Precision { proportion: 0.5, level: 0.95, deff: 1.0, population: None };
/// assert_eq!(sample_size(&half, 0.03, 1.0).unwrap().completes, 1068); // 1.96² · 0.25 / 0.03² = 1067.1
/// let clustered = Precision { deff: 2.0, ..half };
/// assert_eq!(sample_size(&clustered, 0.03, 0.8).unwrap().draw, 2669); // 2,135 interviews at 80 %
/// ```
pub fn sample_size(precision: &Precision, margin: f64, response_rate: f64) -> Result<SampleSize, SampleSizeError> {
    precision.check()?;
    require("the margin of error", margin, margin > 0.0 && margin < 1.0, "between 0 and 1")?;
    let rate_fits = response_rate > 0.0 && response_rate <= 1.0;
    require("the response rate", response_rate, rate_fits, "above 0 and at most 1")?;
    let p = precision.proportion;
    let ratio = precision.z() / margin;
    let simple_random = ratio * ratio * p * (1.0 - p);
    let completes = round_up(precision.corrected(simple_random * precision.deff));
    let draw = round_up(completes as f64 / response_rate);
    match precision.population {
        Some(population) if draw > population => {
            Err(SampleSizeError::Population { needed: draw, completes, population })
        }
        _ => Ok(SampleSize { simple_random, completes, draw }),
    }
}

/// The next whole number, where a number within rounding of a whole one counts as it.
fn round_up(value: f64) -> u64 {
    (value * (1.0 - 1e-12)).ceil().max(1.0) as u64
}

/// The half-width of the interval that `completes` interviews give.
///
/// **Shapes and units**: a proportion, not percent.
///
/// **Errors**: [`SampleSizeError::Range`], also for more interviews than people.
///
/// **Source**: Cochran 1977, 3.2.
///
/// **Example**
/// ```
/// use scilit::statistics::sample_size::{Precision, margin_of_error};
/// // A city's 716 interviews at p = .1414 and a design effect of two.
/// let city = Precision { proportion: 0.1414, level: 0.95, deff: 2.0, population: None };
/// assert!((margin_of_error(&city, 716).unwrap() - 0.0361).abs() < 1e-4);
/// ```
pub fn margin_of_error(precision: &Precision, completes: u64) -> Result<f64, SampleSizeError> {
    precision.check()?;
    let n = completes as f64;
    let fits = completes > 0 && precision.population.is_none_or(|population| completes <= population);
    require("the number of interviews", n, fits, "positive and at most the population")?;
    let correction = precision.population.map_or(1.0, |all| (all as f64 - n) / (all as f64 - 1.0));
    let p = precision.proportion;
    Ok(precision.z() * (precision.deff * p * (1.0 - p) / n * correction).sqrt())
}

/// Kish's design effect of a cluster sample, `1 + (m − 1) ρ`, times that of unequal weights.
///
/// **Shapes and units**: `per_cluster` interviews a cluster, at least one; `correlation` the intracluster correlation in
/// [-1, 1]; `weighting` is `1 + CV²(w)`, one for equal weights.
///
/// **Errors**: [`SampleSizeError::Range`].
///
/// **Source**: Kish 1965, 5.4 and 1987.
///
/// **Example**
/// ```
/// let deff = scilit::statistics::sample_size::design_effect(15.0, 0.05, 1.0).unwrap();
/// assert!((deff - 1.7).abs() < 1e-12);
/// ```
pub fn design_effect(per_cluster: f64, correlation: f64, weighting: f64) -> Result<f64, SampleSizeError> {
    require("the number a cluster", per_cluster, per_cluster >= 1.0 && per_cluster.is_finite(), "at least 1")?;
    require("the correlation", correlation, (-1.0..=1.0).contains(&correlation), "between -1 and 1")?;
    require("the effect of weighting", weighting, weighting >= 1.0 && weighting.is_finite(), "at least 1")?;
    let deff = (1.0 + (per_cluster - 1.0) * correlation) * weighting;
    require("the design effect", deff, deff > 0.0, "positive")?;
    Ok(deff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HALF: Precision = Precision { proportion: 0.5, level: 0.95, deff: 1.0, population: None };

    #[test]
    fn a_small_population_needs_fewer() {
        let town = Precision { population: Some(2000), ..HALF };
        // 384.15 / (1 + 383.15 / 2000) = 322.4
        assert_eq!(sample_size(&town, 0.05, 1.0).unwrap().completes, 323);
        assert_eq!(sample_size(&HALF, 0.05, 1.0).unwrap().completes, 385);
    }

    #[test]
    fn nonresponse_cannot_ask_for_more_than_everybody() {
        let village = Precision { population: Some(300), ..HALF };
        let refused = sample_size(&village, 0.02, 0.5).unwrap_err();
        assert!(matches!(refused, SampleSizeError::Population { population: 300, .. }));
    }

    #[test]
    fn parameters_outside_their_range_are_named() {
        let message = |p: &Precision, margin, rate| sample_size(p, margin, rate).unwrap_err().to_string();
        assert!(message(&HALF, 0.0, 1.0).contains("the margin of error is 0"));
        assert!(message(&HALF, 0.03, 1.2).contains("the response rate is 1.2"));
        assert!(message(&Precision { proportion: 1.0, ..HALF }, 0.03, 1.0).contains("the proportion is 1"));
        assert!(message(&Precision { deff: f64::NAN, ..HALF }, 0.03, 1.0).contains("the design effect is NaN"));
        assert!(margin_of_error(&Precision { population: Some(10), ..HALF }, 11).is_err());
        assert!(design_effect(0.0, 0.1, 1.0).is_err());
    }

    proptest! {
        #[test]
        fn the_size_reaches_its_margin_and_one_less_does_not(
            p in 0.02..0.98f64, margin in 0.005..0.1f64, deff in 0.5..4.0f64, population in 5_000..5_000_000u64
        ) {
            let precision = Precision { proportion: p, level: 0.95, deff, population: Some(population) };
            let size = sample_size(&precision, margin, 1.0);
            prop_assume!(size.is_ok());
            let n = size.unwrap().completes;
            prop_assert!(margin_of_error(&precision, n).unwrap() <= margin * (1.0 + 1e-9));
            prop_assume!(n > 1);
            prop_assert!(margin_of_error(&precision, n - 1).unwrap() > margin * (1.0 - 1e-9));
        }
    }
}
