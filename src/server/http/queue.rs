//! What waits for a reviewer.

use actix_web::{HttpResponse, web::Data};
use serde::Serialize;

use super::{
    Problem, Shared,
    extract::{Asker, AtSurvey, call},
    problem::ProblemBody,
    responses::ResponseBody,
};
use crate::server::queue::{self, Queued};

/// An interview that waits, with the reason.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct QueuedBody {
    response: ResponseBody,
    /// `conflict`, `void-requested`, `surplus`, `quarantined`, `signs`, `first`, `second` or `to-lock`.
    why: &'static str,
    /// `too-fast`, `same-answers`, `few-values`, `at-night`. They prove nothing: they say where to look.
    signs: Vec<&'static str>,
    surveyor_name: Option<String>,
    /// Whether the next step is another person's: it is the asker's own interview, or the asker took the step before.
    for_another: bool,
}

impl From<Queued> for QueuedBody {
    fn from(row: Queued) -> Self {
        Self {
            response: ResponseBody::from(&row.interview),
            why: row.why.name(),
            signs: row.signs.into_iter().map(crate::instrument::Sign::name).collect(),
            surveyor_name: row.surveyor_name,
            for_another: row.for_another,
        }
    }
}

/// What waits, the most urgent first; at most 200 of a kind.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct QueueBody {
    queue: Vec<QueuedBody>,
}

/// Lists what waits for a reviewer in the asker's region, the most urgent first.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/queue", tag = "review", params(("id" = String, Path, description = "The survey.")),
    responses((status = 200, description = "It.", body = QueueBody), (status = 404, description = "No such survey.", body = ProblemBody))
)]
pub(super) async fn list(shared: Data<Shared>, asker: Asker, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    let queue =
        call(&shared, move |shared| queue::queue(&shared.database, &survey.0.id, &asker.reviewer(&shared.database)?));
    Ok(HttpResponse::Ok().json(QueueBody { queue: queue.await?.into_iter().map(QueuedBody::from).collect() }))
}
