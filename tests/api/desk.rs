//! What the office's pages read: how the field work stands, what waits, cases and people, and files checked before they count.

use scilit::server::{Role, Settings, jobs::indicator};
use serde_json::{Value, json};

use crate::support::{
    app::{TestApp, submission},
    on_every_backend,
    people::{Desk, Tablet},
};

/// Noon in China.
const NOON_MS: i64 = 1_763_697_600_000;
const REGIONS: &str =
    "code,name_zh,name_en,parent\n230100,某市,Some City,\n230102,道里区,Daoli,230100\n230103,南岗区,Nangang,230100\n";

/// Two districts of two units with four cases each, and a reserve in the first.
fn sample() -> String {
    let mut text = "case_id,district,stratum,psu,residence,prob_psu,prob_household,reserve_rank\n".to_owned();
    for unit in 0..4 {
        let district = if unit < 2 { "230102" } else { "230103" };
        for k in 0..4 {
            text += &format!("c{unit}{k},{district},s{district},p{unit},urban,0.5,0.1,\n");
        }
    }
    text + "r00,230102,s230102,p0,urban,0.5,0.05,1\n"
}

struct Office {
    survey: String,
    hash: String,
    /// Supervisor of the whole city.
    desk: Desk,
    /// Supervisor of the second district alone.
    narrow: Desk,
    person: String,
    tablet: Tablet,
}

fn office(app: &TestApp) -> Office {
    let (survey, hash) = app.survey("调查");
    for (kind, text) in [("sample", sample()), ("regions", REGIONS.to_owned())] {
        let put = app.put_file(&survey, kind, &text);
        assert!(put.status < 300, "{}", put.text());
    }
    app.person("boss", &[(Role::Supervisor, "2301")]);
    app.person("part", &[(Role::Supervisor, "230103")]);
    let (desk, narrow) = (app.sit_down("boss"), app.sit_down("part"));
    let person = app.person("li", &[(Role::Surveyor, "2301")]);
    let tablet = app.tablet(&desk, &person);
    Office { survey, hash, desk, narrow, person, tablet }
}

fn id(n: usize) -> String {
    format!("019abcde-0000-7000-8000-3000000000{n:02}")
}

impl Office {
    fn at(&self, what: &str) -> String {
        format!("/api/v1/surveys/{}/{what}", self.survey)
    }

    fn interview(&self, app: &TestApp, n: usize, case: &str) {
        let mut body = submission(&id(n), &self.hash, case);
        body["answers"][1]["v"] = json!(if n.is_multiple_of(2) { "true" } else { "false" });
        let answer = app.hand_in(&self.tablet, &id(n), body.to_string().as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    fn visits(&self, app: &TestApp, visits: &[(&str, &str)]) {
        let event = |(at, (case, outcome)): (usize, &(&str, &str))| {
            json!({ "seq": at + 1, "kind": "contact_attempt", "id": format!("019abcde-0000-7000-8000-{at:012}"),
                "survey": self.survey, "case": case, "outcome": outcome, "mode": "visit", "wall_ms": NOON_MS + at as i64 })
        };
        let body = json!({ "events": visits.iter().enumerate().map(event).collect::<Vec<_>>() }).to_string();
        let json = [("Content-Type", "application/json")];
        assert_eq!(app.send_from(&self.tablet, "POST", "/api/v1/events:batch", &json, body.as_bytes()).status, 200);
    }

    fn read(&self, app: &TestApp, desk: &Desk, what: &str) -> Value {
        let answer = app.at(desk, "GET", &self.at(what), None);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

#[test]
fn progress_counts_what_a_run_counts_and_no_more_than_the_region() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let office = office(&app);
        for (n, case) in ["c00", "c01", "c10", "c11", "c20", "c21", "c30"].into_iter().enumerate() {
            office.interview(&app, n, case);
        }
        office.visits(
            &app,
            &[("c00", "2.24"), ("c02", "2.24"), ("c02", "2.11"), ("c12", "4.60"), ("c22", "3.18"), ("c31", "2.24")],
        );
        let progress = office.read(&app, &office.desk, "progress");
        let whole = &progress["whole"];
        let counts = ["issued", "planned", "tried", "contacted", "completed", "waiting", "approved"]
            .map(|name| whole[name].as_u64());
        assert_eq!(counts, [16, 16, 11, 8, 7, 7, 0].map(Some), "{whole}");
        assert_eq!(whole["label"]["zh-CN"], "某市");
        assert_eq!(progress["districts"][0]["label"]["zh-CN"], "道里区");
        // What a run makes of the same visits and interviews is the same to the last digit.
        let run = app.run(&office.survey);
        assert_eq!(run["state"], "succeeded", "{run}");
        let results =
            app.get(Role::Analyst, &format!("/api/v1/runs/{}/results", run["id"].as_str().expect("an id"))).json();
        for (at, rates) in results["response_rates"].as_array().expect("rates").iter().enumerate() {
            let here = if at == 0 { whole } else { &progress["districts"][at - 1] };
            for name in ["counts", "rates", "completion", "planned"] {
                assert_eq!(here[name], rates[name], "{name} of {}", rates["label"]);
            }
        }
        // The narrow supervisor sees the second district and nothing of the first, in no list.
        let narrow = office.read(&app, &office.narrow, "progress");
        assert_eq!(
            (narrow["whole"]["issued"].as_u64(), narrow["districts"].as_array().map(Vec::len)),
            (Some(8), Some(1))
        );
        assert_eq!(narrow["surveyors"][0]["interviews"], 3, "of all seven");
        assert_eq!(narrow["surveyors"][0]["visits"], 2, "of all six");
        assert_eq!(office.read(&app, &office.narrow, "cases")["total"], 8);
        // As a file, logged before it leaves.
        let csv = app.at(&office.desk, "GET", &office.at("progress.csv"), None);
        let text = csv.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "a head, the whole, two districts: {text}");
        assert!(lines[1].starts_with(",某市,16,16,0,11,8,7,7,0,0,0.4375,"), "{text}");
        assert!(app.logged().iter().any(|(action, _)| action == "download.intent"));
        for role in [Role::Analyst, Role::Auditor, Role::Admin] {
            assert_eq!(app.get(role, &office.at("progress")).status, 200, "{role:?}");
        }
        assert_eq!(app.get(Role::Surveyor, &office.at("progress")).problem(), "forbidden-role");
    });
}

