//! Runs: started by HTTP, computed in the background, read as JSON and files.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread::sleep,
    time::Duration,
};

use scilit::{
    evidence::sha256_hex,
    server::{
        Role, Settings,
        jobs::{NamedFile, Progress, RunFailure, RunInputs, indicator},
    },
};
use serde_json::json;

use crate::support::{
    app::{TABLET, TestApp, submission},
    on_every_backend,
};

#[test]
fn a_run_is_computed_in_the_background_and_its_files_carry_their_digest() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let run = app.run(&survey);
        assert_eq!(run["state"], "succeeded", "{run}");
        assert_eq!(run["inputs"]["questionnaire"], hash);
        assert_eq!(run["inputs"]["responses"]["n"], 1);
        let path = format!("/api/v1/runs/{}", run["id"].as_str().expect("an id"));
        assert_eq!(app.get(Role::Analyst, &format!("{path}/results")).json(), json!({"n": 1}));
        let file = app.get(Role::Auditor, &format!("{path}/files/indicator.csv"));
        assert_eq!(file.header("x-content-sha256"), Some(sha256_hex(&file.body).as_str()));
        assert!(file.header("content-disposition").expect("a disposition").starts_with("attachment"));
        assert_eq!(app.get(Role::Analyst, "/api/v1/runs/latest").json()["id"], run["id"]);
        assert_eq!(app.get(Role::Analyst, "/api/v1/runs").json()["runs"][0]["id"], run["id"]);
    });
}

#[test]
fn the_same_survey_gives_the_same_inputs_and_files_each_time() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let (first, second) = (app.run(&survey), app.run(&survey));
        assert_eq!(first["inputs"], second["inputs"]);
        let files = |run: &serde_json::Value| {
            app.get(Role::Auditor, &format!("/api/v1/runs/{}/files", run["id"].as_str().expect("an id"))).json()
        };
        assert_eq!(files(&first), files(&second));
        assert_eq!(files(&first)["files"].as_array().expect("files").len(), 3);
    });
}

#[test]
fn a_run_that_cannot_be_computed_fails_with_its_reason_and_has_no_results() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("fails");
        let empty = app.run(&survey);
        assert_eq!((empty["state"].clone(), empty["error"]["code"].clone()), (json!("failed"), json!("no-responses")));
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let failed = app.run(&survey);
        assert_eq!(failed["error"], json!({"code": "no-convergence", "message": "raking did not converge"}));
        let path = format!("/api/v1/runs/{}/results", failed["id"].as_str().expect("an id"));
        let refused = app.get(Role::Analyst, &path);
        assert_eq!((refused.status, refused.problem().as_str()), (409, "run-failed"));
        assert_eq!(app.get(Role::Analyst, "/api/v1/runs/latest").problem(), "not-found");
    });
}

#[test]
fn an_engine_that_breaks_down_fails_its_run_and_the_next_one_is_computed() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("breaks");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        for _ in 0..2 {
            let run = app.run(&survey);
            assert_eq!((run["state"].clone(), run["error"]["code"].clone()), (json!("failed"), json!("internal")));
        }
    });
}

#[test]
fn only_so_many_runs_may_wait() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("slow");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let path = format!("/api/v1/surveys/{survey}/runs");
        let answers: Vec<_> = (0..12).map(|_| app.send(Some(Role::Analyst), "POST", &path, &[], b"")).collect();
        assert!(answers.iter().all(|answer| matches!(answer.status, 202 | 429)));
        let refused = answers.iter().find(|answer| answer.status == 429).expect("a full queue");
        assert_eq!((refused.problem().as_str(), refused.header("retry-after").is_some()), ("throttled", true));
    });
}

#[test]
fn a_run_is_asked_for_its_variance_and_keeps_what_it_was_asked() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (survey, hash) = app.survey("调查");
        for (n, case) in ["c1", "c2", "c3"].into_iter().enumerate() {
            let id = format!("019abcde-0000-7000-8000-00000000000{n}");
            let answers = submission(&id, &hash, case).to_string();
            let answers = if n == 0 { answers } else { answers.replace("\"true\"", "\"false\"") };
            assert_eq!(app.submit(&id, 1, answers.as_bytes()).status, 201);
        }
        let results = |run: &serde_json::Value| {
            assert_eq!(run["state"], "succeeded", "{run}");
            app.get(Role::Analyst, &format!("/api/v1/runs/{}/results", run["id"].as_str().expect("an id"))).json()
        };
        let plain = app.run(&survey);
        assert_eq!(plain["request"], json!({"variance": {"method": "taylor"}, "include": "interim"}));
        let asked = json!({"method": "bootstrap", "replicates": 50, "seed": 7});
        let drawn = app.ended(&app.ask_for_run(&survey, &json!({ "variance": asked })));
        assert_eq!(drawn["request"]["variance"], asked);
        let (taylor, bootstrap) = (results(&plain), results(&drawn));
        assert_eq!(
            (&taylor["method"]["variance"], &bootstrap["method"]["variance"]),
            (&json!("taylor"), &json!("bootstrap"))
        );
        assert_eq!(bootstrap["method"]["replicates"], 50);
        assert_eq!(taylor["tables"][0]["rows"][0]["estimate"], bootstrap["tables"][0]["rows"][0]["estimate"]);
        assert_ne!(plain["inputs"], drawn["inputs"], "what was asked is one of the inputs");
    });
}

