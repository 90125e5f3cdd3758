//! What is still going on in the newest wave after its interim run: interviews that wait, tablets that have not sent, and
//! what only a person can decide. Every page of the desk has something to show and something to do.

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::Client,
    crew::{Crew, Surveyor},
};
use crate::{evidence::sha256_hex, instrument::Questionnaire, server::Clock, simulate::DrawnSurvey};

const HOUR_MS: i64 = 3_600_000;
/// Outcomes of visits after which somebody comes again.
const AGAIN: [&str; 2] = ["2.24", "2.25"];
/// Interviews that came in after the run.
const LATE: usize = 12;
/// How many of them are one surveyor's who cannot have read the questions aloud.
const SUSPICIOUS: usize = 3;
/// Cases left without a holder, for whoever assigns.
const UNASSIGNED: usize = 10;
/// Records waiting on four tablets, and for how many hours.
const UNSENT: [(i64, i64); 4] = [(3, 30), (1, 5), (6, 77), (2, 52)];

/// What the story is told with.
pub(super) struct Story<'a> {
    pub(super) survey_id: &'a str,
    pub(super) survey: &'a DrawnSurvey<'a>,
    pub(super) questionnaire: &'a Questionnaire,
    pub(super) crew: &'a Crew,
    pub(super) supervisors: &'a [Client],
}

impl Story<'_> {
    /// Tells it all, through the same API as everybody.
    pub(super) fn tell(&self, step: &ProgressBar) -> Result<()> {
        let open = self.open_cases();
        let late: Vec<&str> = open.iter().copied().take(LATE).collect();
        let bodies = self.bodies(&late)?;
        for (at, (case, id, body)) in bodies.iter().enumerate() {
            let body = if at < SUSPICIOUS { hurried(body) } else { body.clone() };
            let from = if at < SUSPICIOUS { &self.crew.all()[0] } else { self.crew.of(case) };
            submit(from, *id, &body, &[201])?;
        }
        step.inc(1);
        let rest: Vec<_> = bodies.iter().skip(SUSPICIOUS).collect();
        if let [conflicting, returned, contested, first, second, ..] = rest.as_slice() {
            self.conflict(conflicting)?;
            self.send_back(returned)?;
            self.ask_for_void(contested)?;
            self.approve(&[first.1, second.1])?;
        }
        step.inc(1);
        self.surplus()?;
        self.unknown_case(&bodies)?;
        step.inc(1);
        self.assign(&open[late.len().min(open.len())..])?;
        self.report_queues()?;
        step.inc(1);
        Ok(())
    }

    /// Cases that somebody goes to again, in the order of the sample.
    fn open_cases(&self) -> Vec<&str> {
        let mut last: Vec<(&str, &str)> = Vec::new();
        for attempt in self.survey.attempts() {
            match last.last_mut() {
                Some((case, outcome)) if *case == attempt.case_id => *outcome = attempt.outcome,
                _ => last.push((attempt.case_id, attempt.outcome)),
            }
        }
        last.into_iter().filter(|(_, outcome)| AGAIN.contains(outcome)).map(|(case, _)| case).collect()
    }

    fn bodies<'s>(&self, cases: &[&'s str]) -> Result<Vec<(&'s str, Uuid, Value)>> {
        let made = self.survey.interviews_of(self.questionnaire, cases);
        let read = |(case, (id, bytes)): (&&'s str, (Uuid, Vec<u8>))| {
            Ok((*case, id, serde_json::from_slice(&bytes).context("an interview of ours is JSON")?))
        };
        cases.iter().zip(made).map(read).collect()
    }

    /// The same revision twice with different answers: a tablet that was restored from a copy.
    fn conflict(&self, (case, id, body): &(&str, Uuid, Value)) -> Result<()> {
        let mut other = body.clone();
        let answers = other["answers"].as_array_mut().context("an interview has answers")?;
        let truth = answers.iter_mut().find(|answer| answer["v"] == "true" || answer["v"] == "false");
        if let Some(answer) = truth {
            answer["v"] = json!(if answer["v"] == "true" { "false" } else { "true" });
        }
        submit(self.crew.of(case), *id, &other, &[409])
    }

    fn send_back(&self, (_, id, body): &(&str, Uuid, Value)) -> Result<()> {
        let item = body["answers"][0]["i"].as_str().unwrap_or_default();
        let comments = [json!({ "item": item, "comment": "请与受访者再核对一次。" })];
        let asks =
            json!({ "rev": 1, "reason_code": "check", "comment": "请补访后重新上传。", "item_comments": comments });
        self.step(0, *id, "return", &asks)
    }

    fn ask_for_void(&self, (_, id, _): &(&str, Uuid, Value)) -> Result<()> {
        self.step(1, *id, "void", &json!({ "rev": 1, "reason": "电话回访时受访者表示没有接受过访问。" }))
    }

    fn approve(&self, ids: &[Uuid]) -> Result<()> {
        ids.iter().try_for_each(|id| self.step(1, *id, "approve", &json!({ "rev": 1, "level": 1 })))
    }

    fn step(&self, supervisor: usize, id: Uuid, step: &str, asks: &Value) -> Result<()> {
        let path = format!("/api/v1/responses/{id}/{step}");
        let answer = self.supervisors[supervisor].post(&path, "application/json", asks.to_string().as_bytes())?;
        answer.expect(&[200], &format!("take the step {step}")).map(|_| ())
    }

    /// A second interview of a case that has one.
    fn surplus(&self) -> Result<()> {
        let Some(case) = self.survey.respondents().next() else { return Ok(()) };
        let case = case.case_id.as_str();
        let mut bodies = self.bodies(&[case])?;
        let Some((_, id, mut body)) = bodies.pop() else { return Ok(()) };
        let again = next_to(id);
        body["id"] = json!(again);
        submit(self.crew.of(case), again, &body, &[202])
    }

    /// An interview whose case number was typed wrongly.
    fn unknown_case(&self, bodies: &[(&str, Uuid, Value)]) -> Result<()> {
        let Some((case, id, body)) = bodies.last() else { return Ok(()) };
        let (again, mut body) = (next_to(*id), body.clone());
        body["id"] = json!(again);
        body["case"] = json!(format!("{}-99-99", case.split('-').next().unwrap_or_default()));
        submit(self.crew.of(case), again, &body, &[202])
    }

    /// Gives what is left to whoever works there, and leaves a few to be given.
    fn assign(&self, open: &[&str]) -> Result<()> {
        let given = &open[..open.len().saturating_sub(UNASSIGNED)];
        let path = format!("/api/v1/surveys/{}/assignments", self.survey_id);
        for cases in given.chunks(500) {
            let one = |case: &&str| json!({ "case": case, "user": self.crew.of(case).person });
            let asks = json!({ "assign": cases.iter().map(one).collect::<Vec<_>>() }).to_string();
            self.supervisors[0].post(&path, "application/json", asks.as_bytes())?.expect(&[200], "assign the cases")?;
        }
        Ok(())
    }

    /// Every tablet says what it has not sent yet.
    fn report_queues(&self) -> Result<()> {
        let now_ms = Clock::system().now_ms();
        let waiting = UNSENT.into_iter().map(Some).chain(std::iter::repeat(None));
        for (surveyor, waiting) in self.crew.all().iter().zip(waiting) {
            let report = json!({ "storage_bytes": 8_000_000_000_i64, "persisted": true, "clock_offset_ms": 0,
                "queue_len": waiting.map_or(0, |(records, _)| records),
                "oldest_unsent_ms": waiting.map(|(_, hours)| now_ms - hours * HOUR_MS) });
            let headers = [("Content-Type", "application/json")];
            let answer = surveyor.client.put("/api/v1/devices/self", &headers, report.to_string().as_bytes())?;
            answer.expect(&[204], "report the queue")?;
        }
        Ok(())
    }
}

