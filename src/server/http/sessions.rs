//! Signing in and out at a desk, and one's own sessions.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{
    Problem, Shared, auth, codes,
    extract::{Asker, Checked, call},
    problem::ProblemBody,
};
use crate::{
    server::{Known, accounts},
    storage::Session,
};

/// Who signs in.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginRequest {
    #[validate(length(min = 1, max = 64), custom(function = "super::surveys::is_plain"))]
    login: String,
    #[validate(length(min = 1, max = 1024))]
    password: String,
}

/// A new password, with the old one as proof.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordRequest {
    #[validate(length(min = 1, max = 1024))]
    current: String,
    #[validate(length(min = 1, max = 1024))]
    new: String,
}

/// Who asks.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MeBody {
    /// Of the person, the tablet or the service token.
    id: String,
    /// `person`, `device` or `service`.
    kind: &'static str,
    login: Option<String>,
    display_name: Option<String>,
    work_id: Option<String>,
    roles: Vec<RoleBody>,
    /// What every changing request of this session repeats in `X-CSRF-Token`.
    csrf_token: Option<String>,
    /// When the session ends unless it is used.
    session_ends_ms: Option<i64>,
}

/// A role with its region.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RoleBody {
    /// `surveyor`, `supervisor`, `analyst`, `auditor` or `admin`.
    role: &'static str,
    /// First digits of the region codes; empty means everywhere.
    scope: String,
}

/// One of one's own sessions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SessionBody {
    id: String,
    created_at_ms: i64,
    used_at_ms: i64,
    /// Whether it is the one that asks.
    current: bool,
}

/// One's own sessions in the order of their beginning.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SessionsBody {
    sessions: Vec<SessionBody>,
}

/// Signs in: a cookie for the browser, and the token that changing requests repeat.
#[utoipa::path(
    post, path = "/api/v1/login", tag = "people", request_body = LoginRequest,
    responses(
        (status = 200, description = "Signed in.", body = MeBody),
        (status = 401, description = "Unknown, wrong or disabled; the answer does not say which.", body = ProblemBody),
        (status = 429, description = "Too many wrong passwords.", body = ProblemBody),
        (status = 503, description = "Too many sign in at once.", body = ProblemBody),
    )
)]
pub(super) async fn login(
    request: HttpRequest,
    shared: Data<Shared>,
    body: Checked<LoginRequest>,
) -> Result<HttpResponse, Problem> {
    let LoginRequest { login, password } = body.0;
    let address = address(&request);
    let (me, token) = call(&shared, move |shared| {
        let asked = (login.as_str(), password.as_str(), address.as_str());
        let signed_in = accounts::sign_in(&shared.database, &shared.passwords, asked, &shared.clock)?;
        let known = crate::server::Credential::Session(signed_in.token.clone());
        let known = crate::server::identity::known(&shared.database, &known, shared.clock.now_ms())?;
        Ok((me_body(shared, known)?, signed_in.token))
    })
    .await?;
    Ok(HttpResponse::Ok().cookie(auth::cookie(&shared, &token)).json(me))
}

/// The peer itself: what a header says of the way here can be invented.
pub(super) fn address(request: &HttpRequest) -> String {
    request.peer_addr().map_or_else(|| "unknown".to_owned(), |peer| peer.ip().to_string())
}

fn me_body(shared: &Shared, known: Option<Known>) -> Result<Option<MeBody>, crate::server::Refusal> {
    let Some(known) = known else { return Ok(None) };
    let person = known.user.as_deref().map(|id| shared.database.person(id)).transpose()?.flatten();
    let kind = match (&known.device, &known.user) {
        (Some(_), _) => "device",
        (None, Some(_)) => "person",
        (None, None) => "service",
    };
    let (csrf_token, session_ends_ms) = known.session.map(|(_, csrf, ends)| (csrf, ends)).unzip();
    let (login, names) = person.map(|person| (person.login, (person.display_name, person.work_id))).unzip();
    let (display_name, work_id) = names.unzip();
    let roles = known.roles.into_iter().map(|(role, scope)| RoleBody { role: role.name(), scope }).collect();
    let work_id = work_id.flatten();
    Ok(Some(MeBody { id: known.id, kind, login, display_name, work_id, roles, csrf_token, session_ends_ms }))
}

