//! The server under load: the release program on a fresh database, with a survey large enough that every submission is the
//! first of its case.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{TestDatabase, app, http::send, run};

/// Cases of the sample; more submissions than these would be surplus.
pub const CASES: usize = 150_000;

pub struct Site {
    child: Child,
    pub address: SocketAddr,
    pub secret: String,
    auditor: String,
    before: String,
    between: String,
    after: String,
}

/// The server's own numbers.
pub struct Counts {
    pub batches: f64,
    pub kept: f64,
}

const ID: &str = "019abcde-ffff-7000-8000-ffffffffffff";
const CASE: &str = "the-case";

impl Site {
    pub fn start(program: &Path, test: &TestDatabase, items: usize) -> Self {
        let token = |role: &str| {
            let mut command = Command::new(program);
            command.args(["token", "create", "--role", role, "--label", "load", "--database-url", &test.url]);
            run(&mut command).trim().to_owned()
        };
        let (secret, analyst, auditor) = (token("surveyor"), token("analyst"), token("auditor"));
        let mut serve = Command::new(program);
        serve.args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--keep-alive-seconds", "15"]);
        serve.args(["--uploads-per-minute", "0", "--requests-per-minute", "0", "--disk-free-percent-min", "0"]);
        serve.args(["--database-url", &test.url]).arg("--key-dir").arg(test.key_dir());
        let mut child = serve.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the server runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let address = lines.find_map(|line| address_in(&line.expect("a line"))).expect("its address");
        let hash = set_up(address, &analyst, items);
        let body = body(items, &hash);
        let (before, rest) = body.split_once(ID).expect("the id");
        let (between, after) = rest.split_once(CASE).expect("the case");
        let (before, between, after) = (before.to_owned(), between.to_owned(), after.to_owned());
        Self { child, address, secret, auditor, before, between, after }
    }

    /// A submission of this case under this id.
    pub fn body(&self, id: &str, case: &str) -> String {
        [&self.before, id, &self.between, case, &self.after].concat()
    }

    pub fn counts(&self) -> Counts {
        let bearer = format!("Bearer {}", self.auditor);
        let text = send(self.address, "GET", "/metrics", &[("Authorization", &bearer)], b"").text();
        let number = |name: &str| {
            let line =
                text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {text}"));
            line.trim().parse().expect("a number")
        };
        Counts { batches: number("scilit_writer_batches_total"), kept: number("scilit_writer_kept_total") }
    }

    /// Asks it to end and waits.
    pub fn stop(mut self) {
        run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
        let status = self.child.wait().expect("an end");
        assert!(status.success(), "{status}");
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("http://")?;
    address.trim().trim_end_matches('/').parse().ok()
}

/// Publishes the questionnaire and makes the survey with its sample; the questionnaire's hash.
pub fn set_up(address: SocketAddr, secret: &str, items: usize) -> String {
    let bearer = format!("Bearer {secret}");
    let ask = |method: &str, path: &str, kind: &str, body: &str| {
        let answer =
            send(address, method, path, &[("Authorization", &bearer), ("Content-Type", kind)], body.as_bytes());
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        answer.json()
    };
    let published = ask("POST", "/api/v1/questionnaires", "application/toml", &questionnaire(items));
    let hash = published["hash"].as_str().expect("a hash").to_owned();
    let survey = app::survey_request("load", &hash).to_string();
    let made = ask("POST", "/api/v1/surveys", "application/json", &survey);
    let id = made["id"].as_str().expect("an id");
    let head = "case_id,district,stratum,psu,residence,prob_psu,prob_household\n".to_owned();
    let row = |case: usize| format!("c{case},230102,s1,p{},urban,0.5,0.1\n", case / 20);
    let sample = (0..CASES).fold(head, |sample, case| sample + &row(case));
    ask("PUT", &format!("/api/v1/surveys/{id}/files/sample"), "text/csv", &sample);
    hash
}

/// The tests' questionnaire with further items up to the number asked for.
fn questionnaire(items: usize) -> String {
    let more = |n: usize| {
        format!(
            "\n[[sections.items]]\nid = \"Q{n:03}\"\ntype = \"single_choice\"\ntext = {{ zh-CN = \"第{n}题\", en = \"Item {n}\" }}\n\
             options = [\n  {{ code = \"a\", label = {{ zh-CN = \"甲\", en = \"A\" }} }},\n  {{ code = \"b\", label = {{ zh-CN = \"乙\", en = \"B\" }} }},\n]\n"
        )
    };
    (2..items).fold(app::QUESTIONNAIRE.to_owned(), |text, n| text + &more(n))
}

fn body(items: usize, hash: &str) -> String {
    let mut body: Value = app::submission(ID, hash, CASE);
    for n in 2..items {
        let (item, value) = (format!("Q{n:03}"), if n % 3 == 0 { "a" } else { "b" });
        body["answers"]
            .as_array_mut()
            .expect("answers")
            .push(json!({"i": item, "v": value, "n_changes": 0, "ms": 1000 + n}));
        body["order_shown"].as_array_mut().expect("an order").push(json!(item));
    }
    // The order of the fields decides which of the two comes first; a tablet writes the id first.
    let id = body["id"].take();
    let case = body["case"].take();
    let mut rest = body.as_object().expect("an object").clone();
    rest.remove("id");
    rest.remove("case");
    let rest = Value::Object(rest).to_string();
    format!("{{\"id\":{id},\"case\":{case},{}", &rest[1..])
}
