//! What a tablet does when it meets the network again: batches, reconciling, the server's time.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use scilit::{
    evidence::sha256_hex,
    server::{Role, Settings},
};
use serde_json::{Value, json};

use crate::support::{
    TestDatabase,
    app::{QUESTIONNAIRE, TABLET, TestApp, counting, submission, survey_request},
    http::Answer,
    on_every_backend,
};

const BATCH: &str = "/api/v1/submissions:batch";

fn tablet(number: usize) -> String {
    format!("019abcde-0000-7000-8000-{number:012x}")
}

fn line(id: &str, body: &str) -> Value {
    json!({ "id": id, "rev": 1, "sha256": sha256_hex(body.as_bytes()), "body": body })
}

fn ndjson(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn post(app: &TestApp, path: &str, kind: &str, body: &[u8]) -> Answer {
    app.send(Some(Role::Surveyor), "POST", path, &[("Content-Type", kind)], body)
}

fn batch(app: &TestApp, body: &str) -> Answer {
    post(app, BATCH, "application/x-ndjson", body.as_bytes())
}

fn results(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 207, "{}", answer.text());
    answer.json()["results"].as_array().expect("results").clone()
}

/// Each result's status with the code of its problem, if it has one.
fn outcomes(results: &[Value]) -> Vec<(u64, &str)> {
    for result in results {
        assert_eq!(result["problem"].is_null(), !result["answer"].is_null(), "an answer or a problem: {result}");
        assert!(result["problem"].is_null() || result["problem"]["status"] == result["status"], "{result}");
    }
    results
        .iter()
        .map(|result| (result["status"].as_u64().expect("a status"), result["problem"]["code"].as_str().unwrap_or("")))
        .collect()
}

/// A survey whose sample has the cases c1, c2, ...; the questionnaire's hash.
fn survey_of(app: &TestApp, cases: usize) -> String {
    let hash = app.publish(QUESTIONNAIRE).json()["hash"].as_str().expect("a hash").to_owned();
    let made = app.create_survey(&survey_request("调查", &hash)).json();
    let row = |number: usize| format!("c{number},230102,s1,p{number},urban,0.5,0.1\n");
    let head = "case_id,district,stratum,psu,residence,prob_psu,prob_household\n".to_owned();
    let sample = (1..=cases).fold(head, |sample, number| sample + &row(number));
    let put = app.put_file(made["id"].as_str().expect("an id"), "sample", &sample);
    assert_eq!(put.status, 201, "{}", put.text());
    hash
}

#[test]
fn acc019_a_batch_of_50_with_one_invalid_item_gets_49_receipts_and_one_in_quarantine() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let hash = survey_of(&app, 50);
        let body = |number: usize| match number {
            17 => "{\"schema\": 1, \"id\": 乱".to_owned(),
            _ => submission(&tablet(number), &hash, &format!("c{number}")).to_string(),
        };
        let lines: Vec<_> = (1..=50).map(|number| line(&tablet(number), &body(number)).to_string()).collect();
        let first = results(&batch(&app, &ndjson(&lines)));
        for (number, result) in (1..).zip(&first) {
            let (status, state) = if number == 17 { (202, "quarantined") } else { (201, "parsed") };
            assert_eq!(
                (result["status"].as_u64(), &result["answer"]["state"]),
                (Some(status), &json!(state)),
                "{result}"
            );
            assert_eq!((&result["line"], &result["id"]), (&json!(number), &json!(tablet(number))));
            assert_eq!(result["answer"]["receipt"]["sha256"], sha256_hex(body(number).as_bytes()));
        }
        assert_eq!(first.len(), 50);
        assert_eq!(first[16]["answer"]["notices"][0]["code"], "malformed");

        let again = results(&batch(&app, &ndjson(&lines)));
        for (first, again) in first.iter().zip(&again) {
            assert_eq!(
                (again["status"].as_u64(), &again["answer"]["receipt"]),
                (Some(200), &first["answer"]["receipt"])
            );
        }
    });
}