#[test]
fn progress_names_who_has_what_and_which_tablet_has_not_sent() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let office = office(&app);
        let assign =
            json!({ "assign": [{ "case": "c00", "user": office.person }, { "case": "c20", "user": office.person }] });
        assert_eq!(app.at(&office.desk, "POST", &office.at("assignments"), Some(&assign)).status, 200);
        office.interview(&app, 1, "c01");
        let report = json!({ "queue_len": 3, "oldest_unsent_ms": NOON_MS, "storage_bytes": null, "persisted": true, "clock_offset_ms": 0 });
        let json = [("Content-Type", "application/json")];
        assert_eq!(
            app.send_from(&office.tablet, "PUT", "/api/v1/devices/self", &json, report.to_string().as_bytes()).status,
            204
        );
        let progress = office.read(&app, &office.desk, "progress");
        let row = &progress["surveyors"][0];
        let counts = ["assigned", "open", "interviews", "waiting", "unsent"].map(|name| row[name].as_u64());
        assert_eq!(counts, [2, 2, 1, 1, 3].map(Some), "{row}");
        assert_eq!((&row["id"], &row["name"]), (&json!(office.person), &json!("张三")), "the person, not the tablet");
        let device = &progress["devices"][0];
        assert_eq!((device["queue_len"].as_i64(), device["name"].as_str()), (Some(3), Some("张三")));
        // Cases: whose they are and what is left to give away; a reserve is not among them before it is released.
        let open = office.read(&app, &office.desk, "cases?unassigned=true&limit=200");
        assert_eq!((open["total"].as_u64(), open["cases"].as_array().map(Vec::len)), (Some(13), Some(13)), "{open}");
        let held = office.read(&app, &office.desk, "cases?prefix=c00");
        assert_eq!(
            (&held["cases"][0]["holder_name"], &held["cases"][0]["disposition"]),
            (&json!("张三"), &json!("3.11"))
        );
        let page = office.read(&app, &office.desk, "cases?limit=10");
        let next = page["next"].as_str().expect("another page");
        let rest = office.read(&app, &office.desk, &format!("cases?limit=10&after={next}"));
        assert_eq!((rest["cases"].as_array().map(Vec::len), &rest["next"]), (Some(6), &Value::Null));
        assert_eq!(app.at(&office.desk, "GET", &office.at("cases?district=x"), None).status, 422);
        assert_eq!(app.at(&office.desk, "GET", &office.at("cases?nonsense=1"), None).status, 422);
        // People: those of the region, whom the narrow supervisor does not all see.
        let all = app.at(&office.desk, "GET", "/api/v1/surveyors", None).json();
        assert_eq!(all["persons"].as_array().map(Vec::len), Some(3), "{all}");
        let narrow = app.at(&office.narrow, "GET", "/api/v1/surveyors", None).json();
        assert_eq!(narrow["persons"].as_array().map(Vec::len), Some(1), "{narrow}");
    });
}

