//! The surveyor's inbox: work that came back.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};

use super::{
    Problem, Shared, codes,
    extract::{Asker, call},
    problem::ProblemBody,
    responses,
};
use crate::storage::InboxMessage;

/// Which messages a list shows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InboxQuery {
    /// Rows at most, 1 to 200.
    #[serde(default = "responses::page_rows")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
    /// The `next` of the page before.
    #[serde(default)]
    after: i64,
}

/// A message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MessageBody {
    seq: i64,
    /// `returned`.
    kind: String,
    /// The interview it is about.
    response: String,
    /// The revision it is about; the correction is the next one.
    rev: i32,
    /// `case`, `reason_code`, `comment` and `item_comments`.
    #[schema(value_type = Object)]
    payload: serde_json::Value,
    created_at_ms: i64,
    read_at_ms: Option<i64>,
}

impl MessageBody {
    /// Its number.
    pub(super) fn seq(&self) -> i64 {
        self.seq
    }
}

impl From<InboxMessage> for MessageBody {
    fn from(row: InboxMessage) -> Self {
        let payload = serde_json::from_str(&row.payload).unwrap_or_default();
        let InboxMessage { seq, interview_id: response, rev, kind, created_at_ms, read_at_ms, .. } = row;
        Self { seq, kind, response, rev, payload, created_at_ms, read_at_ms }
    }
}

/// A page of messages in order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct InboxBody {
    messages: Vec<MessageBody>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<i64>,
}

/// Lists the asker's messages.
#[utoipa::path(
    get, path = "/api/v1/sync/inbox", tag = "sync", params(InboxQuery),
    responses((status = 200, description = "A page.", body = InboxBody))
)]
pub(super) async fn list(
    shared: Data<Shared>,
    asker: Asker,
    query: Query<InboxQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, rows_max) = (query.after, responses::rows(query.limit)?);
    let work = move |shared: &Shared| Ok(shared.database.inbox(&asker.0.ids(&shared.database)?, after, rows_max)?);
    let rows = call(&shared, work).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == rows_max);
    let next = rows.last().filter(|_| is_full).map(|row| row.seq);
    Ok(HttpResponse::Ok().json(InboxBody { messages: rows.into_iter().map(MessageBody::from).collect(), next }))
}

/// Marks a message of the asker's as read.
#[utoipa::path(
    post, path = "/api/v1/inbox/{seq}/ack", tag = "sync", params(("seq" = i64, Path, description = "The message.")),
    responses(
        (status = 204, description = "Read."),
        (status = 404, description = "No such message to the asker.", body = ProblemBody),
    )
)]
pub(super) async fn acknowledge(shared: Data<Shared>, asker: Asker, seq: Path<i64>) -> Result<HttpResponse, Problem> {
    let seq = seq.into_inner();
    let work = move |shared: &Shared| {
        let ids = asker.0.ids(&shared.database)?;
        Ok(shared.database.acknowledge(seq, &ids, &asker.0.author(), shared.clock.now_ms())?)
    };
    match call(&shared, work).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(Problem::of(&codes::NOT_FOUND)),
    }
}
