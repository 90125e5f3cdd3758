//! Our side of `run.py`: `peers WORK FOLDER` does one work in one process, as its NumPy peer does, and prints one JSON
//! object. It reads the plans and the data as `scilit estimate` does and calls what that calls; a work of four tables
//! prepares once and then asks for the four. `read` sets reading beside a bare scan by the csv crate.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock; no result depends on it")]

use std::{collections::BTreeMap, fs, hint::black_box, path::Path, time::Instant};

use scilit::statistics::{DataTable, Plan, data::ColumnKind, estimates, prepare};
use serde_json::{Value, json};

const CROSSED: [&str; 4] = ["sex", "age", "edu", "residence"];

/// Readings of one file, of which the best counts.
const READINGS: usize = 5;

fn main() {
    // Cargo passes `--bench`; what is left are the work and the folder.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let [work, folder] = arguments.as_slice() else {
        eprintln!("peers WORK FOLDER: see benches/peers/README.md");
        return;
    };
    let folder = Path::new(folder);
    let found = if work == "read" { reading(folder) } else { timed(work, folder) };
    println!("{found}");
}

/// The plans of a work: raking alone is timed on the first of those that rake.
fn plans(work: &str, folder: &Path) -> Vec<Plan> {
    let (name, tables) = if work == "a" { ("b2", 1) } else { (work, CROSSED.len()) };
    let plan = |by: &&str| {
        let text = fs::read_to_string(folder.join(format!("{name}-{by}.json"))).expect("a plan of run.py");
        Plan::from_json(&text).expect("a plan")
    };
    CROSSED[..tables].iter().map(plan).collect()
}

/// Every column that one of the plans needs.
fn columns(plans: &[Plan]) -> Vec<(String, ColumnKind)> {
    let all: BTreeMap<String, ColumnKind> = plans.iter().flat_map(Plan::column_kinds).collect();
    all.into_iter().collect()
}

fn read(folder: &Path, plans: &[Plan]) -> DataTable {
    let file = fs::File::open(folder.join("persons.csv")).expect("the data of run.py");
    DataTable::from_reader("persons.csv", file, &columns(plans)).expect("a table")
}

fn timed(work: &str, folder: &Path) -> Value {
    let plans = plans(work, folder);
    let start = Instant::now();
    let table = read(folder, &plans);
    let read_s = start.elapsed().as_secs_f64();
    let loaded = forget_peak().and_then(|()| status("VmRSS:"));
    let start = Instant::now();
    let prepared = prepare(&plans[0], &table, &BTreeMap::new()).expect("a prepared sample");
    let weight_s = start.elapsed().as_secs_f64();
    let (mut p, mut se, mut rows) = (0.0, 0.0, 0);
    let start = Instant::now();
    for plan in plans.iter().filter(|_| work != "a") {
        let answer = estimates(plan, &prepared).expect("a table of estimates");
        rows += answer.rows.len();
        p += answer.rows.iter().filter_map(|row| row.estimate).sum::<f64>();
        se += answer.rows.iter().filter_map(|row| row.se).sum::<f64>();
    }
    let estimate_s = start.elapsed().as_secs_f64();
    let peak = status("VmHWM:");
    let above = loaded.zip(peak).map(|(loaded, peak)| peak.saturating_sub(loaded));
    let squares: f64 = prepared.weights().iter().map(|w| w * w).sum();
    let check = json!({"p": p, "se": se, "rows": rows, "squares": squares});
    json!({
        "seconds": if work == "a" { weight_s } else if work == "c" { weight_s + estimate_s } else { estimate_s },
        "read_s": read_s, "weight_s": weight_s, "estimate_s": estimate_s,
        "peak_bytes": peak, "loaded_bytes": loaded, "above_bytes": above, "check": check,
    })
}

/// Reading the columns of a plan that rakes, and a bare scan of the same file, in turn.
fn reading(folder: &Path) -> Value {
    let plans = plans("b2", folder);
    let (mut ours, mut bare) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..READINGS {
        let start = Instant::now();
        black_box(scan(folder));
        bare = bare.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        black_box(read(folder, &plans));
        ours = ours.min(start.elapsed().as_secs_f64());
    }
    json!({"seconds": ours, "bare_s": bare})
}

/// Every cell of the file, looked at by the csv crate alone.
fn scan(folder: &Path) -> usize {
    let mut reader = csv::Reader::from_path(folder.join("persons.csv")).expect("the data of run.py");
    let (mut record, mut bytes) = (csv::ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record).expect("a record") {
        bytes += record.iter().map(<[u8]>::len).sum::<usize>();
    }
    bytes
}

/// A line of this process's status, in bytes, where the system tells.
fn status(line: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let value = status.lines().find_map(|of| of.strip_prefix(line))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Lets the most memory held so far be what is held now: the columns stand, what reading needed is gone.
fn forget_peak() -> Option<()> {
    fs::write("/proc/self/clear_refs", "5").ok()
}
