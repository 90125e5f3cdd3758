//! Surveys and the files they are computed from.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

use super::{
    Problem, Shared, codes,
    extract::{Asker, AtSurvey, Checked, ImportedText, TOML_KIB_MAX, call},
    problem::ProblemBody,
};
use crate::{
    evidence::is_sha256_hex,
    server::{self, NewSurvey, judge_again},
    storage::{FileKind, MapHead, Survey, SurveyFile},
};

/// A survey to be made.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SurveyRequest {
    /// Short name: lower-case letters, digits, hyphens.
    #[validate(length(min = 1, max = 64), custom(function = "is_code"))]
    #[schema(example = "harbin-2025")]
    code: String,
    /// Title in Chinese.
    #[validate(length(min = 1, max = 200), custom(function = "is_plain"))]
    title: String,
    /// The place surveyed.
    #[validate(length(min = 1, max = 100), custom(function = "is_plain"))]
    place: String,
    /// Hash of the published questionnaire version.
    #[validate(custom(function = "is_digest"))]
    questionnaire: String,
    /// The text of the scoring profile's file.
    #[validate(length(min = 1, max = 40_000))]
    profile: String,
    /// First day of fieldwork.
    #[validate(custom(function = "is_date"))]
    #[schema(format = Date)]
    fieldwork_from: String,
    /// Last day of fieldwork.
    #[validate(custom(function = "is_date"))]
    #[schema(format = Date)]
    fieldwork_to: String,
    /// Whether the data are made up; pages and files then say so.
    #[serde(default)]
    example: bool,
}

fn refuse(code: &'static str) -> ValidationError {
    ValidationError { code: Cow::Borrowed(code), message: None, params: Default::default() }
}

fn is_code(text: &str) -> Result<(), ValidationError> {
    let fine = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if fine { Ok(()) } else { Err(refuse("code")) }
}

pub(super) fn is_plain(text: &str) -> Result<(), ValidationError> {
    if text.chars().any(char::is_control) { Err(refuse("characters")) } else { Ok(()) }
}

fn is_digest(text: &str) -> Result<(), ValidationError> {
    if is_sha256_hex(text) { Ok(()) } else { Err(refuse("digest")) }
}

fn is_date(text: &str) -> Result<(), ValidationError> {
    date(text).map(|_| ()).ok_or_else(|| refuse("date"))
}

fn date(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// A survey.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SurveyBody {
    id: String,
    code: String,
    title: String,
    place: String,
    questionnaire: String,
    profile_id: String,
    profile_version: String,
    fieldwork_from: String,
    fieldwork_to: String,
    example: bool,
    /// `open` or `closed`.
    state: String,
    created_at_ms: i64,
}

impl From<Survey> for SurveyBody {
    fn from(row: Survey) -> Self {
        let Survey { id, code, title, place, questionnaire_hash, profile_id, profile_version, .. } = row;
        let Survey { fieldwork_from, fieldwork_to, example, state, created_at_ms, .. } = row;
        let questionnaire = questionnaire_hash;
        Self {
            id,
            code,
            title,
            place,
            questionnaire,
            profile_id,
            profile_version,
            fieldwork_from,
            fieldwork_to,
            example,
            state,
            created_at_ms,
        }
    }
}

/// Every survey, in the order of their codes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SurveysBody {
    surveys: Vec<SurveyBody>,
}

/// A survey with its files in force.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SurveyDetailBody {
    survey: SurveyBody,
    /// Versions of the questionnaire that interviews may be made by.
    questionnaires: Vec<String>,
    /// Cases in the sample; a reserve is one once it was released.
    cases: i64,
    files: Vec<FileBody>,
    /// The outlines of its districts, where somebody put some.
    map: Option<FileBody>,
}

/// A file of a survey.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct FileBody {
    /// `sample`, `margins`, `regions`, `targets` or `map`.
    kind: String,
    /// 1 for the first.
    version: i32,
    sha256: String,
    received_at_ms: i64,
}

impl From<SurveyFile> for FileBody {
    fn from(SurveyFile { kind, version, sha256, received_at_ms }: SurveyFile) -> Self {
        Self { kind, version, sha256, received_at_ms }
    }
}

