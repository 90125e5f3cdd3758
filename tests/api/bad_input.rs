//! Bad input gets a clear answer, changes no row, and leaves the server up.

use std::time::{Duration, Instant};

use scilit::{
    evidence::sha256_hex,
    server::{Role, Settings},
};

use crate::support::{
    app::{QUESTIONNAIRE, TABLET, TestApp, counting},
    http::{parse, raw},
    on_every_backend,
};

const SUBMIT: &str = "/api/v1/submissions/019abcde-0000-7000-8000-000000000001/revs/1";

#[test]
fn ten_megabytes_are_refused_and_nothing_is_stored() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let body = vec![b'x'; 10 * 1024 * 1024];
        let refused = app.submit(TABLET, 1, &body);
        assert_eq!((refused.status, refused.problem().as_str()), (413, "too-large"));
        assert!(refused.json()["detail"].as_str().expect("a detail").contains("262144"), "the limit is named");
        let headers = [("Content-Type", "application/toml")];
        let refused = app.send(Some(Role::Analyst), "POST", "/api/v1/questionnaires", &headers, &body);
        assert_eq!(refused.problem(), "too-large");
        assert!(app.database().interview(TABLET).expect("an answer").is_none());
        assert_eq!(app.publish(QUESTIONNAIRE).status, 201, "the server is up");
    });
}

#[test]
fn a_body_one_byte_over_the_limit_is_refused_and_the_limit_itself_is_allowed() {
    on_every_backend(|test| {
        let settings = Settings { submission_bytes_max: Some(1000), ..Settings::default() };
        let app = TestApp::start_with(test, settings, counting);
        let refused = app.submit(TABLET, 1, &[b'x'; 1001]);
        assert_eq!(refused.problem(), "too-large");
        let kept = app.submit(TABLET, 1, &[b'x'; 1000]);
        assert_eq!(kept.status, 202, "the limit itself is allowed");
    });
}

#[test]
fn compressed_or_wrongly_typed_bodies_are_refused() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let digest = sha256_hex(b"{}");
        let put = |kind: &str, coding: Option<&str>| {
            let mut headers = vec![("Submission-Sha256", digest.as_str()), ("Content-Type", kind)];
            headers.extend(coding.map(|coding| ("Content-Encoding", coding)));
            app.send(Some(Role::Surveyor), "PUT", SUBMIT, &headers, b"{}")
        };
        for coding in ["gzip", "br", "gzip, gzip", "zstd"] {
            let refused = put("application/json", Some(coding));
            assert_eq!((refused.status, refused.problem().as_str()), (415, "unsupported-media"), "{coding}");
        }
        for kind in
            ["application/x-www-form-urlencoded", "application/xml", "text/plain", "application/json; charset=gbk", ""]
        {
            assert_eq!(put(kind, None).problem(), "unsupported-media", "{kind}");
        }
        assert!(app.database().interview(TABLET).expect("an answer").is_none());
        assert_eq!(put("application/json; charset=utf-8", Some("identity")).status, 202);
    });
}

#[test]
fn json_that_is_none_is_refused_as_malformed_and_a_wrong_field_as_invalid() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let post = |body: &[u8]| {
            app.send(Some(Role::Analyst), "POST", "/api/v1/surveys", &[("Content-Type", "application/json")], body)
        };
        for body in
            [&b"{"[..], b"null", b"[]", b"\"x\"", b"{\"code\":01}", b"\xff\xfe", b"\xef\xbb\xbf{}", b"", b"{}\0"]
        {
            let refused = post(body);
            assert_eq!((refused.status, refused.problem().as_str()), (400, "malformed"), "{body:?}");
        }
        for body in [&b"{}"[..], b"{\"code\":1}", b"{\"nobody\":1}"] {
            assert_eq!(post(body).problem(), "invalid", "{body:?}");
        }
    });
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let post = |body: &[u8]| {
            app.send(
                Some(Role::Analyst),
                "POST",
                "/api/v1/questionnaires",
                &[("Content-Type", "application/toml")],
                body,
            )
        };
        assert_eq!(post(b"\xd5\xc5").problem(), "malformed", "GBK");
        assert_eq!(post(b"id = \"a\0b\"").problem(), "malformed", "NUL");
        assert_eq!(post(b"PK\x03\x04").status, 422, "a ZIP is no TOML");
        assert!(app.database().questionnaires().expect("rows").is_empty());
    });
}

#[test]
fn unknown_addresses_and_methods_are_problems_too() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let unknown = app.get(Role::Admin, "/api/v1/nothing");
        assert_eq!((unknown.status, unknown.problem().as_str()), (404, "not-found"));
        let wrong = app.send(Some(Role::Admin), "DELETE", "/api/v1/surveys", &[], b"");
        assert_eq!((wrong.status, wrong.problem().as_str()), (405, "method-not-allowed"));
        assert_eq!(wrong.header("allow"), Some("POST, GET"));
        for path in ["/.git/config", "/.env", "/scilit.db", "/..%2f..%2fetc%2fpasswd", "/assets/../../Cargo.toml"] {
            let answer = app.send(None, "GET", path, &[], b"");
            assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        }
        assert_eq!(app.get(Role::Analyst, "/api/v1/runs?limit=0").problem(), "invalid");
        assert_eq!(app.get(Role::Analyst, "/api/v1/runs?limit=201").problem(), "invalid");
        assert_eq!(app.get(Role::Analyst, "/api/v1/runs?colour=red").problem(), "invalid");
    });
}

#[test]
fn broken_requests_end_with_an_answer_and_the_server_stays_up() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        for head in [
            "Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            "Content-Length: -1\r\n\r\n",
            "Content-Length: 99999999999999999999\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        ] {
            let request = format!("PUT {SUBMIT} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{head}", app.address);
            let answer = raw(app.address, request.as_bytes());
            let status = parse(&answer).status;
            assert!((400..500).contains(&status), "{head:?}: {status}");
        }
        assert_eq!(app.send(None, "GET", "/healthz", &[], b"").status, 200);
    });
}

#[test]
fn a_body_that_stalls_is_given_up() {
    on_every_backend(|test| {
        let settings = Settings { body_seconds_max: Some(1), ..Settings::default() };
        let app = TestApp::start_with(test, settings, counting);
        let (role, digest) = (Role::Surveyor, sha256_hex(b"{}"));
        let begin = now();
        let refused = app.send_part(role, SUBMIT, &digest, b"{", 1000);
        assert!(begin.elapsed() < Duration::from_secs(8));
        assert_eq!((refused.status, refused.problem().as_str()), (408, "timeout"));
        assert!(app.database().interview(TABLET).expect("an answer").is_none());
    });
}

#[expect(clippy::disallowed_methods, reason = "a test measures how long the server waits")]
fn now() -> Instant {
    Instant::now()
}
