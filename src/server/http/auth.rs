//! Who asks, and may they? One look at the table of routes before any handler runs.

use std::time::Duration;

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{EitherBody, MessageBody},
    cookie::{Cookie, SameSite},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::Next,
    rt::time::timeout,
    web::{self, Data},
};

use super::{
    Problem, Shared, codes,
    routes::{Asker, route_of},
};
use crate::server::{
    Credential, Known,
    enrolment::is_recent,
    identity,
    policy::{Access, Open},
};

/// The wait for the look at who asks.
const LOOK_WAIT_MAX: Duration = Duration::from_millis(2500);

pub(super) async fn authorize<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match decide(&request).await {
        Ok(asker) => {
            request.extensions_mut().insert(asker);
            Ok(next.call(request).await?.map_into_left_body())
        }
        // Not by `into_response`, which forgets the problem and would leave only its status.
        Err(problem) => {
            let (request, _) = request.into_parts();
            Ok(ServiceResponse::new(request, HttpResponse::from_error(problem)).map_into_right_body())
        }
    }
}

async fn decide(request: &ServiceRequest) -> Result<Asker, Problem> {
    let pattern = request.match_pattern();
    let route = pattern.as_deref().and_then(|pattern| route_of(request.method(), pattern));
    // What is not in the table is a page of the front end, a document, or nothing: it reaches no data.
    let Some(route) = route else { return Ok(Asker::default()) };
    let shared = request.app_data::<Data<Shared>>().cloned().ok_or_else(|| Problem::of(&codes::INTERNAL))?;
    let access = route.access;
    let known = match access.open {
        Open::Public => {
            same_site_or_no_browser(request)?;
            None
        }
        _ => known(request, &shared).await?,
    };
    let actor = known.as_ref().and_then(|known| known.actor(access));
    let asker = Asker { actor, known, access: Some(access), public_results: shared.config.public_results };
    if let Some(actor) = &asker.actor {
        // For the log of refusals, which sees the request after it was refused here.
        request.extensions_mut().insert(actor.clone());
    }
    let_in(request, &asker, access, &shared)?;
    Ok(asker)
}

fn let_in(request: &ServiceRequest, asker: &Asker, access: Access, shared: &Shared) -> Result<(), Problem> {
    if let Some(known) = &asker.known {
        check_standing(known, access.open, shared.config.min_release.as_deref())?;
        check_cross_site(request, known)?;
    }
    asker.may(access)
}

/// The holder of what the request shows; what is shown must be valid even where nothing is needed.
async fn known(request: &ServiceRequest, shared: &Data<Shared>) -> Result<Option<Known>, Problem> {
    let Some(credential) = credential(request, shared)? else { return Ok(None) };
    let shared = shared.clone();
    let work = move || identity::known(&shared.database, &credential, shared.clock.now_ms());
    // A database that hangs does not refuse; who asks must hear of it all the same while they still listen.
    let found = timeout(LOOK_WAIT_MAX, web::block(work)).await.map_err(|_| Problem::of(&codes::OVERLOADED))???;
    found.map(Some).ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))
}

/// The bearer token if one is shown, else the session's cookie.
fn credential(request: &ServiceRequest, shared: &Shared) -> Result<Option<Credential>, Problem> {
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let secret = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).map(str::to_owned);
        let release = request.headers().get("x-client-release").and_then(|value| value.to_str().ok());
        let release = release.filter(|text| text.len() <= 64).map(str::to_owned);
        let credential = secret.map(|secret| Some(Credential::Bearer(secret, release)));
        return credential.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED));
    }
    let cookie = request.cookie(cookie_name(shared));
    Ok(cookie.map(|cookie| Credential::Session(cookie.value().to_owned())))
}

/// A revoked tablet may hand in what it has and nothing else; one with an old release starts nothing new.
fn check_standing(known: &Known, open: Open, least: Option<&str>) -> Result<(), Problem> {
    if known.revoked && open != Open::Late {
        return Err(Problem::of(&codes::DEVICE_REVOKED));
    }
    let release = known.release.as_deref().filter(|_| open == Open::Current);
    match (release, least) {
        (Some(release), Some(least)) if !is_recent(release, least) => Err(Problem::of(&codes::CLIENT_TOO_OLD)),
        _ => Ok(()),
    }
}

/// A browser sends a session's cookie by itself, so a change must come from our own page and repeat the session's token.
fn check_cross_site(request: &ServiceRequest, known: &Known) -> Result<(), Problem> {
    let Some((_, csrf, _)) = &known.session else { return Ok(()) };
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    let sent = request.headers().get("x-csrf-token").map(header::HeaderValue::as_bytes);
    let from_us = origin(request) == Some(true);
    // Compared by digest, so that the time tells nothing of the token.
    let same =
        sent.is_some_and(|sent| crate::evidence::sha256_hex(sent) == crate::evidence::sha256_hex(csrf.as_bytes()));
    if from_us && same { Ok(()) } else { Err(Problem::of(&codes::FORBIDDEN_ORIGIN)) }
}

/// Nobody signs a browser in from another site; programs that name no origin may ask.
fn same_site_or_no_browser(request: &ServiceRequest) -> Result<(), Problem> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || origin(request) != Some(false) { Ok(()) } else { Err(Problem::of(&codes::FORBIDDEN_ORIGIN)) }
}

/// Whether the request comes from a page of this server, if its browser says so.
fn origin(request: &ServiceRequest) -> Option<bool> {
    let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return Some(site == "same-origin");
    }
    let origin = text("origin")?;
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    Some(authority.is_some_and(|authority| text("host") == Some(authority)))
}

/// The cookie's name; `__Host-` makes the browser insist on HTTPS, this very host, and the path `/`.
fn cookie_name(shared: &Shared) -> &'static str {
    if shared.config.allow_plain_cookie { "scilit" } else { "__Host-scilit" }
}

/// The cookie of a session, or with an empty token the one that removes it.
pub(super) fn cookie(shared: &Shared, token: &str) -> Cookie<'static> {
    let cookie = Cookie::build(cookie_name(shared), token.to_owned()).path("/").http_only(true);
    let mut cookie = cookie.same_site(SameSite::Strict).secure(!shared.config.allow_plain_cookie).finish();
    if token.is_empty() {
        cookie.make_removal();
    }
    cookie
}
