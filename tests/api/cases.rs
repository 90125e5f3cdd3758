//! What becomes of cases: final dispositions, the rates they make, and the weights they enter.

use std::collections::BTreeMap;

use scilit::server::{Role, Settings, jobs::indicator};
use serde_json::{Value, json};

use crate::support::{
    app::{TestApp, submission},
    http::Answer,
    on_every_backend,
    people::Tablet,
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
    let path = format!("/api/v1/runs/{}/files/{name}", run["id"].as_str().expect("an id"));
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
