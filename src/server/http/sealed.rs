//! What a tablet sealed to the server's key, taken in as if it had come open.

use std::time::Duration;

use actix_web::{HttpRequest, dev::Payload, http::header, web::Bytes};

use super::{
    Problem, Shared, body, codes,
    extract::{call, shared},
    json,
};
use crate::server::{Bound, Envelope, SealedError, SealingKeys};

/// The media type of an envelope.
pub(super) const MEDIA: &str = "application/vnd.scilit.sealed+json";

/// What a sealed submission's sealing is bound to, with its id, revision and digest.
const SUBMISSION: &str = "scilit-tablet-submission/1";

/// What sealed events' sealing is bound to.
const EVENTS: &str = "scilit-tablet-events/1";

/// Names and digests around the sealed bytes, which base64 makes a third longer.
const AROUND_BYTES_MAX: usize = 2048;

/// What comes besides the bytes when a body is sealed.
const TAG_BYTES: usize = 16;

/// Whether the request says that its body is sealed.
pub(super) fn is_announced(request: &HttpRequest) -> bool {
    let announced = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = announced.and_then(|text| text.split(';').next());
    media.is_some_and(|media| media.trim().eq_ignore_ascii_case(MEDIA))
}

/// Reads an envelope around so many bytes at most.
pub(super) async fn read(
    request: HttpRequest,
    payload: Payload,
    bytes_max: usize,
    time_max: Duration,
) -> Result<Envelope, Problem> {
    let bytes_max = (bytes_max + TAG_BYTES).div_ceil(3) * 4 + AROUND_BYTES_MAX;
    json::read(&body::read(request, payload, body::Limits { types: &[MEDIA], bytes_max, time_max }).await?)
}

/// The submission in an envelope. Sending one again that does not open would change nothing, so none of these
/// problems asks for it.
pub(super) fn submission(
    shared: &Shared,
    envelope: &Envelope,
    (id, rev, sha256): (&str, i32, &str),
) -> Result<Bytes, Problem> {
    let rev = rev.to_string();
    let bound = Bound { purpose: SUBMISSION, names: &[id, &rev, sha256] };
    let bytes = open(&shared.sealing, envelope, bound, shared.config.submission_bytes_max)?;
    // The envelope is bound to the digest that its maker named; whether the bytes have it is still to be seen.
    let fits = crate::evidence::sha256_hex(&bytes) == sha256;
    if fits { Ok(bytes) } else { Err(Problem::of(&codes::SEALED_DAMAGED).because("启封后的内容与摘要不符")) }
}

/// The body of a request with events, opened where a thread may wait.
pub(super) async fn events(
    request: HttpRequest,
    payload: Payload,
    bytes_max: usize,
    time_max: Duration,
) -> Result<Bytes, Problem> {
    let shared = shared(&request)?;
    let envelope = read(request, payload, bytes_max, time_max).await?;
    let bound = Bound { purpose: EVENTS, names: &[] };
    call(&shared, move |shared| Ok(open(&shared.sealing, &envelope, bound, bytes_max))).await?
}

fn open(keys: &SealingKeys, envelope: &Envelope, bound: Bound<'_>, bytes_max: usize) -> Result<Bytes, Problem> {
    let opened = keys.unseal(envelope, bound).map_err(|error| match error {
        SealedError::UnknownKey => Problem::of(&codes::SEALED_UNKNOWN_KEY),
        SealedError::Damaged => Problem::of(&codes::SEALED_DAMAGED),
    })?;
    if opened.len() > bytes_max {
        return Err(body::too_large(bytes_max));
    }
    Ok(Bytes::copy_from_slice(&opened))
}
