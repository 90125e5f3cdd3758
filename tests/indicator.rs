//! From responses to files without a server: what a run computes, and what it refuses.

#[path = "indicator/survey.rs"]
mod survey;

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use scilit::{
    export::{NamedFile, run_files},
    indicator::{IndicatorError, SurveyInputs, compute, files::Margins},
    instrument::Response,
    statistics::{self, interval::Interval},
};
use survey::{SURVEY, table};

fn files_on(threads: usize, responses: &[Response]) -> Vec<NamedFile> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    let inputs = SURVEY.inputs(responses);
    pool.install(|| run_files(&inputs, &compute(&inputs).expect("an indicator")))
}

#[test]
fn rel_d1_the_files_are_the_same_bytes_on_any_number_of_threads_and_in_any_order_of_arrival() {
    let one = files_on(1, &SURVEY.responses);
    let mut shuffled = SURVEY.responses.clone();
    shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(5));
    assert_ne!(shuffled[0].id, SURVEY.responses[0].id);
    for threads in [2, 3, 8] {
        for (file, same) in files_on(threads, &shuffled).iter().zip(&one) {
            assert_eq!(file.name, same.name);
            assert!(file.bytes == same.bytes, "{} differs on {threads} threads", file.name);
        }
    }
}

#[test]
fn the_weights_meet_every_margin_and_sum_to_the_population() {
    let inputs = SURVEY.inputs(&SURVEY.responses);
    let indicator = compute(&inputs).expect("an indicator");
    let weights = indicator.steps.last().expect("a last step");
    assert!((weights.diagnostics.sum / SURVEY.margins.population() - 1.0).abs() < 1e-9);
    for margin in &SURVEY.margins.margins {
        for level in &margin.levels {
            let carries = |record: &scilit::indicator::CaseRecord<'_>| {
                record.is_used() && record.category(&margin.variable) == Some(level.level.as_str())
            };
            let rows = indicator.records.iter().zip(&weights.weights);
            let total: f64 = rows.filter(|(record, _)| carries(record)).map(|(_, weight)| weight).sum();
            let place = format!("{} = {}: {total} of {}", margin.variable, level.level, level.total);
            assert!((total / level.total - 1.0).abs() < 1e-8, "{place}");
        }
    }
}

#[test]
fn the_city_is_near_the_truth_and_judged_by_both_targets_of_its_plan() {
    let indicator = compute(&SURVEY.inputs(&SURVEY.responses)).expect("an indicator");
    let city = &table(&indicator, "city").rows[0];
    let (estimate, se) = (city.estimate.expect("an estimate"), city.se.expect("a standard error"));
    assert!((estimate - SURVEY.truth).abs() < 4.0 * se, "{estimate} ± {se}, truth {}", SURVEY.truth);
    let [lower, upper] = city.ci.expect("an interval");
    assert_eq!(city.verdicts.len(), 2);
    for (verdict, target) in city.verdicts.iter().zip(&SURVEY.targets.targets) {
        let expected = statistics::verdict::verdict(Some(Interval { low: lower, high: upper }), target.value);
        assert_eq!(verdict.verdict, expected);
        let probability = verdict.probability_met.expect("a probability");
        assert_eq!(probability > 0.5, estimate > target.value, "{probability}");
    }
    assert!(table(&indicator, "district").rows.iter().all(|row| row.verdicts.is_empty()), "no district has a target");
}

#[test]
fn every_cell_has_a_row_and_an_absent_number_stays_absent() {
    let indicator = compute(&SURVEY.inputs(&SURVEY.responses)).expect("an indicator");
    assert_eq!(table(&indicator, "district").rows.len(), 18);
    assert_eq!(table(&indicator, "key_group").rows.len(), 4);
    let crossed = table(&indicator, "district_by_education");
    assert_eq!(crossed.rows.len(), 90);
    let used: usize = crossed.rows.iter().map(|row| row.n.expect("a base")).sum();
    assert_eq!(used, indicator.results.sample.used, "every used response is in one cell");
    for row in &crossed.rows {
        assert_eq!(row.n == Some(0), row.estimate.is_none());
        assert_eq!(row.ci.is_none(), row.not_estimable.is_some(), "{row:?}");
        if let (Some(estimate), Some([lower, upper])) = (row.estimate, row.ci) {
            assert!(0.0 < lower && lower <= estimate && estimate <= upper && upper < 1.0);
        }
    }
    assert!(crossed.rows.iter().any(|row| row.ci.is_none()), "cells this small include one without an interval");
}

