//! Who may do what, whom, and where: the policy with real persons, regions, and two administrators.

use scilit::server::{Grant, Open, Role, Settings, http::ROUTES};
use serde_json::json;

use crate::support::{
    app::{TABLET, TestApp, counting, submission},
    on_every_backend,
    people::Desk,
};

const OTHER: &str = "019abcde-0000-7000-8000-000000000003";
const UNKNOWN: &str = "019abcde-0000-7000-8000-0000000000ff";

/// One person for each role; field roles in district 230102.
fn staff(app: &TestApp) -> Vec<(Role, Desk)> {
    let scope = |role| if matches!(role, Role::Surveyor | Role::Supervisor) { "230102" } else { "" };
    let desk = |role: Role| {
        app.person(role.name(), &[(role, scope(role))]);
        (role, app.sit_down(role.name()))
    };
    Role::ALL.into_iter().map(desk).collect()
}

fn filled(path: &str) -> String {
    let path = path.replace("{uuid}", UNKNOWN).replace("{rev}", "1").replace("{kind}", "sample");
    path.replace("{hash}", "0").replace("{short}", "0").replace("{id}", UNKNOWN).replace("{name}", "results.json")
}

#[test]
fn acc060_rel_s1_every_route_lets_in_exactly_the_roles_of_the_policy_file() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let staff = staff(&app);
        // Signing out is tried elsewhere: it would end the session all others are tried with.
        let routes: Vec<_> = ROUTES.iter().filter(|route| route.path != "/api/v1/logout").collect();
        let mut tried = 0;
        for route in routes {
            for (role, desk) in &staff {
                let answer = app.at(desk, route.method, &filled(route.path), None);
                let allowed = route.access.open == Open::Public || route.access.grant(*role) > Grant::No;
                // The answer to HEAD has no body.
                let refused = answer.status == 403 && (route.method == "HEAD" || answer.problem() == "forbidden-role");
                let for_tablets = route.path == "/api/v1/devices/self";
                assert!(!for_tablets || answer.status != 204);
                assert!(
                    refused != allowed || for_tablets,
                    "{} {} as {role:?}: {}",
                    route.method,
                    route.path,
                    answer.text()
                );
                assert!(answer.status < 500, "{} {}: {}", route.method, route.path, answer.text());
                tried += 1;
            }
        }
        assert_eq!(tried, (ROUTES.len() - 1) * 5);
        let refused = ROUTES.iter().filter(|route| route.access.open != Open::Public);
        let refused = refused
            .flat_map(|route| Role::ALL.map(|role| route.access.grant(role)))
            .filter(|grant| *grant == Grant::No);
        let entries = app.database().audit_entries(0, 10_000).expect("entries");
        let forbidden = |detail: &Option<String>| detail.as_deref().is_some_and(|text| text.contains("forbidden-role"));
        let attempts = entries.iter().filter(|entry| entry.action == "request.attempt" && forbidden(&entry.detail));
        let logged = attempts.count();
        assert_eq!(logged, refused.count(), "each refusal has its entry");
    });
}

#[test]
fn acc060_administrators_reach_no_answers_and_auditors_change_nothing() {
    let own = ["/api/v1/logout", "/api/v1/me/password", "/api/v1/sessions/{id}"];
    // They compute for themselves, and are the second person without whom nothing becomes public.
    let acts = ["/api/v1/surveys/{id}/runs", "/api/v1/runs/{id}/cancel", "/api/v1/runs/{id}/release/confirm"];
    // Says where the interview stands and nothing of what is in it.
    let reopens = "/api/v1/responses/{id}/reopen";
    for route in ROUTES.iter().filter(|route| route.access.open != Open::Public) {
        let writes = route.method != "GET" && !own.contains(&route.path) && !acts.contains(&route.path);
        if writes {
            assert_eq!(route.access.grant(Role::Auditor), Grant::No, "{} {}", route.method, route.path);
        }
        if route.path != reopens && (route.path.contains("responses") || route.path.contains("submissions")) {
            assert_eq!(route.access.grant(Role::Admin), Grant::No, "{} {}", route.method, route.path);
        }
    }
}

/// A survey with a response of district 230102 and one of 230103, each from the tablet of its own surveyor.
struct Field {
    survey: String,
    near: crate::support::people::Tablet,
    far: crate::support::people::Tablet,
    shorts: [String; 2],
}

