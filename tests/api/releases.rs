//! Releases and downloads: what everybody reads was let out by two persons, and what leaves stands in the log.

use std::time::Duration;

use scilit::{
    evidence::sha256_hex,
    server::{Role, Settings, jobs::indicator},
};
use serde_json::{Value, json};

use crate::support::{
    TestDatabase,
    app::{TABLET, TestApp, submission},
    http::Answer,
    on_every_backend,
};

/// A server whose results are public, with a run of two responses that nobody released yet.
fn with_run(test: &TestDatabase) -> (TestApp, String, String) {
    let app = TestApp::start_with(test, Settings { public_results: Some(true), ..Settings::default() }, indicator);
    let (survey, hash) = app.survey("调查");
    app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
    let other = "019abcde-0000-7000-8000-000000000003";
    let wrong = submission(other, &hash, "c3").to_string().replace("\"true\"", "\"false\"");
    app.submit(other, 1, wrong.as_bytes());
    let run = app.run(&survey);
    assert_eq!(run["state"], "succeeded", "{run}");
    (app, survey, run["id"].as_str().expect("an id").to_owned())
}

fn open(app: &TestApp, path: &str) -> Answer {
    app.send(None, "GET", path, &[], b"")
}

fn released(app: &TestApp, run: &str) {
    let path = format!("/api/v1/runs/{run}/release");
    let asked = app.post(Role::Analyst, &path, &json!({}));
    assert_eq!((asked.status, asked.json()["state"].as_str()), (202, Some("requested")), "{}", asked.text());
    let confirmed = app.post(Role::Auditor, &format!("{path}/confirm"), &json!({}));
    assert_eq!((confirmed.status, confirmed.json()["state"].as_str()), (200, Some("released")), "{}", confirmed.text());
}

