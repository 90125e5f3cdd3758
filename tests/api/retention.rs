//! What is kept until when: contact data go on their day, raw responses not before two years, and nothing under a legal hold.

use std::{thread::sleep, time::Duration};

use scilit::{
    evidence::{Frontier, sha256_hex},
    export::bundle::verify,
    server::{
        Role, Settings, archive,
        jobs::indicator,
        retention::{Periods, RawRefusal, Retention, Standing, What},
    },
    storage::{Author, Survey},
};
use serde_json::{Value, json};

use crate::support::{
    app::{SAMPLE, TABLET, TestApp, submission, survey_request},
    http::Answer,
    on_every_backend,
};

const DAY: i64 = 24 * 60;
const CONTACTS: &str =
    "case_id,address,name,phone,note\nc1,和平路 1 号,李先生,13800001234,\nc2,和平路 2 号,,0451-86412345,\n";

fn put_contacts(app: &TestApp, survey: &str, contacts: &str) {
    let path = format!("/api/v1/surveys/{survey}/files/contacts");
    let put = app.send(Some(Role::Supervisor), "PUT", &path, &[("Content-Type", "text/csv")], contacts.as_bytes());
    assert_eq!(put.status, 200, "{}", put.text());
}

fn contact(app: &TestApp, survey: &str, case: &str) -> u16 {
    let path = format!("/api/v1/cases/{survey}/{case}/contact");
    app.post(Role::Supervisor, &path, &json!({ "reason": "电话复核" })).status
}

fn close(app: &TestApp, survey: &str) {
    assert_eq!(app.post(Role::Analyst, &format!("/api/v1/surveys/{survey}/close"), &json!({})).status, 200);
}

/// The server looks every two seconds whether a day has passed.
fn days_later(app: &TestApp, days: i64) {
    app.pass(days * DAY);
    sleep(Duration::from_millis(4500));
}

