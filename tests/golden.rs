//! Plans with the numbers that R gives for them, answered by the library; see `tests/golden/README.md`.
//!
//! `tests/golden_commands.rs` asks the built program the same.

#[path = "golden/compare.rs"]
mod compare;

use std::{collections::BTreeMap, fs, path::Path};

use scilit::statistics::{DataTable, Plan, analyse};
use serde_json::Value;

fn read_table(folder: &Path, file: &str) -> Result<DataTable, String> {
    let bytes = fs::read(folder.join("data").join(file)).map_err(|error| format!("{file}: {error}"))?;
    DataTable::from_csv(file, &bytes, None).map_err(|error| error.to_string())
}

fn run(folder: &Path, case: &Value) -> Result<Value, String> {
    let plan = Plan::from_value(case.clone()).map_err(|error| error.to_string())?;
    let file = plan.data.as_ref().ok_or("no data")?.file.clone();
    let source = fs::File::open(folder.join("data").join(&file)).map_err(|error| format!("{file}: {error}"))?;
    let table = DataTable::from_reader(&file, source, &plan.column_kinds()).map_err(|error| error.to_string())?;
    let mut files = BTreeMap::new();
    for file in plan.files() {
        files.insert(file.clone(), read_table(folder, &file)?);
    }
    analyse(&plan, &table, &files).map_err(|error| error.to_string())
}

#[test]
fn every_case_agrees_with_r() {
    let folder = compare::folder();
    let cases = compare::cases(&folder);
    let faults: Vec<_> =
        cases.iter().map(|(_, case)| compare::faults(&folder, case, run(&folder, &case["case"]))).collect();
    compare::judge(&cases, &faults);
}
