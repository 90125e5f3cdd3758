//! Persons and their roles, for administrators.

use actix_web::{
    HttpResponse,
    http::header,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

use super::{
    Problem, Shared, codes,
    extract::{Asker, Checked, call},
    problem::ProblemBody,
    responses::Page,
};
use crate::{
    server::{AccountRefusal, Fault, Refusal, Role, Text, accounts},
    storage::{Person, RoleGrant},
};

/// A person to add.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonRequest {
    /// 3 to 32 lower-case letters, digits, `.`, `_`, `-`.
    #[validate(length(min = 3, max = 32), custom(function = "is_login"))]
    login: String,
    #[validate(length(min = 1, max = 64), custom(function = "super::surveys::is_plain"))]
    display_name: String,
    /// The number on the card they show.
    #[validate(length(min = 1, max = 32), custom(function = "super::surveys::is_plain"))]
    work_id: Option<String>,
    /// The first password, at least 12 signs.
    #[validate(length(min = 1, max = 1024))]
    password: String,
}

/// A role to propose.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantRequest {
    #[schema(value_type = String, example = "supervisor")]
    role: Role,
    /// First digits of the region codes; empty or absent means everywhere.
    #[serde(default)]
    #[validate(length(max = 12), custom(function = "is_digits"))]
    scope: String,
    /// When it ends by itself.
    to_ms: Option<i64>,
}

/// What a login may be made of; the command line asks, too.
pub fn is_login_text(text: &str) -> bool {
    let signs = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    (3..=32).contains(&text.len()) && text.chars().all(signs)
}

fn is_login(text: &str) -> Result<(), ValidationError> {
    if is_login_text(text) { Ok(()) } else { Err(ValidationError::new("code")) }
}

fn is_digits(text: &str) -> Result<(), ValidationError> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { Ok(()) } else { Err(ValidationError::new("digits")) }
}

/// A person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PersonBody {
    id: String,
    login: String,
    display_name: String,
    work_id: Option<String>,
    /// `active` or `disabled`.
    status: String,
    created_at_ms: i64,
    grants: Vec<GrantBody>,
}

/// A role given to a person, or proposed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct GrantBody {
    id: String,
    role: String,
    scope: String,
    /// `proposed`, `active` or `ended`.
    state: String,
    from_ms: i64,
    to_ms: Option<i64>,
    proposed_by: String,
    confirmed_by: Option<String>,
}

impl From<RoleGrant> for GrantBody {
    fn from(row: RoleGrant) -> Self {
        let RoleGrant { id, role, scope, state, from_ms, to_ms, proposed_by, confirmed_by, .. } = row;
        Self { id, role, scope, state, from_ms, to_ms, proposed_by, confirmed_by }
    }
}

fn person_body(person: Person, grants: Vec<RoleGrant>) -> PersonBody {
    let Person { id, login, display_name, work_id, status, created_at_ms, .. } = person;
    let grants = grants.into_iter().map(GrantBody::from).collect();
    PersonBody { id, login, display_name, work_id, status, created_at_ms, grants }
}

/// A page of persons in the order of their ids.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PersonsBody {
    users: Vec<PersonBody>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// Adds a person, who has no role until two administrators give one.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "people", request_body = PersonRequest,
    responses(
        (status = 201, description = "Added.", body = PersonBody),
        (status = 409, description = "The login is taken.", body = ProblemBody),
        (status = 422, description = "Every fault with its field.", body = ProblemBody),
    )
)]
pub(super) async fn create(
    shared: Data<Shared>,
    asker: Asker,
    body: Checked<PersonRequest>,
) -> Result<HttpResponse, Problem> {
    let PersonRequest { login, display_name, work_id, password } = body.0;
    let new = accounts::NewPerson { login, display_name, work_id, password };
    let by = asker.0.author();
    let person = call(&shared, move |shared| {
        accounts::add_person(&shared.database, &shared.passwords, new, &[], &by, &shared.clock)
    })
    .await?;
    let location = format!("/api/v1/users/{}", person.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(person_body(person, Vec::new())))
}

/// Lists persons with their grants.
#[utoipa::path(get, path = "/api/v1/users", tag = "people", params(Page), responses((status = 200, description = "A page.", body = PersonsBody)))]
pub(super) async fn list(shared: Data<Shared>, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let rows_max = page.rows()?;
    let users = call(&shared, move |shared| {
        let persons = shared.database.persons(page.after(), rows_max)?.into_iter();
        let with_grants = persons.map(|person| {
            let grants = shared.database.grants_of(&person.id)?;
            Ok(person_body(person, grants))
        });
        with_grants.collect::<Result<Vec<_>, Refusal>>()
    })
    .await?;
    let is_full = i64::try_from(users.len()).is_ok_and(|rows| rows == rows_max);
    let next = users.last().filter(|_| is_full).map(|row| row.id.clone());
    Ok(HttpResponse::Ok().json(PersonsBody { users, next }))
}

