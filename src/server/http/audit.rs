//! The audit log over HTTP: the newest checkpoint, entries, proofs.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};

use super::{
    Problem, Shared, codes,
    extract::{Asker, AtRun, call},
    problem::ProblemBody,
};
use crate::{
    server::{Actor, Fault, Refusal, Role, Text, audit},
    storage::{AuditEntry, Author, EntryFilter},
};

const PLAIN: &str = "text/plain; charset=utf-8";

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EntriesQuery {
    /// The number of the last entry seen; without it the log is read from its beginning.
    after: Option<i64>,
    /// Entries at most.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// Only what was done to this: `kind/id`.
    object: Option<String>,
    /// Only what this person, device or token did.
    actor: Option<String>,
}

/// A part of the log, in its order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EntriesBody {
    entries: Vec<EntryBody>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<i64>,
}

/// An entry.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EntryBody {
    seq: i64,
    at_ms: i64,
    actor: String,
    role: String,
    action: String,
    object: String,
    /// `done`, `refused` or `failed`.
    outcome: String,
    commitment: String,
    /// Null once it was erased.
    #[schema(value_type = Option<Object>)]
    detail: Option<serde_json::Value>,
}

impl From<AuditEntry> for EntryBody {
    fn from(row: AuditEntry) -> Self {
        let detail = row.detail.as_deref().and_then(|json| serde_json::from_str(json).ok());
        let AuditEntry { seq, at_ms, actor, role, action, object, outcome, commitment, .. } = row;
        Self { seq, at_ms, actor, role, action, object, outcome, commitment, detail }
    }
}

/// Auditors see everything, administrators their own and the system's acts, others their own.
fn visible_to(actor: &Actor) -> Option<Vec<String>> {
    let own = actor.author().id;
    match actor.role {
        Role::Auditor => None,
        Role::Admin => Some(vec![own, Author::system().id, Author::command_line().id]),
        _ => Some(vec![own]),
    }
}

/// Lists entries of the audit log: all for auditors, their own and the system's for administrators, their own for others.
#[utoipa::path(
    get, path = "/api/v1/audit/entries", tag = "evidence", params(EntriesQuery),
    responses((status = 200, description = "A page.", body = EntriesBody))
)]
pub(super) async fn entries(
    shared: Data<Shared>,
    asker: Asker,
    query: Query<EntriesQuery>,
) -> Result<HttpResponse, Problem> {
    let EntriesQuery { after, limit, object, actor } = query.into_inner();
    let limit = Some(limit.unwrap_or(50)).filter(|limit| (1..=200).contains(limit));
    let rows_max = limit.ok_or_else(|| invalid("limit", "每页 1 至 200 条", "a page has 1 to 200 entries"))?;
    if [&object, &actor].into_iter().flatten().any(|text| text.contains('\0')) {
        return Err(invalid("object", "含有空字符", "it has a null character"));
    }
    let asking = asker.0.actor.as_ref().ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let filter = EntryFilter { object, actor, only_of: visible_to(asking) };
    let find = move |shared: &Shared| Ok(shared.database.find_audit_entries(&filter, after.unwrap_or(-1), rows_max)?);
    let rows = call(&shared, find).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == rows_max);
    let next = rows.last().filter(|_| is_full).map(|row| row.seq);
    Ok(HttpResponse::Ok().json(EntriesBody { entries: rows.into_iter().map(EntryBody::from).collect(), next }))
}

fn invalid(field: &str, zh: &str, en: &str) -> Problem {
    Problem::of(&codes::INVALID).with(vec![Fault::new("range", Text::new(zh, en)).at(&format!("/{field}"))])
}

/// The newest signed checkpoint. Keep a copy: it is what a rewritten log is found with.
#[utoipa::path(
    get, path = "/api/v1/audit/checkpoint", tag = "evidence",
    responses(
        (status = 200, description = "A signed note: origin, number of entries, root, signature.", body = String, content_type = "text/plain"),
        (status = 404, description = "None was signed yet.", body = ProblemBody),
    )
)]
pub(super) async fn checkpoint(shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    let newest = call(&shared, |shared| Ok(shared.database.newest_checkpoint()?)).await?;
    let note = newest.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?.note;
    Ok(HttpResponse::Ok().content_type(PLAIN).body(note))
}

/// Proves that the newest checkpoint covers an entry, without showing any other.
#[utoipa::path(
    get, path = "/api/v1/audit/proof/{seq}", tag = "evidence",
    params(("seq" = String, Path, description = "The entry's number.")),
    responses(
        (status = 200, description = "The entry, the proof and the checkpoint (C2SP tlog-proof).", body = String, content_type = "text/plain"),
        (status = 404, description = "No such entry.", body = ProblemBody),
    )
)]
pub(super) async fn proof(shared: Data<Shared>, seq: Path<String>) -> Result<HttpResponse, Problem> {
    let seq: i64 = seq.parse().map_err(|_| Problem::of(&codes::NOT_FOUND))?;
    prove(&shared, move |_| Ok(Some(seq))).await
}

/// Proves when a run ended and which files it made, by digest.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/proof", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses(
        (status = 200, description = "The entry of its end, the proof and the checkpoint (C2SP tlog-proof).", body = String, content_type = "text/plain"),
        (status = 404, description = "No such run, or it has not ended.", body = ProblemBody),
    )
)]
pub(super) async fn of_run(shared: Data<Shared>, run: AtRun) -> Result<HttpResponse, Problem> {
    let object = format!("run/{}", run.0.id);
    prove(&shared, move |shared| {
        Ok(shared.database.latest_audit_entry(&object, &["run.finish"])?.map(|entry| entry.seq))
    })
    .await
}

async fn prove(
    shared: &Data<Shared>,
    find: impl FnOnce(&Shared) -> Result<Option<i64>, Refusal> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let work = move |shared: &Shared| {
        let Some(seq) = find(shared)? else { return Ok(None) };
        // An entry of a moment ago is covered by a checkpoint of now; if none can be signed, by none.
        let _ = shared.notary.sign_now();
        Ok(audit::prove(&shared.database, seq)?)
    };
    let proof = call(shared, work).await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    Ok(HttpResponse::Ok().content_type(PLAIN).body(proof.to_text()))
}
