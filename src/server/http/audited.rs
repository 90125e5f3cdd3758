//! What the audit log says about requests besides the changes they make: refusals, failures, downloads.
//!
//! A change is logged by the transaction that makes it. A request that wanted to change something and did not is
//! logged here, after its answer is known, so that one request is one entry either way.

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::{self, Data},
};
use serde_json::json;

use super::{Problem, Shared, routes::Asker};
use crate::{
    server::{Actor, Refusal},
    storage::{Act, Outcome},
};

/// Logs a request of a known person, device or program that changed nothing although it was to, or was forbidden.
pub(super) async fn log_refusals<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let response = next.call(request).await?;
    let Some((act, shared)) = refusal(&response) else { return Ok(response.map_into_left_body()) };
    let logged = web::block(move || shared.database.log(&[act])).await;
    let was_failure = response.status().is_server_error();
    match logged.map_err(Problem::from).and_then(|logged| logged.map_err(Problem::from)) {
        // A failure is told as it was; that it could not be logged either adds nothing.
        Err(problem) if !was_failure => {
            Ok(response.into_response(HttpResponse::from_error(problem)).map_into_right_body())
        }
        _ => Ok(response.map_into_left_body()),
    }
}

fn refusal<B>(response: &ServiceResponse<B>) -> Option<(Act, Data<Shared>)> {
    let (request, status) = (response.request(), response.status());
    let wants_change = !request.method().is_safe();
    let is_refused = status.as_u16() == 403 || (wants_change && (status.is_client_error() || status.is_server_error()));
    // Throttled requests would let one client write the log full; they are counted, not logged one by one.
    if !is_refused || status.as_u16() == 429 {
        return None;
    }
    let actor = request.extensions().get::<Actor>().cloned()?;
    let shared = request.app_data::<Data<Shared>>().cloned()?;
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    if problem.is_some_and(Problem::kept_bytes) {
        // Kept all the same, with an entry of its own.
        return None;
    }
    let code = problem.map(Problem::code);
    if problem.is_some_and(Problem::is_for_everyone) {
        // The database takes nothing now: waiting for it once more would only keep the client waiting.
        return None;
    }
    let route = request.match_pattern().unwrap_or_else(|| "(none)".to_owned());
    // The path as it was sent goes where it can be erased: whoever asks can write a name into it.
    let path: String = request.path().chars().take(200).collect();
    let detail = json!({ "path": path, "status": status.as_u16(), "code": code });
    let outcome = if status.is_server_error() { Outcome::Failed } else { Outcome::Refused };
    let object = format!("route/{} {route}", request.method());
    let act = Act::done(&actor.author(), shared.clock.now_ms(), "request.attempt", object, detail);
    Some((act.ended(outcome), shared))
}

/// Logs that somebody sees a record. What is published for everybody is not logged when nobody in particular reads it.
pub(super) fn log_reading(
    shared: &Shared,
    asker: &Asker,
    action: &'static str,
    object: String,
    detail: serde_json::Value,
) -> Result<(), Refusal> {
    if asker.actor.is_none() {
        return Ok(());
    }
    shared.database.log(&[Act::done(&asker.author(), shared.clock.now_ms(), action, object, detail)])?;
    Ok(())
}

/// Logs that bytes which were made for this request are about to leave; when that cannot be logged they must not.
pub(super) fn intend_download(shared: &Shared, asker: &Asker, object: String, sha256: &str) -> Result<(), Refusal> {
    log_reading(shared, asker, "download.intent", object, json!({ "sha256": sha256 }))
}