/// Keeps a person out: sessions end, tablets may only hand in what they have.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/disable", tag = "people", params(("id" = String, Path, description = "The person.")),
    responses((status = 204, description = "Disabled."), (status = 404, description = "No such person.", body = ProblemBody))
)]
pub(super) async fn disable(shared: Data<Shared>, asker: Asker, id: Path<String>) -> Result<HttpResponse, Problem> {
    set_active(shared, asker, id.into_inner(), false).await
}

/// Lets a person in again.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/enable", tag = "people", params(("id" = String, Path, description = "The person.")),
    responses((status = 204, description = "Enabled."), (status = 404, description = "No such person.", body = ProblemBody))
)]
pub(super) async fn enable(shared: Data<Shared>, asker: Asker, id: Path<String>) -> Result<HttpResponse, Problem> {
    set_active(shared, asker, id.into_inner(), true).await
}

async fn set_active(shared: Data<Shared>, asker: Asker, id: String, active: bool) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    if by.id == id {
        return Err(Problem::of(&codes::FOUR_EYES));
    }
    call(&shared, move |shared| {
        shared.database.person(&id)?.ok_or(AccountRefusal::Unknown)?;
        Ok(shared.database.set_person_active(&id, active, &by, shared.clock.now_ms())?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Proposes a role for a person; another administrator confirms it.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/grants", tag = "people", request_body = GrantRequest,
    params(("id" = String, Path, description = "The person.")),
    responses(
        (status = 201, description = "Proposed.", body = GrantBody),
        (status = 403, description = "Nobody grants to themselves.", body = ProblemBody),
        (status = 404, description = "No such person.", body = ProblemBody),
        (status = 409, description = "Granted or proposed already, or excluded by another role.", body = ProblemBody),
    )
)]
pub(super) async fn propose(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<GrantRequest>,
) -> Result<HttpResponse, Problem> {
    let actor = asker.0.actor.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let grant = call(&shared, move |shared| {
        let role = (body.0.role, body.0.scope.as_str(), body.0.to_ms);
        accounts::propose_grant(&shared.database, &id, role, &actor, &shared.clock)
    })
    .await?;
    Ok(HttpResponse::Created().json(GrantBody::from(grant)))
}

/// Confirms another administrator's proposal: the role counts from now on, and the person signs in anew.
#[utoipa::path(
    post, path = "/api/v1/grants/{id}/confirm", tag = "people", params(("id" = String, Path, description = "The grant.")),
    responses(
        (status = 204, description = "In force."),
        (status = 403, description = "A person other than the proposer and the receiver must confirm.", body = ProblemBody),
        (status = 404, description = "Nothing waits under this id.", body = ProblemBody),
    )
)]
pub(super) async fn confirm(shared: Data<Shared>, asker: Asker, id: Path<String>) -> Result<HttpResponse, Problem> {
    let actor = asker.0.actor.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    call(&shared, move |shared| accounts::confirm_grant(&shared.database, &id, &actor, &shared.clock)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes a grant or a proposal back, with effect on the next request.
#[utoipa::path(
    delete, path = "/api/v1/grants/{id}", tag = "people", params(("id" = String, Path, description = "The grant.")),
    responses((status = 204, description = "Ended."), (status = 404, description = "No such grant in force.", body = ProblemBody))
)]
pub(super) async fn revoke(shared: Data<Shared>, asker: Asker, id: Path<String>) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    let ended = call(&shared, move |shared| Ok(shared.database.end_grant(&id, &by, shared.clock.now_ms())?)).await?;
    if ended { Ok(HttpResponse::NoContent().finish()) } else { Err(Problem::of(&codes::NOT_FOUND)) }
}

impl From<AccountRefusal> for Problem {
    fn from(refusal: AccountRefusal) -> Self {
        match refusal {
            AccountRefusal::WrongLogin => Self::of(&codes::LOGIN_FAILED),
            AccountRefusal::LoginThrottled(seconds) => {
                Self::of(&codes::LOGIN_THROTTLED).retry_after(u64::try_from(seconds).unwrap_or(0))
            }
            AccountRefusal::AddressThrottled(seconds) => {
                Self::of(&codes::THROTTLED).retry_after(u64::try_from(seconds).unwrap_or(0))
            }
            AccountRefusal::Busy => Self::of(&codes::OVERLOADED),
            AccountRefusal::WeakPassword(text) => {
                Self::of(&codes::INVALID).with(vec![Fault::new("weak-password", text).at("/password")])
            }
            AccountRefusal::CodeRefused => Self::of(&codes::ENROLMENT_REFUSED),
            AccountRefusal::CodeMisread => {
                let text = Text::new("注册码有误，请再核对一遍", "the enrolment code was misread");
                Self::of(&codes::INVALID).with(vec![Fault::new("enrolment-code", text).at("/code")])
            }
            AccountRefusal::ReleaseTooOld => Self::of(&codes::CLIENT_TOO_OLD),
            AccountRefusal::OutOfScope => Self::of(&codes::FORBIDDEN_SCOPE),
            AccountRefusal::FourEyes => Self::of(&codes::FOUR_EYES),
            AccountRefusal::RolesExclude(role) => Self::of(&codes::ROLES_EXCLUDE).because(role),
            AccountRefusal::Unknown => Self::of(&codes::NOT_FOUND),
        }
    }
}
