//! Each limit of `docs/configuration.md`, with what lies just inside it as the control.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use scilit::{
    evidence::sha256_hex,
    server::{Role, Settings},
};
use serde_json::json;

use crate::support::{
    app::{TABLET, TestApp, counting, submission, survey_request},
    http::{parse, raw},
    on_every_backend,
};

const SUBMIT: &str = "/api/v1/submissions/019abcde-0000-7000-8000-000000000001/revs/1";

#[expect(clippy::disallowed_methods, reason = "a test measures how long the server waits")]
fn now() -> Instant {
    Instant::now()
}

fn get(app: &TestApp, headers: &str) -> u16 {
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", app.address);
    parse(&raw(app.address, request.as_bytes())).status
}

#[test]
fn a_head_with_too_many_fields_or_bytes_is_refused() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let fields = |count: usize| (0..count).map(|i| format!("X-{i}: a\r\n")).collect::<String>();
        assert_eq!(get(&app, &fields(63)), 200, "63 and Host");
        assert_eq!(get(&app, &fields(64)), 431);
        assert_eq!(get(&app, &fields(120)), 431, "more than the parser takes");
        let long = |bytes: usize| format!("X-A: {}\r\n", "a".repeat(bytes));
        assert_eq!(get(&app, &long(16_000)), 200);
        assert_eq!(get(&app, &long(16_400)), 431);
        assert_eq!(get(&app, &long(140_000)), 431, "more than the parser takes");
        let target = format!("/{}", "a".repeat(17_000));
        let refused = app.send(None, "GET", &target, &[], b"");
        assert_eq!((refused.status, refused.problem().as_str()), (431, "head-too-large"));
    });
}

/// Sends `first`, then `drip` every 100 ms; how long the server bore it, and what it said.
fn drip(address: SocketAddr, first: &[u8], drip: &[u8], patience: Duration) -> (Duration, Vec<u8>) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    stream.write_all(first).expect("sent");
    let (began, mut answer, mut buffer) = (now(), Vec::new(), [0; 4096]);
    while began.elapsed() < patience {
        match stream.read(&mut buffer) {
            Ok(0) => return (began.elapsed(), answer),
            Ok(read) => answer.extend(&buffer[..read]),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                if stream.write_all(drip).is_err() {
                    return (began.elapsed(), answer);
                }
            }
            Err(_) => return (began.elapsed(), answer),
        }
    }
    panic!("still open after {patience:?}: {}", String::from_utf8_lossy(&answer));
}

#[test]
fn a_head_that_drips_is_given_up() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings { head_seconds_max: Some(1), ..Settings::default() }, counting);
        let first = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nX-A: ", app.address);
        let (time, answer) = drip(app.address, first.as_bytes(), b"a", Duration::from_secs(10));
        assert!(time < Duration::from_secs(4), "{time:?}");
        assert_eq!(parse(&answer).status, 408);
    });
}

#[test]
fn a_connection_serves_one_request_and_a_second_head_cannot_drip() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let ask = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", app.address);
        let mut both = ask.clone().into_bytes();
        both.extend(b"GET /healthz HTTP/1.1\r\nX-A: ");
        let (time, answer) = drip(app.address, &both, b"a", Duration::from_secs(10));
        assert!(time < Duration::from_secs(4), "{time:?}");
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
        assert!(text.to_lowercase().contains("connection: close"), "{text}");
        // A thousand pipelined requests that are there at once may all be answered, and then it is over.
        let pipelined = raw(app.address, ask.repeat(1000).as_bytes());
        assert!(String::from_utf8_lossy(&pipelined).matches("HTTP/1.1 200").count() >= 1);
    });
}

fn put_head(app: &TestApp, length: usize, authorization: &str) -> String {
    let digest = sha256_hex(b"{}");
    format!(
        "PUT {SUBMIT} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Submission-Sha256: {digest}\r\n{authorization}\r\n",
        app.address
    )
}

#[test]
fn a_body_that_drips_slower_than_the_minimum_is_given_up_and_a_faster_one_is_read() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings { body_seconds_max: Some(6), ..Settings::default() }, counting);
        let bearer = format!("Authorization: Bearer {}\r\n", app.secret(Role::Surveyor));
        // 100 bytes a second: given up after the first third, long before the whole time.
        let first = format!("{}{{", put_head(&app, 200_000, &bearer));
        let (time, answer) = drip(app.address, first.as_bytes(), &[b' '; 10], Duration::from_secs(10));
        assert_eq!((parse(&answer).status, parse(&answer).problem().as_str()), (408, "timeout"));
        assert!(time > Duration::from_millis(1500) && time < Duration::from_secs(5), "{time:?}");
        // 20 KB a second: borne until the whole time is over.
        let (time, answer) = drip(app.address, first.as_bytes(), &[b' '; 2000], Duration::from_secs(12));
        assert_eq!(parse(&answer).problem(), "timeout");
        assert!(time > Duration::from_millis(5500), "{time:?}");
        assert!(app.database().interview(TABLET).expect("an answer").is_none());
    });
}