fn retention(app: &TestApp, survey: &str) -> Value {
    let answer = app.get(Role::Auditor, &format!("/api/v1/surveys/{survey}/retention"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn standing(app: &TestApp, survey: &str, what: &str) -> String {
    let plan = retention(app, survey)["plan"].as_array().expect("a plan").clone();
    let line = plan.into_iter().find(|line| line["what"] == what);
    line.map_or_else(|| "absent".to_owned(), |line| line["standing"].as_str().expect("a standing").to_owned())
}

fn hold(app: &TestApp, role: Role, survey: &str) -> Answer {
    let path = format!("/api/v1/surveys/{survey}/hold");
    let body = json!({ "reason": "统计监督检查期间" }).to_string();
    app.send(Some(role), "PUT", &path, &[("Content-Type", "application/json")], body.as_bytes())
}

fn other_survey(app: &TestApp, hash: &str) -> String {
    let mut request = survey_request("另一次调查", hash);
    request["code"] = json!("tiny-2");
    let made = app.create_survey(&request);
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(app.put_file(&id, "sample", &elsewhere(SAMPLE)).status, 201);
    id
}

/// The same lines about other cases: one that two surveys have is neither's.
fn elsewhere(lines: &str) -> String {
    lines.replace("\nc", "\nx")
}

fn run_of_two(app: &TestApp, survey: &str, hash: &str) -> String {
    app.submit(TABLET, 1, submission(TABLET, hash, "c1").to_string().as_bytes());
    let other = "019abcde-0000-7000-8000-000000000003";
    let wrong = submission(other, hash, "c3").to_string().replace("\"true\"", "\"false\"");
    app.submit(other, 1, wrong.as_bytes());
    let run = app.run(survey);
    assert_eq!(run["state"], "succeeded", "{run}");
    run["id"].as_str().expect("an id").to_owned()
}

/// The log as an outsider builds it again, erased details and all.
fn log_is_whole(app: &TestApp) {
    // The head first: the end of a download is logged when it comes.
    let head = app.database().audit_head().expect("a head");
    let entries = app.database().audit_entries(0, head.size).expect("entries");
    let mut tree = Frontier::new();
    entries.iter().for_each(|entry| tree.push(entry.header().leaf()));
    assert_eq!(tree.to_bytes(), head.frontier);
}

fn survey_row(app: &TestApp, id: &str) -> Survey {
    app.database().survey(id).expect("a database").expect("the survey")
}

#[test]
fn acc072_contact_data_go_on_their_day_and_aggregates_stay_and_a_legal_hold_stops_it() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (survey, hash) = app.survey("调查");
        let held = other_survey(&app, &hash);
        put_contacts(&app, &survey, CONTACTS);
        put_contacts(&app, &held, &elsewhere(CONTACTS));
        let run = run_of_two(&app, &survey, &hash);
        let files = |app: &TestApp| {
            ["results", "files/indicator.csv", "files/weights_log.csv?purpose=audit"]
                .map(|name| app.get(Role::Auditor, &format!("/api/v1/runs/{run}/{name}")).body)
        };
        let before = files(&app);
        assert_eq!(standing(&app, &survey, "contacts"), "open");
        close(&app, &survey);
        close(&app, &held);
        assert_eq!(hold(&app, Role::Admin, &held).status, 200);
        assert_eq!(standing(&app, &survey, "contacts"), "kept");
        days_later(&app, 89);
        assert_eq!(
            (contact(&app, &survey, "c1"), contact(&app, &held, "x1")),
            (200, 200),
            "the control: a day too early"
        );
        days_later(&app, 2);
        assert_eq!((contact(&app, &survey, "c1"), contact(&app, &survey, "c2")), (404, 404));
        assert_eq!(contact(&app, &held, "x1"), 200, "the hold stops it");
        assert_eq!(
            (standing(&app, &survey, "contacts"), standing(&app, &held, "contacts")),
            ("nothing".into(), "held".into())
        );
        let jobs = retention(&app, &survey)["jobs"].clone();
        assert_eq!(
            (&jobs[0]["kind"], &jobs[0]["items"], &jobs[0]["by"]),
            (&json!("contacts"), &json!(2), &json!("system"))
        );
        assert_eq!(files(&app), before, "aggregates stay, byte for byte");
        log_is_whole(&app);
        let told = app.get(Role::Auditor, &format!("/api/v1/audit/entries?object=case/{survey}/c1&limit=50")).json();
        let told =
            told["entries"].as_array().expect("entries").iter().filter(|entry| !entry["detail"].is_null()).count();
        assert_eq!(told, 0, "nor do the reasons that may name a person stay");
        let again = app.send(
            Some(Role::Supervisor),
            "PUT",
            &format!("/api/v1/surveys/{survey}/files/contacts"),
            &[("Content-Type", "text/csv")],
            CONTACTS.as_bytes(),
        );
        assert_eq!(again.json()["errors"][0]["code"], "erased", "what went does not come back");
        // Lifted by two persons, it is deleted the next day.
        let other = app.another(Role::Admin);
        let lift = format!("/api/v1/surveys/{held}/hold/lift");
        assert_eq!(app.post(Role::Admin, &lift, &json!({ "reason": "检查结束" })).status, 200);
        assert_eq!(app.post_as(&other, &format!("{lift}/confirm"), &json!({})).status, 200);
        days_later(&app, 1);
        assert_eq!(contact(&app, &held, "x1"), 404);
    });
}

#[test]
fn acc072_a_legal_hold_is_set_by_one_administrator_and_lifted_by_two() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        let lift = format!("/api/v1/surveys/{survey}/hold/lift");
        let confirm = format!("{lift}/confirm");
        let reason = json!({ "reason": "检查结束" });
        assert_eq!(app.post(Role::Admin, &lift, &reason).problem(), "wrong-state", "none stands");
        for role in [Role::Surveyor, Role::Supervisor, Role::Analyst, Role::Auditor] {
            assert_eq!(hold(&app, role, &survey).problem(), "forbidden-role", "{role:?}");
        }
        let short = app.post(Role::Admin, &lift, &json!({ "reason": "好" }));
        assert_eq!(short.problem(), "invalid");
        assert_eq!(hold(&app, Role::Admin, &survey).json()["hold"]["reason"], "统计监督检查期间");
        assert_eq!(hold(&app, Role::Admin, &survey).problem(), "wrong-state", "it stands already");
        assert_eq!(app.post(Role::Admin, &confirm, &json!({})).problem(), "wrong-state", "nobody asked");
        assert_eq!(app.post(Role::Admin, &lift, &reason).json()["hold"]["lift_reason"], "检查结束");
        assert_eq!(app.post(Role::Admin, &confirm, &json!({})).problem(), "second-person");
        assert!(app.database().hold(&survey).expect("a database").is_some(), "it stands until another confirms");
        // Whoever finds it should stay sets it again, and the request is void.
        assert_eq!(hold(&app, Role::Admin, &survey).json()["hold"]["lift_reason"], Value::Null);
        let other = app.another(Role::Admin);
        assert_eq!(app.post_as(&other, &confirm, &json!({})).problem(), "wrong-state");
        assert_eq!(app.post(Role::Admin, &lift, &reason).status, 200);
        assert_eq!(app.post_as(&other, &confirm, &json!({})).json()["hold"], Value::Null);
        let log = app.logged();
        let of =
            |action: &str, outcome: &str| log.iter().filter(|entry| **entry == (action.into(), outcome.into())).count();
        assert_eq!([of("hold.set", "done"), of("hold.lift-request", "done"), of("hold.keep", "done")], [1, 2, 1]);
        assert_eq!([of("hold.lift", "refused"), of("hold.lift", "done")], [1, 1]);
    });
}

