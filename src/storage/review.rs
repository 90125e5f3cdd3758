//! The steps of a review: who may, whether the state allows it, and everything that changes with it, in one transaction.

use diesel::{PgConnection, SqliteConnection, prelude::*};
use serde_json::json;

use super::{
    Act, Database, Interview, InterviewState, Level, ReviewRefusal, Reviewer, Seen, Step, StorageError,
    assignments::TellsTablets, audit::Appends, judgements::Judges, schema::*,
};
use crate::evidence::sha256_hex;

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// Where the interview now stands.
    pub state: InterviewState,
    /// The revision in force.
    pub rev: i32,
}

/// A step of a review as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = review_action)]
pub struct ReviewAction {
    /// The revision it was taken on.
    pub rev: i32,
    /// The step.
    pub action: String,
    /// From which state.
    pub from_state: String,
    /// To which.
    pub to_state: String,
    /// By whom.
    pub by_id: String,
    /// In which role.
    pub by_role: String,
    /// Why, as a code.
    pub reason_code: Option<String>,
    /// Why, in words.
    pub comment: Option<String>,
    /// Comments on items as a JSON array.
    pub item_comments: Option<String>,
    /// When.
    pub at_ms: i64,
}

#[derive(Insertable)]
#[diesel(table_name = review_action)]
pub(super) struct NewReviewAction<'a> {
    pub(super) interview_id: &'a str,
    pub(super) rev: i32,
    pub(super) action: &'a str,
    pub(super) from_state: &'a str,
    pub(super) to_state: &'a str,
    pub(super) by_id: &'a str,
    pub(super) by_role: &'a str,
    pub(super) reason_code: Option<&'a str>,
    pub(super) comment: Option<&'a str>,
    pub(super) item_comments: Option<&'a str>,
    pub(super) at_ms: i64,
}

type Refused<T> = Result<T, ReviewRefusal>;

/// A connection that can take steps; the one body below serves both backends.
trait Reviews {
    /// Takes the step, or says why not and has changed nothing; what the log says of it.
    fn step(
        &mut self,
        id: &str,
        seen: &Seen,
        step: &Step,
        by: &Reviewer,
        now_ms: i64,
    ) -> Result<Refused<(Stepped, Act)>, StorageError>;
}