#[test]
fn a_line_that_cannot_be_kept_says_why_and_stops_no_other() {
    on_every_backend(|test| {
        let app =
            TestApp::start_with(test, Settings { submission_bytes_max: Some(2000), ..Settings::default() }, counting);
        let hash = survey_of(&app, 2);
        let good = |number: usize| {
            line(&tablet(number), &submission(&tablet(number), &hash, &format!("c{number}")).to_string())
        };
        let with = |field: &str, value: Value| {
            let mut line = good(9);
            line[field] = value;
            line.to_string()
        };
        let lines = [
            good(1).to_string(),
            "no JSON".to_owned(),
            String::new(),
            format!("[{}]", good(9)),
            with("extra", json!(1)),
            with("body", json!("other bytes")),
            with("sha256", json!("ABC")),
            with("id", json!("f47ac10b-58cc-4372-a567-0e02b2c3d479")),
            with("rev", json!(0)),
            with("rev", json!(1.5)),
            line(&tablet(9), &"x".repeat(2001)).to_string(),
            good(2).to_string(),
        ];
        let answer = batch(&app, &ndjson(&lines));
        let results = results(&answer);
        assert_eq!(
            outcomes(&results),
            [
                (201, ""),
                (400, "malformed"),
                (400, "malformed"),
                (422, "invalid"),
                (400, "digest-mismatch"),
                (400, "digest-mismatch"),
                (422, "id-not-v7"),
                (422, "invalid"),
                (422, "invalid"),
                (413, "too-large"),
                (201, ""),
            ]
        );
        assert_eq!((&results[2]["line"], &results[10]["line"]), (&json!(4), &json!(12)), "a blank line counts");
        let problem = &results[4]["problem"];
        assert_eq!(problem["request_id"].as_str(), answer.header("x-request-id"));
        assert_eq!(problem["instance"], format!("/api/v1/submissions/{}/revs/1", tablet(9)));
        assert!(
            app.database().interview(&tablet(9)).expect("an answer").is_none(),
            "nothing of a refused line is kept"
        );
    });
}

#[test]
fn a_line_that_is_no_text_is_refused_alone() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let mut body = b"{\"id\": \"\xff\"}\n".to_vec();
        body.extend(line(TABLET, "{}").to_string().into_bytes());
        let answer = post(&app, BATCH, "application/x-ndjson", &body);
        assert_eq!(outcomes(&results(&answer)), [(400, "malformed"), (202, "")]);
    });
}

#[test]
fn a_batch_and_a_put_give_the_same_receipt_and_other_bytes_are_a_conflict_with_theirs() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let hash = survey_of(&app, 1);
        let body = submission(TABLET, &hash, "c1").to_string();
        let put = app.submit(TABLET, 1, body.as_bytes()).json();
        // The same JSON spelled otherwise is other bytes; the escapes of the line itself are not part of them.
        let lines = [line(TABLET, &body).to_string(), line(TABLET, &format!(" {body}\r\n")).to_string()];
        let results = results(&batch(&app, &ndjson(&lines)));
        assert_eq!(outcomes(&results), [(200, ""), (409, "rev-conflict")]);
        assert_eq!(results[0]["answer"]["receipt"], put["receipt"]);
        let kept = &results[1]["problem"]["receipt"];
        assert_eq!((&kept["conflict"], kept["sha256"].as_str()), (&json!(true), lines_digest(&lines[1]).as_deref()));
    });
}

fn lines_digest(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    line["sha256"].as_str().map(str::to_owned)
}

#[test]
fn a_batch_over_its_limits_is_refused_whole_and_nothing_is_kept() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let lines: Vec<_> = (1..=51).map(|number| line(&tablet(number), "{}").to_string()).collect();
        assert_eq!(batch(&app, &ndjson(&lines)).problem(), "too-large");
        assert_eq!(batch(&app, &"x".repeat(4 * 1024 * 1024 + 1)).problem(), "too-large");
        assert_eq!(batch(&app, "").problem(), "malformed");
        assert_eq!(batch(&app, "\n \r\n").problem(), "malformed");
        assert_eq!(post(&app, BATCH, "application/json", b"{}").problem(), "unsupported-media");
        assert!(app.database().interview(&tablet(1)).expect("an answer").is_none());
        assert_eq!(results(&batch(&app, &ndjson(&lines[..50]))).len(), 50, "the limit itself is allowed");
    });
}

#[expect(clippy::disallowed_methods, reason = "a test measures how long the server waits")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn a_batch_without_its_database_ends_soon_and_can_be_sent_again() {
    let test = TestDatabase::sqlite();
    let app = TestApp::start(&test);
    let path = test.file().expect("a file").display().to_string();
    let mut intruder = SqliteConnection::establish(&path).expect("a connection");
    intruder.batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").expect("the writer's lock");
    let lines: Vec<_> = (1..=20).map(|number| line(&tablet(number), "{}").to_string()).collect();
    let begun = now();
    let away = results(&batch(&app, &ndjson(&lines)));
    assert!(outcomes(&away).iter().all(|outcome| *outcome == (503, "overloaded")), "{away:?}");
    assert!(begun.elapsed() < Duration::from_secs(15), "one wait, not twenty: {:?}", begun.elapsed());
    intruder.batch_execute("ROLLBACK").expect("released");
    let again = results(&batch(&app, &ndjson(&lines)));
    assert!(outcomes(&again).iter().all(|outcome| *outcome == (202, "")), "{again:?}");
}

