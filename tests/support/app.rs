//! The real server on a free port with a token for each role, and a tiny survey to fill.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use scilit::{
    evidence::sha256_hex,
    server::{
        Clock, Config, Role, RunningServer, Settings,
        jobs::{Engine, NamedFile, Notary, Progress, RunFailure, RunInputs},
        start_with, tokens,
    },
    storage::{Author, Database},
};
use serde_json::{Value, json};

use super::{
    TestDatabase,
    http::{Answer, send},
};

/// Two items, one of them scored.
pub const QUESTIONNAIRE: &str = r#"format = 1
id = "tiny"
version = "1.0.0"
languages = ["zh-CN", "en"]
title = { zh-CN = "小问卷", en = "Tiny" }

[header]
form_number = "T1"
issued_by = { zh-CN = "示例机构", en = "Example body" }
approval_number = "none"
valid_until = "2030-12-31"

[[schemes]]
id = "parts"
label = { zh-CN = "部分", en = "Parts" }
dimensions = [{ code = "one", label = { zh-CN = "一", en = "One" } }]

[[sections]]
id = "main"
title = { zh-CN = "主体", en = "Main" }

[[sections.items]]
id = "sex"
type = "single_choice"
text = { zh-CN = "性别", en = "Sex" }
options = [
  { code = "male", label = { zh-CN = "男", en = "Male" } },
  { code = "female", label = { zh-CN = "女", en = "Female" } },
]

[[sections.items]]
id = "K01"
type = "true_false"
text = { zh-CN = "地球围着太阳转", en = "The Earth goes round the Sun" }
dimensions = { parts = "one" }
key = ["true"]
points = 10
"#;

pub const PROFILE: &str = r#"format = 1
id = "tiny"
version = "1"
title = { zh-CN = "小档案", en = "Tiny" }
note = { zh-CN = "测试用", en = "For tests" }
scheme = "parts"
maximum = 10
comparison = "ge"
verdict = "total"
missing_share_max = 0.2

[[dimensions]]
code = "one"
maximum = 10

[[tiers]]
code = "literate"
label = { zh-CN = "具备", en = "Literate" }
cut = 7
literate = true
"#;

pub const SAMPLE: &str = "case_id,district,stratum,psu,residence,prob_psu,prob_household\n\
c1,230102,s1,p1,urban,0.5,0.1\nc2,230102,s1,p2,urban,0.5,0.1\nc3,230103,s2,p3,rural,0.25,0.2\n";

pub const TABLET: &str = "019abcde-0000-7000-8000-000000000001";

/// An engine for tests: counts, echoes the inputs, and fails or breaks down when the survey's title asks for it.
pub fn counting(inputs: &RunInputs, _: &Progress) -> Result<Vec<NamedFile>, RunFailure> {
    match inputs.survey.title.as_str() {
        "breaks" => panic!("an engine that breaks down"),
        "fails" => return Err(RunFailure { code: "no-convergence".into(), message: "raking did not converge".into() }),
        "slow" => std::thread::sleep(Duration::from_millis(300)),
        _ => {}
    }
    let results = json!({ "n": inputs.bodies.len() }).to_string().into_bytes();
    Ok(vec![
        ("results.json".to_owned(), "application/json", results),
        ("indicator.csv".to_owned(), "text/csv; charset=utf-8", b"domain,estimate\ncity,0.2\n".to_vec()),
        ("responses_weighted.csv".to_owned(), "text/csv; charset=utf-8", b"person,weight\na,1\n".to_vec()),
    ])
}

/// When the log's last entry was made; 0 where there is none yet.
fn last_entry_ms(test: &TestDatabase) -> i64 {
    let database = test.open();
    let Ok(head) = database.audit_head() else { return 0 };
    let last = database.audit_entries(head.size - 1, 1).ok().and_then(|entries| entries.into_iter().next());
    last.map_or(0, |entry| entry.at_ms)
}

/// A running server.
pub struct TestApp {
    server: Option<RunningServer>,
    pub address: SocketAddr,
    secrets: BTreeMap<Role, String>,
    pub now_ms: Arc<AtomicI64>,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }
}

