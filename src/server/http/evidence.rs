//! What vouches for one interview: its revisions with digests and receipts, its review, and what the log says of it. Never an
//! answer.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    Problem, Shared,
    audited::log_reading,
    codes,
    deliver::{PurposeQuery, Tier},
    extract::{Asker, call},
    problem::ProblemBody,
};
use crate::{
    evidence::Receipt,
    indicator::response_pseudonym,
    instrument::{Sign, Submission},
    server::People,
    storage::{AuditEntry, Database, Interview, ReceivedBody, ReviewAction, StoredQuestionnaire},
};

/// Entries of the log at most.
const ENTRIES_MAX: i64 = 500;

/// The questionnaire of an interview.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct VersionHeadBody {
    hash: String,
    id: String,
    version: String,
    title: String,
}

/// A receipt.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReceiptLinesBody {
    short_code: String,
    /// The key that signed.
    key_id: Option<String>,
    signature: Option<String>,
    /// The entry of the log that says that the bytes were kept; `/api/v1/audit/proof/{seq}` proves it.
    log_index: Option<i64>,
    /// The receipt byte for byte as it was given.
    text: String,
}

/// One body that was received.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RevisionBody {
    rev: i32,
    server_seq: i64,
    /// SHA-256 of the bytes.
    sha256: String,
    received_at_ms: i64,
    /// The tablet or token that it came from.
    received_from: String,
    /// Whether other bytes were there first under this revision.
    conflict: bool,
    /// Whether this is the body in force.
    in_force: bool,
    /// Whether its bytes were deleted after the years that they must be kept.
    deleted: bool,
    receipt: Option<ReceiptLinesBody>,
}

/// A step of a review.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct StepBody {
    rev: i32,
    action: String,
    from: String,
    to: String,
    by: String,
    /// How the person is called, where it is one.
    name: Option<String>,
    role: String,
    reason_code: Option<String>,
    at_ms: i64,
}

/// An entry of the log by its header.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EntryHeadBody {
    seq: i64,
    at_ms: i64,
    actor: String,
    role: String,
    action: String,
    object: String,
    outcome: String,
}

/// What vouches for an interview.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EvidenceBody {
    submission: String,
    /// Its name in the files of runs.
    pseudonym: Option<String>,
    survey: Option<String>,
    state: String,
    rev: i32,
    /// Whether a revision came with two different bodies.
    conflict: bool,
    changed_at_ms: i64,
    questionnaire: Option<VersionHeadBody>,
    /// Signs in the bytes in force that say where to look first: `too-fast`, `same-answers`, `few-values`, `at-night`.
    signs: Vec<&'static str>,
    revisions: Vec<RevisionBody>,
    review: Vec<StepBody>,
    /// What the log has of the interview, the reading that this answer is among them, at most 500.
    entries: Vec<EntryHeadBody>,
}

/// Shows what vouches for an interview, without its answers. That it was looked at, by whom and what for, is logged first.
#[utoipa::path(
    get, path = "/api/v1/submissions/{uuid}/evidence", tag = "responses",
    params(("uuid" = String, Path, description = "The submission."), PurposeQuery),
    responses(
        (status = 200, description = "It.", body = EvidenceBody),
        (status = 404, description = "No such submission.", body = ProblemBody),
        (status = 422, description = "It is not said what it is for.", body = ProblemBody),
    )
)]
pub(super) async fn show(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    purpose: Query<PurposeQuery>,
) -> Result<HttpResponse, Problem> {
    let purpose = purpose.into_inner().for_tier(Tier::A)?;
    let work = move |shared: &Shared| {
        let database = &shared.database;
        if !database.reaches(&asker.0.reach(database)?, &id)? {
            return Ok(None);
        }
        let Some(head) = database.interview(&id)? else { return Ok(None) };
        log_reading(
            shared,
            &asker.0,
            "response.trace",
            format!("response/{}", head.id),
            json!({ "purpose": purpose }),
        )?;
        let questionnaire = head.questionnaire_hash.as_deref().map(|hash| database.questionnaire(hash)).transpose()?;
        let revisions = database.received_bodies(&head.id)?;
        let (review, entries) = (database.review_actions(&head.id)?, entries(database, &head.id, &revisions)?);
        let people = People::read(database)?;
        let body = database.bodies_at(&[head.current_seq])?.pop();
        let sent = body.and_then(|(_, body)| Submission::parse(&body).ok());
        let signs = sent.as_ref().map(Submission::signs).unwrap_or_default().into_iter().map(Sign::name).collect();
        Ok(Some(evidence(head, questionnaire.flatten(), revisions, signs, review, entries, &people)))
    };
    let body = call(&shared, work).await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(body))
}

fn entries(
    database: &Database,
    id: &str,
    revisions: &[ReceivedBody],
) -> Result<Vec<AuditEntry>, crate::storage::StorageError> {
    let revs: std::collections::BTreeSet<i32> = revisions.iter().map(|one| one.rev).collect();
    let mut objects: Vec<String> = revs.into_iter().map(|rev| format!("submission/{id}/{rev}")).collect();
    objects.push(format!("response/{id}"));
    database.audit_entries_of(&objects, ENTRIES_MAX)
}

fn evidence(
    head: Interview,
    questionnaire: Option<StoredQuestionnaire>,
    revisions: Vec<ReceivedBody>,
    signs: Vec<&'static str>,
    review: Vec<ReviewAction>,
    entries: Vec<AuditEntry>,
    people: &People,
) -> EvidenceBody {
    let version = |StoredQuestionnaire { hash, id, version, title, .. }| VersionHeadBody { hash, id, version, title };
    let in_force = head.current_seq;
    EvidenceBody {
        pseudonym: Uuid::parse_str(&head.id).ok().map(|id| response_pseudonym(&id)),
        submission: head.id,
        survey: head.survey_id,
        state: head.state,
        rev: head.current_rev,
        conflict: head.has_conflict,
        changed_at_ms: head.changed_at_ms,
        questionnaire: questionnaire.map(version),
        signs,
        revisions: revisions.into_iter().map(|one| revision(one, in_force)).collect(),
        review: review.into_iter().map(|one| step(one, people)).collect(),
        entries: entries.into_iter().map(entry_head).collect(),
    }
}

fn revision(row: ReceivedBody, in_force: i64) -> RevisionBody {
    let ReceivedBody { server_seq, rev, sha256, received_at_ms, received_from, conflict, receipt, is_deleted } = row;
    let lines = |text: String| {
        let receipt: Receipt = serde_json::from_str(&text).ok()?;
        let Receipt { short_code, key_id, signature, log_index, .. } = receipt;
        Some(ReceiptLinesBody { short_code, key_id, signature, log_index, text })
    };
    RevisionBody {
        rev,
        server_seq,
        sha256,
        received_at_ms,
        received_from,
        conflict,
        in_force: server_seq == in_force,
        deleted: is_deleted,
        receipt: receipt.and_then(lines),
    }
}

fn step(row: ReviewAction, people: &People) -> StepBody {
    let ReviewAction { rev, action, from_state, to_state, by_id, by_role, reason_code, at_ms, .. } = row;
    let name = people.name_of(&by_id).map(str::to_owned);
    StepBody { rev, action, from: from_state, to: to_state, by: by_id, name, role: by_role, reason_code, at_ms }
}

fn entry_head(row: AuditEntry) -> EntryHeadBody {
    let AuditEntry { seq, at_ms, actor, role, action, object, outcome, .. } = row;
    EntryHeadBody { seq, at_ms, actor, role, action, object, outcome }
}
