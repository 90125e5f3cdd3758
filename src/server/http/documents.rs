//! The interactive page over the API's description, from files inside the binary.

use actix_web::{HttpResponse, web, web::ServiceConfig};
use utoipa_swagger_ui::{Config, SwaggerUi};

const ROOT: &str = "/api/docs/";

pub(super) fn register(config: &mut ServiceConfig) {
    let page = SwaggerUi::new("/api/docs/{_:.*}").config(Config::from("/api/v1/openapi.json").validator_url("none"));
    config.service(page);
    config.route(
        "/api/docs",
        web::get().to(|| async { HttpResponse::SeeOther().insert_header(("location", ROOT)).finish() }),
    );
}

/// Whether the path lies under the interactive page.
pub(super) fn is_document(path: &str) -> bool {
    path.starts_with(ROOT)
}
