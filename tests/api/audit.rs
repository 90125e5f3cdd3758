//! What the server logs of requests, what it proves, and what it does when its log was touched.

use scilit::{
    evidence::{LogProof, SignedCheckpoint, Verifier, sha256_hex},
    server::{Role, audit::AuditError},
    storage::AuditEntry,
};
use serde_json::Value;

use crate::support::{
    TestDatabase,
    app::{PROFILE, QUESTIONNAIRE, SAMPLE, TABLET, TestApp, submission, survey_request},
    http::Answer,
    on_every_backend,
};

fn entries(app: &TestApp) -> Vec<AuditEntry> {
    app.database().audit_entries(0, 10_000).expect("entries")
}

/// Asks, and returns the answer with the entries of whoever acts in this role that the request made.
fn logged(app: &TestApp, role: Role, ask: impl Fn() -> Answer) -> (Answer, Vec<(String, String, String)>) {
    let before = entries(app).len();
    let answer = ask();
    // A download's end is logged when its last byte has left: after the answer, at a time of its own.
    let new = entries(app).split_off(before).into_iter();
    let new = new.filter(|entry| entry.role == role.name() && entry.action != "download.end");
    (answer, new.map(|entry| (entry.action, entry.object, entry.outcome)).collect())
}

/// A server with a survey, a response to it and a run.
fn with_run(test: &TestDatabase) -> (TestApp, String, String) {
    let app = TestApp::start(test);
    let (survey, hash) = app.survey("调查");
    app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
    let run = app.run(&survey)["id"].as_str().expect("an id").to_owned();
    (app, survey, run)
}

#[test]
fn rel_a7_each_change_is_one_entry_and_a_repeat_that_changes_nothing_is_none() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (published, made) = logged(&app, Role::Analyst, || app.publish(QUESTIONNAIRE));
        let hash = published.json()["hash"].as_str().expect("a hash").to_owned();
        let entry = |action: &str, object: String| vec![(action.to_owned(), object, "done".to_owned())];
        assert_eq!(made, entry("questionnaire.publish", format!("questionnaire/{hash}")));
        assert_eq!(logged(&app, Role::Analyst, || app.publish(QUESTIONNAIRE)).1, []);
        let (created, made) = logged(&app, Role::Analyst, || app.create_survey(&survey_request("调查", &hash)));
        let survey = created.json()["id"].as_str().expect("an id").to_owned();
        assert_eq!(made, entry("survey.create", format!("survey/{survey}")));
        let put = || app.put_file(&survey, "sample", SAMPLE);
        assert_eq!(logged(&app, Role::Analyst, put).1, entry("survey.put-file", format!("survey/{survey}")));
        assert_eq!(logged(&app, Role::Analyst, put).1, []);
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let run = app.run(&survey)["id"].as_str().expect("an id").to_owned();
        let of_run = |entry: &&AuditEntry| entry.object == format!("run/{run}");
        let story: Vec<_> = entries(&app).iter().filter(of_run).map(|e| (e.action.clone(), e.role.clone())).collect();
        let expected = [("run.create", "analyst"), ("run.begin", "system"), ("run.finish", "system")];
        assert_eq!(story, expected.map(|(action, role)| (action.to_owned(), role.to_owned())));
    });
}

#[test]
fn rel_a7_a_refused_request_is_one_entry_that_names_no_value_that_was_sent() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let attempt = |role, method: &str, path: &str, body: &[u8]| {
            let headers = [("Content-Type", "application/json")];
            logged(&app, role, || app.send(Some(role), method, path, &headers, body))
        };
        let (answer, made) = attempt(Role::Analyst, "POST", "/api/v1/surveys", b"{}");
        let refused = |object: &str| vec![("request.attempt".to_owned(), object.to_owned(), "refused".to_owned())];
        assert_eq!((answer.status, made), (422, refused("route/POST /api/v1/surveys")));
        let (answer, made) = attempt(Role::Surveyor, "POST", "/api/v1/surveys", b"{}");
        assert_eq!((answer.status, made), (403, refused("route/POST /api/v1/surveys")));
        let (answer, made) = attempt(Role::Surveyor, "GET", "/api/v1/surveys", b"");
        assert_eq!((answer.status, made), (403, refused("route/GET /api/v1/surveys")));
        let (answer, made) = attempt(Role::Surveyor, "PUT", "/api/v1/submissions/zhangsan/revs/1", b"{}");
        assert_eq!((answer.status, made), (422, refused("route/PUT /api/v1/submissions/{uuid}/revs/{rev}")));
        let (answer, made) = attempt(Role::Analyst, "GET", "/api/v1/surveys/none", b"");
        assert_eq!((answer.status, made), (404, vec![]), "looking for what is not there changes nothing");
        let before = entries(&app).len();
        assert_eq!(app.send(None, "POST", "/api/v1/surveys", &[], b"{}").status, 401);
        assert_eq!(entries(&app).len(), before, "nobody in particular asked");
    });
}

