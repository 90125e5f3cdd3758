//! Runs: started by HTTP, computed in the background, read as JSON and files.

use scilit::{
    evidence::sha256_hex,
    server::{Role, Settings},
};
use serde_json::json;

use crate::support::{
    app::{TABLET, TestApp, counting, submission},
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
fn public_results_open_the_results_and_nothing_else() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings { public_results: Some(true), ..Settings::default() }, counting);
        let (survey, hash) = app.survey("调查");
        assert_eq!(app.run(&survey)["state"], "failed", "no response yet");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let run = app.run(&survey);
        let id = run["id"].as_str().expect("an id");
        let open = |path: &str| app.send(None, "GET", path, &[], b"");
        assert_eq!(open(&format!("/api/v1/runs/{id}/results")).status, 200);
        assert_eq!(open(&format!("/api/v1/runs/{id}/files/indicator.csv")).status, 200);
        assert_eq!(open(&format!("/api/v1/runs/{id}/files/responses_weighted.csv")).problem(), "unauthenticated");
        assert_eq!(
            open("/api/v1/runs").json()["runs"].as_array().expect("runs").len(),
            1,
            "the failed run stays inside"
        );
        let names = open(&format!("/api/v1/runs/{id}/files")).json();
        assert_eq!(names["files"].as_array().expect("files").len(), 2);
        assert_eq!(open(&format!("/api/v1/surveys/{survey}")).problem(), "unauthenticated");
        assert_eq!(open(&format!("/api/v1/surveys/{survey}/responses")).problem(), "unauthenticated");
    });
}
