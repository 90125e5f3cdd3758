//! The same question gives the same bytes: whatever the language and time zone of the machine, on any number of threads,
//! and after any change of the program that does not say that it changes numbers.

use std::{collections::BTreeMap, fs, path::PathBuf};

use assert_cmd::Command;
use scilit::evidence::sha256_hex;
use serde_json::{Value, json};

/// One case for each of five data sets: re-raked jackknife, Fay's replicates, nonresponse, two waves, lonely PSUs.
const CASES: [&str; 5] = ["S37", "S26", "S41", "S46", "S19_adjust"];

fn golden(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path)
}

fn plan(case: &str) -> Value {
    let text = fs::read_to_string(golden(&format!("cases/{case}.json"))).expect("a case");
    serde_json::from_str::<Value>(&text).expect("JSON")["case"].clone()
}

/// What the program prints for a plan.
fn printed(plan: &Value, arguments: &[&str], environment: &[(&str, &str)]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("plan.json");
    fs::write(&file, plan.to_string()).expect("a plan");
    let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
    command.arg("estimate").arg("--plan").arg(&file).arg("--data-dir").arg(golden("data")).args(arguments);
    command.envs(environment.iter().copied());
    command.assert().success().get_output().stdout.clone()
}

#[test]
fn rel_d3_language_and_time_zone_of_the_machine_change_no_byte() {
    let plain = [("LC_ALL", "C"), ("LANG", "C"), ("TZ", "UTC")];
    // Turkish has another capital of i; St John's is half an hour off.
    let others = [
        [("LC_ALL", "zh_CN.UTF-8"), ("LANG", "zh_CN.UTF-8"), ("TZ", "Asia/Shanghai")],
        [("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8"), ("TZ", "America/St_Johns")],
    ];
    for case in CASES {
        let plan = plan(case);
        for format in ["json", "csv"] {
            let expected = printed(&plan, &["--format", format], &plain);
            assert!(!expected.is_empty());
            for other in &others {
                assert!(printed(&plan, &["--format", format], other) == expected, "{case} as {format} under {other:?}");
            }
        }
    }
}

#[test]
fn rel_d6_a_bootstrap_is_its_seed_and_no_matter_of_threads() {
    let mut plan = plan("S37");
    let seeded = |plan: &mut Value, seed: u64| {
        plan["variance"]["replicates"] = json!({ "construct": "bootstrap", "replicates": 40, "seed": seed });
    };
    seeded(&mut plan, 7);
    let one = printed(&plan, &["--threads", "1"], &[]);
    for threads in ["2", "3", "8"] {
        assert!(printed(&plan, &["--threads", threads], &[]) == one, "{threads} threads");
    }
    seeded(&mut plan, 8);
    assert!(printed(&plan, &["--threads", "1"], &[]) != one, "another seed draws others");
}

/// `WRITE_DIGESTS=1` writes the record anew. Numbers that move by a bit are another engine: its version must tell.
#[test]
fn rel_d7_five_data_sets_give_the_digests_on_record() {
    let file = golden("digests.json");
    let digest = |case: &str| (case.to_owned(), sha256_hex(&printed(&plan(case), &["--format", "json"], &[])));
    let found: BTreeMap<String, String> = CASES.into_iter().map(digest).collect();
    let record = json!({ "engine": env!("CARGO_PKG_VERSION"), "digests": found });
    if std::env::var_os("WRITE_DIGESTS").is_some() {
        fs::write(&file, serde_json::to_string_pretty(&record).expect("JSON") + "\n").expect("a file");
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&file).expect("the record")).expect("JSON");
    assert_eq!(kept, record, "numbers changed: raise the version in Cargo.toml and write the digests anew");
}
