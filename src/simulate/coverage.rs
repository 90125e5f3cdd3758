//! How often the engine's intervals hold the truth, over many surveys of a city whose truth is known.
//!
//! Each survey takes the way of a real one: household base weights, adjustment of the nonresponse within district ×
//! residence, times the eligible persons of the household, raked to five margins of the city, Taylor variance over
//! districts and 居/村委会 with the calibration in it, intervals with the degrees of freedom of the domain: what a run does.

mod office;
mod tally;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::{City, DrawnSurvey, SimulateError, SurveyDesign, Truth};
use crate::statistics::{EstimateRow, Plan, StatisticsError, interval::IntervalMethod, prepare};

/// The kinds of domain that are looked at: everybody, then each variable of the report.
pub const DOMAINS: [&str; 6] = ["city", "sex", "residence", "age_group", "education", "district"];

/// How many surveys of which size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CoverageDesign {
    /// Surveys to draw; at least 2.
    pub surveys: u32,
    /// Interviews hoped for in each.
    pub persons: u32,
    /// 居/村委会 drawn in each district.
    pub psus_per_district: usize,
    /// Survey number i (from 0) is drawn with seed + 1 + i.
    pub seed: u64,
}

/// What one interval method did in one kind of domain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodCoverage {
    /// Name of the method.
    pub method: &'static str,
    /// Intervals computed.
    pub intervals: usize,
    /// Share of these that hold the truth; absent without an interval.
    pub coverage: Option<f64>,
    /// Monte Carlo standard error of that share, with the surveys as the independent units.
    pub coverage_se: Option<f64>,
    /// Share of the intervals with the truth below them.
    pub truth_below: Option<f64>,
    /// Share of the intervals with the truth above them.
    pub truth_above: Option<f64>,
    /// Mean width, as a share.
    pub mean_width: Option<f64>,
    /// Share of the cells (surveys × levels) without an interval: nobody, 0, 1 or no degrees of freedom.
    pub not_estimable: f64,
}

/// What the surveys did in one kind of domain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DomainCoverage {
    /// `city` or the variable.
    pub domain: &'static str,
    /// Levels of the variable.
    pub levels: usize,
    /// Mean number of respondents in a level.
    pub mean_n: Option<f64>,
    /// Mean degrees of freedom in a level.
    pub mean_df: Option<f64>,
    /// Mean over the levels of (mean estimate − truth), as a share.
    pub bias: Option<f64>,
    /// The (mean estimate − truth) that is furthest from 0 among the levels.
    pub largest_bias: Option<f64>,
    /// Mean over the levels of the standard deviation of the estimates.
    pub spread: Option<f64>,
    /// Mean stated standard error over that spread.
    pub se_ratio: Option<f64>,
    /// The interval methods.
    pub methods: Vec<MethodCoverage>,
}

/// The evidence behind the intervals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// What was asked for.
    pub design: CoverageDesign,
    /// Seed of the city.
    pub city_seed: u64,
    /// Persons in the city.
    pub city_persons: usize,
    /// Confidence level of the intervals.
    pub level: f64,
    /// Surveys that the engine refused to weight; they count nowhere else.
    pub refused: usize,
    /// Why the first of these was refused.
    pub first_refusal: Option<String>,
    /// One entry a kind of domain, in the order of [`DOMAINS`].
    pub domains: Vec<DomainCoverage>,
}

/// Why there is no evidence.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CoverageError {
    /// The spread of the estimates needs two surveys.
    #[error("measure coverage over {0} surveys: at least 2 are needed")]
    TooFewSurveys(u32),
    /// A survey that cannot be drawn.
    #[error(transparent)]
    Survey(#[from] SimulateError),
    /// The plan or an estimate has a fault of its own.
    #[error("estimate survey {seed}: failed to {reason}")]
    Estimate {
        /// Seed of the survey.
        seed: u64,
        /// The engine's words.
        reason: String,
    },
    /// Fewer than two surveys could be weighted.
    #[error("measure coverage: {refused} of {surveys} surveys could not be weighted; the first failed to {reason}")]
    Refused {
        /// Surveys that were refused.
        refused: usize,
        /// Surveys that were drawn.
        surveys: usize,
        /// The engine's words.
        reason: String,
    },
}

