//! What the server says of itself: health, numbers, headers, logs, errors; and how much memory an attack costs.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use scilit::{
    evidence::sha256_hex,
    server::{Role, Settings, http::ROUTES},
};
use serde_json::{Value, json};

use crate::support::{
    app::{QUESTIONNAIRE, SAMPLE, TABLET, TestApp, counting, submission, survey_request},
    http::{Answer, parse, raw, send},
    on_every_backend,
};

#[test]
fn rel_s10_every_answer_is_dressed_and_hsts_comes_with_https() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        for (role, path) in [
            (None, "/"),
            (None, "/healthz"),
            (None, "/nothing"),
            (Some(Role::Analyst), "/api/v1/surveys"),
            (None, "/api/v1/surveys"),
        ] {
            let answer = app.send(role, "GET", path, &[], b"");
            let policy = answer.header("content-security-policy").expect("a policy");
            assert!(policy.starts_with("default-src 'none'"), "{path}");
            assert!(
                !policy.contains("unsafe-") && !policy.contains("http") && !policy.contains('*'),
                "{path}: {policy}"
            );
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("x-frame-options", "DENY"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{path}");
            }
            assert!(answer.header("permissions-policy").is_some());
            assert_eq!(answer.header("strict-transport-security"), None, "not by plain http");
            assert_eq!(answer.header("server"), None, "no version to look up");
            if path.starts_with("/api/v1/surveys") {
                assert_eq!(answer.header("cache-control"), Some("no-store"), "private data");
            }
        }
    });
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings { https: Some(true), ..Settings::default() }, counting);
        let hsts = app.send(None, "GET", "/", &[], b"").header("strict-transport-security").map(str::to_owned);
        assert_eq!(hsts.as_deref(), Some("max-age=31536000; includeSubDomains"));
    });
}

#[test]
fn the_server_is_ready_until_its_audit_log_or_its_disk_is_not_as_it_must_be() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        assert_eq!(app.send(None, "GET", "/readyz", &[], b"").text(), "ready\n");
        crate::support::execute(test, "UPDATE audit_head SET size = size + 1");
        let refused = app.send(None, "GET", "/readyz", &[], b"");
        assert_eq!((refused.status, refused.problem().as_str()), (503, "not-ready"));
        assert!(refused.header("retry-after").is_some());
        assert_eq!(refused.json()["detail"], "audit log head");
        assert_eq!(app.send(None, "GET", "/healthz", &[], b"").status, 200, "it still answers");
        let numbers = app.get(Role::Admin, "/metrics").text();
        assert!(numbers.contains("scilit_ready 0"), "{numbers}");
    });
}

#[test]
fn a_server_that_could_not_keep_its_promises_does_not_start() {
    on_every_backend(|test| {
        TestApp::start(test).stop();
        crate::support::execute(test, "UPDATE audit_head SET size = size + 1");
        let start = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| TestApp::start(test)));
        assert!(start.is_err(), "the log's head counts an entry that is not there");
    });
}

#[test]
fn the_numbers_are_for_monitors_and_name_no_person_or_case() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        app.get(Role::Analyst, &format!("/api/v1/surveys/{survey}"));
        app.send(None, "GET", "/made/up/path", &[], b"");
        app.send(None, "MADEUP", "/healthz", &[], b"");
        assert_eq!(app.send(None, "GET", "/metrics", &[], b"").status, 401);
        assert_eq!(app.get(Role::Analyst, "/metrics").status, 403);
        let answer = app.get(Role::Admin, "/metrics");
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain; version=0.0.4")));
        let text = answer.text();
        let route = "/api/v1/submissions/{uuid}/revs/{rev}";
        let count = format!("scilit_http_requests_total{{method=\"PUT\",route=\"{route}\",status=\"201\"}} 1");
        assert!(text.contains(&count), "{text}");
        assert!(text.contains("scilit_up_database 1") && text.contains("scilit_ready 1"), "{text}");
        for private in [TABLET, survey.as_str(), hash.as_str(), "c1", "made/up", "MADEUP", "analyst"] {
            assert!(!text.contains(private), "{private} in {text}");
        }
    });
}

