//! The front end from files inside the binary, and what stands in for it while it is not built.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
};
use rust_embed::Embed;

use super::{Problem, codes, packing, routes};

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/web/dist"]
#[allow_missing = true]
struct Files;

/// The page that says how to build the front end.
const NOT_BUILT: &str = include_str!("not_built.html");

/// Shorter addresses of the tablet app. The QR code of an enrolment names the second; what stands behind its hash sign goes
/// along with the redirection, and no server sees it.
const TO_TABLET: [&str; 2] = ["/tablet", "/enrol"];

/// Answers whatever no route answers: a file of the front end, 405 on a route's path, or 404.
pub(super) async fn page(request: HttpRequest) -> Result<HttpResponse, Problem> {
    if let Some(methods) = request.match_pattern().and_then(|pattern| routes::methods_of(&pattern)) {
        return Err(Problem::of(&codes::METHOD_NOT_ALLOWED).allow(methods));
    }
    let path = request.path();
    if path.starts_with("/api/") {
        return Err(Problem::of(&codes::NOT_FOUND));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::of(&codes::METHOD_NOT_ALLOWED).allow("GET, HEAD".to_owned()));
    }
    if TO_TABLET.contains(&path) {
        let to = (header::LOCATION, "/tablet/");
        return Ok(HttpResponse::PermanentRedirect().insert_header(to).finish());
    }
    let name = path.trim_start_matches('/');
    let name = if path.ends_with('/') { format!("{name}index.html") } else { name.to_owned() };
    match Files::get(&name) {
        Some(file) => Ok(served(&request, &name, &file)),
        None if path == "/" => Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(NOT_BUILT)),
        None => Err(Problem::of(&codes::NOT_FOUND)),
    }
}

fn served(request: &HttpRequest, name: &str, file: &rust_embed::EmbeddedFile) -> HttpResponse {
    let digest: String = file.metadata.sha256_hash().iter().map(|byte| format!("{byte:02x}")).collect();
    // The build puts a digest into the names under assets/, so such a file never changes.
    let caching = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let media = mime_guess::from_path(name).first_or_octet_stream();
    let text = media.type_() == "text" || media.subtype() == "javascript";
    let content_type = if text { format!("{media}; charset=utf-8") } else { media.to_string() };
    let mut answer = packing::tagged(request, &digest, caching, &content_type, file.data.to_vec());
    // The worker of the tablet app speaks for that app alone.
    if name == "tablet/sw.js" {
        let scope = header::HeaderValue::from_static("/tablet/");
        answer.headers_mut().insert(header::HeaderName::from_static("service-worker-allowed"), scope);
    }
    answer
}
