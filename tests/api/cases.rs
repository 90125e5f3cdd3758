//! What becomes of cases: final dispositions, the rates they make, and the weights they enter.

use std::collections::BTreeMap;

use scilit::server::{Role, Settings, jobs::indicator};
use serde_json::{Value, json};

use crate::support::{
    app::{QUESTIONNAIRE, TestApp, submission},
    http::Answer,
    on_every_backend,
    people::{Desk, Tablet},
};

/// Two districts of two units with ten cases each, all with the same probability.
fn sample() -> String {
    let row = |k: usize| {
        let (district, residence) = if k < 20 { ("230102", "urban") } else { ("230103", "rural") };
        format!("c{k:02},{district},s{district},p{},{residence},0.5,0.1\n", k / 10)
    };
    let rows: String = (0..40).map(row).collect();
    format!("case_id,district,stratum,psu,residence,prob_psu,prob_household\n{rows}")
}

/// What is told of the cases of a unit by their last digit; the first five are interviewed.
fn told(k: usize) -> &'static [&'static str] {
    match (k % 10, k < 20) {
        (0, _) => &["2.24", "2.111", "1.1"],
        (5, _) => &["2.24", "2.111", "2.24"],
        (6, _) => &["3.17", "2.24"],
        (7, true) => &["2.24", "4.60"],
        (7, false) => &["2.32"],
        (8, _) => &["3.18", "3.18"],
        _ => &[],
    }
}

fn tell(app: &TestApp, tablet: &Tablet, events: &[Value]) -> Answer {
    let body = json!({ "events": events }).to_string();
    let json = [("Content-Type", "application/json")];
    app.send_from(tablet, "POST", "/api/v1/events:batch", &json, body.as_bytes())
}

/// A survey of these cases with its interviews, approved by nobody, and its visits.
fn fieldwork(app: &TestApp) -> String {
    let (survey, hash) = app.survey("调查");
    let put = app.put_file(&survey, "sample", &sample());
    assert!(put.status < 300, "{}", put.text());
    app.person("boss", &[(Role::Supervisor, "2301")]);
    let desk = app.sit_down("boss");
    let tablet = app.tablet(&desk, &app.person("li", &[(Role::Surveyor, "2301")]));
    let mut events = Vec::new();
    for k in 0..40 {
        for outcome in told(k) {
            let seq = events.len() + 1;
            events.push(
                json!({ "seq": seq, "kind": "contact_attempt", "id": format!("019abcde-0000-7000-8000-{seq:012}"),
                "survey": survey, "case": format!("c{k:02}"), "outcome": outcome, "mode": "visit",
                "wall_ms": 1_763_700_000_000_i64 + seq as i64 }),
            );
        }
        if k % 10 < 5 {
            let id = format!("019abcde-0000-7000-8000-1000000000{k:02}");
            let mut body = submission(&id, &hash, &format!("c{k:02}"));
            body["answers"][1]["v"] = json!(if k % 2 == 0 { "true" } else { "false" });
            assert_eq!(app.submit(&id, 1, body.to_string().as_bytes()).status, 201);
        }
    }
    let answer = tell(app, &tablet, &events);
    assert_eq!((answer.status, answer.json()["notices"].clone()), (200, json!([])), "{}", answer.text());
    survey
}

fn file(app: &TestApp, run: &Value, name: &str) -> String {
    let path = format!("/api/v1/runs/{}/files/{name}?purpose=audit", run["id"].as_str().expect("an id"));
    let answer = app.get(Role::Auditor, &path);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

type Row = BTreeMap<String, String>;

fn rows(csv: &str) -> Vec<Row> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

/// The rates once more, from nothing but codes: the reader's own arithmetic.
fn by_hand(codes: &[&str]) -> BTreeMap<&'static str, f64> {
    let n =
        |starts: &[&str]| codes.iter().filter(|code| starts.iter().any(|start| code.starts_with(start))).count() as f64;
    let (i, p, r, nc, o) = (n(&["1.1"]), n(&["1.2"]), n(&["2.1"]), n(&["2.2"]), n(&["2.3"]));
    let (u, ne) = (n(&["3."]), n(&["4."]));
    let eligible = i + p + r + nc + o;
    let e = eligible / (eligible + ne);
    BTreeMap::from([
        ("e", e),
        ("rr1", i / (eligible + u)),
        ("rr3", i / (eligible + e * u)),
        ("coop1", i / (i + p + r + o)),
        ("ref1", r / (eligible + u)),
        ("con1", (i + p + r + o) / (eligible + u)),
    ])
}

