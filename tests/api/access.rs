//! Who may use which route: the table of routes, tried out with every role and with none.

use std::{fs, path::Path, process::Command};

use scilit::{
    server::{Grant, Open, Role, Settings, http::ROUTES},
    storage::Author,
};

use crate::support::{
    app::{TABLET, TestApp, counting, submission},
    on_every_backend,
};

fn filled(path: &str) -> String {
    path.replace("{uuid}", TABLET)
        .replace("{rev}", "1")
        .replace("{kind}", "sample")
        .replace("{hash}", "0")
        .replace("{short}", "0")
        .replace("{id}", "nobody")
        .replace("{seq}", "0")
        .replace("{name}", "responses_weighted.csv")
        .replace("{table}", "city")
        .replace("{cell}", "all")
}

#[test]
fn every_route_lets_in_exactly_the_roles_of_its_table() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        for route in ROUTES {
            let askers = Role::ALL.into_iter().map(Some).chain([None]);
            for asker in askers {
                let answer = app.send(asker, route.method, &filled(route.path), &[], b"");
                let allowed = match (route.access.open, asker) {
                    (Open::Public, _) => true,
                    (_, Some(role)) => route.access.grant(role) > Grant::No,
                    (_, None) => false,
                };
                let refused = matches!(answer.status, 401 | 403);
                assert_eq!(!refused, allowed, "{} {} for {asker:?}: {}", route.method, route.path, answer.status);
                assert_eq!(answer.status == 401, asker.is_none() && !allowed, "{} {}", route.method, route.path);
            }
        }
    });
}

#[test]
fn a_surveyor_can_fetch_forms_submit_read_receipts_and_their_own_log_and_nothing_else() {
    let may = |route: &&scilit::server::http::Route| route.access.grant(Role::Surveyor) > Grant::No;
    let paths: Vec<_> = ROUTES.iter().filter(may).map(|route| (route.method, route.path)).collect();
    assert_eq!(
        paths,
        [
            ("PUT", "/api/v1/submissions/{uuid}/revs/{rev}"),
            ("GET", "/api/v1/questionnaires"),
            ("GET", "/api/v1/instruments/{hash}"),
            ("POST", "/api/v1/cases/{survey}/{case}/contact"),
            ("POST", "/api/v1/cases/{survey}/{case}/attempts/{attempt}/notes"),
            ("POST", "/api/v1/submissions:batch"),
            ("POST", "/api/v1/reconcile"),
            ("GET", "/api/v1/receipts/{short}"),
            ("HEAD", "/api/v1/attachments/{uuid}"),
            ("PATCH", "/api/v1/attachments/{uuid}"),
            ("GET", "/api/v1/responses/{id}/returned"),
            ("POST", "/api/v1/events:batch"),
            ("GET", "/api/v1/cases/{survey}/{case}/attempts"),
            ("GET", "/api/v1/sync/changes"),
            ("GET", "/api/v1/sync/inbox"),
            ("POST", "/api/v1/inbox/{seq}/ack"),
            ("GET", "/api/v1/audit/checkpoint"),
            ("GET", "/api/v1/audit/entries"),
            ("POST", "/api/v1/logout"),
            ("GET", "/api/v1/me"),
            ("POST", "/api/v1/me/password"),
            ("GET", "/api/v1/sessions"),
            ("DELETE", "/api/v1/sessions/{id}"),
            ("GET", "/api/v1/sync/manifest"),
            ("GET", "/api/v1/devices"),
            ("PUT", "/api/v1/devices/self"),
        ]
    );
}

/// Compiles the policy's reader with every route of the router against `policy`; what the compiler said.
fn compiled(policy: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/policy.rs");
    fs::copy(source, folder.path().join("policy.rs")).expect("the reader");
    fs::write(folder.path().join("policy.txt"), policy).expect("the policy");
    let uses = ROUTES
        .iter()
        .map(|route| format!("const _: policy::Access = policy::access({:?}, {:?});\n", route.method, route.path));
    let count = format!("const _: () = assert!(policy::lines() == {}, \"no route has it\");\n", ROUTES.len());
    let role = "#[derive(Clone, Copy)] pub enum Role { Surveyor, Supervisor, Analyst, Auditor, Admin }\n";
    let main = format!("#![allow(dead_code)]\n{role}pub mod policy;\n{}{count}", uses.collect::<String>());
    fs::write(folder.path().join("main.rs"), main).expect("a crate");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "main.rs"])
        .current_dir(folder.path());
    let output = rustc.output().expect("a compiler");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn rel_s1_a_route_missing_from_the_policy_file_fails_the_build_and_so_does_a_line_without_a_route() {
    let policy =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/policy.txt")).expect("a policy");
    assert_eq!(compiled(&policy), Ok(()), "the file as it is compiles");
    let without: String =
        policy.lines().filter(|line| !line.contains(" /api/v1/me ")).map(|line| format!("{line}\n")).collect();
    assert_eq!(without.lines().count(), policy.lines().count() - 1);
    let missing = compiled(&without).expect_err("a route without a line");
    assert!(missing.contains("this route has no line in src/server/policy.txt"), "{missing}");
    let more = format!("{policy}GET /api/v1/nothing public no no no no no\n");
    assert!(compiled(&more).expect_err("a line without a route").contains("no route has it"));
    let wrong = compiled(&policy.replacen("region", "regoin", 1));
    assert!(wrong.is_ok(), "words in comments do not count");
    let slip = policy.replacen("own      own        own", "own      onw        own", 1);
    assert_ne!(slip, policy);
    assert!(compiled(&slip).expect_err("a slip of the pen").contains("no, own, region or all"));
}

#[test]
fn rows_of_persons_are_for_analysts_and_auditors() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings { public_results: Some(true), ..Settings::default() }, counting);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let id = app.run(&survey)["id"].as_str().expect("an id").to_owned();
        for role in Role::ALL {
            let file = app.get(role, &format!("/api/v1/runs/{id}/files/responses_weighted.csv?purpose=audit"));
            let expected = match role {
                Role::Analyst | Role::Auditor => 200,
                // A run that nobody released is not there for those outside the office.
                Role::Surveyor => 404,
                Role::Supervisor | Role::Admin => 403,
            };
            assert_eq!(file.status, expected, "{role:?}");
        }
    });
}

#[test]
fn a_wrong_or_revoked_token_opens_nothing() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        for header in ["Bearer scilit_wrong", "Basic YTpi", "Bearer", ""] {
            let answer = app.send(None, "GET", "/api/v1/surveys", &[("Authorization", header)], b"");
            assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"), "{header:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
        assert_eq!(app.get(Role::Analyst, "/api/v1/surveys").status, 200);
        for token in app.database().tokens().expect("tokens") {
            app.database().revoke_token(&token.id, &Author::system(), 1).expect("revoked");
        }
        assert_eq!(app.get(Role::Analyst, "/api/v1/surveys").problem(), "unauthenticated");
    });
}
