//! The attack list of `tests/badinputs/cases.jsonl` against the running server; `tests/badinputs/README.md` says how
//! a case is written.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use scilit::{
    evidence::sha256_hex,
    server::{Role, Settings, http::ROUTES},
};
use serde_json::{Value, json};

use crate::support::{
    TestDatabase,
    app::{SAMPLE, TestApp, counting, submission, survey_request},
    http::{Answer, parse, raw},
    on_every_backend, row_counts,
};

const CASES: &str = include_str!("../badinputs/cases.jsonl");

/// What may grow when bytes are kept or a refusal is logged; a body that is refused may grow only the second group.
const KEPT: [&str; 5] = ["submission_raw", "receipt", "interview", "quarantine", "canonical_interview"];
const SECURITY: [&str; 4] = ["audit_entry", "audit_head", "audit_checkpoint", "throttle"];

struct Stage {
    app: TestApp,
    survey: String,
    questionnaire: String,
    next_id: u32,
}

impl Stage {
    fn new(test: &TestDatabase) -> Self {
        let app = TestApp::start_with(test, Settings { body_seconds_max: Some(6), ..Settings::default() }, counting);
        let (survey, questionnaire) = app.survey("调查");
        let rows: String =
            (0..CASES.lines().count() + 1).map(|n| format!("n{n},230102,s1,p{n},urban,0.5,0.1\n")).collect();
        let sample = format!("{}\n{rows}", SAMPLE.lines().next().expect("a head"));
        assert_eq!(app.put_file(&survey, "sample", &sample).status, 201);
        Self { app, survey, questionnaire, next_id: 0 }
    }

    fn filled(&self, text: &str, id: &str) -> String {
        let submit = format!("/api/v1/submissions/{id}/revs/1");
        let mut text = text
            .replace("{submit}", &submit)
            .replace("{uuid}", id)
            .replace("{survey}", &self.survey)
            .replace("{host}", &self.app.address.to_string())
            .replace("{digest}", &format!("Submission-Sha256: {}\r\n", sha256_hex(b"{}")))
            .replace("{token:analyst}", self.app.secret(Role::Analyst))
            .replace("{bearer:surveyor}", &format!("Authorization: Bearer {}\r\n", self.app.secret(Role::Surveyor)));
        if let Some((before, rest)) = text.clone().split_once("{repeat:") {
            let (what, after) = rest.split_once('}').expect("the end of a repeat");
            let (unit, count) = what.split_once(':').expect("a unit and a count");
            text = format!("{before}{}{after}", unit.repeat(count.parse().expect("a count")));
        }
        if let Some((before, rest)) = text.clone().split_once("{fields:") {
            let (count, after) = rest.split_once('}').expect("the end of fields");
            let fields: String = (0..count.parse::<u32>().expect("a count")).map(|i| format!("X-{i}: a\r\n")).collect();
            text = format!("{before}{fields}{after}");
        }
        text
    }

    /// Sends the case; what came back, nothing when the server just closed.
    fn send(&mut self, case: &Value) -> Option<Answer> {
        self.next_id += 1;
        let id = format!("019abcde-0000-7000-8000-{:012x}", self.next_id);
        if let Some(bytes) = case["raw"].as_str() {
            let answer = raw(self.app.address, self.filled(bytes, &id).as_bytes());
            return (!answer.is_empty()).then(|| parse(&answer));
        }
        let body = self.body(&case["body"], &id);
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        let path = case["path"].as_str().expect("a path");
        if path == "{submit}" || path.contains("/submissions/") {
            headers.insert("Submission-Sha256".to_owned(), sha256_hex(&body));
        }
        for (name, value) in case["headers"].as_object().into_iter().flatten() {
            headers.insert(name.clone(), value.as_str().expect("a value").to_owned());
        }
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let role = case["as"].as_str().map(|name| Role::named(name).expect("a role"));
        let method = case["method"].as_str().expect("a method");
        Some(self.app.send(role, method, &self.filled(path, &id), &headers, &body))
    }

    fn body(&self, body: &Value, id: &str) -> Vec<u8> {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let count = |value: &Value| usize::try_from(value.as_u64().expect("a count")).expect("a count");
        if let Some(plain) = body.as_str() {
            return plain.as_bytes().to_vec();
        }
        let Some((kind, how)) = body.as_object().and_then(|body| body.iter().next()) else { return Vec::new() };
        match kind.as_str() {
            "base64" => STANDARD.decode(text(how)).expect("base64"),
            "repeat" => format!("{}{}{}", text(&how[0]), text(&how[1]).repeat(count(&how[2])), text(&how[3])).into(),
            "nest" => {
                let depth = count(&how[2]);
                format!("{}1{}", text(&how[0]).repeat(depth), text(&how[1]).repeat(depth)).into()
            }
            "keys" => {
                let keys: Vec<_> = (0..count(how)).map(|i| format!("\"k{i}\":0")).collect();
                format!("{{{}}}", keys.join(",")).into()
            }
            "submission" => changed(submission(id, &self.questionnaire, &format!("n{}", self.next_id)), how),
            "survey" => {
                let mut request = survey_request("乙", &self.questionnaire);
                request["code"] = json!("other");
                changed(request, how)
            }
            other => panic!("no such body: {other}"),
        }
    }
}

