//! Receiving a submission: keep the bytes, then judge them. The judgement can quarantine; it can never drop.

use serde::Serialize;

use super::{
    Clock, Fault, Instruments, Refusal,
    judge::{judge, notices_of},
};
use crate::{
    evidence::{Signer, sha256_hex},
    storage::{Arrival, Author, Database, InterviewState, Kept, Waiting},
};

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

/// Keeps the bytes and judges them, in this order: when the judgement fails the bytes are still acknowledged, and
/// judged when the server starts again.
///
/// # Errors
/// `DigestMismatch` before anything is kept; `Storage` when the bytes could not be kept.
pub fn receive(
    database: &Database,
    instruments: &Instruments,
    arrival: Arrival<'_>,
    (by, signer): (&Author, &Signer),
    clock: &Clock,
) -> Result<Received, Refusal> {
    if sha256_hex(arrival.body) != arrival.sha256 {
        return Err(Refusal::DigestMismatch);
    }
    let kept = database.keep_submission(arrival, by, signer)?;
    if kept.conflict {
        return Ok(Received { kept, state: None, notices: Vec::new() });
    }
    if kept.replay {
        return replayed(database, arrival.id, kept);
    }
    let waiting = Waiting {
        server_seq: kept.server_seq,
        id: arrival.id.to_owned(),
        rev: arrival.rev,
        body: arrival.body.to_vec(),
        received_at_ms: arrival.received_at_ms,
    };
    match judge(database, instruments, &waiting, clock) {
        Ok((state, notices)) => Ok(Received { kept, state: Some(state), notices }),
        Err(error) => {
            tracing::error!(%error, server_seq = kept.server_seq, "kept bytes could not be judged yet");
            Ok(Received { kept, state: Some(InterviewState::Received), notices: Vec::new() })
        }
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
