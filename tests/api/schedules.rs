//! Runs that begin by themselves, say where they stand, and can be ended.

use std::{sync::atomic::Ordering, thread::sleep, time::Duration};

use scilit::server::{
    Role, Settings,
    jobs::{NamedFile, Progress, RunFailure, RunInputs, RunStage, indicator},
};
use serde_json::{Value, json};

use crate::support::{
    app::{TABLET, TestApp, counting, submission},
    http::Answer,
    on_every_backend,
};

const DAY_MS: i64 = 86_400_000;

fn set(app: &TestApp, role: Role, survey: &str, cron: &Value) -> Answer {
    let path = format!("/api/v1/surveys/{survey}/schedule");
    let body = json!({ "cron": cron }).to_string();
    app.send(Some(role), "PUT", &path, &[("Content-Type", "application/json")], body.as_bytes())
}

fn runs(app: &TestApp) -> Vec<Value> {
    app.get(Role::Analyst, "/api/v1/runs").json()["runs"].as_array().expect("runs").clone()
}

/// The runs once there are so many that ended; the server looks every two seconds.
fn ended_runs(app: &TestApp, n: usize) -> Vec<Value> {
    for _ in 0..300 {
        let found = runs(app);
        if found.len() >= n && found.iter().all(|run| !matches!(run["state"].as_str(), Some("queued" | "running"))) {
            return found;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("{n} runs did not come: {:?}", runs(app));
}

fn later(app: &TestApp, ms: i64) {
    app.now_ms.fetch_add(ms, Ordering::Relaxed);
}

#[test]
fn a_schedule_starts_interim_runs_and_what_was_missed_is_done_once() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (survey, hash) = app.survey("调查");
        for (n, case) in ["c1", "c2", "c3"].into_iter().enumerate() {
            let id = format!("{}{n}", &TABLET[..TABLET.len() - 1]);
            assert_eq!(app.submit(&id, 1, submission(&id, &hash, case).to_string().as_bytes()).status, 201);
        }
        let answer = set(&app, Role::Analyst, &survey, &json!("0 6 * * *"));
        assert_eq!((answer.status, &answer.json()["time_zone"]), (200, &json!("+08:00")), "{}", answer.text());
        let now = app.now_ms.load(Ordering::Relaxed);
        let next = answer.json()["next_at_ms"].as_i64().expect("a time");
        assert!(next > now && next <= now + DAY_MS && (next / 3_600_000 + 8) % 24 == 6 && next % 3_600_000 == 0);
        assert_eq!(answer.json()["next_times_ms"], json!([next, next + DAY_MS, next + 2 * DAY_MS]));
        sleep(Duration::from_millis(2500));
        assert_eq!(runs(&app), Vec::<Value>::new(), "not before its time");
        later(&app, DAY_MS);
        let first = ended_runs(&app, 1);
        let (state, include) = (&first[0]["state"], &first[0]["request"]["include"]);
        assert_eq!((state, include), (&json!("succeeded"), &json!("interim")), "{first:?}");
        let id = first[0]["id"].as_str().expect("an id");
        assert_eq!(app.get(Role::Analyst, &format!("/api/v1/runs/{id}/results")).json()["status"], "interim");
        let log = app.get(Role::Auditor, &format!("/api/v1/audit/entries?object=run/{id}&limit=50")).json();
        let created = log["entries"].as_array().expect("entries").iter().find(|entry| entry["action"] == "run.create");
        let created = created.unwrap_or_else(|| panic!("{log}"));
        assert_eq!((&created["actor"], &created["detail"]["schedule"]), (&json!("system"), &json!("0 6 * * *")));
        app.stop();
        // Three mornings without a server are one run, soon after it is back.
        let app = TestApp::start_with(test, Settings::default(), indicator);
        later(&app, 3 * DAY_MS);
        assert_eq!(ended_runs(&app, 2).len(), 2);
        sleep(Duration::from_millis(2500));
        assert_eq!(runs(&app).len(), 2, "and only one");
        // Nothing begins in a closed survey, or without a schedule.
        assert_eq!(app.post(Role::Analyst, &format!("/api/v1/surveys/{survey}/close"), &json!({})).status, 200);
        later(&app, DAY_MS);
        sleep(Duration::from_millis(2500));
        assert_eq!(runs(&app).len(), 2);
        assert_eq!(app.post(Role::Analyst, &format!("/api/v1/surveys/{survey}/open"), &json!({})).status, 200);
        ended_runs(&app, 3);
        assert_eq!(set(&app, Role::Analyst, &survey, &Value::Null).json()["cron"], Value::Null);
        later(&app, DAY_MS);
        sleep(Duration::from_millis(2500));
        assert_eq!(runs(&app).len(), 3);
    });
}

