//! From a cell of a table to the interviews behind it, and from one of them to what vouches for it.

use scilit::{
    evidence::sha256_hex,
    server::{Role, Settings, jobs::indicator},
};
use serde_json::{Value, json};

use crate::support::{
    app::{SAMPLE, TABLET, TestApp, submission},
    http::Answer,
    on_every_backend,
};

const INTERVIEWS: usize = 24;

fn id(n: usize) -> String {
    format!("019abcde-0000-7000-8000-0000000001{n:02x}")
}

/// A run of interviews in two districts, some right, some wrong.
fn computed(app: &TestApp) -> (String, String, Vec<String>) {
    let (survey, hash) = app.survey("调查");
    let row = |n: usize| {
        let (district, residence) = if n.is_multiple_of(3) { ("230103", "rural") } else { ("230102", "urban") };
        format!("t{n},{district},s{district},p{district}{},{residence},0.5,0.{}\n", n % 4, 1 + n % 7)
    };
    let sample =
        format!("{}\n{}", SAMPLE.lines().next().expect("a header"), (0..INTERVIEWS).map(row).collect::<String>());
    let put = app.put_file(&survey, "sample", &sample);
    assert_eq!(put.status, 201, "{}", put.text());
    let mut bodies = Vec::new();
    for n in 0..INTERVIEWS {
        let mut body = submission(&id(n), &hash, &format!("t{n}"));
        body["answers"][0]["v"] = json!(if n.is_multiple_of(2) { "male" } else { "female" });
        if n % 5 > 1 {
            body["answers"][1]["v"] = json!("false");
        }
        let body = body.to_string();
        assert_eq!(app.submit(&id(n), 1, body.as_bytes()).status, 201, "{n}");
        bodies.push(body);
    }
    let run = app.run(&survey);
    assert_eq!(run["state"], "succeeded", "{run}");
    (survey, run["id"].as_str().expect("an id").to_owned(), bodies)
}

fn cell(app: &TestApp, run: &str, table: &str, cell: &str, query: &str) -> Answer {
    app.get(Role::Auditor, &format!("/api/v1/runs/{run}/cells/{table}/{cell}/interviews?purpose=audit{query}"))
}

fn near(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * other.abs().max(1.0),
        (one, other) => one == other,
    }
}

/// Every cell of the results: table, name, n, population, figure.
fn cells(results: &Value) -> Vec<(String, String, Value, Value, Value)> {
    let mut all = Vec::new();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let scores = &results["scores"];
    let tables =
        results["tables"].as_array().expect("tables").iter().chain([&scores["tiers"], &scores["distribution"]]);
    for table in tables {
        for row in table["rows"].as_array().expect("rows") {
            let levels: Vec<String> = table["by"]
                .as_array()
                .expect("by")
                .iter()
                .map(|by| text(&row["domain"][by.as_str().expect("a name")]))
                .collect();
            let name = if levels.is_empty() { "all".to_owned() } else { levels.join(",") };
            all.push((text(&table["id"]), name, row["n"].clone(), row["population"].clone(), row["estimate"].clone()));
        }
    }
    let mean = |table: &str, name: String, of: &Value| {
        (table.to_owned(), name, of["n"].clone(), Value::Null, of["estimate"].clone())
    };
    all.push(mean("score", "all".to_owned(), &scores["mean"]));
    all.extend(
        scores["dimensions"].as_array().expect("dimensions").iter().map(|of| mean("dimension", text(&of["code"]), of)),
    );
    let item = |of: &Value| ("item".to_owned(), text(&of["item"]), of["n"].clone(), Value::Null, of["right"].clone());
    all.extend(results["items"].as_array().expect("items").iter().map(item));
    all
}

#[test]
fn acc069_every_cell_leads_to_exactly_its_interviews_whose_weights_make_its_figures_again() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (_, run, _) = computed(&app);
        let results = app.get(Role::Auditor, &format!("/api/v1/runs/{run}/results")).json();
        let all = cells(&results);
        assert!(all.len() > 20, "{}", all.len());
        for (table, name, n, population, figure) in &all {
            let answer = cell(&app, &run, table, name, "&limit=200");
            assert_eq!(answer.status, 200, "{table}/{name}: {}", answer.text());
            let body = answer.json();
            let listed = body["interviews"].as_array().expect("interviews");
            assert_eq!((&body["n"], listed.len()), (n, n.as_u64().unwrap_or(0) as usize), "{table}/{name}");
            let weight: f64 = listed.iter().map(|one| one["weight"].as_f64().expect("a weight")).sum();
            assert!(near(&json!(weight), &body["weight"]), "{table}/{name}");
            assert!(population.is_null() || near(&body["weight"], population), "{table}/{name}: {body}");
            let sum: f64 = listed
                .iter()
                .map(|one| one["weight"].as_f64().expect("one") * one["value"].as_f64().expect("one"))
                .sum();
            if n.as_u64() > Some(0) {
                assert!(near(&json!(sum / weight), figure) && near(&body["figure"], figure), "{table}/{name}: {body}");
            }
            assert_eq!((&body["told"]["n"], &body["told"]["estimate"]), (n, figure), "{table}/{name}");
            assert!(listed.iter().all(|one| one["submission"].is_string()), "{table}/{name}");
        }
        // Another cell has others: the control.
        let of = |name: &str| cell(&app, &run, "district", name, "").json()["interviews"].clone();
        assert_ne!(of("230102"), of("230103"));
        for (table, name) in [("district", "230199"), ("nothing", "all"), ("item", "K99"), ("score_band", "x")] {
            assert_eq!(cell(&app, &run, table, name, "").status, 404, "{table}/{name}");
        }
    });
}

