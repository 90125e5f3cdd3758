//! What every answer carries, and that the description of the API is the API.

use std::collections::BTreeSet;

use scilit::server::{
    Role,
    http::{CODES, ROUTES, openapi_document},
};

use crate::support::{app::TestApp, on_every_backend};

#[test]
fn the_description_and_the_router_name_the_same_routes() {
    let document = serde_json::to_value(openapi_document()).expect("JSON");
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let routed: BTreeSet<_> = ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(described, routed);
    assert_eq!(routed.len(), ROUTES.len(), "no route twice");
    assert_eq!(document["openapi"].as_str().map(|version| &version[..4]), Some("3.1."));
}

#[test]
fn a_problem_is_described_as_a_problem() {
    let document = serde_json::to_value(openapi_document()).expect("JSON");
    let put = &document["paths"]["/api/v1/submissions/{uuid}/revs/{rev}"]["put"];
    for status in ["400", "409", "413", "415", "default"] {
        let content = put["responses"][status]["content"].as_object().expect("content");
        assert_eq!(content.keys().collect::<Vec<_>>(), ["application/problem+json"], "{status}");
    }
    assert!(put["security"][0]["token"].is_array());
}

#[test]
fn codes_are_unique_and_their_actions_are_the_ones_tablets_know() {
    let names: BTreeSet<_> = CODES.iter().map(|code| code.name).collect();
    assert_eq!(names.len(), CODES.len());
    let known = ["retry", "wait", "reauth", "update_app", "contact_supervisor", "keep_local", "none"];
    assert!(CODES.iter().all(|code| known.contains(&code.action)));
    assert!(CODES.iter().all(|code| (400..600).contains(&code.status)));
}

#[test]
fn every_answer_carries_the_marker_the_request_id_the_time_and_the_security_headers() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let paths =
            ["/healthz", "/readyz", "/", "/api/docs/", "/api/v1/openapi.json", "/api/v1/surveys", "/api/v1/nothing"];
        for path in paths {
            let answer = app.send(None, "GET", path, &[], b"");
            assert_eq!(answer.header("x-survey-api"), Some("1"), "{path}");
            assert_eq!(answer.header("x-request-id").map(str::len), Some(36), "{path}");
            assert!(answer.header("x-server-time-ms").is_some_and(|ms| ms.parse::<i64>().is_ok()), "{path}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            let policy = answer.header("content-security-policy").expect("a policy");
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}");
            assert_eq!(policy.contains("unsafe-inline"), path == "/api/docs/", "{path}");
            assert!(answer.header("cache-control").is_some() && answer.header("date").is_some(), "{path}");
        }
    });
}

#[test]
fn the_interactive_page_comes_from_the_binary_and_reads_the_description() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let page = app.send(None, "GET", "/api/docs/", &[], b"");
        assert_eq!(page.status, 200);
        assert!(!page.text().contains("https://"), "nothing from elsewhere");
        let script = app.send(None, "GET", "/api/docs/swagger-initializer.js", &[], b"");
        assert!(script.text().contains("/api/v1/openapi.json"), "{}", script.text());
        assert_eq!(app.send(None, "GET", "/api/docs", &[], b"").header("location"), Some("/api/docs/"));
        let document = app.send(None, "GET", "/api/v1/openapi.json", &[], b"").json();
        assert_eq!(document["info"]["title"], "scilit");
    });
}

#[test]
fn the_start_page_is_always_there() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let page = app.send(None, "GET", "/", &[], b"");
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(!page.text().contains("<style") && !page.text().contains("style=\""), "nothing inline");
        assert_eq!(app.get(Role::Analyst, "/nothing/here").problem(), "not-found");
    });
}
