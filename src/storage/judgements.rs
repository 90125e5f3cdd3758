//! Writing a judgement down: the head it changes, the case it counts for, the quarantine it opens or closes.
//!
//! Locks are taken in one order everywhere: the interview's head, the survey, the case, the log. So nobody waits in a ring.

use diesel::{PgConnection, SqliteConnection, prelude::*};
use serde_json::json;

use super::{Act, Author, Database, Interview, InterviewState, StorageError, audit::Appends, schema::*};

/// Quarantined for one of these, bytes may become good when a questionnaire or a sample arrives.
pub const WAITING_FOR_MASTER_DATA: [&str; 3] = ["unknown-instrument", "unknown-case", "ambiguous-case"];

/// When bytes that wait for master data are judged again by themselves: 5 minutes, 10 minutes, 1 hour, 8 hours, 24 hours
/// after the try before.
const TRY_AGAIN_AFTER_MS: [i64; 5] = [300_000, 600_000, 3_600_000, 28_800_000, 86_400_000];

/// A judgement on kept bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// They are a response to this case of this survey.
    Good {
        /// The survey.
        survey_id: String,
        /// The case.
        case_id: String,
        /// The questionnaire version they answer.
        questionnaire_hash: String,
        /// The checked answers as JSON.
        answers: String,
    },
    /// They are not, for now.
    Quarantine {
        /// The first fault's code.
        reason: String,
        /// Every fault as a JSON array.
        detail: String,
    },
}

/// A good body on its way to its head.
struct Body<'a> {
    server_seq: i64,
    rev: i32,
    from: &'a str,
    revoked: bool,
    /// Whether nobody judged it before; then nothing is in quarantine for it.
    is_new: bool,
    survey_id: &'a str,
    case_id: &'a str,
    questionnaire_hash: &'a str,
    answers: &'a str,
}

/// A connection that can write judgements down; the one body below serves both backends.
pub(super) trait Judges {
    /// The head, held until the end of the transaction.
    fn held_head(&mut self, id: &str) -> Result<Option<Interview>, StorageError>;

    /// Writes the judgement down; where the submission now stands, and what the log says of it. `accepted`: a person let
    /// the bytes in although they came late or after an approval.
    fn judge(
        &mut self,
        server_seq: i64,
        judgement: &Judgement,
        accepted: bool,
        now_ms: i64,
    ) -> Result<(InterviewState, Act), StorageError>;
}

/// Reading with a lock on what was read.
pub(super) trait Holds {
    /// The newest state of the head; nobody else changes it before this transaction ends.
    fn hold_head(&mut self, id: &str) -> QueryResult<Option<Interview>>;
    /// The reading that must not overlap with a closing of the survey.
    fn hold_survey(&mut self, id: &str) -> QueryResult<usize>;
}

impl Holds for SqliteConnection {
    fn hold_head(&mut self, id: &str) -> QueryResult<Option<Interview>> {
        interview::table.find(id).select(Interview::as_select()).first(self).optional()
    }

    fn hold_survey(&mut self, _: &str) -> QueryResult<usize> {
        Ok(0) // Whoever writes is alone.
    }
}

impl Holds for PgConnection {
    fn hold_head(&mut self, id: &str) -> QueryResult<Option<Interview>> {
        interview::table.find(id).select(Interview::as_select()).for_update().first(self).optional()
    }

    fn hold_survey(&mut self, id: &str) -> QueryResult<usize> {
        survey::table.find(id).select(survey::id).for_share().execute(self)
    }
}

