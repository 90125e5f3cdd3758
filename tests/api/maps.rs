//! The outlines of a survey's districts: checked whole, put, and read as the results are.

use scilit::server::{Role, Settings};
use serde_json::{Value, json};

use crate::support::{
    app::{TABLET, TestApp, counting, submission},
    http::Answer,
    on_every_backend,
};

fn square(properties: &Value, east: i32) -> Value {
    let ring = [[east, 45], [east + 1, 45], [east + 1, 46], [east, 46], [east, 45]];
    json!({ "type": "Feature", "properties": properties, "geometry": { "type": "Polygon", "coordinates": [ring] } })
}

fn outlines(features: &[Value]) -> Value {
    json!({ "type": "FeatureCollection", "features": features })
}

/// One of the sample's two districts.
fn one() -> Value {
    outlines(&[square(&json!({ "adcode": 230_102, "name": "道里区" }), 126)])
}

fn send(app: &TestApp, role: Role, method: &str, path: &str, body: &Value) -> Answer {
    app.send(Some(role), method, path, &[("Content-Type", "application/geo+json")], body.to_string().as_bytes())
}

fn logged(app: &TestApp, survey: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit/entries?object=survey/{survey}&limit=200");
    let entries = app.get(Role::Auditor, &path).json()["entries"].as_array().expect("entries").clone();
    entries.into_iter().filter(|entry| entry["action"] == "survey.put-map").collect()
}

#[test]
fn a_map_is_checked_put_once_and_replaced_and_every_change_is_in_the_log() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        app.put_file(
            &survey,
            "regions",
            "code,name_zh,name_en,parent\n230100,某市,City,\n230103,南岗区,Nangang,230100\n",
        );
        let path = format!("/api/v1/surveys/{survey}/map");
        assert_eq!(app.get(Role::Auditor, &path).status, 204, "none yet");
        assert_eq!(app.get(Role::Analyst, &format!("/api/v1/surveys/{survey}")).json()["map"], Value::Null);

        let checked = send(&app, Role::Analyst, "POST", &format!("{path}/check"), &one());
        assert_eq!(checked.status, 200, "{}", checked.text());
        assert_eq!(checked.json()["in_force"], false);
        assert_eq!(
            checked.json()["counts"],
            json!([{ "of": "outlines", "count": 1 }, { "of": "missing", "count": 1 }])
        );
        assert_eq!(
            checked.json()["missing"][0],
            json!({ "code": "230103", "name": { "zh-CN": "南岗区", "en": "Nangang" } })
        );
        assert_eq!(app.get(Role::Auditor, &path).status, 204, "checking changed nothing");

        let put = send(&app, Role::Admin, "PUT", &path, &one());
        assert_eq!((put.status, put.json()["version"].clone()), (201, json!(1)), "{}", put.text());
        let again = send(&app, Role::Analyst, "PUT", &path, &one());
        assert_eq!((again.status, again.json()["version"].clone()), (200, json!(1)), "the same changes nothing");
        assert_eq!(again.json()["in_force"], true);

        let read = app.get(Role::Supervisor, &path);
        assert_eq!(read.header("content-type"), Some("application/geo+json"));
        assert_eq!(read.json()["features"][0]["properties"], json!({ "region": "230102" }), "and no other property");
        assert_eq!(scilit::evidence::sha256_hex(&read.body), put.json()["sha256"]);
        let tag = read.header("etag").expect("a tag").to_owned();
        assert_eq!(app.send(Some(Role::Analyst), "GET", &path, &[("If-None-Match", &tag)], b"").status, 304);

        let mut both =
            outlines(&[square(&json!({ "region": "230103000000" }), 127), square(&json!({ "code": "230102" }), 126)]);
        both["source"] = json!("自然资源部门");
        both["review_number"] = json!("黑S(2025)1号");
        let other = send(&app, Role::Analyst, "PUT", &path, &both);
        assert_eq!((other.status, other.json()["version"].clone()), (201, json!(2)));
        assert_eq!(other.json()["missing"], json!([]));
        let read = app.get(Role::Analyst, &path).json();
        assert_eq!(
            (read["source"].clone(), read["review_number"].clone()),
            (json!("自然资源部门"), json!("黑S(2025)1号"))
        );
        let codes: Vec<_> = read["features"]
            .as_array()
            .expect("features")
            .iter()
            .map(|one| one["properties"]["region"].clone())
            .collect();
        assert_eq!(codes, ["230102", "230103"]);
        let shown = app.get(Role::Analyst, &format!("/api/v1/surveys/{survey}")).json();
        assert_eq!((shown["map"]["kind"].clone(), shown["map"]["version"].clone()), (json!("map"), json!(2)));

        let log = logged(&app, &survey);
        let told: Vec<_> = log.iter().map(|entry| (&entry["detail"]["version"], &entry["detail"]["sha256"])).collect();
        let (first, second) = (put.json()["sha256"].clone(), other.json()["sha256"].clone());
        assert_eq!(told, [(&json!(1), &first), (&json!(2), &second)]);
    });
}