impl TestApp {
    pub fn start(test: &TestDatabase) -> Self {
        Self::start_with(test, Settings::default(), counting)
    }

    pub fn start_with(test: &TestDatabase, settings: Settings, engine: Engine) -> Self {
        let fixed = Settings {
            database_url: Some(test.url.clone()),
            key_dir: Some(test.key_dir()),
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            workers: Some(2),
            ..Settings::default()
        };
        // One token plays many tablets; a test of rates sets its own.
        let unlimited = Settings {
            uploads_per_minute: Some(0),
            requests_per_minute: Some(0),
            downloads_per_hour: Some(0),
            disk_free_percent_min: Some(0),
            ..Settings::default()
        };
        let config = Config::new(fixed.over(settings).over(unlimited)).expect("a configuration");
        // A server that starts again, or over a restored database, is never behind its own log.
        let now_ms = Arc::new(AtomicI64::new(last_entry_ms(test).max(1_763_800_000_000)));
        let ticking = Arc::clone(&now_ms);
        let clock = Clock::new(move || ticking.fetch_add(1, Ordering::Relaxed));
        let server = start_with(config, clock.clone(), engine).expect("a running server");
        let issue = |role| {
            (
                role,
                tokens::issue(server.database(), role, "test", None, &Author::command_line(), &clock)
                    .expect("a token")
                    .1,
            )
        };
        let secrets = Role::ALL.into_iter().map(issue).collect();
        Self { address: server.address(), server: Some(server), secrets, now_ms }
    }

    pub fn database(&self) -> &Database {
        self.server.as_ref().expect("a running server").database()
    }

    /// The signer of its checkpoints.
    pub fn notary(&self) -> &Notary {
        self.server.as_ref().expect("a running server").notary()
    }

    /// Stops it as a restart would, and keeps nothing but what the database holds.
    pub fn stop(mut self) {
        self.server.take().expect("a running server").stop();
    }

    pub fn send(&self, role: Option<Role>, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let bearer = role.map(|role| format!("Bearer {}", self.secrets[&role]));
        let mut all: Vec<(&str, &str)> = headers.to_vec();
        if let Some(bearer) = &bearer {
            all.push(("Authorization", bearer));
        }
        send(self.address, method, path, &all, body)
    }

    /// The role's token.
    pub fn secret(&self, role: Role) -> &str {
        &self.secrets[&role]
    }

    pub fn get(&self, role: Role, path: &str) -> Answer {
        self.send(Some(role), "GET", path, &[], b"")
    }

    pub fn publish(&self, source: &str) -> Answer {
        let headers = [("Content-Type", "application/toml")];
        self.send(Some(Role::Analyst), "POST", "/api/v1/questionnaires", &headers, source.as_bytes())
    }

    pub fn create_survey(&self, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json")];
        self.send(Some(Role::Analyst), "POST", "/api/v1/surveys", &headers, body.to_string().as_bytes())
    }

    pub fn put_file(&self, survey: &str, kind: &str, content: &str) -> Answer {
        let headers = [("Content-Type", "text/csv")];
        let path = format!("/api/v1/surveys/{survey}/files/{kind}");
        self.send(Some(Role::Analyst), "PUT", &path, &headers, content.as_bytes())
    }

    pub fn submit(&self, id: &str, rev: i32, body: &[u8]) -> Answer {
        let digest = sha256_hex(body);
        let headers = [("Content-Type", "application/json"), ("Submission-Sha256", digest.as_str())];
        self.send(Some(Role::Surveyor), "PUT", &format!("/api/v1/submissions/{id}/revs/{rev}"), &headers, body)
    }

    /// Publishes the tiny questionnaire and sets a survey with this title up; its id and the questionnaire's hash.
    pub fn survey(&self, title: &str) -> (String, String) {
        let published = self.publish(QUESTIONNAIRE);
        assert!(matches!(published.status, 200 | 201), "{}", published.text());
        let hash = published.json()["hash"].as_str().expect("a hash").to_owned();
        let made = self.create_survey(&survey_request(title, &hash));
        assert_eq!(made.status, 201, "{}", made.text());
        let id = made.json()["id"].as_str().expect("an id").to_owned();
        let put = self.put_file(&id, "sample", SAMPLE);
        assert_eq!(put.status, 201, "{}", put.text());
        (id, hash)
    }