fn field(app: &TestApp, admin: &Desk) -> Field {
    let (survey, hash) = app.survey("调查");
    let near = app.person("near", &[(Role::Surveyor, "230102")]);
    let far = app.person("far", &[(Role::Surveyor, "230103")]);
    let (near, far) = (app.tablet(admin, &near), app.tablet(admin, &far));
    let short = |answer: crate::support::http::Answer| {
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["receipt"]["short_code"].as_str().expect("a code").to_owned()
    };
    let first = app.hand_in(&near, TABLET, submission(TABLET, &hash, "c1").to_string().as_bytes());
    let second = app.hand_in(&far, OTHER, submission(OTHER, &hash, "c3").to_string().as_bytes());
    let code = |answer: &crate::support::http::Answer| {
        answer.json()["receipt"]["short_code"].as_str().expect("a code").to_owned()
    };
    let shorts = [code(&first), code(&second)];
    short(first);
    short(second);
    Field { survey, near, far, shorts }
}

#[test]
fn acc060_rel_s1_what_is_outside_the_region_is_as_if_it_were_not_there() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let staff = staff(&app);
        let desk = |role| &staff.iter().find(|(known, _)| *known == role).expect("a desk").1;
        let field = field(&app, desk(Role::Admin));
        // Own region, other region, unknown.
        let expected = [
            (Role::Surveyor, [403, 403, 403]),
            (Role::Supervisor, [200, 404, 404]),
            (Role::Analyst, [200, 200, 404]),
            (Role::Auditor, [200, 200, 404]),
            (Role::Admin, [403, 403, 403]),
        ];
        for (role, statuses) in expected {
            let status = |id| app.at(desk(role), "GET", &format!("/api/v1/responses/{id}"), None).status;
            assert_eq!([TABLET, OTHER, UNKNOWN].map(status), statuses, "{role:?}");
            let list = app.at(desk(role), "GET", &format!("/api/v1/surveys/{}/responses", field.survey), None);
            let seen = list.json()["responses"].as_array().map(Vec::len);
            let rows = statuses.iter().filter(|status| **status == 200).count();
            assert_eq!(seen, (rows > 0).then_some(rows), "{role:?}");
        }
        let receipt = |short: &str| format!("/api/v1/receipts/{}", short.replace('~', "%7E"));
        let of_tablet =
            |tablet| [0, 1].map(|n: usize| app.send_from(tablet, "GET", &receipt(&field.shorts[n]), &[], b"").status);
        assert_eq!(of_tablet(&field.near), [200, 404], "one's own, another surveyor's");
        assert_eq!(of_tablet(&field.far), [404, 200]);
        let at_desk = |role| [0, 1].map(|n: usize| app.at(desk(role), "GET", &receipt(&field.shorts[n]), None).status);
        assert_eq!(at_desk(Role::Supervisor), [200, 404]);
        assert_eq!(at_desk(Role::Auditor), [200, 200]);

        let seen =
            |role| app.at(desk(role), "GET", "/api/v1/devices", None).json()["devices"].as_array().expect("rows").len();
        assert_eq!((seen(Role::Supervisor), seen(Role::Admin), seen(Role::Surveyor)), (1, 2, 0));
        let lost = json!({ "status": "lost" });
        let revoke =
            |id: &str| app.at(desk(Role::Supervisor), "POST", &format!("/api/v1/devices/{id}/revoke"), Some(&lost));
        assert_eq!(revoke(&field.far.id).problem(), "forbidden-scope");
        assert_eq!(revoke(UNKNOWN).problem(), "not-found");
        assert_eq!(revoke(&field.near.id).status, 204);
        let far = app.database().person_with_login("far").expect("asked").expect("far").id;
        let body = json!({ "user": far, "label": "平板" });
        let made = app.at(desk(Role::Supervisor), "POST", "/api/v1/enrolment-codes", Some(&body));
        assert_eq!(made.problem(), "forbidden-scope");
    });
}

fn propose(app: &TestApp, desk: &Desk, person: &str, role: &str) -> crate::support::http::Answer {
    let body = json!({ "role": role, "scope": "2301" });
    app.at(desk, "POST", &format!("/api/v1/users/{person}/grants"), Some(&body))
}

