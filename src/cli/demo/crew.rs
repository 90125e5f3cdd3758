//! The demo's surveyors, each with a tablet that joined like any other: they hand in the interviews and tell of the visits.

use std::cell::Cell;

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Client;
use crate::{
    server::{
        Actor, Clock, Passwords, Role,
        accounts::{self, NewPerson},
        enrolment,
    },
    simulate::DrawnAttempt,
    storage::{Author, Database},
};

/// Events in one request.
const EVENTS: usize = 500;

/// How many surveyors work in a wave.
const SURVEYORS: u32 = 6;

/// The first digits of the demo's city.
pub(super) const CITY: &str = "2301";

/// A surveyor with a tablet, and its place in the one count that a tablet keeps over all surveys.
pub(super) struct Surveyor {
    pub(super) person: String,
    pub(super) client: Client,
    told: Cell<u64>,
}

/// All of them.
pub(super) struct Crew {
    surveyors: Vec<Surveyor>,
}

#[derive(Deserialize)]
struct Joined {
    device_token: String,
}

#[derive(Deserialize)]
struct Told {
    accepted_through: u64,
    notices: Vec<Value>,
}

impl Crew {
    /// The surveyors and their tablets. The first signs in as `demo-surveyor`.
    pub(super) fn join(database: &Database, base: &str, password: &str) -> Result<Self> {
        let surveyors = (1..=SURVEYORS).map(|number| Surveyor::join(database, base, password, number));
        Ok(Self { surveyors: surveyors.collect::<Result<_>>()? })
    }

    pub(super) fn all(&self) -> &[Surveyor] {
        &self.surveyors
    }

    /// Whose a case is: all cases of a district are one surveyor's.
    pub(super) fn of(&self, case_id: &str) -> &Surveyor {
        let district: usize = case_id.rsplit('-').nth(2).and_then(|code| code.parse().ok()).unwrap_or_default();
        &self.surveyors[district % self.surveyors.len()]
    }

    /// Tells of the visits, each from the tablet of whose the case is.
    pub(super) fn tell(&self, survey: &str, attempts: &[DrawnAttempt<'_>], progress: &ProgressBar) -> Result<()> {
        for surveyor in &self.surveyors {
            let theirs = attempts.iter().filter(|attempt| std::ptr::eq(self.of(attempt.case_id), surveyor));
            surveyor.tell(survey, &theirs.collect::<Vec<_>>(), progress)?;
        }
        Ok(())
    }
}

impl Surveyor {
    fn join(database: &Database, base: &str, password: &str, number: u32) -> Result<Self> {
        let clock = Clock::system();
        let new = NewPerson {
            login: if number == 1 { "demo-surveyor".to_owned() } else { format!("demo-surveyor-{number}") },
            display_name: format!("示例调查员{number}"),
            work_id: Some(format!("示例-{number:02}")),
            password: password.to_owned(),
        };
        let by = Author::command_line();
        let roles = [(Role::Surveyor, CITY)];
        let person = accounts::add_person(database, &Passwords::default(), new, &roles, &by, &clock)
            .context("no surveyor can be made (a database that holds an earlier demo cannot take another)")?;
        let actor = Actor::service(by.id, Role::Admin);
        let label = format!("示例平板{number}");
        let code = enrolment::make_code(database, (&person.id, &label), &actor, &clock)?.code;
        let asks = json!({ "code": code, "device_pubkey": "demo", "release": env!("CARGO_PKG_VERSION"), "ua": "scilit demo",
            "storage": null });
        let answer = Client::new(base, "").post("/api/v1/enrol", "application/json", asks.to_string().as_bytes())?;
        let Joined { device_token } = answer.expect(&[201], "join the tablet")?.json()?;
        Ok(Self { person: person.id, client: Client::new(base, &device_token), told: Cell::new(0) })
    }

    /// Tells of visits, in the order in which they are numbered.
    fn tell(&self, survey: &str, attempts: &[&DrawnAttempt<'_>], progress: &ProgressBar) -> Result<()> {
        for attempts in attempts.chunks(EVENTS) {
            let first = self.told.get() + 1;
            let event = |(seq, attempt): (u64, &&DrawnAttempt<'_>)| {
                let DrawnAttempt { id, case_id, outcome, at_ms } = attempt;
                json!({ "seq": seq, "kind": "contact_attempt", "id": id, "survey": survey, "case": case_id,
                    "outcome": outcome, "mode": "visit", "wall_ms": at_ms })
            };
            let events: Vec<Value> = (first..).zip(attempts).map(event).collect();
            let body = json!({ "events": events }).to_string();
            let answer = self.client.post("/api/v1/events:batch", "application/json", body.as_bytes())?;
            let Told { accepted_through, notices } = answer.expect(&[200], "tell of the visits")?.json()?;
            self.told.set(first - 1 + attempts.len() as u64);
            if accepted_through != self.told.get() || !notices.is_empty() {
                bail!("the visits were not all kept: up to {accepted_through}, {notices:?}");
            }
            progress.inc(attempts.len() as u64);
        }
        Ok(())
    }
}
