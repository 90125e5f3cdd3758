//! Submissions: stored first, judged later, idempotent under the id the tablet made.

use std::thread;

use scilit::{
    evidence::{Receipt, Verifier, sha256_hex},
    server::Role,
};
use serde_json::{Value, json};

use crate::support::{
    app::{QUESTIONNAIRE, SAMPLE, TABLET, TestApp, submission, survey_request},
    on_every_backend, row_counts,
};

fn notices(answer: &Value) -> Vec<(String, String)> {
    let notice = |notice: &Value| {
        (notice["code"].as_str().expect("a code").to_owned(), notice["pointer"].as_str().unwrap_or_default().to_owned())
    };
    answer["notices"].as_array().expect("notices").iter().map(notice).collect()
}

#[test]
fn acc013_rel_c4_the_same_bytes_twice_get_the_identical_receipt_signed_by_a_published_key() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let body = submission(TABLET, &hash, "c1").to_string();
        let first = app.submit(TABLET, 1, body.as_bytes());
        assert_eq!(first.status, 201, "{}", first.text());
        assert_eq!(first.json()["state"], "parsed");
        let receipt = |text: &str| text[..text.find(",\"state\"").expect("a state")].to_owned();
        let again = app.submit(TABLET, 1, body.as_bytes());
        assert_eq!(again.status, 200);
        assert_eq!(receipt(&again.text()), receipt(&first.text()), "byte for byte");
        let receipt = &first.json()["receipt"];
        assert_eq!(receipt["sha256"], sha256_hex(body.as_bytes()));
        assert_eq!((receipt["id"].as_str(), receipt["conflict"].clone()), (Some(TABLET), json!(false)));
        let read: Receipt = serde_json::from_value(receipt.clone()).expect("a receipt");
        let keys = app.send(None, "GET", "/api/v1/keys", &[], b"").json();
        assert!(keys.to_string().contains(read.key_id.as_deref().expect("a key")), "{keys}");
        let known: Vec<Verifier> = keys["keys"]
            .as_array()
            .expect("keys")
            .iter()
            .map(|key| key["key"].as_str().expect("a key").parse().expect("a verifier"))
            .collect();
        assert_eq!(read.verify(&known), Ok(()), "as anybody can who asks for the keys");
        let forged = Receipt { rev: read.rev + 1, ..read.clone() };
        assert!(forged.verify(&known).is_err(), "another revision was not signed");
        let index = read.log_index.expect("a place in the log");
        let entry = app.database().audit_entries(index, 1).expect("entries").remove(0);
        assert_eq!((entry.action.as_str(), entry.object), ("submission.keep", format!("submission/{TABLET}/1")));
        let kept = |entry: &scilit::storage::AuditEntry| entry.action == "submission.keep";
        let all = app.database().audit_entries(0, 1000).expect("entries");
        assert_eq!(all.iter().filter(|entry| kept(entry)).count(), 1, "the replay has no entry of its own");
        let short = receipt["short_code"].as_str().expect("a short code");
        let found = app.get(Role::Supervisor, &format!("/api/v1/receipts/{}", short.to_lowercase()));
        assert_eq!(found.json()[0], *receipt);
    });
}

#[test]
fn rel_c2_other_bytes_under_the_same_revision_are_a_conflict_and_both_are_kept() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let mut body = submission(TABLET, &hash, "c1");
        assert_eq!(app.submit(TABLET, 1, body.to_string().as_bytes()).status, 201);
        body["note"] = json!("改过");
        let conflict = app.submit(TABLET, 1, body.to_string().as_bytes());
        assert_eq!((conflict.status, conflict.problem().as_str()), (409, "rev-conflict"));
        let problem = conflict.json();
        assert_eq!(
            (problem["receipt"]["conflict"].clone(), problem["action"].clone()),
            (json!(true), json!("keep_local"))
        );
        let again = app.submit(TABLET, 1, body.to_string().as_bytes());
        assert_eq!((again.status, &again.json()["receipt"]), (409, &problem["receipt"]));
        let shown = app.get(Role::Supervisor, &format!("/api/v1/responses/{TABLET}")).json();
        assert_eq!(shown["versions"].as_array().expect("versions").len(), 2);
        assert_eq!(
            (shown["response"]["conflict"].clone(), shown["response"]["state"].clone()),
            (json!(true), json!("parsed"))
        );
    });
}