#[test]
fn a_run_compares_with_an_earlier_run_over_the_same_units() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let rural = "019abcde-0000-7000-8000-000000000003";
        app.submit(rural, 1, submission(rural, &hash, "c3").to_string().as_bytes());
        let first = app.run(&survey);
        assert_eq!(first["state"], "succeeded", "{first}");
        let other = "019abcde-0000-7000-8000-000000000002";
        app.submit(other, 1, submission(other, &hash, "c2").to_string().replace("\"true\"", "\"false\"").as_bytes());
        for samples in ["independent", "shared_psus"] {
            let request = json!({"earlier": {"run": first["id"], "samples": samples}});
            let run = app.ended(&app.ask_for_run(&survey, &request));
            assert_eq!(run["state"], "succeeded", "{run}");
            let path = format!("/api/v1/runs/{}/results", run["id"].as_str().expect("an id"));
            let changes = app.get(Role::Analyst, &path).json()["changes"].clone();
            assert_eq!(changes["samples"], samples);
            let city = &changes["rows"][0];
            assert_eq!((&city["table"], &city["earlier"]), (&json!("city"), &json!(1.0)));
            assert!(city["estimate"].as_f64().is_some_and(|change| change < 0.0), "{city}");
            // Two runs of one survey are one wave: its newest.
            let path = format!("/api/v1/runs/{}/series", run["id"].as_str().expect("an id"));
            let series = app.get(Role::Analyst, &path).json();
            assert_eq!(series["waves"].as_array().map(Vec::len), Some(1), "{series}");
            assert_eq!(series["waves"][0]["run"], run["id"]);
            assert_eq!(series["changes"], json!([]));
        }
    });
}

#[test]
fn what_a_run_cannot_be_asked_is_refused_with_its_place() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        let unknown = "019abcde-0000-7000-8000-0000000000ff";
        for (request, pointer) in [
            (json!({"variance": {"method": "bootstrap", "replicates": 1, "seed": 7}}), Some("/variance/replicates")),
            (json!({"variance": {"method": "bootstrap", "replicates": 5000, "seed": 7}}), Some("/variance/replicates")),
            (json!({"variance": {"method": "bootstrap", "replicates": 50}}), None),
            (json!({"variance": {"method": "taylor", "seed": 7}}), None),
            (json!({"variance": {"method": "guess"}}), None),
            (json!({"threads": 100_000}), None),
            (json!({"earlier": {"run": unknown}}), Some("/earlier/run")),
            (json!({"earlier": {"run": "a\u{0}b"}}), None),
            (json!({"earlier": {"run": unknown, "samples": "the same"}}), None),
        ] {
            let refused = app.ask_for_run(&survey, &request);
            assert!(matches!(refused.status, 400 | 422), "{request}: {}", refused.text());
            if let Some(pointer) = pointer {
                assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{request}");
            }
        }
        assert_eq!(app.get(Role::Analyst, "/api/v1/runs").json()["runs"], json!([]), "nothing was queued");
    });
}

const LARGE: usize = 32 << 20;

fn large(_: &RunInputs, _: &Progress) -> Result<Vec<NamedFile>, RunFailure> {
    let results = json!({}).to_string().into_bytes();
    Ok(vec![
        ("results.json".to_owned(), "application/json", results),
        ("responses_weighted.csv".to_owned(), "text/csv; charset=utf-8", vec![b'1'; LARGE]),
    ])
}

#[test]
fn acc066_a_download_that_breaks_off_is_in_the_log_with_how_far_it_came_and_that_it_failed() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), large);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let run = app.run(&survey);
        let path =
            format!("/api/v1/runs/{}/files/responses_weighted.csv?purpose=audit", run["id"].as_str().expect("an id"));
        let ends = || -> Vec<(String, serde_json::Value)> {
            let all = app.database().audit_entries(0, 100_000).expect("entries");
            let ends = all.into_iter().filter(|entry| entry.action == "download.end");
            let detail = |text: Option<String>| serde_json::from_str(&text.expect("a detail")).expect("JSON");
            ends.map(|entry| (entry.outcome, detail(entry.detail))).collect()
        };
        let waited = |n: usize| {
            for _ in 0..200 {
                if ends().len() >= n {
                    return;
                }
                sleep(Duration::from_millis(50));
            }
            panic!("{n} ends did not come: {:?}", ends());
        };
        let secret = app.secret(Role::Auditor);
        let mut link = TcpStream::connect(app.address).expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\r\n");
        link.write_all(request.as_bytes()).expect("sent");
        link.read_exact(&mut vec![0; 100_000]).expect("the beginning");
        drop(link);
        waited(1);
        let (outcome, detail) = ends().remove(0);
        let sent = detail["bytes_sent"].as_u64().expect("a number");
        assert!(outcome == "failed" && sent > 0 && sent < LARGE as u64, "{outcome} {detail}");
        // The control: one that comes whole.
        assert_eq!(app.get(Role::Auditor, &path).body.len(), LARGE);
        waited(2);
        let (outcome, detail) = ends().remove(1);
        assert_eq!((outcome.as_str(), &detail["bytes_sent"]), ("done", &json!(LARGE)));
    });
}
