//! Scoring keys stay at the office: nothing that a surveyor's tablet can fetch has a trace of them.

use scilit::server::{
    Grant, Open, Role, Settings,
    http::{ROUTES, Route},
    jobs::indicator,
};
use serde_json::json;

use crate::support::{
    app::{PROFILE, QUESTIONNAIRE, TestApp, submission, survey_request},
    on_every_backend,
    people::Tablet,
};

const INTERVIEW: &str = "019abcde-0000-7000-8000-000000000041";

/// What only the key of the questionnaire and the profile of the scoring say.
const MARKS: [&str; 5] = ["\"key\":[", "\"points\"", "mark-dimension", "评分标记", "mark-profile"];

fn questionnaire() -> String {
    QUESTIONNAIRE
        .replace("code = \"one\", label", "code = \"mark-dimension\", label")
        .replace("\"one\"", "\"mark-dimension\"")
}

fn profile() -> String {
    let named = PROFILE.replace("id = \"tiny\"", "id = \"mark-profile\"").replace("小档案", "评分标记");
    named.replace("\"one\"", "\"mark-dimension\"")
}

/// The marks in what was sent.
fn found(body: &[u8]) -> Vec<&'static str> {
    MARKS.into_iter().filter(|mark| body.windows(mark.len()).any(|part| part == mark.as_bytes())).collect()
}

/// Everything that a tablet may fetch by the table of routes.
fn open_to_tablets() -> impl Iterator<Item = &'static Route> {
    let is_open = |route: &&Route| {
        let access = route.access;
        route.method == "GET" && (access.open == Open::Public || access.grant(Role::Surveyor) > Grant::No)
    };
    ROUTES.iter().filter(is_open)
}

struct Field {
    app: TestApp,
    tablet: Tablet,
    survey: String,
    hash: String,
    short: String,
    run: String,
}

/// A survey with marks in its keys, a case in a surveyor's hands, an interview and a run.
fn field(test: &crate::support::TestDatabase) -> Field {
    let app = TestApp::start_with(test, Settings::default(), indicator);
    let published = app.publish(&questionnaire());
    assert_eq!(published.status, 201, "{}", published.text());
    let hash = published.json()["hash"].as_str().expect("a hash").to_owned();
    let mut request = survey_request("调查", &hash);
    request["profile"] = json!(profile());
    let made = app.create_survey(&request);
    assert_eq!(made.status, 201, "{}", made.text());
    let survey = made.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(app.put_file(&survey, "sample", crate::support::app::SAMPLE).status, 201);
    app.person("boss", &[(Role::Supervisor, "2301")]);
    let person = app.person("li", &[(Role::Surveyor, "230102")]);
    let desk = app.sit_down("boss");
    let tablet = app.tablet(&desk, &person);
    let give = json!({ "assign": [{ "case": "c1", "user": person }] });
    assert_eq!(app.at(&desk, "POST", &format!("/api/v1/surveys/{survey}/assignments"), Some(&give)).status, 200);
    // Of two eligible the number drawn for the case selects one.
    let told = app.send_from(&tablet, "GET", "/api/v1/sync/changes", &[], b"").json();
    let drawn = told["changes"][0]["value"]["selection"]["u_num"].as_str().expect("a number").to_owned();
    let mut body = submission(INTERVIEW, &hash, "c1");
    body["selection"]["selected_no"] = json!(1 + ((drawn.parse::<u128>().expect("digits") * 2) >> 53));
    let kept = app.hand_in(&tablet, INTERVIEW, body.to_string().as_bytes());
    assert_eq!(kept.status, 201, "{}", kept.text());
    let short = kept.json()["receipt"]["short_code"].as_str().expect("a code").to_owned();
    let other = "019abcde-0000-7000-8000-000000000042";
    assert_eq!(app.submit(other, 1, submission(other, &hash, "c3").to_string().as_bytes()).status, 201);
    let run = app.run(&survey)["id"].as_str().expect("an id").to_owned();
    // What a supervisor returned is handed out to the tablet that it came from.
    let comments =
        json!({ "rev": 1, "reason_code": "check", "item_comments": [{ "item": "sex", "comment": "请核实" }] });
    let returned = app.at(&desk, "POST", &format!("/api/v1/responses/{INTERVIEW}/return"), Some(&comments));
    assert_eq!(returned.status, 200, "{}", returned.text());
    Field { app, tablet, survey, hash, short, run }
}

impl Field {
    fn filled(&self, path: &str) -> String {
        path.replace("responses/{id}", &format!("responses/{INTERVIEW}"))
            .replace("{hash}", &self.hash)
            .replace("{short}", &self.short)
            .replace("{survey}", &self.survey)
            .replace("{case}", "c1")
            .replace("{id}", &self.run)
    }
}

#[test]
fn acc041_nothing_a_tablet_can_fetch_has_a_trace_of_the_scoring_keys() {
    on_every_backend(|test| {
        let field = field(test);
        let mut fetched = 0;
        for route in open_to_tablets() {
            let path = field.filled(route.path);
            assert!(!path.contains('{'), "this test does not know what to ask for: {path}");
            let answer = match route.path {
                // Only for somebody who signed in with a password; surveyors can.
                "/api/v1/sessions" => field.app.at(&field.app.sit_down("li"), "GET", &path, None),
                _ => field.app.send_from(&field.tablet, "GET", &path, &[], b""),
            };
            assert!(matches!(answer.status, 200 | 204), "{path}: {}", answer.text());
            fetched += usize::from(answer.status == 200);
            if path != "/api/v1/openapi.json" {
                assert_eq!(found(&answer.body), [""; 0], "{path}");
            }
        }
        assert!(fetched >= 10, "{fetched} documents");

        // The control: who scores is given every mark, so they are there to be found.
        let bundle = field.app.get(Role::Analyst, &format!("/api/v1/runs/{}/bundle?purpose=audit", field.run));
        assert_eq!(bundle.status, 200, "{}", bundle.text());
        assert_eq!(found(&bundle.body), MARKS, "the analyst's download has them");
    });
}
