//! What a tablet sealed to the server's key is kept as if it had come open.

use scilit::{
    evidence::sha256_hex,
    server::{Role, Settings},
};
use serde_json::{Value, json};

use crate::support::{
    app::{TABLET, TestApp, counting, submission},
    http::Answer,
    on_every_backend,
    people::Tablet,
};

const SEALED: &str = "application/vnd.scilit.sealed+json";
const SUBMISSION: &str = "scilit-tablet-submission/1";
const EVENTS: &str = "scilit-tablet-events/1";
const OTHER: &str = "019abcde-0000-7000-8000-000000000002";

/// An envelope around a submission, as a tablet makes it.
fn envelope(app: &TestApp, id: &str, body: &str) -> Value {
    app.sealed("tablet-1", SUBMISSION, &[id, "1", &sha256_hex(body.as_bytes())], body.as_bytes())
}

fn put(app: &TestApp, id: &str, digest: &str, media: &str, content: &[u8]) -> Answer {
    let headers = [("Content-Type", media), ("Submission-Sha256", digest)];
    app.send(Some(Role::Surveyor), "PUT", &format!("/api/v1/submissions/{id}/revs/1"), &headers, content)
}

fn put_sealed(app: &TestApp, id: &str, body: &str, envelope: &Value) -> Answer {
    put(app, id, &sha256_hex(body.as_bytes()), SEALED, envelope.to_string().as_bytes())
}

/// The receipt in an answer, sign for sign.
fn receipt(answer: &Answer) -> String {
    let text = answer.text();
    let from = text.find("\"receipt\":").expect("a receipt");
    text[from..].split('}').next().expect("its end").to_owned()
}

fn with(envelope: &Value, field: &str, value: &str) -> Value {
    let mut changed = envelope.clone();
    changed[field] = json!(value);
    changed
}

/// The sealed bytes with their first sign exchanged.
fn damaged(envelope: &Value) -> Value {
    let mut data = envelope["data"].as_str().expect("text").to_owned();
    let first = if data.starts_with('A') { "B" } else { "A" };
    data.replace_range(..1, first);
    with(envelope, "data", &data)
}

#[test]
fn a_sealed_submission_gets_the_receipt_of_its_bytes_whichever_way_they_come_again() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        let (first, second) = (submission(TABLET, &hash, "c1").to_string(), submission(OTHER, &hash, "c2").to_string());
        let sealed = put_sealed(&app, TABLET, &first, &envelope(&app, TABLET, &first));
        assert_eq!((sealed.status, sealed.json()["state"].clone()), (201, json!("parsed")), "{}", sealed.text());
        assert_eq!(
            sealed.json()["receipt"]["sha256"],
            sha256_hex(first.as_bytes()),
            "of the bytes, not of the sealing"
        );
        let again = [
            app.submit(TABLET, 1, first.as_bytes()),
            put_sealed(&app, TABLET, &first, &envelope(&app, TABLET, &first)),
        ];
        for answer in again {
            assert_eq!((answer.status, receipt(&answer)), (200, receipt(&sealed)), "byte for byte");
        }
        let plain = app.submit(OTHER, 1, second.as_bytes());
        let replayed = put_sealed(&app, OTHER, &second, &envelope(&app, OTHER, &second));
        assert_eq!((replayed.status, receipt(&replayed)), (200, receipt(&plain)));
        let all = app.get(Role::Supervisor, &format!("/api/v1/surveys/{survey}/responses")).json();
        assert_eq!(all["responses"].as_array().expect("a list").len(), 2, "nothing is doubled");
        // Other bytes are a conflict, sealed or not.
        let other = submission(TABLET, &hash, "c3").to_string();
        let conflict = put_sealed(&app, TABLET, &other, &envelope(&app, TABLET, &other));
        assert_eq!((conflict.status, conflict.problem().as_str()), (409, "rev-conflict"));
        assert_eq!(conflict.json()["receipt"]["conflict"], true);
    });
}

#[test]
fn a_sealing_that_does_not_open_says_why_in_chinese_and_nothing_is_kept() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let body = submission(TABLET, &hash, "c1").to_string();
        let digest = sha256_hex(body.as_bytes());
        let good = envelope(&app, TABLET, &body);
        let lies = app.sealed("tablet-1", SUBMISSION, &[TABLET, "1", &digest], b"{}");
        let as_package = app.sealed("tablet-1", "scilit-tablet-package/3", &[TABLET, "1", &digest], body.as_bytes());
        let closed = [
            (with(&good, "key", "00000000"), "sealed-unknown-key"),
            (damaged(&good), "sealed-damaged"),
            (with(&good, "enc", "AA=="), "sealed-damaged"),
            (with(&good, "data", "“"), "sealed-damaged"),
            (with(&good, "tablet", "tablet-2"), "sealed-damaged"),
            (envelope(&app, OTHER, &body), "sealed-damaged"),
            (as_package, "sealed-damaged"),
            // Sealed under a digest that its bytes do not have.
            (lies, "sealed-damaged"),
        ];
        for (envelope, code) in closed {
            let answer = put_sealed(&app, TABLET, &body, &envelope);
            assert_eq!((answer.status, answer.problem().as_str()), (422, code), "{}", answer.text());
            let problem = answer.json();
            assert_eq!((&problem["retryable"], &problem["action"]), (&json!(false), &json!("contact_supervisor")));
            let title = problem["title"].as_str().expect("a title").to_owned();
            assert!(title.chars().all(|sign| !sign.is_ascii_alphabetic()), "{title}");
        }
        // Another digest in the head is not the one it was sealed under.
        let headed = put(&app, TABLET, &sha256_hex(b"{}"), SEALED, good.to_string().as_bytes());
        assert_eq!((headed.status, headed.problem().as_str()), (422, "sealed-damaged"));
        assert_eq!(put(&app, TABLET, "ABC", SEALED, good.to_string().as_bytes()).problem(), "digest-mismatch");
        assert_eq!(put(&app, TABLET, &digest, SEALED, b"no JSON").problem(), "malformed");
        assert_eq!(put(&app, TABLET, &digest, SEALED, b"{}").problem(), "invalid");
        assert_eq!(put(&app, TABLET, &digest, "application/octet-stream", b"x").problem(), "unsupported-media");
        assert!(app.database().interview(TABLET).expect("looked").is_none(), "nothing was stored");
        assert_eq!(put_sealed(&app, TABLET, &body, &good).status, 201, "the control");
    });
}

