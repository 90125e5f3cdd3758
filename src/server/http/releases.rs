//! Releasing runs: two persons make public what the rules let out.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web::Data};
use serde::Serialize;

use super::{
    Problem, Shared, codes,
    extract::{Asker, AtRun, call},
    problem::ProblemBody,
};
use crate::{
    disclosure::Decision,
    server::{
        Refusal,
        releases::{cells_of, confirm_release, request_release},
    },
    storage::{Run, StoredRelease},
};

/// A release as its office sees it.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(super) struct ReleaseBody {
    /// The run.
    run: String,
    /// `none`, `requested` or `released`.
    state: &'static str,
    /// The rule set with its version.
    rules: Option<String>,
    /// SHA-256 of the public document.
    sha256: Option<String>,
    requested_by: Option<String>,
    requested_at_ms: Option<i64>,
    confirmed_by: Option<String>,
    confirmed_at_ms: Option<i64>,
    /// What became of each cell that is not simply shown: `caution`, or why it is withheld.
    cells: BTreeMap<String, String>,
}

fn body(release: StoredRelease) -> Result<ReleaseBody, Refusal> {
    let said = |(key, decision): (String, Decision)| {
        let word = match decision {
            Decision::Shown => return None,
            Decision::Caution => "caution",
            Decision::Withheld(reason) => reason.code(),
        };
        Some((key, word.to_owned()))
    };
    let cells = cells_of(&release)?.into_iter().map(|(key, cell)| (key, cell.decision)).filter_map(said).collect();
    let state = if release.is_public() { "released" } else { "requested" };
    let StoredRelease { run_id, rules, sha256, requested_by, requested_at_ms, confirmed_by, confirmed_at_ms, .. } =
        release;
    Ok(ReleaseBody {
        run: run_id,
        state,
        rules: Some(rules),
        sha256: Some(sha256),
        requested_by: Some(requested_by),
        requested_at_ms: Some(requested_at_ms),
        confirmed_by,
        confirmed_at_ms,
        cells,
    })
}

/// Asks that a run be released; the public document is made and waits for another person.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/release", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses(
        (status = 202, description = "Waits for another person.", body = ReleaseBody),
        (status = 404, description = "No such run.", body = ProblemBody),
        (status = 409, description = "It has not succeeded, is public already, or cannot be released.", body = ProblemBody),
    )
)]
pub(super) async fn request(shared: Data<Shared>, asker: Asker, run: AtRun) -> Result<HttpResponse, Problem> {
    let (run, by) = (succeeded(run)?, asker.0.author());
    let make = move |shared: &Shared| body(request_release(&shared.database, &shared.clock, &run, &by)?);
    Ok(HttpResponse::Accepted().json(call(&shared, make).await?))
}

/// Confirms a release: from now on everybody may read it.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/release/confirm", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses(
        (status = 200, description = "Released.", body = ReleaseBody),
        (status = 403, description = "Whoever asked for the release or started the run cannot confirm.", body = ProblemBody),
        (status = 404, description = "Nobody asked.", body = ProblemBody),
        (status = 409, description = "It would be another release now: ask again.", body = ProblemBody),
    )
)]
pub(super) async fn confirm(shared: Data<Shared>, asker: Asker, run: AtRun) -> Result<HttpResponse, Problem> {
    let run = succeeded(run)?;
    let actor = asker.0.actor.clone().ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let confirmed = move |shared: &Shared| {
        let ids = asker.0.ids(&shared.database)?;
        body(confirm_release(&shared.database, &shared.clock, &run, &actor, &ids)?)
    };
    Ok(HttpResponse::Ok().json(call(&shared, confirmed).await?))
}

/// Shows how a run's release stands and what became of its cells.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/release", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "It, or that nobody asked for one.", body = ReleaseBody), (status = 404, description = "No such run.", body = ProblemBody))
)]
pub(super) async fn show(shared: Data<Shared>, run: AtRun) -> Result<HttpResponse, Problem> {
    let id = run.0.id.clone();
    let find = move |shared: &Shared| shared.database.release(&run.0.id)?.map(body).transpose();
    let none = || ReleaseBody { run: id, state: "none", ..ReleaseBody::default() };
    Ok(HttpResponse::Ok().json(call(&shared, find).await?.unwrap_or_else(none)))
}

/// The run, once it has succeeded.
pub(super) fn succeeded(run: AtRun) -> Result<Run, Problem> {
    match run.0.state.as_str() {
        "succeeded" => Ok(run.0),
        "failed" => Err(Problem::of(&codes::RUN_FAILED).because(run.0.error.unwrap_or_default())),
        _ => Err(Problem::of(&codes::RUN_NOT_FINISHED)),
    }
}