#[test]
fn whoever_is_not_let_in_cannot_keep_a_connection_with_a_body() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let first = format!("{}{{", put_head(&app, 200_000, ""));
        let (time, answer) = drip(app.address, first.as_bytes(), b" ", Duration::from_secs(15));
        assert_eq!(parse(&answer).status, 401);
        assert!(time < Duration::from_secs(8), "{time:?}");
    });
}

#[test]
fn a_connection_whose_body_never_ends_is_closed_after_the_answer() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings { body_seconds_max: Some(3), ..Settings::default() }, counting);
        let bearer = format!("Authorization: Bearer {}\r\n", app.secret(Role::Surveyor));
        for (authorization, status) in [(bearer.as_str(), 408), ("", 401)] {
            for framing in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
                let head = put_head(&app, 0, authorization).replace("Content-Length: 0", framing);
                let began = now();
                let answer = raw(app.address, format!("{head}1\r\n{{").as_bytes());
                assert_eq!(parse(&answer).status, status, "{framing}");
                assert!(began.elapsed() < Duration::from_secs(6), "{framing}: open for {:?}", began.elapsed());
            }
        }
    });
}

#[test]
fn a_client_that_leaves_half_way_leaves_nothing() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let bearer = format!("Authorization: Bearer {}\r\n", app.secret(Role::Surveyor));
        let head = put_head(&app, 5000, &bearer);
        for _ in 0..5 {
            let mut stream = TcpStream::connect(app.address).expect("a connection");
            stream.write_all(format!("{head}{}", " ".repeat(2500)).as_bytes()).expect("sent");
            drop(stream);
        }
        std::thread::sleep(Duration::from_millis(300));
        assert!(app.database().interview(TABLET).expect("an answer").is_none());
        assert_eq!(app.submit(TABLET, 1, b"{}").status, 202, "the server is up");
    });
}

#[test]
fn the_parts_of_a_json_body_have_limits_on_every_route() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let with = |value: serde_json::Value| {
            let mut request = survey_request("乙", &hash);
            request["extra"] = value;
            app.create_survey(&request).json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
        };
        let nested = (0..40).fold(json!(0), |inner, _| json!([inner]));
        for too_large in [nested, json!(vec![0; 1001]), json!("a".repeat(4001))] {
            assert_eq!(with(too_large), "json-limit");
        }
        assert_eq!(with(json!(vec![0; 1000])), "unknown-field", "inside the limits only the name is wrong");
        let twice = survey_request("乙", &hash).to_string().replacen('{', "{\"title\":\"丙\",", 1);
        let headers = [("Content-Type", "application/json")];
        let post = |body: &str| app.send(Some(Role::Analyst), "POST", "/api/v1/surveys", &headers, body.as_bytes());
        assert_eq!(post(&twice).problem(), "malformed");
        assert_eq!(post(&twice.replace("\"丙\"", "-0.0")).problem(), "malformed");
        assert_eq!(app.get(Role::Analyst, "/api/v1/surveys").json()["surveys"].as_array().map(Vec::len), Some(1));
    });
}

#[test]
fn a_submission_over_a_json_limit_is_kept_and_quarantined() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let mut body = submission(TABLET, &hash, "c1");
        body["order_shown"] = json!(vec!["x"; 1001]);
        let kept = app.submit(TABLET, 1, body.to_string().as_bytes());
        assert_eq!((kept.status, kept.json()["state"].as_str()), (202, Some("quarantined")));
        assert_eq!(kept.json()["notices"][0]["code"], "malformed");
        assert_eq!(app.submit(TABLET, 1, body.to_string().as_bytes()).status, 200, "the same receipt");
    });
}

#[test]
fn a_device_hands_in_a_burst_and_then_one_a_second() {
    on_every_backend(|test| {
        let settings = Settings { uploads_per_minute: Some(60), uploads_burst: Some(5), ..Settings::default() };
        let app = TestApp::start_with(test, settings, counting);
        let statuses: Vec<u16> = (0..8).map(|_| app.submit(TABLET, 1, b"{}").status).collect();
        assert_eq!(statuses, [202, 200, 200, 200, 200, 429, 429, 429]);
        let refused = app.submit(TABLET, 1, b"{}");
        assert_eq!(refused.problem(), "throttled");
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(app.get(Role::Analyst, "/api/v1/surveys").status, 200, "others are not held back");
        app.now_ms.fetch_add(2000, Ordering::Relaxed);
        assert_eq!(app.submit(TABLET, 1, b"{}").status, 200, "after the wait it goes on");
    });
}

