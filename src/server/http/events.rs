//! What tablets tell of their work, and the contact attempts of a case.

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{
    Problem, Shared, body, codes,
    extract::{Asker, Soon, call, checked, shared},
    problem::ProblemBody,
    sealed,
};
use crate::{
    instrument::Disposition,
    server::{Envelope, EventsTaken, Fault, Role, may_see_case, take_events, vault::Vault},
    storage::{ContactAttempt, EventsKept},
};

const EVENTS_BYTES_MAX: usize = 256 * 1024;
const EVENTS_MAX: u64 = 500;

/// Events of one tablet.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsRequest {
    /// Objects with `seq` from 1, `kind` (`paradata` or `contact_attempt`) and whatever belongs to it.
    #[validate(length(min = 1, max = "EVENTS_MAX"))]
    #[schema(min_items = 1, max_items = 500, value_type = Vec<Object>)]
    events: Vec<serde_json::Value>,
}

impl FromRequest for EventsRequest {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let time_max = shared(&request)?.config.body_time_max;
            if sealed::is_announced(&request) {
                return checked(&sealed::events(request, payload, EVENTS_BYTES_MAX, time_max).await?);
            }
            let types = &["application/json", sealed::MEDIA];
            let limits = body::Limits { types, bytes_max: EVENTS_BYTES_MAX, time_max };
            checked(&body::read(request, payload, limits).await?)
        })
    }
}

/// Where the tablet stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EventsBody {
    /// Everything up to this number is kept; the tablet may forget it.
    accepted_through: i64,
    /// Numbers missing behind it: first and last of each gap.
    #[schema(value_type = Vec<Vec<i64>>)]
    gaps: Vec<(i64, i64)>,
    /// Numbers under which something else had come before; the first is kept.
    conflicts: Vec<i64>,
    /// Attempts that were kept as events only, with what is wrong with them.
    notices: Vec<Fault>,
}

/// A try to reach a household.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AttemptBody {
    id: String,
    /// Code of the AAPOR's Standard Definitions.
    outcome: String,
    /// The outcome in Chinese.
    outcome_zh: &'static str,
    /// The outcome in English.
    outcome_en: &'static str,
    /// `visit` or `phone`.
    mode: String,
    /// By the tablet's clock.
    at_ms: i64,
    /// Whose tablet.
    user: String,
    received_at_ms: i64,
}

impl From<ContactAttempt> for AttemptBody {
    fn from(row: ContactAttempt) -> Self {
        let ContactAttempt { id, outcome, mode, at_ms, person_id: user, received_at_ms, .. } = row;
        let known = Disposition::with_code(&outcome);
        let (outcome_zh, outcome_en) = known.map_or(("–", "–"), |known| (known.zh, known.en));
        Self { id, outcome, outcome_zh, outcome_en, mode, at_ms, user, received_at_ms }
    }
}

/// The attempts of a case in the order of their times.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AttemptsBody {
    attempts: Vec<AttemptBody>,
}

/// Keeps what the asking tablet tells, each number once.
#[utoipa::path(
    post, path = "/api/v1/events:batch", tag = "sync",
    request_body(
        content((EventsRequest = "application/json"), (Envelope = "application/vnd.scilit.sealed+json")),
        description = "Up to 500 events in 256 KiB. Or the same, sealed to the server's key.",
    ),
    responses(
        (status = 200, description = "Where the tablet stands.", body = EventsBody),
        (status = 409, description = "Only a tablet tells.", body = ProblemBody),
        (status = 413, description = "More bytes than allowed.", body = ProblemBody),
        (status = 422, description = "An event without a sound number or kind; nothing is kept.", body = ProblemBody),
    )
)]
pub(super) async fn batch(shared: Data<Shared>, asker: Asker, request: EventsRequest) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    let of = asker.0.actor.and_then(|actor| actor.device.zip(actor.user));
    let (device, person) = of.ok_or_else(|| Problem::of(&codes::WRONG_CREDENTIAL))?;
    let work = move |shared: &Shared| {
        let vault = Vault { database: &shared.database, key_dir: &shared.config.key_dir };
        take_events(vault, (&device, &person), request.events, &by, shared.clock.now_ms())
    };
    let EventsTaken { kept, notices } = call(&shared, work).await?;
    let EventsKept { through: accepted_through, gaps, conflicts } = kept;
    Ok(HttpResponse::Ok().json(EventsBody { accepted_through, gaps, conflicts, notices }))
}

/// Lists the contact attempts of a case.
#[utoipa::path(
    get, path = "/api/v1/cases/{survey}/{case}/attempts", tag = "assignments",
    params(("survey" = String, Path, description = "The survey."), ("case" = String, Path, description = "The case.")),
    responses((status = 200, description = "They.", body = AttemptsBody), (status = 404, description = "No such case within reach.", body = ProblemBody))
)]
pub(super) async fn attempts(
    shared: Data<Shared>,
    asker: Asker,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (survey, case) = path.into_inner();
    if [&survey, &case].iter().any(|text| text.contains('\0')) {
        return Err(Problem::of(&codes::NOT_FOUND));
    }
    let actor = asker.0.actor.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let everywhere = actor.role == Role::Auditor;
    let found = call(&shared, move |shared| {
        if !everywhere && !may_see_case(&shared.database, &actor, &survey, &case)? {
            return Ok(None);
        }
        Ok(Some(shared.database.contact_attempts(&survey, &case)?))
    });
    let rows = found.await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    Ok(HttpResponse::Ok().json(AttemptsBody { attempts: rows.into_iter().map(AttemptBody::from).collect() }))
}