#[test]
fn acc014_rel_c1_sixty_four_identical_puts_are_one_201_and_63_times_200_one_row_and_one_receipt() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let body = submission(TABLET, &hash, "c1").to_string();
        let answers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..64).map(|_| scope.spawn(|| app.submit(TABLET, 1, body.as_bytes()))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        let statuses = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((statuses(201), statuses(200)), (1, 63));
        let receipt = answers[0].json()["receipt"].clone();
        assert!(answers.iter().all(|answer| answer.json()["receipt"] == receipt));
        let rows = row_counts(test);
        assert_eq!((rows["submission_raw"], rows["receipt"], rows["interview"]), (1, 1, 1));
        assert_eq!(app.database().submission_versions(TABLET).expect("versions").len(), 1);
        // The control: the same storm under ids of its own stores each.
        let other = |n: usize| format!("019abcde-0000-7000-8000-0000000002{n:02}");
        thread::scope(|scope| {
            for n in 0..8 {
                let (app, id) = (&app, other(n));
                scope.spawn(move || assert_eq!(app.submit(&id, 1, b"{}").status, 202));
            }
        });
        assert_eq!(row_counts(test)["submission_raw"], 9);
    });
}

#[test]
fn acc018_a_digest_that_does_not_fit_stores_nothing_and_the_retry_is_taken() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let path = format!("/api/v1/submissions/{TABLET}/revs/1");
        let put = |headers: &[(&str, &str)]| {
            let mut all = vec![("Content-Type", "application/json")];
            all.extend(headers);
            app.send(Some(Role::Surveyor), "PUT", &path, &all, b"{}")
        };
        let wrong = "0".repeat(64);
        for header in [("Submission-Sha256", wrong.as_str()), ("Submission-Sha256", "short")] {
            let refused = put(&[header]);
            assert_eq!((refused.status, refused.problem().as_str()), (400, "digest-mismatch"));
            assert_eq!(refused.json()["retryable"], true);
        }
        assert_eq!(put(&[]).problem(), "digest-missing");
        assert!(app.database().interview(TABLET).expect("an answer").is_none());
        assert_eq!(row_counts(test)["submission_raw"], 0);
        assert_eq!(app.submit(TABLET, 1, b"{}").status, 202, "the retry with the digest of the bytes");
    });
}

#[test]
fn what_cannot_be_judged_good_is_stored_and_quarantined_with_its_faults() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let good = submission(TABLET, &hash, "c1");
        let with = |change: &dyn Fn(&mut Value)| {
            let mut body = good.clone();
            change(&mut body);
            body.to_string()
        };
        let cases: Vec<(&str, String, &str, &str)> = vec![
            ("truncated JSON", "{".to_owned(), "malformed", ""),
            ("null", "null".to_owned(), "", ""),
            ("an array", format!("[{good}]"), "", ""),
            ("a NUL", good.to_string().replace("\"note\":\"\"", "\"note\":\"a\\u0000b\""), "", ""),
            ("deep nesting", format!("{}{}", "[".repeat(200), "]".repeat(200)), "malformed", ""),
            ("an unknown item", with(&|body| body["answers"][0]["i"] = json!("K99")), "unknown-item", "/answers/0"),
            (
                "an impossible code",
                with(&|body| body["answers"][0]["v"] = json!("robot")),
                "impossible-code",
                "/answers/0",
            ),
            (
                "another id",
                with(&|body| body["id"] = json!("019abcde-0000-7000-8000-00000000ffff")),
                "id-mismatch",
                "/id",
            ),
            ("another revision", with(&|body| body["rev"] = json!(7)), "rev-mismatch", "/rev"),
            (
                "an unknown questionnaire",
                with(&|body| body["instrument"] = json!("0".repeat(64))),
                "unknown-instrument",
                "/instrument",
            ),
            ("an unknown case", with(&|body| body["case"] = json!("c99")), "unknown-case", "/case"),
        ];
        for (n, (what, body, code, pointer)) in cases.into_iter().enumerate() {
            let id = format!("019abcde-0000-7000-8000-0000000001{n:02}");
            let body = body.replace(TABLET, &id);
            let kept = app.submit(&id, 1, body.as_bytes());
            assert_eq!(kept.status, 202, "{what}: {}", kept.text());
            assert_eq!(kept.json()["state"], "quarantined", "{what}");
            assert_eq!(kept.json()["receipt"]["sha256"], sha256_hex(body.as_bytes()), "{what}");
            let notices = notices(&kept.json());
            let named = |(found, place): &(String, String)| found == code && place.starts_with(pointer);
            assert!(
                if code.is_empty() { !notices.is_empty() } else { notices.iter().any(named) },
                "{what}: {notices:?}"
            );
            let again = app.submit(&id, 1, body.as_bytes());
            assert_eq!((again.status, &again.json()["receipt"]), (200, &kept.json()["receipt"]), "{what}");
        }
        assert_eq!(app.send(None, "GET", "/healthz", &[], b"").status, 200);
    });
}

