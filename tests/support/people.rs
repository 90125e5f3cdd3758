//! Persons at desks and tablets in the field.

use std::sync::{Arc, atomic::Ordering};

use scilit::{
    evidence::sha256_hex,
    server::{Clock, Passwords, Role, Settings, accounts},
    storage::Author,
};
use serde_json::{Value, json};

use super::{
    TestDatabase,
    app::{TestApp, counting},
    http::{Answer, send},
};

pub const PASSWORD: &str = "correct horse battery";
pub const MINUTE_MS: i64 = 60_000;

/// A browser with its cookie.
#[derive(Debug, Clone)]
pub struct Desk {
    pub cookie: String,
    pub csrf: String,
}

/// A joined tablet.
#[derive(Debug, Clone)]
pub struct Tablet {
    pub id: String,
    pub token: String,
}

impl TestApp {
    pub fn clock(&self) -> Clock {
        let now_ms = Arc::clone(&self.now_ms);
        Clock::new(move || now_ms.fetch_add(1, Ordering::Relaxed))
    }

    pub fn pass(&self, minutes: i64) {
        self.now_ms.fetch_add(minutes * MINUTE_MS, Ordering::Relaxed);
    }

    /// Starts again on the same database, five minutes after the first start; a test's clock begins anew.
    pub fn again(test: &TestDatabase, settings: Settings) -> Self {
        let app = Self::start_with(test, settings, counting);
        app.pass(5);
        app
    }

    /// A person as the command line makes one, with roles in force; their id.
    pub fn person(&self, login: &str, roles: &[(Role, &str)]) -> String {
        let (login, display_name, password) = (login.to_owned(), "张三".to_owned(), PASSWORD.to_owned());
        let new = accounts::NewPerson { login, display_name, work_id: None, password };
        let by = Author { id: "test".to_owned(), role: "system".to_owned() };
        accounts::add_person(self.database(), &Passwords::default(), new, roles, &by, &self.clock())
            .expect("a person")
            .id
    }

    pub fn login_with(&self, login: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(headers);
        let body = json!({ "login": login, "password": password }).to_string();
        send(self.address, "POST", "/api/v1/login", &all, body.as_bytes())
    }

    /// Signs in and takes what the browser keeps.
    pub fn sit_down(&self, login: &str) -> Desk {
        let answer = self.login_with(login, PASSWORD, &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned();
        Desk { cookie, csrf: answer.json()["csrf_token"].as_str().expect("a token").to_owned() }
    }

    /// A request of our own page.
    pub fn at(&self, desk: &Desk, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let headers = [
            ("Cookie", desk.cookie.as_str()),
            ("X-CSRF-Token", desk.csrf.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
            ("Content-Type", "application/json"),
        ];
        let headers = if body.is_some() { &headers[..] } else { &headers[..3] };
        send(self.address, method, path, headers, body.map(Value::to_string).unwrap_or_default().as_bytes())
    }

    /// A code for the person; its signs.
    pub fn code(&self, desk: &Desk, person: &str) -> String {
        let made = self.at(desk, "POST", "/api/v1/enrolment-codes", Some(&json!({ "user": person, "label": "平板" })));
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["code"].as_str().expect("a code").to_owned()
    }

    pub fn enrol(&self, code: &str, release: &str) -> Answer {
        let body = json!({ "code": code, "device_pubkey": "{\"kty\":\"EC\"}", "release": release, "ua": "test", "storage": 1_000_000 });
        let headers = [("Content-Type", "application/json")];
        send(self.address, "POST", "/api/v1/enrol", &headers, body.to_string().as_bytes())
    }

    /// A tablet of the person, by a code made at the desk.
    pub fn tablet(&self, desk: &Desk, person: &str) -> Tablet {
        let joined = self.enrol(&self.code(desk, person), "1.0.0");
        assert_eq!(joined.status, 201, "{}", joined.text());
        let text = |key: &str| joined.json()[key].as_str().expect("a text").to_owned();
        Tablet { id: text("device"), token: text("device_token") }
    }

    pub fn send_from(
        &self,
        tablet: &Tablet,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let bearer = format!("Bearer {}", tablet.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        send(self.address, method, path, &all, body)
    }

    pub fn hand_in(&self, tablet: &Tablet, id: &str, body: &[u8]) -> Answer {
        let digest = sha256_hex(body);
        let headers = [("Content-Type", "application/json"), ("Submission-Sha256", digest.as_str())];
        self.send_from(tablet, "PUT", &format!("/api/v1/submissions/{id}/revs/1"), &headers, body)
    }

    /// The actions in the log, in order, with how they ended.
    pub fn logged(&self) -> Vec<(String, String)> {
        let entries = self.database().audit_entries(0, 10_000).expect("entries");
        entries.into_iter().map(|entry| (entry.action, entry.outcome)).collect()
    }
}
