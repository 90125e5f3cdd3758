//! What a device is told of bytes it sent.

use serde::Serialize;

use super::{Fault, Refusal, judge::notices_of};
use crate::storage::{Database, InterviewState, Kept};

/// What came of received bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// How they are kept.
    pub kept: Kept,
    /// Where the submission stands; absent for bytes in conflict, which nobody judges.
    pub state: Option<InterviewState>,
    /// Why it is quarantined or surplus.
    pub notices: Vec<Fault>,
}

impl Received {
    /// What bytes come to that nobody judges now: those in conflict, and replays, which are told of their open faults.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn unjudged(database: &Database, id: &str, kept: Kept) -> Result<Self, Refusal> {
        if kept.conflict {
            return Ok(Self { kept, state: None, notices: Vec::new() });
        }
        replayed(database, id, kept)
    }
}

/// What a replay is told besides its receipt: the open faults of these very bytes.
fn replayed(database: &Database, id: &str, kept: Kept) -> Result<Received, Refusal> {
    let all = database.quarantine_of(id)?;
    let mine = all.iter().find(|row| row.server_seq == kept.server_seq && row.state == "open");
    Ok(Received { kept, state: None, notices: mine.map(notices_of).unwrap_or_default() })
}

/// The answer to a device, with the receipt spliced in byte for byte.
#[derive(Serialize)]
struct Answer<'a> {
    state: Option<&'a str>,
    notices: &'a [Fault],
}

impl Received {
    /// `{"receipt":…,"state":…,"notices":[…]}` with the stored receipt's own bytes.
    ///
    /// # Errors
    /// Never in practice: it is text and numbers.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let rest =
            serde_json::to_string(&Answer { state: self.state.map(InterviewState::name), notices: &self.notices })?;
        Ok(format!("{{\"receipt\":{},{}", self.kept.receipt, rest.trim_start_matches('{')))
    }
}
