//! The promise behind every printed interval: over many surveys of a city whose truth is known, 95 % intervals hold
//! the truth about 95 times in 100.
//!
//! Each survey takes the way of a real one: household base weights, adjustment of the nonresponse within district ×
//! residence, times the eligible persons of the household, raked to five census margins, Taylor variance over
//! districts and 居/村委会, logit interval with the design's degrees of freedom.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rayon::prelude::*;
use scilit::simulate::{City, CityParameters, DrawnSurvey, SurveyColumns, SurveyDesign, Truth};
use scilit::statistics::plan::Plan;
use scilit::statistics::{Answer, DataTable, EstimateRow, prepare};
use serde_json::{Value, json};

const SURVEYS: u64 = 200;
const PERSONS: u32 = 1200;
/// With a true coverage of 95 % the share of 200 intervals that hold the truth has a standard deviation of
/// √(.95 · .05 / 200) = 1.5 points: 91 to 98 % are about two and a half of them down and two up.
const COVERAGE: std::ops::RangeInclusive<f64> = 0.91..=0.98;

static CITY: LazyLock<City> = LazyLock::new(|| City::generate(&CityParameters::demo(2025)).expect("a city"));
static TRUTH: LazyLock<Truth> = LazyLock::new(|| CITY.truth());

fn margins() -> Vec<Value> {
    let margin = |variable: &str| {
        let groups = TRUTH.groups.iter().filter(|group| group.variable == variable);
        let cells: Vec<Value> =
            groups.map(|group| json!({ variable: group.level, "total": f64::from(group.persons) })).collect();
        json!({ "by": variable, "cells": cells })
    };
    ["sex", "age_group", "education", "residence", "district"].into_iter().map(margin).collect()
}

fn plan(by: Value) -> Plan {
    let plan = json!({
        "data": { "file": "survey.csv" },
        "pre_adjustments": [
            { "type": "base_weight", "probabilities": ["prob_psu", "prob_household"], "result": "w_base" },
            { "type": "nonresponse_class", "weight": "w_base", "status": "status", "respondent": "complete",
              "cells": ["district", "residence"], "result": "w_response", "drop_nonrespondents": true },
            { "type": "household", "weight": "w_response", "multiplier": "n_eligible", "result": "w_person" },
        ],
        "design": {
            "kind": "stages",
            "stages": [{ "unit": "psu", "stratum": "district", "population_units": null }],
            "weight": "w_person",
        },
        "adjustments": [{ "type": "rake", "margins": margins() }],
        "variance": { "method": "taylor" },
        "estimator": { "type": "proportion", "variable": "literate", "by": by,
                       "ci": { "methods": ["logit"], "level": 0.95 } },
    });
    Plan::from_json(&plan.to_string()).expect("a sound plan")
}

/// The rows that an office would have: traits and verdicts of respondents only.
fn table(columns: &SurveyColumns) -> DataTable {
    let known = |values: &[&'static str]| -> Vec<Option<&'static str>> {
        values.iter().zip(&columns.responds).map(|(value, responds)| responds.then_some(*value)).collect()
    };
    let known_numbers = |values: &[f64]| -> Vec<f64> {
        values
            .iter()
            .zip(&columns.responds)
            .map(|(value, responds)| if *responds { *value } else { f64::NAN })
            .collect()
    };
    let all = |values: &[&'static str]| values.iter().map(|value| Some(*value)).collect::<Vec<_>>();
    let status: Vec<_> = columns.responds.iter().map(|r| Some(if *r { "complete" } else { "nonresponse" })).collect();
    DataTable::new("survey.csv", columns.responds.len())
        .with_text("district", &all(&columns.district))
        .with_text("residence", &all(&columns.residence))
        .with_text("psu", &columns.psu.iter().map(Some).collect::<Vec<_>>())
        .with_text("status", &status)
        .with_numbers("prob_psu", columns.prob_psu.clone())
        .with_numbers("prob_household", columns.prob_household.clone())
        .with_numbers("n_eligible", known_numbers(&columns.n_eligible))
        .with_text("sex", &known(&columns.sex))
        .with_text("age_group", &known(&columns.age_group))
        .with_text("education", &known(&columns.education))
        .with_numbers("literate", known_numbers(&columns.literate))
}

/// One answer for each survey, in the order of the seeds.
fn answers(plan: &Plan) -> Vec<Answer> {
    let answer = |seed: u64| {
        let survey = DrawnSurvey::draw(&CITY, &SurveyDesign::wave_2025(seed, PERSONS)).expect("a survey");
        let prepared = prepare(plan, &table(&survey.columns()), &BTreeMap::new())
            .unwrap_or_else(|error| panic!("survey {seed}: failed to {error}"));
        prepared.estimate(plan.estimator.as_ref().expect("an estimator")).expect("an estimate")
    };
    (0..SURVEYS).into_par_iter().map(answer).collect()
}

fn holds(row: &EstimateRow, truth: f64) -> bool {
    let (_, [low, high]) = row.ci[0];
    low <= truth && truth <= high
}

fn share(count: usize, of: usize) -> f64 {
    count as f64 / of as f64
}

#[test]
fn intervals_of_the_city_hold_its_truth_about_95_times_in_100() {
    let rows: Vec<EstimateRow> = answers(&plan(Value::Null)).into_iter().map(|answer| answer.rows[0].clone()).collect();
    let truth = TRUTH.overall();
    let coverage = share(rows.iter().filter(|row| holds(row, truth)).count(), rows.len());
    assert!(COVERAGE.contains(&coverage), "{coverage}");

    let estimates: Vec<f64> = rows.iter().map(|row| row.estimate.expect("an estimate")).collect();
    let mean = estimates.iter().sum::<f64>() / estimates.len() as f64;
    let variance = estimates.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>() / (estimates.len() - 1) as f64;
    // Three standard errors of the mean of 200 surveys: a bias of a quarter point would show.
    assert!((mean - truth).abs() < 3.0 * (variance / estimates.len() as f64).sqrt(), "{mean} against {truth}");
    // The standard errors tell the spread that the surveys really have, within a fifth.
    let stated = rows.iter().map(|row| row.se.expect("a standard error")).sum::<f64>() / rows.len() as f64;
    assert!((stated / variance.sqrt() - 1.0).abs() < 0.2, "{stated} against {}", variance.sqrt());
}

#[test]
fn intervals_of_sex_and_residence_hold_their_truth_as_often() {
    for variable in ["sex", "residence"] {
        let rows: Vec<EstimateRow> = answers(&plan(json!(variable))).into_iter().flat_map(|a| a.rows).collect();
        assert_eq!(rows.len(), 2 * SURVEYS as usize);
        let truth_of = |row: &EstimateRow| {
            let (column, level) = &row.domain[0];
            TRUTH.group(column, &level.label()).and_then(|group| group.share()).expect("a group of the city")
        };
        let coverage = share(rows.iter().filter(|row| holds(row, truth_of(row))).count(), rows.len());
        assert!(COVERAGE.contains(&coverage), "{variable}: {coverage}");
    }
}
