//! Submissions from tablets: idempotent under the id they made, stored before they are judged.

use std::{iter::repeat_with, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    rt::{spawn, time::timeout},
    web::{Bytes, Data, Path},
};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    Problem, Shared, codes,
    extract::{Asker, SubmissionBytes, call},
    problem::ProblemBody,
    sealed,
};
use crate::{
    evidence::{ShortCode, is_sha256_hex, sha256_hex},
    server::{
        Arriving, Envelope, Fault, KeptAndJudged, Pending, Received, Text,
        judge::{notices, verdict},
    },
    storage::{Author, InterviewState, Judgement, Kept, StorageError, Waiting},
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
    request_body(
        content((Object = "application/json"), (Envelope = "application/vnd.scilit.sealed+json")),
        description = "The submission; unknown fields are kept. Or the same bytes, sealed to the server's key.",
    ),
    responses(
        (status = 201, description = "New; the receipt.", body = SubmissionBody),
        (status = 200, description = "The same bytes were stored before; the same receipt.", body = SubmissionBody),
        (status = 202, description = "Stored, but quarantined or surplus; the receipt with notices.", body = SubmissionBody),
        (status = 400, description = "The digest does not fit the body; nothing is stored.", body = ProblemBody),
        (status = 409, description = "Other bytes are there under this id and revision; both are stored.", body = ProblemBody),
        (status = 413, description = "Too large; nothing is stored.", body = ProblemBody),
        (status = 415, description = "Not JSON, or compressed; nothing is stored.", body = ProblemBody),
        (status = 422, description = "Not an id or a revision, or a sealing that does not open; nothing is stored.", body = ProblemBody),
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
    let body = match body {
        SubmissionBytes::Open(bytes) => bytes,
        SubmissionBytes::Sealed(envelope) => {
            let of = (id.clone(), sha256.clone());
            call(&shared, move |shared| Ok(sealed::submission(shared, &envelope, (&of.0, rev, &of.1)))).await??
        }
    };
    let arriving = arriving(&shared, &Sender::of(&asker), Named { id: &id, rev, sha256: &sha256 }, body)?;
    let outcome = finished(&shared, vec![arriving]).await?.pop().unwrap_or_else(|| Err(Problem::of(&codes::INTERNAL)));
    let (status, body) = answer(&outcome?)?;
    Ok(HttpResponse::build(status).content_type("application/json").body(body))
}

/// What a device calls the bytes it sends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) id: &'a str,
    pub(super) rev: i32,
    pub(super) sha256: &'a str,
}

/// Whose the bytes are, and whether they come from a tablet or a person that may no longer work.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) by: Author,
    pub(super) revoked: bool,
}

impl Sender {
    pub(super) fn of(asker: &Asker) -> Self {
        Self { by: asker.0.author(), revoked: asker.0.actor.as_ref().is_some_and(|actor| actor.revoked) }
    }
}

/// The bytes on their way to the writer, when they are the ones announced.
pub(super) fn arriving(shared: &Shared, sender: &Sender, named: Named<'_>, body: Bytes) -> Result<Arriving, Problem> {
    if sha256_hex(&body) != named.sha256 {
        return Err(Problem::of(&codes::DIGEST_MISMATCH));
    }
    let (id, rev, sha256) = (named.id.to_owned(), named.rev, named.sha256.to_owned());
    let received_at_ms = shared.clock.now_ms();
    let Sender { by, revoked } = sender.clone();
    Ok(Arriving { id, rev, sha256, body, received_at_ms, by, revoked })
}

/// Bytes at the writer, and the faults that were found in them where they could be judged before.
struct Sent {
    arriving: Arriving,
    faults: Vec<Fault>,
    pending: Pending<KeptAndJudged>,
}

/// How long bytes wait for their judgement before they are kept without one. Keeping them never depends on it.
const JUDGE_WAIT_MAX: Duration = Duration::from_millis(400);

/// Keeps and judges in a task of its own: a client that goes away takes nothing with it. The order of what is handed in
/// is the order of arrival.
pub(super) async fn finished(
    shared: &Data<Shared>,
    arriving: Vec<Arriving>,
) -> Result<Vec<Result<Received, Problem>>, Problem> {
    let shared = shared.clone();
    let work = async move {
        let sent = send(&shared, arriving).await;
        settle(&shared, sent).await
    };
    spawn(work.in_current_span()).await.map_err(|_| Problem::of(&codes::INTERNAL))
}

/// Hands bytes to the writer, each with its judgement so that one commit does for both. What could not be judged in time,
/// whatever the reason, is kept all the same.
async fn send(shared: &Data<Shared>, arriving: Vec<Arriving>) -> Vec<Sent> {
    let bytes = arriving.clone();
    let work = move |shared: &Shared| Ok(bytes.iter().map(|arriving| foreseen(shared, arriving)).collect::<Vec<_>>());
    let verdicts = timeout(JUDGE_WAIT_MAX, call(shared, work)).await.ok().and_then(Result::ok).unwrap_or_default();
    let verdicts = verdicts.into_iter().chain(repeat_with(|| None));
    let send = |(arriving, verdict): (Arriving, Option<(Judgement, Vec<Fault>)>)| {
        let (judgement, faults) = verdict.unzip();
        let pending = shared.writer.keep(arriving.clone(), judgement);
        Sent { arriving, faults: faults.unwrap_or_default(), pending }
    };
    arriving.into_iter().zip(verdicts).map(send).collect()
}