#[test]
fn a_schedule_that_is_none_is_refused_with_its_place() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        for wrong in [json!(""), json!("0 25 * * *"), json!("每天六点"), json!("0 0 30 2 *"), json!("* * * * * *")]
        {
            let refused = set(&app, Role::Analyst, &survey, &wrong);
            assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"), "{wrong}: {}", refused.text());
            assert!(refused.text().contains("/cron"), "{}", refused.text());
        }
        for (role, status) in [(Role::Supervisor, 403), (Role::Surveyor, 403), (Role::Auditor, 403), (Role::Admin, 200)]
        {
            assert_eq!(set(&app, role, &survey, &json!("0 6 * * 1-5")).status, status, "{role:?}");
        }
        let path = format!("/api/v1/surveys/{survey}/schedule");
        assert_eq!(app.get(Role::Supervisor, &path).json()["cron"], "0 6 * * 1-5");
        let empty = app.send(Some(Role::Analyst), "PUT", &path, &[("Content-Type", "application/json")], b"{}");
        assert!(matches!(empty.status, 400 | 422), "what is left out is no wish: {}", empty.text());
        let log = app.get(Role::Auditor, &format!("/api/v1/audit/entries?object=survey/{survey}&limit=50")).json();
        let entries = log["entries"].as_array().expect("entries");
        assert_eq!(entries.iter().filter(|entry| entry["action"] == "survey.set-schedule").count(), 1, "{log}");
    });
}

/// Waits at the beginning of the tables until it is cancelled, for at most ten seconds.
fn waiting(inputs: &RunInputs, progress: &Progress) -> Result<Vec<NamedFile>, RunFailure> {
    progress.enter(RunStage::Estimating)?;
    for _ in 0..1000 {
        sleep(Duration::from_millis(10));
        progress.enter(RunStage::Estimating)?;
    }
    counting(inputs, progress)
}

fn state_of(app: &TestApp, id: &str) -> Value {
    app.get(Role::Analyst, &format!("/api/v1/runs/{id}")).json()
}

#[test]
fn a_run_says_where_it_stands_and_a_cancelled_one_stays_visible_with_nothing_published() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), waiting);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let ask = || app.ask_for_run(&survey, &json!({})).json()["id"].as_str().expect("an id").to_owned();
        let (running, queued) = (ask(), ask());
        let mut told = state_of(&app, &running);
        for _ in 0..200 {
            if told["progress"]["stage"] == "estimating" {
                break;
            }
            sleep(Duration::from_millis(20));
            told = state_of(&app, &running);
        }
        assert_eq!(
            (&told["state"], &told["progress"]),
            (&json!("running"), &json!({"stage": "estimating", "share": 0.6}))
        );
        assert_eq!(state_of(&app, &queued)["progress"], Value::Null);
        let cancel = |role, id: &str| app.post(role, &format!("/api/v1/runs/{id}/cancel"), &json!({}));
        for role in [Role::Supervisor, Role::Admin, Role::Surveyor] {
            assert_eq!(cancel(role, &queued).status, 403, "{role:?}");
        }
        let answer = cancel(Role::Analyst, &queued);
        assert_eq!((answer.status, &answer.json()["state"]), (202, &json!("cancelled")), "{}", answer.text());
        assert_eq!(cancel(Role::Auditor, &running).status, 202);
        for id in [&running, &queued] {
            let mut run = state_of(&app, id);
            for _ in 0..200 {
                if run["state"] != "running" {
                    break;
                }
                sleep(Duration::from_millis(20));
                run = state_of(&app, id);
            }
            assert_eq!((&run["state"], &run["error"]["code"]), (&json!("cancelled"), &json!("cancelled")), "{run}");
            assert_eq!(run["progress"], Value::Null);
            let path = format!("/api/v1/runs/{id}");
            assert_eq!(app.get(Role::Analyst, &format!("{path}/files")).json()["files"], json!([]));
            assert_eq!(app.get(Role::Analyst, &format!("{path}/results")).problem(), "run-failed");
            assert_eq!(cancel(Role::Analyst, id).problem(), "wrong-state", "it has ended");
            let log = app.get(Role::Auditor, &format!("/api/v1/audit/entries?object=run/{id}&limit=50")).json();
            let actions: Vec<&str> = log["entries"]
                .as_array()
                .expect("entries")
                .iter()
                .filter_map(|entry| entry["action"].as_str())
                .collect();
            assert!(actions.contains(&"run.cancel") && actions.contains(&"run.finish"), "{actions:?}");
        }
        assert_eq!(runs(&app).len(), 2, "both stay visible");
        assert_eq!(cancel(Role::Analyst, "none").status, 404);
    });
}