#[test]
fn the_queue_has_the_most_urgent_first_and_says_what_is_another_persons() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let office = office(&app);
        for (n, case) in ["c00", "c01", "c02", "c20"].into_iter().enumerate() {
            office.interview(&app, n, case);
        }
        let queue = |desk: &Desk| -> Vec<(String, String, bool)> {
            let rows = office.read(&app, desk, "queue")["queue"].as_array().expect("a queue").clone();
            let row = |row: &Value| {
                let text = |value: &Value| value.as_str().expect("a text").to_owned();
                (text(&row["response"]["case"]), text(&row["why"]), row["for_another"] == json!(true))
            };
            rows.iter().map(row).collect()
        };
        let step = |n: usize, step: &str, body: Value| {
            let answer = app.at(&office.desk, "POST", &format!("/api/v1/responses/{}/{step}", id(n)), Some(&body));
            assert_eq!(answer.status, 200, "{}", answer.text());
        };
        step(0, "approve", json!({ "rev": 1, "level": 1 }));
        step(1, "void", json!({ "rev": 1, "reason": "重复访问" }));
        // Another body under the same revision.
        let mut body = submission(&id(2), &office.hash, "c02");
        body["note"] = json!("另一份");
        assert_eq!(app.hand_in(&office.tablet, &id(2), body.to_string().as_bytes()).status, 409);
        let row = |case: &str, why: &str, other| (case.to_owned(), why.to_owned(), other);
        assert_eq!(
            queue(&office.desk),
            [
                row("c02", "conflict", false),
                row("c20", "first", false),
                row("c01", "void-requested", true),
                row("c00", "second", true)
            ]
        );
        assert_eq!(queue(&office.narrow), [row("c20", "first", false)], "the region and nothing else");
        // Somebody else has the other two before them, too.
        app.person("other", &[(Role::Supervisor, "")]);
        let other = queue(&app.sit_down("other"));
        assert_eq!(other.iter().map(|(case, ..)| case.as_str()).collect::<Vec<_>>(), ["c02", "c01", "c20", "c00"]);
        assert!(other.iter().all(|(.., other)| !other));
        // An interview in the night; a sign makes it come before the others of its kind.
        let mut night = submission(&id(5), &office.hash, "c21");
        night["timing"]["started_ms"] = json!(NOON_MS + 12 * 3_600_000);
        assert_eq!(app.hand_in(&office.tablet, &id(5), night.to_string().as_bytes()).status, 201);
        assert_eq!(queue(&office.narrow)[0], row("c21", "signs", false));
        let detail = app.at(&office.narrow, "GET", &format!("/api/v1/responses/{}", id(5)), None).json();
        assert_eq!(
            (&detail["signs"], &detail["names"][&office.tablet.id]),
            (&json!(["at-night"]), &json!("张三")),
            "{detail}"
        );
        assert_eq!(app.get(Role::Analyst, &office.at("queue")).problem(), "forbidden-role");
    });
}

#[test]
fn a_file_is_checked_whole_before_it_counts_and_the_check_changes_nothing() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let office = office(&app);
        let check = |kind: &str, text: &str| {
            let headers = [("Content-Type", "text/csv")];
            app.send(Some(Role::Analyst), "POST", &office.at(&format!("files/{kind}/check")), &headers, text.as_bytes())
        };
        let files = || app.get(Role::Analyst, &format!("/api/v1/surveys/{}", office.survey)).json()["files"].clone();
        let before = files();
        let same = check("sample", &sample());
        assert_eq!((same.status, &same.json()["in_force"]), (200, &json!(true)), "{}", same.text());
        let counts = json!([{"of": "cases", "count": 16}, {"of": "reserves", "count": 1}, {"of": "districts", "count": 2},
            {"of": "strata", "count": 2}, {"of": "psus", "count": 4}]);
        assert_eq!(same.json()["counts"], counts);
        let other = check("sample", &sample().replace("c00,", "c99,"));
        assert_eq!((other.status, &other.json()["in_force"]), (200, &json!(false)));
        let faulty =
            check("sample", &sample().replace("c01,230102,s230102,p0,urban,0.5", "c00,230102,s230102,p0,city,7"));
        assert_eq!((faulty.status, faulty.problem().as_str()), (422, "invalid"));
        let faults = faulty.json()["errors"].clone();
        assert!(
            faults.as_array().is_some_and(|faults| faults.len() >= 2 && faults.iter().all(|fault| fault["line"] == 3)),
            "{faults}"
        );
        assert_eq!(check("regions", REGIONS).json()["counts"], json!([{"of": "regions", "count": 3}]));
        assert_eq!(check("nonsense", REGIONS).status, 404);
        assert_eq!(files(), before, "nothing was put");
    });
}
