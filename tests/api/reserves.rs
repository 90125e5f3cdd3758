//! Reserves in the place of cases that could not be interviewed.

use std::collections::BTreeMap;

use scilit::server::{Role, Settings, jobs::indicator};
use serde_json::{Value, json};

use crate::support::{
    app::{TestApp, submission},
    http::Answer,
    on_every_backend,
    people::{Desk, Tablet},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Noon in China.
const NOON_MS: i64 = 1_763_697_600_000;

/// Two districts of two units: four cases each and two reserves, which have a probability of their own.
fn sample() -> String {
    let mut text = "case_id,district,stratum,psu,residence,prob_psu,prob_household,reserve_rank\n".to_owned();
    for unit in 0..4 {
        let district = if unit < 2 { "230102" } else { "230103" };
        for k in 0..6 {
            let (name, probability, rank) = match k {
                0..4 => (format!("c{unit}{k}"), "0.1", String::new()),
                // The second one stands before the first in the file.
                k => (format!("r{unit}{}", 5 - k), "0.05", (6 - k).to_string()),
            };
            text += &format!("{name},{district},s{district},p{unit},urban,0.5,{probability},{rank}\n");
        }
    }
    text
}

struct Field {
    survey: String,
    hash: String,
    desk: Desk,
    tablet: Tablet,
    person: String,
}

fn field(app: &TestApp) -> Field {
    let (survey, hash) = app.survey("调查");
    let put = app.put_file(&survey, "sample", &sample());
    assert!(put.status < 300, "{}", put.text());
    app.person("boss", &[(Role::Supervisor, "2301")]);
    let desk = app.sit_down("boss");
    let person = app.person("li", &[(Role::Surveyor, "2301")]);
    let tablet = app.tablet(&desk, &person);
    Field { survey, hash, desk, tablet, person }
}

impl Field {
    fn release(&self, app: &TestApp, case: &str, reason: Option<&str>) -> Answer {
        let mut body = json!({ "case": case });
        if let Some(reason) = reason {
            body["reason"] = json!(reason);
        }
        app.at(&self.desk, "POST", &format!("/api/v1/surveys/{}/reserves/release", self.survey), Some(&body))
    }

    /// Tells of a visit to nobody at home.
    fn visit(&self, app: &TestApp, seq: i64, case: &str, at_ms: i64) {
        let event = json!({ "seq": seq, "kind": "contact_attempt", "id": format!("019abcde-0000-7000-8000-{seq:012}"),
            "survey": self.survey, "case": case, "outcome": "2.24", "mode": "visit", "wall_ms": at_ms });
        let body = json!({ "events": [event] }).to_string();
        let json = [("Content-Type", "application/json")];
        assert_eq!(app.send_from(&self.tablet, "POST", "/api/v1/events:batch", &json, body.as_bytes()).status, 200);
    }

    fn interview(&self, app: &TestApp, n: usize, case: &str) -> Answer {
        let id = format!("019abcde-0000-7000-8000-3000000000{n:02}");
        let mut body = submission(&id, &self.hash, case);
        body["answers"][1]["v"] = json!(if n.is_multiple_of(2) { "true" } else { "false" });
        app.submit(&id, 1, body.to_string().as_bytes())
    }

    fn assign(&self, app: &TestApp, case: &str) -> u16 {
        let body = json!({ "assign": [{ "case": case, "user": self.person }] });
        app.at(&self.desk, "POST", &format!("/api/v1/surveys/{}/assignments", self.survey), Some(&body)).status
    }
}

#[test]
fn acc045_a_reserve_comes_after_three_days_or_with_a_reason_and_every_request_is_in_the_report() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        let refused = field.release(&app, "c00", None);
        assert_eq!((refused.status, refused.problem().as_str()), (409, "too-few-attempts"));
        // Twice on one day and once on the next are two days, however many visits they are.
        field.visit(&app, 1, "c00", NOON_MS);
        field.visit(&app, 2, "c00", NOON_MS + DAY_MS / 4);
        field.visit(&app, 3, "c00", NOON_MS + DAY_MS);
        assert_eq!(field.release(&app, "c00", None).problem(), "too-few-attempts");
        field.visit(&app, 4, "c00", NOON_MS + 2 * DAY_MS);
        assert_eq!(field.assign(&app, "r00"), 422, "a reserve is nobody's before");
        assert_eq!(field.interview(&app, 0, "r00").json()["state"], "quarantined", "and nobody's interview counts");
        let released = field.release(&app, "c00", None);
        assert_eq!(released.status, 201, "{}", released.text());
        let told = released.json();
        assert_eq!(
            (&told["reserve"], &told["basis"], &told["attempts_on_days"]),
            (&json!("r00"), &json!("policy"), &json!(3))
        );
        let state = app.get(Role::Supervisor, "/api/v1/responses/019abcde-0000-7000-8000-300000000000").json();
        assert_eq!(state["response"]["state"], "parsed", "now it does, and nobody had to see to it: {state}");
        assert_eq!(field.assign(&app, "r00"), 200);
        // With a reason, before anybody tried; a reason says something.
        assert_eq!(field.release(&app, "c01", Some("急")).status, 422);
        let reasoned = field.release(&app, "c01", Some("整栋楼已拆除，无法接触"));
        assert_eq!((reasoned.status, reasoned.json()["basis"].clone()), (201, json!("reason")), "{}", reasoned.text());
        assert_eq!(reasoned.json()["reserve"], "r01");
        assert_eq!(field.release(&app, "c02", Some("整栋楼已拆除，无法接触")).problem(), "no-reserve");
        assert_eq!(field.release(&app, "c00", Some("再要一个备用样本")).problem(), "wrong-state", "it has one");
        assert_eq!(field.release(&app, "r10", Some("备用样本自己也不行")).status, 404, "itself not released");
        assert_eq!(field.release(&app, "nowhere", Some("没有这个样本户")).status, 404);
        let report = app.at(&field.desk, "GET", &format!("/api/v1/surveys/{}/reserves", field.survey), None).json();
        let lines: Vec<_> = report["substitutions"]
            .as_array()
            .expect("a report")
            .iter()
            .map(|row| {
                let text = |name: &str| row[name].as_str().unwrap_or("–").to_owned();
                format!("{} {} {} {}", text("original"), text("reserve"), text("outcome"), text("basis"))
            })
            .collect();
        assert_eq!(lines, ["c00 – refused –", "c00 – refused –", "c00 r00 released policy", "c01 r01 released reason"]);
        let csv = app.at(&field.desk, "GET", &format!("/api/v1/surveys/{}/reserves.csv", field.survey), None).text();
        assert_eq!(csv.lines().count(), 5);
        assert!(csv.contains("c01,r01,released,reason,0,整栋楼已拆除，无法接触,"), "{csv}");
        let surveyor = app.post(
            Role::Surveyor,
            &format!("/api/v1/surveys/{}/reserves/release", field.survey),
            &json!({ "case": "c10" }),
        );
        assert_eq!(surveyor.status, 403);
        let log = app.logged();
        let of = |wanted: &str| log.iter().filter(|(action, end)| action == "reserve.release" && end == wanted).count();
        assert_eq!((of("done"), of("refused")), (2, 2));
    });
}

