//! Tablets: codes by which they join, what they must know, and taking them back.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{
    Problem, Shared, codes,
    extract::{Asker, Checked, call},
    keys::{self, KeyBody, SealingKeyBody},
    problem::ProblemBody,
    responses::Page,
    sessions::address,
};
use crate::{
    evidence::sha256_hex,
    server::{AccountRefusal, Grant, enrolment},
    storage::{Device, DeviceReport},
};

/// Days a tablet keeps what the server has acknowledged.
const GRACE_DAYS: u32 = 7;

/// Submissions in one batch.
const BATCH_ITEMS_MAX: u32 = 50;

/// For whom a code is made.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeRequest {
    /// The person's id.
    #[validate(length(min = 1, max = 64))]
    user: String,
    /// What the tablet will be called.
    #[validate(length(min = 1, max = 64), custom(function = "super::surveys::is_plain"))]
    label: String,
}

/// A code that was made; its signs are shown this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CodeBody {
    id: String,
    /// Ten signs, the last one checks the others.
    code: String,
    /// The address and the code, which is all the picture holds.
    url: String,
    /// The picture of `url`.
    qr_svg: String,
    expires_at_ms: i64,
}

/// A tablet that joins.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolRequest {
    #[validate(length(min = 1, max = 32))]
    code: String,
    /// Its P-256 key as JWK or SPKI text.
    #[validate(length(min = 1, max = 1024), custom(function = "super::surveys::is_plain"))]
    device_pubkey: String,
    #[validate(length(min = 1, max = 64), custom(function = "super::surveys::is_plain"))]
    release: String,
    #[validate(length(max = 512), custom(function = "super::surveys::is_plain"))]
    ua: String,
    /// Bytes it has room for.
    storage: Option<i64>,
}

/// What a tablet gets when it joined; the token is shown this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EnrolledBody {
    device: String,
    /// What the office calls it.
    label: String,
    device_token: String,
    /// Slides on with use.
    token_ends_ms: i64,
    server_keys: Vec<KeyBody>,
    /// What the tablet seals packages to.
    sealing_key: Option<SealingKeyBody>,
    user: EnrolledUser,
    /// Codes of the surveys that are open.
    surveys: Vec<String>,
}

/// The person of a tablet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EnrolledUser {
    id: String,
    display_name: String,
    work_id: Option<String>,
}

/// What a tablet compares with what it has.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ManifestBody {
    /// The server's release.
    release: &'static str,
    /// Tablets below it start nothing new.
    min_release: Option<String>,
    /// Hashes of the questionnaires that open surveys use.
    instruments: Vec<String>,
    server_keys: Vec<KeyBody>,
    /// What the tablet seals packages to.
    sealing_key: Option<SealingKeyBody>,
    /// The telephone number for the people who are visited, as the surveyor's card shows it.
    hotline: Option<String>,
    policy: PolicyBody,
}

/// The numbers tablets go by.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PolicyBody {
    grace_days: u32,
    body_bytes_max: usize,
    batch_items_max: u32,
}

/// A tablet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DeviceBody {
    id: String,
    label: String,
    user: String,
    /// `active`, `lost` or `retired`.
    status: String,
    app_release: String,
    enrolled_at_ms: i64,
    last_seen_ms: i64,
    storage_bytes: Option<i64>,
    persisted: Option<bool>,
    clock_offset_ms: Option<i64>,
    queue_len: Option<i64>,
    oldest_unsent_ms: Option<i64>,
}

impl From<Device> for DeviceBody {
    fn from(row: Device) -> Self {
        Self {
            id: row.id,
            label: row.label,
            user: row.person_id,
            status: row.status,
            app_release: row.app_release,
            enrolled_at_ms: row.enrolled_at_ms,
            last_seen_ms: row.last_seen_ms,
            storage_bytes: row.storage_bytes,
            persisted: row.persisted,
            clock_offset_ms: row.clock_offset_ms,
            queue_len: row.queue_len,
            oldest_unsent_ms: row.oldest_unsent_ms,
        }
    }
}

/// A page of tablets in the order of their ids.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DevicesBody {
    devices: Vec<DeviceBody>,
    /// What to send as `after` for the next page; null on the last. A page may hold fewer than asked for.
    next: Option<String>,
}

