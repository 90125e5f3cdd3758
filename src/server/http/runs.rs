//! Runs: started here, computed elsewhere, read back as JSON and files.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path, Query},
};
use serde::Serialize;
use serde_json::json;

use super::{
    Problem, Shared, answers,
    audited::log_reading,
    codes,
    deliver::{Parcel, PurposeQuery, Tier, deliver},
    extract::{Asker, AtRun, AtSurvey, call},
    problem::ProblemBody,
    releases::succeeded,
    responses::Page,
    routes::{self, file_access, holds_persons},
    run_request::RunRequestBody,
};
use crate::{
    server::{
        Refusal,
        releases::{PUBLIC_FILES, public_file},
    },
    storage::{Run, RunFile, RunFileHead, StoredRelease},
};

/// A run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RunBody {
    id: String,
    survey: String,
    /// `queued`, `running`, `succeeded` or `failed`.
    state: String,
    engine: String,
    created_at_ms: i64,
    started_at_ms: Option<i64>,
    finished_at_ms: Option<i64>,
    /// What it was asked beyond its survey.
    #[schema(value_type = Object)]
    request: serde_json::Value,
    /// Every input by digest, once it succeeded.
    #[schema(value_type = Option<Object>)]
    inputs: Option<serde_json::Value>,
    /// Why it failed.
    error: Option<RunErrorBody>,
}

/// Why a run failed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RunErrorBody {
    code: String,
    message: String,
}

impl From<Run> for RunBody {
    fn from(row: Run) -> Self {
        let error = row.error_code.zip(row.error).map(|(code, message)| RunErrorBody { code, message });
        let inputs = row.inputs.and_then(|json| serde_json::from_str(&json).ok());
        let request = serde_json::from_str(&row.request).unwrap_or_default();
        let Run { id, survey_id, state, engine, created_at_ms, started_at_ms, finished_at_ms, .. } = row;
        Self {
            id,
            survey: survey_id,
            state,
            engine,
            created_at_ms,
            started_at_ms,
            finished_at_ms,
            request,
            inputs,
            error,
        }
    }
}

impl RunBody {
    /// The run as the asker may see it: how many responses went in is the office's.
    fn for_asker(run: Run, asker: &routes::Asker) -> Self {
        let body = Self::from(run);
        if asker.is_public_reader() { Self { inputs: None, ..body } } else { body }
    }
}

/// A page of runs, the latest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RunsBody {
    runs: Vec<RunBody>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// A run's files.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RunFilesBody {
    files: Vec<RunFileBody>,
}

/// A run's file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RunFileBody {
    name: String,
    content_type: String,
    sha256: String,
}

impl From<RunFileHead> for RunFileBody {
    fn from(RunFileHead { name, content_type, sha256 }: RunFileHead) -> Self {
        Self { name, content_type, sha256 }
    }
}

/// Starts a run of the survey.
#[utoipa::path(
    post, path = "/api/v1/surveys/{id}/runs", tag = "runs", params(("id" = String, Path, description = "The survey.")),
    request_body(content = RunRequestBody, description = "What it is asked; nothing asks for the defaults."),
    responses(
        (status = 202, description = "Queued.", body = RunBody),
        (status = 422, description = "A method or an earlier run that cannot be used.", body = ProblemBody),
        (status = 429, description = "Four wait already.", body = ProblemBody),
    )
)]
pub(super) async fn create(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    body: RunRequestBody,
) -> Result<HttpResponse, Problem> {
    let work = move |shared: &Shared| {
        let request = match body.checked(shared, &survey.0)? {
            Ok(request) => request,
            Err(problem) => return Ok(Err(problem)),
        };
        let id = shared.runner.queue(&survey.0.id, &asker.0.author(), &request)?;
        Ok(Ok(shared.database.run(&id)?))
    };
    let run = call(&shared, work).await??.ok_or_else(|| Problem::of(&codes::INTERNAL))?;
    let location = format!("/api/v1/runs/{}", run.id);
    Ok(HttpResponse::Accepted().insert_header((header::LOCATION, location)).json(RunBody::from(run)))
}

/// Lists runs, the latest first; for everybody those that were released.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(Page), responses((status = 200, description = "A page.", body = RunsBody)))]
pub(super) async fn list(shared: Data<Shared>, asker: Asker, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let rows_max = page.rows()?;
    // Above every UUID's first sign: the first page begins at the latest run.
    let before = if page.after().is_empty() { "g".to_owned() } else { page.after().to_owned() };
    let is_public = asker.0.is_public_reader();
    let find = move |shared: &Shared| {
        let database = &shared.database;
        Ok(if is_public { database.released_runs(&before, rows_max)? } else { database.runs(&before, rows_max)? })
    };
    let rows = call(&shared, find).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == rows_max);
    let next = rows.last().filter(|_| is_full).map(|row| row.id.clone());
    let runs = rows.into_iter().map(|run| RunBody::for_asker(run, &asker.0)).collect();
    Ok(HttpResponse::Ok().json(RunsBody { runs, next }))
}