#[test]
fn acc072_raw_responses_stay_two_years_and_then_go_on_command_while_everything_still_verifies() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (survey, hash) = app.survey("调查");
        let run = run_of_two(&app, &survey, &hash);
        let bundle = || app.get(Role::Auditor, &format!("/api/v1/runs/{run}/bundle?purpose=audit"));
        let before = bundle();
        assert_eq!(before.status, 200, "{}", before.text());
        let body = submission(TABLET, &hash, "c1").to_string();
        let receipt = app.submit(TABLET, 1, body.as_bytes());
        assert_eq!(receipt.status, 200, "a replay");
        let (clock, row) = (app.clock(), survey_row(&app, &survey));
        let periods = Periods::default();
        let retention = Retention { database: app.database(), clock: &clock, periods };
        let delete = || retention.delete_raw(&row, "保存期满", &Author::command_line());
        assert!(matches!(delete(), Err(RawRefusal::Open)));
        close(&app, &survey);
        let refused = delete().expect_err("two years").to_string();
        // Closed on 2025-11-22 by the calendar of China.
        assert!(refused.contains("2027-11-22 起方可删除") && refused.contains("from 2027-11-22 on"), "{refused}");
        app.pass(730 * DAY - 60);
        assert!(matches!(delete(), Err(RawRefusal::TooYoung(_))), "an hour too early");
        app.pass(120);
        let plan = retention.plan(&row).expect("a plan");
        let raw = plan.iter().find(|line| line.what == What::Raw).expect("a line");
        assert_eq!((raw.standing, raw.items), (Standing::OnCommand, 2));
        assert_eq!(hold(&app, Role::Admin, &survey).status, 200);
        assert!(matches!(delete(), Err(RawRefusal::Held)));
        let stored = |app: &TestApp| app.database().submission_bodies(TABLET).expect("bodies").remove(0).body;
        assert_eq!(stored(&app), body.as_bytes(), "the control: it is all there");
        let (other, lift) = (app.another(Role::Admin), format!("/api/v1/surveys/{survey}/hold/lift"));
        assert_eq!(app.post(Role::Admin, &lift, &json!({ "reason": "检查结束" })).status, 200);
        assert_eq!(app.post_as(&other, &format!("{lift}/confirm"), &json!({})).status, 200);
        assert_eq!(delete().expect("deleted"), 2);
        assert_eq!(delete().expect("nothing left"), 0);

        assert!(stored(&app).is_empty());
        let shown = app.get(Role::Auditor, &format!("/api/v1/responses/{TABLET}")).json();
        assert_eq!(
            (&shown["answers"], &shown["versions"][0]["sha256"]),
            (&Value::Null, &json!(sha256_hex(body.as_bytes())))
        );
        let replay = app.submit(TABLET, 1, body.as_bytes());
        assert_eq!((replay.status, replay.text()), (200, receipt.text()), "its digest and its receipt are known");
        let after = bundle();
        assert_eq!(after.body, before.body);
        let files = archive::unpack(&before.body).expect("an archive");
        assert!(verify(&files, None).is_ok(), "a bundle from before verifies");
        assert_eq!(app.get(Role::Auditor, &format!("/api/v1/runs/{run}/results")).status, 200);
        log_is_whole(&app);
        let evidence = app.get(Role::Auditor, &format!("/api/v1/submissions/{TABLET}/evidence?purpose=audit")).json();
        assert_eq!(evidence["revisions"][0]["deleted"], true);
        let next = app.run(&survey);
        assert_eq!((&next["state"], &next["error"]["code"]), (&json!("failed"), &json!("raw-deleted")));
        let log = app.logged().into_iter().filter(|(action, _)| action == "retention.delete").count();
        assert_eq!(log, 1);
        assert_eq!(self::retention(&app, &survey)["jobs"][0]["reason"], "保存期满");
    });
}

