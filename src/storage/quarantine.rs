//! Bytes that wait: why, until when, and letting them in by hand.

use diesel::prelude::*;
use serde_json::json;

use super::{
    Act, Database, InterviewState, Judgement, ReviewRefusal, Reviewer, StorageError, Waiting, audit::Appends,
    judgements::Judges, review::NewReviewAction, schema::*,
};

/// Good bytes that only a person may let in.
const ACCEPTABLE: [&str; 3] = ["late-or-revoked", "not-assigned", "revision-after-approval"];

/// Why bytes wait.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = quarantine)]
pub struct Quarantined {
    /// Place in the order of arrival.
    pub server_seq: i64,
    /// The first fault's code.
    pub reason: String,
    /// Every fault as a JSON array; empty when the reason says it all.
    pub detail: String,
    /// `open` or `resolved`.
    pub state: String,
    /// Since when.
    pub created_at_ms: i64,
    /// When they are judged again by themselves.
    pub next_try_ms: Option<i64>,
}

/// Waiting bytes in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedBody {
    /// The submission.
    pub id: String,
    /// The revision.
    pub rev: i32,
    /// From whom.
    pub received_from: String,
    /// The case, once known.
    pub case_id: Option<String>,
    /// Its district, once known.
    pub district: Option<String>,
    /// Why they wait.
    pub why: Quarantined,
}

/// How a person lets a body in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// It came late, or after an approval.
    Accept,
    /// It is one of two under one revision.
    Choose,
}

impl Database {
    /// Why a submission's bodies wait or waited, in the order of arrival.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn quarantine_of(&self, id: &str) -> Result<Vec<Quarantined>, StorageError> {
        Ok(reading!(self, c => quarantine::table
            .inner_join(submission_raw::table)
            .filter(submission_raw::id.eq(id))
            .order(quarantine::server_seq)
            .select(Quarantined::as_select())
            .load(c))?)
    }

    /// Up to `rows_max` waiting bodies after the place, in the order of arrival: all, or those with the reason; in the
    /// region with this prefix, or everywhere.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn open_quarantine(
        &self,
        reason: Option<&str>,
        scope: &str,
        after: i64,
        rows_max: i64,
    ) -> Result<Vec<QuarantinedBody>, StorageError> {
        type Row = (Quarantined, (String, i32, String), (Option<String>, Option<String>));
        let rows: Vec<Row> = reading!(self, c => {
            let mut query = quarantine::table
                .inner_join(submission_raw::table.on(submission_raw::server_seq.eq(quarantine::server_seq)))
                .inner_join(interview::table.on(interview::id.eq(submission_raw::id)))
                .filter(quarantine::state.eq("open").and(quarantine::server_seq.gt(after)))
                .order(quarantine::server_seq)
                .limit(rows_max)
                .select((
                    Quarantined::as_select(),
                    (submission_raw::id, submission_raw::rev, submission_raw::received_from),
                    (interview::case_id, interview::district),
                ))
                .into_boxed();
            if let Some(reason) = reason {
                query = query.filter(quarantine::reason.eq(reason));
            }
            if !scope.is_empty() {
                query = query.filter(interview::district.ge(scope).and(interview::district.lt(format!("{scope}:"))));
            }
            query.load(c)
        })?;
        let body = |(why, (id, rev, received_from), (case_id, district))| QuarantinedBody {
            id,
            rev,
            received_from,
            case_id,
            district,
            why,
        };
        Ok(rows.into_iter().map(body).collect())
    }

    /// Up to `rows_max` bodies after the place whose time to be judged again has come.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn due_submissions(&self, now_ms: i64, after: i64, rows_max: i64) -> Result<Vec<Waiting>, StorageError> {
        Ok(reading!(self, c => submission_raw::table
            .inner_join(quarantine::table)
            .filter(quarantine::state.eq("open").and(quarantine::next_try_ms.le(now_ms)))
            .filter(submission_raw::server_seq.gt(after))
            .order(submission_raw::server_seq)
            .limit(rows_max)
            .select(Waiting::as_select())
            .load(c))?)
    }

    /// Lets a good body in by hand: it becomes the one in force and is reviewed (again).
    ///
    /// # Errors
    /// Whatever the database refused; inside, why the person may not.
    pub fn take_body(
        &self,
        server_seq: i64,
        judgement: &Judgement,
        (taking, reason): (Taking, &str),
        by: &Reviewer,
        now_ms: i64,
    ) -> Result<Result<InterviewState, ReviewRefusal>, StorageError> {
        writing!(self, c => {
            let row = submission_raw::table
                .find(server_seq)
                .select((submission_raw::id, submission_raw::rev, submission_raw::conflict))
                .first::<(String, i32, bool)>(c)
                .optional()?;
            let Some((id, rev, conflict)) = row else { return Ok(Err(ReviewRefusal::NotFound)) };
            let Some(head) = c.held_head(&id)? else { return Ok(Err(ReviewRefusal::NotFound)) };
            let from = submission_raw::table.filter(submission_raw::id.eq(&id)).select(submission_raw::received_from);
            let from: Vec<String> = from.load(c)?;
            if from.iter().any(|from| by.ids.contains(from)) {
                return Ok(Err(ReviewRefusal::OwnInterview));
            }
            if !by.may_see(head.district.as_deref()) {
                return Ok(Err(ReviewRefusal::OutOfScope));
            }
            let wrong = || Ok(Err(ReviewRefusal::WrongState(head.state.clone())));
            if matches!(head.state(), InterviewState::Locked | InterviewState::Void) {
                return wrong();
            }
            let may = match taking {
                Taking::Choose => head.has_conflict && (conflict || rev == head.current_rev),
                Taking::Accept => {
                    let open = quarantine::table.find(server_seq).filter(quarantine::state.eq("open"));
                    let why: Option<String> = open.select(quarantine::reason).first(c).optional()?;
                    why.is_some_and(|why| ACCEPTABLE.contains(&why.as_str()))
                }
            };
            if !may {
                return wrong();
            }
            let (state, judged) = c.judge(server_seq, judgement, true, now_ms)?;
            if taking == Taking::Choose {
                diesel::update(interview::table.find(&id)).set(interview::has_conflict.eq(false)).execute(c)?;
            }
            let action = match taking {
                Taking::Accept => "response.accept",
                Taking::Choose => "response.choose",
            };
            let noted = NewReviewAction {
                interview_id: &id,
                rev,
                action,
                from_state: &head.state,
                to_state: state.name(),
                by_id: &by.author.id,
                by_role: &by.author.role,
                reason_code: None,
                comment: Some(reason),
                item_comments: None,
                at_ms: now_ms,
            };
            diesel::insert_into(review_action::table).values(&noted).execute(c)?;
            let detail = json!({ "server_seq": server_seq, "rev": rev, "from": head.state, "to": state.name(),
                "comment_sha256": crate::evidence::sha256_hex(reason.as_bytes()) });
            let act = Act::done(&by.author, now_ms, action, format!("response/{id}"), detail);
            c.append(&[act, judged])?;
            Ok(Ok(state))
        })
    }
}