impl From<MapHead> for FileBody {
    fn from(MapHead { version, sha256, received_at_ms }: MapHead) -> Self {
        Self { kind: "map".to_owned(), version, sha256, received_at_ms }
    }
}

/// What putting a file came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PutFileBody {
    kind: &'static str,
    version: i32,
}

/// Makes a survey.
#[utoipa::path(
    post, path = "/api/v1/surveys", tag = "surveys", request_body = SurveyRequest,
    responses(
        (status = 201, description = "Made.", body = SurveyBody),
        (status = 409, description = "The code is taken.", body = ProblemBody),
        (status = 422, description = "Every fault with its field.", body = ProblemBody),
    )
)]
pub(super) async fn create(
    shared: Data<Shared>,
    asker: Asker,
    body: Checked<SurveyRequest>,
) -> Result<HttpResponse, Problem> {
    let new = new_survey(body.0)?;
    let by = asker.0.author();
    let survey = call(&shared, move |shared| {
        server::create_survey(&shared.database, &shared.instruments, new, &by, &shared.clock)
    });
    let survey = SurveyBody::from(survey.await?);
    Ok(HttpResponse::Created().insert_header(("location", format!("/api/v1/surveys/{}", survey.id))).json(survey))
}

fn new_survey(request: SurveyRequest) -> Result<NewSurvey, Problem> {
    let SurveyRequest { code, title, place, questionnaire, profile, example, fieldwork_from, fieldwork_to } = request;
    let day = |text: &str| date(text).ok_or_else(|| Problem::of(&codes::INVALID));
    let (fieldwork_from, fieldwork_to) = (day(&fieldwork_from)?, day(&fieldwork_to)?);
    Ok(NewSurvey { code, title, place, questionnaire, profile, fieldwork_from, fieldwork_to, example })
}

/// Lists the surveys.
#[utoipa::path(get, path = "/api/v1/surveys", tag = "surveys", responses((status = 200, description = "The surveys.", body = SurveysBody)))]
pub(super) async fn list(shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    let rows = call(&shared, |shared| Ok(shared.database.surveys()?)).await?;
    Ok(HttpResponse::Ok().json(SurveysBody { surveys: rows.into_iter().map(SurveyBody::from).collect() }))
}

/// Shows a survey with its files.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}", tag = "surveys", params(("id" = String, Path, description = "The survey.")),
    responses(
        (status = 200, description = "The survey.", body = SurveyDetailBody),
        (status = 404, description = "No such survey.", body = ProblemBody),
    )
)]
pub(super) async fn show(shared: Data<Shared>, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    let id = survey.0.id.clone();
    let work = move |Shared { database, .. }: &Shared| {
        Ok((
            database.survey_files(&id)?,
            database.map_head(&id)?,
            database.sample_size(&id)?,
            database.survey_versions(&id)?,
        ))
    };
    let (files, map, cases, questionnaires) = call(&shared, work).await?;
    let files = files.into_iter().map(FileBody::from).collect();
    let map = map.map(FileBody::from);
    Ok(HttpResponse::Ok().json(SurveyDetailBody { survey: survey.0.into(), questionnaires, cases, files, map }))
}

/// Another version of its questionnaire for a survey.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionRequest {
    /// Hash of the published version.
    #[validate(custom(function = "is_digest"))]
    questionnaire: String,
}

/// Gives new cases a later version of the survey's questionnaire. Interviews by the earlier versions stay good.
#[utoipa::path(
    post, path = "/api/v1/surveys/{id}/questionnaire", tag = "surveys", request_body = VersionRequest,
    params(("id" = String, Path, description = "The survey.")),
    responses(
        (status = 200, description = "New cases get it; again, nothing changed.", body = SurveyBody),
        (status = 404, description = "No such survey.", body = ProblemBody),
        (status = 422, description = "No such version, an item of an earlier one has no place in it, or the profile does not fit.", body = ProblemBody),
    )
)]
pub(super) async fn set_questionnaire(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    body: Checked<VersionRequest>,
) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    let work = move |shared: &Shared| {
        let Shared { database, instruments, clock, .. } = shared;
        if server::set_questionnaire(database, instruments, &survey.0, &body.0.questionnaire, &by, clock)? {
            judge_again(database, instruments, clock)?;
        }
        Ok(database.survey(&survey.0.id)?)
    };
    let survey = call(&shared, work).await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    Ok(HttpResponse::Ok().json(SurveyBody::from(survey)))
}

