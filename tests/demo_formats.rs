//! Other forms of the weighted responses and runs from the command line, on the demo's own data.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use assert_cmd::Command;
use calamine::{Reader, Xlsx, open_workbook};

fn scilit() -> Command {
    Command::new(env!("CARGO_BIN_EXE_scilit"))
}

fn demo(persons: &str) -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().expect("a folder");
    let dir = parent.path().join("demo");
    let mut command = scilit();
    command.args([
        "demo",
        "--waves",
        "1",
        "--persons",
        persons,
        "--seed",
        "3",
        "--listen",
        "127.0.0.1:0",
        "--no-serve",
    ]);
    command.arg("--dir").arg(&dir).assert().success();
    (parent, dir)
}

fn export(source: &Path, format: &str, output: &Path) -> assert_cmd::assert::Assert {
    scilit().arg("export").arg(source).args(["--format", format, "--output"]).arg(output).assert()
}

#[test]
fn acc065_a_form_from_the_bundles_folder_is_the_form_from_the_database_each_time() {
    let (_kept, dir) = demo("400");
    let url = format!("sqlite:{}", dir.join("scilit.db").display());
    for format in ["excel-csv", "xlsx", "parquet", "sps", "do", "ddi"] {
        let out = |n: u8| dir.join(format!("out{n}.{format}"));
        export(&dir.join("bundle"), format, &out(1)).success();
        export(&dir.join("bundle"), format, &out(2)).success();
        scilit()
            .args(["export", "--database-url", &url, "--format", format, "--output"])
            .arg(out(3))
            .assert()
            .success();
        let read = |n| fs::read(out(n)).expect("a file");
        assert!(read(1) == read(2) && read(1) == read(3), "{format}");
        let again = export(&dir.join("bundle"), format, &out(1)).failure();
        assert!(String::from_utf8_lossy(&again.get_output().stderr).contains("--output"), "it replaces nothing");
    }
    let mut book: Xlsx<_> = open_workbook(dir.join("out1.xlsx")).expect("a workbook");
    let names = book.sheet_names();
    let data = book.worksheet_range(&names[0]).expect("a sheet");
    let lines = fs::read_to_string(dir.join("responses_weighted.csv")).expect("a file").lines().count();
    assert_eq!((data.get_size().0, names[0].contains("临时结果")), (lines, true));
}

#[test]
fn what_cannot_be_exported_says_why_and_leaves_no_file() {
    let (_kept, dir) = demo("400");
    let out = dir.join("out.xlsx");
    let told = |assert: assert_cmd::assert::Assert| {
        String::from_utf8_lossy(&assert.failure().get_output().stderr).into_owned()
    };
    assert!(told(export(&dir.join("bundle"), "docx", &out)).contains("docx"));
    let alone = scilit().arg("export").args(["--format", "xlsx"]).assert();
    assert!(told(alone).contains("--output"));
    let persons = fs::read_to_string(dir.join("bundle/responses_weighted.csv")).expect("a file");
    let (head, first) =
        persons.split_once('\n').map(|(head, rest)| (head, rest.split('\n').next().expect("a row"))).expect("rows");
    let weight = first.rsplit(',').next().expect("a weight").to_owned();
    let broken = format!("{head}\n{}\n", first.replace(&format!(",{weight}"), ",much"));
    fs::write(dir.join("bundle/responses_weighted.csv"), broken).expect("a file");
    let wrong = told(export(&dir.join("bundle"), "parquet", &out));
    assert!(wrong.contains("line 2") && wrong.contains("weight") && wrong.contains("much"), "{wrong}");
    fs::remove_file(dir.join("bundle/profile.toml")).expect("a file less");
    assert!(told(export(&dir.join("bundle"), "xlsx", &out)).contains("profile.toml"));
    assert!(!out.exists());
}

#[test]
fn a_run_on_the_command_line_makes_the_servers_results_again() {
    let (_kept, dir) = demo("400");
    let url = format!("sqlite:{}", dir.join("scilit.db").display());
    let run = |more: &[&str]| scilit().args(["run", "--database-url", &url]).args(more).assert();
    let said = run(&["harbin-2025-demo"]).success();
    let said = String::from_utf8_lossy(&said.get_output().stdout).into_owned();
    let id = said.split_whitespace().next().expect("an id").to_owned();
    assert!(said.contains("succeeded"), "{said}");
    let out = dir.join("again");
    scilit()
        .args(["export", &id, "--database-url", &url, "--file", "results.json", "--dir"])
        .arg(&out)
        .assert()
        .success();
    let results = |path: PathBuf| -> serde_json::Value {
        serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
    };
    let (here, there) = (results(out.join("results.json")), results(dir.join("results.json")));
    assert_eq!(here["tables"], there["tables"]);
    assert_eq!(here["status"], "interim");
    // Its end is covered by a checkpoint at once, so that it can be bundled.
    let bundle = dir.join("bundle-again");
    scilit().args(["bundle", &id, "--database-url", &url, "--out"]).arg(&bundle).assert().success();
    scilit().arg("verify").arg(&bundle).assert().success();
    let unknown = run(&["nowhere"]).failure();
    assert!(String::from_utf8_lossy(&unknown.get_output().stderr).contains("nowhere"));
}

/// `REL_A10_PERSONS` sets the size; the goal is set for 100,000 responses by a release build.
#[test]
fn rel_a10_verify_takes_less_than_five_seconds_with_no_database_and_no_network() {
    let persons = std::env::var("REL_A10_PERSONS").unwrap_or_else(|_| "400".to_owned());
    let (_kept, dir) = demo(&persons);
    let bundle = dir.join("bundle");
    let rows = fs::read_to_string(bundle.join("responses_weighted.csv")).expect("a file").lines().count() - 1;
    for other in fs::read_dir(&dir).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if other.is_file() {
            fs::remove_file(other).expect("a file less");
        }
    }
    #[expect(clippy::disallowed_methods, reason = "the test measures how long it takes")]
    let begun = Instant::now();
    scilit().arg("verify").arg(&bundle).assert().success();
    let took = begun.elapsed();
    eprintln!("verify of {rows} responses: {took:?}");
    assert!(took < Duration::from_secs(5), "{rows} responses: {took:?}");
}