#[test]
fn a_case_without_a_usable_response_hands_its_weight_to_its_class() {
    let indicator = compute(&SURVEY.inputs(&SURVEY.responses)).expect("an indicator");
    let step = |name: &str| indicator.steps.iter().find(|step| step.name == name).expect("the step");
    let (base, adjusted) = (step("base_weight"), step("nonresponse_class"));
    let difference = base.diagnostics.sum / adjusted.diagnostics.sum - 1.0;
    // Both weights of every case are rounded to nine decimals, each by at most half of the last one.
    let rounding = 1e-9 * indicator.records.len() as f64 / base.diagnostics.sum;
    assert!(difference.abs() < 1e-12 + rounding, "the adjustment keeps the sum: {difference}");
    for (record, (before, after)) in indicator.records.iter().zip(base.weights.iter().zip(&adjusted.weights)) {
        assert_eq!(record.is_used(), *after > 0.0);
        assert!(!record.is_used() || after >= before);
    }
}

#[test]
fn a_response_that_cannot_be_scored_stays_in_the_file_without_a_weight() {
    let mut responses = SURVEY.responses.clone();
    let spoiled = responses[3].id;
    // Scored with another questionnaire, it has no score by this one.
    responses[3].questionnaire = "f".repeat(64);
    let inputs = SURVEY.inputs(&responses);
    let indicator = compute(&inputs).expect("an indicator");
    assert_eq!(indicator.results.sample.used, responses.len() - 1);
    assert_eq!(indicator.results.sample.not_used.get("not_scored"), Some(&1));
    let files = run_files(&inputs, &indicator);
    let persons = files.iter().find(|file| file.name == "responses_weighted.csv").expect("the persons' file");
    let record = indicator.records.iter().find(|r| r.response.is_some_and(|r| r.id == spoiled)).expect("the response");
    let text = String::from_utf8_lossy(&persons.bytes);
    let line = text.lines().find(|line| line.starts_with(&record.id)).expect("its row");
    assert!(line.contains(",not_scored,"), "{line}");
    assert!(line.ends_with(",,,"), "no weight after the base weight: {line}");
}

#[test]
fn inputs_that_contradict_each_other_are_refused_by_name() {
    let mut twice = SURVEY.responses.clone();
    twice[1].case = twice[0].case.clone();
    let case = twice[0].case.clone();
    assert_eq!(compute(&SURVEY.inputs(&twice)).expect_err("two"), IndicatorError::TwoResponses { case });
    let mut stranger = SURVEY.responses.clone();
    stranger[0].case = "nowhere".to_owned();
    let unknown = IndicatorError::UnknownCase { case: "nowhere".to_owned() };
    assert_eq!(compute(&SURVEY.inputs(&stranger)).expect_err("unknown"), unknown);
    assert_eq!(compute(&SURVEY.inputs(&[])).expect_err("none"), IndicatorError::NobodyUsed { responses: 0 });
}

#[test]
fn a_margin_that_nobody_has_or_nothing_knows_is_an_error_that_names_it() {
    let total = SURVEY.margins.population();
    let with = |text: &str| {
        let margins = Margins::parse("margins.csv", text).expect("a sound file");
        let inputs = SurveyInputs { margins: Some(&margins), ..SURVEY.inputs(&SURVEY.responses) };
        compute(&inputs).expect_err("a refusal").to_string()
    };
    let unknown = with(&format!("variable,level,total\nshoe_size,42,{total}\n"));
    assert!(unknown.contains("shoe_size"), "{unknown}");
    let nobody =
        with(&format!("variable,level,total\nsex,male,{}\nsex,female,{}\nsex,x,1\n", total / 2.0, total / 2.0 - 1.0));
    assert!(nobody.contains("sex") && nobody.contains('x'), "{nobody}");
}
