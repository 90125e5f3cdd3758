//! The main job in one command, as a person runs it, on both databases.

mod support;

use assert_cmd::Command;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use support::on_every_backend;

/// What differs from one demo to the next by nature: the database and the secrets.
/// The report names the run, whose id each server makes anew.
const NOT_COMPARED: [&str; 7] =
    ["scilit.db", "scilit.db-wal", "scilit.db-shm", "tokens.txt", "accounts.txt", "report.html", "report.pdf"];

fn scilit() -> Command {
    Command::new(env!("CARGO_BIN_EXE_scilit"))
}

fn demo(dir: &Path, more: &[&str]) -> String {
    let mut command = scilit();
    // One wave, unless the test asks for more: each is a survey of its own.
    if !more.contains(&"--waves") {
        command.args(["demo", "--waves", "1"]);
    } else {
        command.arg("demo");
    }
    command.args(["--persons", "400", "--seed", "3", "--listen", "127.0.0.1:0", "--no-serve", "--dir"]);
    let output = command.arg(dir).args(more).assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("UTF-8")
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).expect("the folder").map(|entry| entry.expect("an entry").path());
    // The keys lie in a folder of their own.
    let named = entries.filter(|path| path.is_file()).map(|path| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read(path).expect("a file"))
    });
    named.filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str())).collect()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().expect("a folder");
    let path = parent.path().join("demo");
    (parent, path)
}

#[test]
fn rel_d1_the_same_seed_gives_the_same_bytes_on_both_databases() {
    let (_kept, first) = folder();
    let printed = demo(&first, &["--waves", "3"]);
    assert!(printed.contains("哈尔滨市") && printed.contains("道里区") && printed.contains("示例数据"), "{printed}");
    let expected = files(&first);
    let names: Vec<&str> = expected.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "SCILIT-DEMO",
            "cases.csv",
            "indicator.csv",
            "items.csv",
            "margins.csv",
            "plan.json",
            "profile.toml",
            "questionnaire.toml",
            "regions.csv",
            "response_rates.csv",
            "responses_weighted.csv",
            "results.json",
            "sample.csv",
            "scores.csv",
            "targets.toml",
            "weights_log.csv",
        ]
    );
    for (report, begins) in [("report.html", "<!DOCTYPE html>"), ("report.pdf", "%PDF-")] {
        let bytes = fs::read(first.join(report)).expect("a report");
        assert!(bytes.starts_with(begins.as_bytes()) && bytes.len() > 10_000, "{report}: {} bytes", bytes.len());
    }
    on_every_backend(|database| {
        let (_kept, dir) = folder();
        demo(&dir, &["--waves", "3", "--database-url", &database.url]);
        for (name, bytes) in files(&dir) {
            assert!(expected[&name] == bytes, "{name} differs on {}", database.url);
        }
    });
}

#[test]
fn three_waves_are_three_surveys_each_compared_with_the_one_before() {
    let (_kept, dir) = folder();
    demo(&dir, &["--waves", "3"]);
    let results: Value = serde_json::from_slice(&fs::read(dir.join("results.json")).expect("results")).expect("JSON");
    assert_eq!(results["survey"]["code"], "harbin-2025-demo");
    assert_eq!(results["status"], "interim", "the newest wave is still open");
    assert_eq!(results["changes"]["survey"]["code"], "harbin-2023-demo");
    let rows = results["changes"]["rows"].as_array().expect("changes");
    let residence = rows.iter().filter(|row| row["table"] == "residence");
    assert_eq!(residence.count(), 2, "the gap can be followed");
    scilit().arg("verify").arg(dir.join("bundle")).arg("--recompute").assert().success();
    // Without an earlier wave there is nothing to compare with.
    demo(&dir, &[]);
    let alone: Value = serde_json::from_slice(&fs::read(dir.join("results.json")).expect("results")).expect("JSON");
    assert_eq!(alone["changes"], Value::Null);
    assert_eq!(alone["tables"], results["tables"], "an earlier wave changes no estimate of the newest");
}

