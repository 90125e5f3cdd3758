//! Signing in: what a browser gets, what wrong passwords come to, and what another site's page cannot do.

use std::time::{Duration, Instant};

use scilit::{
    evidence::sha256_hex,
    server::{Role, Settings},
};
use serde_json::{Value, json};

use crate::support::{
    TestDatabase,
    app::TestApp,
    http::{Answer, send},
    on_every_backend,
    people::{Desk, PASSWORD},
};

/// What a client can tell two answers apart by.
fn visible(answer: &Answer) -> (u16, Option<String>, Value) {
    let mut body = answer.json();
    body["request_id"] = Value::Null;
    (answer.status, answer.header("retry-after").map(str::to_owned), body)
}

#[test]
fn acc059_ten_wrong_passwords_close_the_account_for_a_quarter_of_an_hour_and_nobody_elses() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        app.person("wang", &[(Role::Analyst, "")]);
        app.person("zhao", &[(Role::Analyst, "")]);
        for n in 0..10 {
            let forwarded = format!("10.0.0.{n}");
            let headers = [("X-Forwarded-For", forwarded.as_str())];
            let (known, unknown) =
                (app.login_with("wang", "wrong", &headers), app.login_with("nobody", "wrong", &headers));
            assert_eq!((known.status, known.problem().as_str()), (401, "login-failed"));
            assert_eq!(visible(&known), visible(&unknown));
        }
        let (known, unknown) = (app.login_with("wang", PASSWORD, &[]), app.login_with("nobody", PASSWORD, &[]));
        assert_eq!((known.status, known.problem().as_str()), (429, "login-throttled"));
        assert_eq!((unknown.status, unknown.problem().as_str()), (429, "login-throttled"));
        assert!(known.header("retry-after").is_some_and(|s| s.parse::<i64>().is_ok_and(|s| (880..=900).contains(&s))));
        assert_eq!(app.login_with("zhao", PASSWORD, &[]).status, 200, "other users are unaffected");
        let refused =
            app.logged().iter().filter(|(action, outcome)| action == "session.login" && outcome == "refused").count();
        assert_eq!(refused, 20);
        app.stop();

        let app = TestApp::again(test, Settings::default());
        assert_eq!(app.login_with("wang", PASSWORD, &[]).problem(), "login-throttled", "a restart forgets nothing");
        app.pass(16);
        assert_eq!(app.login_with("wang", PASSWORD, &[]).status, 200, "the right password works again");
    });
}

#[test]
fn rel_s5_spraying_many_logins_from_one_address_is_stopped_and_an_unlock_helps_at_once() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        app.person("wang", &[(Role::Analyst, "")]);
        for _ in 0..10 {
            app.login_with("wang", "wrong", &[]);
        }
        assert_eq!(app.login_with("wang", PASSWORD, &[]).status, 429);
        let by = scilit::storage::Author { id: "test".to_owned(), role: "system".to_owned() };
        scilit::server::accounts::unlock(app.database(), "wang", &by, &app.clock()).expect("unlocked");
        assert_eq!(app.login_with("wang", PASSWORD, &[]).status, 200);
        let answers: Vec<_> = (0..60).map(|n| app.login_with(&format!("guess{n}"), "wrong", &[]).status).collect();
        assert_eq!(answers.first(), Some(&401));
        assert_eq!(answers.last(), Some(&429), "{answers:?}");
        app.pass(11);
        assert_eq!(app.login_with("wang", PASSWORD, &[]).status, 200);
    });
}

/// The lower quartile: other work on the machine makes an answer late and never early.
fn typical(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 4].as_secs_f64()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test measures how long the server takes")]
fn rel_s6_an_unknown_login_takes_as_long_as_a_wrong_password() {
    let test = TestDatabase::sqlite();
    let app = TestApp::start(&test);
    app.person("wang", &[(Role::Analyst, "")]);
    let timed = |login: &str| {
        let start = Instant::now();
        let status = app.login_with(login, "wrong", &[]).status;
        (status, start.elapsed())
    };
    // Other work on the machine blurs a round; a real difference, hashing or not, is there in every one.
    let differs = (0..5).all(|_| {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for n in 0..50 {
            app.pass(20);
            let logins = if n % 2 == 0 { ["wang", "nobody"] } else { ["nobody", "wang"] };
            for login in logins {
                let (status, time) = timed(login);
                assert_eq!(status, 401);
                if login == "wang" { known.push(time) } else { unknown.push(time) }
            }
        }
        let (known, unknown) = (typical(known), typical(unknown));
        eprintln!("known {known:.4} s, unknown {unknown:.4} s");
        (known - unknown).abs() / known >= 0.1
    });
    assert!(!differs, "an unknown login can be told by its time");
    let control: Vec<_> =
        (0..30).map(|_| timed("wang")).filter(|(status, _)| *status == 429).map(|(_, time)| time).collect();
    app.pass(20);
    let hashed = typical((0..5).map(|_| timed("nobody").1).collect());
    assert!(typical(control) < 0.9 * hashed, "the measure must see a login that is answered without a hash");
}

fn with_cookie(app: &TestApp, desk: &Desk, path: &str) -> u16 {
    app.at(desk, "GET", path, None).status
}

