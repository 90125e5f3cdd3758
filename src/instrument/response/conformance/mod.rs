//! One logic, two engines: cases that this program and the tablet must judge alike.
//!
//! The cases are drawn here from one seed, judged here, and written to `tests/conformance/vectors.json`, which the tablet's
//! tests read. A change of the logic shows as a difference of that file; `SCILIT_WRITE_VECTORS=1` writes it anew.

mod questionnaires;
mod rules;
mod submissions;

use std::{fs, path::PathBuf};

use rand::Rng;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde_json::Value;

/// Any other seed would do; this one is written down.
const SEED: u64 = 2025;
/// What the requirement asks for.
const VECTORS_MIN: usize = 2000;

/// Random choices with one seed behind them.
struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).expect("a small number");
        usize::try_from(self.0.next_u64() % n).expect("smaller still")
    }

    /// True in `part` of `whole` cases.
    fn odds(&mut self, part: usize, whole: usize) -> bool {
        self.below(whole) < part
    }

    fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/vectors.json")
}

/// One case a line, so that a change shows where it is.
fn lines(name: &str, values: &[Value]) -> String {
    let lines: Vec<_> = values.iter().map(Value::to_string).collect();
    format!("\"{name}\":[\n{}\n]", lines.join(",\n"))
}

fn document() -> (String, usize) {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(SEED));
    let (facts, rules) = rules::cases(&mut dice, 1200);
    let forms = questionnaires::all(&mut dice);
    let submissions = submissions::cases(&mut dice, &forms);
    let count = rules.len() + submissions.len();
    let forms: Vec<_> = forms.iter().map(questionnaires::form).collect();
    let parts =
        [lines("facts", &facts), lines("rules", &rules), lines("forms", &forms), lines("submissions", &submissions)];
    (format!("{{{}}}\n", parts.join(",")), count)
}

#[test]
fn acc039_the_vectors_that_the_tablet_reads_are_what_this_program_judges() {
    let (document, count) = document();
    assert!(count >= VECTORS_MIN, "{count} vectors");
    if std::env::var_os("SCILIT_WRITE_VECTORS").is_some() {
        fs::write(path(), &document).expect("written");
    }
    let kept = fs::read_to_string(path()).expect("tests/conformance/vectors.json");
    let differs = kept.lines().zip(document.lines()).position(|(kept, now)| kept != now);
    assert_eq!(
        differs.map(|line| line + 1),
        None,
        "this line of the vectors differs; SCILIT_WRITE_VECTORS=1 writes them"
    );
    assert!(kept == document, "the vectors end elsewhere");
}

#[test]
fn acc039_the_vectors_show_every_outcome() {
    let document: Value = serde_json::from_str(&document().0).expect("JSON");
    let list = |name: &str| document[name].as_array().expect("a list").clone();
    let rules = list("rules");
    let true_ones = rules.iter().filter(|case| case["holds"] == true).count();
    assert!(true_ones * 5 > rules.len() && true_ones * 5 < rules.len() * 4, "{true_ones} of {} hold", rules.len());
    let submissions = list("submissions");
    let all = submissions.iter().map(Value::to_string).collect::<String>();
    for code in [
        "wrong-type",
        "out-of-range",
        "wrong-questionnaire",
        "no-consent",
        "unknown-item",
        "impossible-code",
        "duplicate-answer",
        "required-missing",
        "missing-kind-not-allowed",
        "hard-check-failed",
        "inconsistent-selection",
    ] {
        assert!(all.contains(&format!("\"{code}\"")), "no case of {code}");
    }
    // A day that the calendar does not have is no day at all; one that it has may only be out of the item's range.
    let verdict = |day: &str| {
        let given = format!("\"v\":\"{day}\"");
        let of_day = submissions.iter().map(Value::to_string).filter(|case| case.contains(&given));
        let verdicts: std::collections::BTreeSet<bool> = of_day.map(|case| case.contains("wrong-type")).collect();
        verdicts.into_iter().collect::<Vec<_>>()
    };
    for (day, is_none) in [("1900-02-28", false), ("1900-02-29", true), ("2000-02-29", false), ("2100-02-29", true)] {
        assert_eq!(verdict(day), [is_none], "{day}");
    }
    let with =
        |field: &str| submissions.iter().filter(|case| case[field].as_array().is_some_and(|l| !l.is_empty())).count();
    assert!(submissions.len() - with("faults") > 100, "few sound submissions");
    assert!(with("notices") > 50, "few soft checks");
    assert!(submissions.iter().filter(|case| case["relevant"].as_str().is_some_and(|r| r.contains('0'))).count() > 300);
}