#[test]
fn acc072_the_tables_refuse_to_empty_a_body_that_no_deletion_names() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let empty = if test.file().is_some() { "x''" } else { "''::bytea" };
        let seq = app.database().submission_versions(TABLET).expect("versions")[0].server_seq;
        assert!(test.execute(&format!("UPDATE submission_raw SET body = {empty}")).is_err());
        test.execute(&format!(
            "INSERT INTO retention_job (id, survey_id, kind, items, reason, by_id, by_role, at_ms) VALUES ('j', '{survey}', 'raw', 1, 'r', 'b', 'o', 1)"
        ))
        .expect("a job");
        test.execute(&format!("INSERT INTO submission_erased (server_seq, job_id) VALUES ({seq}, 'j')"))
            .expect("a row");
        assert!(test.execute("UPDATE submission_raw SET rev = 7").is_err(), "nothing else changes");
        assert!(test.execute("UPDATE submission_raw SET sha256 = 'x'").is_err());
        test.execute(&format!("UPDATE submission_raw SET body = {empty}")).expect("the control: this may be");
        assert!(test.execute("DELETE FROM submission_raw").is_err());
        assert!(test.execute("DELETE FROM retention_job").is_err());
    });
}

fn upload(app: &TestApp, id: &str, whole: &[u8], sent: usize) -> Answer {
    let (length, digest) = (whole.len().to_string(), sha256_hex(whole));
    let headers = [
        ("Content-Type", "application/offset+octet-stream"),
        ("Upload-Offset", "0"),
        ("Upload-Length", length.as_str()),
        ("Upload-Sha256", digest.as_str()),
    ];
    app.send(Some(Role::Surveyor), "PATCH", &format!("/api/v1/attachments/{id}"), &headers, &whole[..sent])
}

fn named(id: &str, bytes: &[u8], kind: &str) -> Value {
    json!({ "uuid": id, "sha256": sha256_hex(bytes), "size": bytes.len(), "kind": kind })
}

fn states(app: &TestApp, response: &str) -> Vec<String> {
    let listed = app.get(Role::Supervisor, &format!("/api/v1/responses/{response}/attachments")).json();
    let all = listed["attachments"].as_array().expect("a list").clone();
    all.iter().map(|one| one["state"].as_str().expect("a state").to_owned()).collect()
}

const AUDIO: &str = "019abcde-0000-7000-8000-0000000000a1";
const PART: &str = "019abcde-0000-7000-8000-0000000000a2";
const PHOTO: &str = "019abcde-0000-7000-8000-0000000000a3";
const OTHERS: &str = "019abcde-0000-7000-8000-0000000000a4";
const ABANDONED: &str = "019abcde-0000-7000-8000-0000000000a5";

