//! Each step of the demo as requests to the API.

use super::{client::Client, folder::DemoFolder, waves::Wave};
use crate::{
    cli::bundle::write_folder,
    evidence::sha256_hex,
    export,
    indicator::{plan::CASES_FILE, results::Results},
    server::{archive, report::FontsMissing},
};
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::json;
use std::{sync::Mutex, thread, time::Duration};
use uuid::Uuid;

/// Tablets that submit at the same time.
const TABLETS: usize = 8;
/// Responses approved in one request.
const APPROVALS: usize = 200;
/// The server's answer where its machine has no Chinese font.
const NO_FONT: u16 = 501;
/// How often the state of a run is asked for, and how often before giving up: ten minutes in all.
const POLL_EVERY: Duration = Duration::from_millis(50);
const POLLS_MAX: usize = 12_000;

#[derive(Deserialize)]
struct Created {
    id: String,
}

#[derive(Deserialize)]
struct Approvals {
    results: Vec<Approval>,
}

#[derive(Deserialize)]
struct Approval {
    id: String,
    state: Option<String>,
    code: Option<String>,
}

#[derive(Deserialize)]
struct RunState {
    state: String,
    error: Option<RunError>,
}

#[derive(Deserialize)]
struct RunError {
    message: String,
}

#[derive(Deserialize)]
struct RunFiles {
    files: Vec<RunFile>,
}

#[derive(Deserialize)]
struct RunFile {
    name: String,
    /// None of another form of a file that was not made yet.
    sha256: Option<String>,
}

pub(super) fn publish(analyst: &Client, source: &str) -> Result<()> {
    let answer = analyst.post("/api/v1/questionnaires", "application/toml", source.as_bytes())?;
    answer.expect(&[200, 201], "publish the questionnaire").map(|_| ())
}

/// Creates the survey and returns its id.
pub(super) fn create_survey(analyst: &Client, wave: &Wave, questionnaire: &str, profile: &str) -> Result<String> {
    let (from, to) = wave.fieldwork;
    let body = json!({
        "code": format!("harbin-{}-demo", wave.year),
        "title": format!("哈尔滨市公民科学素质调查 {}（示例数据）", wave.year),
        "place": "哈尔滨市",
        "questionnaire": questionnaire,
        "profile": profile,
        "fieldwork_from": from.to_string(),
        "fieldwork_to": to.to_string(),
        "example": true,
    });
    let answer = analyst.post("/api/v1/surveys", "application/json", body.to_string().as_bytes())?;
    let doing = "create the survey (a database that holds an earlier demo cannot take another)";
    Ok(answer.expect(&[201], doing)?.json::<Created>()?.id)
}

pub(super) fn import(analyst: &Client, survey: &str, kind: &str, text: &str) -> Result<()> {
    let content_type = if kind == "targets" { "application/toml" } else { "text/csv" };
    let path = format!("/api/v1/surveys/{survey}/files/{kind}");
    let answer = analyst.put(&path, &[("Content-Type", content_type)], text.as_bytes())?;
    answer.expect(&[200, 201], &format!("import the {kind}")).map(|_| ())
}

