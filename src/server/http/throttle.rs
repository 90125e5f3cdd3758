//! How often somebody may ask: looked at after who asks is known and before any handler runs.

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};

use super::{
    Problem, Route, Shared, client, codes,
    routes::{Asker, file_access, route_of},
};
use crate::server::{Open, Purpose};

/// Where tablets hand in what they collected.
const UPLOADS: [&str; 4] = ["/api/v1/submissions", "/api/v1/events", "/api/v1/attachments", "/api/v1/reconcile"];

/// A file of a run.
const FILE: &str = "/api/v1/runs/{id}/files/{name}";

pub(super) async fn throttle<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match take(&request) {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(problem) => Ok(request.into_response(HttpResponse::from_error(problem)).map_into_right_body()),
    }
}

fn take(request: &ServiceRequest) -> Result<(), Problem> {
    let pattern = request.match_pattern();
    let route = pattern.as_deref().and_then(|pattern| route_of(request.method(), pattern));
    let (Some(route), Some(shared)) = (route, request.app_data::<Data<Shared>>()) else { return Ok(()) };
    let Some(mut purpose) = purpose(route, request.path()) else { return Ok(()) };
    let known = request.extensions().get::<Asker>().filter(|asker| asker.actor.is_some()).map(Asker::name);
    if known.is_none() && route.path == FILE {
        // Each public download is an entry of the log, and a stranger must not write it full.
        purpose = Purpose::Download;
    }
    let asker = known.unwrap_or_else(|| {
        let trusted = &shared.config.trusted_proxies;
        client::address(request.peer_addr(), request.headers(), trusted).to_string()
    });
    let taken = shared.throttle.take(purpose, &asker, shared.clock.now_ms());
    taken.map_err(|seconds| Problem::of(&codes::THROTTLED).retry_after(seconds))
}

/// What a request to the route is for; `None` for what a monitor asks.
fn purpose(route: &Route, path: &str) -> Option<Purpose> {
    match route.path {
        "/healthz" | "/readyz" | "/metrics" => None,
        path if UPLOADS.iter().any(|upload| path.starts_with(upload)) => Some(Purpose::Upload),
        "/api/v1/runs/{id}/bundle" | "/api/v1/runs/{id}/microdata" => Some(Purpose::Download),
        FILE if holds_persons(path) => Some(Purpose::Download),
        _ => Some(Purpose::Work),
    }
}

/// Parameters are not taken from the path yet; a name that is written with escapes counts as one with persons' rows.
fn holds_persons(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| file_access(name).open != Open::Results)
}
