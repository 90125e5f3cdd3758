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
    content::Source,
    deliver::{Parcel, PurposeQuery, Tier, deliver},
    extract::{Asker, AtRun, AtSurvey, call},
    packing,
    problem::ProblemBody,
    releases::succeeded,
    responses::Page,
    routes::{self, file_access, holds_persons},
    run_request::RunRequestBody,
};
use crate::{
    export::{RESULTS_FILE, formats::Format},
    server::{
        Formats, Refusal,
        jobs::Progress,
        releases::{PUBLIC_FILES, public_file},
    },
    storage::{KeptFile, Run, RunFile, RunFileHead, StoredRelease},
};

/// A run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RunBody {
    id: String,
    survey: String,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    state: String,
    /// Where it stands while it is being computed.
    progress: Option<ProgressBody>,
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
    /// SHA-256 of the results as they were computed, which reports carry; told where a single run is shown.
    results_sha256: Option<String>,
    /// Why it failed.
    error: Option<RunErrorBody>,
}

/// Where a run stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProgressBody {
    /// `reading`, `scoring`, `weighting`, `estimating` or `writing`.
    stage: &'static str,
    /// The share of a usual run that is done, from 0 to 1.
    share: f64,
}

impl From<Progress> for ProgressBody {
    fn from(progress: Progress) -> Self {
        let (stage, share) = progress.standing();
        Self { stage: stage.name(), share }
    }
}

/// Why a run failed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RunErrorBody {
    code: String,
    message: String,
}

impl RunBody {
    /// The run with its standing, which only the one who computes it knows.
    fn of(shared: &Shared, run: Run) -> Self {
        let progress = shared.runner.progress(&run.id).filter(|_| run.state == "running").map(ProgressBody::from);
        Self { progress, ..Self::from(run) }
    }
}

impl From<Run> for RunBody {
    fn from(row: Run) -> Self {
        let state = row.shown_state().to_owned();
        let error = row.error_code.zip(row.error).map(|(code, message)| RunErrorBody { code, message });
        let inputs = row.inputs.and_then(|json| serde_json::from_str(&json).ok());
        let request = serde_json::from_str(&row.request).unwrap_or_default();
        let Run { id, survey_id, engine, created_at_ms, started_at_ms, finished_at_ms, .. } = row;
        Self {
            id,
            survey: survey_id,
            state,
            progress: None,
            engine,
            created_at_ms,
            started_at_ms,
            finished_at_ms,
            request,
            inputs,
            results_sha256: None,
            error,
        }
    }
}

impl RunBody {
    /// The run as the asker may see it: how many responses went in is the office's.
    fn for_asker(shared: &Shared, run: Run, asker: &routes::Asker) -> Self {
        let body = Self::of(shared, run);
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
    /// Null for another form of a file that nobody has asked for yet: it is made then.
    sha256: Option<String>,
    /// The file of the run that it is a form of.
    form_of: Option<&'static str>,
}

impl RunFileBody {
    fn of_format(format: Format, made: &[KeptFile]) -> Self {
        let name = format.file_name();
        let sha256 = made.iter().find(|file| file.name == name).map(|file| file.sha256.clone());
        Self {
            name: name.to_owned(),
            content_type: format.content_type().to_owned(),
            sha256,
            form_of: Some(crate::export::PERSONS_FILE),
        }
    }
}

impl From<RunFileHead> for RunFileBody {
    fn from(RunFileHead { name, content_type, sha256 }: RunFileHead) -> Self {
        Self { name, content_type, sha256: Some(sha256), form_of: None }
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
    let runs = rows.into_iter().map(|run| RunBody::for_asker(&shared, run, &asker.0)).collect();
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
    let body = found.map(|run| HttpResponse::Ok().json(RunBody::for_asker(&shared, run, &asker.0)));
    body.ok_or_else(|| Problem::of(&codes::NOT_FOUND))
}

/// Shows a run.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "It.", body = RunBody), (status = 404, description = "No such run.", body = ProblemBody))
)]
pub(super) async fn show(shared: Data<Shared>, asker: Asker, run: AtRun) -> Result<HttpResponse, Problem> {
    let id = run.0.id.clone();
    let files = call(&shared, move |shared| Ok(shared.database.run_files(&id)?)).await?;
    let results_sha256 = files.into_iter().find(|file| file.name == RESULTS_FILE).map(|file| file.sha256);
    Ok(HttpResponse::Ok().json(RunBody { results_sha256, ..RunBody::for_asker(&shared, run.0, &asker.0) }))
}

/// Ends a run that waits or is being computed. It stays visible and makes nothing.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/cancel", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses(
        (status = 202, description = "It ends at once where it waits, at its next step where it is being computed.", body = RunBody),
        (status = 404, description = "No such run.", body = ProblemBody),
        (status = 409, description = "It has ended, or another program computes it.", body = ProblemBody),
    )
)]
pub(super) async fn cancel(shared: Data<Shared>, asker: Asker, run: AtRun) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    let work = move |shared: &Shared| {
        if !shared.runner.cancel(&run.0.id, &by)? {
            return Ok(None);
        }
        Ok(shared.database.run(&run.0.id)?)
    };
    let run = call(&shared, work).await?.ok_or_else(|| Problem::of(&codes::WRONG_STATE))?;
    Ok(HttpResponse::Accepted().json(RunBody::from(run)))
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
    Ok(packing::tagged(&request, &file.sha256, answers::MAY_KEEP_BUT_ASK, "application/json", file.content))
}

/// Lists a run's files.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/files", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "Those the reader may read.", body = RunFilesBody), (status = 404, description = "No such run.", body = ProblemBody))
)]
pub(super) async fn files(shared: Data<Shared>, asker: Asker, run: AtRun) -> Result<HttpResponse, Problem> {
    let is_public = asker.0.is_public_reader();
    let find = move |shared: &Shared| {
        if is_public {
            return Ok((public_heads(shared, &run.0.id)?, Vec::new()));
        }
        Ok((shared.database.run_files(&run.0.id)?, shared.database.run_formats(&run.0.id)?))
    };
    let (rows, made) = call(&shared, find).await?;
    let formats = Formats::possible(&rows).into_iter().map(|format| RunFileBody::of_format(format, &made));
    let mut files: Vec<RunFileBody> = formats.chain(rows.into_iter().map(RunFileBody::from)).collect();
    files.retain(|file| asker.0.may(file_access(&file.name)).is_ok());
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(HttpResponse::Ok().json(RunFilesBody { files }))
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
    let file = kept_file(&shared, &asker, run, name).await?;
    let parcel = Parcel {
        object: format!("run/{}/{}", file.run_id, file.name),
        name: file.name.clone(),
        content_type: file.content_type.clone(),
        source: Source::of_file(file),
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

/// The file as the run made it, or in another form, which is made now if nobody asked before; everybody has what was
/// released, never what was computed.
async fn kept_file(shared: &Data<Shared>, asker: &Asker, run: AtRun, name: String) -> Result<KeptFile, Problem> {
    if asker.0.is_public_reader() {
        return read_file(shared, &asker.0, run, name).await.map(KeptFile::from);
    }
    let run = succeeded(run)?;
    let by = asker.0.author();
    let find = move |shared: &Shared| match Format::of_file(&name) {
        Some(format) => shared.formats.of(&shared.database, &shared.clock, &run, format, &by),
        None => Ok(shared.database.kept_run_file(&run.id, &name)?),
    };
    call(shared, find).await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))
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
