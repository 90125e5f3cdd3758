//! Bad input, end to end: what is wrong with a survey, a margin or a domain is an error that names the place, or a
//! cell without an estimate and with the reason. It is never a wrong number.

#[path = "bad_input/survey.rs"]
mod survey;

use rstest::rstest;
use serde_json::{Value, json};
use survey::{Survey, ask, district, margin, plan, plan_with, refuses};

/// The control of every test below: nothing is refused for the tests' own reasons.
#[test]
fn the_sound_survey_is_answered_and_calibrated() {
    let answer = ask(Survey::sound().csv(), &plan()).expect("an answer");
    assert_eq!(answer["rows"].as_array().expect("rows").len(), 3);
    assert_eq!(district(&answer, "D1")["n_hat"], 132);
    assert_eq!(district(&answer, "D1")["ci"].as_object().expect("intervals").len(), 7);
    for step in [calibrated(sex(), age()), raked(sex(), age())] {
        let answer = ask(Survey::sound().csv(), &step).expect("an answer");
        assert_eq!(answer["design"]["n"], 36, "{answer}");
    }
}

fn sex() -> Value {
    margin("sex", &[("F", 240.0), ("M", 228.0)])
}

fn age() -> Value {
    margin("age", &[("young", 230.0), ("old", 238.0)])
}

fn calibrated(first: Value, second: Value) -> Value {
    plan_with("adjustments", json!([{"type": "calibrate", "distance": "raking", "margins": [first, second]}]))
}

fn raked(first: Value, second: Value) -> Value {
    plan_with("adjustments", json!([{"type": "rake", "margins": [first, second]}]))
}

fn jackknifed(mut plan: Value) -> Value {
    plan["variance"] = json!({"method": "replicate", "replicates": {"construct": "JKn"}});
    plan
}

#[rstest]
#[case::zero("0", "the weight 0 is not positive")]
#[case::negative("-3", "the weight -3 is not positive")]
#[case::not_a_number("NaN", "`NaN` is not a finite number")]
#[case::infinite("inf", "`inf` is not a finite number")]
#[case::beyond_a_double("1e400", "`1e400` is not a finite number")]
#[case::missing("", "the weight is missing")]
#[case::text("12kg", "`12kg` is not a finite number")]
fn a_weight_that_is_no_positive_number_is_refused_with_its_row(#[case] weight: &str, #[case] reason: &str) {
    let survey = Survey::sound().with(7, "weight", weight);
    refuses(&survey, &plan(), &["row 7 of column `weight`", reason]);
    // The same where the design takes its weights from a step that starts from the file's.
    let mut household = plan_with(
        "pre_adjustments",
        json!([{"type": "household", "weight": "weight", "multiplier": "units", "result": "final"}]),
    );
    household["design"]["weight"] = json!("final");
    refuses(&survey, &household, &["row 7 of column `weight`", reason]);
}

#[test]
fn the_row_is_the_files_also_where_an_id_sorts_the_rows() {
    let sorted = plan_with("data", json!({"file": "survey.csv", "id": "id"}));
    assert!(ask(Survey::sound().csv(), &sorted).is_ok());
    for (column, value) in [("weight", "0"), ("weight", "NaN"), ("psu", ""), ("literate", "2")] {
        refuses(&Survey::sound().with(7, column, value), &sorted, &[&format!("row 7 of column `{column}`")]);
    }
    let mut with_margins = calibrated(sex(), age());
    with_margins["data"]["id"] = json!("id");
    refuses(&Survey::sound().with(7, "sex", ""), &with_margins, &["row 7 of column `sex`", "needs a category"]);
}

#[test]
fn the_row_is_the_files_also_where_nonrespondents_are_left_out() {
    let step = json!({
        "type": "nonresponse_class", "weight": "weight", "status": "sex", "respondent": "F", "cells": ["stratum"],
        "result": "final", "drop_nonrespondents": true
    });
    let mut plan = plan_with("pre_adjustments", json!([step]));
    plan["design"]["weight"] = json!("final");
    assert!(ask(Survey::sound().csv(), &plan).is_ok());
    refuses(&Survey::sound().with(7, "psu", ""), &plan, &["row 7 of column `psu`"]);
    refuses(&Survey::sound().with(7, "literate", "yes"), &plan, &["row 7 of column `literate`", "`yes`"]);
}

#[test]
fn a_psu_in_two_strata_is_refused_with_both() {
    let survey = Survey::sound().with(7, "stratum", "B");
    refuses(&survey, &plan(), &["unit A2 stands in the strata A and B", "unit_ids_nested_in_stratum"]);
}

