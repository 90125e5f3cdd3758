//! What a tablet that cannot send carried away as a file reaches the server without its PIN, once and for the right office.

use scilit::{evidence::sha256_hex, server::Role};
use serde_json::{Value, json};

use crate::support::{
    app::{TABLET, TestApp, submission},
    on_every_backend,
    people::Desk,
};

const OTHER: &str = "019abcde-0000-7000-8000-000000000002";

/// A package as the tablet makes it, without the part that its PIN opens.
fn package(app: &TestApp, tablet: &str, records: &[(&str, String)]) -> Value {
    let line = |(id, body): &(&str, String)| {
        json!({ "id": id, "rev": 1, "sha256": sha256_hex(body.as_bytes()), "body": body }).to_string()
    };
    let lines = records.iter().map(line).collect::<Vec<_>>().join("\n");
    let office = app.sealed(tablet, "scilit-tablet-package/2", &[], lines.as_bytes());
    json!({
        "format": "scilit-tablet-package/2", "made_at": "2025-06-01T08:00:00Z", "device": tablet,
        "office_key": office["key"], "office_enc": office["enc"], "office_data": office["data"],
        // The part for the PIN is as long as the tablet's work and is not looked at.
        "data": "A".repeat(100_000),
    })
}

struct Office {
    app: TestApp,
    desk: Desk,
    survey: String,
    hash: String,
    surveyor: String,
}

fn office(test: &crate::support::TestDatabase) -> Office {
    let app = TestApp::start(test);
    app.person("boss", &[(Role::Supervisor, "2301")]);
    let surveyor = app.person("field", &[(Role::Surveyor, "230102")]);
    let desk = app.sit_down("boss");
    let (survey, hash) = app.survey("调查");
    Office { app, desk, survey, hash, surveyor }
}

#[test]
fn finished_records_of_a_package_wait_for_a_supervisor_and_are_kept_once() {
    on_every_backend(|test| {
        let Office { app, desk, survey, hash, surveyor } = office(test);
        let tablet = app.tablet(&desk, &surveyor);
        let records = [
            (TABLET, submission(TABLET, &hash, "c1").to_string()),
            (OTHER, submission(OTHER, &hash, "c2").to_string()),
            ("no-uuid", format!("{{\"long\":\"{}\"}}", "a".repeat(20_000))),
        ];
        let file = package(&app, &tablet.id, &records);
        assert!(!file.to_string().contains(TABLET), "the file tells nothing");
        let taken = app.at(&desk, "POST", "/api/v1/packages", Some(&file));
        assert_eq!(taken.status, 207, "{}", taken.text());
        let statuses = |answer: &Value| -> Vec<u64> {
            answer["results"]
                .as_array()
                .expect("results")
                .iter()
                .map(|one| one["status"].as_u64().expect("it"))
                .collect()
        };
        assert_eq!(statuses(&taken.json()), [202, 202, 422], "one that is none hinders no other");
        let listed = |state: &str| {
            let path = format!("/api/v1/surveys/{survey}/responses");
            let all = app.at(&desk, "GET", &path, None).json()["responses"].clone();
            let all = all.as_array().expect("a list").clone();
            all.iter().filter(|one| one["state"] == state).cloned().collect::<Vec<_>>()
        };
        assert_eq!((listed("quarantined").len(), listed("parsed").len()), (2, 0), "they wait");
        for id in [TABLET, OTHER] {
            let seq = app.database().quarantine_of(id).expect("rows")[0].server_seq;
            let accept = format!("/api/v1/quarantine/{seq}/accept");
            assert_eq!(app.at(&desk, "POST", &accept, Some(&json!({"reason": "平板损坏"}))).status, 200);
        }
        assert_eq!(listed("parsed").len(), 2);
        assert!(listed("parsed").iter().all(|one| one["surveyor"] == tablet.id.as_str()), "in their tablet's name");
        // The tablet came to life and sends the same, and the file is handed in once more.
        assert_eq!(app.hand_in(&tablet, TABLET, records[0].1.as_bytes()).status, 200);
        assert_eq!(statuses(&app.at(&desk, "POST", "/api/v1/packages", Some(&file)).json()), [200, 200, 422]);
        assert_eq!(listed("parsed").len(), 2, "nothing is doubled");
        assert_eq!(app.logged().iter().filter(|(action, _)| action == "package.open").count(), 2);
    });
}

#[test]
fn a_package_that_was_changed_or_is_not_for_this_office_opens_nothing() {
    on_every_backend(|test| {
        let Office { app, desk, hash, surveyor, .. } = office(test);
        app.person("elsewhere", &[(Role::Supervisor, "2302")]);
        let elsewhere = app.sit_down("elsewhere");
        let (tablet, another) = (app.tablet(&desk, &surveyor), app.tablet(&desk, &surveyor));
        let good = package(&app, &tablet.id, &[(TABLET, submission(TABLET, &hash, "c1").to_string())]);
        let with = |pointer: &str, value: Value| {
            let mut file = good.clone();
            *file.pointer_mut(pointer).expect("a place") = value;
            file
        };
        let mut data = good["office_data"].as_str().expect("text").to_owned();
        let first = if data.starts_with('A') { "B" } else { "A" };
        data.replace_range(..1, first);
        let refused = |file: &Value| {
            let answer = app.at(&desk, "POST", "/api/v1/packages", Some(file)).json();
            (answer["status"].clone(), answer["errors"][0]["pointer"].clone(), answer["errors"][0]["code"].clone())
        };
        assert_eq!(refused(&with("/office_data", json!(data))), (json!(422), json!("/office_data"), json!("damaged")));
        assert_eq!(refused(&with("/office_data", json!("“"))), (json!(422), json!("/office_data"), json!("damaged")));
        assert_eq!(refused(&with("/office_enc", json!("AA=="))), (json!(422), json!("/office_data"), json!("damaged")));
        assert_eq!(
            refused(&with("/office_key", json!("00000000"))),
            (json!(422), json!("/office_key"), json!("unknown-key"))
        );
        assert_eq!(refused(&with("/device", json!(another.id))).2, "damaged", "another tablet's name");
        assert_eq!(refused(&with("/device", json!("nobody"))).0, 404);
        assert_eq!(refused(&with("/format", json!("scilit-tablet-package/1"))).0, 422);
        assert_eq!(app.at(&elsewhere, "POST", "/api/v1/packages", Some(&good)).problem(), "forbidden-scope");
        assert!(app.database().interview(TABLET).expect("looked").is_none(), "nothing was stored");
        assert_eq!(app.at(&desk, "POST", "/api/v1/packages", Some(&good)).status, 207, "the control");
    });
}