/// Submits each response from its sender, several at the same time; the first that fails stops the demo.
pub(super) fn submit(senders: &[&Client], submissions: &[(Uuid, Vec<u8>)], progress: &ProgressBar) -> Result<()> {
    let failure: Mutex<Option<anyhow::Error>> = Mutex::new(None);
    thread::scope(|scope| {
        for tablet in 0..TABLETS {
            let failure = &failure;
            scope.spawn(move || {
                for (client, (id, body)) in senders.iter().zip(submissions).skip(tablet).step_by(TABLETS) {
                    if let Err(error) = submit_one(client, id, body) {
                        failure.lock().expect("no tablet panics").get_or_insert(error);
                        return;
                    }
                    progress.inc(1);
                }
            });
        }
    });
    match failure.into_inner().expect("no tablet panics") {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn submit_one(surveyor: &Client, id: &Uuid, body: &[u8]) -> Result<()> {
    let digest = sha256_hex(body);
    let headers = [("Content-Type", "application/json"), ("Submission-Sha256", digest.as_str())];
    let answer = surveyor.put(&format!("/api/v1/submissions/{id}/revs/1"), &headers, body)?;
    answer.expect(&[201], &format!("submit response {id}")).map(|_| ())
}

/// Approves every response: the first supervisor once, the second once more.
pub(super) fn approve(supervisors: &[Client], ids: &[Uuid], progress: &ProgressBar) -> Result<()> {
    for (level, supervisor) in (1..).zip(supervisors) {
        for ids in ids.chunks(APPROVALS) {
            let responses: Vec<_> = ids.iter().map(|id| json!({"id": id, "rev": 1})).collect();
            let body = json!({"level": level, "responses": responses}).to_string();
            let answer = supervisor.post("/api/v1/approvals", "application/json", body.as_bytes())?;
            let Approvals { results } = answer.expect(&[200], "approve the responses")?.json()?;
            if let Some(refused) = results.iter().find(|result| result.state.is_none()) {
                bail!("response {} was not approved: {}", refused.id, refused.code.as_deref().unwrap_or_default());
            }
            progress.inc(ids.len() as u64);
        }
    }
    Ok(())
}

/// Ends the field work of a survey: what was approved until now is its final result.
pub(super) fn close(analyst: &Client, survey: &str) -> Result<()> {
    let answer = analyst.post(&format!("/api/v1/surveys/{survey}/close"), "application/json", b"")?;
    answer.expect(&[200], "close the survey").map(|_| ())
}

/// Starts a run, compared with an earlier one if there is one, waits for it and returns its id.
pub(super) fn compute(analyst: &Client, survey: &str, earlier: Option<&str>) -> Result<String> {
    let body = earlier.map_or_else(String::new, |run| json!({ "earlier": { "run": run } }).to_string());
    let answer = analyst.post(&format!("/api/v1/surveys/{survey}/runs"), "application/json", body.as_bytes())?;
    let run = answer.expect(&[202], "start the run")?.json::<Created>()?.id;
    for _ in 0..POLLS_MAX {
        let answer = analyst.get(&format!("/api/v1/runs/{run}"))?.expect(&[200], "ask for the run")?;
        let RunState { state, error } = answer.json()?;
        match state.as_str() {
            "succeeded" => return Ok(run),
            "failed" => bail!("the run failed: {}", error.map_or_else(String::new, |error| error.message)),
            _ => thread::sleep(POLL_EVERY),
        }
    }
    bail!("the run does not end")
}

/// Releases the run: the analyst asks, the auditor confirms; then everybody reads what the rules let out.
pub(super) fn release(analyst: &Client, auditor: &Client, run: &str) -> Result<()> {
    let path = format!("/api/v1/runs/{run}/release");
    analyst.post(&path, "application/json", b"")?.expect(&[202], "ask for the release of the run")?;
    let confirmed = auditor.post(&format!("{path}/confirm"), "application/json", b"")?;
    confirmed.expect(&[200], "confirm the release of the run").map(|_| ())
}

/// The files that people open; the others are in the bundle.
const SHOWN_FILES: [&str; 9] = [
    export::PERSONS_FILE,
    export::SCORES_FILE,
    export::ITEMS_FILE,
    export::RESPONSE_RATES_FILE,
    export::INDICATOR_FILE,
    export::WEIGHTS_LOG_FILE,
    export::RESULTS_FILE,
    export::PLAN_FILE,
    CASES_FILE,
];

/// Downloads the bundle of the run and leaves it as a folder.
pub(super) fn bundle(auditor: &Client, run: &str, folder: &DemoFolder) -> Result<()> {
    let answer =
        auditor.get(&format!("/api/v1/runs/{run}/bundle?purpose=demo"))?.expect(&[200], "download the bundle")?;
    write_folder(&folder.path().join("bundle"), &archive::unpack(&answer.body)?)
}

/// Downloads the report in both formats. A machine without a Chinese font has the HTML one, and is told what it lacks.
pub(super) fn report(auditor: &Client, run: &str, language: &str, folder: &DemoFolder) -> Result<()> {
    for name in ["report.html", "report.pdf"] {
        let answer = auditor.get(&format!("/api/v1/runs/{run}/{name}?language={language}"))?;
        if answer.status == NO_FONT {
            eprintln!("{}", FontsMissing);
            continue;
        }
        folder.write(name, &answer.expect(&[200], &format!("download {name}"))?.body)?;
    }
    Ok(())
}

/// Downloads the files of the run that people open, checks each against its digest, and returns the results.
pub(super) fn download(auditor: &Client, run: &str, folder: &DemoFolder) -> Result<Results> {
    let answer = auditor.get(&format!("/api/v1/runs/{run}/files"))?.expect(&[200], "list the run's files")?;
    let RunFiles { files } = answer.json()?;
    let mut results = None;
    for RunFile { name, sha256 } in files.into_iter().filter(|file| SHOWN_FILES.contains(&file.name.as_str())) {
        let answer = auditor.get(&format!("/api/v1/runs/{run}/files/{name}?purpose=demo"))?;
        let answer = answer.expect(&[200], &format!("download {name}"))?;
        if sha256.as_deref() != Some(&sha256_hex(&answer.body)) {
            bail!("{name} does not match its digest");
        }
        folder.write(&name, &answer.body)?;
        if name == export::RESULTS_FILE {
            results = Some(answer.json()?);
        }
    }
    results.context("the run has no results")
}