#[test]
fn a_population_below_the_sample_is_refused_with_its_stratum() {
    let mut plan = plan();
    plan["design"]["stages"][0]["population_units"] = json!("units");
    assert!(ask(Survey::sound().csv(), &plan).is_ok());
    let small = Survey::sound().where_is(("stratum", "A"), ("units", "2"));
    refuses(&small, &plan, &["stratum A at stage 1: 3 units were sampled but the population has 2"]);
    refuses(&Survey::sound().with(5, "units", "41"), &plan, &["row 5 of column `units`", "40 population units"]);
    refuses(&Survey::sound().with(5, "units", "0"), &plan, &["row 5 of column `units`", "is positive"]);
}

#[rstest]
#[case::linearized(plan())]
#[case::jackknife(jackknifed(plan()))]
fn a_lonely_psu_without_a_policy_is_refused_with_its_stratum(#[case] mut plan: Value) {
    let lonely = Survey::sound().without("psu", "B2").without("psu", "B3");
    refuses(&lonely, &plan, &["stratum B has a single unit at stage 1", "name a lonely_psu policy"]);
    plan["variance"]["lonely_psu"] = json!("adjust");
    assert!(ask(lonely.csv(), &plan).is_ok());
}

#[rstest]
#[case::calibrate(calibrated, "calibrate")]
#[case::rake(raked, "rake")]
fn margins_that_contradict_each_other_or_the_sample_are_refused(
    #[case] plan: fn(Value, Value) -> Value,
    #[case] step: &str,
) {
    let sound = Survey::sound();
    let older = margin("age", &[("young", 230.0), ("old", 239.0)]);
    refuses(&sound, &plan(sex(), older), &[step, "margins disagree: sex sums to 468, age to 469"]);
    let third = margin("sex", &[("F", 240.0), ("M", 200.0), ("其他", 28.0)]);
    refuses(&sound, &plan(third, age()), &[step, "sex = 其他", "no respondent has this category"]);
    let one = margin("sex", &[("F", 468.0)]);
    refuses(&sound, &plan(one, age()), &[step, "sex = M", "no total is given"]);
    let none = margin("sex", &[("F", 468.0), ("M", 0.0)]);
    refuses(&sound, &plan(none, age()), &[step, "sex = M", "the total is 0 but respondents have"]);
    let negative = margin("sex", &[("F", 500.0), ("M", -32.0)]);
    refuses(&sound, &plan(negative, age()), &["failed to read the plan at adjustments[0]", "`-32`"]);
    refuses(&sound.with(7, "sex", ""), &plan(sex(), age()), &["row 7 of column `sex`", "needs a category"]);
}

/// Women are young and men are old, so that no weights meet the margins, each of which is sound.
#[rstest]
#[case::calibrate(calibrated, "calibrate: no convergence")]
#[case::rake(raked, "rake: no convergence")]
fn margins_that_no_weights_meet_are_refused_with_the_worst(
    #[case] plan: fn(Value, Value) -> Value,
    #[case] part: &str,
) {
    let tied = Survey::sound().where_is(("sex", "F"), ("age", "young")).where_is(("sex", "M"), ("age", "old"));
    refuses(&tied, &plan(sex(), age()), &[part, "the worst margin is "]);
}

#[rstest]
#[case::linear("linear")]
#[case::logit("logit")]
fn bounds_that_cannot_be_met_are_refused_with_the_worst_margin(#[case] distance: &str) {
    let bounded = |men: f64| {
        let mut plan = calibrated(margin("sex", &[("F", 468.0 - men), ("M", men)]), age());
        plan["adjustments"][0]["distance"] = json!(distance);
        plan["adjustments"][0]["bounds"] = json!([0.5, 1.5]);
        plan
    };
    assert!(ask(Survey::sound().csv(), &bounded(228.0)).is_ok());
    refuses(&Survey::sound(), &bounded(8.0), &["calibrate: no convergence", "the worst margin is sex = M"]);
    let mut turned = bounded(228.0);
    turned["adjustments"][0]["bounds"] = json!([1.5, 0.5]);
    refuses(&Survey::sound(), &turned, &["calibrate.bounds"]);
}