#[test]
fn the_estimate_command_computes_the_citys_share_again_from_the_files() {
    let (_kept, dir) = folder();
    demo(&dir, &[]);
    let plan = dir.join("plan.json");
    let output = scilit().arg("estimate").arg("--plan").arg(&plan).arg("--data-dir").arg(&dir).assert().success();
    let answer: Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    let again = &answer["rows"][0];
    let results: Value = serde_json::from_slice(&fs::read(dir.join("results.json")).expect("results")).expect("JSON");
    let city = &results["tables"][0]["rows"][0];
    // The same bits, not the same digits: both are printed so that they read back exactly.
    for (here, there) in [("estimate", "estimate"), ("se", "se"), ("n_hat", "population")] {
        assert_eq!(again[here].as_f64().map(f64::to_bits), city[there].as_f64().map(f64::to_bits), "{here}");
    }
    assert_eq!(again["ci"]["logit"], city["ci"]);
}

#[test]
fn the_export_command_writes_what_the_api_gave() {
    let (_kept, dir) = folder();
    demo(&dir, &[]);
    let out = dir.join("exported");
    let url = format!("sqlite:{}", dir.join("scilit.db").display());
    scilit().args(["export", "--database-url", &url, "--dir"]).arg(&out).assert().success();
    let mut exported = files(&out);
    let (checkpoint, proof) = (exported.remove("checkpoint.txt"), exported.remove("audit_proof.txt"));
    assert!(checkpoint.is_some() && proof.is_some(), "what the audit log says goes with the files");
    // Every file of the run: seven lie in the demo's folder, all of them in its bundle.
    assert_eq!(exported.len(), 19);
    let downloaded = files_of(&dir.join("bundle"), exported.keys());
    assert!(exported == downloaded);
    scilit().args(["export", "--database-url", &url, "--file", "nothing.csv", "--dir"]).arg(&out).assert().failure();
}

#[test]
fn an_export_carries_what_its_run_and_the_audit_log_are_verified_with() {
    let (_kept, dir) = folder();
    demo(&dir, &[]);
    let out = dir.join("exported");
    let url = format!("sqlite:{}", dir.join("scilit.db").display());
    scilit().args(["export", "--database-url", &url, "--dir"]).arg(&out).assert().success();
    let printed = |command: &mut Command| {
        String::from_utf8(command.assert().success().get_output().stdout.clone()).expect("UTF-8")
    };
    let keys = printed(scilit().args(["keys", "show", "--database-url", &url]));
    let key = keys.lines().nth(1).and_then(|row| row.split('\t').nth(3)).expect("a key");
    // The proof is checked with no database, and names the digests that the run's files have.
    let check = ["audit", "check-proof", "--public-key", key];
    let entry: Value =
        serde_json::from_str(&printed(scilit().args(check).arg(out.join("audit_proof.txt")))).expect("JSON");
    assert_eq!(entry["action"], "run.finish");
    let object = entry["object"].as_str().expect("an object");
    let shown = printed(scilit().args(["audit", "show", "--database-url", &url, "--object", object]));
    let mut finished = shown.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let finished = finished.find(|entry| entry["action"] == "run.finish").expect("an entry");
    for (name, bytes) in
        files(&out).into_iter().filter(|(name, _)| finished["detail"]["files"][name.as_str()].is_string())
    {
        assert_eq!(finished["detail"]["files"][name.as_str()], scilit::evidence::sha256_hex(&bytes), "{name}");
    }
    assert_eq!(finished["detail"]["files"].as_object().expect("files").len(), 19);
    let verify = ["audit", "verify", "--database-url", &url, "--public-key", key, "--checkpoint"];
    assert!(printed(scilit().args(verify).arg(out.join("checkpoint.txt"))).contains("审计日志完整"));
    // Each file that left is an entry.
    let intents = printed(scilit().args(["audit", "show", "--database-url", &url, "--actor", "command-line"]));
    assert_eq!(intents.matches("download.intent").count(), 19);
    // Another proof than the one that was made is none.
    let wrong = fs::read_to_string(out.join("audit_proof.txt")).expect("a proof").replacen("index ", "index 1", 1);
    fs::write(out.join("audit_proof.txt"), wrong).expect("a file");
    scilit().args(check).arg(out.join("audit_proof.txt")).assert().code(3);
}