/// Opens a survey again: what arrives from now on is in time.
#[utoipa::path(
    post, path = "/api/v1/surveys/{id}/open", tag = "surveys", params(("id" = String, Path, description = "The survey.")),
    responses(
        (status = 200, description = "It is open.", body = SurveyBody),
        (status = 409, description = "It was open.", body = ProblemBody),
    )
)]
pub(super) async fn open(shared: Data<Shared>, asker: Asker, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    set_open(&shared, asker, survey, true).await
}

/// Closes a survey: what arrives from now on is kept, and counts only when a supervisor accepts it.
#[utoipa::path(
    post, path = "/api/v1/surveys/{id}/close", tag = "surveys", params(("id" = String, Path, description = "The survey.")),
    responses(
        (status = 200, description = "It is closed.", body = SurveyBody),
        (status = 409, description = "It was closed.", body = ProblemBody),
    )
)]
pub(super) async fn close(shared: Data<Shared>, asker: Asker, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    set_open(&shared, asker, survey, false).await
}

async fn set_open(shared: &Data<Shared>, asker: Asker, survey: AtSurvey, open: bool) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    let work = move |shared: &Shared| {
        let changed = shared.database.set_survey_open(&survey.0.id, open, &by, shared.clock.now_ms())?;
        Ok(if changed { shared.database.survey(&survey.0.id)? } else { None })
    };
    let changed = call(shared, work).await?.ok_or_else(|| Problem::of(&codes::WRONG_STATE))?;
    Ok(HttpResponse::Ok().json(SurveyBody::from(changed)))
}

/// Puts a file into the survey: checked whole, then in force, or refused with every fault and nothing changed.
#[utoipa::path(
    put, path = "/api/v1/surveys/{id}/files/{kind}", tag = "surveys",
    params(
        ("id" = String, Path, description = "The survey."),
        ("kind" = String, Path, description = "`sample`, `margins`, `regions` (CSV) or `targets` (TOML)."),
    ),
    request_body(content = String, content_type = "text/csv", description = "The file."),
    responses(
        (status = 201, description = "A new version is in force.", body = PutFileBody),
        (status = 200, description = "This very file was in force.", body = PutFileBody),
        (status = 422, description = "Every fault with its line.", body = ProblemBody),
    )
)]
pub(super) async fn put_file(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    file: ImportedText,
) -> Result<HttpResponse, Problem> {
    let kind = kind_of(&request)?;
    within_toml(kind, &file)?;
    let by = asker.0.author();
    let (version, new) = call(&shared, move |shared| {
        let put = server::put_file(&shared.database, &survey.0, kind, &file.text, &by, &shared.clock)?;
        if kind == FileKind::Sample {
            judge_again(&shared.database, &shared.instruments, &shared.clock)?;
        }
        Ok(put)
    })
    .await?;
    let mut answer = if new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(PutFileBody { kind: kind.name(), version }))
}

/// Refuses a TOML file that is too large to read.
pub(super) fn within_toml(kind: FileKind, file: &ImportedText) -> Result<(), Problem> {
    if kind == FileKind::Targets && file.text.len() > TOML_KIB_MAX << 10 {
        return Err(Problem::of(&codes::TOO_LARGE).because(format!("上限为 {TOML_KIB_MAX} KB")));
    }
    Ok(())
}

/// The kind of file the path names.
pub(super) fn kind_of(request: &HttpRequest) -> Result<FileKind, Problem> {
    let kind = request.match_info().get("kind").and_then(FileKind::named);
    kind.ok_or_else(|| Problem::of(&codes::NOT_FOUND))
}
