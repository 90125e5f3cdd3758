//! The vault over HTTP: contact data in by file, out one case at a time and with a reason, gone by two persons.

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, web::Data};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{
    Problem, Shared, codes,
    extract::{Asker, AtSurvey, Checked, ImportedText, call},
    problem::ProblemBody,
};
use crate::server::{
    Actor,
    vault::{Contact, Vault, VisitNotes, check_reason},
};

/// Why somebody asks for a case's contact data, or for their erasure.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonRequest {
    /// 4 to 200 signs, kept in the log. Name no person in it.
    #[validate(length(min = 1, max = 400))]
    #[schema(example = "电话复核")]
    reason: String,
}

/// What importing contact data came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ContactsBody {
    /// Cases whose contact data are now these.
    cases: usize,
}

/// One case's contact data.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ContactBody<'a> {
    case: &'a str,
    address: &'a str,
    name: &'a str,
    phone: &'a str,
    /// The number as a screen shows it first: `138****1234`.
    phone_masked: String,
    note: &'a str,
}

/// What asking for an erasure came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ErasureBody {
    /// `requested` until another person confirms, then `erased`.
    state: &'static str,
}

/// The case the path names.
#[derive(Debug)]
pub(super) struct AtCase {
    survey: String,
    case: String,
}

impl FromRequest for AtCase {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let part = |name| request.match_info().get(name).filter(|text| !text.contains('\0')).map(str::to_owned);
        let both = part("survey").zip(part("case")).map(|(survey, case)| Self { survey, case });
        std::future::ready(both.ok_or_else(|| Problem::of(&codes::NOT_FOUND)))
    }
}

fn actor(asker: Asker) -> Result<Actor, Problem> {
    asker.0.actor.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))
}

fn vault(shared: &Shared) -> Vault<'_> {
    Vault { database: &shared.database, key_dir: &shared.config.key_dir }
}

/// Puts contact data into the vault: the file is checked whole, sealed field by field, and itself not kept.
#[utoipa::path(
    put, path = "/api/v1/surveys/{id}/files/contacts", tag = "identity",
    params(("id" = String, Path, description = "The survey.")),
    request_body(content = String, content_type = "text/csv", description = "`case_id, address, name, phone, note`; a case replaces what the vault had of it."),
    responses(
        (status = 200, description = "The cases are in the vault.", body = ContactsBody),
        (status = 422, description = "Every fault with its line; nothing changed.", body = ProblemBody),
    )
)]
pub(super) async fn put_contacts(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    file: ImportedText,
) -> Result<HttpResponse, Problem> {
    let actor = actor(asker)?;
    let import = move |shared: &Shared| vault(shared).import(&survey.0.id, &file.text, &actor, shared.clock.now_ms());
    let cases = call(&shared, import).await?;
    Ok(HttpResponse::Ok().json(ContactsBody { cases }))
}

/// Reads one case's contact data. That and why they were read is logged before they are told.
#[utoipa::path(
    post, path = "/api/v1/cases/{survey}/{case}/contact", tag = "identity", request_body = ReasonRequest,
    params(("survey" = String, Path, description = "The survey."), ("case" = String, Path, description = "The case.")),
    responses(
        (status = 200, description = "The contact data.", body = inline(ContactBody)),
        (status = 404, description = "There are none, or they were erased.", body = ProblemBody),
        (status = 422, description = "The reason says nothing.", body = ProblemBody),
    )
)]
pub(super) async fn read_contact(
    shared: Data<Shared>,
    asker: Asker,
    at: AtCase,
    body: Checked<ReasonRequest>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(asker)?;
    let contact = call(&shared, move |shared| {
        check_reason(&body.0.reason)?;
        vault(shared).read(&at.survey, &at.case, &actor, body.0.reason.trim(), shared.clock.now_ms())
    });
    let contact: Contact = contact.await?;
    let Contact { case_id, address, name, phone, note } = &contact;
    let phone_masked = contact.masked_phone();
    let body = ContactBody { case: case_id, address, name, phone, phone_masked, note };
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(body))
}

