//! `scilit sample` from the command line, and that a survey can import what it draws.

use std::{fs, path::Path};

use assert_cmd::Command;
use scilit::indicator::files::Sample;
use tempfile::TempDir;

const FRAME: &str = "\u{feff}district,stratum,psu,residence,households,income\r\n\
    230102,南岗,P1,urban,900,5\r\n230102,南岗,P2,urban,300,9\r\n230102,南岗,P3,rural,200,3\r\n\
    230103,道里,Q1,urban,400,8\r\n230103,道里,Q2,rural,100,2\r\n";

fn scilit(arguments: &[&str], folder: &Path) -> (bool, String, String) {
    let output = Command::cargo_bin("scilit").unwrap().current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn a_margin_of_error_becomes_a_number_of_households() {
    let folder = folder(&[]);
    let arguments = ["sample", "size", "--margin", "0.03", "--deff", "2", "--response-rate", "0.8"];
    let (ok, out, _) = scilit(&arguments, folder.path());
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(ok);
    assert_eq!((answer["completes"].as_u64(), answer["draw"].as_u64()), (Some(2135), Some(2669)));
    let arguments = ["sample", "size", "--interviews", "716", "--deff", "2", "--proportion", "0.1414"];
    let (_, out, _) = scilit(&arguments, folder.path());
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!((answer["margin"].as_f64().unwrap() - 0.0361).abs() < 1e-4);
}

#[test]
fn a_design_effect_is_never_assumed() {
    let folder = folder(&[]);
    let (ok, _, error) = scilit(&["sample", "size", "--margin", "0.03", "--response-rate", "0.8"], folder.path());
    assert!(!ok && error.contains("--deff"), "{error}");
}

#[test]
fn an_allocation_is_drawn_and_imported() {
    let strata = "stratum,population\n南岗,1400\n道里,500\n";
    let folder = folder(&[("frame.csv", FRAME), ("strata.csv", strata)]);
    let allocate = ["sample", "allocate", "--strata", "strata.csv", "--n", "30", "--method", "proportional"];
    let (ok, out, error) = scilit(&allocate, folder.path());
    assert!(ok, "{error}");
    assert!(out.starts_with("stratum,population,n,fraction\n南岗,1400,22,"), "{out}");
    fs::write(folder.path().join("allocation.csv"), out).unwrap();
    let draw = |output: &str| {
        let arguments = [
            "sample",
            "draw",
            "--frame",
            "frame.csv",
            "--order",
            "income",
            "--seed",
            "7",
            "--allocation",
            "allocation.csv",
            "--households",
            "11",
            "--reserves",
            "3",
            "--reserves-output",
            "reserves.csv",
            "--output",
            output,
        ];
        let (ok, _, error) = scilit(&arguments, folder.path());
        assert!(ok && error.contains("33 households in 2 strata, 9 reserves"), "{error}");
        fs::read_to_string(folder.path().join(output)).unwrap()
    };
    let text = draw("sample.csv");
    assert_eq!(text, draw("again.csv"), "the seed is the sample");
    let sample = Sample::parse("sample.csv", &text).expect("a survey imports what is drawn");
    assert_eq!(
        (sample.cases.len(), sample.stages.as_slice()),
        (33, ["prob_psu".into(), "prob_household".into()].as_slice())
    );
    // Sizes are household counts, so the weights add to the frame: 900 with certainty, one of 500, one of 500.
    let total: f64 = sample.cases.iter().map(|c| 1.0 / c.probabilities.iter().product::<f64>()).sum();
    assert!((total - 1900.0).abs() < 1e-9, "{total}");
    let reserves = fs::read_to_string(folder.path().join("reserves.csv")).unwrap();
    assert_eq!(reserves.lines().next(), Some("case_id,district,stratum,psu,residence,prob_psu,prob_household,reserve"));
    assert_eq!(reserves.lines().count(), 10);
}

#[test]
fn every_fault_of_a_frame_is_named_with_its_place() {
    let broken = FRAME.replace("P3,rural,200", "P3,village,-2");
    let folder = folder(&[("frame.csv", &broken), ("strata.csv", "stratum,population\nA,12\nB,many\n")]);
    let draw = [
        "sample",
        "draw",
        "--frame",
        "frame.csv",
        "--order",
        "income",
        "--seed",
        "7",
        "--psus",
        "1",
        "--households",
        "5",
        "--output",
        "sample.csv",
    ];
    let (ok, _, error) = scilit(&draw, folder.path());
    assert!(!ok);
    assert!(error.contains("frame.csv, line 4, column residence: \"village\""), "{error}");
    assert!(error.contains("frame.csv, line 4, column households: \"-2\""), "{error}");
    assert!(!folder.path().join("sample.csv").exists());
    let allocate = ["sample", "allocate", "--strata", "strata.csv", "--n", "3", "--method", "neyman"];
    let (ok, _, error) = scilit(&allocate, folder.path());
    assert!(!ok && error.contains("strata.csv, line 3, column population"), "{error}");
}