#[test]
fn acc049_rates_recomputed_from_the_exported_dispositions_are_the_published_ones() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let survey = fieldwork(&app);
        let run = app.run(&survey);
        assert_eq!(run["state"], "succeeded", "{run}");
        let cases = rows(&file(&app, &run, "cases.csv"));
        let published = rows(&file(&app, &run, "response_rates.csv"));
        let names: Vec<_> = published.iter().map(|row| (row["table"].as_str(), row["district"].as_str())).collect();
        assert_eq!(names, [("city", ""), ("district", "230102"), ("district", "230103")]);
        let results: Value = serde_json::from_str(&file(&app, &run, "results.json")).expect("JSON");
        for (row, of_results) in published.iter().zip(results["response_rates"].as_array().expect("rates")) {
            let district = row["district"].as_str();
            let here = cases.iter().filter(|case| district.is_empty() || case["district"] == district);
            let codes: Vec<&str> = here.map(|case| case["disposition"].as_str()).collect();
            for (name, rate) in by_hand(&codes) {
                let shown: f64 = row[name].parse().expect("a number");
                assert!((shown - rate).abs() < 1e-12, "{district} {name}: {shown}, by hand {rate}");
                assert_eq!(of_results["rates"][name].as_f64(), Some(shown), "page and file say the same");
            }
            let interviews = codes.iter().filter(|code| code.starts_with("1.")).count() as f64;
            let completion: f64 = row["completion"].parse().expect("a number");
            assert!((completion - interviews / codes.len() as f64).abs() < 1e-12);
        }
        assert_eq!(results["sample"]["response_rate"], results["response_rates"][0]["rates"]["rr1"]);
        // The dispositions themselves: what was told last and tells the most, or the interview.
        let count = |code: &str| cases.iter().filter(|case| case["disposition"] == code).count();
        let expected =
            [("1.1", 20), ("2.111", 4), ("2.24", 4), ("4.60", 2), ("2.32", 2), ("3.18", 4), ("3.11", 4), ("2.36", 0)];
        for (code, n) in expected {
            assert_eq!(count(code), n, "{code}");
        }
        assert_eq!(run["inputs"]["attempts"]["n"], 46, "the visits are among the inputs that the digest covers");
    });
}

#[test]
fn acc049_the_ineligible_leave_the_base_and_the_unknown_hand_over_their_weight() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let survey = fieldwork(&app);
        let run = app.run(&survey);
        let cases = rows(&file(&app, &run, "cases.csv"));
        let status = |district: &str, status: &str| {
            cases.iter().filter(|case| case["district"] == district && case["status"] == status).count()
        };
        let of = |district| ["respondent", "nonrespondent", "unknown", "ineligible"].map(|name| status(district, name));
        assert_eq!((of("230102"), of("230103")), ([10, 6, 2, 2], [10, 8, 2, 0]));
        for person in rows(&file(&app, &run, "responses_weighted.csv")) {
            let number = |name: &str| person[name].parse::<f64>().expect("a number");
            // All cases have the same probability, so the factors are ratios of counts. Known to unknown first, then
            // the respondents for all who are eligible.
            let factors = if person["district"] == "230102" { (20.0 / 18.0, 16.0 / 10.0) } else { (20.0 / 18.0, 1.8) };
            let near = |a: f64, b: f64| (a - b).abs() < 2e-8;
            assert!(near(number("weight_eligibility"), number("weight_base") * factors.0), "{person:?}");
            assert!(near(number("weight_nonresponse"), number("weight_base") * factors.0 * factors.1), "{person:?}");
        }
        let plan: Value = serde_json::from_str(&file(&app, &run, "plan.json")).expect("JSON");
        assert_eq!(plan["pre_adjustments"][1]["type"], "unknown_eligibility");
        assert_eq!(plan["pre_adjustments"][2]["ineligible"], "ineligible");
    });
}