#[test]
fn bytes_that_are_no_text_are_kept_as_they_are() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let body = [0xff, 0xfe, 0x00, 0x7b];
        let kept = app.submit(TABLET, 1, &body);
        assert_eq!((kept.status, kept.json()["state"].clone()), (202, json!("quarantined")));
        let waiting = app.database().quarantined_submissions(&["malformed"], 0, 10).expect("rows");
        assert_eq!(waiting[0].body, body);
    });
}

#[test]
fn quarantine_ends_by_itself_when_the_questionnaire_and_the_sample_arrive() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let hash = scilit::instrument::Questionnaire::from_toml("q", QUESTIONNAIRE).expect("sound").hash().to_owned();
        let body = submission(TABLET, &hash, "c1").to_string();
        let early = app.submit(TABLET, 1, body.as_bytes());
        assert_eq!(notices(&early.json())[0].0, "unknown-instrument");
        let state =
            || app.get(Role::Supervisor, &format!("/api/v1/responses/{TABLET}")).json()["response"]["state"].clone();
        app.publish(QUESTIONNAIRE);
        assert_eq!(state(), "quarantined", "its case is still unknown");
        let made = app.create_survey(&survey_request("调查", &hash)).json();
        app.put_file(made["id"].as_str().expect("an id"), "sample", SAMPLE);
        assert_eq!(state(), "parsed");
        let again = app.submit(TABLET, 1, body.as_bytes());
        assert_eq!((again.status, &again.json()["receipt"]), (200, &early.json()["receipt"]));
        assert_eq!(again.json()["notices"], json!([]));
    });
}

#[test]
fn a_second_interview_of_a_case_is_kept_as_surplus() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        assert_eq!(app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes()).status, 201);
        let other = "019abcde-0000-7000-8000-000000000002";
        let surplus = app.submit(other, 1, submission(other, &hash, "c1").to_string().as_bytes());
        assert_eq!((surplus.status, surplus.json()["state"].clone()), (202, json!("surplus")));
        assert_eq!(notices(&surplus.json())[0].0, "case-already-complete");
        let list =
            |query: &str| app.get(Role::Supervisor, &format!("/api/v1/surveys/{survey}/responses{query}")).json();
        let ids = |list: &Value| -> Vec<Value> {
            list["responses"].as_array().expect("a list").iter().map(|row| row["id"].clone()).collect()
        };
        assert_eq!(ids(&list("")), [TABLET, other]);
        let first = list("?limit=1");
        assert_eq!((ids(&first), first["next"].clone()), (vec![json!(TABLET)], json!(TABLET)));
        assert_eq!(ids(&list(&format!("?limit=1&after={TABLET}"))), [other]);
    });
}

#[test]
fn an_id_that_is_no_uuid_version_7_or_a_revision_that_is_no_number_is_refused() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        for id in ["1", "not-a-uuid", "f47ac10b-58cc-4372-a567-0e02b2c3d479"] {
            assert_eq!(app.submit(id, 1, b"{}").problem(), "id-not-v7", "{id}");
        }
        for rev in [0, -1] {
            assert_eq!(app.submit(TABLET, rev, b"{}").problem(), "invalid", "{rev}");
        }
        assert!(app.database().interview(TABLET).expect("an answer").is_none());
    });
}
