//! Reports of runs, made when they are asked for.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Query},
};
use serde::Deserialize;

use super::{
    Problem, Shared, answers,
    audited::intend_download,
    codes,
    extract::{Asker, AtRun, call},
    problem::ProblemBody,
};
use crate::{
    evidence::sha256_hex,
    export::RESULTS_FILE,
    report::Language,
    server::{
        Refusal,
        report::{Format, ReportError, make, style_hash},
    },
};

/// What may be asked of a report.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// `zh-CN` (default) or `en`.
    language: Option<String>,
}

impl Asked {
    fn language(&self) -> Result<Language, Problem> {
        let Some(tag) = &self.language else { return Ok(Language::default()) };
        Language::of_tag(tag).ok_or_else(|| Problem::of(&codes::INVALID).because("language 只能是 zh-CN 或 en"))
    }
}

/// A run's report as one HTML file that stands alone.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/report.html", tag = "runs", params(("id" = String, Path, description = "The run."), Asked),
    responses(
        (status = 200, description = "The report.", body = String, content_type = "text/html"),
        (status = 404, description = "No such run.", body = ProblemBody),
        (status = 409, description = "The run has not succeeded (yet).", body = ProblemBody),
    )
)]
pub(super) async fn html(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    run: AtRun,
    asked: Query<Asked>,
) -> Result<HttpResponse, Problem> {
    let mut answer = report(&request, &shared, asker, run, asked.language()?, Format::Html).await?;
    let policy = format!(
        "default-src 'none'; style-src {}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        style_hash()
    );
    if let Ok(policy) = header::HeaderValue::from_str(&policy) {
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(answer)
}

/// A run's report as PDF.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/report.pdf", tag = "runs", params(("id" = String, Path, description = "The run."), Asked),
    responses(
        (status = 200, description = "The report; `X-Content-Sha256` and `ETag` carry its SHA-256.", body = String, content_type = "application/pdf"),
        (status = 404, description = "No such run.", body = ProblemBody),
        (status = 409, description = "The run has not succeeded (yet).", body = ProblemBody),
        (status = 501, description = "The server's machine has no Chinese font.", body = ProblemBody),
    )
)]
pub(super) async fn pdf(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    run: AtRun,
    asked: Query<Asked>,
) -> Result<HttpResponse, Problem> {
    let id = run.0.id.clone();
    let mut answer = report(&request, &shared, asker, run, asked.language()?, Format::Pdf).await?;
    let digest = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
    let digest = digest.trim_matches('"').to_owned();
    answers::name_attachment(&mut answer, &format!("scilit-report-{id}.pdf"), &digest);
    Ok(answer)
}

async fn report(
    request: &HttpRequest,
    shared: &Data<Shared>,
    asker: Asker,
    run: AtRun,
    language: Language,
    format: Format,
) -> Result<HttpResponse, Problem> {
    match run.0.state.as_str() {
        "succeeded" => {}
        "failed" => return Err(Problem::of(&codes::RUN_FAILED).because(run.0.error.unwrap_or_default())),
        _ => return Err(Problem::of(&codes::RUN_NOT_FINISHED)),
    }
    let id = run.0.id;
    let make = move |shared: &Shared| {
        let Some(file) = shared.database.run_file(&id, RESULTS_FILE)? else { return Ok(None) };
        let address = shared.config.address_for_others.as_deref();
        let made = match make(&id, &file.content, address, language, format) {
            Ok(made) => made,
            Err(error) => return failed(error).map(Some),
        };
        let sha256 = sha256_hex(&made);
        intend_download(shared, &asker.0, format!("run/{id}/{}", format.file_name()), &sha256)?;
        Ok(Some(Ok((sha256, made))))
    };
    let made = call(shared, make).await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let (sha256, bytes) = made?;
    Ok(answers::tagged(request, &sha256, answers::MAY_KEEP_BUT_ASK, format.content_type(), bytes))
}

/// What the machine lacks is told; whatever else is a fault of the server.
fn failed<T>(error: ReportError) -> Result<Result<T, Problem>, Refusal> {
    match error {
        ReportError::Fonts(missing) => Ok(Err(Problem::of(&codes::NO_FONT).because(missing.to_string()))),
        other => Err(Refusal::Stored { what: "results", message: other.to_string() }),
    }
}