macro_rules! judges {
    ($connection:ty) => {
        impl Judges for $connection {
            fn held_head(&mut self, id: &str) -> Result<Option<Interview>, StorageError> {
                Ok(self.hold_head(id)?)
            }

            fn judge(
                &mut self,
                server_seq: i64,
                judgement: &Judgement,
                accepted: bool,
                now_ms: i64,
            ) -> Result<(InterviewState, Act), StorageError> {
                let (id, rev, from, revoked): (String, i32, String, bool) = submission_raw::table
                    .find(server_seq)
                    .select((
                        submission_raw::id,
                        submission_raw::rev,
                        submission_raw::received_from,
                        submission_raw::revoked,
                    ))
                    .first(self)?;
                let head = self.held_head(&id)?.ok_or(diesel::result::Error::NotFound)?;
                let is_new = diesel::delete(submission_unjudged::table.find(server_seq)).execute(self)? == 1;
                let (state, reason) = match judgement {
                    Judgement::Quarantine { reason, detail } => {
                        (quarantine(self, &head, server_seq, (reason, detail), now_ms)?, Some(reason.as_str()))
                    }
                    Judgement::Good { survey_id, case_id, questionnaire_hash, answers } => {
                        let body = Body {
                            server_seq,
                            rev,
                            from: &from,
                            revoked,
                            is_new,
                            survey_id,
                            case_id,
                            questionnaire_hash,
                            answers,
                        };
                        good(self, &head, &body, accepted, now_ms)?
                    }
                };
                let act = judged((&id, rev, server_seq), state, reason, now_ms);
                return Ok((state, act));

                fn good(
                    c: &mut $connection,
                    head: &Interview,
                    body: &Body<'_>,
                    accepted: bool,
                    now_ms: i64,
                ) -> Result<(InterviewState, Option<&'static str>), StorageError> {
                    let judged = head.current_seq != 0;
                    // Judged again, or an earlier revision that arrives late: neither pushes the one in force away.
                    if judged && (head.current_seq == body.server_seq || body.rev < head.current_rev) {
                        resolve(c, body, now_ms)?;
                        return Ok((head.state(), None));
                    }
                    if let Some(reason) = bar(c, head, body, accepted)? {
                        know_case(c, head, body)?;
                        return Ok((quarantine(c, head, body.server_seq, (reason, "[]"), now_ms)?, Some(reason)));
                    }
                    let counts = claim_case(c, head, body)?;
                    let district = district(c, body)?;
                    let state = if counts { head.state().after_new_body() } else { InterviewState::Surplus };
                    diesel::update(interview::table.find(&head.id))
                        .set((
                            (interview::state.eq(state.name()), interview::changed_at_ms.eq(now_ms)),
                            (interview::current_rev.eq(body.rev), interview::current_seq.eq(body.server_seq)),
                            interview::questionnaire_hash.eq(body.questionnaire_hash),
                            (interview::answers.eq(body.answers), interview::surveyor.eq(body.from)),
                            (interview::survey_id.eq(body.survey_id), interview::case_id.eq(body.case_id)),
                            interview::district.eq(district),
                            (interview::l1_by.eq(None::<String>), interview::void_by.eq(None::<String>)),
                        ))
                        .execute(c)?;
                    resolve(c, body, now_ms)?;
                    Ok((state, None))
                }

                /// Why good bytes may not count by themselves.
                fn bar(
                    c: &mut $connection,
                    head: &Interview,
                    body: &Body<'_>,
                    accepted: bool,
                ) -> Result<Option<&'static str>, StorageError> {
                    if head.state() == InterviewState::Void {
                        return Ok(Some("interview-void"));
                    }
                    if accepted {
                        return Ok(None);
                    }
                    if body.revoked {
                        return Ok(Some("late-or-revoked"));
                    }
                    if strange(c, body)? {
                        return Ok(Some("not-assigned"));
                    }
                    // A closing waits until this is committed, and this until a closing is: they have one order.
                    c.hold_survey(body.survey_id)?;
                    let closed = survey_closing::table.find(body.survey_id).select(survey_closing::after_seq);
                    let closed: Option<i64> = closed.first(c).optional()?;
                    if closed.is_some_and(|after| body.server_seq > after) {
                        return Ok(Some("late-or-revoked"));
                    }
                    Ok(head.state().is_approved().then_some("revision-after-approval"))
                }

                /// Whether the case was given to others and never to the person of the tablet. Whoever had it before may hand
                /// in what they have; a service token is no person and is not asked.
                fn strange(c: &mut $connection, body: &Body<'_>) -> QueryResult<bool> {
                    let of = assignment::survey_id.eq(body.survey_id).and(assignment::case_id.eq(body.case_id));
                    let had: Vec<String> = assignment::table.filter(of).select(assignment::person_id).load(c)?;
                    if had.is_empty() {
                        return Ok(false);
                    }
                    let person = device::table.find(body.from).select(device::person_id).first(c).optional()?;
                    let person: Option<String> = match person {
                        Some(person) => Some(person),
                        None => person::table.find(body.from).select(person::id).first(c).optional()?,
                    };
                    Ok(person.is_some_and(|person| !had.contains(&person)))
                }

                fn district(c: &mut $connection, body: &Body<'_>) -> QueryResult<Option<String>> {
                    let case = sample_case::table.find((body.survey_id, body.case_id));
                    case.select(sample_case::district).first(c).optional()
                }

                /// Writes survey, case and district into the head, unless a body in force has said them already.
                fn know_case(c: &mut $connection, head: &Interview, body: &Body<'_>) -> Result<(), StorageError> {
                    let district = district(c, body)?;
                    let still = interview::current_seq.eq(0).or(interview::current_seq.eq(body.server_seq));
                    diesel::update(interview::table.filter(interview::id.eq(&head.id).and(still)))
                        .set((
                            interview::survey_id.eq(body.survey_id),
                            interview::case_id.eq(body.case_id),
                            interview::district.eq(district),
                        ))
                        .execute(c)?;
                    Ok(())
                }

                /// Takes the case if no other interview has it; whether this one counts.
                fn claim_case(c: &mut $connection, head: &Interview, body: &Body<'_>) -> Result<bool, StorageError> {
                    let (id, survey_id, case_id) = (&head.id, body.survey_id, body.case_id);
                    if head.current_seq != 0 {
                        let mine = canonical_interview::interview_id.eq(id);
                        let elsewhere =
                            canonical_interview::survey_id.ne(survey_id).or(canonical_interview::case_id.ne(case_id));
                        diesel::delete(canonical_interview::table.filter(mine.and(elsewhere))).execute(c)?;
                    }
                    let claimed = diesel::insert_into(canonical_interview::table)
                        .values((
                            canonical_interview::survey_id.eq(survey_id),
                            canonical_interview::case_id.eq(case_id),
                            canonical_interview::interview_id.eq(id),
                        ))
                        .on_conflict_do_nothing()
                        .execute(c)?;
                    if claimed == 1 {
                        return Ok(true);
                    }
                    let counts: String = canonical_interview::table
                        .find((survey_id, case_id))
                        .select(canonical_interview::interview_id)
                        .first(c)?;
                    Ok(counts == *id)
                }

                fn resolve(c: &mut $connection, body: &Body<'_>, now_ms: i64) -> Result<(), StorageError> {
                    if body.is_new {
                        return Ok(());
                    }
                    let none: Option<i64> = None;
                    diesel::update(quarantine::table.find(body.server_seq))
                        .set((
                            quarantine::state.eq("resolved"),
                            quarantine::resolved_at_ms.eq(now_ms),
                            quarantine::next_try_ms.eq(none),
                        ))
                        .execute(c)?;
                    Ok(())
                }

                fn quarantine(
                    c: &mut $connection,
                    head: &Interview,
                    server_seq: i64,
                    (reason, detail): (&str, &str),
                    now_ms: i64,
                ) -> Result<InterviewState, StorageError> {
                    let waiting = interview::id.eq(&head.id).and(interview::current_seq.eq(0));
                    let waiting = waiting.and(interview::state.ne("void"));
                    diesel::update(interview::table.filter(waiting))
                        .set((interview::state.eq("quarantined"), interview::changed_at_ms.eq(now_ms)))
                        .execute(c)?;
                    let before: Option<(i32, Option<i64>)> = quarantine::table
                        .find(server_seq)
                        .select((quarantine::tries, quarantine::next_try_ms))
                        .first(c)
                        .optional()?;
                    let (tries, next_try_ms) = schedule(reason, before, now_ms);
                    let plan = (quarantine::tries.eq(tries), quarantine::next_try_ms.eq(next_try_ms));
                    diesel::insert_into(quarantine::table)
                        .values((
                            quarantine::server_seq.eq(server_seq),
                            quarantine::reason.eq(reason),
                            quarantine::detail.eq(detail),
                            quarantine::state.eq("open"),
                            quarantine::created_at_ms.eq(now_ms),
                            plan,
                        ))
                        .on_conflict(quarantine::server_seq)
                        .do_update()
                        .set((
                            quarantine::reason.eq(reason),
                            quarantine::detail.eq(detail),
                            quarantine::state.eq("open"),
                            plan,
                        ))
                        .execute(c)?;
                    Ok(InterviewState::Quarantined)
                }
            }
        }
    };
}