#[test]
fn a_role_takes_two_administrators_and_neither_of_them_receives_it() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (first_id, second_id) =
            (app.person("first", &[(Role::Admin, "")]), app.person("second", &[(Role::Admin, "")]));
        let (first, second) = (app.sit_down("first"), app.sit_down("second"));
        let body =
            json!({ "login": "li.si", "display_name": "李四", "work_id": "A-17", "password": "correct horse battery" });
        let made = app.at(&first, "POST", "/api/v1/users", Some(&body));
        assert_eq!(made.status, 201, "{}", made.text());
        assert!(!made.text().contains("argon2"), "no hash leaves");
        assert_eq!(app.at(&second, "POST", "/api/v1/users", Some(&body)).problem(), "login-taken");
        let li = made.json()["id"].as_str().expect("an id").to_owned();
        let desk = app.sit_down("li.si");
        assert_eq!(app.at(&desk, "GET", "/api/v1/surveys", None).problem(), "forbidden-role", "no role yet");

        assert_eq!(
            propose(&app, &first, &first_id, "supervisor").problem(),
            "four-eyes",
            "nobody grants to themselves"
        );
        let proposed = propose(&app, &first, &li, "supervisor");
        assert_eq!((proposed.status, proposed.json()["state"].as_str()), (201, Some("proposed")));
        assert_eq!(propose(&app, &second, &li, "supervisor").problem(), "grant-exists");
        assert_eq!(app.at(&desk, "GET", "/api/v1/surveys", None).problem(), "forbidden-role", "a proposal is no role");
        let confirm = format!("/api/v1/grants/{}/confirm", proposed.json()["id"].as_str().expect("an id"));
        assert_eq!(app.at(&first, "POST", &confirm, None).problem(), "four-eyes", "not one's own proposal");
        assert_eq!(
            app.send(Some(Role::Admin), "POST", &confirm, &[], b"").problem(),
            "four-eyes",
            "not a service token"
        );
        assert_eq!(app.at(&second, "POST", &confirm, None).status, 204);
        assert_eq!(app.at(&second, "POST", &confirm, None).problem(), "not-found", "once");
        assert_eq!(app.at(&desk, "GET", "/api/v1/me", None).status, 401, "a change of roles ends the sessions");

        let desk = app.sit_down("li.si");
        assert_eq!(app.at(&desk, "GET", "/api/v1/surveys", None).status, 200);
        assert_eq!(propose(&app, &first, &li, "auditor").problem(), "roles-exclude");
        assert_eq!(propose(&app, &first, &second_id, "analyst").problem(), "roles-exclude");
        let end = confirm.trim_end_matches("/confirm");
        assert_eq!(app.at(&first, "DELETE", end, None).status, 204);
        assert_eq!(app.at(&desk, "GET", "/api/v1/surveys", None).status, 401);
        let desk = app.sit_down("li.si");
        assert_eq!(app.at(&desk, "GET", "/api/v1/surveys", None).status, 403);

        let disable = format!("/api/v1/users/{li}/disable");
        assert_eq!(app.at(&first, "POST", &disable, None).status, 204);
        assert_eq!(app.at(&desk, "GET", "/api/v1/me", None).status, 401);
        assert_eq!(app.login_with("li.si", "correct horse battery", &[]).problem(), "login-failed");
        assert_eq!(app.at(&first, "POST", &format!("/api/v1/users/{first_id}/disable"), None).problem(), "four-eyes");
        let actions: Vec<_> = app.logged().into_iter().map(|(action, _)| action).collect();
        for action in
            ["person.create", "grant.propose", "grant.confirm", "grant.end", "person.disable", "session.login"]
        {
            assert!(actions.iter().any(|known| known == action), "{action} is not in {actions:?}");
        }
        let users = app.at(&first, "GET", "/api/v1/users", None).json();
        assert_eq!(users["users"].as_array().map(Vec::len), Some(3));
    });
}

#[test]
fn unknown_fields_and_roles_are_refused() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), counting);
        let li = app.person("li.si", &[]);
        app.person("chen", &[(Role::Admin, "")]);
        let desk = app.sit_down("chen");
        let path = format!("/api/v1/users/{li}/grants");
        let bodies = [
            json!({ "role": "root" }),
            json!({ "role": "analyst", "city": "all" }),
            json!({ "role": "supervisor", "scope": "23%" }),
            json!({}),
        ];
        for body in &bodies {
            let answer = app.at(&desk, "POST", &path, Some(body));
            assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"), "{body}");
        }
        let user = |login: &str, password: &str| json!({ "login": login, "display_name": "甲", "password": password });
        for body in [user("ADMIN", "correct horse battery"), user("wang", "short"), user("wang", "password1234")] {
            assert_eq!(app.at(&desk, "POST", "/api/v1/users", Some(&body)).status, 422, "{body}");
        }
        assert!(app.database().grants_of(&li).expect("grants").is_empty());
    });
}