/// The visit the path names.
#[derive(Debug)]
pub(super) struct AtVisit {
    case: AtCase,
    attempt: String,
}

impl FromRequest for AtVisit {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let attempt = request.match_info().get("attempt").filter(|text| !text.contains('\0')).map(str::to_owned);
        let attempt = attempt.ok_or_else(|| Problem::of(&codes::NOT_FOUND));
        let both =
            AtCase::from_request(request, payload).into_inner().and_then(|case| Ok(Self { case, attempt: attempt? }));
        std::future::ready(both)
    }
}

/// Words and position of a visit, as the tablet sent them.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct VisitNotesBody {
    /// What the surveyor wrote.
    note: Option<serde_json::Value>,
    /// Where they stood.
    gps: Option<serde_json::Value>,
}

/// Reads what was written about one visit and where the surveyor stood. That and why it was read is logged before it is told.
#[utoipa::path(
    post, path = "/api/v1/cases/{survey}/{case}/attempts/{attempt}/notes", tag = "identity", request_body = ReasonRequest,
    params(
        ("survey" = String, Path, description = "The survey."), ("case" = String, Path, description = "The case."),
        ("attempt" = String, Path, description = "The attempt's id."),
    ),
    responses(
        (status = 200, description = "They.", body = VisitNotesBody),
        (status = 404, description = "There are none, or they were erased.", body = ProblemBody),
        (status = 422, description = "The reason says nothing.", body = ProblemBody),
    )
)]
pub(super) async fn read_visit_notes(
    shared: Data<Shared>,
    asker: Asker,
    at: AtVisit,
    body: Checked<ReasonRequest>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(asker)?;
    let notes = call(&shared, move |shared| {
        check_reason(&body.0.reason)?;
        let AtVisit { case: AtCase { survey, case }, attempt } = &at;
        vault(shared).read_notes((survey, case), attempt, &actor, body.0.reason.trim(), shared.clock.now_ms())
    });
    let VisitNotes { note, gps } = notes.await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(VisitNotesBody { note, gps }))
}

/// Asks that a case's contact data be erased; another person must confirm.
#[utoipa::path(
    post, path = "/api/v1/cases/{survey}/{case}/erasure", tag = "identity", request_body = ReasonRequest,
    params(("survey" = String, Path, description = "The survey."), ("case" = String, Path, description = "The case.")),
    responses(
        (status = 202, description = "Waits for another person.", body = ErasureBody),
        (status = 404, description = "There are none to erase.", body = ProblemBody),
    )
)]
pub(super) async fn request_erasure(
    shared: Data<Shared>,
    asker: Asker,
    at: AtCase,
    body: Checked<ReasonRequest>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(asker)?;
    let asked = call(&shared, move |shared| {
        check_reason(&body.0.reason)?;
        vault(shared).request_erasure(&at.survey, &at.case, &actor, body.0.reason.trim(), shared.clock.now_ms())
    });
    asked.await?;
    Ok(HttpResponse::Accepted().json(ErasureBody { state: "requested" }))
}

/// Erases what another person asked to erase: the case's key, its fields, and what the log says of why they were read.
#[utoipa::path(
    post, path = "/api/v1/cases/{survey}/{case}/erasure/confirm", tag = "identity",
    params(("survey" = String, Path, description = "The survey."), ("case" = String, Path, description = "The case.")),
    responses(
        (status = 200, description = "Erased.", body = ErasureBody),
        (status = 403, description = "The person who asked cannot confirm.", body = ProblemBody),
        (status = 404, description = "Nobody asked.", body = ProblemBody),
    )
)]
pub(super) async fn confirm_erasure(shared: Data<Shared>, asker: Asker, at: AtCase) -> Result<HttpResponse, Problem> {
    let actor = actor(asker)?;
    let confirmed =
        call(&shared, move |shared| vault(shared).confirm_erasure(&at.survey, &at.case, &actor, shared.clock.now_ms()));
    confirmed.await?;
    Ok(HttpResponse::Ok().json(ErasureBody { state: "erased" }))
}
