//! Every route with who may use it, in one table from which the router is built: a route without an access rule does
//! not compile, and a rule without a route does not exist.

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};

use super::{Problem, codes, health, keys, openapi, questionnaires, responses, runs, submissions, surveys};
use crate::server::{
    Actor,
    Role::{self, Admin, Analyst, Auditor, Supervisor, Surveyor},
};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Public,
    /// Holders of these roles.
    Roles(&'static [Role]),
    /// Holders of these roles, and everybody when results are public.
    Results(&'static [Role]),
}

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
}

macro_rules! routes {
    ($($method:ident $path:literal $access:expr => $handler:path;)*) => {
        /// The table.
        pub const ROUTES: &[Route] = &[$(Route { method: stringify!($method), path: $path, access: $access }),*];

        pub(super) fn register(config: &mut ServiceConfig) {
            $(config.route($path, web::method(Method::$method).to($handler));)*
        }
    };
}

const OFFICE: &[Role] = &[Supervisor, Analyst, Auditor, Admin];
const FIELD: &[Role] = &[Surveyor, Supervisor];
const SETUP: &[Role] = &[Analyst, Admin];
const DATA: &[Role] = &[Supervisor, Analyst, Auditor];
const PERSONS: &[Role] = &[Analyst, Auditor];

routes! {
    GET "/healthz" Access::Public => health::healthz;
    GET "/readyz" Access::Public => health::readyz;
    GET "/api/v1/openapi.json" Access::Public => openapi::openapi;
    GET "/api/v1/keys" Access::Public => keys::list;
    POST "/api/v1/questionnaires" Access::Roles(SETUP) => questionnaires::publish;
    GET "/api/v1/questionnaires" Access::Roles(&Role::ALL) => questionnaires::list;
    GET "/api/v1/instruments/{hash}" Access::Roles(&Role::ALL) => questionnaires::form;
    POST "/api/v1/surveys" Access::Roles(SETUP) => surveys::create;
    GET "/api/v1/surveys" Access::Roles(OFFICE) => surveys::list;
    GET "/api/v1/surveys/{id}" Access::Roles(OFFICE) => surveys::show;
    PUT "/api/v1/surveys/{id}/files/{kind}" Access::Roles(SETUP) => surveys::put_file;
    GET "/api/v1/surveys/{id}/responses" Access::Roles(DATA) => responses::list;
    POST "/api/v1/surveys/{id}/runs" Access::Roles(&[Analyst, Auditor]) => runs::create;
    PUT "/api/v1/submissions/{uuid}/revs/{rev}" Access::Roles(FIELD) => submissions::put;
    GET "/api/v1/receipts/{short}" Access::Roles(&[Surveyor, Supervisor, Auditor]) => submissions::receipt;
    GET "/api/v1/responses/{id}" Access::Roles(DATA) => responses::show;
    GET "/api/v1/runs" Access::Results(OFFICE) => runs::list;
    GET "/api/v1/runs/latest" Access::Results(OFFICE) => runs::latest;
    GET "/api/v1/runs/{id}" Access::Results(OFFICE) => runs::show;
    GET "/api/v1/runs/{id}/results" Access::Results(OFFICE) => runs::results;
    GET "/api/v1/runs/{id}/files" Access::Results(OFFICE) => runs::files;
    GET "/api/v1/runs/{id}/files/{name}" Access::Results(OFFICE) => runs::file;
}

/// Who may read a run's file: the published ones like the results, any other only those who work with persons' rows.
pub(super) fn file_access(name: &str) -> Access {
    match name {
        "results.json" | "indicator.csv" => Access::Results(OFFICE),
        _ => Access::Roles(PERSONS),
    }
}

/// The route with this method and pattern; `HEAD` is not a route of its own.
pub(super) fn route_of(method: &Method, pattern: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == pattern && route.method == method.as_str())
}

/// The methods of a pattern, for the answer to another method.
pub(super) fn methods_of(pattern: &str) -> Option<String> {
    let methods: Vec<&str> = ROUTES.iter().filter(|route| route.path == pattern).map(|route| route.method).collect();
    (!methods.is_empty()).then(|| methods.join(", "))
}

/// Who asks, as far as the rules care.
#[derive(Debug, Clone, Default)]
pub(super) struct Asker {
    pub(super) actor: Option<Actor>,
    pub(super) public_results: bool,
}

impl Asker {
    /// Refuses unless the rule lets the asker in.
    pub(super) fn may(&self, access: Access) -> Result<(), Problem> {
        let (roles, open) = match access {
            Access::Public => return Ok(()),
            Access::Roles(roles) => (roles, false),
            Access::Results(roles) => (roles, self.public_results),
        };
        match &self.actor {
            _ if open => Ok(()),
            Some(actor) if roles.contains(&actor.role) => Ok(()),
            Some(_) => Err(Problem::of(&codes::FORBIDDEN_ROLE)),
            None => Err(Problem::of(&codes::UNAUTHENTICATED)),
        }
    }

    /// What tables name as the source of a change.
    pub(super) fn name(&self) -> String {
        self.actor.as_ref().map_or_else(|| "nobody".to_owned(), |actor| actor.token_id.clone())
    }

    /// Whether only succeeded runs may be seen: a reader without a role sees nothing of the work.
    pub(super) fn is_public_reader(&self) -> bool {
        self.actor.as_ref().is_none_or(|actor| !OFFICE.contains(&actor.role))
    }
}