#[test]
fn rel_s8_a_session_is_a_strict_cookie_kept_as_a_digest_that_ends_idle_and_in_any_case() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let wang = app.person("wang", &[(Role::Analyst, "")]);
        let answer = app.login_with("wang", PASSWORD, &[]);
        let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
        assert!(cookie.starts_with("__Host-scilit="), "{cookie}");
        for part in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let token = cookie["__Host-scilit=".len()..].split(';').next().expect("a token").to_owned();
        assert_eq!(token.len(), 64, "256 bits");
        let rows = app.database().sessions_of(&wang, 0, 0).expect("sessions");
        assert_eq!(
            rows.iter().map(|row| row.token_sha256.as_str()).collect::<Vec<_>>(),
            [sha256_hex(token.as_bytes())]
        );

        let first = app.sit_down("wang");
        let second = app.sit_down("wang");
        assert_ne!(first.cookie, second.cookie, "a new token at each login");
        app.pass(31);
        assert_eq!(app.at(&first, "GET", "/api/v1/me", None).problem(), "unauthenticated", "idle for 31 minutes");

        let busy = app.sit_down("wang");
        for _ in 0..28 {
            app.pass(25);
            assert_eq!(with_cookie(&app, &busy, "/api/v1/me"), 200);
        }
        app.pass(25);
        assert_eq!(with_cookie(&app, &busy, "/api/v1/me"), 401, "twelve hours are over");

        let (here, there) = (app.sit_down("wang"), app.sit_down("wang"));
        let list = app.at(&here, "GET", "/api/v1/sessions", None).json();
        let current = |row: &&Value| row["current"] == false;
        let other = list["sessions"].as_array().expect("rows").iter().find(current).expect("the other")["id"].clone();
        let path = format!("/api/v1/sessions/{}", other.as_str().expect("an id"));
        assert_eq!(app.at(&here, "DELETE", &path, None).status, 204);
        assert_eq!((with_cookie(&app, &here, "/api/v1/me"), with_cookie(&app, &there, "/api/v1/me")), (200, 401));

        let there = app.sit_down("wang");
        let change = |current: &str, new: &str| {
            app.at(&here, "POST", "/api/v1/me/password", Some(&json!({ "current": current, "new": new })))
        };
        assert_eq!(change("wrong", "another horse battery").problem(), "login-failed");
        assert_eq!(change(PASSWORD, "short").problem(), "invalid");
        assert_eq!(change(PASSWORD, &"x".repeat(64)).status, 204);
        assert_eq!((with_cookie(&app, &here, "/api/v1/me"), with_cookie(&app, &there, "/api/v1/me")), (401, 401));
        assert_eq!(app.login_with("wang", PASSWORD, &[]).status, 401);
        assert_eq!(app.login_with("wang", &"x".repeat(64), &[]).status, 200);
    });
}

#[test]
fn a_session_survives_a_restart_and_ends_when_signed_out() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        app.person("wang", &[(Role::Analyst, "")]);
        let desk = app.sit_down("wang");
        app.stop();
        let app = TestApp::again(test, Settings::default());
        assert_eq!(with_cookie(&app, &desk, "/api/v1/me"), 200);
        let out = app.at(&desk, "POST", "/api/v1/logout", None);
        assert_eq!(out.status, 204);
        assert!(out.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")));
        assert_eq!(with_cookie(&app, &desk, "/api/v1/me"), 401);
    });
}

#[test]
fn rel_s9_a_change_must_come_from_our_own_page_and_repeat_the_sessions_token() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        app.person("chen", &[(Role::Admin, "")]);
        let desk = app.sit_down("chen");
        let own = app.address.to_string();
        let body = json!({ "login": "new.person", "display_name": "新人", "password": PASSWORD }).to_string();
        let post = |headers: &[(&str, &str)]| {
            let mut all = vec![("Cookie", desk.cookie.as_str())];
            all.extend(headers);
            send(app.address, "POST", "/api/v1/users", &all, body.as_bytes())
        };
        let (json, origin) = (("Content-Type", "application/json"), format!("http://{own}"));
        let token = ("X-CSRF-Token", desk.csrf.as_str());
        let refused: [&[(&str, &str)]; 6] = [
            &[json],
            &[json, ("Sec-Fetch-Site", "same-origin")],
            &[json, token],
            &[json, token, ("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
            &[json, token, ("Origin", "https://evil.example")],
            &[json, ("X-CSRF-Token", "0"), ("Origin", origin.as_str())],
        ];
        for headers in refused {
            let answer = post(headers);
            assert_eq!((answer.status, answer.problem().as_str()), (403, "forbidden-origin"), "{headers:?}");
        }
        let form = [("Content-Type", "application/x-www-form-urlencoded"), token, ("Origin", origin.as_str())];
        assert_eq!(post(&form).status, 415);
        assert!(app.database().person_with_login("new.person").expect("asked").is_none(), "nothing changed");
        assert_eq!(post(&[json, token, ("Origin", origin.as_str())]).status, 201);
        let elsewhere = app.login_with("chen", PASSWORD, &[("Sec-Fetch-Site", "cross-site")]);
        assert_eq!(elsewhere.problem(), "forbidden-origin", "nobody is signed in from another site");
    });
}