/// A valid document with the case's changes.
fn changed(mut document: Value, how: &Value) -> Vec<u8> {
    for (pointer, value) in how["set"].as_object().into_iter().flatten() {
        let repeated = value["repeat"].as_array().map(|repeat| {
            let count = usize::try_from(repeat[1].as_u64().expect("a count")).expect("a count");
            json!(repeat[0].as_str().expect("a unit").repeat(count))
        });
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let parent = document.pointer_mut(parent).expect("a parent");
        let place = match parent {
            Value::Array(items) => &mut items[key.parse::<usize>().expect("a place")],
            parent => &mut parent[key],
        };
        *place = repeated.unwrap_or_else(|| value.clone());
    }
    for pointer in how["remove"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        match document.pointer_mut(parent).expect("a parent") {
            Value::Array(items) => drop(items.remove(key.parse().expect("a place"))),
            parent => drop(parent.as_object_mut().expect("an object").remove(key).expect("the field")),
        }
    }
    if how["as_array"] == true {
        document = Value::Array(document.as_object().expect("an object").values().cloned().collect());
    }
    let mut text = document.to_string();
    if let Some([from, to]) = how["replace"].as_array().map(Vec::as_slice) {
        let from = from.as_str().expect("a text");
        assert!(text.contains(from), "{from} is not in {text}");
        text = text.replacen(from, to.as_str().expect("a text"), 1);
    }
    let prefix = how["prefix64"].as_str().map(|prefix| STANDARD.decode(prefix).expect("base64"));
    [prefix.unwrap_or_default(), text.into_bytes()].concat()
}

/// `STATUS` and, for a problem, its code; for bytes that were kept but quarantined, the first notice's code.
fn outcome(answer: Option<&Answer>) -> (String, String) {
    let Some(answer) = answer else { return ("closed".to_owned(), String::new()) };
    let detail = match answer.status {
        202 => answer.json()["notices"][0]["code"].as_str().unwrap_or_default().to_owned(),
        400.. if answer.header("x-request-id").is_some() => answer.problem(),
        _ => String::new(),
    };
    (answer.status.to_string(), detail)
}

fn fits(expected: &str, status: &str, detail: &str, reason: &str) -> bool {
    match expected.split_once(' ') {
        None => expected == status,
        Some((wanted, code)) => wanted == status && (code == "*" || code == detail || code == reason),
    }
}

/// A word of what a client must never see: SQL, paths, crates, panics.
fn leak(text: &str) -> Option<&'static str> {
    const LEAKS: [&str; 14] = [
        "SELECT ",
        "INSERT ",
        "sqlite",
        "postgres",
        "diesel",
        "serde",
        "actix",
        "panicked",
        "src/",
        ".rs:",
        "/tmp/",
        "/home/",
        "expected one of",
        "stack backtrace",
    ];
    LEAKS.into_iter().find(|leak| text.contains(leak))
}

#[test]
fn rel_s4_every_bad_input_gets_its_answer_and_changes_nothing_else() {
    on_every_backend(|test| {
        let mut stage = Stage::new(test);
        let cases: Vec<Value> = CASES.lines().map(|line| serde_json::from_str(line).expect("a case")).collect();
        assert!(cases.len() >= 200, "the list is all there");
        let (mut wrong, mut sent) = (Vec::new(), 0);
        for case in &cases {
            let needs = case["needs"].as_str();
            if needs
                .is_some_and(|needs| !ROUTES.iter().any(|route| format!("{} {}", route.method, route.path) == needs))
            {
                continue;
            }
            sent += 1;
            let before = row_counts(test);
            let began = now();
            let answer = stage.send(case);
            if began.elapsed() > Duration::from_secs(8) {
                wrong.push(format!("{}: took {:?}", case["id"], began.elapsed()));
            }
            let after = row_counts(test);
            let (status, detail) = outcome(answer.as_ref());
            let reason = reason_of(&stage);
            let expect: Vec<&str> =
                case["expect"].as_array().expect("outcomes").iter().filter_map(Value::as_str).collect();
            let name = format!("{} ({})", case["id"], case["why"]);
            if !expect.iter().any(|expected| fits(expected, &status, &detail, &reason)) {
                wrong.push(format!("{name}: {status} {detail} [{reason}], expected {expect:?}"));
            }
            if status.starts_with('5') && !expect.contains(&status.as_str()) {
                wrong.push(format!("{name}: {status}"));
            }
            let was_kept = matches!(status.as_str(), "200" | "201" | "202");
            let allowed = |table: &str| SECURITY.contains(&table) || (was_kept && KEPT.contains(&table));
            let grown: Vec<_> =
                after.iter().filter(|(table, rows)| before[*table] != **rows && !allowed(table)).collect();
            if !grown.is_empty() {
                wrong.push(format!("{name}: changed {grown:?}"));
            }
            let text = answer.as_ref().filter(|answer| answer.status >= 400).map(Answer::text).unwrap_or_default();
            if let Some(leak) = leak(&text) {
                wrong.push(format!("{name}: says {leak:?} in {text}"));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} of {sent} on {}:\n{}",
            wrong.len(),
            stage.app.database().backend(),
            wrong.join("\n")
        );
        assert_eq!(stage.app.send(None, "GET", "/readyz", &[], b"").status, 200, "the server is up");
    });
}

#[expect(clippy::disallowed_methods, reason = "a test measures how long the server takes")]
fn now() -> Instant {
    Instant::now()
}

/// The reason the last submission is quarantined for.
fn reason_of(stage: &Stage) -> String {
    let id = format!("019abcde-0000-7000-8000-{:012x}", stage.next_id);
    let rows = stage.app.database().quarantine_of(&id).expect("rows");
    rows.first().map(|row| row.reason.clone()).unwrap_or_default()
}