/// The entries of an object with this action, once there are so many.
fn entries(app: &TestApp, object: &str, action: &str, at_least: usize) -> Vec<Value> {
    for _ in 0..100 {
        let found = app.get(Role::Auditor, &format!("/api/v1/audit/entries?object={object}&limit=200")).json();
        let all = found["entries"].as_array().expect("entries").clone();
        let of: Vec<Value> = all.into_iter().filter(|entry| entry["action"] == action).collect();
        if of.len() >= at_least {
            return of;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{object} has no {at_least} entries {action}");
}

#[test]
fn rel_p7_what_was_not_released_by_two_persons_is_not_there_for_everybody() {
    on_every_backend(|test| {
        let (app, _, run) = with_run(test);
        let paths = ["", "/results", "/series", "/files", "/files/indicator.csv", "/files/results.json"];
        let hidden = || {
            for path in paths {
                let answer = open(&app, &format!("/api/v1/runs/{run}{path}"));
                assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"), "{path}");
                assert_eq!(app.get(Role::Analyst, &format!("/api/v1/runs/{run}{path}")).status, 200, "{path}");
            }
            assert_eq!(open(&app, "/api/v1/runs/latest").status, 404);
            assert_eq!(open(&app, "/api/v1/runs").json()["runs"], json!([]));
        };
        hidden();
        let path = format!("/api/v1/runs/{run}/release");
        assert_eq!(app.get(Role::Supervisor, &path).json()["state"], "none", "nobody asked yet");
        assert_eq!(app.post(Role::Auditor, &format!("{path}/confirm"), &json!({})).problem(), "not-found");
        assert_eq!(app.post(Role::Analyst, &path, &json!({})).status, 202);
        hidden();
        let same = app.post(Role::Analyst, &format!("{path}/confirm"), &json!({}));
        assert_eq!((same.status, same.problem().as_str()), (403, "second-person"));
        hidden();
        assert_eq!(app.post(Role::Auditor, &format!("{path}/confirm"), &json!({})).status, 200);
        assert_eq!(open(&app, "/api/v1/runs/latest").json()["id"], run);
        assert_eq!(app.post(Role::Analyst, &path, &json!({})).problem(), "already-released");
        let log = entries(&app, &format!("run/{run}"), "release.confirm", 1);
        assert_eq!(log.last().expect("an entry")["detail"]["rules"], "scilit/disclosure/1");
    });
}

#[test]
fn rel_p7_everybody_reads_the_released_cells_and_no_number_of_a_withheld_one() {
    on_every_backend(|test| {
        let (app, _, run) = with_run(test);
        released(&app, &run);
        let path = format!("/api/v1/runs/{run}");
        let public = open(&app, &format!("{path}/results"));
        let surveyor = app.get(Role::Analyst, &format!("{path}/results")).json();
        assert_eq!(surveyor["tables"][0]["rows"][0]["n"], 2, "the office reads every cell");
        for table in public.json()["tables"].as_array().expect("tables") {
            for row in table["rows"].as_array().expect("rows") {
                assert_eq!(row["withheld"], "base", "two persons are too few: {row}");
                for number in ["n", "population", "estimate", "se", "df", "ci", "deff", "effective_n", "model"] {
                    assert_eq!(row[number], Value::Null, "{number} of {row}");
                }
            }
        }
        assert_eq!(public.json()["weights"]["steps"], json!([]));
        assert_eq!(open(&app, &path).json()["inputs"], Value::Null);
        let files = open(&app, &format!("{path}/files")).json();
        let names: Vec<&str> =
            files["files"].as_array().expect("files").iter().filter_map(|file| file["name"].as_str()).collect();
        assert_eq!(names, ["indicator.csv", "results.json"]);
        let csv = open(&app, &format!("{path}/files/indicator.csv"));
        assert_eq!(files["files"][0]["sha256"], sha256_hex(&csv.body));
        let city = csv.text().lines().nth(1).expect("the city").to_owned();
        assert!(city.contains("✱,✱,✱,✱,✱") && city.contains("样本量不足"), "{city}");
        for secret in ["responses_weighted.csv", "cases.csv", "weights_log.csv", "response_rates.csv", "answers.csv"] {
            assert_eq!(
                open(&app, &format!("{path}/files/{secret}?purpose=x")).problem(),
                "unauthenticated",
                "{secret}"
            );
        }
        for secret in ["bundle", "microdata", "release"] {
            assert_eq!(open(&app, &format!("{path}/{secret}?purpose=x")).problem(), "unauthenticated", "{secret}");
        }
        let cells = app.get(Role::Supervisor, &format!("{path}/release")).json();
        assert_eq!((cells["state"].as_str(), cells["cells"]["city"].as_str()), (Some("released"), Some("base")));
        assert_eq!(open(&app, &format!("{path}/series")).json()["waves"][0]["whole"]["estimate"], Value::Null);
    });
}

#[test]
fn rel_p8_rows_of_persons_leave_for_a_purpose_only_and_every_download_is_in_the_log_with_its_end() {
    on_every_backend(|test| {
        let (app, _, run) = with_run(test);
        released(&app, &run);
        let path = format!("/api/v1/runs/{run}");
        for file in ["files/responses_weighted.csv", "files/answers.csv", "bundle", "microdata"] {
            for query in ["", "?purpose=", "?purpose=%20%20"] {
                let refused = app.get(Role::Auditor, &format!("{path}/{file}{query}"));
                assert_eq!((refused.status, refused.problem().as_str()), (422, "purpose-missing"), "{file}{query}");
            }
        }
        let unknown = app.get(Role::Auditor, &format!("{path}/files/indicator.csv?porpoise=x"));
        assert_eq!(unknown.problem(), "invalid");
        let purpose = "%E6%A0%B8%E7%AE%97";
        let file = app.get(Role::Auditor, &format!("{path}/files/responses_weighted.csv?purpose={purpose}"));
        let object = format!("run/{run}/responses_weighted.csv");
        let intent = &entries(&app, &object, "download.intent", 1)[0];
        let said = &intent["detail"];
        assert_eq!(said["sha256"], sha256_hex(&file.body));
        assert_eq!((said["bytes"].as_u64(), said["tier"].as_str()), (Some(file.body.len() as u64), Some("A")));
        assert_eq!((said["purpose"].as_str(), intent["role"].as_str()), (Some("核算"), Some("auditor")));
        let end = &entries(&app, &object, "download.end", 1)[0];
        assert_eq!((end["detail"]["intent"].clone(), end["outcome"].as_str()), (intent["seq"].clone(), Some("done")));
        assert_eq!(end["detail"]["bytes_sent"], file.body.len());
        let public = open(&app, &format!("{path}/files/indicator.csv"));
        let entry = &entries(&app, &format!("run/{run}/indicator.csv"), "download.intent", 1)[0];
        assert_eq!((entry["detail"]["tier"].as_str(), entry["role"].as_str()), (Some("C"), Some("public")));
        assert_eq!(entry["detail"]["sha256"], sha256_hex(&public.body));
        let few = app.get(Role::Analyst, &format!("{path}/microdata?purpose=x"));
        assert_eq!((few.status, few.problem().as_str()), (409, "not-releasable"), "two persons hide nobody");
    });
}

#[test]
fn acc066_a_part_of_a_download_goes_on_under_its_first_entry() {
    on_every_backend(|test| {
        let (app, _, run) = with_run(test);
        let path = format!("/api/v1/runs/{run}/bundle?purpose=x");
        let whole = app.get(Role::Auditor, &path);
        let at = whole.body.len() * 7 / 10;
        let part = |role| app.send(Some(role), "GET", &path, &[("Range", &format!("bytes={at}-"))], b"");
        let rest = part(Role::Auditor);
        assert!([&whole.body[..at], &rest.body].concat() == whole.body, "the identical file");
        let object = format!("run/{run}/bundle.tar");
        let ends = entries(&app, &object, "download.end", 2);
        let intents = entries(&app, &object, "download.intent", 1);
        assert_eq!(intents.len(), 1, "one download");
        assert!(ends.iter().all(|end| end["detail"]["intent"] == intents[0]["seq"]));
        assert!(ends.iter().any(|end| end["detail"]["from"] == at), "{ends:?}");
        part(Role::Analyst);
        assert_eq!(
            entries(&app, &object, "download.intent", 2).len(),
            2,
            "another person's part is their own download"
        );
    });
}
