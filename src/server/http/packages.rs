//! Taking in what a tablet carried away as a file.

use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, dev::Payload, http::StatusCode, web::Data};
use serde::Deserialize;
use tracing_actix_web::RequestId;
use validator::Validate;

use super::{
    Problem, Shared, body, codes,
    extract::{Asker, Permit, Soon, call, checked, shared},
    problem::ProblemBody,
    submissions::Sender,
    sync::{BatchAnswer, Lines, numbered, read_all, results_of},
};
use crate::server::{Envelope, packages};

/// Records of one package at most.
const RECORDS_MAX: usize = 1000;

/// How many records are handed to the writer at once, as many as in a batch.
const AT_ONCE: usize = 50;

/// A tablet's package; only the office's part of it is read.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PackageRequest {
    /// `scilit-tablet-package/3`, or `/2` of an earlier program.
    #[validate(length(max = 64))]
    format: String,
    /// When it was made.
    #[serde(rename = "made_at")]
    _made_at: String,
    /// The tablet.
    device: String,
    /// The id of the server's key that the finished records are sealed to, by HPKE in base mode: DHKEM(P-256, HKDF-SHA256),
    /// HKDF-SHA256, AES-256-GCM.
    office_key: String,
    /// The encapsulated key, base64.
    office_enc: String,
    /// The sealed records, base64.
    office_data: String,
    /// What opens the rest by the tablet's PIN; not looked at here.
    #[serde(default, rename = "salt")]
    _salt: String,
    #[serde(default, rename = "iterations")]
    _iterations: u32,
    #[serde(default, rename = "wrapped")]
    _wrapped: String,
    #[serde(default, rename = "iv")]
    _iv: String,
    #[serde(default, rename = "data")]
    _data: String,
}

/// A package with its place in memory.
#[derive(Debug)]
pub(super) struct Package {
    request: PackageRequest,
    _permit: Permit,
}

impl FromRequest for Package {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let shared = shared(&request)?;
            let permit = shared.imports.wait().await.ok_or_else(|| Problem::of(&codes::OVERLOADED))?;
            let (bytes_max, time_max) = (shared.config.import_bytes_max, shared.config.body_time_max);
            let limits = body::Limits { types: &["application/json"], bytes_max, time_max };
            let request: PackageRequest = checked(&body::read(request, payload, limits).await?)?;
            match packages::FORMATS.contains(&request.format.as_str()) {
                true => Ok(Self { request, _permit: permit }),
                false => Err(Problem::of(&codes::INVALID).because("不是本系统的数据包，或版本不符")),
            }
        })
    }
}

/// Takes in the finished records of a tablet's package. They come late: each waits in quarantine until it is accepted.
#[utoipa::path(
    post, path = "/api/v1/packages", tag = "submissions", request_body = PackageRequest,
    responses(
        (status = 207, description = "One result for each record, in order.", body = BatchAnswer),
        (status = 403, description = "The tablet is another region's.", body = ProblemBody),
        (status = 404, description = "No such tablet.", body = ProblemBody),
        (status = 422, description = "No package, damaged, or sealed to another server's key.", body = ProblemBody),
    )
)]
pub(super) async fn take(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    package: Package,
) -> Result<HttpResponse, Problem> {
    let request_id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let actor = asker.0.actor.ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    let Package { request: file, _permit } = package;
    let read = call(&shared, move |shared| {
        let PackageRequest { format, device: tablet, office_key: key, office_enc: enc, office_data: data, .. } = file;
        let sealed = (&Envelope { tablet, key, enc, data }, format.as_str());
        let opened = packages::open(&shared.database, &shared.sealing, sealed, &actor, &shared.clock)?;
        let lines = numbered(&opened.lines);
        let sender = Sender { by: opened.owner, revoked: true };
        Ok((lines.len() <= RECORDS_MAX).then(|| read_all(shared, &sender, &Lines(lines))))
    });
    let too_many = || Problem::of(&codes::TOO_LARGE).because(format!("一个数据包最多 {RECORDS_MAX} 份"));
    let read = read.await?.ok_or_else(too_many)?;
    let results = results_of(&shared, read, AT_ONCE, &request_id).await?;
    Ok(HttpResponse::build(StatusCode::MULTI_STATUS).json(BatchAnswer { results }))
}