/// Every problem of every route, asked without a token, with a wrong one, with nonsense for each parameter and body.
fn problems(app: &TestApp) -> Vec<Answer> {
    let mut answers = Vec::new();
    // The answer to HEAD has no body to look at.
    for route in ROUTES.iter().filter(|route| route.method != "HEAD") {
        for filler in ["nonsense", "%00", "..%2f..", "%27%3B--"] {
            let mut path = route.path.to_owned();
            while let Some((before, rest)) = path.clone().split_once('{') {
                path = format!("{before}{filler}{}", rest.split_once('}').expect("the end of a parameter").1);
            }
            for role in [None, Some(Role::Surveyor), Some(Role::Analyst), Some(Role::Admin)] {
                for (kind, body) in
                    [("application/json", &b"{\"x\":"[..]), ("text/plain", b"x"), ("application/json", b"{}")]
                {
                    let ask = || app.send(role, route.method, &format!("{path}?x=1"), &[("Content-Type", kind)], body);
                    // On a machine with other work a turn may not come in time; what is wrong inside is wrong each time.
                    let calm = (0..5).map(|_| ask()).find(|answer| answer.status != 503);
                    answers.push(calm.unwrap_or_else(ask));
                }
            }
        }
    }
    answers.retain(|answer| answer.status >= 400);
    answers
}

#[test]
fn rel_s15_every_error_is_a_problem_of_our_own_that_tells_nothing_of_the_inside() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let answers = problems(&app);
        assert!(answers.len() > 300, "{} problems", answers.len());
        for answer in &answers {
            let (code, body) = (answer.problem(), answer.json());
            assert_eq!(body["type"], format!("urn:scilit:problem:{code}"));
            let title = body["title"].as_str().expect("a title");
            assert!(title.chars().any(|sign| ('\u{4e00}'..='\u{9fff}').contains(&sign)), "{title}");
            assert!(answer.status < 500, "{}", answer.text());
            let text = answer.text();
            for inside in
                ["SELECT", "sqlite", "postgres", "diesel", "serde", "actix", "panic", ".rs", "/tmp", "expected one of"]
            {
                assert!(!text.contains(inside), "{inside} in {text}");
            }
        }
    });
}

/// Strings that something has tripped over before.
const NAUGHTY: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "'; DROP TABLE survey; --",
    "\" OR \"\"=\"",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "@SUM(1+1)",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "%s%n%x",
    "../../etc/passwd",
    "\u{202e}txt.exe",
    "z\u{300}\u{301}\u{302}\u{303}algo",
];

#[test]
fn acc062_naughty_strings_in_every_text_field_come_back_as_text() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        for (at, naughty) in NAUGHTY.iter().enumerate() {
            let mut request = survey_request(naughty, &hash);
            request["code"] = json!(format!("naughty-{at}"));
            request["place"] = json!(naughty);
            let made = app.create_survey(&request);
            assert_eq!(made.status, 201, "{naughty}: {}", made.text());
            assert_eq!((&made.json()["title"], &made.json()["place"]), (&json!(naughty), &json!(naughty)));
            let id = format!("019abcde-0000-7000-8000-{at:012x}");
            let mut body = submission(&id, &hash, "c1");
            body["note"] = json!(naughty);
            body["client"]["device"] = json!(naughty);
            assert!(matches!(app.submit(&id, 1, body.to_string().as_bytes()).status, 201 | 202), "{naughty}");
            let mut wrong = submission(&id, &hash, naughty);
            wrong["answers"][0]["i"] = json!(naughty);
            assert_eq!(app.submit(&id, 2, wrong.to_string().as_bytes()).status, 202, "{naughty}");
            let shown = app.get(Role::Analyst, &format!("/api/v1/responses/{id}"));
            as_data(&shown);
            let encoded: String = naughty.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let asked = app.get(Role::Analyst, &format!("/api/v1/surveys/{survey}/responses?after={encoded}"));
            assert!(asked.status < 500, "{naughty}");
            as_data(&asked);
            as_data(&app.get(Role::Analyst, &format!("/api/v1/surveys/{encoded}")));
        }
        let list = app.get(Role::Analyst, "/api/v1/surveys");
        as_data(&list);
        let titles: Vec<Value> =
            list.json()["surveys"].as_array().expect("surveys").iter().map(|s| s["title"].clone()).collect();
        assert!(NAUGHTY.iter().all(|naughty| titles.contains(&json!(naughty))), "each as it was sent");
    });
}

