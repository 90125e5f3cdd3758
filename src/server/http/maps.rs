//! The outlines of a survey's districts, for the pages to draw.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::{Deserialize, Serialize};

use super::{
    Problem, Shared, answers,
    extract::{Asker, AtRun, AtSurvey, ImportedText, call},
    file_check::CountBody,
    packing,
    problem::ProblemBody,
    releases::succeeded,
};
use crate::{
    server::{self, CheckedMap, Text},
    storage::StoredMap,
};

const GEOJSON: &str = "application/geo+json";

/// What good outlines hold.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CheckedMapBody {
    /// Digest of the form in which they are kept.
    sha256: String,
    /// Whether these very outlines are in force already.
    in_force: bool,
    /// How many `outlines` there are, and how many districts are `missing`.
    counts: Vec<CountBody>,
    /// The districts without an outline.
    missing: Vec<MissingBody>,
    /// The collection's `source`.
    source: Option<String>,
    /// The collection's `review_number`, 审图号.
    review_number: Option<String>,
}

/// A district without an outline.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MissingBody {
    code: String,
    name: Text,
}

/// What putting outlines came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PutMapBody {
    /// 1 for the first.
    version: i32,
    #[serde(flatten)]
    map: CheckedMapBody,
}

impl From<CheckedMap> for CheckedMapBody {
    fn from(map: CheckedMap) -> Self {
        let missing =
            |(code, name): (String, crate::indicator::Label)| MissingBody { code, name: Text::new(name.zh, name.en) };
        Self {
            sha256: map.sha256,
            in_force: map.is_in_force,
            counts: vec![
                CountBody { of: "outlines", count: map.outlines.districts.len() },
                CountBody { of: "missing", count: map.missing.len() },
            ],
            missing: map.missing.into_iter().map(missing).collect(),
            source: map.outlines.source,
            review_number: map.outlines.review_number,
        }
    }
}

/// Checks outlines whole as putting them would, and changes nothing.
#[utoipa::path(
    post, path = "/api/v1/surveys/{id}/map/check", tag = "surveys", params(("id" = String, Path, description = "The survey.")),
    request_body(content = String, content_type = "application/geo+json", description = "The outlines."),
    responses(
        (status = 200, description = "They are good and could be put.", body = CheckedMapBody),
        (status = 422, description = "Every fault with its place.", body = ProblemBody),
    )
)]
pub(super) async fn check(shared: Data<Shared>, survey: AtSurvey, file: ImportedText) -> Result<HttpResponse, Problem> {
    let checked = call(&shared, move |shared| server::check_map(&shared.database, &survey.0, &file.text)).await?;
    Ok(HttpResponse::Ok().json(CheckedMapBody::from(checked)))
}

/// Puts the outlines of the survey's districts: a FeatureCollection of polygons by region code.
#[utoipa::path(
    put, path = "/api/v1/surveys/{id}/map", tag = "surveys", params(("id" = String, Path, description = "The survey.")),
    request_body(content = String, content_type = "application/geo+json", description = "The outlines."),
    responses(
        (status = 201, description = "A new version is in force.", body = PutMapBody),
        (status = 200, description = "These very outlines were in force.", body = PutMapBody),
        (status = 422, description = "Every fault with its place.", body = ProblemBody),
    )
)]
pub(super) async fn put(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    file: ImportedText,
) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    let work = move |shared: &Shared| server::put_map(&shared.database, &survey.0, &file.text, &by, &shared.clock);
    let (version, is_new, map) = call(&shared, work).await?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(PutMapBody { version, map: map.into() }))
}

/// The outlines of a survey's districts.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/map", tag = "surveys", params(("id" = String, Path, description = "The survey.")),
    responses(
        (status = 200, description = "They.", body = Object, content_type = "application/geo+json"),
        (status = 204, description = "There are none."),
        (status = 404, description = "No such survey.", body = ProblemBody),
    )
)]
pub(super) async fn of_survey(
    request: HttpRequest,
    shared: Data<Shared>,
    survey: AtSurvey,
) -> Result<HttpResponse, Problem> {
    shown(&request, &shared, survey.0.id, |_| true).await
}

/// The outlines for a run's results: those of its survey. Who is not signed in is shown those with a 审图号 only, for a map
/// that was not reviewed must not be published; the page draws tiles then.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/map", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses(
        (status = 200, description = "They.", body = Object, content_type = "application/geo+json"),
        (status = 204, description = "There are none, or none for the public."),
        (status = 404, description = "No such run.", body = ProblemBody),
        (status = 409, description = "It has not succeeded (yet).", body = ProblemBody),
    )
)]
pub(super) async fn of_run(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    run: AtRun,
) -> Result<HttpResponse, Problem> {
    let is_inside = asker.0.actor.is_some();
    shown(&request, &shared, succeeded(run)?.survey_id, move |map| is_inside || is_reviewed(map)).await
}

/// Whether the kept outlines name a 审图号.
fn is_reviewed(map: &StoredMap) -> bool {
    #[derive(Deserialize)]
    struct Notes {
        review_number: Option<String>,
    }
    serde_json::from_slice::<Notes>(&map.content).is_ok_and(|notes| notes.review_number.is_some())
}

async fn shown(
    request: &HttpRequest,
    shared: &Data<Shared>,
    survey_id: String,
    may_see: impl Fn(&StoredMap) -> bool + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let work = move |shared: &Shared| Ok(shared.database.map(&survey_id)?.filter(may_see));
    let map = call(shared, work).await?;
    let answer = map.map(|map| packing::tagged(request, &map.sha256, answers::MAY_KEEP_BUT_ASK, GEOJSON, map.content));
    Ok(answer.unwrap_or_else(|| HttpResponse::NoContent().finish()))
}
