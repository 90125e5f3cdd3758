//! Every route with who may use it, in one table from which the router is built: a route without an access rule does
//! not compile, and a rule without a route does not exist.

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};

use super::{
    Problem, assignments, attachments, audit, cells, changes, codes, devices, downloads, events, evidence, file_check,
    health, identity, inbox, keys, maps, openapi, packages, people, progress, quarantine, questionnaires, queue,
    releases, reports, reserves, responses, retention, review, runs, schedules, series, sessions, submissions, surveys,
    sync,
};
use crate::{
    server::{
        Actor, Known, Role,
        policy::{self, Access, Grant, Open},
    },
    storage::{Author, Database, Reach, StorageError},
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
    // The router tries the paths with parameters in this order, each by an expression of its own: what comes most often
    // comes first.
    PUT "/api/v1/submissions/{uuid}/revs/{rev}" => submissions::put;
    GET "/healthz" => health::healthz;
    GET "/readyz" => health::readyz;
    GET "/metrics" => health::metrics;
    GET "/api/v1/openapi.json" => openapi::openapi;
    GET "/api/v1/keys" => keys::list;
    POST "/api/v1/questionnaires" => questionnaires::publish;
    GET "/api/v1/questionnaires" => questionnaires::list;
    GET "/api/v1/instruments/{hash}" => questionnaires::form;
    POST "/api/v1/surveys" => surveys::create;
    GET "/api/v1/surveys" => surveys::list;
    POST "/api/v1/surveys/{id}/questionnaire" => surveys::set_questionnaire;
    GET "/api/v1/surveys/{id}" => surveys::show;
    PUT "/api/v1/surveys/{id}/files/contacts" => identity::put_contacts;
    POST "/api/v1/cases/{survey}/{case}/contact" => identity::read_contact;
    POST "/api/v1/cases/{survey}/{case}/attempts/{attempt}/notes" => identity::read_visit_notes;
    POST "/api/v1/cases/{survey}/{case}/erasure" => identity::request_erasure;
    POST "/api/v1/cases/{survey}/{case}/erasure/confirm" => identity::confirm_erasure;
    PUT "/api/v1/surveys/{id}/files/{kind}" => surveys::put_file;
    POST "/api/v1/surveys/{id}/files/{kind}/check" => file_check::check;
    PUT "/api/v1/surveys/{id}/map" => maps::put;
    GET "/api/v1/surveys/{id}/map" => maps::of_survey;
    POST "/api/v1/surveys/{id}/map/check" => maps::check;
    GET "/api/v1/surveys/{id}/responses" => responses::list;
    GET "/api/v1/surveys/{id}/progress" => progress::show;
    GET "/api/v1/surveys/{id}/progress.csv" => progress::csv;
    GET "/api/v1/surveys/{id}/queue" => queue::list;
    GET "/api/v1/surveys/{id}/cases" => progress::cases;
    GET "/api/v1/surveyors" => progress::field_persons;
    POST "/api/v1/surveys/{id}/runs" => runs::create;
    GET "/api/v1/surveys/{id}/retention" => retention::show;
    PUT "/api/v1/surveys/{id}/hold" => retention::set_hold;
    POST "/api/v1/surveys/{id}/hold/lift" => retention::ask_to_lift;
    POST "/api/v1/surveys/{id}/hold/lift/confirm" => retention::lift;
    GET "/api/v1/surveys/{id}/schedule" => schedules::show;
    PUT "/api/v1/surveys/{id}/schedule" => schedules::set;
    GET "/api/v1/submissions/{uuid}/evidence" => evidence::show;
    POST "/api/v1/submissions:batch" => sync::batch;
    POST "/api/v1/packages" => packages::take;
    POST "/api/v1/reconcile" => sync::reconcile;
    GET "/api/v1/time" => sync::time;
    GET "/api/v1/receipts/{short}" => submissions::receipt;
    GET "/api/v1/responses/{id}" => responses::show;
    HEAD "/api/v1/attachments/{uuid}" => attachments::head;
    PATCH "/api/v1/attachments/{uuid}" => attachments::append;
    GET "/api/v1/responses/{id}/attachments" => attachments::list;
    GET "/api/v1/responses/{id}/attachments/{uuid}" => attachments::read;
    GET "/api/v1/responses/{id}/diff" => responses::diff;
    GET "/api/v1/responses/{id}/returned" => responses::returned;
    POST "/api/v1/responses/{id}/review" => review::begin;
    POST "/api/v1/responses/{id}/approve" => review::approve;
    POST "/api/v1/responses/{id}/return" => review::send_back;
    POST "/api/v1/responses/{id}/void" => review::request_void;
    POST "/api/v1/responses/{id}/void/confirm" => review::confirm_void;
    POST "/api/v1/responses/{id}/lock" => review::lock;
    POST "/api/v1/responses/{id}/reopen" => review::reopen;
    POST "/api/v1/responses/{id}/promote" => review::promote;
    POST "/api/v1/responses/{id}/choose" => quarantine::choose;
    POST "/api/v1/approvals" => review::approve_many;
    GET "/api/v1/quarantine" => quarantine::list;
    POST "/api/v1/quarantine/{seq}/accept" => quarantine::accept;
    POST "/api/v1/surveys/{id}/reserves/release" => reserves::release;
    GET "/api/v1/surveys/{id}/reserves" => reserves::list;
    GET "/api/v1/surveys/{id}/reserves.csv" => reserves::csv;
    POST "/api/v1/surveys/{id}/assignments" => assignments::assign;
    GET "/api/v1/surveys/{id}/assignments" => assignments::list;
    POST "/api/v1/events:batch" => events::batch;
    GET "/api/v1/cases/{survey}/{case}/attempts" => events::attempts;
    GET "/api/v1/sync/changes" => changes::list;
    GET "/api/v1/sync/inbox" => inbox::list;
    POST "/api/v1/inbox/{seq}/ack" => inbox::acknowledge;
    POST "/api/v1/surveys/{id}/open" => surveys::open;
    POST "/api/v1/surveys/{id}/close" => surveys::close;
    GET "/api/v1/runs" => runs::list;
    GET "/api/v1/runs/latest" => runs::latest;
    GET "/api/v1/runs/{id}" => runs::show;
    POST "/api/v1/runs/{id}/cancel" => runs::cancel;
    GET "/api/v1/runs/{id}/results" => runs::results;
    GET "/api/v1/runs/{id}/cells/{table}/{cell}/interviews" => cells::interviews;
    GET "/api/v1/runs/{id}/series" => series::show;
    GET "/api/v1/runs/{id}/map" => maps::of_run;
    GET "/api/v1/runs/{id}/files" => runs::files;
    GET "/api/v1/runs/{id}/files/{name}" => runs::file;
    GET "/api/v1/runs/{id}/report.html" => reports::html;
    GET "/api/v1/runs/{id}/report.pdf" => reports::pdf;
    GET "/api/v1/runs/{id}/bundle" => downloads::bundle;
    GET "/api/v1/runs/{id}/microdata" => downloads::microdata;
    POST "/api/v1/runs/{id}/release" => releases::request;
    GET "/api/v1/runs/{id}/release" => releases::show;
    POST "/api/v1/runs/{id}/release/confirm" => releases::confirm;
    GET "/api/v1/runs/{id}/proof" => audit::of_run;
    GET "/api/v1/audit/checkpoint" => audit::checkpoint;
    GET "/api/v1/audit/entries" => audit::entries;
    GET "/api/v1/audit/proof/{seq}" => audit::proof;
    POST "/api/v1/login" => sessions::login;
    POST "/api/v1/logout" => sessions::logout;
    GET "/api/v1/me" => sessions::me;
    POST "/api/v1/me/password" => sessions::change_password;
    GET "/api/v1/sessions" => sessions::list;
    DELETE "/api/v1/sessions/{id}" => sessions::end;
    POST "/api/v1/users" => people::create;
    GET "/api/v1/users" => people::list;
    POST "/api/v1/users/{id}/disable" => people::disable;
    POST "/api/v1/users/{id}/enable" => people::enable;
    POST "/api/v1/users/{id}/grants" => people::propose;
    POST "/api/v1/grants/{id}/confirm" => people::confirm;
    DELETE "/api/v1/grants/{id}" => people::revoke;
    POST "/api/v1/enrolment-codes" => devices::make_code;
    POST "/api/v1/enrol" => devices::enrol;
    GET "/api/v1/sync/manifest" => devices::manifest;
    GET "/api/v1/devices" => devices::list;
    PUT "/api/v1/devices/self" => devices::report;
    POST "/api/v1/devices/{id}/revoke" => devices::revoke;
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

/// Whether a run's file has one row a person or a case.
pub(super) fn holds_persons(name: &str) -> bool {
    file_access(name).open != Open::Results
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
    pub(super) known: Option<Known>,
    pub(super) access: Option<Access>,
    pub(super) public_results: bool,
}

impl Asker {
    /// Refuses unless the rule lets the asker in.
    pub(super) fn may(&self, access: Access) -> Result<(), Problem> {
        match &self.known {
            _ if access.open == Open::Public || (access.open == Open::Results && self.public_results) => Ok(()),
            Some(known) if known.may(access) => Ok(()),
            Some(_) => Err(Problem::of(&codes::FORBIDDEN_ROLE)),
            None => Err(Problem::of(&codes::UNAUTHENTICATED)),
        }
    }

    /// How far the asker sees on this route.
    pub(super) fn grant(&self) -> Grant {
        let access = self.access.zip(self.actor.as_ref());
        access.map_or(Grant::No, |(access, actor)| access.grant(actor.role))
    }

    /// The rows the asker may see on this route, for the query itself.
    pub(super) fn reach(&self, database: &Database) -> Result<Reach, StorageError> {
        let Some(actor) = &self.actor else { return Ok(Reach::By(Vec::new())) };
        Ok(match self.grant() {
            Grant::All => Reach::All,
            Grant::Region => Reach::region(actor.scope.as_deref()),
            Grant::Own => Reach::By(self.ids(database)?),
            Grant::No => Reach::By(Vec::new()),
        })
    }

    /// Every id under which the asker hands something in: their own, the person's, and those of the person's tablets.
    pub(super) fn ids(&self, database: &Database) -> Result<Vec<String>, StorageError> {
        let Some(actor) = &self.actor else { return Ok(Vec::new()) };
        let tablets = actor.user.as_deref().map(|person| database.device_ids_of(person)).transpose()?;
        let all = tablets.unwrap_or_default().into_iter().chain([actor.id.clone()]);
        Ok(all.chain(actor.user.clone()).collect())
    }

    /// What tables name as the source of a change.
    pub(super) fn name(&self) -> String {
        self.author().id
    }

    /// The asker as the audit log names them.
    pub(super) fn author(&self) -> Author {
        let nobody = || Author { id: "nobody".to_owned(), role: "public".to_owned() };
        self.actor.as_ref().map_or_else(nobody, Actor::author)
    }

    /// Whether only succeeded runs may be seen: a reader without a role sees nothing of the work.
    pub(super) fn is_public_reader(&self) -> bool {
        self.actor.as_ref().is_none_or(|actor| actor.role == Role::Surveyor)
    }
}
