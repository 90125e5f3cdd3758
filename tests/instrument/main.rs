//! The instrument from outside: the shipped files, faults of files, faults of submissions, scores.

mod faults;
mod malformed;
mod profiles;
mod responses;
mod scoring;
mod shipped;

use std::{fs, path::Path};

use scilit::instrument::{Item, ItemFault, ItemKind, Questionnaire, Response, ScoringProfile, Submission};
use serde_json::{Value, json};

const QUESTIONNAIRES: [&str; 3] = ["benchmark-50", "csl-demo", "youth-demo"];

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("questionnaires").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn questionnaire(id: &str) -> Questionnaire {
    let name = format!("{id}.toml");
    Questionnaire::from_toml(&name, &shipped(&name)).unwrap_or_else(|faults| panic!("{faults}"))
}

fn profile(id: &str) -> ScoringProfile {
    let name = format!("profiles/{id}.toml");
    ScoringProfile::from_toml(&name, &shipped(&name)).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A sound answer to an item: right or wrong where there is a key, else the first thing that is allowed.
fn value(item: &Item, right: bool) -> Option<Value> {
    let first = item.options.first().map(|option| json!(option.code));
    Some(match item.kind {
        ItemKind::SingleChoice | ItemKind::TrueFalse if item.is_scored() => {
            let option = item.options.iter().find(|option| item.key.contains(&option.code) == right);
            json!(option.expect("a right and a wrong option").code)
        }
        ItemKind::SingleChoice | ItemKind::TrueFalse => first.expect("an option"),
        ItemKind::MultipleChoice => json!([first.expect("an option")]),
        ItemKind::Number => json!(item.min.expect("a lower bound")),
        ItemKind::Text => return None,
        ItemKind::Date => json!(item.date_min.expect("a first day").to_string()),
        ItemKind::Matrix => {
            item.rows.iter().map(|row| (row.code.clone(), first.clone().expect("an option"))).collect::<Value>()
        }
    })
}

/// A submission that answers every item; `right` says which scored items are right.
fn body(questionnaire: &Questionnaire, right: impl Fn(&Item) -> bool) -> Value {
    let answers: Vec<Value> = (questionnaire.items())
        .filter_map(|item| Some(json!({"i": item.id, "v": value(item, right(item))?, "n_changes": 0, "ms": 4000})))
        .collect();
    json!({
        "schema": 1, "id": "0198c0de-0000-7000-8000-000000000001", "rev": 1, "parent_rev": null, "case": "C-0001",
        "assignment": null, "instrument": questionnaire.hash(), "draw": null,
        "consent": {"given": true, "at_ms": 1_750_000_000_000_i64},
        "selection": {"method": "uniform", "n_eligible": 2, "selected_no": 1, "prob": 0.5},
        "roster": [{"no": 1, "sex": "male", "age": 43, "eligible": true}, {"no": 2, "sex": "female", "age": 40, "eligible": true}],
        "answers": answers, "order_shown": [], "timing": {"started_ms": 1, "finished_ms": 2, "active_ms": 1},
        "gps": null, "attachments": [], "client": {"release": "1"}, "note": ""
    })
}

/// Replaces what was answered to an item: `{"v": …}`, `{"m": …}`, or nothing at all.
fn answer(body: &mut Value, item: &str, given: Option<Value>) {
    let answers = body["answers"].as_array_mut().expect("answers");
    answers.retain(|answer| answer["i"] != item);
    if let Some(mut given) = given {
        given["i"] = json!(item);
        answers.push(given);
    }
}

fn submission(body: &Value) -> Submission {
    Submission::parse(body.to_string().as_bytes()).unwrap_or_else(|faults| panic!("{}", listed(&faults)))
}

fn accepted(questionnaire: &Questionnaire, body: &Value) -> Response {
    Response::accept(questionnaire, &submission(body)).unwrap_or_else(|faults| panic!("{}", listed(&faults)))
}

/// The faults of a body that parses but does not stand: pointer, item and code of each.
fn refused(questionnaire: &Questionnaire, body: &Value) -> Vec<(String, String, &'static str)> {
    let faults = Response::accept(questionnaire, &submission(body)).expect_err("a refusal");
    faults.into_iter().map(|f| (f.pointer, f.item.unwrap_or_default(), f.code.as_str())).collect()
}

fn listed(faults: &[ItemFault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}
