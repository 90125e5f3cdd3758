//! Submissions from tablets: idempotent under the id they made, stored before they are judged.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use uuid::Uuid;

use super::{
    Problem, Shared, codes,
    extract::{Asker, SubmissionBytes, call},
    problem::ProblemBody,
};
use crate::{
    evidence::{ShortCode, is_sha256_hex},
    server::{Fault, Received, Refusal, Text, receive},
    storage::{Arrival, InterviewState},
};

/// The answer to a submission.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(super) struct SubmissionBody {
    /// The receipt, byte for byte the same on each replay.
    receipt: ReceiptBody,
    /// `parsed`, `surplus`, `quarantined`; null on a replay.
    state: Option<String>,
    /// Why it is quarantined or surplus.
    notices: Vec<Fault>,
}

/// Proof that the server keeps the bytes.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(super) struct ReceiptBody {
    id: String,
    rev: i32,
    sha256: String,
    server_seq: i64,
    /// The entry of the audit log that says so.
    log_index: Option<i64>,
    received_at: String,
    conflict: bool,
    short_code: String,
    /// The key that signed; `GET /api/v1/keys` has its public half.
    key_id: Option<String>,
    /// Ed25519 over `scilit receipt v2`, a newline, and the receipt without this field.
    signature: Option<String>,
}

/// Stores a submission's bytes, then judges them.
#[utoipa::path(
    put, path = "/api/v1/submissions/{uuid}/revs/{rev}", tag = "submissions",
    params(
        ("uuid" = String, Path, pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", description = "UUIDv7 the device made when the interview began."),
        ("rev" = i32, Path, description = "Revision, from 1.", minimum = 1),
        ("Submission-Sha256" = String, Header, description = "SHA-256 of the body, 64 lower-case hex digits."),
    ),
    request_body(content = Object, content_type = "application/json", description = "The submission; unknown fields are kept."),
    responses(
        (status = 201, description = "New; the receipt.", body = SubmissionBody),
        (status = 200, description = "The same bytes were stored before; the same receipt.", body = SubmissionBody),
        (status = 202, description = "Stored, but quarantined or surplus; the receipt with notices.", body = SubmissionBody),
        (status = 400, description = "The digest does not fit the body; nothing is stored.", body = ProblemBody),
        (status = 409, description = "Other bytes are there under this id and revision; both are stored.", body = ProblemBody),
        (status = 413, description = "Too large; nothing is stored.", body = ProblemBody),
        (status = 415, description = "Not JSON, or compressed; nothing is stored.", body = ProblemBody),
    )
)]
pub(super) async fn put(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    path: Path<(String, String)>,
    body: SubmissionBytes,
) -> Result<HttpResponse, Problem> {
    let (id, rev) = address(&path)?;
    let sha256 = digest(&request)?;
    let received = call(&shared, move |shared| keep(shared, &asker, Named { id: &id, rev, sha256: &sha256 }, &body.0));
    let (status, body) = answer(&received.await?)?;
    Ok(HttpResponse::build(status).content_type("application/json").body(body))
}

/// What a device calls the bytes it sends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) id: &'a str,
    pub(super) rev: i32,
    pub(super) sha256: &'a str,
}

/// Keeps and judges one submission, however it travelled.
pub(super) fn keep(shared: &Shared, asker: &Asker, named: Named<'_>, body: &[u8]) -> Result<Received, Refusal> {
    let Named { id, rev, sha256 } = named;
    let by = asker.0.author();
    let arrival = Arrival {
        id,
        rev,
        sha256,
        body,
        content_type: "application/json",
        received_at_ms: shared.clock.now_ms(),
        received_from: &by.id,
    };
    receive(&shared.database, &shared.instruments, arrival, (&by, shared.keys.signer()), &shared.clock)
}

fn address(path: &(String, String)) -> Result<(String, i32), Problem> {
    let id = device_id(&path.0)?;
    let rev = path.1.parse().ok().filter(|rev| *rev >= 1 && !path.1.starts_with(['+', '0']));
    Ok((id, rev.ok_or_else(not_a_revision)?))
}

/// The id in its one spelling, if a device made it as it should.
pub(super) fn device_id(text: &str) -> Result<String, Problem> {
    let id = Uuid::try_parse(text).ok().filter(|id| id.get_version_num() == 7);
    id.map(|id| id.to_string()).ok_or_else(|| Problem::of(&codes::ID_NOT_V7))
}

pub(super) fn not_a_revision() -> Problem {
    let text = Text::new("版本号应为从1开始的整数", "the revision is a whole number from 1");
    Problem::of(&codes::INVALID).with(vec![Fault::new("rev", text)])
}

fn digest(request: &HttpRequest) -> Result<String, Problem> {
    let value = request.headers().get("submission-sha256").and_then(|value| value.to_str().ok());
    let digest = value.map(str::to_owned).ok_or_else(|| Problem::of(&codes::DIGEST_MISSING))?;
    if is_sha256_hex(&digest) { Ok(digest) } else { Err(Problem::of(&codes::DIGEST_MISMATCH)) }
}

/// Status and JSON of the answer to kept bytes; a conflict is a problem that carries the receipt.
pub(super) fn answer(received: &Received) -> Result<(StatusCode, String), Problem> {
    if received.kept.conflict {
        let detail = "两份内容都已保存，请通知督导员处理。";
        return Err(Problem::of(&codes::REV_CONFLICT).because(detail).receipt(&received.kept.receipt));
    }
    let status = match received.state {
        _ if received.kept.replay => StatusCode::OK,
        Some(InterviewState::Quarantined | InterviewState::Surplus) => StatusCode::ACCEPTED,
        _ => StatusCode::CREATED,
    };
    let body = received.to_json().map_err(|_| Problem::of(&codes::INTERNAL))?;
    Ok((status, body))
}

/// Looks receipts up by the short code a surveyor reads out.
#[utoipa::path(
    get, path = "/api/v1/receipts/{short}", tag = "submissions",
    params(("short" = String, Path, description = "Short code, with or without hyphens.")),
    responses(
        (status = 200, description = "The receipts with this code; nearly always one.", body = Vec<ReceiptBody>),
        (status = 404, description = "No such receipt.", body = ProblemBody),
        (status = 422, description = "Misheard: the check sign does not fit.", body = ProblemBody),
    )
)]
pub(super) async fn receipt(shared: Data<Shared>, asker: Asker, short: Path<String>) -> Result<HttpResponse, Problem> {
    let text = |error: &dyn std::fmt::Display| Text::new("短码有误，请再核对一遍", error.to_string());
    let code: Result<ShortCode, _> = short.parse();
    let code = code.map_err(|error| Problem::of(&codes::INVALID).with(vec![Fault::new("short-code", text(&error))]))?;
    let receipts = call(&shared, move |shared| {
        let reach = asker.0.reach(&shared.database)?;
        Ok(shared.database.receipts_within(&reach, &code.to_string())?)
    })
    .await?;
    match receipts.is_empty() {
        true => Err(Problem::of(&codes::NOT_FOUND)),
        false => Ok(HttpResponse::Ok().content_type("application/json").body(format!("[{}]", receipts.join(",")))),
    }
}