#[test]
fn rel_a7_a_download_is_logged_with_its_digest_before_a_byte_leaves_and_not_without() {
    on_every_backend(|test| {
        let (app, _, run) = with_run(test);
        let path = format!("/api/v1/runs/{run}/files/responses_weighted.csv?purpose=audit");
        let (file, made) = logged(&app, Role::Auditor, || app.get(Role::Auditor, &path));
        let object = format!("run/{run}/responses_weighted.csv");
        assert_eq!((file.status, made), (200, vec![("download.intent".to_owned(), object.clone(), "done".to_owned())]));
        let entry = app.database().latest_audit_entry(&object, &["download.intent"]).expect("an answer").expect("it");
        assert!(entry.detail.expect("a detail").contains(&sha256_hex(&file.body)));

        let tag = file.header("etag").expect("a tag").to_owned();
        let known = || app.send(Some(Role::Auditor), "GET", &path, &[("If-None-Match", &tag)], b"");
        let (unchanged, made) = logged(&app, Role::Auditor, known);
        assert_eq!((unchanged.status, made), (304, vec![]), "no byte left");

        test.break_audit("download.intent");
        let refused = app.get(Role::Auditor, &path);
        assert_eq!((refused.status, refused.problem().as_str()), (500, "internal"));
        test.mend_audit();
        assert_eq!(app.get(Role::Auditor, &path).body, file.body, "the control: with its entry it leaves");
    });
}

#[test]
fn rel_a8_no_change_over_http_happens_without_its_entry() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        test.break_audit("questionnaire.publish");
        assert_eq!(app.publish(QUESTIONNAIRE).status, 500);
        assert!(app.database().questionnaires().expect("rows").is_empty());
        test.mend_audit();
        let (survey, hash) = app.survey("调查");
        let mut second = survey_request("调查", &hash);
        second["code"] = "tiny-2".into();
        second["profile"] = PROFILE.into();
        test.break_audit("survey.create");
        assert_eq!(app.create_survey(&second).status, 500);
        assert_eq!(app.database().surveys().expect("rows").len(), 1);
        test.mend_audit();
        test.break_audit("survey.put-file");
        assert_eq!(app.put_file(&survey, "sample", &format!("{SAMPLE}c4,230102,s1,p1,urban,0.5,0.1\n")).status, 500);
        assert_eq!(app.database().sample_size(&survey).expect("a size"), 3);
        test.mend_audit();
        test.break_audit("run.create");
        let path = format!("/api/v1/surveys/{survey}/runs");
        assert_eq!(app.send(Some(Role::Analyst), "POST", &path, &[], b"").status, 500);
        assert!(app.database().runs("g", 10).expect("rows").is_empty());
        test.mend_audit();
        assert_eq!(app.create_survey(&second).status, 201, "the control: with its entry it happens");
        let failed = entries(&app).iter().filter(|entry| entry.outcome == "failed").count();
        assert_eq!(failed, 4, "each failure is an entry, too");
    });
}

#[test]
fn rel_a5_a_run_is_proved_to_an_outsider_who_knows_the_servers_key_only() {
    on_every_backend(|test| {
        let (app, survey, run) = with_run(test);
        let keys = app.send(None, "GET", "/api/v1/keys", &[], b"").json();
        let key: Verifier = keys["keys"][0]["key"].as_str().expect("a key").parse().expect("a key");
        let proof = app.get(Role::Analyst, &format!("/api/v1/runs/{run}/proof"));
        let entry = LogProof::parse(&proof.text()).expect("a proof").verify(&[key]).expect("it holds");
        assert_eq!((entry.action.as_str(), entry.object), ("run.finish", format!("run/{run}")));

        let checkpoint = SignedCheckpoint::parse(&app.get(Role::Surveyor, "/api/v1/audit/checkpoint").text());
        let checkpoint = checkpoint.expect("a checkpoint");
        checkpoint.verify(&[key]).expect("it holds");
        for seq in 0..checkpoint.checkpoint.size {
            let text = app.get(Role::Auditor, &format!("/api/v1/audit/proof/{seq}")).text();
            let entry = LogProof::parse(&text).expect("a proof").verify(&[key]).expect("it holds");
            assert_eq!(u64::try_from(entry.seq), Ok(seq));
        }
        for nothing in ["999999", "-1", "x", "18446744073709551616"] {
            assert_eq!(app.get(Role::Auditor, &format!("/api/v1/audit/proof/{nothing}")).problem(), "not-found");
        }
        app.run(&survey);
    });
}