/// The latest run that succeeded; for everybody the latest that was released.
#[utoipa::path(
    get, path = "/api/v1/runs/latest", tag = "runs",
    responses((status = 200, description = "It.", body = RunBody), (status = 404, description = "None yet.", body = ProblemBody))
)]
pub(super) async fn latest(shared: Data<Shared>, asker: Asker) -> Result<HttpResponse, Problem> {
    let is_public = asker.0.is_public_reader();
    let find = move |shared: &Shared| {
        if is_public {
            return Ok(shared.database.released_runs("g", 1)?.into_iter().next());
        }
        Ok(shared.database.latest_succeeded_run()?)
    };
    let found = call(&shared, find).await?;
    let body = found.map(|run| HttpResponse::Ok().json(RunBody::for_asker(run, &asker.0)));
    body.ok_or_else(|| Problem::of(&codes::NOT_FOUND))
}

/// Shows a run.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "It.", body = RunBody), (status = 404, description = "No such run.", body = ProblemBody))
)]
pub(super) async fn show(asker: Asker, run: AtRun) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(RunBody::for_asker(run.0, &asker.0)))
}

/// A run's results: with every cell for the office, as they were released for everybody.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/results", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses(
        (status = 200, description = "The tables, verdicts and how they were made.", body = Object),
        (status = 404, description = "No such run.", body = ProblemBody),
        (status = 409, description = "It has not succeeded (yet).", body = ProblemBody),
    )
)]
pub(super) async fn results(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    run: AtRun,
) -> Result<HttpResponse, Problem> {
    let file = read_file(&shared, &asker.0, run, "results.json".to_owned()).await?;
    if !answers::has_it(&request, &file.sha256) {
        let (object, detail) = (format!("run/{}", file.run_id), json!({ "sha256": file.sha256 }));
        call(&shared, move |shared| log_reading(shared, &asker.0, "run.read", object, detail)).await?;
    }
    Ok(answers::tagged(&request, &file.sha256, answers::MAY_KEEP_BUT_ASK, "application/json", file.content))
}

/// Lists a run's files.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/files", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "Those the reader may read.", body = RunFilesBody), (status = 404, description = "No such run.", body = ProblemBody))
)]
pub(super) async fn files(shared: Data<Shared>, asker: Asker, run: AtRun) -> Result<HttpResponse, Problem> {
    let is_public = asker.0.is_public_reader();
    let find = move |shared: &Shared| {
        if is_public { public_heads(shared, &run.0.id) } else { Ok(shared.database.run_files(&run.0.id)?) }
    };
    let rows = call(&shared, find).await?;
    let readable = rows.into_iter().filter(|file| asker.0.may(file_access(&file.name)).is_ok());
    Ok(HttpResponse::Ok().json(RunFilesBody { files: readable.map(RunFileBody::from).collect() }))
}

/// A run's file, byte for byte as it was computed.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/files/{name}", tag = "runs",
    params(("id" = String, Path, description = "The run."), ("name" = String, Path, description = "The file."), PurposeQuery),
    responses(
        (status = 200, description = "The bytes; `X-Content-Sha256` and `ETag` carry their SHA-256.", body = String, content_type = "text/csv"),
        (status = 206, description = "The part that `Range` asked for.", body = String, content_type = "text/csv"),
        (status = 404, description = "No such run or file.", body = ProblemBody),
        (status = 409, description = "The run has not succeeded (yet).", body = ProblemBody),
        (status = 422, description = "It has one row a person, and it is not said what it is for.", body = ProblemBody),
    )
)]
pub(super) async fn file(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    run: AtRun,
    path: Path<(String, String)>,
    purpose: Query<PurposeQuery>,
) -> Result<HttpResponse, Problem> {
    let name = path.into_inner().1;
    asker.0.may(file_access(&name))?;
    let tier = match &asker.0 {
        _ if holds_persons(&name) => Tier::A,
        asker if asker.is_public_reader() => Tier::C,
        _ => Tier::Internal,
    };
    let purpose = purpose.into_inner().for_tier(tier)?;
    let file = read_file(&shared, &asker.0, run, name).await?;
    let parcel = Parcel {
        object: format!("run/{}/{}", file.run_id, file.name),
        name: file.name,
        content_type: file.content_type,
        sha256: file.sha256,
        bytes: file.content,
        tier,
        purpose,
        about: json!({}),
    };
    deliver(&request, &shared, &asker, parcel).await
}

fn public_heads(shared: &Shared, run_id: &str) -> Result<Vec<RunFileHead>, Refusal> {
    let Some(release) = shared.database.release(run_id)?.filter(StoredRelease::is_public) else {
        return Ok(Vec::new());
    };
    let head = |name: &str| {
        let (sha256, content_type, _) = public_file(release.clone(), name)?;
        Some(RunFileHead { name: name.to_owned(), content_type: content_type.to_owned(), sha256 })
    };
    Ok(PUBLIC_FILES.iter().filter_map(|name| head(name)).collect())
}

/// A file of the run as the asker may have it: everybody has what was released, never what was computed.
async fn read_file(shared: &Data<Shared>, asker: &routes::Asker, run: AtRun, name: String) -> Result<RunFile, Problem> {
    let run = succeeded(run)?;
    let is_public = asker.is_public_reader();
    let find = move |shared: &Shared| {
        if !is_public {
            return Ok(shared.database.run_file(&run.id, &name)?);
        }
        let release = shared.database.release(&run.id)?.filter(StoredRelease::is_public);
        let file = release.and_then(|release| public_file(release, &name));
        Ok::<_, Refusal>(file.map(|(sha256, content_type, content)| RunFile {
            run_id: run.id,
            name,
            content_type: content_type.to_owned(),
            sha256,
            content,
        }))
    };
    call(shared, find).await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))
}
