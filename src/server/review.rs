//! The calls of a review: steps on interviews, and letting bodies in by hand.

use serde_json::json;

use super::{Clock, Fault, Instruments, Refusal, judge};
use crate::storage::{Act, Database, InterviewState, Outcome, ReviewRefusal, Reviewer, Seen, Step, Stepped, Taking};

/// Takes a step on one interview.
///
/// # Errors
/// `Review` with why it was not taken; an attempt that was not the person's to make is logged.
pub fn review(
    database: &Database,
    id: &str,
    seen: &Seen,
    step: &Step,
    by: &Reviewer,
    clock: &Clock,
) -> Result<Stepped, Refusal> {
    let stepped = database.review(id, seen, step, by, clock.now_ms())?;
    log_overreach(database, [(id, step.action(), stepped.as_ref().err())], by, clock)?;
    Ok(stepped?)
}

/// Takes the same step on many interviews, each by itself.
///
/// # Errors
/// Whatever the database refused; inside, one result each.
pub fn review_many(
    database: &Database,
    each: &[(String, Seen)],
    step: &Step,
    by: &Reviewer,
    clock: &Clock,
) -> Result<Vec<Result<Stepped, ReviewRefusal>>, Refusal> {
    let results = database.review_many(each, step, by, clock.now_ms())?;
    let attempts = each.iter().zip(&results);
    let attempts = attempts.map(|((id, _), result)| (id.as_str(), step.action(), result.as_ref().err()));
    log_overreach(database, attempts, by, clock)?;
    Ok(results)
}

/// Lets a stored body in by hand, if it is good.
///
/// # Errors
/// `Faults` when it is not, `Review` when the person may not.
pub fn take_body(
    database: &Database,
    instruments: &Instruments,
    server_seq: i64,
    (taking, reason): (Taking, &str),
    by: &Reviewer,
    clock: &Clock,
) -> Result<InterviewState, Refusal> {
    let body = database.submission_body(server_seq)?.ok_or(ReviewRefusal::NotFound)?;
    let judgement = judge::assess_body(database, instruments, &body)?;
    let judgement = judgement.map_err(|(_, faults): (_, Vec<Fault>)| Refusal::Faults(faults))?;
    let taken = database.take_body(server_seq, &judgement, (taking, reason), by, clock.now_ms())?;
    log_overreach(database, [(body.id.as_str(), "response.accept", taken.as_ref().err())], by, clock)?;
    Ok(taken?)
}

/// Logs the attempts that were not the person's to make.
fn log_overreach<'a>(
    database: &Database,
    attempts: impl IntoIterator<Item = (&'a str, &'static str, Option<&'a ReviewRefusal>)>,
    by: &Reviewer,
    clock: &Clock,
) -> Result<(), Refusal> {
    let act = |(id, action, refusal): (&str, &'static str, Option<&ReviewRefusal>)| {
        let refusal = refusal.filter(|refusal| refusal.is_overreach())?;
        let detail = json!({ "why": refusal.to_string() });
        let done = Act::done(&by.author, clock.now_ms(), action, format!("response/{id}"), detail);
        Some(Act { outcome: Outcome::Refused, ..done })
    };
    let acts: Vec<Act> = attempts.into_iter().filter_map(act).collect();
    if !acts.is_empty() {
        database.log(&acts)?;
    }
    Ok(())
}
