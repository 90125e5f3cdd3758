//! Reserves: released in the place of cases that could not be interviewed, and the report of it.

use actix_web::{HttpResponse, web::Data};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{
    Problem, Shared, codes,
    extract::{Asker, AtSurvey, Checked, call},
    problem::ProblemBody,
    surveys::is_plain,
};
use crate::{
    export::{Cell, Table, to_csv},
    server::{judge_again, reserves, vault::check_reason},
    storage::{Released, Substitution},
};

/// A case in whose place a reserve is asked for.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseRequest {
    /// The case that could not be interviewed.
    #[validate(length(min = 1, max = 64), custom(function = "is_plain"))]
    case: String,
    /// Why it is needed before three tries on three days, 4 to 200 signs. Name no person in it.
    #[validate(length(max = 400))]
    reason: Option<String>,
}

/// A request for a reserve.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SubstitutionBody {
    /// The case that could not be interviewed.
    original: String,
    /// The reserve in its place; null where the request was refused.
    reserve: Option<String>,
    /// `released` or `refused`.
    outcome: &'static str,
    /// `policy` when somebody had tried on enough days, else `reason`; null where it was refused.
    basis: Option<&'static str>,
    /// On how many days somebody had tried.
    attempts_on_days: i32,
    reason: Option<String>,
    requested_by: String,
    requested_at_ms: i64,
}

impl From<Substitution> for SubstitutionBody {
    fn from(row: Substitution) -> Self {
        let is_released = row.reserve_case.is_some();
        let basis = if row.days >= reserves::DAYS_MIN { "policy" } else { "reason" };
        Self {
            original: row.original_case,
            reserve: row.reserve_case,
            outcome: if is_released { "released" } else { "refused" },
            basis: is_released.then_some(basis),
            attempts_on_days: row.days,
            reason: row.reason,
            requested_by: row.requested_by,
            requested_at_ms: row.requested_at_ms,
        }
    }
}

/// Every request for a reserve, in the order of their times.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SubstitutionsBody {
    substitutions: Vec<SubstitutionBody>,
}

/// Releases the next reserve of the case's sampling unit: after tries on three days, or with a reason.
#[utoipa::path(
    post, path = "/api/v1/surveys/{id}/reserves/release", tag = "assignments", request_body = ReleaseRequest,
    params(("id" = String, Path, description = "The survey.")),
    responses(
        (status = 201, description = "The reserve is part of the sample now.", body = SubstitutionBody),
        (status = 404, description = "No such survey, or no such case within reach.", body = ProblemBody),
        (status = 409, description = "Nobody tried on three days and no reason is given; no reserve is left; or none is needed.", body = ProblemBody),
        (status = 422, description = "The reason says nothing.", body = ProblemBody),
    )
)]
pub(super) async fn release(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    body: Checked<ReleaseRequest>,
) -> Result<HttpResponse, Problem> {
    let actor = asker.0.actor.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let work = move |shared: &Shared| {
        let Shared { database, instruments, clock, .. } = shared;
        if let Some(reason) = &body.0.reason {
            check_reason(reason)?;
        }
        let reason = body.0.reason.as_deref().map(str::trim);
        let released = reserves::release(database, &survey.0.id, (&body.0.case, reason), &actor, clock)?;
        if matches!(released, Released::Reserve(_)) {
            // An interview of it may have come before.
            judge_again(database, instruments, clock)?;
        }
        Ok(released)
    };
    match call(&shared, work).await? {
        Released::Reserve(row) => Ok(HttpResponse::Created().json(SubstitutionBody::from(row))),
        Released::TooFewDays(days) => {
            Err(Problem::of(&codes::TOO_FEW_ATTEMPTS).because(format!("已在{days}个不同日期接触过")))
        }
        Released::NoneLeft => Err(Problem::of(&codes::NO_RESERVE)),
        Released::NotNeeded => Err(Problem::of(&codes::WRONG_STATE).because("该样本已有问卷或已有备用样本替换")),
        Released::NoCase => Err(Problem::of(&codes::NOT_FOUND)),
    }
}

async fn rows(shared: &Data<Shared>, asker: Asker, survey: AtSurvey) -> Result<Vec<SubstitutionBody>, Problem> {
    let scope = asker.0.actor.and_then(|actor| actor.scope);
    let rows = call(shared, move |shared| reserves::report(&shared.database, &survey.0.id, scope.as_deref())).await?;
    Ok(rows.into_iter().map(SubstitutionBody::from).collect())
}

/// Lists every request for a reserve, refused ones too.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/reserves", tag = "assignments",
    params(("id" = String, Path, description = "The survey.")),
    responses((status = 200, description = "They.", body = SubstitutionsBody), (status = 404, description = "No such survey.", body = ProblemBody))
)]
pub(super) async fn list(shared: Data<Shared>, asker: Asker, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(SubstitutionsBody { substitutions: rows(&shared, asker, survey).await? }))
}

/// The same as CSV.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/reserves.csv", tag = "assignments",
    params(("id" = String, Path, description = "The survey.")),
    responses((status = 200, description = "One row a request.", body = String, content_type = "text/csv"), (status = 404, description = "No such survey.", body = ProblemBody))
)]
pub(super) async fn csv(shared: Data<Shared>, asker: Asker, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    let mut table = Table::new([
        "original",
        "reserve",
        "outcome",
        "basis",
        "attempts_on_days",
        "reason",
        "requested_by",
        "requested_at",
    ]);
    for row in rows(&shared, asker, survey).await? {
        let at = jiff::Timestamp::from_millisecond(row.requested_at_ms).map(|time| time.to_string()).ok();
        table.push(vec![
            row.original.as_str().into(),
            Cell::text(row.reserve.as_deref()),
            row.outcome.into(),
            Cell::text(row.basis),
            Cell::Integer(i64::from(row.attempts_on_days)),
            Cell::text(row.reason.map(harmless).as_deref()),
            row.requested_by.as_str().into(),
            Cell::text(at.as_deref()),
        ]);
    }
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("cache-control", "no-store"));
    answer.insert_header(("content-disposition", "attachment; filename=\"reserves.csv\""));
    Ok(answer.content_type("text/csv; charset=utf-8").body(to_csv(&table)))
}

/// What a person typed, so that no spreadsheet takes it for a formula.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}
