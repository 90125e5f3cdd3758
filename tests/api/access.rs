//! Who may use which route: the table of routes, tried out with every role and with none.

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
            ("GET", "/api/v1/questionnaires"),
            ("GET", "/api/v1/instruments/{hash}"),
            ("PUT", "/api/v1/submissions/{uuid}/revs/{rev}"),
            ("GET", "/api/v1/receipts/{short}"),
            ("GET", "/api/v1/audit/checkpoint"),
            ("GET", "/api/v1/audit/entries"),
        ]
    );
}

#[test]
fn rows_of_persons_are_for_analysts_and_auditors() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings { public_results: Some(true), ..Settings::default() }, counting);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let id = app.run(&survey)["id"].as_str().expect("an id").to_owned();
        for role in Role::ALL {
            let file = app.get(role, &format!("/api/v1/runs/{id}/files/responses_weighted.csv"));
            let expected = if matches!(role, Role::Analyst | Role::Auditor) { 200 } else { 403 };
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
