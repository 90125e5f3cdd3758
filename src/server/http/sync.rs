//! What a tablet does when it meets the network again: send many submissions at once, ask what the server keeps, set
//! its clock beside the server's.

use std::collections::BTreeMap;

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse,
    dev::Payload,
    http::StatusCode,
    web::{Bytes, Data},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tracing_actix_web::RequestId;
use validator::Validate;

use super::{
    Problem, Shared, body, codes,
    extract::{Asker, Soon, call, checked, shared},
    problem::ProblemBody,
    sealed,
    submissions::{Named, Sender, answer, arriving, device_id, finished, not_a_revision},
};
use crate::{
    evidence::is_sha256_hex,
    server::{Arriving, Envelope, Fault, Text},
    storage::KeptDigest,
};

const BATCH_LINES_MAX: usize = 50;
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
const HAVE_BYTES_MAX: usize = 256 * 1024;

/// One line of a batch.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchLine {
    /// UUIDv7 the device made when the interview began.
    id: String,
    /// Revision, from 1.
    rev: i32,
    /// SHA-256 of the bytes that `body` spells, 64 lower-case hex digits.
    sha256: String,
    /// The submission's exact bytes, which must be UTF-8, as a JSON string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// In its place: the same bytes, sealed to the server's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Envelope>,
}

/// The answer to a batch: one result for each line, in the order of the lines.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BatchAnswer {
    pub(super) results: Vec<BatchResult>,
}

/// What a PUT of this line alone would have been answered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BatchResult {
    /// The line, from 1.
    line: usize,
    /// The id; null when the line is no sound item.
    id: Option<String>,
    /// The revision; null when the line is no sound item.
    rev: Option<i32>,
    /// 201, 200 or 202 with an `answer`; anything else with a `problem`.
    status: u16,
    /// The receipt with state and notices; the bytes are kept.
    #[schema(value_type = Option<super::submissions::SubmissionBody>)]
    answer: Option<Box<RawValue>>,
    /// Why not, or the conflict with its receipt.
    #[schema(value_type = Option<Object>)]
    problem: Option<Box<RawValue>>,
}

/// A batch's lines with their numbers, blank ones left out.
#[derive(Debug)]
pub(super) struct Lines(pub(super) Vec<(usize, Vec<u8>)>);

impl FromRequest for Lines {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let time_max = shared(&request)?.config.body_time_max;
            let limits = body::Limits { types: &["application/x-ndjson"], bytes_max: BATCH_BYTES_MAX, time_max };
            lines(&body::read(request, payload, limits).await?)
        })
    }
}

/// The lines that have something in them, with their numbers.
pub(super) fn numbered(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let filled = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    filled.map(|(index, line)| (index + 1, line.to_vec())).collect()
}

fn lines(bytes: &[u8]) -> Result<Lines, Problem> {
    let lines = numbered(bytes);
    match lines.len() {
        0 => Err(Problem::of(&codes::MALFORMED).because("一行也没有")),
        1..=BATCH_LINES_MAX => Ok(Lines(lines)),
        _ => Err(Problem::of(&codes::TOO_LARGE).because(format!("一次最多 {BATCH_LINES_MAX} 行"))),
    }
}

/// Stores up to 50 submissions, each for itself: no line fails because another does.
#[utoipa::path(
    post, path = "/api/v1/submissions:batch", tag = "submissions",
    request_body(content = String, content_type = "application/x-ndjson", description = "Up to 50 lines in up to 4 MiB, each a JSON object with id, rev, sha256 and body or sealed. Bytes that are not UTF-8 need PUT."),
    responses(
        (status = 207, description = "One result for each line, in order.", body = BatchAnswer),
        (status = 400, description = "No line at all, or not all of it came; nothing is stored.", body = ProblemBody),
        (status = 413, description = "More lines or bytes than allowed; nothing is stored.", body = ProblemBody),
        (status = 415, description = "Not NDJSON, or compressed; nothing is stored.", body = ProblemBody),
    )
)]
pub(super) async fn batch(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    lines: Lines,
) -> Result<HttpResponse, Problem> {
    let request_id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let read = call(&shared, move |shared| Ok(read_all(shared, &Sender::of(&asker), &lines))).await?;
    let results = results_of(&shared, read, BATCH_LINES_MAX, &request_id).await?;
    Ok(HttpResponse::build(StatusCode::MULTI_STATUS).json(BatchAnswer { results }))
}

