//! The golden cases through the built program: what a user gets from `scilit estimate`, compared with R's numbers.

#[path = "golden/compare.rs"]
mod compare;

use std::{fs, path::Path};

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The program's answer to a plan, or what it says on standard error when it refuses.
///
/// A refusal is the code 1 with a message and nothing on standard output; a panic or half an answer is neither.
fn run(folder: &Path, plan: &Value) -> Result<Value, String> {
    let scratch = TempDir::new().expect("a folder");
    let file = scratch.path().join("plan.json");
    fs::write(&file, plan.to_string()).expect("a plan");
    let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
    command.arg("estimate").arg("--plan").arg(&file).arg("--data-dir").arg(folder.join("data"));
    let output = command.output().expect("the program runs");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    match output.status.code() {
        Some(0) => Ok(serde_json::from_slice(&output.stdout).expect("the answer is JSON")),
        Some(1) if output.stdout.is_empty() && said.starts_with("scilit: ") => Err(said),
        code => panic!("{}: neither an answer nor a refusal, code {code:?}: {said}", plan["id"]),
    }
}

#[test]
fn every_case_agrees_with_r_through_the_program() {
    let folder = compare::folder();
    let cases = compare::cases(&folder);
    let faults: Vec<_> =
        cases.iter().map(|(_, case)| compare::faults(&folder, case, run(&folder, &case["case"]))).collect();
    compare::judge(&cases, &faults);
}

/// The comparison sees what it is there for: a digit, a row, a refusal.
#[test]
fn a_number_off_by_more_than_the_tolerance_is_a_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let cases = compare::cases(&folder);
    let of = |id: &str| cases.iter().find(|(name, _)| name == id).map(|(_, case)| case.clone()).expect("a case");
    let case = of("S11");
    let answer = run(&folder, &case["case"]).expect("an answer");
    let faults = |answer: Result<Value, String>| compare::faults(&folder, &case, answer);
    assert_eq!(faults(Ok(answer.clone())), Vec::<String>::new());

    let estimate = answer["rows"][0]["estimate"].as_f64().expect("a share");
    let mut moved = answer.clone();
    moved["rows"][0]["estimate"] = json!(estimate * (1.0 + 1e-6));
    assert!(faults(Ok(moved))[0].contains(".estimate: R "), "a number off by 1e-6 is seen");
    let mut shorter = answer.clone();
    shorter["rows"].as_array_mut().expect("rows").remove(0);
    assert_eq!(faults(Ok(shorter)).len(), 2, "the number of rows and the row itself");
    let mut blank = answer.clone();
    blank["rows"][0]["se"] = Value::Null;
    assert!(faults(Ok(blank))[0].contains("null"), "a number that is missing is seen");
    assert_eq!(faults(Err("scilit: no".to_owned())), ["scilit: no"]);

    let refused = of("S19_fail");
    assert!(run(&folder, &refused["case"]).expect_err("a refusal").contains("has a single unit at stage 1"));
    assert_eq!(compare::faults(&folder, &refused, Ok(answer)), ["R refuses, here is an answer"]);
}
