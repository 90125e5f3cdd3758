//! `scilit questionnaire` and `scilit score` from a shell: files in, files out, no server.

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use scilit::instrument::{ItemKind, Questionnaire};
use serde_json::{Value, json};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("questionnaires").join(name)
}

/// Runs the program: whether it succeeded, its output and its error output.
fn scilit(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_scilit")).args(arguments).output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// A sound submission to the demo, everything right.
fn submission(n: usize) -> Value {
    let source = fs::read_to_string(shipped("csl-demo.toml")).expect("the questionnaire");
    let questionnaire = Questionnaire::from_toml("q", &source).expect("a questionnaire");
    let answers: Vec<Value> = (questionnaire.items())
        .filter_map(|item| {
            let first = item.options.first().map(|option| option.code.clone());
            let value = match item.kind {
                ItemKind::SingleChoice | ItemKind::TrueFalse => json!(item.key.first().cloned().or(first)),
                ItemKind::MultipleChoice => json!([first]),
                ItemKind::Number => json!(item.min),
                ItemKind::Date => json!("2025-03-08"),
                ItemKind::Matrix => item.rows.iter().map(|row| (row.code.clone(), json!(first))).collect(),
                ItemKind::Text => return None,
            };
            Some(json!({"i": item.id, "v": value}))
        })
        .collect();
    json!({
        "schema": 1, "id": format!("0198c0de-0000-7000-8000-{n:012}"), "rev": 1, "case": format!("C-{n}"),
        "instrument": questionnaire.hash(), "consent": {"given": true}, "answers": answers,
    })
}

fn score(folder: &Path, submissions: &[Value], more: &[&str]) -> (bool, String, String) {
    let responses = folder.join("responses.ndjson");
    let lines: String = submissions.iter().map(|submission| format!("{submission}\n")).collect();
    fs::write(&responses, lines).expect("the responses are written");
    let (questionnaire, profile) = (shipped("csl-demo.toml"), shipped("profiles/A-2024.toml"));
    let files = ["score", "-q", path(&questionnaire), "-p", path(&profile), "-r", path(&responses)];
    scilit(&[&files, more].concat())
}

#[test]
fn check_names_the_hash_of_a_sound_file() {
    let (questionnaire, profile) = (shipped("csl-demo.toml"), shipped("profiles/A-2024.toml"));
    let (success, output, _) = scilit(&["questionnaire", "check", path(&questionnaire), "--profile", path(&profile)]);
    assert!(success);
    assert!(output.contains("csl-demo version 1.0.0") && output.contains("A-2024 version 1"), "{output}");
}

#[test]
fn check_lists_every_fault_and_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("broken.toml");
    let source = fs::read_to_string(shipped("csl-demo.toml")).expect("the questionnaire");
    fs::write(&file, source.replace("id = \"K02\"", "id = \"K01\"").replace("age < 30", "ages < 30")).expect("written");
    let profile = shipped("profiles/B-2016.toml");
    let sound = shipped("csl-demo.toml");
    let (success, _, errors) =
        scilit(&["questionnaire", "check", path(&file), path(&sound), "--profile", path(&profile)]);
    assert!(!success);
    for part in ["item K01: id \"K01\" is already used", "there is no item \"ages\"", "50 items must count, 36 do"] {
        assert!(errors.contains(part), "{part} in\n{errors}");
    }
}

#[test]
fn show_prints_for_reading_the_form_and_the_hashed_bytes() {
    let file = shipped("csl-demo.toml");
    let (_, text, _) = scilit(&["questionnaire", "show", path(&file)]);
    assert!(text.contains("地心的温度非常高") && text.contains("* true"));
    let (_, form, _) = scilit(&["questionnaire", "show", path(&file), "--as", "form"]);
    assert!(!form.contains("\"key\""));
    let (_, canonical, _) = scilit(&["questionnaire", "show", path(&file), "--as", "canonical"]);
    assert!(Questionnaire::from_canonical_json(&canonical).is_ok());
    let (success, _, errors) = scilit(&["questionnaire", "show", path(&file), "--language", "fr"]);
    assert!(!success && errors.contains("no texts in \"fr\""), "{errors}");
}

#[test]
fn schema_prints_the_shipped_schema() {
    let (_, schema, _) = scilit(&["questionnaire", "schema"]);
    assert_eq!(schema, fs::read_to_string(shipped("schema.json")).expect("the schema"));
}