/// Hands what was read to the writer, so many at once; one result for each line, in order.
pub(super) async fn results_of(
    shared: &Data<Shared>,
    read: Vec<ReadLine>,
    at_once: usize,
    request_id: &str,
) -> Result<Vec<BatchResult>, Problem> {
    let mut sent = Vec::new();
    let mut heads = Vec::new();
    for (number, head, arriving) in read {
        let refused = arriving.map(|arriving| sent.push(arriving)).err();
        heads.push((number, head, refused));
    }
    let mut kept = Vec::new();
    for some in sent.chunks(at_once) {
        kept.extend(finished(shared, some.to_vec()).await?);
    }
    let mut kept = kept.into_iter();
    let results = heads.into_iter().map(|(number, head, refused)| {
        let received = match refused {
            Some(problem) => Err(problem),
            None => kept.next().unwrap_or_else(|| Err(Problem::of(&codes::INTERNAL))),
        };
        result(number, head, received.and_then(|received| answer(&received)), request_id)
    });
    Ok(results.collect())
}

/// A line's number, its id and revision when it is a sound item, and its bytes or why not.
pub(super) type ReadLine = (usize, Option<(String, i32)>, Result<Arriving, Problem>);

pub(super) fn read_all(shared: &Shared, sender: &Sender, lines: &Lines) -> Vec<ReadLine> {
    let read = |(number, bytes): &(usize, Vec<u8>)| match read_line(bytes) {
        Err(problem) => (*number, None, Err(problem)),
        Ok(line) => {
            let named = Named { id: &line.id, rev: line.rev, sha256: &line.sha256 };
            let arriving = bytes_of(shared, &line).and_then(|bytes| arriving(shared, sender, named, bytes));
            (*number, Some((line.id, line.rev)), arriving)
        }
    };
    lines.0.iter().map(read).collect()
}

/// The submission's bytes that a line spells, or holds sealed.
fn bytes_of(shared: &Shared, line: &BatchLine) -> Result<Bytes, Problem> {
    let bytes_max = shared.config.submission_bytes_max;
    match (&line.body, &line.sealed) {
        (Some(body), None) if body.len() > bytes_max => Err(body::too_large(bytes_max)),
        (Some(body), None) => Ok(Bytes::copy_from_slice(body.as_bytes())),
        (None, Some(envelope)) => sealed::submission(shared, envelope, (&line.id, line.rev, &line.sha256)),
        _ => Err(Problem::of(&codes::MALFORMED).because("应有 body 或 sealed，且只有其一")),
    }
}

fn read_line(bytes: &[u8]) -> Result<BatchLine, Problem> {
    let line: BatchLine = checked(bytes)?;
    let id = device_id(&line.id)?;
    if line.rev < 1 {
        return Err(not_a_revision());
    }
    if !is_sha256_hex(&line.sha256) {
        return Err(Problem::of(&codes::DIGEST_MISMATCH));
    }
    Ok(BatchLine { id, ..line })
}

fn result(
    number: usize,
    head: Option<(String, i32)>,
    outcome: Result<(StatusCode, String), Problem>,
    request_id: &str,
) -> BatchResult {
    let (id, rev) = head.unzip();
    let (status, answer, problem) = match outcome {
        Ok((status, answer)) => (status, RawValue::from_string(answer).ok(), None),
        Err(problem) => {
            let instance = match (&id, rev) {
                (Some(id), Some(rev)) => format!("/api/v1/submissions/{id}/revs/{rev}"),
                _ => "/api/v1/submissions:batch".to_owned(),
            };
            (problem.status(), None, RawValue::from_string(problem.body(&instance, request_id)).ok())
        }
    };
    BatchResult { line: number, id, rev, status: status.as_u16(), answer, problem }
}

/// What a device has.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HaveRequest {
    /// Up to 1,000 items.
    have: Vec<Have>,
}

/// One revision a device has.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Have {
    /// The submission.
    id: String,
    /// Its revision.
    rev: i32,
    /// SHA-256 of its bytes, 64 lower-case hex digits.
    sha256: String,
    /// The device's own word for where it stands: given back, and of no influence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

