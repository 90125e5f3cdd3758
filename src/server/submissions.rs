//! Receiving a submission: keep the bytes, then judge them. The judgement can quarantine; it can never drop.

use serde::Serialize;

use super::{Clock, Fault, Instruments, Refusal, Text, instruments};
use crate::{
    evidence::sha256_hex,
    instrument::Submission,
    storage::{Arrival, Database, InterviewState, Judgement, Kept, Waiting},
};

/// Quarantined for one of these, bytes may become good when a questionnaire or a sample arrives.
const WAITING_FOR_MASTER_DATA: [&str; 3] = ["unknown-instrument", "unknown-case", "ambiguous-case"];

/// Bytes judged in one step of a sweep.
const SWEEP_ROWS: i64 = 200;

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
    clock: &Clock,
) -> Result<Received, Refusal> {
    if sha256_hex(arrival.body) != arrival.sha256 {
        return Err(Refusal::DigestMismatch);
    }
    let kept = database.keep_submission(arrival)?;
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
    let notices = mine.map(|row| serde_json::from_str(&row.detail)).transpose();
    let notices = notices.map_err(|error| stored("quarantine", &error))?.unwrap_or_default();
    Ok(Received { kept, state: None, notices })
}

fn stored(what: &'static str, error: &dyn std::fmt::Display) -> Refusal {
    Refusal::Stored { what, message: error.to_string() }
}

/// Judges everything that was kept but not judged when the server stopped; how many there were.
///
/// # Errors
/// Whatever the database refused; the rest stays for the next start.
pub fn judge_waiting(database: &Database, instruments: &Instruments, clock: &Clock) -> Result<usize, Refusal> {
    sweep(database, instruments, clock, |after| Ok(database.unjudged_submissions(after, SWEEP_ROWS)?))
}

/// Judges again what waits for a questionnaire or a sample; how many there were.
///
/// # Errors
/// Whatever the database refused; the rest stays in quarantine.
pub fn judge_again(database: &Database, instruments: &Instruments, clock: &Clock) -> Result<usize, Refusal> {
    let reasons = &WAITING_FOR_MASTER_DATA;
    sweep(database, instruments, clock, |after| Ok(database.quarantined_submissions(reasons, after, SWEEP_ROWS)?))
}

fn sweep(
    database: &Database,
    instruments: &Instruments,
    clock: &Clock,
    next: impl Fn(i64) -> Result<Vec<Waiting>, Refusal>,
) -> Result<usize, Refusal> {
    let (mut judged, mut after) = (0, 0);
    loop {
        let rows = next(after)?;
        let Some(last) = rows.last() else { return Ok(judged) };
        after = last.server_seq;
        for waiting in &rows {
            judge(database, instruments, waiting, clock)?;
            judged += 1;
        }
    }
}

fn judge(
    database: &Database,
    instruments: &Instruments,
    waiting: &Waiting,
    clock: &Clock,
) -> Result<(InterviewState, Vec<Fault>), Refusal> {
    let judgement = match assess(database, instruments, waiting)? {
        Ok(good) => good,
        Err((reason, notices)) => {
            let detail = serde_json::to_string(&notices).map_err(|error| stored("quarantine", &error))?;
            let quarantine = Judgement::Quarantine { reason: reason.to_owned(), detail };
            return Ok((database.judge_submission(waiting.server_seq, &quarantine, clock.now_ms())?, notices));
        }
    };
    let state = database.judge_submission(waiting.server_seq, &judgement, clock.now_ms())?;
    let surplus = state == InterviewState::Surplus;
    Ok((state, surplus.then(already_complete).into_iter().collect()))
}

fn already_complete() -> Fault {
    let zh = "该样本已有完成问卷，本份列为多余样本待核";
    Fault::new("case-already-complete", Text::new(zh, "the case has an interview already; this one is surplus"))
}

type Assessment = Result<Judgement, (&'static str, Vec<Fault>)>;

/// The judgement itself: is it well formed, does it name itself rightly, is its questionnaire known, does it fit the
/// questionnaire, is its case in exactly one sample?
fn assess(database: &Database, instruments: &Instruments, waiting: &Waiting) -> Result<Assessment, Refusal> {
    let one = |code: &'static str, pointer: &str, text| Ok(Err((code, vec![Fault::new(code, text).at(pointer)])));
    let submission = match instruments::parse(&waiting.body) {
        Ok(submission) => submission,
        Err(faults) => return Ok(Err(("malformed", faults))),
    };
    if submission.id.to_string() != waiting.id {
        return one(
            "id-mismatch",
            "/id",
            Text::new("内容中的编号与地址不一致", "the id is not the one in the address"),
        );
    }
    if i64::from(submission.rev) != i64::from(waiting.rev) {
        return one(
            "rev-mismatch",
            "/rev",
            Text::new("内容中的版本与地址不一致", "the revision is not the one in the address"),
        );
    }
    let Some(questionnaire) = instruments.get(database, &submission.instrument)? else {
        let text = Text::new("问卷版本不存在或未下发", "no published questionnaire has this hash");
        return one("unknown-instrument", "/instrument", text);
    };
    let answers = match instruments::accept(&questionnaire, &submission, &waiting.body) {
        Ok(answers) => answers,
        Err(faults) => return Ok(Err(("rule-violations", faults))),
    };
    let Submission { case: case_id, instrument: questionnaire_hash, .. } = submission;
    let surveys = database.surveys_with_case(&questionnaire_hash, &case_id)?;
    let survey_id = match surveys.as_slice() {
        [only] => only.clone(),
        [] => {
            return one(
                "unknown-case",
                "/case",
                Text::new("没有使用本问卷的调查包含此样本", "no survey with this questionnaire has this case"),
            );
        }
        _ => return one("ambiguous-case", "/case", Text::new("多个调查包含此样本", "several surveys have this case")),
    };
    Ok(Ok(Judgement::Good { survey_id, case_id, questionnaire_hash, answers }))
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