/// One survey's rows by kind of domain, or why it could not be weighted.
type Outcome = Result<Vec<Vec<EstimateRow>>, String>;

/// The seven interval methods in the order of the reports.
pub fn methods() -> [&'static str; 7] {
    IntervalMethod::ALL.map(IntervalMethod::name)
}

/// Draws the surveys and measures the intervals against the city's truth. `drawn` is called once a survey, from any
/// thread, to show progress; the answer does not depend on the number of threads.
///
/// # Errors
/// A design that the city cannot have, fewer than two surveys, or fewer than two that can be weighted.
pub fn coverage(city: &City, design: &CoverageDesign, drawn: &(dyn Fn() + Sync)) -> Result<Coverage, CoverageError> {
    if design.surveys < 2 {
        return Err(CoverageError::TooFewSurveys(design.surveys));
    }
    let truth = city.truth();
    let plans = DOMAINS.map(|domain| office::plan(&truth, domain));
    let results: Vec<Result<Outcome, CoverageError>> = (0..u64::from(design.surveys))
        .into_par_iter()
        .map(|at| {
            let outcome = survey(city, design, &plans, design.seed.wrapping_add(1 + at));
            drawn();
            outcome
        })
        .collect();
    let outcomes = results.into_iter().collect::<Result<Vec<Outcome>, _>>()?;
    summarise(city, design, &truth, outcomes)
}

fn survey(city: &City, design: &CoverageDesign, plans: &[Plan], seed: u64) -> Result<Outcome, CoverageError> {
    let wave = SurveyDesign::wave_2025(seed, design.persons);
    let wave = SurveyDesign { psus_per_district: design.psus_per_district, ..wave };
    let survey = DrawnSurvey::draw(city, &wave)?;
    // Weights and design are the same for every kind of domain.
    let prepared = match prepare(&plans[0], &office::table(&survey.columns()), &BTreeMap::new()) {
        Ok(prepared) => prepared,
        Err(reason) => return Ok(Err(reason.to_string())),
    };
    let fault = |reason: StatisticsError| CoverageError::Estimate { seed, reason: reason.to_string() };
    let rows = |plan: &Plan| {
        let estimator = plan.estimator.as_ref().expect("every plan of the office has an estimator");
        prepared.estimate(estimator).map(|answer| answer.rows).map_err(fault)
    };
    Ok(Ok(plans.iter().map(rows).collect::<Result<_, _>>()?))
}

fn summarise(
    city: &City,
    design: &CoverageDesign,
    truth: &Truth,
    outcomes: Vec<Outcome>,
) -> Result<Coverage, CoverageError> {
    let surveys = outcomes.len();
    let first_refusal = outcomes.iter().find_map(|outcome| outcome.as_ref().err().cloned());
    let answered: Vec<Vec<Vec<EstimateRow>>> = outcomes.into_iter().filter_map(Result::ok).collect();
    let refused = surveys - answered.len();
    if answered.len() < 2 {
        let reason = first_refusal.unwrap_or_default();
        return Err(CoverageError::Refused { refused, surveys, reason });
    }
    let of_domain = |(at, domain): (usize, &&'static str)| {
        let rows: Vec<&[EstimateRow]> = answered.iter().map(|survey| survey[at].as_slice()).collect();
        tally::domain(domain, truth, &rows)
    };
    Ok(Coverage {
        design: *design,
        city_seed: city.parameters().seed,
        city_persons: city.persons().len(),
        level: office::LEVEL,
        refused,
        first_refusal,
        domains: DOMAINS.iter().enumerate().map(of_domain).collect(),
    })
}
