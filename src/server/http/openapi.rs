//! The API's description, made from the handlers themselves.

use actix_web::HttpResponse;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, ContentBuilder, Ref, ResponseBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    assignments, attachments, audit, cells, changes, devices, downloads, events, evidence, file_check, health,
    identity, inbox, keys, maps, packages, people, problem::ProblemBody, progress, quarantine, questionnaires, queue,
    releases, reports, reserves, responses, retention, review, routes::ROUTES, runs, schedules, series, sessions,
    submissions, surveys, sync,
};
use crate::server::policy::{Access, Open};

#[derive(OpenApi)]
#[openapi(
    info(title = "scilit", description = "公民科学素质调查：问卷、样本、答卷、计算与结果。Errors are problem+json (RFC 9457)."),
    paths(
        health::healthz, health::readyz, health::metrics, openapi, keys::list,
        questionnaires::publish, questionnaires::list, questionnaires::form,
        surveys::create, surveys::list, surveys::show, surveys::set_questionnaire, surveys::put_file, file_check::check, maps::put, maps::of_survey, maps::check,
        progress::show, progress::csv, progress::cases, progress::field_persons, queue::list,
        identity::put_contacts, identity::read_contact, identity::read_visit_notes, identity::request_erasure, identity::confirm_erasure,
        attachments::head, attachments::append, attachments::list, attachments::read, submissions::put, submissions::receipt, responses::list, responses::show, responses::diff, responses::returned, evidence::show,
        review::begin, review::approve, review::send_back, review::request_void, review::confirm_void, review::lock,
        review::reopen, review::promote, review::approve_many, quarantine::choose, quarantine::list, quarantine::accept,
        reserves::release, reserves::list, reserves::csv, assignments::assign, assignments::list, changes::list, events::batch, events::attempts, inbox::list, inbox::acknowledge, surveys::open, surveys::close,
        sync::batch, packages::take, sync::reconcile, sync::time, retention::show, retention::set_hold, retention::ask_to_lift, retention::lift, schedules::show, schedules::set, runs::create, runs::cancel, runs::list, runs::latest, runs::show, runs::results, cells::interviews, series::show, maps::of_run, runs::files, runs::file, reports::html, reports::pdf, downloads::bundle, downloads::microdata, releases::request, releases::show, releases::confirm,
        audit::of_run, audit::checkpoint, audit::entries, audit::proof,
        sessions::login, sessions::logout, sessions::me, sessions::change_password, sessions::list, sessions::end, people::create, people::list, people::disable, people::enable, people::propose, people::confirm, people::revoke, devices::make_code, devices::enrol, devices::manifest, devices::list, devices::report, devices::revoke,
    ),
    components(schemas(ProblemBody)),
    modifiers(&Everywhere)
)]
struct Document;

/// What every route has in common: the token, and problems as the answer to anything else.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = &mut document.components {
            let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
            components.add_security_scheme("token", SecurityScheme::Http(bearer));
        }
        for route in ROUTES {
            let Some(path) = document.paths.paths.get_mut(route.path) else { continue };
            let operations =
                [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.head, &mut path.patch];
            for operation in operations.into_iter().flatten() {
                operation.security = security(route.access);
                let other =
                    ResponseBuilder::new().description("A problem.").content("application/problem+json", problem());
                operation.responses.responses.insert("default".to_owned(), other.build().into());
                for response in operation.responses.responses.values_mut() {
                    as_problem(response);
                }
            }
        }
    }
}

fn problem() -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemBody"))).build()
}

fn security(access: Access) -> Option<Vec<SecurityRequirement>> {
    let token = SecurityRequirement::new::<_, [&str; 0], &str>("token", []);
    match access.open {
        Open::Public => None,
        Open::Results => Some(vec![SecurityRequirement::default(), token]),
        _ => Some(vec![token]),
    }
}

/// A problem never travels as plain `application/json`.
fn as_problem(response: &mut utoipa::openapi::RefOr<utoipa::openapi::Response>) {
    let utoipa::openapi::RefOr::T(response) = response else { return };
    let content = response.content.get("application/json").and_then(|content| serde_json::to_string(content).ok());
    if content.is_some_and(|content| content.contains("ProblemBody")) {
        response.content.clear();
        response.content.insert("application/problem+json".to_owned(), problem().into());
    }
}

/// The OpenAPI 3.1 document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "health", responses((status = 200, description = "OpenAPI 3.1.", body = Object)))]
pub(super) async fn openapi() -> HttpResponse {
    HttpResponse::Ok().json(document())
}
