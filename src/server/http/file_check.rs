//! Checking a survey's file before it is put.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Serialize;

use super::{
    Problem, Shared,
    extract::{AtSurvey, ImportedText, call},
    problem::ProblemBody,
    surveys::{kind_of, within_toml},
};
use crate::server;

/// What a good file holds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CheckedFileBody {
    kind: &'static str,
    sha256: String,
    /// Whether this very file is in force already.
    in_force: bool,
    /// What is in it: `cases`, `reserves`, `districts`, `strata`, `psus`, `margins`, `regions`, `targets`.
    counts: Vec<CountBody>,
}

/// How many there are of something.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CountBody {
    pub(super) of: &'static str,
    pub(super) count: usize,
}

/// Checks a file whole as putting it would, and changes nothing: what it holds, or every fault with its line.
#[utoipa::path(
    post, path = "/api/v1/surveys/{id}/files/{kind}/check", tag = "surveys",
    params(
        ("id" = String, Path, description = "The survey."),
        ("kind" = String, Path, description = "`sample`, `margins`, `regions` (CSV) or `targets` (TOML)."),
    ),
    request_body(content = String, content_type = "text/csv", description = "The file."),
    responses(
        (status = 200, description = "It is good and could be put.", body = CheckedFileBody),
        (status = 422, description = "Every fault with its line.", body = ProblemBody),
    )
)]
pub(super) async fn check(
    request: HttpRequest,
    shared: Data<Shared>,
    survey: AtSurvey,
    file: ImportedText,
) -> Result<HttpResponse, Problem> {
    let kind = kind_of(&request)?;
    within_toml(kind, &file)?;
    let checked = call(&shared, move |shared| server::check_file(&shared.database, &survey.0, kind, &file.text));
    let server::CheckedFile { sha256, is_in_force: in_force, counts } = checked.await?;
    let counts = counts.into_iter().map(|(of, count)| CountBody { of, count }).collect();
    Ok(HttpResponse::Ok().json(CheckedFileBody { kind: kind.name(), sha256, in_force, counts }))
}