#[test]
fn the_limit_is_for_the_opened_bytes() {
    on_every_backend(|test| {
        let bytes_max = 4000;
        let settings = Settings { submission_bytes_max: Some(bytes_max), ..Settings::default() };
        let app = TestApp::start_with(test, settings, counting);
        let padded = |bytes: usize| format!("{{\"note\":\"{}\"}}", "x".repeat(bytes - 11));
        let (fits, over) = (padded(bytes_max), padded(bytes_max + 1));
        assert_eq!((fits.len(), over.len()), (bytes_max, bytes_max + 1));
        let sealed = |id: &str, body: &str| put_sealed(&app, id, body, &envelope(&app, id, body));
        assert_eq!(sealed(TABLET, &fits).status, 202, "kept, though it is no interview");
        let refused = sealed(OTHER, &over);
        assert_eq!((refused.status, refused.problem().as_str()), (413, "too-large"), "{}", refused.text());
        let huge = put(&app, OTHER, &sha256_hex(b""), SEALED, "x".repeat(3 * bytes_max).as_bytes());
        assert_eq!(huge.problem(), "too-large", "before it is opened");
        assert!(app.database().interview(OTHER).expect("looked").is_none());
    });
}

#[test]
fn a_line_holds_the_bytes_or_their_sealing_and_not_both() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let body = submission(TABLET, &hash, "c1").to_string();
        let line = json!({ "id": TABLET, "rev": 1, "sha256": sha256_hex(body.as_bytes()) });
        let (mut plain, mut sealed) = (line.clone(), line.clone());
        plain["body"] = json!(body);
        sealed["sealed"] = envelope(&app, TABLET, &body);
        let mut both = plain.clone();
        both["sealed"] = sealed["sealed"].clone();
        let mut changed = sealed.clone();
        changed["sealed"] = damaged(&sealed["sealed"]);
        let lines: Vec<String> = [&line, &both, &changed, &sealed, &plain].map(Value::to_string).into();
        let headers = [("Content-Type", "application/x-ndjson")];
        let path = "/api/v1/submissions:batch";
        let answer = app.send(Some(Role::Surveyor), "POST", path, &headers, lines.join("\n").as_bytes()).json();
        let results = answer["results"].as_array().expect("results");
        let outcomes: Vec<_> =
            results.iter().map(|one| (one["status"].clone(), one["problem"]["code"].as_str().unwrap_or(""))).collect();
        assert_eq!(
            outcomes,
            [
                (json!(400), "malformed"),
                (json!(400), "malformed"),
                (json!(422), "sealed-damaged"),
                (json!(201), ""),
                (json!(200), ""),
            ]
        );
        assert_eq!(results[3]["answer"]["receipt"], results[4]["answer"]["receipt"]);
    });
}

fn tell(app: &TestApp, tablet: &Tablet, media: &str, body: &str) -> Answer {
    app.send_from(tablet, "POST", "/api/v1/events:batch", &[("Content-Type", media)], body.as_bytes())
}

#[test]
fn sealed_events_are_those_events() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        app.person("boss", &[(Role::Supervisor, "2301")]);
        let desk = app.sit_down("boss");
        let tablet = app.tablet(&desk, &app.person("li", &[(Role::Surveyor, "2301")]));
        let events =
            json!({ "events": [{ "seq": 1, "kind": "paradata" }, { "seq": 2, "kind": "paradata", "name": "show" }] });
        let sealed = app.sealed(&tablet.id, EVENTS, &[], events.to_string().as_bytes());
        let broken = tell(&app, &tablet, SEALED, &damaged(&sealed).to_string());
        assert_eq!((broken.status, broken.problem().as_str()), (422, "sealed-damaged"));
        let kept = tell(&app, &tablet, SEALED, &sealed.to_string());
        assert_eq!((kept.status, kept.json()["accepted_through"].clone()), (200, json!(2)), "{}", kept.text());
        let again = tell(&app, &tablet, "application/json", &events.to_string()).json();
        assert_eq!((&again["accepted_through"], &again["conflicts"]), (&json!(2), &json!([])), "the very same");
        let wrong = app.sealed(&tablet.id, EVENTS, &[], b"{\"events\":[]}");
        assert_eq!(tell(&app, &tablet, SEALED, &wrong.to_string()).problem(), "invalid");
        let long = format!("{{\"events\":[{{\"seq\":3,\"kind\":\"paradata\",\"x\":\"{}\"}}]}}", "x".repeat(256 * 1024));
        let long = app.sealed(&tablet.id, EVENTS, &[], long.as_bytes());
        assert_eq!(tell(&app, &tablet, SEALED, &long.to_string()).problem(), "too-large");
    });
}
