//! Publishing questionnaires and fetching forms.

use scilit::server::Role;

use crate::support::{
    app::{QUESTIONNAIRE, TestApp},
    on_every_backend,
};

#[test]
fn a_version_is_published_once_and_the_same_file_again_changes_nothing() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let first = app.publish(QUESTIONNAIRE);
        assert_eq!(first.status, 201, "{}", first.text());
        let again = app.publish(QUESTIONNAIRE);
        assert_eq!((again.status, again.json()), (200, first.json()));
        let list = app.get(Role::Surveyor, "/api/v1/questionnaires").json();
        assert_eq!(list["questionnaires"].as_array().expect("a list").len(), 1);
    });
}

#[test]
fn other_content_under_a_published_version_is_refused() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        assert_eq!(app.publish(QUESTIONNAIRE).status, 201);
        let refused =
            app.publish(&QUESTIONNAIRE.replace("The Earth goes round the Sun", "The Sun goes round the Earth"));
        assert_eq!((refused.status, refused.problem().as_str()), (409, "version-taken"));
        let raised = QUESTIONNAIRE.replace("1.0.0", "1.0.1").replace("The Earth", "Our Earth");
        assert_eq!(app.publish(&raised).status, 201);
    });
}

#[test]
fn every_fault_of_a_file_comes_back_with_its_line_and_item() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let broken = QUESTIONNAIRE.replace("id = \"K01\"", "id = \"sex\"").replace("{ code = \"male\", ", "{ ");
        let refused = app.publish(&broken);
        assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
        let faults = refused.json()["errors"].as_array().expect("faults").clone();
        assert!(!faults.is_empty());
        assert!(
            faults.iter().all(|fault| fault["line"].is_u64() && fault["file"] == "questionnaire.toml"),
            "{faults:?}"
        );
        assert!(app.database().questionnaires().expect("rows").is_empty());
    });
}

#[test]
fn a_duplicate_item_is_named() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let refused = app.publish(&QUESTIONNAIRE.replace("id = \"K01\"", "id = \"sex\""));
        let faults = refused.json()["errors"].as_array().expect("faults").clone();
        assert!(faults.iter().any(|fault| fault["item"] == "sex" && fault["code"] == "duplicate-id"), "{faults:?}");
    });
}

#[test]
fn a_form_has_no_keys_and_may_be_kept_for_ever() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let hash = app.publish(QUESTIONNAIRE).json()["hash"].as_str().expect("a hash").to_owned();
        let path = format!("/api/v1/instruments/{hash}");
        let form = app.get(Role::Surveyor, &path);
        assert_eq!(form.status, 200);
        assert!(form.text().contains("K01"));
        for secret in ["\"key\"", "\"points\""] {
            assert!(!form.text().contains(secret), "{secret} in {}", form.text());
        }
        assert_eq!(form.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(form.header("etag"), Some(format!("\"{hash}\"").as_str()));
        let tag = format!("\"{hash}\"");
        let again = app.send(Some(Role::Surveyor), "GET", &path, &[("If-None-Match", &tag)], b"");
        assert_eq!((again.status, again.body.len()), (304, 0));
        let unknown = app.get(Role::Surveyor, &format!("/api/v1/instruments/{}", "0".repeat(64)));
        assert_eq!((unknown.status, unknown.problem().as_str()), (404, "not-found-instrument"));
    });
}