#[test]
fn a_person_asks_so_often_a_minute_and_a_forged_address_does_not_help() {
    on_every_backend(|test| {
        let settings = Settings { requests_per_minute: Some(3), public_results: Some(true), ..Settings::default() };
        let app = TestApp::start_with(test, settings, counting);
        let ask = |role: Role| app.get(role, "/api/v1/runs").status;
        assert_eq!(
            [ask(Role::Analyst), ask(Role::Analyst), ask(Role::Analyst), ask(Role::Analyst)],
            [200, 200, 200, 429]
        );
        assert_eq!(ask(Role::Auditor), 200);
        let stranger = |from: &str| app.send(None, "GET", "/api/v1/runs", &[("X-Forwarded-For", from)], b"").status;
        let asked: Vec<u16> = (0..4).map(|i| stranger(&format!("203.0.113.{i}"))).collect();
        assert_eq!(asked, [200, 200, 200, 429], "nobody vouches for that header");
        assert_eq!(app.send(None, "GET", "/healthz", &[], b"").status, 200, "a monitor is never held back");
    });
}

#[test]
fn behind_a_trusted_proxy_each_address_has_its_own_allowance() {
    on_every_backend(|test| {
        let settings = Settings {
            requests_per_minute: Some(1),
            public_results: Some(true),
            trusted_proxies: Some(vec!["127.0.0.1".parse().expect("an address")]),
            ..Settings::default()
        };
        let app = TestApp::start_with(test, settings, counting);
        let stranger = |from: &str| app.send(None, "GET", "/api/v1/runs", &[("X-Forwarded-For", from)], b"").status;
        assert_eq!([stranger("203.0.113.1"), stranger("203.0.113.2"), stranger("203.0.113.1")], [200, 200, 429]);
        assert_eq!(stranger("203.0.113.9, 203.0.113.1"), 429, "what a client put before its address does not count");
    });
}

#[test]
fn files_with_persons_rows_are_downloaded_so_often_an_hour() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings { downloads_per_hour: Some(2), ..Settings::default() }, counting);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let id = app.run(&survey)["id"].as_str().expect("an id").to_owned();
        let fetch = |name: &str| app.get(Role::Analyst, &format!("/api/v1/runs/{id}/files/{name}"));
        assert_eq!([0; 2].map(|_| fetch("responses_weighted.csv?purpose=audit").status), [200; 2]);
        let refused = fetch("responses_weighted.csv?purpose=audit");
        assert_eq!(refused.problem(), "throttled");
        let wait: u64 = refused.header("retry-after").and_then(|wait| wait.parse().ok()).expect("a wait");
        assert!((1700..=1800).contains(&wait), "half an hour: {wait}");
        assert_eq!(fetch("indicator.csv").status, 200, "tables without persons are no download");
    });
}

#[test]
fn a_database_that_is_locked_is_answered_with_503_within_three_seconds() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let locked = Intruder::lock(test);
        std::thread::scope(|scope| {
            let ask = || {
                let began = now();
                let refused = app.submit(TABLET, 1, b"{}");
                (refused.status, refused.problem(), refused.header("retry-after").map(str::to_owned), began.elapsed())
            };
            let asked: Vec<_> = (0..6).map(|_| scope.spawn(ask)).collect();
            for thread in asked {
                let (status, code, retry, time) = thread.join().expect("an answer");
                assert_eq!((status, code.as_str()), (503, "overloaded"));
                assert!(retry.is_some() && time < Duration::from_secs(3), "{time:?}");
            }
        });
        drop(locked);
        assert_eq!(app.submit(TABLET, 1, b"{}").status, 202, "nothing was stored, and it goes on");
    });
}

/// Another process's session that holds the tables of submissions.
#[expect(dead_code, reason = "held for its lock, never read")]
enum Intruder {
    Sqlite(diesel::SqliteConnection),
    Postgres(diesel::PgConnection),
}

impl Intruder {
    fn lock(test: &crate::support::TestDatabase) -> Self {
        use diesel::{Connection, connection::SimpleConnection};
        match test.file() {
            Some(file) => {
                let mut c = diesel::SqliteConnection::establish(&file.display().to_string()).expect("a connection");
                // The server writes too: its own jobs may hold the lock just now.
                c.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").expect("the lock");
                Self::Sqlite(c)
            }
            None => {
                let mut c = diesel::PgConnection::establish(&test.url).expect("a connection");
                c.batch_execute("BEGIN; LOCK TABLE submission_raw, interview IN ACCESS EXCLUSIVE MODE")
                    .expect("the lock");
                Self::Postgres(c)
            }
        }
    }
}