#[test]
fn acc036_draw_derives_the_order_from_the_seed_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shuffled.toml");
    let source = fs::read_to_string(shipped("youth-demo.toml")).expect("a questionnaire");
    let shuffled = source.replace("id = \"knowledge\"\ntitle", "id = \"knowledge\"\nshuffle_items = true\ntitle");
    fs::write(&file, shuffled).expect("a file");
    let draw = |seed: &str| -> Value {
        let (fine, output, error) = scilit(&["questionnaire", "draw", path(&file), "--seed", seed]);
        assert!(fine, "{error}");
        serde_json::from_str(&output).expect("JSON")
    };
    let items = |draw: &Value| -> Vec<String> { serde_json::from_value(draw["items"].clone()).expect("ids") };
    assert_eq!(draw("7"), draw("7"));
    assert_ne!(draw("7")["items"], draw("8")["items"]);
    let as_written = scilit(&["questionnaire", "draw", path(&shipped("youth-demo.toml")), "--seed", "7"]).1;
    let as_written = items(&serde_json::from_str(&as_written).expect("JSON"));
    let mut sorted = [items(&draw("7")), as_written.clone()];
    assert_ne!(sorted[0], sorted[1], "the section is shuffled");
    sorted.iter_mut().for_each(|ids| ids.sort());
    assert_eq!(sorted[0], sorted[1], "and nothing is lost");
    assert_eq!(items(&draw("7"))[0], as_written[0], "the other sections keep their order");
    let (fine, _, error) = scilit(&["questionnaire", "draw", path(&file), "--seed", "7", "--algorithm", "draw/2"]);
    assert!(!fine && error.contains("draw/1"), "{error}");
}

#[test]
fn score_writes_one_row_a_response_by_case() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut refusing = submission(1);
    for answer in refusing["answers"].as_array_mut().expect("answers") {
        if answer["i"].as_str().is_some_and(|id| id.starts_with('K')) {
            *answer = json!({"i": answer["i"], "m": "refused"});
        }
    }
    let out = folder.path().join("scores.csv");
    let (success, _, errors) = score(folder.path(), &[submission(2), refusing], &["-o", path(&out)]);
    assert!(success, "{errors}");
    let table = fs::read_to_string(out).expect("the scores");
    let lines: Vec<&str> = table.lines().collect();
    let header = "case_id,response_id,rev,profile,score,score_knowledge,score_method,score_spirit,score_ability,tier,literate,\
                  right,wrong,dont_know,missing,not_scored,sex,age_group,education,occupation,key_farmer,key_industrial_worker,\
                  key_older,key_official";
    assert_eq!(lines[0], header);
    assert_eq!(
        lines[1],
        "C-1,0198c0de-0000-7000-8000-000000000001,1,A-2024 1,,,,,,,,,,,,16 of 36 items have no answer,\
         male,18-29,primary,official,0,0,0,1"
    );
    assert_eq!(
        lines[2],
        "C-2,0198c0de-0000-7000-8000-000000000002,1,A-2024 1,100,40,20,20,20,advanced,1,36,0,0,0,,\
         male,18-29,primary,official,0,0,0,1"
    );
}

#[test]
fn a_faulty_submission_stops_the_scoring_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut faulty = submission(2);
    faulty["answers"][0]["v"] = json!("robot");
    let out = folder.path().join("scores.csv");
    let submissions = [submission(1), faulty, submission(1)];
    let (success, _, errors) = score(folder.path(), &submissions, &["-o", path(&out)]);
    assert!(!success && !out.exists());
    assert!(errors.contains("responses.ndjson:2: /answers/0: item sex"), "{errors}");
    assert!(errors.contains("responses.ndjson:3: submission") && errors.contains("stands twice"), "{errors}");
    let (success, table, _) = score(folder.path(), &submissions, &["--skip-faulty"]);
    assert!(success);
    assert_eq!(table.lines().count(), 2);
}

#[test]
fn the_last_revision_of_a_submission_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut second = submission(1);
    second["rev"] = json!(2);
    let (success, table, errors) = score(folder.path(), &[second, submission(1)], &[]);
    assert!(success, "{errors}");
    assert!(table.lines().nth(1).expect("a row").contains(",2,A-2024 1,100,"), "{table}");
}
