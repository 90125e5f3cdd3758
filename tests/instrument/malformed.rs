//! Bytes that are no submission: a fault, never a panic.

use proptest::prelude::*;
use scilit::instrument::Submission;
use serde_json::{Value, json};

use crate::{body, questionnaire};

fn codes(bytes: &[u8]) -> Vec<(String, &'static str)> {
    let faults = Submission::parse(bytes).expect_err("a refusal");
    faults.into_iter().map(|fault| (fault.pointer, fault.code.as_str())).collect()
}

#[test]
fn what_is_not_json_is_malformed() {
    let nul = br#"{"note":"a\u0000b"}"#;
    let deep = "[".repeat(10_000);
    let cases: [&[u8]; 10] = [
        b"",
        b"{",
        b"{} x",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"{\"a\":01}",
        b"{\"a\":1e400}",
        b"{\"a\":1,\"a\":1}",
        nul,
        deep.as_bytes(),
    ];
    for bytes in cases {
        assert_eq!(codes(bytes), [(String::new(), "malformed")], "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_document_that_is_no_object_has_the_wrong_type() {
    for bytes in ["null", "[]", "\"x\"", "3"] {
        assert_eq!(codes(bytes.as_bytes()), [(String::new(), "wrong-type")], "{bytes}");
    }
}

#[test]
fn an_empty_object_lacks_every_required_field() {
    let pointers: Vec<String> = codes(b"{}").into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/schema", "/id", "/rev", "/case", "/instrument", "/answers"]);
}

#[test]
fn arrays_are_not_taken_for_objects() {
    let mut body = body(&questionnaire("csl-demo"), |_| true);
    body["consent"] = json!([true, 1]);
    body["answers"][0] = json!(["sex", "male"]);
    body["selection"] = json!(["uniform", 2, 1, 0.5]);
    let found = codes(body.to_string().as_bytes());
    let expected = ["/consent", "/selection", "/answers/0"].map(|pointer| (pointer.to_owned(), "wrong-type"));
    assert_eq!(found, expected);
}

#[test]
fn each_field_is_checked_and_all_faults_come_at_once() {
    let cases = [
        ("/schema", json!(2), "unsupported-schema"),
        ("/id", json!("00000000-0000-0000-0000-000000000000"), "wrong-type"),
        ("/rev", json!(0), "out-of-range"),
        ("/case", json!(""), "wrong-type"),
        ("/instrument", json!("ABC"), "wrong-type"),
        ("/consent/given", json!("yes"), "wrong-type"),
        ("/selection/n_eligible", json!(0), "out-of-range"),
        ("/selection/prob", json!(1.5), "wrong-type"),
        ("/roster/0/sex", json!("男"), "wrong-type"),
        ("/roster/0/age", json!(-1), "wrong-type"),
        ("/answers/3/ms", json!(-5), "wrong-type"),
        ("/order_shown", json!([1]), "wrong-type"),
        ("/timing/started_ms", json!(1.5), "wrong-type"),
    ];
    let mut body = body(&questionnaire("csl-demo"), |_| true);
    for (pointer, value, _) in &cases {
        *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.clone();
    }
    let expected: Vec<(String, &str)> = cases.iter().map(|(pointer, _, code)| ((*pointer).to_owned(), *code)).collect();
    assert_eq!(codes(body.to_string().as_bytes()), expected);
}

#[test]
fn an_answer_has_exactly_one_of_value_and_missing_kind() {
    let mut body = body(&questionnaire("csl-demo"), |_| true);
    body["answers"] = json!([
        {"i": "sex"},
        {"i": "age", "v": 20, "m": "refused"},
        {"i": "K01", "m": "bored"},
        {"i": "K02", "v": null, "m": "dont_know"},
        {"v": "true"},
    ]);
    let found = codes(body.to_string().as_bytes());
    let expected = [
        ("/answers/0", "wrong-type"),
        ("/answers/1", "wrong-type"),
        ("/answers/2/m", "wrong-type"),
        ("/answers/4/i", "missing-field"),
    ];
    assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
}

#[test]
fn unknown_fields_are_left_alone() {
    let mut body = body(&questionnaire("csl-demo"), |_| true);
    body["later_release"] = json!({"x": [1, 2]});
    body["answers"][0]["extra"] = json!(1);
    assert!(Submission::parse(body.to_string().as_bytes()).is_ok());
}

#[test]
fn faults_speak_chinese_and_english() {
    let faults = Submission::parse(b"{}").expect_err("a refusal");
    assert_eq!((faults[2].message.zh.as_str(), faults[2].message.en.as_str()), ("缺少“rev”", "\"rev\" is missing"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Submission::parse(&bytes);
    }

    #[test]
    fn any_value_in_any_field_is_accepted_or_refused(value in any_json(), place in 0_usize..40, as_item in any::<bool>()) {
        let questionnaire = questionnaire("csl-demo");
        let mut body = body(&questionnaire, |_| true);
        if as_item {
            body["answers"][place]["v"] = value;
        } else {
            let name = body.as_object().expect("an object").keys().nth(place % 16).expect("a field").clone();
            body[name] = value;
        }
        if let Ok(submission) = Submission::parse(body.to_string().as_bytes()) {
            let _ = scilit::instrument::Response::accept(&questionnaire, &submission);
        }
    }
}
