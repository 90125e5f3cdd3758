//! Submissions held against their questionnaire.

use scilit::instrument::{Given, MissingKind, Questionnaire, Response};
use serde_json::{Value, json};

use crate::{accepted, answer, body, questionnaire, refused, submission};

fn demo() -> (Questionnaire, Value) {
    let questionnaire = questionnaire("csl-demo");
    let body = body(&questionnaire, |_| true);
    (questionnaire, body)
}

/// The codes of one item's faults after its answer is replaced.
fn faults_of(item: &str, given: Option<Value>) -> Vec<&'static str> {
    let (questionnaire, mut body) = demo();
    answer(&mut body, item, given);
    let faults = refused(&questionnaire, &body);
    assert!(faults.iter().all(|(_, faulty, _)| faulty == item), "{item}: {faults:?}");
    faults.into_iter().map(|(_, _, code)| code).collect()
}

#[test]
fn a_complete_submission_is_accepted() {
    let (questionnaire, body) = demo();
    let response = accepted(&questionnaire, &body);
    assert_eq!((response.case.as_str(), response.rev, response.person_probability()), ("C-0001", 1, Some(0.5)));
    let sex = response.answer(&questionnaire, "sex").expect("an answer");
    assert_eq!((&sex.given, sex.active, sex.shown_ms), (&Given::Choice("male".to_owned()), true, Some(4000)));
    assert_eq!(response.answer(&questionnaire, "comment"), None);
}

#[test]
fn every_kind_of_wrong_value_has_its_code() {
    let v = |value: Value| Some(json!({"v": value}));
    let m = |kind: &str| Some(json!({"m": kind}));
    let cases = [
        ("sex", v(json!("男")), "impossible-code"),
        ("sex", v(json!(["male"])), "wrong-type"),
        ("sex", m("refused"), "missing-kind-not-allowed"),
        ("sex", None, "required-missing"),
        ("age", v(json!(17)), "out-of-range"),
        ("age", v(json!(70)), "out-of-range"),
        ("age", v(json!(30.5)), "wrong-type"),
        ("age", v(json!("３０")), "wrong-type"),
        ("age", v(json!(9_007_199_254_740_993_u64)), "out-of-range"),
        ("K01", v(json!(true)), "wrong-type"),
        ("K01", m("not_applicable"), "missing-kind-not-allowed"),
        ("channels", v(json!([])), "out-of-range"),
        ("channels", v(json!(["radio", "radio"])), "impossible-code"),
        ("channels", v(json!(["radio", "none"])), "impossible-code"),
        ("channels", v(json!("radio")), "wrong-type"),
        ("comment", v(json!("")), "out-of-range"),
        ("comment", v(json!("长".repeat(501))), "out-of-range"),
        ("last_visit", v(json!("2026-02-30")), "wrong-type"),
        ("last_visit", v(json!("2026-2-3")), "wrong-type"),
        ("last_visit", v(json!("2019-12-31")), "out-of-range"),
        ("attitudes", v(json!({"health": "agree"})), "required-missing"),
        ("attitudes", v(json!({"health": "yes"})), "impossible-code"),
        ("attitudes", v(json!({"__proto__": "agree"})), "impossible-code"),
        ("attitudes", v(json!(["agree"])), "wrong-type"),
    ];
    for (item, given, code) in cases {
        assert_eq!(faults_of(item, given.clone()), [code], "{item} {given:?}");
    }
}

#[test]
fn all_faults_come_at_once_with_their_place() {
    let (questionnaire, mut body) = demo();
    body["answers"][0]["v"] = json!("robot");
    body["answers"][2] = json!({"i": "K99", "v": "true"});
    let last = body["answers"].as_array().expect("answers").len();
    body["answers"].as_array_mut().expect("answers").push(json!({"i": "age", "v": 20}));
    body["consent"]["given"] = json!(false);
    body["order_shown"] = json!(["K01", "K98"]);
    body["selection"]["selected_no"] = json!(3);
    let duplicate = format!("/answers/{last}");
    let expected = [
        ("/consent", "", "no-consent"),
        ("/selection/selected_no", "", "out-of-range"),
        ("/order_shown/1", "K98", "unknown-item"),
        ("/answers/0", "sex", "impossible-code"),
        ("/answers/2", "K99", "unknown-item"),
        (duplicate.as_str(), "age", "duplicate-answer"),
        ("/answers", "channels", "required-missing"),
    ];
    let expected: Vec<_> = expected.iter().map(|(p, i, c)| ((*p).to_owned(), (*i).to_owned(), *c)).collect();
    assert_eq!(refused(&questionnaire, &body), expected);
}

#[test]
fn acc043_the_probability_is_the_one_that_the_method_gives_this_person() {
    let (questionnaire, mut body) = demo();
    body["roster"] = json!([]);
    let mut fits = |method: &str, n: u32, no: u32, prob: f64| {
        body["selection"] = json!({"method": method, "n_eligible": n, "selected_no": no, "prob": prob});
        Response::accept(&questionnaire, &submission(&body)).is_ok()
    };
    // Kish's tables for five: 2, 2, 3, 2 and 3 twelfths.
    for (no, twelfths) in (1..).zip([2.0, 2.0, 3.0, 2.0, 3.0]) {
        assert!(fits("kish", 5, no, twelfths / 12.0), "{no}");
        assert!(!fits("kish", 5, no, 0.2), "{no}: not a fifth");
    }
    assert!(fits("kish", 4, 2, 0.25) && fits("kish", 6, 6, 1.0 / 6.0));
    assert!(fits("kish", 8, 6, 1.0 / 6.0) && !fits("kish", 8, 7, 1.0 / 6.0), "the tables know six persons");
    assert!(fits("uniform", 5, 3, 0.2) && fits("next-birthday", 3, 1, 0.333_333_3) && !fits("uniform", 5, 3, 0.25));
}