macro_rules! reviews {
    ($connection:ty) => {
        impl Reviews for $connection {
            fn step(
                &mut self,
                id: &str,
                seen: &Seen,
                step: &Step,
                by: &Reviewer,
                now_ms: i64,
            ) -> Result<Refused<(Stepped, Act)>, StorageError> {
                let rival = if matches!(step, Step::Promote { .. }) { hold_both(self, id)? } else { None };
                let Some(head) = self.held_head(id)? else { return Ok(Err(ReviewRefusal::NotFound)) };
                let sha256: Option<String> = submission_raw::table
                    .find(head.current_seq)
                    .select(submission_raw::sha256)
                    .first(self)
                    .optional()?;
                let from = submission_raw::table.filter(submission_raw::id.eq(id)).select(submission_raw::received_from);
                let from: Vec<String> = from.load(self)?;
                let to = match may(&head, sha256.as_deref(), &from, seen, step, by) {
                    Ok(to) => to,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                match step {
                    Step::Promote { .. } => {
                        if let Err(refusal) = swap(self, &head, rival, now_ms)? {
                            return Ok(Err(refusal));
                        }
                    }
                    Step::ConfirmVoid => {
                        let mine = canonical_interview::interview_id.eq(id);
                        diesel::delete(canonical_interview::table.filter(mine)).execute(self)?;
                        let bodies = submission_raw::table.filter(submission_raw::id.eq(id));
                        let of = quarantine::server_seq.eq_any(bodies.select(submission_raw::server_seq));
                        diesel::update(quarantine::table.filter(of.and(quarantine::state.eq("open"))))
                            .set((quarantine::state.eq("resolved"), quarantine::resolved_at_ms.eq(now_ms)))
                            .execute(self)?;
                    }
                    Step::Return { .. } => tell_surveyor(self, &head, step, now_ms)?,
                    _ => {}
                }
                diesel::update(interview::table.find(id))
                    .set((
                        interview::state.eq(to.name()),
                        interview::changed_at_ms.eq(now_ms),
                        interview::l1_by.eq(l1_after(&head, step, by)),
                        interview::void_by.eq(matches!(step, Step::RequestVoid { .. }).then_some(&by.author.id)),
                    ))
                    .execute(self)?;
                note(self, &head, to, step, by, now_ms)?;
                return Ok(Ok((Stepped { state: to, rev: head.current_rev }, act(&head, to, step, by, now_ms))));

                /// Holds this head and that of the interview that counts for its case, the smaller id first.
                fn hold_both(c: &mut $connection, id: &str) -> Result<Option<Interview>, StorageError> {
                    let of = canonical_interview::survey_id.nullable().eq(interview::survey_id);
                    let of = of.and(canonical_interview::case_id.nullable().eq(interview::case_id));
                    let rival: Option<String> = interview::table
                        .inner_join(canonical_interview::table.on(of))
                        .filter(interview::id.eq(id))
                        .select(canonical_interview::interview_id)
                        .first(c)
                        .optional()?;
                    let Some(rival) = rival else { return Ok(None) };
                    if rival.as_str() > id {
                        c.held_head(id)?;
                    }
                    c.held_head(&rival)
                }

                /// Gives the case to this interview and makes the rival surplus.
                fn swap(
                    c: &mut $connection,
                    head: &Interview,
                    rival: Option<Interview>,
                    now_ms: i64,
                ) -> Result<Refused<()>, StorageError> {
                    let (Some(survey_id), Some(case_id)) = (&head.survey_id, &head.case_id) else {
                        return Ok(Err(ReviewRefusal::WrongState(head.state.clone())));
                    };
                    let counts: Option<String> = canonical_interview::table
                        .find((survey_id, case_id))
                        .select(canonical_interview::interview_id)
                        .first(c)
                        .optional()?;
                    if counts.as_ref() != rival.as_ref().map(|rival| &rival.id) {
                        return Ok(Err(ReviewRefusal::StaleRevision));
                    }
                    let Some(rival) = rival else {
                        diesel::insert_into(canonical_interview::table)
                            .values((
                                canonical_interview::survey_id.eq(survey_id),
                                canonical_interview::case_id.eq(case_id),
                                canonical_interview::interview_id.eq(&head.id),
                            ))
                            .execute(c)?;
                        return Ok(Ok(()));
                    };
                    if rival.state() == InterviewState::Locked {
                        return Ok(Err(ReviewRefusal::WrongState(rival.state)));
                    }
                    diesel::update(canonical_interview::table.find((survey_id, case_id)))
                        .set(canonical_interview::interview_id.eq(&head.id))
                        .execute(c)?;
                    let none: Option<String> = None;
                    diesel::update(interview::table.find(&rival.id))
                        .set((
                            interview::state.eq(InterviewState::Surplus.name()),
                            interview::changed_at_ms.eq(now_ms),
                            interview::l1_by.eq(none),
                        ))
                        .execute(c)?;
                    Ok(Ok(()))
                }

                fn tell_surveyor(
                    c: &mut $connection,
                    head: &Interview,
                    step: &Step,
                    now_ms: i64,
                ) -> Result<(), StorageError> {
                    let (Some(recipient), Step::Return { reason_code, comment, items }) = (&head.surveyor, step) else {
                        return Ok(());
                    };
                    let payload = json!({ "case": head.case_id, "reason_code": reason_code, "comment": comment,
                        "item_comments": items });
                    diesel::insert_into(inbox_message::table)
                        .values((
                            inbox_message::recipient.eq(recipient),
                            inbox_message::interview_id.eq(&head.id),
                            inbox_message::rev.eq(head.current_rev),
                            inbox_message::kind.eq("returned"),
                            inbox_message::payload.eq(payload.to_string()),
                            inbox_message::created_at_ms.eq(now_ms),
                        ))
                        .execute(c)?;
                    Ok(())
                }

                fn note(
                    c: &mut $connection,
                    head: &Interview,
                    to: InterviewState,
                    step: &Step,
                    by: &Reviewer,
                    now_ms: i64,
                ) -> Result<(), StorageError> {
                    let (reason_code, items) = match step {
                        Step::Return { reason_code, items, .. } => (Some(reason_code.as_str()), Some(json!(items).to_string())),
                        _ => (None, None),
                    };
                    let noted = NewReviewAction {
                        interview_id: &head.id,
                        rev: head.current_rev,
                        action: step.action(),
                        from_state: &head.state,
                        to_state: to.name(),
                        by_id: &by.author.id,
                        by_role: &by.author.role,
                        reason_code,
                        comment: step.comment(),
                        item_comments: items.as_deref(),
                        at_ms: now_ms,
                    };
                    diesel::insert_into(review_action::table).values(&noted).execute(c)?;
                    Ok(())
                }
            }
        }
    };
}

reviews!(SqliteConnection);
reviews!(PgConnection);

/// Where the step leads, if this person may take it on what they saw.
fn may(
    head: &Interview,
    sha256: Option<&str>,
    received_from: &[String],
    seen: &Seen,
    step: &Step,
    by: &Reviewer,
) -> Refused<InterviewState> {
    let reopening = matches!(step, Step::Reopen { .. });
    if !by.may_see(head.district.as_deref()) {
        return Err(ReviewRefusal::OutOfScope);
    }
    if !reopening && received_from.iter().any(|from| by.ids.contains(from)) {
        return Err(ReviewRefusal::OwnInterview);
    }
    if seen.rev != head.current_rev || seen.sha256.as_deref().is_some_and(|seen| Some(seen) != sha256) {
        return Err(ReviewRefusal::StaleRevision);
    }
    let wrong = || ReviewRefusal::WrongState(head.state.clone());
    let to = head.state().after(step).ok_or_else(wrong)?;
    match step {
        Step::Approve(_) | Step::Lock if head.has_conflict => Err(ReviewRefusal::OpenConflict),
        Step::Approve(Level::Two) if head.l1_by.as_ref().is_none_or(|l1| by.is(l1)) => Err(ReviewRefusal::SamePerson),
        Step::ConfirmVoid => match &head.void_by {
            None => Err(wrong()),
            Some(first) if by.is(first) => Err(ReviewRefusal::SamePerson),
            Some(_) => Ok(to),
        },
        _ => Ok(to),
    }
}

impl Reviewer {
    fn is(&self, id: &String) -> bool {
        self.author.id == *id || self.ids.contains(id)
    }
}

/// Who approved first, once the step is taken.
fn l1_after(head: &Interview, step: &Step, by: &Reviewer) -> Option<String> {
    match step {
        Step::Approve(Level::One) => Some(by.author.id.clone()),
        Step::Approve(Level::Two) | Step::Lock | Step::RequestVoid { .. } | Step::ConfirmVoid => head.l1_by.clone(),
        Step::Begin | Step::Return { .. } | Step::Reopen { .. } | Step::Promote { .. } => None,
    }
}

/// The words of a comment stay out of the log; their digest pins them.
fn act(head: &Interview, to: InterviewState, step: &Step, by: &Reviewer, now_ms: i64) -> Act {
    let reason_code = match step {
        Step::Return { reason_code, .. } => Some(reason_code),
        _ => None,
    };
    let detail = json!({ "rev": head.current_rev, "from": head.state, "to": to.name(), "reason_code": reason_code,
        "comment_sha256": step.comment().map(|comment| sha256_hex(comment.as_bytes())) });
    Act::done(&by.author, now_ms, step.action(), format!("response/{}", head.id), detail)
}

impl Database {
    /// Takes a step of a review on one interview.
    ///
    /// # Errors
    /// Whatever the database refused; inside, why the step was not taken. Then nothing changed.
    pub fn review(
        &self,
        id: &str,
        seen: &Seen,
        step: &Step,
        by: &Reviewer,
        now_ms: i64,
    ) -> Result<Refused<Stepped>, StorageError> {
        writing!(self, c => {
            match c.step(id, seen, step, by, now_ms)? {
                Ok((stepped, act)) => {
                    let log_seq = c.append(&[act])?;
                    c.tell_holder(id, log_seq)?;
                    Ok(Ok(stepped))
                }
                Err(refusal) => Ok(Err(refusal)),
            }
        })
    }

    /// Takes the same step on many interviews in one transaction: each by itself, in the order they were named.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing changed. Inside, one result each.
    pub fn review_many(
        &self,
        each: &[(String, Seen)],
        step: &Step,
        by: &Reviewer,
        now_ms: i64,
    ) -> Result<Vec<Refused<Stepped>>, StorageError> {
        // Two such calls at once hold the heads in the same order.
        let mut order: Vec<usize> = (0..each.len()).collect();
        order.sort_by(|a, b| each[*a].0.cmp(&each[*b].0));
        writing!(self, c => {
            let mut results: Vec<Option<Refused<Stepped>>> = vec![None; each.len()];
            let (mut acts, mut changed) = (Vec::new(), Vec::new());
            for at in &order {
                let (id, seen) = &each[*at];
                results[*at] = Some(c.step(id, seen, step, by, now_ms)?.map(|(stepped, act)| {
                    acts.push(act);
                    changed.push(id);
                    stepped
                }));
            }
            if !acts.is_empty() {
                let first = c.append(&acts)?;
                for (log_seq, id) in (first..).zip(changed) {
                    c.tell_holder(id, log_seq)?;
                }
            }
            Ok(results.into_iter().flatten().collect())
        })
    }

    /// Every step taken on an interview, in order.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn review_actions(&self, interview_id: &str) -> Result<Vec<ReviewAction>, StorageError> {
        Ok(reading!(self, c => review_action::table
            .filter(review_action::interview_id.eq(interview_id))
            .order(review_action::seq)
            .select(ReviewAction::as_select())
            .load(c))?)
    }
}