#[test]
fn a_faulty_map_is_refused_whole_with_every_place() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        let path = format!("/api/v1/surveys/{survey}/map");
        let mut point = square(&json!({ "region": "230103" }), 126);
        point["geometry"] = json!({ "type": "Point", "coordinates": [1, 2] });
        let bad = outlines(&[
            square(&json!({ "region": "230102" }), 126),
            square(&json!({ "region": "230102" }), 126),
            square(&json!({ "region": "110101" }), 126),
            square(&json!({}), 126),
            point,
            square(&json!({ "region": "23" }), 4_000_000),
        ]);
        for (method, at) in [("POST", format!("{path}/check")), ("PUT", path.clone())] {
            let refused = send(&app, Role::Analyst, method, &at, &bad);
            assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
            assert_eq!(refused.header("content-type"), Some("application/problem+json"));
            let faults = refused.json()["errors"].as_array().expect("faults").clone();
            let places: Vec<_> =
                faults.iter().map(|fault| (fault["pointer"].as_str(), fault["code"].as_str())).collect();
            assert_eq!(
                places,
                [
                    (Some("/features/1/properties/region"), Some("duplicate")),
                    (Some("/features/2/properties/region"), Some("unknown-region")),
                    (Some("/features/3/properties"), Some("no-code")),
                    (Some("/features/4/geometry"), Some("geometry-type")),
                    (Some("/features/5/properties/region"), Some("bad-code")),
                    (Some("/features/5/geometry/coordinates"), Some("coordinates")),
                ]
            );
            assert!(faults[1]["message"]["zh-CN"].as_str().expect("words").contains("第 3 个要素"), "{}", faults[1]);
        }
        for text in
            ["", "{", "[]", "null", "{\"type\":\"FeatureCollection\",\"features\":[]}", "{\"type\":\"Topology\"}"]
        {
            let headers = [("Content-Type", "application/geo+json")];
            let refused = app.send(Some(Role::Analyst), "PUT", &path, &headers, text.as_bytes());
            assert!(matches!(refused.status, 400 | 422), "{text}: {}", refused.status);
        }
        let headers = [("Content-Type", "application/json")];
        assert_eq!(app.send(Some(Role::Analyst), "PUT", &path, &headers, one().to_string().as_bytes()).status, 415);
        assert_eq!(app.get(Role::Analyst, &path).status, 204, "nothing half-imported");
        assert!(logged(&app, &survey).is_empty());
        assert_eq!(send(&app, Role::Analyst, "PUT", "/api/v1/surveys/nobody/map", &one()).problem(), "not-found");
    });
}

#[test]
fn a_map_that_is_too_large_is_refused_before_it_is_read() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings { import_bytes_max: Some(4096), ..Settings::default() }, counting);
        let (survey, _) = app.survey("调查");
        let mut large = one();
        large["source"] = json!("x".repeat(5000));
        assert_eq!(send(&app, Role::Analyst, "PUT", &format!("/api/v1/surveys/{survey}/map"), &large).status, 413);
    });
}

#[test]
fn a_map_waits_for_the_districts_of_its_survey() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let mut request = crate::support::app::survey_request("另一个", &hash);
        request["code"] = json!("tiny-2");
        let survey = app.create_survey(&request).json()["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/v1/surveys/{survey}/map");
        let refused = send(&app, Role::Analyst, "PUT", &path, &one());
        assert_eq!((refused.status, refused.json()["errors"][0]["code"].clone()), (422, json!("no-districts")));
        app.put_file(&survey, "regions", "code,name_zh,name_en,parent\n230100,某市,,\n230102,道里区,,230100\n");
        assert_eq!(
            send(&app, Role::Analyst, "PUT", &path, &one()).status,
            201,
            "the regions name them before a sample does"
        );
        let city = outlines(&[square(&json!({ "region": "230100" }), 126)]);
        assert_eq!(send(&app, Role::Analyst, "PUT", &path, &city).json()["errors"][0]["code"], "unknown-region");
    });
}

#[test]
fn a_runs_map_is_open_as_its_results_are() {
    on_every_backend(|test| {
        let app = TestApp::start_with(
            test,
            Settings { public_results: Some(true), ..Settings::default() },
            scilit::server::jobs::indicator,
        );
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let other = "019abcde-0000-7000-8000-000000000003";
        let wrong = submission(other, &hash, "c3").to_string().replace("\"true\"", "\"false\"");
        app.submit(other, 1, wrong.as_bytes());
        let run = app.run(&survey)["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/v1/runs/{run}/map");
        assert_eq!(app.get(Role::Auditor, &path).status, 204, "none was put");
        assert_eq!(send(&app, Role::Analyst, "PUT", &format!("/api/v1/surveys/{survey}/map"), &one()).status, 201);
        assert_eq!(app.get(Role::Auditor, &path).json()["features"][0]["properties"]["region"], "230102");
        let open = || app.send(None, "GET", &path, &[], b"");
        assert_eq!((open().status, open().problem().as_str()), (404, "not-found"), "nobody released the run");
        assert_eq!(app.get(Role::Surveyor, &path).status, 404);
        assert_eq!(app.send(None, "GET", &format!("/api/v1/surveys/{survey}/map"), &[], b"").status, 401);
        let release = format!("/api/v1/runs/{run}/release");
        assert_eq!(app.post(Role::Analyst, &release, &json!({})).status, 202);
        assert_eq!(app.post(Role::Auditor, &format!("{release}/confirm"), &json!({})).status, 200);
        assert_eq!(open().status, 204, "a map without a 审图号 is not published");
        let mut reviewed = one();
        reviewed["review_number"] = json!("黑S(2025)1号");
        assert_eq!(send(&app, Role::Analyst, "PUT", &format!("/api/v1/surveys/{survey}/map"), &reviewed).status, 201);
        assert_eq!(open().json(), app.get(Role::Analyst, &path).json());
        assert_eq!(app.send(None, "GET", "/api/v1/runs/nobody/map", &[], b"").status, 404);
    });
}