#[test]
fn acc069_the_interviews_of_a_cell_come_in_pages_with_a_purpose_an_entry_each_and_for_two_roles() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (_, run, _) = computed(&app);
        let whole = cell(&app, &run, "city", "all", "&limit=200").json();
        let (mut after, mut ids) = (String::new(), Vec::new());
        loop {
            let page = cell(&app, &run, "city", "all", &format!("&limit=7&after={after}")).json();
            assert_eq!((&page["n"], &page["weight"]), (&whole["n"], &whole["weight"]), "sums are of all pages");
            ids.extend(page["interviews"].as_array().expect("a page").iter().map(|one| one["id"].clone()));
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        let expected: Vec<Value> =
            whole["interviews"].as_array().expect("all").iter().map(|one| one["id"].clone()).collect();
        assert_eq!(ids, expected);
        let path = format!("/api/v1/runs/{run}/cells/city/all/interviews");
        let before = app.logged().len();
        let silent = app.get(Role::Auditor, &path);
        assert_eq!((silent.status, silent.problem().as_str()), (422, "purpose-missing"));
        assert_eq!(app.logged().len(), before, "what was refused was not read");
        let at = format!("{path}?purpose=audit");
        for (role, status) in [
            (Role::Surveyor, 403),
            (Role::Supervisor, 403),
            (Role::Analyst, 200),
            (Role::Auditor, 200),
            (Role::Admin, 403),
        ] {
            assert_eq!(app.get(role, &at).status, status, "{role:?}");
        }
        assert_eq!(app.send(None, "GET", &at, &[], b"").status, 401);
        let log = app.get(Role::Auditor, &format!("/api/v1/audit/entries?object=run/{run}&limit=200")).json();
        let traced: Vec<&Value> =
            log["entries"].as_array().expect("entries").iter().filter(|entry| entry["action"] == "run.trace").collect();
        let last = traced.last().expect("an entry");
        assert_eq!(
            (&last["role"], &last["detail"]["purpose"], &last["detail"]["n"]),
            (&json!("auditor"), &json!("audit"), &json!(INTERVIEWS))
        );
        test.break_audit("run.trace");
        assert_eq!(app.get(Role::Auditor, &at).status, 500, "no entry, no interview");
        test.mend_audit();
        assert_eq!(app.get(Role::Auditor, &at).status, 200);
    });
}

#[test]
fn acc069_evidence_has_every_revision_with_its_digest_and_receipt_and_no_answer() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (survey, run, bodies) = computed(&app);
        let first = id(0);
        let mut second: Value = serde_json::from_str(&bodies[0]).expect("JSON");
        (second["rev"], second["parent_rev"]) = (json!(2), json!(1));
        let second = second.to_string();
        let kept = app.submit(&first, 2, second.as_bytes());
        assert_eq!(kept.status, 201, "{}", kept.text());
        let path = format!("/api/v1/submissions/{first}/evidence");
        let answer = app.get(Role::Auditor, &format!("{path}?purpose=audit"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        assert_eq!((&body["submission"], &body["survey"], &body["rev"]), (&json!(first), &json!(survey), &json!(2)));
        let listed = cell(&app, &run, "city", "all", "&limit=200").json();
        let traced =
            listed["interviews"].as_array().expect("all").iter().find(|one| one["submission"] == json!(first)).cloned();
        assert_eq!(traced.expect("it")["id"], body["pseudonym"], "the name in the run's files");
        let revisions = body["revisions"].as_array().expect("revisions");
        let digests: Vec<&Value> = revisions.iter().map(|one| &one["sha256"]).collect();
        assert_eq!(digests, [&json!(sha256_hex(bodies[0].as_bytes())), &json!(sha256_hex(second.as_bytes()))]);
        assert_eq!((&revisions[0]["in_force"], &revisions[1]["in_force"]), (&json!(false), &json!(true)));
        let receipt = &revisions[1]["receipt"];
        let again = app.submit(&first, 2, second.as_bytes());
        let told: Value = serde_json::from_str(receipt["text"].as_str().expect("a receipt")).expect("JSON");
        assert!(
            again.text().contains(receipt["text"].as_str().expect("it")) || again.json()["receipt"] == told,
            "{}",
            again.text()
        );
        for name in ["short_code", "key_id", "signature", "log_index"] {
            assert_eq!(receipt[name], told[name], "{name}");
            assert!(!receipt[name].is_null(), "{name}");
        }
        let entries = body["entries"].as_array().expect("entries");
        let at = receipt["log_index"].as_i64().expect("a place");
        assert!(entries.iter().any(|entry| entry["seq"] == at && entry["action"] == "submission.keep"), "{body}");
        let last = entries.last().expect("the reading itself");
        assert_eq!((&last["action"], &last["role"]), (&json!("response.trace"), &json!("auditor")));
        let text = answer.text();
        assert!(!text.contains("answers") && !text.contains("K01") && !text.contains("male"), "no answer: {text}");
        assert!(app.get(Role::Auditor, &format!("/api/v1/responses/{first}")).text().contains("K01"), "the control");
        assert_eq!(app.get(Role::Auditor, &path).problem(), "purpose-missing");
        assert_eq!(app.get(Role::Auditor, &format!("/api/v1/submissions/{TABLET}/evidence?purpose=audit")).status, 404);
        for (role, status) in [(Role::Surveyor, 403), (Role::Supervisor, 403), (Role::Analyst, 200), (Role::Admin, 403)]
        {
            assert_eq!(app.get(role, &format!("{path}?purpose=audit")).status, status, "{role:?}");
        }
    });
}