/// A copy of the demo's bundle with one file edited as text.
fn edited(bundle: &Path, name: &str, from: &str, to: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files(bundle) {
        fs::write(copy.path().join(name), bytes).expect("a file");
    }
    let path = copy.path().join(name);
    let text = fs::read_to_string(&path).expect("a text");
    assert!(text.contains(from), "{name} has {from}");
    fs::write(path, text.replacen(from, to, 1)).expect("a file");
    copy
}

#[test]
fn rel_d4_the_demos_bundle_verifies_and_computes_again_and_each_fault_has_its_exit_code() {
    let (_kept, dir) = folder();
    demo(&dir, &[]);
    let bundle = dir.join("bundle");
    let verify = |bundle: &Path, more: &[&str]| scilit().arg("verify").arg(bundle).args(more).assert();
    let said = verify(&bundle, &["--recompute"]).success().get_output().stdout.clone();
    let said = String::from_utf8(said).expect("UTF-8");
    assert!(said.contains("重新计算完全一致") && said.contains("recomputed"), "{said}");
    let keys = bundle.join("public_keys.txt").display().to_string();
    verify(&bundle, &["--keys", &keys]).success();
    let other = "scilit+00000000+AQ";
    verify(&bundle, &["--key", other]).code(64);
    verify(&bundle, &["--recompute", "--nonsense"]).code(64);
    verify(&dir.join("nothing"), &[]).code(1);
    verify(edited(&bundle, "indicator.csv", "city", "town").path(), &[]).code(2);
    verify(edited(&bundle, "manifest.dsse.json", "\"payload\"", "\"payloae\"").path(), &[]).code(3);
    let extra = edited(&bundle, "codebook.md", "#", "#");
    fs::write(extra.path().join("extra.txt"), "x").expect("a file");
    verify(extra.path(), &[]).code(2);
    // The archive that the command writes is the folder that the demo left.
    let url = format!("sqlite:{}", dir.join("scilit.db").display());
    let archive = dir.join("again.tar");
    let written = || scilit().args(["bundle", "--database-url", &url, "--out"]).arg(&archive).assert();
    written().success();
    written().failure();
    verify(&archive, &["--recompute"]).success();
    let mut bytes = fs::read(&archive).expect("an archive");
    let last = bytes.len() - 1;
    bytes[last] = 1;
    fs::write(&archive, bytes).expect("a file");
    verify(&archive, &[]).code(2);
    let folder = dir.join("again");
    scilit().args(["bundle", "--database-url", &url, "--out"]).arg(&folder).assert().success();
    assert!(files(&folder) == files(&bundle), "the same bytes each time");
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_file_is_refused() {
    let (_kept, dir) = folder();
    demo(&dir, &[]);
    let copy = edited(&dir.join("bundle"), "codebook.md", "#", "#");
    scilit().arg("verify").arg(copy.path()).assert().success();
    fs::remove_file(copy.path().join("codebook.md")).expect("gone");
    std::os::unix::fs::symlink(dir.join("bundle/codebook.md"), copy.path().join("codebook.md")).expect("a link");
    scilit().arg("verify").arg(copy.path()).assert().code(2);
}

#[test]
fn rel_d5_acc049_a_checker_that_shares_no_code_agrees_on_the_demos_bundle() {
    let python = std::process::Command::new("python3").arg("--version").output();
    if python.is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI must have Python 3");
        return eprintln!("SKIPPED: there is no python3");
    }
    let (_kept, dir) = folder();
    demo(&dir, &[]);
    let bundle = dir.join("bundle");
    let check = |bundle: &Path| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify/verify.py");
        Command::new("python3").arg(script).arg(bundle).assert()
    };
    let said = check(&bundle).success().get_output().stdout.clone();
    assert!(String::from_utf8_lossy(&said).contains("agrees"), "{}", String::from_utf8_lossy(&said));
    // Its control: a figure, a weight or a margin that is not the one that was computed.
    let indicator = fs::read_to_string(bundle.join("indicator.csv")).expect("a file");
    let estimate = indicator.lines().nth(1).and_then(|city| city.split(',').nth(9)).expect("the city's share");
    let wrong = format!("{}1", &estimate[..8]);
    check(edited(&bundle, "indicator.csv", estimate, &wrong).path()).code(1);
    let persons = fs::read_to_string(bundle.join("responses_weighted.csv")).expect("a file");
    let weight = persons.lines().nth(1).and_then(|row| row.rsplit(',').next()).expect("a weight");
    check(edited(&bundle, "responses_weighted.csv", weight, "1.5").path()).code(1);
    check(edited(&bundle, "margins.csv", "male,", "male,1").path()).code(1);
    let items = fs::read_to_string(bundle.join("items.csv")).expect("a file");
    let discrimination = items.lines().nth(1).and_then(|row| row.rsplit(',').nth(1)).expect("a correlation");
    check(edited(&bundle, "items.csv", discrimination, "0.9").path()).code(1);
    let scores = fs::read_to_string(bundle.join("scores.csv")).expect("a file");
    let tier = scores.lines().find(|row| row.starts_with("tier,advanced")).expect("a tier");
    let share = tier.split(',').nth(5).expect("a share");
    check(edited(&bundle, "scores.csv", share, "0.5").path()).code(1);
    // The visits of the demo leave cases of every kind, so that its rates say something; one that became another is seen.
    let cases = fs::read_to_string(bundle.join("cases.csv")).expect("a file");
    for status in ["respondent", "nonrespondent", "unknown", "ineligible"] {
        assert!(cases.contains(&format!(",{status},")), "{status}");
    }
    let other = check(edited(&bundle, "cases.csv", ",ineligible,4.60,", ",ineligible,2.24,").path()).code(1);
    let said = String::from_utf8_lossy(&other.get_output().stdout).into_owned();
    assert!(said.contains("response_rates.csv  rr1") && said.contains("not_eligible"), "{said}");
}

