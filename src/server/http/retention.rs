//! What of a survey is kept until when, and the legal hold that stops every deletion.

use actix_web::{HttpResponse, web::Data};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{
    Problem, Shared, codes,
    extract::{Asker, AtSurvey, Checked, call},
    problem::ProblemBody,
};
use crate::{
    server::{
        People, Refusal, Text,
        retention::{Planned, Retention},
        vault::check_reason,
    },
    storage::{LegalHold, RetentionJob, Survey},
};

/// Deletions shown at most.
const JOBS_MAX: i64 = 20;

/// Why a hold is set or is to be lifted.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldRequest {
    /// 4 to 200 signs, kept in the log. Name no person in it.
    #[validate(length(min = 1, max = 400))]
    #[schema(example = "统计监督检查期间")]
    reason: String,
}

/// A legal hold.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct HoldBody {
    reason: String,
    set_by: String,
    set_at_ms: i64,
    /// Why somebody asked that it be lifted; null while nobody did.
    lift_reason: Option<String>,
    lift_asked_by: Option<String>,
    lift_asked_at_ms: Option<i64>,
}

/// One line of what is kept until when.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PlannedBody {
    /// `contacts`, `recordings`, `pictures`, `uploads` or `raw`.
    what: &'static str,
    /// Cases, attachments or received bodies.
    items: i64,
    /// From when on they may be deleted; null while the survey is open.
    from_ms: Option<i64>,
    /// `due`, `kept`, `open`, `held`, `on_command` or `nothing`.
    standing: &'static str,
    /// The same as a sentence.
    sentence: Text,
}

/// A deletion that was done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RetentionJobBody {
    /// `contacts`, `attachments`, `uploads` or `raw`.
    kind: String,
    items: i64,
    reason: String,
    by: String,
    at_ms: i64,
}

/// What of a survey is kept until when.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RetentionBody {
    /// Days after the closing until contact data and pictures go.
    contacts_days: u32,
    /// Days until recordings and abandoned uploads go.
    recordings_days: u32,
    /// Null where none stands.
    hold: Option<HoldBody>,
    plan: Vec<PlannedBody>,
    /// The latest deletions, at most 20.
    jobs: Vec<RetentionJobBody>,
}

fn hold_body(hold: LegalHold, people: &People) -> HoldBody {
    let LegalHold { reason, set_by, set_at_ms, lift_reason, lift_asked_by, lift_asked_at_ms, .. } = hold;
    let called = |id: String| people.name_of(&id).map_or(id.clone(), str::to_owned);
    let (set_by, lift_asked_by) = (called(set_by), lift_asked_by.map(called));
    HoldBody { reason, set_by, set_at_ms, lift_reason, lift_asked_by, lift_asked_at_ms }
}

fn standing(shared: &Shared, survey: &Survey) -> Result<RetentionBody, Refusal> {
    let Shared { database, clock, config, .. } = shared;
    let plan = Retention { database, clock, periods: config.retention }.plan(survey)?;
    let line = |one: Planned| {
        let sentence = one.sentence();
        let (what, standing) = (one.what.name(), one.standing.name());
        PlannedBody { what, items: one.items, from_ms: one.from_ms, standing, sentence }
    };
    let job =
        |RetentionJob { kind, items, reason, by_id, at_ms }| RetentionJobBody { kind, items, reason, by: by_id, at_ms };
    let people = People::read(database)?;
    Ok(RetentionBody {
        contacts_days: config.retention.contacts_days,
        recordings_days: config.retention.recordings_days,
        hold: database.hold(&survey.id)?.map(|hold| hold_body(hold, &people)),
        plan: plan.into_iter().map(line).collect(),
        jobs: database.retention_jobs(&survey.id, JOBS_MAX)?.into_iter().map(job).collect(),
    })
}

/// Shows what of the survey is kept until when, and what was deleted.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/retention", tag = "surveys", params(("id" = String, Path, description = "The survey.")),
    responses(
        (status = 200, description = "It.", body = RetentionBody),
        (status = 404, description = "No such survey.", body = ProblemBody),
    )
)]
pub(super) async fn show(shared: Data<Shared>, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(call(&shared, move |shared| standing(shared, &survey.0)).await?))
}

/// Sets a legal hold: nothing of the survey is deleted while it stands. Where its lifting was asked for, it stays.
#[utoipa::path(
    put, path = "/api/v1/surveys/{id}/hold", tag = "surveys", params(("id" = String, Path, description = "The survey.")),
    request_body = HoldRequest,
    responses(
        (status = 200, description = "It stands.", body = RetentionBody),
        (status = 409, description = "It stood already.", body = ProblemBody),
        (status = 422, description = "The reason says nothing.", body = ProblemBody),
    )
)]
pub(super) async fn set_hold(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    body: Checked<HoldRequest>,
) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    step(&shared, survey, move |shared, survey| {
        check_reason(&body.0.reason)?;
        let id = shared.clock.uuid().to_string();
        Ok(shared.database.set_hold(&survey.id, &id, body.0.reason.trim(), &by, shared.clock.now_ms())?)
    })
    .await
}

/// Asks that the hold be lifted; another administrator must confirm.
#[utoipa::path(
    post, path = "/api/v1/surveys/{id}/hold/lift", tag = "surveys", params(("id" = String, Path, description = "The survey.")),
    request_body = HoldRequest,
    responses(
        (status = 200, description = "It waits for another person and stands until then.", body = RetentionBody),
        (status = 409, description = "None stands, or somebody asked already.", body = ProblemBody),
        (status = 422, description = "The reason says nothing.", body = ProblemBody),
    )
)]
pub(super) async fn ask_to_lift(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    body: Checked<HoldRequest>,
) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    step(&shared, survey, move |shared, survey| {
        check_reason(&body.0.reason)?;
        Ok(shared.database.ask_to_lift_hold(&survey.id, body.0.reason.trim(), &by, shared.clock.now_ms())?)
    })
    .await
}

/// Lifts the hold as another person asked.
#[utoipa::path(
    post, path = "/api/v1/surveys/{id}/hold/lift/confirm", tag = "surveys", params(("id" = String, Path, description = "The survey.")),
    responses(
        (status = 200, description = "It is lifted.", body = RetentionBody),
        (status = 403, description = "The person who asked cannot confirm.", body = ProblemBody),
        (status = 409, description = "Nobody asked.", body = ProblemBody),
    )
)]
pub(super) async fn lift(shared: Data<Shared>, asker: Asker, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    let work = move |shared: &Shared, survey: &Survey| {
        Ok(shared.database.lift_hold(&survey.id, &by, shared.clock.now_ms())?)
    };
    step(&shared, survey, work).await
}

/// Takes a step; how the survey stands then.
async fn step(
    shared: &Data<Shared>,
    survey: AtSurvey,
    take: impl FnOnce(&Shared, &Survey) -> Result<bool, Refusal> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let work = move |shared: &Shared| {
        if !take(shared, &survey.0)? {
            return Ok(None);
        }
        standing(shared, &survey.0).map(Some)
    };
    let body = call(shared, work).await?.ok_or_else(|| Problem::of(&codes::WRONG_STATE))?;
    Ok(HttpResponse::Ok().json(body))
}