/// Why a tablet is taken back.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevokeRequest {
    /// `lost` or `retired`.
    status: Gone,
}

/// How a tablet can be gone.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Gone {
    /// Nobody knows who has it.
    Lost,
    /// It came back.
    Retired,
}

/// What a tablet says of itself.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportRequest {
    storage_bytes: Option<i64>,
    persisted: Option<bool>,
    clock_offset_ms: Option<i64>,
    queue_len: Option<i64>,
    oldest_unsent_ms: Option<i64>,
}

/// Makes a one-time code for a person in the maker's region.
#[utoipa::path(
    post, path = "/api/v1/enrolment-codes", tag = "devices", request_body = CodeRequest,
    responses(
        (status = 201, description = "Made; valid for 15 minutes and one tablet.", body = CodeBody),
        (status = 403, description = "The person is outside the region.", body = ProblemBody),
        (status = 404, description = "No such active person.", body = ProblemBody),
    )
)]
pub(super) async fn make_code(
    shared: Data<Shared>,
    asker: Asker,
    body: Checked<CodeRequest>,
) -> Result<HttpResponse, Problem> {
    let actor = asker.0.actor.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let made = call(&shared, move |shared| {
        enrolment::make_code(&shared.database, (&body.0.user, &body.0.label), &actor, &shared.clock)
    })
    .await?;
    // Behind the hash sign: browsers send that part to nobody, and no log sees it.
    let url = format!("{}/tablet/#{}", shared.config.public_url, made.code);
    let qr_svg = qr(&url)?;
    let (id, expires_at_ms) = (made.kept.id, made.kept.expires_at_ms);
    Ok(HttpResponse::Created().json(CodeBody { id, code: made.code, url, qr_svg, expires_at_ms }))
}

fn qr(text: &str) -> Result<String, Problem> {
    let code = qrcode::QrCode::new(text).map_err(|error| {
        tracing::error!(%error, "an address is too long for a QR code");
        Problem::of(&codes::INTERNAL)
    })?;
    Ok(code.render::<qrcode::render::svg::Color>().min_dimensions(240, 240).build())
}

/// Lets a tablet join with a code, once.
#[utoipa::path(
    post, path = "/api/v1/enrol", tag = "devices", request_body = EnrolRequest,
    responses(
        (status = 201, description = "Joined; the token is shown this once.", body = EnrolledBody),
        (status = 403, description = "The release is too old.", body = ProblemBody),
        (status = 410, description = "The code is wrong, used, burnt or out of time.", body = ProblemBody),
        (status = 422, description = "The check sign does not fit: misread.", body = ProblemBody),
        (status = 429, description = "Too many tries from this address.", body = ProblemBody),
    )
)]
pub(super) async fn enrol(
    request: HttpRequest,
    shared: Data<Shared>,
    body: Checked<EnrolRequest>,
) -> Result<HttpResponse, Problem> {
    let address = address(&request);
    let enrolled = call(&shared, move |shared| {
        let EnrolRequest { code, device_pubkey, release, ua, storage } = body.0;
        if shared.config.min_release.as_deref().is_some_and(|least| !enrolment::is_recent(&release, least)) {
            return Err(AccountRefusal::ReleaseTooOld.into());
        }
        let (public_key, user_agent, storage_bytes) = (device_pubkey, ua, storage);
        let joining = enrolment::Joining { code, public_key, release, user_agent, storage_bytes, address };
        let joined = enrolment::join(&shared.database, joining, &shared.clock)?;
        let open = shared.database.surveys()?.into_iter().filter(|survey| survey.state == "open");
        let person = joined.person;
        Ok(EnrolledBody {
            device: joined.device.id,
            label: joined.device.label,
            device_token: joined.token,
            token_ends_ms: joined.token_ends_ms,
            server_keys: keys::all(shared),
            sealing_key: keys::sealing(shared),
            user: EnrolledUser { id: person.id, display_name: person.display_name, work_id: person.work_id },
            surveys: open.map(|survey| survey.code).collect(),
        })
    });
    Ok(HttpResponse::Created().json(enrolled.await?))
}

