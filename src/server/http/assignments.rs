//! Giving cases to surveyors.

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

use super::{
    Problem, Shared, codes,
    extract::{Asker, AtSurvey, Checked, call},
    problem::ProblemBody,
    responses,
};
use crate::{
    instrument::SelectionMethod,
    server::{NewAssignment, assign as give},
    storage::Assignment,
};

/// Assignments in one request at most.
const ASSIGNMENTS_MAX: u64 = 500;

/// Cases to be given to persons.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignRequest {
    #[validate(length(min = 1, max = "ASSIGNMENTS_MAX"), custom(function = "are_sound"))]
    #[schema(min_items = 1, max_items = 500)]
    assign: Vec<OneRequest>,
    /// How the household's member is selected in cases that are given away for the first time.
    #[serde(default)]
    selection: SelectionBody,
}

/// A case for a person.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OneRequest {
    /// The case of the sample.
    #[schema(min_length = 1, max_length = 64)]
    case: String,
    /// The person's id.
    #[schema(min_length = 1, max_length = 64)]
    user: String,
    /// Higher comes first on the tablet.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 9)]
    priority: i32,
    /// Why it is moved.
    #[serde(default)]
    #[schema(max_length = 200)]
    reason: String,
}

/// How one of the eligible is drawn.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum SelectionBody {
    /// Each with the same probability.
    #[default]
    Uniform,
    /// By Kish's tables.
    Kish,
}

fn are_sound(all: &[OneRequest]) -> Result<(), ValidationError> {
    let plain = |text: &str, range: std::ops::RangeInclusive<usize>| {
        range.contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    let fine = |one: &OneRequest| {
        plain(&one.case, 1..=64)
            && plain(&one.user, 1..=64)
            && plain(&one.reason, 0..=200)
            && (0..=9).contains(&one.priority)
    };
    if all.iter().all(fine) { Ok(()) } else { Err(ValidationError::new("characters")) }
}

/// How many cases were given away.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AssignedBody {
    assigned: usize,
}

/// A case in somebody's hands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AssignmentBody {
    id: String,
    case: String,
    user: String,
    priority: i32,
    reason: String,
    assigned_by: String,
    assigned_at_ms: i64,
}

impl From<Assignment> for AssignmentBody {
    fn from(row: Assignment) -> Self {
        let Assignment { id, case_id: case, person_id: user, priority, reason, assigned_by, assigned_at_ms, .. } = row;
        Self { id, case, user, priority, reason, assigned_by, assigned_at_ms }
    }
}

/// A page of assignments in the order of the cases.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AssignmentsBody {
    assignments: Vec<AssignmentBody>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// Which assignments a list shows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AssignmentsQuery {
    /// Only those of this person.
    user: Option<String>,
    /// Rows at most, 1 to 200.
    #[serde(default = "responses::page_rows")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
    /// The `next` of the page before.
    #[serde(default)]
    after: String,
}

/// Gives cases to persons, all or nothing; whoever had them has them no longer.
#[utoipa::path(
    post, path = "/api/v1/surveys/{id}/assignments", tag = "assignments", request_body = AssignRequest,
    params(("id" = String, Path, description = "The survey.")),
    responses(
        (status = 200, description = "Given.", body = AssignedBody),
        (status = 404, description = "No such survey.", body = ProblemBody),
        (status = 422, description = "A case outside the sample or region, or a person who may not work there; nothing changed.", body = ProblemBody),
    )
)]
pub(super) async fn assign(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    body: Checked<AssignRequest>,
) -> Result<HttpResponse, Problem> {
    let actor = asker.0.actor.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let AssignRequest { assign, selection } = body.0;
    let method = match selection {
        SelectionBody::Uniform => SelectionMethod::Uniform,
        SelectionBody::Kish => SelectionMethod::Kish,
    };
    let one = |OneRequest { case, user, priority, reason }| NewAssignment { case, user, priority, reason };
    let new: Vec<NewAssignment> = assign.into_iter().map(one).collect();
    let assigned = new.len();
    call(&shared, move |shared| give(&shared.database, &survey.0, &new, method, &actor, &shared.clock)).await?;
    Ok(HttpResponse::Ok().json(AssignedBody { assigned }))
}

/// Lists who has which case now.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/assignments", tag = "assignments",
    params(("id" = String, Path, description = "The survey."), AssignmentsQuery),
    responses((status = 200, description = "A page.", body = AssignmentsBody), (status = 404, description = "No such survey.", body = ProblemBody))
)]
pub(super) async fn list(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    query: Query<AssignmentsQuery>,
) -> Result<HttpResponse, Problem> {
    let rows_max = responses::rows(query.limit)?;
    let scope = asker.0.actor.as_ref().and_then(|actor| actor.scope.clone()).unwrap_or_default();
    let AssignmentsQuery { user, after, .. } = query.into_inner();
    let work = move |shared: &Shared| {
        Ok(shared.database.assignments(&survey.0.id, &scope, user.as_deref(), &after, rows_max)?)
    };
    let rows = call(&shared, work).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == rows_max);
    let next = rows.last().filter(|_| is_full).map(|row| row.case_id.clone());
    let assignments = rows.into_iter().map(AssignmentBody::from).collect();
    Ok(HttpResponse::Ok().json(AssignmentsBody { assignments, next }))
}
