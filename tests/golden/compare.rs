//! A golden case: where the cases are, what an answer must hold, and how far it may be off.
//!
//! Shared by the runner of the library (`tests/golden.rs`) and that of the built program (`tests/golden_commands.rs`).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use scilit::statistics::DataTable;
use serde_json::Value;

/// What lies below this is rounding of a number that is 0 in exact arithmetic.
const ABSOLUTE: f64 = 1e-12;

/// The project's own cases, or those of the folder that `SCILIT_GOLDEN_DIR` names: `cases/*.json` and `data/*.csv`.
pub fn folder() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::env::var_os("SCILIT_GOLDEN_DIR").map_or_else(own, PathBuf::from)
}

/// Every case of the folder with its name, in order; a table of distribution functions is none, for the unit tests of
/// `statistics::distribution` check it.
pub fn cases(folder: &Path) -> Vec<(String, Value)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder.join("cases"))
        .expect("a folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    paths.sort();
    let read = |path: &PathBuf| -> (String, Value) {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_slice(&fs::read(path).expect("a case")).expect("JSON"))
    };
    let found: Vec<_> =
        paths.iter().map(read).filter(|(_, case)| case["case"]["estimator"]["type"] != "special_functions").collect();
    assert!(!found.is_empty(), "{} has no cases", folder.display());
    found
}

/// Fails with every case that has faults; `faults` holds those of each case, in the cases' order.
pub fn judge(cases: &[(String, Value)], faults: &[Vec<String>]) {
    assert_eq!(cases.len(), faults.len(), "every case is judged");
    let failed: Vec<String> = cases
        .iter()
        .zip(faults)
        .filter(|(_, faults)| !faults.is_empty())
        .map(|((name, _), faults)| {
            format!("{name}: {} faults, first {}", faults.len(), faults[..faults.len().min(3)].join(" | "))
        })
        .collect();
    let passed = cases.len() - failed.len();
    assert!(failed.is_empty(), "{passed} passed, {} failed:\n{}", failed.len(), failed.join("\n"));
}

struct Tolerances {
    relative: f64,
    likelihood: f64,
    models: f64,
}

impl Tolerances {
    fn at(&self, path: &str) -> f64 {
        if path.contains("likelihood") {
            self.likelihood
        } else if path.contains("propensity") || path.contains(".model") {
            self.models
        } else {
            self.relative
        }
    }
}

/// Every number that R gives, compared; what R leaves out is not looked at.
fn compare(path: &str, want: &Value, have: &Value, tolerances: &Tolerances, faults: &mut Vec<String>) {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => {
            for (key, want) in want {
                if ["note", "weights_file", "iterations"].contains(&key.as_str()) {
                    continue;
                }
                match have.get(key) {
                    Some(have) => compare(&format!("{path}.{key}"), want, have, tolerances, faults),
                    None => faults.push(format!("{path}.{key} is missing")),
                }
            }
        }
        (Value::Array(want), Value::Array(have)) if path.ends_with(".rows") => {
            rows(path, want, have, tolerances, faults)
        }
        (Value::Array(want), Value::Array(have)) if want.len() == have.len() => {
            for (at, (want, have)) in want.iter().zip(have).enumerate() {
                compare(&format!("{path}[{at}]"), want, have, tolerances, faults);
            }
        }
        (Value::Number(_), Value::Number(_)) => {
            let (want, have) = (want.as_f64().expect("a number"), have.as_f64().expect("a number"));
            let off = (want - have).abs();
            // R integrates the weighted chi-squared tail of `lincom` to 1e-7 absolute; S47's 0 is 1e-107.
            let absolute = if path.contains("lincom") && path.ends_with("p_value") { 1e-7 } else { ABSOLUTE };
            if off > tolerances.at(path) * want.abs() + absolute {
                faults.push(format!("{path}: R {want}, here {have}"));
            }
        }
        _ if want == have => {}
        _ => faults.push(format!("{path}: R {want}, here {have}")),
    }
}

fn domain(row: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    row["domain"].as_object().map(|d| d.iter().map(|(k, v)| (k.clone(), text(v))).collect()).unwrap_or_default()
}

fn rows(path: &str, want: &[Value], have: &[Value], tolerances: &Tolerances, faults: &mut Vec<String>) {
    let found: BTreeMap<_, _> = have.iter().map(|row| (domain(row), row)).collect();
    if want.len() != have.len() {
        faults.push(format!("{path}: R has {} rows, here are {}", want.len(), have.len()));
    }
    for row in want {
        let key = domain(row);
        match found.get(&key) {
            Some(have) => compare(&format!("{path}{key:?}"), row, have, tolerances, faults),
            None => faults.push(format!("{path}{key:?} is missing")),
        }
    }
}

fn weights(folder: &Path, expected: &Value, answer: &Value, faults: &mut Vec<String>) {
    let Some(file) = expected["weights_file"].as_str() else { return };
    let bytes = fs::read(folder.join(file)).expect("the case's weights");
    let table = DataTable::from_csv(file, &bytes, None).expect("a table of weights");
    let want = table.numbers("weight", "a golden case").expect("weights");
    let have: Vec<f64> = answer["weights"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    if want.len() != have.len() {
        faults.push(format!("R has {} weights, here are {}", want.len(), have.len()));
    }
    for (row, (want, have)) in want.iter().zip(&have).enumerate() {
        if (want - have).abs() > 1e-7 * want.abs() {
            faults.push(format!("weight {}: R {want}, here {have}", row + 1));
        }
    }
}

/// What is wrong with an answer to a case, or with a refusal; empty when all agrees.
pub fn faults(folder: &Path, case: &Value, answer: Result<Value, String>) -> Vec<String> {
    if case["case"]["expect_error"] == Value::Bool(true) {
        return match answer {
            Err(_) => Vec::new(),
            Ok(_) => vec!["R refuses, here is an answer".to_owned()],
        };
    }
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return vec![error],
    };
    let number = |name: &str| case["tolerance"][name].as_f64().expect("a tolerance");
    let tolerances = Tolerances {
        relative: number("relative"),
        likelihood: number("likelihood_interval"),
        models: number("iterative_models"),
    };
    let mut faults = Vec::new();
    compare("", &case["expected"], &answer, &tolerances, &mut faults);
    weights(folder, &case["expected"], &answer, &mut faults);
    faults
}