#[test]
fn two_tablets_with_the_same_batch_at_once_store_each_item_once() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let lines: Vec<_> = (1..=10).map(|number| line(&tablet(number), "{}").to_string()).collect();
        let body = ndjson(&lines);
        let answers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| results(&batch(&app, &body)))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
        });
        for item in 0..10 {
            let receipts: Vec<_> = answers.iter().map(|results| &results[item]["answer"]["receipt"]).collect();
            assert!(receipts.iter().all(|receipt| receipt.is_object() && *receipt == receipts[0]), "{receipts:?}");
            let new = answers
                .iter()
                .filter(|results| results[item]["status"] == 202 && results[item]["answer"]["state"] != json!(null));
            assert_eq!(new.count(), 1, "one of them brought it, the others replayed");
        }
    });
}

fn reconcile(app: &TestApp, have: &Value) -> Answer {
    post(app, "/api/v1/reconcile", "application/json", json!({ "have": have }).to_string().as_bytes())
}

#[test]
fn reconcile_tells_what_is_known_with_its_receipt_what_is_unknown_and_what_is_different() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let receipt = app.submit(TABLET, 1, b"{}").json()["receipt"].clone();
        let conflict = app.submit(TABLET, 1, b"{ }").json()["receipt"].clone();
        let item = |id: &str, rev: i32, body: &[u8]| json!({ "id": id, "rev": rev, "sha256": sha256_hex(body) });
        let mut stated = item(TABLET, 2, b"{}");
        stated["state"] = json!("finalized");
        let have = json!([
            item(&tablet(7), 1, b"{}"),
            item(TABLET, 1, b"{}"),
            item(TABLET, 1, b"{ }"),
            item(TABLET, 1, b"{  }"),
            stated,
            item(&TABLET.to_uppercase(), 1, b"{}"),
        ]);
        let answer = reconcile(&app, &have);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let items = answer.json()["items"].as_array().expect("items").clone();
        let seen: Vec<_> = items.iter().map(|item| (item["answer"].as_str(), item["receipt"].clone())).collect();
        assert_eq!(
            seen,
            [
                (Some("unknown"), json!(null)),
                (Some("known"), receipt.clone()),
                (Some("known"), conflict),
                (Some("different"), json!(null)),
                (Some("unknown"), json!(null)),
                (Some("known"), receipt),
            ]
        );
        assert_eq!((&items[0]["id"], &items[4]["state"]), (&json!(tablet(7)), &json!("finalized")));
        assert_eq!(reconcile(&app, &json!([])).json()["items"], json!([]));
    });
}

#[test]
fn reconcile_refuses_what_no_server_could_keep_and_names_the_place() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let digest = sha256_hex(b"{}");
        let good = json!({ "id": TABLET, "rev": 1, "sha256": digest });
        let bad = json!({ "id": "x", "rev": 0, "sha256": digest.to_uppercase() });
        let refused = reconcile(&app, &json!([good, bad]));
        assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
        let problem = refused.json();
        let places: Vec<_> =
            problem["errors"].as_array().expect("faults").iter().map(|fault| &fault["pointer"]).collect();
        assert_eq!(places, ["/have/1/id", "/have/1/rev", "/have/1/sha256"]);
        let many = |count: usize| json!(vec![good.clone(); count]);
        assert_eq!(reconcile(&app, &many(1001)).problem(), "invalid");
        assert_eq!(reconcile(&app, &many(1000)).json()["items"].as_array().map(Vec::len), Some(1000));
        for body in
            ["{}", "[]", "{\"have\":1}", "{\"have\":[{\"id\":1}]}", "{\"have\":[],\"x\":1}", "{\"have\":[[]]}", ""]
        {
            let answer = post(&app, "/api/v1/reconcile", "application/json", body.as_bytes());
            assert!(matches!(answer.problem().as_str(), "invalid" | "malformed"), "{body}: {}", answer.text());
        }
    });
}

#[test]
fn anybody_can_ask_the_time_and_gets_nothing_else() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let answer = app.send(None, "GET", "/api/v1/time", &[], b"");
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        let time: i64 = answer.header("x-server-time-ms").and_then(|ms| ms.parse().ok()).expect("the time");
        assert!(time >= 1_763_800_000_000, "the server's clock: {time}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    });
}