#[test]
fn a_survey_whose_tablets_tell_of_no_visit_counts_every_other_case_as_a_nonrespondent() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (survey, hash) = app.survey("调查");
        app.put_file(&survey, "sample", &sample());
        for k in (0..40).step_by(4) {
            let id = format!("019abcde-0000-7000-8000-1000000000{k:02}");
            app.submit(&id, 1, submission(&id, &hash, &format!("c{k:02}")).to_string().as_bytes());
        }
        let run = app.run(&survey);
        assert_eq!(run["state"], "succeeded", "{run}");
        let cases = rows(&file(&app, &run, "cases.csv"));
        assert!(cases.iter().all(|case| matches!(case["status"].as_str(), "respondent" | "nonrespondent")));
        let plan: Value = serde_json::from_str(&file(&app, &run, "plan.json")).expect("JSON");
        assert_eq!(plan["pre_adjustments"].as_array().map(Vec::len), Some(3), "no step for what there is not");
        assert_eq!(run["inputs"]["attempts"], Value::Null);
        let city = &rows(&file(&app, &run, "response_rates.csv"))[0];
        assert_eq!((city["rr1"].as_str(), city["rr3"].as_str()), ("0.25", "0.25"));
        assert_eq!((city["unknown_household"].as_str(), city["e"].as_str()), ("30", "1"), "nobody knows of them");
    });
}

/// The tiny questionnaire's next version: a new item before the old ones, another wording, a further option.
fn second_version() -> String {
    let added = r#"[[sections.items]]
id = "N01"
type = "single_choice"
text = { zh-CN = "新增题", en = "New" }
options = [
  { code = "a", label = { zh-CN = "甲", en = "A" } },
  { code = "b", label = { zh-CN = "乙", en = "B" } },
]

[[sections.items]]
id = "sex""#;
    QUESTIONNAIRE
        .replace("version = \"1.0.0\"", "version = \"2.0.0\"")
        .replacen("[[sections.items]]\nid = \"sex\"", added, 1)
        .replace("地球围着太阳转", "地球围绕太阳转")
}

fn published(app: &TestApp, source: &str) -> String {
    let answer = app.publish(source);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["hash"].as_str().expect("a hash").to_owned()
}

fn change_version(app: &TestApp, survey: &str, hash: &str) -> Answer {
    app.post(Role::Analyst, &format!("/api/v1/surveys/{survey}/questionnaire"), &json!({ "questionnaire": hash }))
}

/// Gives cases to the person and returns what the tablet is told of all it holds, by case.
fn give(
    app: &TestApp,
    desk: &Desk,
    survey: &str,
    person: &str,
    tablet: &Tablet,
    cases: &[&str],
) -> BTreeMap<String, Value> {
    let assign: Vec<Value> = cases.iter().map(|case| json!({ "case": case, "user": person })).collect();
    let path = format!("/api/v1/surveys/{survey}/assignments");
    let given = app.at(desk, "POST", &path, Some(&json!({ "assign": assign })));
    assert_eq!(given.status, 200, "{}", given.text());
    let told = app.send_from(tablet, "GET", "/api/v1/sync/changes", &[], b"").json();
    let changes = told["changes"].as_array().expect("changes").iter().filter(|change| change["kind"] == "case");
    changes.map(|change| (change["case"].as_str().expect("a case").to_owned(), change["value"].clone())).collect()
}

/// An interview of the case by the version and the selection it was told, with these answers more.
fn interview(id: &str, case: &str, told: &Value, more: &[Value]) -> Value {
    let mut body = submission(id, told["instrument"].as_str().expect("a hash"), case);
    let number: u64 = told["selection"]["u_num"].as_str().and_then(|text| text.parse().ok()).expect("a number");
    body["selection"]["selected_no"] = (1 + number * 2 / (1 << 53)).into();
    body["answers"].as_array_mut().expect("answers").extend_from_slice(more);
    let shown = body["answers"].as_array().expect("answers").iter().map(|answer| answer["i"].clone()).collect();
    body["order_shown"] = Value::Array(shown);
    body
}