/// What a tablet compares with what it has; 304 when nothing changed.
#[utoipa::path(
    get, path = "/api/v1/sync/manifest", tag = "devices",
    responses((status = 200, description = "It, with an ETag.", body = ManifestBody), (status = 304, description = "Nothing changed."))
)]
pub(super) async fn manifest(request: HttpRequest, shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    let manifest = call(&shared, |shared| {
        let mut instruments = std::collections::BTreeSet::new();
        for survey in shared.database.surveys()?.into_iter().filter(|survey| survey.state == "open") {
            instruments.extend(shared.database.survey_versions(&survey.id)?);
        }
        let (grace_days, batch_items_max) = (GRACE_DAYS, BATCH_ITEMS_MAX);
        Ok(ManifestBody {
            release: env!("CARGO_PKG_VERSION"),
            min_release: shared.config.min_release.clone(),
            instruments: instruments.into_iter().collect(),
            server_keys: keys::all(shared),
            sealing_key: keys::sealing(shared),
            hotline: shared.config.hotline.clone(),
            policy: PolicyBody { grace_days, body_bytes_max: shared.config.submission_bytes_max, batch_items_max },
        })
    })
    .await?;
    let body = serde_json::to_string(&manifest).map_err(|_| Problem::of(&codes::INTERNAL))?;
    let tag = format!("\"{}\"", sha256_hex(body.as_bytes()));
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((header::ETAG, tag));
    if known {
        return Ok(answer.finish());
    }
    Ok(answer.content_type("application/json").body(body))
}

/// Lists tablets within the asker's reach.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", params(Page), responses((status = 200, description = "A page.", body = DevicesBody)))]
pub(super) async fn list(shared: Data<Shared>, asker: Asker, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let rows_max = page.rows()?;
    let grant = asker.0.grant();
    let actor = asker.0.actor.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let (devices, next) = call(&shared, move |shared| {
        let rows = shared.database.devices(page.after(), rows_max)?;
        let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == rows_max);
        let next = rows.last().filter(|_| is_full).map(|row| row.id.clone());
        let mut visible = Vec::new();
        for row in rows {
            let scope = actor.scope.as_deref();
            let sees = match grant {
                Grant::All => true,
                Grant::Region if scope.is_none() => true,
                Grant::Region => enrolment::is_within(&shared.database, &row.person_id, scope, shared.clock.now_ms())?,
                _ => Some(&row.person_id) == actor.user.as_ref(),
            };
            visible.extend(sees.then(|| DeviceBody::from(row)));
        }
        Ok((visible, next))
    })
    .await?;
    Ok(HttpResponse::Ok().json(DevicesBody { devices, next }))
}

/// Takes a tablet back, with effect on its next request.
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/revoke", tag = "devices", request_body = RevokeRequest,
    params(("id" = String, Path, description = "The tablet.")),
    responses(
        (status = 204, description = "It may only hand in what it has."),
        (status = 403, description = "Outside the region.", body = ProblemBody),
        (status = 404, description = "No such tablet.", body = ProblemBody),
    )
)]
pub(super) async fn revoke(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<RevokeRequest>,
) -> Result<HttpResponse, Problem> {
    let actor = asker.0.actor.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let status = match body.0.status {
        Gone::Lost => "lost",
        Gone::Retired => "retired",
    };
    call(&shared, move |shared| enrolment::revoke(&shared.database, &id, status, &actor, &shared.clock)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Keeps what the asking tablet says of itself.
#[utoipa::path(
    put, path = "/api/v1/devices/self", tag = "devices", request_body = ReportRequest,
    responses((status = 204, description = "Kept."), (status = 409, description = "Only a tablet reports.", body = ProblemBody))
)]
pub(super) async fn report(
    shared: Data<Shared>,
    asker: Asker,
    body: Checked<ReportRequest>,
) -> Result<HttpResponse, Problem> {
    let by = asker.0.author();
    let id = asker.0.actor.and_then(|actor| actor.device).ok_or_else(|| Problem::of(&codes::WRONG_CREDENTIAL))?;
    let ReportRequest { storage_bytes, persisted, clock_offset_ms, queue_len, oldest_unsent_ms } = body.0;
    let report = DeviceReport { storage_bytes, persisted, clock_offset_ms, queue_len, oldest_unsent_ms };
    call(&shared, move |shared| Ok(shared.database.report_device(&id, &report, &by, shared.clock.now_ms())?)).await?;
    Ok(HttpResponse::NoContent().finish())
}
