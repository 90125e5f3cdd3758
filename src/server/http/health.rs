//! Is the server up, and can it work?

use actix_web::{HttpResponse, web::Data};

use super::{Problem, Shared, codes, extract::call};

/// Whether the process answers; touches nothing.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It does.", body = String)))]
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// Whether the database answers and its audit log is whole, so that a load balancer may send requests here.
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, description = "It does.", body = String)))]
pub(super) async fn readyz(shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    call(&shared, |shared| Ok(shared.database.ping()?)).await?;
    if let Some(fault) = shared.notary.fault() {
        return Err(Problem::of(&codes::AUDIT_BROKEN).because(fault.zh()));
    }
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
}