#[test]
fn another_questionnaire_is_told_apart_by_its_hash() {
    let (_, body) = demo();
    let faults = refused(&questionnaire("benchmark-50"), &body);
    assert_eq!(faults, [("/instrument".to_owned(), String::new(), "wrong-questionnaire")]);
}

#[test]
fn an_answer_that_routing_makes_irrelevant_is_kept_inactive() {
    let (questionnaire, mut body) = demo();
    answer(&mut body, "employment", Some(json!({"v": "student"})));
    let response = accepted(&questionnaire, &body);
    let occupation = response.answer(&questionnaire, "occupation").expect("kept");
    assert_eq!((&occupation.given, occupation.active), (&Given::Choice("official".to_owned()), false));
}

#[test]
fn an_irrelevant_item_needs_no_answer_and_a_relevant_one_does() {
    let (questionnaire, mut body) = demo();
    answer(&mut body, "occupation", None);
    assert_eq!(refused(&questionnaire, &body)[0].2, "required-missing");
    answer(&mut body, "employment", Some(json!({"v": "retired"})));
    answer(&mut body, "age", Some(json!({"v": 61})));
    assert_eq!(accepted(&questionnaire, &body).answer(&questionnaire, "occupation"), None);
}

#[test]
fn hard_checks_refuse_and_soft_checks_notice() {
    let (questionnaire, mut body) = demo();
    answer(&mut body, "residence_years", Some(json!({"v": 40})));
    let fault = &refused(&questionnaire, &body)[0];
    assert_eq!((fault.1.as_str(), fault.2), ("residence_years", "hard-check-failed"));
    answer(&mut body, "residence_years", Some(json!({"v": 18})));
    answer(&mut body, "education", Some(json!({"v": "bachelor"})));
    let response = accepted(&questionnaire, &body);
    assert_eq!(response.notices.len(), 1);
    assert_eq!(response.notices[0].item, "education");
    assert!(response.notices[0].message.zh.contains("请核实"));
}

#[test]
fn a_check_over_a_missing_answer_is_silent() {
    let (questionnaire, mut body) = demo();
    answer(&mut body, "residence_years", Some(json!({"m": "dont_know"})));
    let response = accepted(&questionnaire, &body);
    let given = &response.answer(&questionnaire, "residence_years").expect("an answer").given;
    assert_eq!(given, &Given::Missing(MissingKind::DontKnow));
}

#[test]
fn a_break_off_may_leave_every_later_item_unreached() {
    let (questionnaire, mut body) = demo();
    for item in questionnaire.items().skip(2) {
        answer(&mut body, &item.id, Some(json!({"m": "not_reached"})));
    }
    assert!(accepted(&questionnaire, &body).notices.is_empty());
}

#[test]
fn chosen_codes_come_in_the_order_of_the_options() {
    let (questionnaire, mut body) = demo();
    answer(&mut body, "channels", Some(json!({"v": ["internet", "radio"]})));
    let response = accepted(&questionnaire, &body);
    let expected = Given::Choices(vec!["radio".to_owned(), "internet".to_owned()]);
    assert_eq!(response.answer(&questionnaire, "channels").expect("an answer").given, expected);
}

#[test]
fn a_response_falls_into_its_analysis_categories() {
    let (questionnaire, mut body) = demo();
    answer(&mut body, "age", Some(json!({"v": 60})));
    answer(&mut body, "occupation", Some(json!({"v": "farmer"})));
    let columns = questionnaire.classify(&accepted(&questionnaire, &body));
    let expected = [
        ("age_group", Some("60-69")),
        ("education", Some("primary")),
        ("key_farmer", Some("1")),
        ("key_industrial_worker", Some("0")),
        ("key_official", Some("0")),
        ("key_older", Some("1")),
        ("occupation", Some("farmer")),
        ("sex", Some("male")),
    ];
    let found: Vec<(&str, Option<&str>)> = columns.iter().map(|(id, code)| (id.as_str(), code.as_deref())).collect();
    assert_eq!(found, expected);
}

#[test]
fn who_does_not_work_is_in_no_occupational_group_and_who_refuses_is_in_none_known() {
    let (questionnaire, mut body) = demo();
    answer(&mut body, "employment", Some(json!({"v": "homemaker"})));
    let columns = questionnaire.classify(&accepted(&questionnaire, &body));
    assert_eq!(columns["key_farmer"].as_deref(), Some("0"));
    assert_eq!(columns["occupation"].as_deref(), Some("not_working"));
    answer(&mut body, "employment", Some(json!({"m": "refused"})));
    let columns = questionnaire.classify(&accepted(&questionnaire, &body));
    assert_eq!((&columns["key_farmer"], &columns["occupation"]), (&None, &None));
}

#[test]
fn every_age_of_the_population_has_exactly_one_group() {
    let (questionnaire, mut body) = demo();
    for age in 18..=69 {
        answer(&mut body, "age", Some(json!({"v": age})));
        let columns = questionnaire.classify(&accepted(&questionnaire, &body));
        let group = columns["age_group"].clone().expect("a group");
        let (from, to) = group.split_once('-').expect("two ages");
        assert!((from.parse::<i32>().expect("an age")..=to.parse().expect("an age")).contains(&age), "{age} {group}");
    }
}

#[test]
fn parsing_keeps_the_places_of_the_answers() {
    let (_, body) = demo();
    let submission = submission(&body);
    assert!(submission.answers.iter().enumerate().all(|(i, answer)| answer.place == i));
}