/// JSON that no browser takes for a page.
fn as_data(answer: &Answer) {
    let kind = answer.header("content-type").expect("a type");
    assert!(kind == "application/json" || kind == "application/problem+json", "{kind}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    answer.json();
}

/// The program itself, on a database of its own.
struct Program {
    child: Child,
    folder: tempfile::TempDir,
    address: SocketAddr,
    secrets: [String; 2],
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let secret = |role: &str| {
            let made = command(folder.path())
                .args(["token", "create", "--role", role, "--label", "x"])
                .output()
                .expect("it runs");
            String::from_utf8_lossy(&made.stdout).trim().to_owned()
        };
        let secrets = [secret("surveyor"), secret("analyst")];
        let mut serve = command(folder.path());
        serve.args(["serve", "--listen", "127.0.0.1:0", "--disk-free-percent-min", "0"]).args(arguments);
        let logs = std::fs::File::create(folder.path().join("log")).expect("a file");
        let mut child = serve.stdout(Stdio::piped()).stderr(logs).spawn().expect("it runs");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("output")).read_line(&mut line).expect("a line");
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').parse().expect("an address");
        Self { child, folder, address, secrets }
    }

    fn send(&self, who: usize, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.secrets[who]);
        let headers: Vec<_> = headers.iter().copied().chain([("Authorization", bearer.as_str())]).collect();
        send(self.address, method, path, &headers, body)
    }

    fn submit(&self, number: u32, body: &[u8], extra: &[(&str, &str)]) -> Answer {
        let digest = sha256_hex(body);
        let mut headers = vec![("Content-Type", "application/json"), ("Submission-Sha256", digest.as_str())];
        headers.extend(extra);
        self.send(
            0,
            "PUT",
            &format!("/api/v1/submissions/019abcde-0000-7000-8000-{number:012x}/revs/1"),
            &headers,
            body,
        )
    }

    /// Ends it as an operator does; what it logged.
    fn end(mut self) -> (String, tempfile::TempDir) {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(killed.success() && self.child.wait().expect("its end").success());
        let logs = std::fs::read_to_string(self.folder.path().join("log")).expect("the log");
        (logs, self.folder)
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
    command.current_dir(folder).env_clear().env("TMPDIR", folder);
    command
}

/// The most memory the process ever had, in MiB.
#[cfg(target_os = "linux")]
fn peak_mib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

#[cfg(target_os = "linux")]
#[test]
fn rel_r13_the_attack_set_in_parallel_does_not_eat_the_machine() {
    let program = Program::start(&["--uploads-per-minute", "0", "--requests-per-minute", "0"]);
    let idle = peak_mib(program.child.id());
    assert_eq!(
        program
            .send(
                1,
                "POST",
                "/api/v1/questionnaires",
                &[("Content-Type", "application/toml")],
                QUESTIONNAIRE.as_bytes()
            )
            .status,
        201
    );
    let mut request = survey_request("x", &sha256_hex(b""));
    let published = program.send(1, "GET", "/api/v1/questionnaires", &[], b"").json();
    request["questionnaire"] = published["questionnaires"][0]["hash"].clone();
    let made = program.send(
        1,
        "POST",
        "/api/v1/surveys",
        &[("Content-Type", "application/json")],
        request.to_string().as_bytes(),
    );
    let files = format!("/api/v1/surveys/{}/files", made.json()["id"].as_str().expect("an id"));
    let mebibytes = |count: usize, byte: u8| vec![byte; count << 20];
    let wrong_rows = SAMPLE.lines().next().expect("a head").to_owned() + "\n" + &"x,y\n".repeat(2_000_000);
    let nested = "a = ".to_owned() + &"[".repeat(2_000_000);
    std::thread::scope(|scope| {
        for worker in 0..12_u32 {
            let (program, files, wrong_rows, nested) = (&program, &files, &wrong_rows, &nested);
            scope.spawn(move || {
                for round in 0..3 {
                    let number = worker * 100 + round;
                    program.submit(number, &mebibytes(20, b'a'), &[("Content-Encoding", "gzip")]);
                    program.submit(number, &mebibytes(10, b'['), &[]);
                    program.submit(number, &vec![b'['; 262_144], &[]);
                    program.submit(number, format!("[{}0]", "0,".repeat(131_000)).as_bytes(), &[]);
                    let csv = [("Content-Type", "text/csv")];
                    program.send(1, "PUT", &format!("{files}/sample"), &csv, wrong_rows.as_bytes());
                    program.send(1, "PUT", &format!("{files}/margins"), &csv, &mebibytes(8, b'"'));
                    let toml = [("Content-Type", "application/toml")];
                    program.send(1, "POST", "/api/v1/questionnaires", &toml, nested.as_bytes());
                    let long = format!("GET / HTTP/1.1\r\nX-A: {}", "a".repeat(130_000));
                    let mut slow = TcpStream::connect(program.address).expect("a connection");
                    let _ = slow.write_all(long.as_bytes());
                }
            });
        }
    });
    let peak = peak_mib(program.child.id());
    eprintln!("idle {idle} MiB, peak {peak} MiB");
    assert!(peak < 256, "{peak} MiB");
    assert_eq!(program.submit(9999, b"{}", &[]).status, 202, "the server is up");
    program.end();
}