/// All men live in one PSU, so that the replicate without it cannot meet the margin.
#[rstest]
#[case::calibrate(calibrated(margin("sex", &[("F", 428.0), ("M", 40.0)]), age()))]
#[case::rake(raked(margin("sex", &[("F", 428.0), ("M", 40.0)]), age()))]
fn a_replicate_that_cannot_be_adjusted_is_named(#[case] full: Value) {
    let survey = ["A", "B", "C"].iter().fold(Survey::sound(), |s, at| s.where_is(("stratum", at), ("sex", "F")));
    let survey = survey.where_is(("psu", "A1"), ("sex", "M"));
    assert!(ask(survey.csv(), &full).is_ok(), "the full sample meets the margins");
    refuses(&survey, &jackknifed(full), &["adjust replicate 1: ", "sex = M"]);
}

/// The two persons who loosen sex from age live in one PSU: without them the fit has no solution.
#[rstest]
#[case::calibrate(calibrated)]
#[case::rake(raked)]
fn a_replicate_that_does_not_converge_is_named(#[case] plan: fn(Value, Value) -> Value) {
    let tied = Survey::sound().where_is(("sex", "F"), ("age", "young")).where_is(("sex", "M"), ("age", "old"));
    let survey = tied.with(1, "age", "old").with(2, "age", "young");
    let full = plan(margin("sex", &[("F", 234.0), ("M", 234.0)]), margin("age", &[("young", 236.0), ("old", 232.0)]));
    assert!(ask(survey.csv(), &full).is_ok(), "the full sample converges");
    refuses(&survey, &jackknifed(full), &["adjust replicate 1: ", "no convergence", "the worst margin is "]);
}

/// Least squares without bounds may make a weight negative; the answer is then that of all rows, as R's is.
#[test]
fn a_negative_calibrated_weight_counts_in_the_answer() {
    let few = margin("sex", &[("F", 467.0), ("M", 1.0)]);
    let mut plan = calibrated(few, margin("age", &[("young", 467.0), ("old", 1.0)]));
    plan["adjustments"][0]["distance"] = json!("linear");
    plan["expect_weights"] = json!(true);
    plan["estimator"]["by"] = json!([]);
    let answer = ask(Survey::sound().csv(), &plan).expect("an answer");
    assert!(answer["design"]["weight_min"].as_f64().expect("a weight") < 0.0);
    let row = &answer["rows"][0];
    assert_eq!(row["n"], 36);
    assert!((row["n_hat"].as_f64().expect("a size") - 468.0).abs() < 1e-9, "{row}");
    let literate = (1..=36).map(|k| f64::from(u8::from(k * 7 % 5 < 2)));
    let weights = answer["weights"].as_array().expect("weights").iter().map(|w| w.as_f64().expect("a weight"));
    let by_hand = literate.zip(weights).map(|(y, w)| y * w).sum::<f64>() / 468.0;
    assert!((row["estimate"].as_f64().expect("a share") - by_hand).abs() < 1e-12, "{row}, by hand {by_hand}");
}

/// No estimate, no standard error, no interval: only how many there are, and why.
#[rstest]
#[case::linearized(plan())]
#[case::jackknife(jackknifed(plan()))]
fn a_domain_with_no_one_is_not_estimable(#[case] mut plan: Value) {
    let survey = Survey::sound().where_is(("district", "D1"), ("literate", ""));
    let answer = ask(survey.csv(), &plan).expect("an answer");
    let expected = json!({"domain": {"district": "D1"}, "n": 0, "n_hat": 0, "note": "nobody is in the domain"});
    assert_eq!(*district(&answer, "D1"), expected);
    assert!(district(&answer, "D2")["ci"]["logit"].is_array());

    plan["where"] = json!([{"column": "sex", "op": "==", "value": "Z"}]);
    refuses(&Survey::sound(), &plan, &["the domain of `where`", "nobody is in it"]);
    plan["estimator"]["by"] = json!([]);
    refuses(&Survey::sound(), &plan, &["the domain of `where`", "nobody is in it"]);
}

#[rstest]
#[case::linearized(plan())]
#[case::jackknife(jackknifed(plan()))]
fn a_domain_in_one_psu_has_no_interval(#[case] plan: Value) {
    let survey =
        Survey::sound().where_is(("psu", "A2"), ("district", "D9")).where_is(("psu", "A3"), ("district", "D9"));
    let answer = ask(survey.csv(), &plan).expect("an answer");
    let row = district(&answer, "D1");
    assert_eq!((&row["n"], &row["df"]), (&json!(4), &json!(0)));
    assert_eq!(row["note"], "no degrees of freedom: one first-stage unit a stratum");
    assert_eq!(row.get("ci"), None);
}