/// Ends the session that asks.
#[utoipa::path(post, path = "/api/v1/logout", tag = "people", responses((status = 204, description = "Signed out.")))]
pub(super) async fn logout(shared: Data<Shared>, asker: Asker) -> Result<HttpResponse, Problem> {
    let (person, session, by) = session_of(&asker)?;
    call(&shared, move |shared| {
        Ok(shared.database.end_sessions(&person, Some(&session), &by, shared.clock.now_ms())?)
    })
    .await?;
    Ok(HttpResponse::NoContent().cookie(auth::cookie(&shared, "")).finish())
}

/// The person, the session and the author of a request with a session.
fn session_of(asker: &Asker) -> Result<(String, String, crate::storage::Author), Problem> {
    let known = asker.0.known.as_ref().ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let session = known.session.as_ref().map(|(id, ..)| id.clone());
    let session = session.ok_or_else(|| Problem::of(&codes::WRONG_CREDENTIAL).because("此操作只适用于登录会话"))?;
    Ok((known.id.clone(), session, asker.0.author()))
}

/// Says who asks.
#[utoipa::path(get, path = "/api/v1/me", tag = "people", responses((status = 200, description = "It is you.", body = MeBody)))]
pub(super) async fn me(shared: Data<Shared>, asker: Asker) -> Result<HttpResponse, Problem> {
    let me = call(&shared, move |shared| me_body(shared, asker.0.known)).await?;
    Ok(HttpResponse::Ok().json(me))
}

/// Changes one's own password; every session of one's own ends, this one too.
#[utoipa::path(
    post, path = "/api/v1/me/password", tag = "people", request_body = PasswordRequest,
    responses(
        (status = 204, description = "Changed; sign in again."),
        (status = 401, description = "The current one is wrong.", body = ProblemBody),
        (status = 422, description = "The new one is too short or too common.", body = ProblemBody),
        (status = 429, description = "Too many wrong passwords.", body = ProblemBody),
    )
)]
pub(super) async fn change_password(
    shared: Data<Shared>,
    asker: Asker,
    body: Checked<PasswordRequest>,
) -> Result<HttpResponse, Problem> {
    let (person, _, by) = session_of(&asker)?;
    call(&shared, move |shared| {
        let passwords = (person.as_str(), body.0.current.as_str(), body.0.new.as_str());
        accounts::change_password(&shared.database, &shared.passwords, passwords, &by, &shared.clock)
    })
    .await?;
    Ok(HttpResponse::NoContent().cookie(auth::cookie(&shared, "")).finish())
}

/// Lists one's own sessions.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "people", responses((status = 200, description = "They.", body = SessionsBody)))]
pub(super) async fn list(shared: Data<Shared>, asker: Asker) -> Result<HttpResponse, Problem> {
    let (person, current, _) = session_of(&asker)?;
    let rows = call(&shared, move |shared| {
        let now_ms = shared.clock.now_ms();
        Ok(shared.database.sessions_of(&person, now_ms - accounts::IDLE_MS, now_ms - accounts::SESSION_MS)?)
    })
    .await?;
    let body = |row: Session| SessionBody {
        current: row.id == current,
        id: row.id,
        created_at_ms: row.created_at_ms,
        used_at_ms: row.used_at_ms,
    };
    Ok(HttpResponse::Ok().json(SessionsBody { sessions: rows.into_iter().map(body).collect() }))
}

/// Ends one of one's own sessions.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{id}", tag = "people", params(("id" = String, Path, description = "The session.")),
    responses((status = 204, description = "Ended."), (status = 404, description = "No such session of yours.", body = ProblemBody))
)]
pub(super) async fn end(shared: Data<Shared>, asker: Asker, id: Path<String>) -> Result<HttpResponse, Problem> {
    let (person, _, by) = session_of(&asker)?;
    let work =
        move |shared: &Shared| Ok(shared.database.end_sessions(&person, Some(&id), &by, shared.clock.now_ms())?);
    match call(&shared, work).await? {
        0 => Err(Problem::of(&codes::NOT_FOUND)),
        _ => Ok(HttpResponse::NoContent().finish()),
    }
}
