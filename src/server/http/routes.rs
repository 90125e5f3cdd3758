//! Every route with who may use it, in one table from which the router is built: a route without an access rule does
//! not compile, and a rule without a route does not exist.

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};

use super::{Problem, audit, codes, health, keys, openapi, questionnaires, responses, runs, submissions, surveys};
use crate::{
    server::{
        Actor, Role,
        policy::{self, Access, Grant, Open},
    },
    storage::Author,
};

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// Who may use it: the route's line of the policy file.
    pub access: Access,
}

macro_rules! routes {
    ($($method:ident $path:literal => $handler:path;)*) => {
        /// The table.
        pub const ROUTES: &[Route] = &[$(
            // A constant, so that a route without a line in the policy file does not compile.
            Route { method: stringify!($method), path: $path, access: const { policy::access(stringify!($method), $path) } }
        ),*];

        pub(super) fn register(config: &mut ServiceConfig) {
            $(config.route($path, web::method(Method::$method).to($handler));)*
        }
    };
}

const _: () = assert!(policy::lines() == ROUTES.len(), "src/server/policy.txt has a line that no route has");

routes! {
    GET "/healthz" => health::healthz;
    GET "/readyz" => health::readyz;
    GET "/api/v1/openapi.json" => openapi::openapi;
    GET "/api/v1/keys" => keys::list;
    POST "/api/v1/questionnaires" => questionnaires::publish;
    GET "/api/v1/questionnaires" => questionnaires::list;
    GET "/api/v1/instruments/{hash}" => questionnaires::form;
    POST "/api/v1/surveys" => surveys::create;
    GET "/api/v1/surveys" => surveys::list;
    GET "/api/v1/surveys/{id}" => surveys::show;
    PUT "/api/v1/surveys/{id}/files/{kind}" => surveys::put_file;
    GET "/api/v1/surveys/{id}/responses" => responses::list;
    POST "/api/v1/surveys/{id}/runs" => runs::create;
    PUT "/api/v1/submissions/{uuid}/revs/{rev}" => submissions::put;
    GET "/api/v1/receipts/{short}" => submissions::receipt;
    GET "/api/v1/responses/{id}" => responses::show;
    GET "/api/v1/runs" => runs::list;
    GET "/api/v1/runs/latest" => runs::latest;
    GET "/api/v1/runs/{id}" => runs::show;
    GET "/api/v1/runs/{id}/results" => runs::results;
    GET "/api/v1/runs/{id}/files" => runs::files;
    GET "/api/v1/runs/{id}/files/{name}" => runs::file;
    GET "/api/v1/runs/{id}/proof" => audit::of_run;
    GET "/api/v1/audit/checkpoint" => audit::checkpoint;
    GET "/api/v1/audit/entries" => audit::entries;
    GET "/api/v1/audit/proof/{seq}" => audit::proof;
}

/// The rule for files with one row a person.
const PERSONS: Access = policy::access("PART", "run-file-of-persons");

/// The rule for files with results only.
const RESULTS: Access = policy::access("GET", "/api/v1/runs/{id}/results");

/// Who may read a run's file: the published ones like the results, any other only those who work with persons' rows.
pub(super) fn file_access(name: &str) -> Access {
    match name {
        "results.json" | "indicator.csv" => RESULTS,
        _ => PERSONS,
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
        match &self.actor {
            _ if access.open == Open::Public || (access.open == Open::Results && self.public_results) => Ok(()),
            Some(actor) if access.grant(actor.role) > Grant::No => Ok(()),
            Some(_) => Err(Problem::of(&codes::FORBIDDEN_ROLE)),
            None => Err(Problem::of(&codes::UNAUTHENTICATED)),
        }
    }

    /// Whom the audit log names.
    pub(super) fn author(&self) -> Author {
        let nobody = || Author { id: "nobody".to_owned(), role: "public".to_owned() };
        self.actor.as_ref().map_or_else(nobody, Actor::author)
    }

    /// What tables name as the source of a change.
    pub(super) fn name(&self) -> String {
        self.actor.as_ref().map_or_else(|| "nobody".to_owned(), |actor| actor.id.clone())
    }

    /// Whether only succeeded runs may be seen: a reader without a role sees nothing of the work.
    pub(super) fn is_public_reader(&self) -> bool {
        self.actor.as_ref().is_none_or(|actor| actor.role == Role::Surveyor)
    }
}
