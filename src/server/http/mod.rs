//! HTTP: requests to calls, results to answers. `routes` is the whole list of routes with who may use each.

mod answers;
mod assignments;
mod attachments;
mod audit;
mod audited;
mod auth;
mod body;
mod cells;
mod changes;
mod client;
mod codes;
mod content;
mod deliver;
mod devices;
mod documents;
mod downloads;
mod events;
mod evidence;
mod extract;
mod file_check;
mod finish;
mod health;
mod identity;
mod inbox;
mod json;
mod keys;
mod maps;
mod openapi;
mod packages;
mod packing;
mod pages;
mod people;
mod problem;
mod progress;
mod quarantine;
mod questionnaires;
mod queue;
mod releases;
mod reports;
mod reserves;
mod responses;
mod retention;
mod review;
mod routes;
mod run_request;
mod runs;
mod schedules;
mod sealed;
mod series;
mod sessions;
mod submissions;
mod surveys;
mod sync;
mod throttle;
mod unread;

pub use codes::{CODES, Code};
pub use extract::Imports;
pub use openapi::document as openapi_document;
pub use people::is_login_text;
pub use problem::Problem;
pub use routes::{ROUTES, Route};

use actix_web::{
    middleware::from_fn,
    web::{self, Data, PathConfig, QueryConfig, ServiceConfig},
};

use super::{
    Clock, Config, Formats, Instruments, Keys, Metrics, Passwords, SealingKeys, Throttle, Writer,
    jobs::{Notary, Runner},
};
use crate::storage::Database;

/// What every handler can reach.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The data.
    pub database: Database,
    /// The settings.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// The signing keys.
    pub keys: Keys,
    /// The keys that tablets seal what they hand in to.
    pub sealing: SealingKeys,
    /// The signer of the audit log's checkpoints.
    pub notary: Notary,
    /// The one that keeps and judges submissions.
    pub writer: Writer,
    /// Published questionnaires, read once.
    pub instruments: Instruments,
    /// Where runs are computed.
    pub runner: Runner,
    /// Where password hashes wait for a processor.
    pub passwords: Passwords,
    /// Who has asked how much.
    pub throttle: Throttle,
    /// Numbers for a monitor.
    pub metrics: Metrics,
    /// The places for imported files.
    pub imports: Imports,
    /// Where other forms of a run's files are made.
    pub formats: Formats,
}

/// The factory's app: routes, the pages, and the middlewares every answer passes, outermost last.
pub(super) fn app(
    shared: Shared,
) -> actix_web::App<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse<impl actix_web::body::MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    actix_web::App::new()
        .app_data(Data::new(shared))
        .app_data(PathConfig::default().error_handler(|_, _| Problem::of(&codes::NOT_FOUND).into()))
        .app_data(QueryConfig::default().error_handler(|error, _| problem::bad_query(&error).into()))
        .configure(everything)
        .wrap(from_fn(throttle::throttle))
        .wrap(from_fn(auth::authorize))
        .wrap(from_fn(audited::log_refusals))
        .wrap(from_fn(finish::finish))
        .wrap(tracing_actix_web::TracingLogger::<finish::Spans>::new())
}

fn everything(config: &mut ServiceConfig) {
    routes::register(config);
    documents::register(config);
    config.default_service(web::to(pages::page));
}
