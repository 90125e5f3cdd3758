//! A small sound survey, a plan over it and the built program; each test spoils one thing.

use std::fs;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

const HEADER: [&str; 9] = ["id", "stratum", "psu", "weight", "units", "sex", "age", "district", "literate"];

/// Three strata of three PSUs of four persons; district `D1` is stratum A, and so on.
pub struct Survey(Vec<Vec<String>>);

impl Survey {
    /// Nothing is wrong with it.
    pub fn sound() -> Self {
        let person = |k: usize| {
            let (stratum, psu, place) = (k / 12, k / 4 % 3, k % 4);
            let letter = ["A", "B", "C"][stratum];
            vec![
                // Against the order of the file, so that sorting by it moves every row.
                (1000 - k).to_string(),
                letter.to_owned(),
                format!("{letter}{}", psu + 1),
                (10 + stratum * 2 + psu).to_string(),
                "40".to_owned(),
                ["F", "M"][place % 2].to_owned(),
                ["young", "old"][place / 2].to_owned(),
                format!("D{}", stratum + 1),
                u8::from((k + 1) * 7 % 5 < 2).to_string(),
            ]
        };
        Self((0..36).map(person).collect())
    }

    fn at(column: &str) -> usize {
        HEADER.iter().position(|name| *name == column).expect("a column of the survey")
    }

    /// One cell, the row counted from 1.
    pub fn with(mut self, row: usize, column: &str, value: &str) -> Self {
        self.0[row - 1][Self::at(column)] = value.to_owned();
        self
    }

    /// A column of every row where another has a value.
    pub fn where_is(mut self, (column, is): (&str, &str), (change, value): (&str, &str)) -> Self {
        for row in self.0.iter_mut().filter(|row| row[Self::at(column)] == is) {
            row[Self::at(change)] = value.to_owned();
        }
        self
    }

    /// The survey without the rows where a column has a value.
    pub fn without(mut self, column: &str, value: &str) -> Self {
        self.0.retain(|row| row[Self::at(column)] != value);
        self
    }

    /// The table as CSV.
    pub fn csv(&self) -> String {
        let lines = self.0.iter().map(|row| row.join(",") + "\n");
        HEADER.join(",") + "\n" + &lines.collect::<String>()
    }
}

/// The share by district with every interval, by linearization.
pub fn plan() -> Value {
    json!({
        "data": {"file": "survey.csv"},
        "design": {
            "kind": "stages",
            "stages": [{"unit": "psu", "stratum": "stratum", "population_units": null}],
            "weight": "weight"
        },
        "variance": {"method": "taylor"},
        "estimator": {
            "type": "proportion", "variable": "literate", "by": ["district"],
            "ci": {"methods": ["mean", "logit", "xlogit", "asin", "beta", "wilson", "likelihood"], "level": 0.95}
        }
    })
}

/// The plan with one key replaced.
pub fn plan_with(key: &str, value: Value) -> Value {
    let mut plan = plan();
    plan[key] = value;
    plan
}

/// A margin of one column.
pub fn margin(column: &str, cells: &[(&str, f64)]) -> Value {
    let cells: Vec<Value> = cells.iter().map(|(label, total)| json!({column: label, "total": total})).collect();
    json!({"by": [column], "cells": cells})
}

/// What `scilit estimate` answers, or says when it refuses; a refusal is the code 1, one line on standard error and
/// nothing on standard output.
pub fn ask(csv: impl AsRef<[u8]>, plan: &Value) -> Result<Value, String> {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("survey.csv"), csv).expect("a survey");
    let file = folder.path().join("plan.json");
    fs::write(&file, plan.to_string()).expect("a plan");
    let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
    command.arg("estimate").arg("--plan").arg(&file).arg("--data-dir").arg(folder.path());
    let output = command.output().expect("the program runs");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    match output.status.code() {
        Some(0) => Ok(serde_json::from_slice(&output.stdout).expect("the answer is JSON")),
        Some(1) if output.stdout.is_empty() && said.starts_with("scilit: ") && said.lines().count() == 1 => Err(said),
        code => panic!("neither an answer nor a refusal, code {code:?}: {said}"),
    }
}

/// The message of a refusal; an answer fails the test.
pub fn refusal(survey: &Survey, plan: &Value) -> String {
    match ask(survey.csv(), plan) {
        Err(said) => said,
        Ok(answer) => panic!("a refusal was expected, here is an answer: {answer}"),
    }
}

/// The message of a refusal holds all of `parts`.
pub fn refuses(survey: &Survey, plan: &Value, parts: &[&str]) {
    let said = refusal(survey, plan);
    let missing: Vec<_> = parts.iter().filter(|part| !said.contains(**part)).collect();
    assert!(missing.is_empty(), "{said:?} does not name {missing:?}");
}

/// The row of a district.
pub fn district<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let rows = answer["rows"].as_array().expect("rows");
    rows.iter().find(|row| row["domain"]["district"] == name).unwrap_or_else(|| panic!("no {name} in {answer}"))
}
