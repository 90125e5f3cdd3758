//! Setting a survey up.

use scilit::server::Role;
use serde_json::json;

use crate::support::{
    app::{QUESTIONNAIRE, SAMPLE, TestApp, survey_request},
    on_every_backend,
};

#[test]
fn a_survey_is_made_listed_and_shown_with_its_files() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (id, hash) = app.survey("调查");
        let put = app.put_file(&id, "margins", "variable,level,total\nsex,male,500\nsex,female,500\n");
        assert_eq!(put.status, 201, "{}", put.text());
        let shown = app.get(Role::Auditor, &format!("/api/v1/surveys/{id}")).json();
        assert_eq!(shown["survey"]["questionnaire"], hash);
        assert_eq!(shown["survey"]["profile_id"], "tiny");
        assert_eq!(shown["cases"], 3);
        let kinds: Vec<_> = shown["files"].as_array().expect("files").iter().map(|file| file["kind"].clone()).collect();
        assert_eq!(kinds, ["margins", "sample"]);
        let list = app.get(Role::Analyst, "/api/v1/surveys").json();
        assert_eq!(list["surveys"][0]["id"], id);
        let again = app.put_file(&id, "sample", SAMPLE);
        assert_eq!((again.status, again.json()["version"].clone()), (200, json!(1)));
    });
}

#[test]
fn a_code_is_taken_once() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let refused = app.create_survey(&survey_request("另一个", &hash));
        assert_eq!((refused.status, refused.problem().as_str()), (409, "code-taken"));
    });
}

#[test]
fn every_fault_of_a_request_is_named_with_its_field() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let hash = app.publish(QUESTIONNAIRE).json()["hash"].as_str().expect("a hash").to_owned();
        let mut request = survey_request("", &hash);
        request["code"] = json!("Bad Code");
        request["fieldwork_from"] = json!("2025-02-30");
        let refused = app.create_survey(&request);
        assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
        let faults = refused.json()["errors"].as_array().expect("faults").clone();
        let places: Vec<_> = faults.iter().map(|fault| fault["pointer"].as_str().expect("a place")).collect();
        assert_eq!(places, ["/code", "/fieldwork_from", "/title"]);
        assert!(!refused.text().contains("Bad Code"), "the value is not echoed");
        assert!(app.database().surveys().expect("rows").is_empty());
    });
}

#[test]
fn a_request_with_an_unknown_field_or_an_unknown_questionnaire_or_a_bad_profile_is_refused() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let hash = app.publish(QUESTIONNAIRE).json()["hash"].as_str().expect("a hash").to_owned();
        let mut unknown_field = survey_request("调查", &hash);
        unknown_field["colour"] = json!("red");
        let mut bad_profile = survey_request("调查", &hash);
        bad_profile["profile"] = json!("id = 1");
        let mut backwards = survey_request("调查", &hash);
        backwards["fieldwork_to"] = json!("2024-01-01");
        for request in [unknown_field, bad_profile, backwards, survey_request("调查", &"0".repeat(64))] {
            let refused = app.create_survey(&request);
            assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"), "{}", refused.text());
        }
        assert!(app.database().surveys().expect("rows").is_empty());
    });
}

#[test]
fn a_profile_that_does_not_fit_the_questionnaire_is_refused() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let hash = app.publish(QUESTIONNAIRE).json()["hash"].as_str().expect("a hash").to_owned();
        let mut request = survey_request("调查", &hash);
        let profile = request["profile"].as_str().expect("a profile").replace("maximum = 10", "maximum = 50");
        request["profile"] = json!(profile);
        let refused = app.create_survey(&request);
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(refused.text().contains("maximum"), "{}", refused.text());
    });
}

#[test]
fn a_bad_file_is_refused_whole_with_every_line() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (id, _) = app.survey("调查");
        let bad = SAMPLE.replace("p1,urban,0.5", "p1,urban,0").replace("p3,rural,0.25", "p3,rural,1.5");
        let refused = app.put_file(&id, "sample", &bad);
        assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
        let faults = refused.json()["errors"].as_array().expect("faults").clone();
        let lines: Vec<_> = faults.iter().map(|fault| fault["line"].as_u64().expect("a line")).collect();
        assert_eq!(lines, [2, 4], "{faults:?}");
        assert_eq!(faults[0]["column"], "prob_psu");
        let shown = app.get(Role::Analyst, &format!("/api/v1/surveys/{id}")).json();
        assert_eq!((shown["cases"].clone(), shown["files"][0]["version"].clone()), (json!(3), json!(1)), "as before");

        for (kind, content) in [
            ("margins", "variable,level,total\nsex,male,-5\nsex,female,500\n"),
            ("margins", "variable,level,total\nsex,male,500\nsex,female,500\nage,1,10\nage,2,20\n"),
            ("regions", "code\n1\n"),
            ("targets", "[[target]]\nid = \"x\"\n"),
        ] {
            let refused = app.put_file(&id, kind, content);
            assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"), "{kind}: {content}");
            assert!(!refused.json()["errors"].as_array().expect("faults").is_empty());
        }
        assert_eq!(app.database().survey_files(&id).expect("files").len(), 1, "nothing half-imported");
    });
}

#[test]
fn an_unknown_kind_or_survey_is_not_found() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (id, _) = app.survey("调查");
        assert_eq!(app.put_file(&id, "secrets", "a").problem(), "not-found");
        assert_eq!(app.put_file("nobody", "sample", SAMPLE).problem(), "not-found");
        assert_eq!(app.get(Role::Analyst, "/api/v1/surveys/nobody").problem(), "not-found");
    });
}
