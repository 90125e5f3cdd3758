//! A server that stopped at a bad moment catches up when it starts again.

use scilit::{
    evidence::{Signer, sha256_hex},
    server::Role,
    storage::{Arrival, Author, NewRun},
};
use serde_json::{Value, json};

use crate::support::{
    TestDatabase,
    app::{SAMPLE, TABLET, TestApp, submission},
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

/// What is known of the responses and of the quarantine, without the order and hour of arrival and the token.
fn known(app: &TestApp, survey: &str) -> Value {
    let plain = |list: &Value| {
        let mut rows = list.as_array().expect("a list").clone();
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.retain(|key, _| !key.ends_with("_ms") && !["surveyor", "server_seq"].contains(&key.as_str()));
        }
        rows.sort_by_key(|row| row["id"].as_str().map(str::to_owned));
        Value::Array(rows)
    };
    let responses = app.get(Role::Analyst, &format!("/api/v1/surveys/{survey}/responses")).json();
    let quarantine = app.get(Role::Analyst, "/api/v1/quarantine").json();
    json!({ "responses": plain(&responses["responses"]), "quarantine": plain(&quarantine["waiting"]) })
}

#[test]
fn what_is_judged_before_it_is_kept_and_what_is_judged_after_come_to_the_same() {
    on_every_backend(|test| {
        let rows: String = (0..12).map(|n| format!("k{n:02},230102,s1,p1,urban,0.5,0.1\n")).collect();
        let sample = format!("{}\n{rows}", SAMPLE.lines().next().expect("a header"));
        let prepared = |app: &TestApp| {
            let (survey, hash) = app.survey("调查");
            assert_eq!(app.put_file(&survey, "sample", &sample).status, 201);
            (survey, hash)
        };
        let id = |n: usize| format!("019abcde-0000-7000-8000-00000000fa{n:02}");
        // Good ones; a case that nobody drew, a questionnaire that nobody published, a code that no item has, no JSON.
        let body = |n: usize, hash: &str| match n {
            12 => submission(&id(n), hash, "nobody").to_string(),
            13 => submission(&id(n), &sha256_hex(b"another"), "k00").to_string(),
            14 => submission(&id(n), hash, "k11")
                .to_string()
                .replace("\"answers\":[", "\"answers\":[{\"i\":\"q99\",\"v\":\"9\",\"n_changes\":0,\"ms\":1},"),
            15 => "{\"half\":".to_owned(),
            n => submission(&id(n), hash, &format!("k{:02}", n.min(10))).to_string(),
        };
        let at_once = TestApp::start(test);
        let (survey, hash) = prepared(&at_once);
        std::thread::scope(|scope| {
            // Two of one case in their order; all others as they come.
            for n in (0..16).filter(|n| *n != 11) {
                let (at_once, hash) = (&at_once, &hash);
                scope.spawn(move || at_once.submit(&id(n), 1, body(n, hash).as_bytes()));
            }
        });
        at_once.submit(&id(11), 1, body(11, &hash).as_bytes());
        let first = known(&at_once, &survey);

        let other = TestDatabase::sqlite();
        let app = TestApp::start(&other);
        let (survey, hash) = prepared(&app);
        app.stop();
        let (database, signer) = (other.open(), Signer::from_seed(&[7; 32]));
        for n in 0..16 {
            let (id, body) = (id(n), body(n, &hash));
            let sha256 = sha256_hex(body.as_bytes());
            let arrival = Arrival {
                id: &id,
                rev: 1,
                sha256: &sha256,
                body: body.as_bytes(),
                content_type: "application/json",
                received_at_ms: 1,
                received_from: "test",
                revoked: false,
            };
            database.keep_submission(arrival, &Author::system(), &signer).expect("kept bytes");
        }
        let after = known(&TestApp::start(&other), &survey);
        assert_eq!(first, after);
        let count = |list: &str| first[list].as_array().expect("a list").len();
        assert!(count("responses") >= 12 && count("quarantine") == 4, "something of each kind: {first}");
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
