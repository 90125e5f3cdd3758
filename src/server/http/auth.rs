//! Who asks, and may they? One look at the table of routes before any handler runs.

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web::{self, Data},
};

use super::{
    Problem, Shared, codes,
    routes::{Asker, route_of},
};
use crate::server::{Actor, policy::Open, tokens};

pub(super) async fn authorize<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match decide(&request).await {
        Ok(asker) => {
            request.extensions_mut().insert(asker);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(problem) => Ok(request.into_response(HttpResponse::from_error(problem)).map_into_right_body()),
    }
}

async fn decide(request: &ServiceRequest) -> Result<Asker, Problem> {
    let pattern = request.match_pattern();
    let route = pattern.as_deref().and_then(|pattern| route_of(request.method(), pattern));
    // What is not in the table is a page of the front end, a document, or nothing: it reaches no data.
    let Some(route) = route else { return Ok(Asker::default()) };
    let shared = request.app_data::<Data<Shared>>().cloned().ok_or_else(|| Problem::of(&codes::INTERNAL))?;
    let actor = match route.access.open {
        Open::Public => None,
        _ => actor(request, &shared).await?,
    };
    if let Some(actor) = &actor {
        // For the log of refusals, which sees the request after it was refused here.
        request.extensions_mut().insert(actor.clone());
    }
    let asker = Asker { actor, public_results: shared.config.public_results };
    asker.may(route.access)?;
    Ok(asker)
}

/// The holder of the request's token; a token that is sent must be valid even where none is needed.
async fn actor(request: &ServiceRequest, shared: &Data<Shared>) -> Result<Option<Actor>, Problem> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else { return Ok(None) };
    let secret = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).map(str::to_owned);
    let secret = secret.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let shared = shared.clone();
    let found = web::block(move || tokens::holder(&shared.database, &secret, shared.clock.now_ms())).await??;
    found.map(Some).ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))
}