judges!(SqliteConnection);
judges!(PgConnection);

/// What the log says of a judgement.
pub(super) fn judged(
    (id, rev, server_seq): (&str, i32, i64),
    state: InterviewState,
    reason: Option<&str>,
    now_ms: i64,
) -> Act {
    let detail = json!({ "server_seq": server_seq, "rev": rev, "state": state.name(), "reason": reason });
    Act::done(&Author::system(), now_ms, "response.judge", format!("response/{id}"), detail)
}

/// The tries so far and the time of the next. A try out of turn, because master data arrived, leaves the schedule alone.
fn schedule(reason: &str, before: Option<(i32, Option<i64>)>, now_ms: i64) -> (i32, Option<i64>) {
    let (tries, next) = before.unwrap_or_default();
    if !WAITING_FOR_MASTER_DATA.contains(&reason) {
        return (tries, None);
    }
    if next.is_some_and(|at| at > now_ms) {
        return (tries, next);
    }
    let wait = usize::try_from(tries).ok().and_then(|tries| TRY_AGAIN_AFTER_MS.get(tries));
    (tries + 1, wait.map(|wait| now_ms + wait))
}

impl Database {
    /// Writes a judgement down and returns where the submission now stands.
    ///
    /// A good revision takes the place of an earlier one, unless a person approved that; a revision in quarantine never
    /// does, so a good interview is not lost to a bad successor. The first good interview of a case counts, later ones
    /// are surplus. Good bytes that came after the survey was closed are quarantined all the same.
    ///
    /// # Errors
    /// Whatever the database refused; then the bytes stay unjudged.
    pub fn judge_submission(
        &self,
        server_seq: i64,
        judgement: &Judgement,
        now_ms: i64,
    ) -> Result<InterviewState, StorageError> {
        writing!(self, c => {
            let (state, act) = c.judge(server_seq, judgement, false, now_ms)?;
            c.append(&[act])?;
            Ok(state)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::schedule;

    #[test]
    fn waiting_bytes_are_tried_five_times_ever_more_rarely_and_never_out_of_turn() {
        let (mut before, mut now, mut waits) = (None, 1_000, Vec::new());
        loop {
            let (tries, next) = schedule("unknown-case", before, now);
            before = Some((tries, next));
            let Some(next) = next else { break };
            assert_eq!(schedule("unknown-case", before, next - 1), (tries, Some(next)), "out of turn");
            waits.push((next - now) / 60_000);
            now = next;
        }
        assert_eq!(waits, [5, 10, 60, 480, 1440]);
        assert_eq!(schedule("rule-violations", Some((2, None)), now), (2, None), "no master data will mend it");
    }
}
