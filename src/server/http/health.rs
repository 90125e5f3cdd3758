//! Is the server up, and can it work?

use actix_web::{HttpResponse, web::Data};

use super::{Problem, Shared, codes, extract::call, problem::ProblemBody};
use crate::server::look;

/// Whether the process answers; touches nothing.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It does.", body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// Whether the server can keep its promises, so that a load balancer may send requests here.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "It can.", body = String, content_type = "text/plain"),
        (status = 503, description = "The database, the audit log or the disk is not as it must be.", body = ProblemBody),
    )
)]
pub(super) async fn readyz(shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    let health = call(&shared, |shared| look(&shared.database, &shared.config, &shared.clock)).await?;
    if let Some(fault) = shared.notary.fault() {
        return Err(Problem::of(&codes::AUDIT_BROKEN).because(fault.zh()));
    }
    match health.is_good() {
        true => Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n")),
        false => Err(Problem::of(&codes::NOT_READY).because(health.complaints())),
    }
}

/// Counts, times and gauges in the text form of Prometheus; no label names a person, a case or a place.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, description = "The numbers.", body = String, content_type = "text/plain")))]
pub(super) async fn metrics(shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    // A database that is away is itself a number.
    let health = call(&shared, |shared| Ok(look(&shared.database, &shared.config, &shared.clock).ok())).await?;
    let text = shared.metrics.render(health.as_ref());
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