/// The same interview as if it had been filled in at a table, late at night.
fn hurried(body: &Value) -> Value {
    let mut body = body.clone();
    for (at, answer) in body["answers"].as_array_mut().into_iter().flatten().enumerate() {
        answer["ms"] = json!(600 + (at % 5) * 120);
    }
    let started = body["timing"]["started_ms"].as_i64().unwrap_or_default();
    // To 23:40 of the same day in China.
    let midnight = started - (started + 8 * HOUR_MS).rem_euclid(24 * HOUR_MS);
    let begun = midnight + 23 * HOUR_MS + 40 * 60_000;
    body["timing"] = json!({ "started_ms": begun, "finished_ms": begun + 190_000, "active_ms": 170_000 });
    body["consent"]["at_ms"] = json!(begun + 5_000);
    body
}

/// Another id with the same time.
fn next_to(id: Uuid) -> Uuid {
    let mut bytes = *id.as_bytes();
    bytes[15] ^= 1;
    Uuid::from_bytes(bytes)
}

fn submit(from: &Surveyor, id: Uuid, body: &Value, statuses: &[u16]) -> Result<()> {
    let bytes = serde_json::to_vec(body)?;
    let digest = sha256_hex(&bytes);
    let headers = [("Content-Type", "application/json"), ("Submission-Sha256", digest.as_str())];
    let answer = from.client.put(&format!("/api/v1/submissions/{id}/revs/1"), &headers, &bytes)?;
    answer.expect(statuses, &format!("submit response {id}")).map(|_| ())
}
