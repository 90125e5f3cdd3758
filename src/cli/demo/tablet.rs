//! The demo's tablet: joins with a one-time code like any other and tells of the visits that came to nothing.

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

/// Its place in the one count that a tablet keeps over all surveys.
pub(super) struct Tablet {
    client: Client,
    told: Cell<u64>,
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

impl Tablet {
    /// A surveyor whom nobody can sign in as, for the password is told to nobody, and their tablet.
    pub(super) fn join(database: &Database, base: &str) -> Result<Self> {
        let clock = Clock::system();
        let mut password = [0u8; 24];
        getrandom::fill(&mut password).context("the system gives no random bytes")?;
        let new = NewPerson {
            login: "demo-surveyor".to_owned(),
            display_name: "示例调查员".to_owned(),
            work_id: None,
            password: password.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let by = Author::command_line();
        let person = accounts::add_person(database, &Passwords::default(), new, &[(Role::Surveyor, "")], &by, &clock)
            .context("no surveyor can be made (a database that holds an earlier demo cannot take another)")?;
        let actor = Actor::service(by.id, Role::Admin);
        let code = enrolment::make_code(database, (&person.id, "示例平板"), &actor, &clock)?.code;
        let asks = json!({ "code": code, "device_pubkey": "demo", "release": env!("CARGO_PKG_VERSION"), "ua": "scilit demo",
            "storage": null });
        let answer = Client::new(base, "").post("/api/v1/enrol", "application/json", asks.to_string().as_bytes())?;
        let Joined { device_token } = answer.expect(&[201], "join the tablet")?.json()?;
        Ok(Self { client: Client::new(base, &device_token), told: Cell::new(0) })
    }

    /// Tells of the visits, in the order in which they are numbered.
    pub(super) fn tell(&self, survey: &str, attempts: &[DrawnAttempt<'_>], progress: &ProgressBar) -> Result<()> {
        for attempts in attempts.chunks(EVENTS) {
            let first = self.told.get() + 1;
            let event = |(seq, attempt): (u64, &DrawnAttempt<'_>)| {
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