/// The answer, one for each item and in the same order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReconcileAnswer {
    items: Vec<Reconciled>,
}

/// Whether the server keeps these bytes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Reconciled {
    #[serde(flatten)]
    have: Have,
    /// `known`: these very bytes are kept; `unknown`: nothing is, send them; `different`: only other bytes are, send
    /// these too.
    answer: &'static str,
    /// The receipt of known bytes, byte for byte as it was first given.
    #[schema(value_type = Option<super::submissions::ReceiptBody>)]
    receipt: Option<Box<RawValue>>,
}

impl FromRequest for HaveRequest {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let time_max = shared(&request)?.config.body_time_max;
            let limits = body::Limits { types: &["application/json"], bytes_max: HAVE_BYTES_MAX, time_max };
            sound(checked(&body::read(request, payload, limits).await?)?)
        })
    }
}

/// Only what could have been kept can be asked after: a mistyped digest must not be answered with `different`.
fn sound(request: HaveRequest) -> Result<HaveRequest, Problem> {
    let mut faults = Vec::new();
    let mut fault = |index: usize, field: &str, zh: &str, en: &str| {
        faults.push(Fault::new(field, Text::new(zh, en)).at(&format!("/have/{index}/{field}")));
    };
    for (index, item) in request.have.iter().enumerate() {
        if device_id(&item.id).is_err() {
            fault(index, "id", "编号不是 UUIDv7", "the id is no UUIDv7");
        }
        if item.rev < 1 {
            fault(index, "rev", "版本号应为从1开始的整数", "the revision is a whole number from 1");
        }
        if !is_sha256_hex(&item.sha256) {
            fault(index, "sha256", "摘要应为64位小写十六进制", "the digest must be 64 lower-case hex digits");
        }
    }
    if faults.is_empty() { Ok(request) } else { Err(Problem::of(&codes::INVALID).with(faults)) }
}

/// Says of each revision a device has whether the server keeps those very bytes. Asked daily and before a purge.
#[utoipa::path(
    post, path = "/api/v1/reconcile", tag = "submissions",
    request_body(content = HaveRequest, description = "Up to 1,000 items."),
    responses(
        (status = 200, description = "One answer for each item, in order.", body = ReconcileAnswer),
        (status = 413, description = "More bytes than allowed.", body = ProblemBody),
        (status = 422, description = "More than 1,000 items, or one that no server could keep, with its place.", body = ProblemBody),
    )
)]
pub(super) async fn reconcile(shared: Data<Shared>, request: HaveRequest) -> Result<HttpResponse, Problem> {
    let items = call(&shared, move |shared| {
        let spelled = |item: Have| Have { id: device_id(&item.id).unwrap_or(item.id), ..item };
        let have: Vec<Have> = request.have.into_iter().map(spelled).collect();
        let ids: Vec<&str> = have.iter().map(|item| item.id.as_str()).collect();
        let kept = shared.database.kept_under(&ids)?;
        Ok(compare(have, &kept))
    });
    Ok(HttpResponse::Ok().json(ReconcileAnswer { items: items.await? }))
}

fn compare(have: Vec<Have>, kept: &[KeptDigest]) -> Vec<Reconciled> {
    let mut by_revision: BTreeMap<(&str, i32), Vec<&KeptDigest>> = BTreeMap::new();
    for one in kept {
        by_revision.entry((&one.id, one.rev)).or_default().push(one);
    }
    let judge = |item: Have| {
        let there = by_revision.get(&(item.id.as_str(), item.rev));
        let same = there.and_then(|all| all.iter().find(|one| one.sha256 == item.sha256));
        let answer = match (there, same) {
            (_, Some(_)) => "known",
            (Some(_), None) => "different",
            (None, None) => "unknown",
        };
        let receipt = same.and_then(|one| RawValue::from_string(one.receipt.clone()).ok());
        Reconciled { have: item, answer, receipt }
    };
    have.into_iter().map(judge).collect()
}

/// The server's time is in the headers `X-Server-Time-Ms` and `Date` of every answer; this one has nothing else.
#[utoipa::path(
    get, path = "/api/v1/time", tag = "health",
    responses((status = 204, description = "Server time in `X-Server-Time-Ms`: a device takes the median of three offsets."))
)]
pub(super) async fn time() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
