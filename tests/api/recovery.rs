//! A server that stopped at a bad moment catches up when it starts again.

use scilit::{
    evidence::{Signer, sha256_hex},
    server::Role,
    storage::{Arrival, Author, NewRun},
};
use serde_json::json;

use crate::support::{
    app::{TABLET, TestApp, submission},
    on_every_backend,
};

#[test]
fn bytes_kept_but_not_judged_are_judged_at_the_next_start() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        app.stop();
        let body = submission(TABLET, &hash, "c1").to_string();
        let database = test.open();
        let sha256 = sha256_hex(body.as_bytes());
        let (content_type, received_at_ms, received_from) = ("application/json", 1, "test");
        let (id, rev, body) = (TABLET, 1, body.as_bytes());
        let (sha256, revoked) = (sha256.as_str(), false);
        let arrival = Arrival { id, rev, sha256, body, content_type, received_at_ms, received_from, revoked };
        let kept =
            database.keep_submission(arrival, &Author::system(), &Signer::from_seed(&[7; 32])).expect("kept bytes");
        assert_eq!(database.interview(TABLET).expect("a head").expect("it").state, "received");

        let app = TestApp::start(test);
        assert_eq!(database.interview(TABLET).expect("a head").expect("it").state, "parsed");
        let again = app.submit(TABLET, 1, body);
        assert_eq!(again.status, 200);
        assert!(again.text().contains(&kept.receipt), "the receipt is the one that was stored");
    });
}

#[test]
fn receipts_outlive_a_restart() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let body = submission(TABLET, &hash, "c1").to_string();
        let first = app.submit(TABLET, 1, body.as_bytes()).json();
        app.stop();
        let again = TestApp::start(test).submit(TABLET, 1, body.as_bytes());
        assert_eq!((again.status, &again.json()["receipt"]), (200, &first["receipt"]));
    });
}

#[test]
fn a_run_left_running_fails_as_interrupted_and_a_queued_one_is_computed() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        app.stop();
        let database = test.open();
        let (running, queued) = ("019abcde-0000-7000-8000-00000000000a", "019abcde-0000-7000-8000-00000000000b");
        for id in [running, queued] {
            let run = NewRun {
                id,
                survey_id: &survey,
                engine: "e",
                requested_by: "t",
                created_at_ms: 1,
                state: "queued",
                request: r#"{"include":"interim"}"#,
            };
            database.queue_run(run, 10, &Author::system(), None).expect("queued");
        }
        assert!(database.begin_run(running, 2).expect("begun"));

        let app = TestApp::start(test);
        let interrupted = app.get(Role::Analyst, &format!("/api/v1/runs/{running}")).json();
        assert_eq!(
            (interrupted["state"].clone(), interrupted["error"]["code"].clone()),
            (json!("failed"), json!("interrupted"))
        );
        for _ in 0..200 {
            if app.get(Role::Analyst, &format!("/api/v1/runs/{queued}")).json()["state"] == "succeeded" {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the queued run was not taken up");
    });
}
