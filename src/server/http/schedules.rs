//! When the server starts runs of a survey by itself.

use actix_web::{HttpResponse, web::Data};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{
    Problem, Shared, codes,
    extract::{Asker, AtSurvey, Checked, call},
    problem::ProblemBody,
};
use crate::server::{Fault, Refusal, jobs::Times};

/// How many of the coming times are told.
const TIMES_SHOWN: usize = 3;

/// A schedule to be set.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScheduleRequest {
    /// Five fields in Beijing time: minute, hour, day, month, weekday; null for no schedule.
    #[serde(deserialize_with = "Option::deserialize")]
    #[validate(length(max = 100))]
    #[schema(example = "0 6 * * *", required)]
    cron: Option<String>,
}

/// A survey's schedule.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ScheduleBody {
    /// Null where there is none.
    cron: Option<String>,
    /// Offset of its times.
    time_zone: &'static str,
    /// When the next interim run begins; null where there is no schedule, or the survey is closed.
    next_at_ms: Option<i64>,
    /// The next three of its times; none where there is no schedule, or the survey is closed.
    next_times_ms: Vec<i64>,
}

/// Sets the times at which the server starts an interim run of the survey by itself, while the survey is open.
#[utoipa::path(
    put, path = "/api/v1/surveys/{id}/schedule", tag = "runs", params(("id" = String, Path, description = "The survey.")),
    request_body = ScheduleRequest,
    responses(
        (status = 200, description = "It is set.", body = ScheduleBody),
        (status = 404, description = "No such survey.", body = ProblemBody),
        (status = 422, description = "No cron expression, or one of times that never come.", body = ProblemBody),
    )
)]
pub(super) async fn set(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    body: Checked<ScheduleRequest>,
) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    let work = move |shared: &Shared| {
        let now_ms = shared.clock.now_ms();
        if let Some(Err(text)) = body.0.cron.as_deref().map(|cron| Times::parse(cron, now_ms)) {
            return Ok(Err(Problem::of(&codes::INVALID).with(vec![Fault::new("cron", text).at("/cron")])));
        }
        shared.database.set_schedule(&survey.0.id, body.0.cron.as_deref(), &by, now_ms)?;
        Ok(Ok(standing(shared, &survey)?))
    };
    Ok(HttpResponse::Ok().json(call(&shared, work).await??))
}

/// Shows the survey's schedule.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/schedule", tag = "runs", params(("id" = String, Path, description = "The survey.")),
    responses(
        (status = 200, description = "It, or nulls.", body = ScheduleBody),
        (status = 404, description = "No such survey.", body = ProblemBody),
    )
)]
pub(super) async fn show(shared: Data<Shared>, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(call(&shared, move |shared| standing(shared, &survey)).await?))
}

fn standing(shared: &Shared, survey: &AtSurvey) -> Result<ScheduleBody, Refusal> {
    let schedule = shared.database.schedule(&survey.0.id)?;
    let now_ms = shared.clock.now_ms();
    let in_force = schedule.as_ref().filter(|_| survey.0.state == "open");
    let times = in_force.and_then(|schedule| Times::parse(&schedule.cron, now_ms).ok());
    let next_times_ms: Vec<i64> = times.iter().flat_map(|times| times.following(now_ms).take(TIMES_SHOWN)).collect();
    let next_at_ms = next_times_ms.first().copied();
    Ok(ScheduleBody { cron: schedule.map(|schedule| schedule.cron), time_zone: "+08:00", next_at_ms, next_times_ms })
}