#[test]
fn rel_a12_auditors_see_all_administrators_the_system_and_others_their_own() {
    on_every_backend(|test| {
        let (app, _, run) = with_run(test);
        app.get(Role::Supervisor, &format!("/api/v1/responses/{TABLET}"));
        app.get(Role::Auditor, &format!("/api/v1/responses/{TABLET}"));
        let rows = |role, query: &str| -> Vec<Value> {
            let answer = app.get(role, &format!("/api/v1/audit/entries?limit=200{query}"));
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.json()["entries"].as_array().expect("entries").clone()
        };
        let roles = |rows: &[Value]| {
            let mut roles: Vec<String> =
                rows.iter().map(|row| row["role"].as_str().expect("a role").to_owned()).collect();
            roles.sort();
            roles.dedup();
            roles
        };
        let who_saw = rows(Role::Auditor, &format!("&object=response/{TABLET}"));
        let readers: Vec<_> =
            who_saw.iter().filter(|row| row["action"] == "response.read").map(|row| &row["role"]).collect();
        assert_eq!(readers, ["supervisor", "auditor"]);
        assert!(roles(&rows(Role::Auditor, "")).len() >= 4);
        assert_eq!(roles(&rows(Role::Analyst, "")), ["analyst"]);
        assert_eq!(roles(&rows(Role::Admin, "")), ["operator", "system"]);
        assert_eq!(rows(Role::Analyst, &format!("&object=run/{run}")).len(), 1, "what others did to it stays hidden");
        assert_eq!(rows(Role::Surveyor, &format!("&object=response/{TABLET}&actor=system")), Vec::<Value>::new());
        for wrong in ["limit=0", "limit=201", "limit=x", "surprise=1", "object=%00"] {
            let answer = app.get(Role::Auditor, &format!("/api/v1/audit/entries?{wrong}"));
            assert!((400..500).contains(&answer.status), "{wrong}: {}", answer.status);
        }
        let page = app.get(Role::Auditor, "/api/v1/audit/entries?limit=2&after=3").json();
        assert_eq!((page["entries"][0]["seq"].as_i64(), page["next"].as_i64()), (Some(4), Some(5)));
    });
}

#[test]
fn a_log_that_was_touched_is_signed_no_more_and_readyz_says_so() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let signed = app.notary().sign_now().expect("a whole log").expect("a checkpoint");
        assert_eq!(app.send(None, "GET", "/readyz", &[], b"").status, 200, "the control");
        app.publish(QUESTIONNAIRE);
        test.disarm_audit();
        test.execute(&format!("UPDATE audit_entry SET actor = 'somebody-else' WHERE seq = {}", signed.size))
            .expect("edited");
        let refused = app.notary().sign_now().expect_err("a touched log");
        assert!(matches!(&refused, AuditError::Fault(fault) if fault.seq() == signed.size), "{refused}");
        let ready = app.send(None, "GET", "/readyz", &[], b"");
        assert_eq!((ready.status, ready.problem().as_str()), (503, "audit-broken"));
        assert!(app.notary().sign_now().is_err());
        assert_eq!(app.database().newest_checkpoint().expect("an answer").expect("it").size, signed.size);
    });
}

#[test]
fn a_log_that_was_touched_while_the_server_was_down_is_found_at_the_next_start() {
    on_every_backend(|test| {
        TestApp::start(test).stop();
        test.disarm_audit();
        test.execute("UPDATE audit_entry SET object = 'server/other' WHERE seq = 1").expect("edited");
        let app = TestApp::start(test);
        let refused = app.notary().sign_now().expect_err("a touched log");
        assert!(matches!(&refused, AuditError::Fault(fault) if fault.seq() == 1), "{refused}");
    });
}