fn files_of<'a>(dir: &Path, names: impl Iterator<Item = &'a String>) -> BTreeMap<String, Vec<u8>> {
    names.map(|name| (name.clone(), fs::read(dir.join(name)).expect("a file"))).collect()
}

#[test]
fn a_folder_with_somebodys_files_is_left_alone() {
    let (_kept, dir) = folder();
    fs::create_dir(&dir).expect("a folder");
    fs::write(dir.join("thesis.txt"), "years of work").expect("a file");
    let refused =
        scilit().args(["demo", "--no-serve", "--listen", "127.0.0.1:0", "--dir"]).arg(&dir).assert().failure();
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(said.contains("--dir"), "{said}");
    assert_eq!(fs::read_to_string(dir.join("thesis.txt")).expect("the file"), "years of work");
    assert_eq!(fs::read_dir(&dir).expect("the folder").count(), 1);
}

#[test]
fn an_unknown_option_and_an_impossible_number_of_persons_are_errors() {
    scilit().args(["demo", "--person", "5"]).assert().failure();
    let (_kept, dir) = folder();
    let mut few = scilit();
    few.args(["demo", "--persons", "3", "--no-serve", "--listen", "127.0.0.1:0", "--dir"]).arg(&dir);
    let said = String::from_utf8_lossy(&few.assert().failure().get_output().stderr).into_owned();
    assert!(said.contains("189"), "the smallest number is named: {said}");
}