fn file(app: &TestApp, run: &Value, name: &str) -> Vec<BTreeMap<String, String>> {
    let path = format!("/api/v1/runs/{}/files/{name}?purpose=audit", run["id"].as_str().expect("an id"));
    let text = app.get(Role::Auditor, &path).text();
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

#[test]
fn acc045_a_released_reserve_keeps_its_own_probability_and_an_idle_one_is_not_in_the_sample() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let field = field(&app);
        let in_sample = || app.get(Role::Analyst, &format!("/api/v1/surveys/{}", field.survey)).json()["cases"].clone();
        assert_eq!(in_sample(), 16, "no reserve is in it yet");
        assert_eq!(field.release(&app, "c00", Some("整栋楼已拆除，无法接触")).status, 201);
        assert_eq!(in_sample(), 17);
        for (n, case) in ["c01", "r00", "c10", "c11", "c20", "c21", "c30", "c31"].iter().enumerate() {
            assert_eq!(field.interview(&app, n, case).status, 201, "{case}");
        }
        let surplus = field.interview(&app, 20, "c01");
        assert_eq!(surplus.json()["state"], "surplus", "a second interview of a case");
        assert_eq!(field.release(&app, "c10", Some("已有问卷的样本户")).problem(), "wrong-state");
        let run = app.run(&field.survey);
        assert_eq!(run["state"], "succeeded", "{run}");
        assert_eq!(run["inputs"]["reserves"]["n"], 1);
        let cases = file(&app, &run, "cases.csv");
        assert_eq!(cases.len(), 17, "sixteen cases and the one reserve");
        let reserves: Vec<_> = cases.iter().filter(|case| !case["reserve_rank"].is_empty()).collect();
        assert_eq!((reserves.len(), reserves[0]["prob_household"].as_str()), (1, "0.05"));
        let persons = file(&app, &run, "responses_weighted.csv");
        assert_eq!(persons.len(), 8, "the surplus interview stays out");
        let of_reserve = persons.iter().find(|person| person["id"] == reserves[0]["id"]).expect("its interview");
        assert_eq!(of_reserve["weight_base"], "40", "1 / (0.5 × 0.05)");
        let city = &file(&app, &run, "response_rates.csv")[0];
        let counts = ["cases", "planned", "complete", "completion"].map(|name| city[name].as_str());
        assert_eq!(counts, ["17", "16", "8", "0.5"], "完成率 is over what was planned");
        let rr1: f64 = city["rr1"].parse().expect("a number");
        assert!((rr1 - 8.0 / 17.0).abs() < 1e-12, "the response rate is over every case that was tried");
    });
}

#[test]
fn a_rank_that_is_none_or_stands_twice_in_a_unit_is_refused_with_its_line() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        let with = |ranks: [&str; 2]| {
            let rows: String = (0..2).map(|n| format!("x{n},230102,s1,p1,urban,0.5,0.1,{}\n", ranks[n])).collect();
            let head = "case_id,district,stratum,psu,residence,prob_psu,prob_household,reserve_rank\n";
            app.put_file(&survey, "sample", &format!("{head}{rows}"))
        };
        for wrong in [["", "0"], ["", "-1"], ["", "one"], ["", "01"], ["1", "1"]] {
            let refused = with(wrong);
            let fault = refused.json()["errors"][0].clone();
            assert_eq!(
                (refused.status, &fault["code"], &fault["line"]),
                (422, &json!("reserve-rank"), &json!(3)),
                "{wrong:?}"
            );
        }
        assert_eq!(with(["1", "2"]).status, 201);
    });
}
