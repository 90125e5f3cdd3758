//! What every answer carries: request id, server time, security headers, and problems in their full form.

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    rt::time::Instant,
    web::Data,
};
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::{Problem, Shared, codes, documents, unread::Unread};

/// No inline script or style, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The interactive API page's own scripts set styles inline; it stands alone under its own path.
const DOCUMENTS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A tablet page asks for the place of an interview itself; nothing else is used.
const PERMISSIONS: &str = "geolocation=(self), camera=(self), microphone=(self), payment=(), usb=()";

/// A request's head at most: fields, and bytes of its target and fields together.
const HEAD_FIELDS_MAX: usize = 64;
const HEAD_BYTES_MAX: usize = 16 * 1024;

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
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let unread = Unread::of(&mut request);
    let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let shared = request.app_data::<Data<Shared>>().cloned();
    let label = (method_label(request.method()), request.match_pattern().unwrap_or_else(|| "(none)".to_owned()));
    let began = Instant::now();
    let response = match check_head(&request) {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(problem) => request.into_response(HttpResponse::from_error(problem)),
    };
    let mut response = with_full_problem(response, &id);
    if let Some(unread) = unread {
        response = response.map_body(|_, body| unread.held_by(body));
    }
    dress(&mut response, &id, shared.as_ref().map(|shared| &***shared));
    if let Some(shared) = shared {
        shared.metrics.answered(label.0, label.1, response.status().as_u16(), began.elapsed().as_secs_f64());
    }
    Ok(response)
}

/// Whether the head is as small as an honest client's (the parser's own limits are wider and fixed), and names nothing
/// with a NUL, which no database column takes.
fn check_head(request: &ServiceRequest) -> Result<(), Problem> {
    let headers = request.headers();
    // Each line has ": " and its end beside the name and the value.
    let lines: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let target = request.head().uri.to_string().len();
    match () {
        () if headers.len() > HEAD_FIELDS_MAX || target + lines > HEAD_BYTES_MAX => {
            Err(Problem::of(&codes::HEAD_TOO_LARGE))
        }
        () if request.path().contains("%00") => Err(Problem::of(&codes::NOT_FOUND)),
        () if request.query_string().contains("%00") => {
            Err(Problem::of(&codes::BAD_REQUEST).because("查询参数含有空字符（U+0000）"))
        }
        () => Ok(()),
    }
}

/// Anybody can make methods up; a monitor's series must not grow with them.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    const NAMES: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    KNOWN.iter().position(|known| known == method).map_or("other", |at| NAMES[at])
}

/// The headers every answer carries.
fn dress(response: &mut ServiceResponse<BoxBody>, id: &str, shared: Option<&Shared>) {
    let policy = if documents::is_document(response.request().path()) { DOCUMENTS_POLICY } else { POLICY };
    let headers = response.headers_mut();
    put(headers, "x-survey-api", "1");
    put(headers, "x-request-id", id);
    put(headers, "x-server-time-ms", &shared.map(|shared| shared.clock.now_ms()).unwrap_or_default().to_string());
    put(headers, "x-content-type-options", "nosniff");
    put(headers, "x-frame-options", "DENY");
    put(headers, "referrer-policy", "no-referrer");
    put(headers, "cross-origin-opener-policy", "same-origin");
    put(headers, "cross-origin-resource-policy", "same-origin");
    put(headers, "permissions-policy", PERMISSIONS);
    // A report stands alone with a style sheet of its own, and says which.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        put(headers, "content-security-policy", policy);
    }
    if shared.is_some_and(|shared| shared.config.https) {
        put(headers, "strict-transport-security", "max-age=31536000; includeSubDomains");
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        put(headers, "cache-control", "no-store");
    }
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
