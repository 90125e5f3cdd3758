//! Attachments: sent piece by piece, asked for by whoever reviews the interview.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Payload},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Problem, Shared,
    audited::log_reading,
    body::{self, Paced},
    codes,
    extract::{Asker, call},
    problem::ProblemBody,
};
use crate::{
    evidence::is_sha256_hex,
    server::{
        Refusal,
        attachments::{self, Announced, NamedAttachment, named_in, state_of},
        vault::Vault,
    },
    storage::Attachment,
};

/// Bytes of an attachment at most; a quarter of an hour of speech at 24 kbit/s has 2.7 MiB.
const ATTACHMENT_BYTES_MAX: i64 = 16 << 20;

/// Bytes that are sealed and kept at once: what a broken link costs at most.
const PIECE_BYTES: usize = 256 << 10;

/// The media type of a part of an attachment.
const PART: &str = "application/offset+octet-stream";

/// Where an attachment stands; the numbers are in the header fields, too.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct StandingBody {
    /// Bytes that are there: where to go on.
    offset: i64,
    /// Bytes in all.
    length: i64,
    /// Whether all are there and have the digest announced.
    complete: bool,
}

/// An attachment that an interview names.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct NamedBody {
    id: String,
    sha256: String,
    /// As the tablet says: `audio`, `photo`.
    kind: String,
    /// `missing`, `partial`, `complete`, `different` when other bytes stand under its id, or `deleted`.
    state: &'static str,
    /// Bytes that are there.
    received: i64,
}

/// The attachments of an interview in the order in which it names them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct NamedListBody {
    attachments: Vec<NamedBody>,
}

fn vault(shared: &Shared) -> Vault<'_> {
    Vault { database: &shared.database, key_dir: &shared.config.key_dir }
}

fn upload_id(text: &str) -> Result<String, Problem> {
    let id = Uuid::parse_str(text).ok().map(|id| id.to_string()).filter(|id| id == text);
    id.ok_or_else(|| Problem::of(&codes::NOT_FOUND))
}

/// The person whose tablet asks, so that a tablet linked anew goes on where the old one stopped; or the token.
fn owner_of(asker: &Asker) -> Result<String, Problem> {
    let actor = asker.0.actor.as_ref().ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED))?;
    Ok(actor.user.clone().unwrap_or_else(|| actor.id.clone()))
}

fn announced(request: &HttpRequest, id: String, owner: String) -> Result<(Announced, i64), Problem> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let number = |name: &str, range: std::ops::RangeInclusive<i64>| {
        let digits = text(name);
        let plain = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|number| plain && range.contains(number));
        number.ok_or_else(|| Problem::of(&codes::BAD_REQUEST).because(format!("请求头 {name} 缺失或有误")))
    };
    let length = number("Upload-Length", 1..=i64::MAX)?;
    if length > ATTACHMENT_BYTES_MAX {
        return Err(Problem::of(&codes::TOO_LARGE).because(format!("上限为 {} MB", ATTACHMENT_BYTES_MAX >> 20)));
    }
    let offset = number("Upload-Offset", 0..=length)?;
    let sha256 = text("Upload-Sha256").to_owned();
    if !is_sha256_hex(&sha256) {
        return Err(Problem::of(&codes::DIGEST_MISSING).because("请求头 Upload-Sha256 应为64位十六进制摘要"));
    }
    Ok((Announced { id, owner, length, sha256 }, offset))
}

fn standing(answer: &mut actix_web::HttpResponseBuilder, offset: i64, length: i64, complete: bool) -> HttpResponse {
    answer.insert_header(("upload-offset", offset.to_string()));
    answer.insert_header(("upload-length", length.to_string()));
    answer.insert_header(("upload-complete", if complete { "?1" } else { "?0" }));
    answer.json(StandingBody { offset, length, complete })
}

/// Tells where an attachment stands.
#[utoipa::path(
    head, path = "/api/v1/attachments/{uuid}", tag = "attachments",
    params(("uuid" = String, Path, description = "The UUID that the tablet made.")),
    responses(
        (status = 200, description = "`Upload-Offset`, `Upload-Length`, `Upload-Complete`."),
        (status = 404, description = "Nothing came yet: begin at 0."),
    )
)]
pub(super) async fn head(shared: Data<Shared>, asker: Asker, id: Path<String>) -> Result<HttpResponse, Problem> {
    let (id, owner) = (upload_id(&id)?, owner_of(&asker)?);
    let found = call(&shared, move |shared| Ok(shared.database.attachment(&id)?)).await?;
    let found = found.filter(|found| found.owner == owner).ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    if found.deleted_at_ms.is_some() {
        // Nothing more of it is wanted, and that is how a tablet is told.
        return Ok(standing(&mut HttpResponse::Ok(), found.length, found.length, true));
    }
    Ok(standing(&mut HttpResponse::Ok(), found.received, found.length, found.completed_at_ms.is_some()))
}