/// The verdict on bytes before they are kept, if there is one.
fn foreseen(shared: &Shared, arriving: &Arriving) -> Option<(Judgement, Vec<Fault>)> {
    let verdict = verdict(&shared.database, &shared.instruments, &waiting(arriving, 0));
    verdict.inspect_err(|error| tracing::warn!(%error, "bytes are kept before they are judged")).ok()
}

fn waiting(arriving: &Arriving, server_seq: i64) -> Waiting {
    let Arriving { id, rev, body, received_at_ms, .. } = arriving;
    Waiting { server_seq, id: id.clone(), rev: *rev, body: body.to_vec(), received_at_ms: *received_at_ms }
}

/// One of several with the writer's answer.
type Told = (Arriving, Vec<Fault>, Result<KeptAndJudged, StorageError>);

/// Where one of several stands on its way to its answer.
enum Stage {
    Done(Result<Received, Problem>),
    Judged(Arriving, Kept, Vec<Fault>, InterviewState),
    Judging(Arriving, Kept, Vec<Fault>, Pending<InterviewState>),
}

/// Answers each. What was kept and not judged yet is judged now, in its order, so that of two interviews of one case the
/// first counts.
async fn settle(shared: &Data<Shared>, sent: Vec<Sent>) -> Vec<Result<Received, Problem>> {
    let mut told: Vec<Told> = Vec::new();
    for Sent { arriving, faults, pending } in sent {
        told.push((arriving, faults, pending.answer().await));
    }
    let mut outcomes = Vec::new();
    for stage in stages(shared, told).await {
        outcomes.push(match stage {
            Stage::Done(outcome) => outcome,
            Stage::Judged(arriving, kept, faults, state) => Ok(judged(shared, arriving, kept, faults, state).await),
            Stage::Judging(arriving, kept, faults, pending) => match pending.answer().await {
                Ok(state) => Ok(judged(shared, arriving, kept, faults, state).await),
                Err(error) => Ok(not_yet(kept, &error)),
            },
        });
    }
    outcomes
}

async fn stages(shared: &Data<Shared>, told: Vec<Told>) -> Vec<Stage> {
    if told.iter().all(|(_, _, told)| matches!(told, Ok((_, Some(_))) | Err(_))) {
        // The usual case has nothing to ask the database.
        return told.into_iter().map(|told| stage(shared, told)).collect();
    }
    let count = told.len();
    let work = move |shared: &Shared| Ok(told.into_iter().map(|told| stage(shared, told)).collect::<Vec<_>>());
    match call(shared, work).await {
        Ok(stages) => stages,
        Err(problem) => vec![problem; count].into_iter().map(|problem| Stage::Done(Err(problem))).collect(),
    }
}

fn stage(shared: &Shared, (arriving, faults, told): Told) -> Stage {
    match told {
        Err(error) => Stage::Done(Err(error.into())),
        Ok((kept, Some(state))) => Stage::Judged(arriving, kept, faults, state),
        Ok((kept, None)) if kept.conflict || kept.replay => {
            let received = Received::unjudged(&shared.database, &arriving.id, kept);
            Stage::Done(received.map_err(Problem::from))
        }
        Ok((kept, None)) => judging(shared, arriving, kept),
    }
}

/// Judges kept bytes. When that fails they are acknowledged all the same, and judged a little later.
fn judging(shared: &Shared, arriving: Arriving, kept: Kept) -> Stage {
    match verdict(&shared.database, &shared.instruments, &waiting(&arriving, kept.server_seq)) {
        Ok((judgement, faults)) => {
            let pending = shared.writer.judge(kept.server_seq, judgement);
            Stage::Judging(arriving, kept, faults, pending)
        }
        Err(error) => Stage::Done(Ok(not_yet(kept, &error))),
    }
}

fn not_yet(kept: Kept, error: &dyn std::fmt::Display) -> Received {
    tracing::error!(%error, server_seq = kept.server_seq, "kept bytes could not be judged yet");
    Received { kept, state: Some(InterviewState::Received), notices: Vec::new() }
}

async fn judged(
    shared: &Data<Shared>,
    arriving: Arriving,
    kept: Kept,
    faults: Vec<Fault>,
    state: InterviewState,
) -> Received {
    if !matches!(state, InterviewState::Surplus | InterviewState::Quarantined) {
        return Received { kept, state: Some(state), notices: faults };
    }
    let (id, server_seq) = (arriving.id, kept.server_seq);
    let work = move |shared: &Shared| notices(&shared.database, (&id, server_seq), state, faults);
    let notices = call(shared, work).await.unwrap_or_default();
    Received { kept, state: Some(state), notices }
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