#[test]
fn acc033_a_new_version_leaves_open_interviews_alone_and_both_stand_in_the_same_columns() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (survey, first) = app.survey("调查");
        app.put_file(&survey, "sample", &sample());
        app.person("boss", &[(Role::Supervisor, "2301")]);
        let person = app.person("li", &[(Role::Surveyor, "2301")]);
        let desk = app.sit_down("boss");
        let tablet = app.tablet(&desk, &person);
        give(&app, &desk, &survey, &person, &tablet, &["c00", "c20"]);
        let second = published(&app, &second_version());
        let changed = change_version(&app, &survey, &second);
        assert_eq!(
            (changed.status, changed.json()["questionnaire"].clone()),
            (200, json!(second)),
            "{}",
            changed.text()
        );
        assert_eq!(change_version(&app, &survey, &second).status, 200, "again, nothing changes");
        let told = give(&app, &desk, &survey, &person, &tablet, &["c10", "c30"]);
        let versions: Vec<_> = told.values().map(|value| value["instrument"].as_str().expect("a hash")).collect();
        assert_eq!(versions, [&first, &second, &first, &second], "c00, c10, c20, c30");
        let manifest = app.send_from(&tablet, "GET", "/api/v1/sync/manifest", &[], b"").json();
        assert_eq!(manifest["instruments"].as_array().map(Vec::len), Some(2), "the tablet needs both");

        let id = |n: usize| format!("019abcde-0000-7000-8000-2000000000{n:02}");
        let new_item = [json!({ "i": "N01", "v": "b", "n_changes": 0, "ms": 900 })];
        for (n, (case, value)) in told.iter().enumerate() {
            let is_second = value["instrument"] == json!(second);
            // By the rules of its own version each: the other's item is unknown here and required there.
            let wrong = interview(&id(50 + n), case, value, if is_second { &[] } else { &new_item });
            assert_eq!(app.hand_in(&tablet, &id(50 + n), wrong.to_string().as_bytes()).status, 202, "{case}");
            let right = interview(&id(n), case, value, if is_second { &new_item } else { &[] });
            let kept = app.hand_in(&tablet, &id(n), right.to_string().as_bytes());
            assert_eq!(kept.status, 201, "{case}: {}", kept.text());
        }
        let run = app.run(&survey);
        assert_eq!(run["state"], "succeeded", "{run}");
        assert_eq!(run["inputs"]["earlier_versions"], json!([first]));
        let text = file(&app, &run, "answers.csv");
        assert_eq!(text.lines().next(), Some("id,selection_probability,N01,sex,K01"), "a column an item");
        let mut cells: Vec<_> =
            rows(&text).iter().map(|row| ["N01", "sex", "K01"].map(|name| row[name].clone())).collect();
        cells.sort();
        let by = |new: &str| [new, "male", "true"].map(str::to_owned);
        assert_eq!(cells, [by(":not_asked"), by(":not_asked"), by("b"), by("b")]);
        let results: Value = serde_json::from_str(&file(&app, &run, "results.json")).expect("JSON");
        assert_eq!(
            (&results["sample"]["used"], &results["tables"][0]["rows"][0]["estimate"]),
            (&json!(4), &json!(1.0))
        );
        let log = app.logged();
        assert_eq!(log.iter().filter(|(action, _)| action == "survey.set-questionnaire").count(), 1);
    });
}

#[test]
fn a_version_that_gives_an_earlier_answer_no_place_is_refused_with_the_item() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, first) = app.survey("调查");
        let other = published(&app, &QUESTIONNAIRE.replace("id = \"tiny\"", "id = \"other\""));
        assert_eq!(change_version(&app, &survey, &other).json()["errors"][0]["code"], "other-questionnaire");
        let fewer = QUESTIONNAIRE.replace("1.0.0", "3.0.0").replace("code = \"female\"", "code = \"woman\"");
        let fewer = published(&app, &fewer);
        let refused = change_version(&app, &survey, &fewer);
        let fault = refused.json()["errors"][0].clone();
        assert_eq!((refused.status, &fault["code"], &fault["item"]), (422, &json!("item-changed"), &json!("sex")));
        let unknown = change_version(&app, &survey, &"0".repeat(64));
        assert_eq!(unknown.json()["errors"][0]["code"], "unknown-questionnaire");
        assert_eq!(change_version(&app, &survey, "x").status, 422);
        let shown = app.get(Role::Analyst, &format!("/api/v1/surveys/{survey}")).json();
        assert_eq!(shown["questionnaires"], json!([first]), "nothing changed");
    });
}