#[test]
fn a_stopping_server_ends_what_it_has_begun() {
    let program = Program::start(&[]);
    let body = b"{\"half\":true}";
    let head = format!(
        "PUT /api/v1/submissions/{TABLET}/revs/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Submission-Sha256: {}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
        sha256_hex(body),
        program.secrets[0],
        body.len()
    );
    let mut stream = TcpStream::connect(program.address).expect("a connection");
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(&body[..5]).expect("sent");
    std::thread::sleep(Duration::from_millis(300));
    Command::new("kill").args(["-TERM", &program.child.id().to_string()]).status().expect("kill");
    std::thread::sleep(Duration::from_millis(500));
    assert!(TcpStream::connect(program.address).map_or(true, |mut late| {
        // Nobody new is served, even if the kernel still takes the connection.
        let _ = late.write_all(b"GET /healthz HTTP/1.1\r\n\r\n");
        let _ = late.set_read_timeout(Some(Duration::from_millis(300)));
        !matches!(late.read(&mut [0; 16]), Ok(1..))
    }));
    stream.write_all(&body[5..]).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    assert_eq!(parse(&answer).status, 202, "what had begun is kept and acknowledged");
    let mut program = program;
    assert!(program.child.wait().expect("its end").success());
}

#[test]
fn rel_s12_secrets_appear_in_no_log_no_error_and_no_file_they_do_not_belong_to() {
    let program = Program::start(&["--log", "trace"]);
    let canary = |kind: &str| format!("canary-{kind}-7f3a");
    let kinds = ["name", "phone", "address", "answer", "note", "query", "password", "token"];
    let mut errors = Vec::new();
    let mut note = |answer: Answer| {
        if answer.status >= 400 {
            errors.push(answer.text())
        }
    };
    let json_type = [("Content-Type", "application/json")];
    for kind in kinds {
        let secret = canary(kind);
        let body = json!({ "id": secret, "name": secret, "answers": [{"i": secret, "v": secret}], "note": secret })
            .to_string();
        let kept = program.submit(1, body.as_bytes(), &[]);
        assert!(matches!(kept.status, 202 | 409), "{}", kept.text());
        note(program.submit(2, &body.as_bytes()[..body.len() - 3], &[("X-Secret", &secret)]));
        note(program.send(1, "POST", "/api/v1/surveys", &json_type, body.as_bytes()));
        note(program.send(1, "POST", "/api/v1/surveys", &json_type, format!("{{\"title\":\"{secret}\",").as_bytes()));
        note(program.send(
            1,
            "POST",
            "/api/v1/surveys",
            &json_type,
            survey_request(&secret, "x").to_string().as_bytes(),
        ));
        note(program.send(
            1,
            "POST",
            "/api/v1/login",
            &json_type,
            json!({"login": secret, "password": secret}).to_string().as_bytes(),
        ));
        note(program.send(1, "GET", &format!("/api/v1/surveys?q={secret}"), &[], b""));
        note(program.send(1, "GET", &format!("/api/v1/runs?limit={secret}"), &[], b""));
        note(program.send(
            1,
            "PUT",
            "/api/v1/surveys/x/files/sample",
            &[("Content-Type", "text/csv")],
            secret.as_bytes(),
        ));
        note(send(program.address, "GET", "/api/v1/surveys", &[("Authorization", &format!("Bearer {secret}"))], b""));
        note(send(program.address, "GET", "/api/v1/surveys", &[("Cookie", &format!("__Host-scilit={secret}"))], b""));
        raw(program.address, format!("GET /{secret} HTTP/1.1\r\nX-A: {secret}\u{0}\r\n\r\n").as_bytes());
    }
    let secrets = program.secrets.clone();
    let (logs, folder) = program.end();
    assert!(logs.lines().count() > 50, "the log is there");
    let canaries: Vec<String> = kinds.iter().map(|kind| canary(kind)).chain(secrets).collect();
    for canary in &canaries {
        assert!(!logs.contains(canary.as_str()), "{canary} in the log");
        // The address of a problem is the caller's own; the rest of it is ours.
        let said = errors.iter().map(|error| serde_json::from_str::<Value>(error).expect("a problem"));
        for mut problem in said {
            problem["instance"] = Value::Null;
            assert!(!problem.to_string().contains(canary.as_str()), "{canary} in {problem}");
        }
        for file in files_below(folder.path()) {
            // The database keeps what tablets hand in, byte for byte; nothing else may.
            let is_database = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("scilit.db"));
            let bytes = std::fs::read(&file).expect("a file");
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found || is_database && !canary.starts_with("scilit_"), "{canary} in {}", file.display());
        }
    }
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
