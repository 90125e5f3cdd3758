//! What every answer carries: request id, server time, security headers, and problems in their full form.

use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::{Problem, Shared, documents};

/// No inline script or style, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The interactive API page's own scripts set styles inline; it stands alone under its own path.
const DOCUMENTS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One span a request: route, method, status and id, and never a body, a query or a token.
pub(super) struct Spans;

impl RootSpanBuilder for Spans {
    fn on_request_start(request: &ServiceRequest) -> tracing::Span {
        let route = request.match_pattern().unwrap_or_else(|| "(none)".to_owned());
        let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
        tracing::info_span!("request", method = %request.method(), route, request_id = id, status = tracing::field::Empty)
    }

    fn on_request_end<B: MessageBody>(span: tracing::Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
    }
}

pub(super) async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let now_ms = request.app_data::<Data<Shared>>().map(|shared| shared.clock.now_ms()).unwrap_or_default();
    let response = next.call(request).await?.map_into_boxed_body();
    let mut response = with_full_problem(response, &id);
    let policy = if documents::is_document(response.request().path()) { DOCUMENTS_POLICY } else { POLICY };
    let headers = response.headers_mut();
    put(headers, "x-survey-api", "1");
    put(headers, "x-request-id", &id);
    put(headers, "x-server-time-ms", &now_ms.to_string());
    put(headers, "x-content-type-options", "nosniff");
    put(headers, "x-frame-options", "DENY");
    put(headers, "referrer-policy", "no-referrer");
    put(headers, "cross-origin-opener-policy", "same-origin");
    put(headers, "cross-origin-resource-policy", "same-origin");
    put(headers, "content-security-policy", policy);
    if !headers.contains_key(header::CACHE_CONTROL) {
        put(headers, "cache-control", "no-store");
    }
    Ok(response)
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Replaces the body of an error by the problem with this request's id and address.
fn with_full_problem(response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let ours = response.response().error().and_then(|error| error.as_error::<Problem>());
    let problem = ours.cloned().unwrap_or_else(|| Problem::for_status(status));
    let body = problem.body(response.request().path(), id);
    let mut response = response.map_body(|_, _| BoxBody::new(body));
    put(response.headers_mut(), "content-type", "application/problem+json");
    response
}