#[rstest]
#[case::linearized(plan())]
#[case::jackknife(jackknifed(plan()))]
fn a_share_of_0_or_1_has_no_interval(#[case] plan: Value) {
    let survey = Survey::sound().where_is(("district", "D1"), ("literate", "0"));
    let survey = survey.where_is(("district", "D2"), ("literate", "1"));
    let answer = ask(survey.csv(), &plan).expect("an answer");
    for (name, share) in [("D1", 0), ("D2", 1)] {
        let row = district(&answer, name);
        assert_eq!(row["estimate"], share);
        assert_eq!(row["note"], "the share is 0 or 1: only a Korn-Graubard interval exists");
        assert_eq!(row.get("ci"), None);
    }
    assert!(district(&answer, "D3")["ci"]["logit"].is_array());
}

#[test]
fn a_category_of_thirty_chinese_characters_is_told_from_its_neighbour() {
    let name = "黑龙江省哈尔滨市南岗区王岗镇前进社区居民委员会第三网格住户甲";
    let neighbour = "黑龙江省哈尔滨市南岗区王岗镇前进社区居民委员会第三网格住户乙";
    assert_eq!(name.chars().count(), 30);
    let survey = Survey::sound().where_is(("district", "D1"), ("district", name));
    let survey = survey.where_is(("district", "D2"), ("district", neighbour));
    let totals = |first: &str| margin("district", &[(first, 132.0), (neighbour, 156.0), ("D3", 180.0)]);
    let answer = ask(survey.csv(), &calibrated(totals(name), sex())).expect("an answer");
    let size = |row: &Value| row["n_hat"].as_f64().expect("a size");
    assert!((size(district(&answer, name)) - 132.0).abs() < 1e-6);
    assert!((size(district(&answer, neighbour)) - 156.0).abs() < 1e-6);
    let shorter: String = name.chars().take(29).collect();
    refuses(&survey, &calibrated(totals(&shorter), sex()), &[&format!("district = {shorter}:"), "no respondent"]);
}

#[test]
fn a_byte_order_mark_crlf_and_quoted_commas_change_no_number() {
    let plain = ask(Survey::sound().csv(), &plan()).expect("an answer");
    let quoted = Survey::sound().where_is(("district", "D1"), ("district", "\"南岗, \"\"老\"\" 区\""));
    let windows = format!("\u{feff}{}", quoted.csv().replace('\n', "\r\n"));
    let answer = ask(windows, &plan()).expect("an answer");
    let mut row = district(&answer, "南岗, \"老\" 区").clone();
    row["domain"]["district"] = json!("D1");
    assert_eq!(row, *district(&plain, "D1"));
    assert_eq!(district(&answer, "D2"), district(&plain, "D2"));
}

#[rstest]
#[case::short(|line: &str| line.rsplit_once(',').expect("cells").0.to_owned(), "found record with 8 fields")]
#[case::long(|line: &str| format!("{line},1"), "found record with 10 fields")]
#[case::open_quote(|line: &str| format!("\"{line}"), "found record with 1 fields")]
fn a_row_with_other_cells_than_the_header_is_refused_with_its_line(
    #[case] spoil: fn(&str) -> String,
    #[case] reason: &str,
) {
    let csv = Survey::sound().csv();
    let lines: Vec<String> =
        csv.lines().enumerate().map(|(at, line)| if at == 5 { spoil(line) } else { line.to_owned() }).collect();
    let said = ask(lines.join("\n"), &plan()).expect_err("a refusal");
    for part in ["failed to read the table survey.csv", "line: 6", reason] {
        assert!(said.contains(part), "{said}");
    }
}

#[rstest]
#[case::empty(Vec::new(), "the table survey.csv has no rows")]
#[case::header_alone(b"stratum,psu,weight,district,literate\n".to_vec(), "the table survey.csv has no rows")]
#[case::two_columns_of_one_name(b"psu,psu\n1,2\n".to_vec(), "the column `psu` stands twice")]
#[case::semicolons(Survey::sound().csv().replace(',', ";").into_bytes(), "find the column `stratum`")]
#[case::other_encoding(
    b"stratum,psu,weight,district,literate\nA,1,1,\xc4\xcf\xb8\xda,1\nA,2,1,D1,0\n".to_vec(),
    "row 1 of column `district`: the text is not UTF-8"
)]
fn a_file_that_is_no_table_of_the_plan_is_refused(#[case] bytes: Vec<u8>, #[case] reason: &str) {
    let said = ask(bytes, &plan()).expect_err("a refusal");
    assert!(said.contains(reason), "{said}");
}