#[test]
fn acc072_the_erasure_of_a_person_reaches_their_attachments_and_uploads_and_nobody_elses() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        put_contacts(&app, &survey, CONTACTS);
        assert_eq!(upload(&app, AUDIO, b"their voice", 11).status, 200);
        assert_eq!(upload(&app, PART, b"half a picture", 4).status, 200);
        assert_eq!(upload(&app, OTHERS, b"another voice", 13).status, 200);
        let mut theirs = submission(TABLET, &hash, "c1");
        theirs["attachments"] = json!([named(AUDIO, b"their voice", "audio"), named(PART, b"half a picture", "photo")]);
        assert_eq!(app.submit(TABLET, 1, theirs.to_string().as_bytes()).status, 201);
        let second = "019abcde-0000-7000-8000-000000000003";
        let mut others = submission(second, &hash, "c2");
        others["attachments"] = json!([named(OTHERS, b"another voice", "audio")]);
        assert_eq!(app.submit(second, 1, others.to_string().as_bytes()).status, 201);
        assert_eq!(states(&app, TABLET), ["complete", "partial"]);
        let case = format!("/api/v1/cases/{survey}/c1/erasure");
        assert_eq!(app.post(Role::Supervisor, &case, &json!({ "reason": "本人要求" })).status, 202);
        assert_eq!(hold(&app, Role::Admin, &survey).status, 200);
        assert_eq!(app.post(Role::Admin, &format!("{case}/confirm"), &json!({})).problem(), "legal-hold");
        let (other, lift) = (app.another(Role::Admin), format!("/api/v1/surveys/{survey}/hold/lift"));
        assert_eq!(app.post(Role::Admin, &lift, &json!({ "reason": "检查结束" })).status, 200);
        assert_eq!(app.post_as(&other, &format!("{lift}/confirm"), &json!({})).status, 200);
        assert_eq!(states(&app, TABLET), ["complete", "partial"], "the control: nothing went yet");
        assert_eq!(app.post(Role::Admin, &format!("{case}/confirm"), &json!({})).status, 200);
        assert_eq!(states(&app, TABLET), ["deleted", "deleted"]);
        let read = |response: &str, id: &str| {
            app.get(Role::Supervisor, &format!("/api/v1/responses/{response}/attachments/{id}")).status
        };
        assert_eq!(read(TABLET, AUDIO), 404);
        assert_eq!((read(second, OTHERS), states(&app, second)), (200, vec!["complete".to_owned()]), "nobody else's");
        assert_eq!(upload(&app, PART, b"half a picture", 14).problem(), "attachment-deleted");
        let standing = app.send(Some(Role::Surveyor), "HEAD", &format!("/api/v1/attachments/{PART}"), &[], b"");
        assert_eq!(
            (standing.status, standing.header("upload-complete")),
            (200, Some("?1")),
            "the tablet stops sending"
        );
        assert!(app.database().pieces(AUDIO).expect("pieces").is_empty());
        let (_, key) = app.database().sealed_keys("-", AUDIO).expect("a database").expect("a row");
        assert_eq!(key.case_key, None, "its key is destroyed");
    });
}

#[test]
fn acc072_recordings_go_after_thirty_days_uploads_that_were_abandoned_too_and_pictures_with_the_contact_data() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        assert_eq!(upload(&app, AUDIO, b"their voice", 11).status, 200);
        assert_eq!(upload(&app, PHOTO, b"a picture", 9).status, 200);
        assert_eq!(upload(&app, ABANDONED, b"never ended", 5).status, 200);
        let mut body = submission(TABLET, &hash, "c1");
        body["attachments"] = json!([named(AUDIO, b"their voice", "audio"), named(PHOTO, b"a picture", "photo")]);
        assert_eq!(app.submit(TABLET, 1, body.to_string().as_bytes()).status, 201);
        let head =
            |id: &str| app.send(Some(Role::Surveyor), "HEAD", &format!("/api/v1/attachments/{id}"), &[], b"").status;
        assert_eq!(
            (standing(&app, &survey, "recordings"), standing(&app, &survey, "pictures")),
            ("kept".into(), "open".into())
        );
        days_later(&app, 29);
        assert_eq!(
            (states(&app, TABLET), head(ABANDONED)),
            (vec!["complete".into(), "complete".into()], 200),
            "the control"
        );
        days_later(&app, 2);
        assert_eq!(states(&app, TABLET), ["deleted", "complete"]);
        assert_eq!(head(ABANDONED), 404);
        assert_eq!(upload(&app, ABANDONED, b"never ended", 11).status, 200, "a tablet that comes back begins anew");
        close(&app, &survey);
        days_later(&app, 91);
        assert_eq!(states(&app, TABLET), ["deleted", "deleted"]);
        let jobs = retention(&app, &survey)["jobs"].clone();
        let kinds: Vec<&str> = jobs.as_array().expect("jobs").iter().filter_map(|job| job["kind"].as_str()).collect();
        assert_eq!(kinds, ["attachments", "attachments"]);
    });
}
