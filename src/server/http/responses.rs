//! Reading responses: page by page, or one with its versions.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};

use super::{
    Problem, Shared,
    audited::log_reading,
    codes,
    extract::{Asker, AtSurvey, call},
    problem::{self, ProblemBody},
};
use crate::{
    server::Fault,
    storage::{Interview, Quarantined, SubmissionVersion},
};

/// A page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Rows at most, 1 to 200.
    #[serde(default = "page_rows")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
    /// The `next` of the page before.
    #[serde(default)]
    after: String,
}

fn page_rows() -> i64 {
    50
}

impl Page {
    pub(super) fn rows(&self) -> Result<i64, Problem> {
        match self.limit {
            1..=200 => Ok(self.limit),
            _ => Err(problem::out_of_range("limit", "1–200")),
        }
    }

    pub(super) fn after(&self) -> &str {
        &self.after
    }
}

/// A response in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ResponseBody {
    id: String,
    /// `received`, `parsed`, `quarantined` or `surplus`.
    state: String,
    /// Whether a revision came with two different bodies.
    conflict: bool,
    rev: i32,
    case: Option<String>,
    changed_at_ms: i64,
}

impl From<&Interview> for ResponseBody {
    fn from(row: &Interview) -> Self {
        Self {
            id: row.id.clone(),
            state: row.state.clone(),
            conflict: row.has_conflict,
            rev: row.current_rev,
            case: row.case_id.clone(),
            changed_at_ms: row.changed_at_ms,
        }
    }
}

/// A page of responses in the order of their ids.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ResponsesBody {
    responses: Vec<ResponseBody>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// A response with its versions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ResponseDetailBody {
    response: ResponseBody,
    survey: Option<String>,
    questionnaire: Option<String>,
    /// The checked answers, once judged good.
    #[schema(value_type = Option<Object>)]
    answers: Option<serde_json::Value>,
    versions: Vec<VersionBody>,
}

/// One stored body.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct VersionBody {
    server_seq: i64,
    rev: i32,
    sha256: String,
    received_at_ms: i64,
    /// Whether other bytes were there first under this revision.
    conflict: bool,
    /// The open faults that keep it in quarantine.
    notices: Vec<Fault>,
}

/// Lists a survey's responses.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/responses", tag = "responses",
    params(("id" = String, Path, description = "The survey."), Page),
    responses(
        (status = 200, description = "A page.", body = ResponsesBody),
        (status = 404, description = "No such survey.", body = ProblemBody),
    )
)]
pub(super) async fn list(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    page: Query<Page>,
) -> Result<HttpResponse, Problem> {
    let rows_max = page.rows()?;
    let work = move |shared: &Shared| {
        let reach = asker.0.reach(&shared.database)?;
        Ok(shared.database.interviews_within(&reach, &survey.0.id, page.after(), rows_max)?)
    };
    let rows = call(&shared, work).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == rows_max);
    let next = rows.last().filter(|_| is_full).map(|row| row.id.clone());
    Ok(HttpResponse::Ok().json(ResponsesBody { responses: rows.iter().map(ResponseBody::from).collect(), next }))
}

/// Shows a response with its versions.
#[utoipa::path(
    get, path = "/api/v1/responses/{id}", tag = "responses", params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "The response.", body = ResponseDetailBody),
        (status = 404, description = "No such response.", body = ProblemBody),
    )
)]
pub(super) async fn show(shared: Data<Shared>, asker: Asker, id: Path<String>) -> Result<HttpResponse, Problem> {
    let found = call(&shared, move |shared| {
        if !shared.database.reaches(&asker.0.reach(&shared.database)?, &id)? {
            return Ok(None);
        }
        let versions = shared.database.submission_versions(&id)?;
        let found = shared.database.interview(&id)?.zip(Some((versions, shared.database.quarantine_of(&id)?)));
        if let Some((row, _)) = &found {
            log_reading(shared, &asker.0, "response.read", format!("response/{}", row.id), serde_json::json!({}))?;
        }
        Ok(found)
    });
    let (row, (versions, quarantine)) = found.await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let versions = versions.into_iter().map(|version| version_body(version, &quarantine)).collect();
    let answers = row.answers.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let response = ResponseBody::from(&row);
    let (survey, questionnaire) = (row.survey_id, row.questionnaire_hash);
    Ok(HttpResponse::Ok().json(ResponseDetailBody { response, survey, questionnaire, answers, versions }))
}

fn version_body(version: SubmissionVersion, quarantine: &[Quarantined]) -> VersionBody {
    let SubmissionVersion { server_seq, rev, sha256, received_at_ms, conflict } = version;
    let open = quarantine.iter().find(|row| row.server_seq == server_seq && row.state == "open");
    let notices = open.and_then(|row| serde_json::from_str(&row.detail).ok()).unwrap_or_default();
    VersionBody { server_seq, rev, sha256, received_at_ms, conflict, notices }
}
