//! Bytes that wait for a person: what they are, and letting them in.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{
    Problem, Shared, codes,
    extract::{Asker, Checked, call},
    problem::ProblemBody,
    responses,
};
use crate::{
    server::{self, Fault, notices_of},
    storage::{QuarantinedBody, Taking},
};

/// Which waiting bytes a list shows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct QuarantineQuery {
    /// Rows at most, 1 to 200.
    #[serde(default = "responses::page_rows")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
    /// The `next` of the page before.
    #[serde(default)]
    after: i64,
    /// Only those that wait for this reason.
    reason: Option<String>,
}

/// Waiting bytes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct WaitingBody {
    server_seq: i64,
    id: String,
    rev: i32,
    surveyor: String,
    case: Option<String>,
    district: Option<String>,
    reason: String,
    notices: Vec<Fault>,
    since_ms: i64,
    /// When they are judged again by themselves; null when only a person or master data can help.
    next_try_ms: Option<i64>,
}

impl From<QuarantinedBody> for WaitingBody {
    fn from(row: QuarantinedBody) -> Self {
        let notices = notices_of(&row.why);
        let QuarantinedBody { id, rev, received_from: surveyor, case_id: case, district, why } = row;
        let (server_seq, since_ms, next_try_ms) = (why.server_seq, why.created_at_ms, why.next_try_ms);
        Self { server_seq, id, rev, surveyor, case, district, reason: why.reason, notices, since_ms, next_try_ms }
    }
}

/// A page of waiting bytes in the order of arrival.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct QuarantineBody {
    waiting: Vec<WaitingBody>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<i64>,
}

/// Why bytes are let in.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptBody {
    /// Why.
    #[validate(length(min = 1, max = 1000))]
    reason: String,
}

/// Which of the bodies in conflict is meant.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChooseBody {
    /// Its place in the order of arrival.
    server_seq: i64,
    /// Why.
    #[validate(length(min = 1, max = 1000))]
    reason: String,
}

/// Where the interview stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TakenBody {
    server_seq: i64,
    state: &'static str,
}

/// Lists what waits.
#[utoipa::path(
    get, path = "/api/v1/quarantine", tag = "review", params(QuarantineQuery),
    responses((status = 200, description = "A page.", body = QuarantineBody))
)]
pub(super) async fn list(
    shared: Data<Shared>,
    asker: Asker,
    query: Query<QuarantineQuery>,
) -> Result<HttpResponse, Problem> {
    let QuarantineQuery { limit, after, reason } = query.into_inner();
    let rows_max = responses::rows(limit)?;
    let work = move |shared: &Shared| {
        let scope = asker.reviewer(&shared.database)?.scope;
        Ok(shared.database.open_quarantine(reason.as_deref(), &scope, after, rows_max)?)
    };
    let rows = call(&shared, work).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == rows_max);
    let next = rows.last().filter(|_| is_full).map(|row| row.why.server_seq);
    Ok(HttpResponse::Ok().json(QuarantineBody { waiting: rows.into_iter().map(WaitingBody::from).collect(), next }))
}

async fn take(
    shared: &Data<Shared>,
    asker: &Asker,
    server_seq: i64,
    taking: Taking,
    reason: String,
) -> Result<HttpResponse, Problem> {
    let asker = asker.clone();
    let work = move |shared: &Shared| {
        let by = asker.reviewer(&shared.database)?;
        let how = (taking, reason.as_str());
        server::take_body(&shared.database, &shared.instruments, server_seq, how, &by, &shared.clock)
    };
    let state = call(shared, work).await?;
    Ok(HttpResponse::Ok().json(TakenBody { server_seq, state: state.name() }))
}

/// Lets bytes in that came late or after an approval.
#[utoipa::path(
    post, path = "/api/v1/quarantine/{seq}/accept", tag = "review", request_body = AcceptBody,
    params(("seq" = i64, Path, description = "Place in the order of arrival.")),
    responses(
        (status = 200, description = "In force, and to be reviewed.", body = TakenBody),
        (status = 403, description = "One's own interview, or another region.", body = ProblemBody),
        (status = 404, description = "No such bytes.", body = ProblemBody),
        (status = 409, description = "They do not wait for this.", body = ProblemBody),
        (status = 422, description = "They are not good; every fault.", body = ProblemBody),
    )
)]
pub(super) async fn accept(
    shared: Data<Shared>,
    asker: Asker,
    seq: Path<i64>,
    body: Checked<AcceptBody>,
) -> Result<HttpResponse, Problem> {
    take(&shared, &asker, seq.into_inner(), Taking::Accept, body.0.reason).await
}

/// Chooses one of the bodies that came under the same revision.
#[utoipa::path(
    post, path = "/api/v1/responses/{id}/choose", tag = "review", request_body = ChooseBody,
    params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "In force, and to be reviewed.", body = TakenBody),
        (status = 403, description = "One's own interview, or another region.", body = ProblemBody),
        (status = 404, description = "No such bytes.", body = ProblemBody),
        (status = 409, description = "There is no conflict, or it is locked.", body = ProblemBody),
        (status = 422, description = "They are not good; every fault.", body = ProblemBody),
    )
)]
pub(super) async fn choose(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<ChooseBody>,
) -> Result<HttpResponse, Problem> {
    let ChooseBody { server_seq, reason } = body.0;
    let named = call(&shared, move |shared| Ok(shared.database.submission_body(server_seq)?)).await?;
    if named.is_none_or(|named| named.id != *id) {
        return Err(Problem::of(&codes::NOT_FOUND));
    }
    take(&shared, &asker, server_seq, Taking::Choose, reason).await
}