    /// Asks for a run; of what is not yet approved, too, unless the request says otherwise.
    pub fn ask_for_run(&self, survey: &str, request: &Value) -> Answer {
        let mut request = request.clone();
        if request.get("include").is_none() {
            request["include"] = json!("interim");
        }
        let path = format!("/api/v1/surveys/{survey}/runs");
        let headers = [("Content-Type", "application/json")];
        self.send(Some(Role::Analyst), "POST", &path, &headers, request.to_string().as_bytes())
    }

    /// Starts a run of what is judged good, approved or not, and waits for its end.
    pub fn run(&self, survey: &str) -> Value {
        self.ended(&self.ask_for_run(survey, &json!({})))
    }

    /// Sends JSON with the role's token.
    pub fn post(&self, role: Role, path: &str, body: &Value) -> Answer {
        self.send(Some(role), "POST", path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    /// A further person of this role; what they send goes through [`TestApp::post_as`].
    pub fn another(&self, role: Role) -> String {
        let clock = Clock::new(|| 1_763_800_000_000);
        tokens::issue(self.database(), role, "another", None, &scilit::storage::Author::system(), &clock)
            .expect("a token")
            .1
    }

    /// Sends JSON with a secret.
    pub fn post_as(&self, secret: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {secret}");
        let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
        send(self.address, "POST", path, &headers, body.to_string().as_bytes())
    }

    /// Waits for the end of a run that was asked for.
    pub fn ended(&self, queued: &Answer) -> Value {
        assert_eq!(queued.status, 202, "{}", queued.text());
        let id = queued.json()["id"].as_str().expect("an id").to_owned();
        for _ in 0..600 {
            let run = self.get(Role::Analyst, &format!("/api/v1/runs/{id}")).json();
            if matches!(run["state"].as_str(), Some("succeeded" | "failed" | "cancelled")) {
                return run;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("run {id} did not end");
    }
}

pub fn survey_request(title: &str, hash: &str) -> Value {
    json!({
        "code": "tiny-1", "title": title, "place": "某市", "questionnaire": hash, "profile": PROFILE,
        "fieldwork_from": "2025-05-01", "fieldwork_to": "2025-08-31", "example": true,
    })
}

/// A submission to the tiny questionnaire.
pub fn submission(id: &str, hash: &str, case: &str) -> Value {
    json!({
        "schema": 1, "id": id, "rev": 1, "parent_rev": null, "case": case, "assignment": null, "instrument": hash,
        "draw": null, "consent": {"given": true, "at_ms": 1_763_700_000_000_i64},
        "selection": {"method": "uniform", "n_eligible": 2, "selected_no": 1, "prob": 0.5},
        "roster": [{"no": 1, "sex": "male", "age": 43, "eligible": true}, {"no": 2, "sex": "female", "age": 40, "eligible": true}],
        "answers": [{"i": "sex", "v": "male", "n_changes": 0, "ms": 900}, {"i": "K01", "v": "true", "n_changes": 0, "ms": 5200}],
        "order_shown": ["sex", "K01"],
        "timing": {"started_ms": 1_763_700_000_000_i64, "finished_ms": 1_763_700_060_000_i64, "active_ms": 60000},
        "gps": null, "attachments": [], "client": {"release": "test", "device": "t1", "tz": "+08:00", "offset_ms": 0}, "note": ""
    })
}

impl TestApp {
    /// Announces `length` bytes, sends only these, and waits for the answer.
    pub fn send_part(&self, role: Role, path: &str, digest: &str, part: &[u8], length: usize) -> Answer {
        let secret = &self.secrets[&role];
        let address = self.address;
        let mut request = format!(
            "PUT {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nAuthorization: Bearer {secret}\r\n\
             Submission-Sha256: {digest}\r\nContent-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend(part);
        super::http::parse(&super::http::raw(address, &request))
    }
}