/// Takes bytes of an attachment from where those that are there end. Whatever came before a link broke is kept.
#[utoipa::path(
    patch, path = "/api/v1/attachments/{uuid}", tag = "attachments",
    params(
        ("uuid" = String, Path, description = "The UUID that the tablet made."),
        ("Upload-Offset" = i64, Header, description = "Where these bytes begin; 0 begins the attachment."),
        ("Upload-Length" = i64, Header, description = "Bytes in all, up to 16 MiB."),
        ("Upload-Sha256" = String, Header, description = "SHA-256 of all bytes, 64 lower-case hex digits."),
    ),
    request_body(content = String, content_type = "application/offset+octet-stream", description = "The bytes."),
    responses(
        (status = 200, description = "They are kept; `Upload-Offset` says where to go on.", body = StandingBody),
        (status = 400, description = "All bytes came and have another digest; begin at 0.", body = ProblemBody),
        (status = 409, description = "The bytes there end elsewhere, as `Upload-Offset` says; or another file was begun under the id.", body = ProblemBody),
        (status = 410, description = "It was deleted: its time was over, or the person was erased.", body = ProblemBody),
        (status = 413, description = "More bytes than announced or allowed.", body = ProblemBody),
    )
)]
pub(super) async fn append(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (announced, offset) = announced(&request, upload_id(&id)?, owner_of(&asker)?)?;
    let left = usize::try_from(announced.length - offset).unwrap_or(0);
    let limits = body::Limits { types: &[PART], bytes_max: left, time_max: shared.config.body_time_max };
    let mut bytes = Paced::begin(&request, payload.into_inner(), limits)?;
    let (id, length, by) = (announced.id.clone(), announced.length, asker.0.author());
    let author = by.clone();
    let begin =
        move |shared: &Shared| attachments::go_on(vault(shared), announced, offset, &author, shared.clock.now_ms());
    let (_, key) = call(&shared, begin).await?;
    let key = std::sync::Arc::new(key);
    let mut place = offset;
    loop {
        let (piece, ended) = bytes.piece(PIECE_BYTES).await;
        if !piece.is_empty() {
            let (id, key) = (id.clone(), std::sync::Arc::clone(&key));
            let add = move |shared: &Shared| attachments::add_piece(vault(shared), &key, &id, place, &piece);
            place = call(&shared, add).await?;
        }
        match ended {
            None => {}
            Some(Ok(())) => break,
            Some(Err(problem)) => return Err(problem),
        }
    }
    if place == length {
        let id = id.clone();
        call(&shared, move |shared| attachments::end(vault(shared), &id, &by, shared.clock.now_ms())).await?;
    }
    Ok(standing(&mut HttpResponse::Ok(), place, length, place == length))
}

/// What an interview names, if the asker may see the interview.
fn named(shared: &Shared, asker: &Asker, id: &str) -> Result<Option<Vec<NamedAttachment>>, Refusal> {
    if !shared.database.reaches(&asker.0.reach(&shared.database)?, id)? {
        return Ok(None);
    }
    let Some(row) = shared.database.interview(id)? else { return Ok(None) };
    let body = shared.database.submission_body(row.current_seq)?;
    Ok(Some(body.map(|body| named_in(&body.body)).unwrap_or_default()))
}

/// Lists the attachments of an interview, those that did not come yet among them.
#[utoipa::path(
    get, path = "/api/v1/responses/{id}/attachments", tag = "attachments",
    params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "They.", body = NamedListBody),
        (status = 404, description = "No such response.", body = ProblemBody),
    )
)]
pub(super) async fn list(shared: Data<Shared>, asker: Asker, id: Path<String>) -> Result<HttpResponse, Problem> {
    let found = call(&shared, move |shared| {
        let Some(named) = named(shared, &asker, &id)? else { return Ok(None) };
        let ids: Vec<String> = named.iter().map(|one| one.uuid.clone()).collect();
        Ok(Some((named, shared.database.attachments(&ids)?)))
    });
    let (named, there) = found.await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let attachments = named.into_iter().map(|one| named_body(one, &there)).collect();
    Ok(HttpResponse::Ok().json(NamedListBody { attachments }))
}

fn named_body(named: NamedAttachment, there: &[Attachment]) -> NamedBody {
    let found = there.iter().find(|found| found.id == named.uuid);
    let (state, received) = (state_of(&named, found), found.map_or(0, |found| found.received));
    NamedBody { id: named.uuid, sha256: named.sha256, kind: named.kind, state, received }
}

/// Reads an attachment of an interview. That it was read is in the log before a byte leaves.
#[utoipa::path(
    get, path = "/api/v1/responses/{id}/attachments/{uuid}", tag = "attachments",
    params(("id" = String, Path, description = "The submission."), ("uuid" = String, Path, description = "The attachment.")),
    responses(
        (status = 200, description = "Its bytes; `X-Content-Sha256` has their digest.", body = String, content_type = "application/octet-stream"),
        (status = 404, description = "No such response, or it names no such attachment, or not all of it is there.", body = ProblemBody),
    )
)]
pub(super) async fn read(
    shared: Data<Shared>,
    asker: Asker,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (response, id) = path.into_inner();
    let found = call(&shared, move |shared| {
        let named = named(shared, &asker, &response)?.unwrap_or_default();
        let Some(one) = named.into_iter().find(|one| one.uuid == id) else { return Ok(None) };
        if state_of(&one, shared.database.attachment(&id)?.as_ref()) != "complete" {
            return Ok(None);
        }
        let detail = serde_json::json!({ "response": response, "sha256": one.sha256 });
        log_reading(shared, &asker.0, "attachment.read", format!("attachment/{id}"), detail)?;
        Ok(Some((one.sha256, attachments::bytes(vault(shared), &id)?)))
    });
    let (sha256, bytes) = found.await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("cache-control", "no-store")).insert_header(("x-content-sha256", sha256));
    // Whatever a tablet called it, no page shows it as something to run.
    answer.insert_header(("content-disposition", "attachment"));
    Ok(answer.content_type("application/octet-stream").body(bytes.to_vec()))
}
