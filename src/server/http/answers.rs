//! Answers with bytes that never change under their name: an entity tag is enough to not send them twice.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ETag, EntityTag, Header, IfNoneMatch},
};

use super::content::Source;
use crate::storage::Database;

/// Bytes with their digest as entity tag; 304 when the client has them.
pub(super) fn tagged(
    request: &HttpRequest,
    digest: &str,
    caching: &'static str,
    content_type: &str,
    bytes: Vec<u8>,
) -> HttpResponse {
    let is_there = has_it(request, digest);
    let mut answer = if is_there { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header(ETag(tag(digest))).insert_header((header::CACHE_CONTROL, caching));
    if is_there { answer.finish() } else { answer.content_type(content_type).body(bytes) }
}

fn tag(digest: &str) -> EntityTag {
    EntityTag::new_strong(digest.to_owned())
}

/// Whether the client has the bytes with this digest, so that none will be sent.
pub(super) fn has_it(request: &HttpRequest, digest: &str) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag(digest))),
        Err(_) => false,
    }
}

/// A file for download: whole, or the one part that `Range` asks for while its tag still fits (RFC 9110, section 14),
/// so that a download that broke off goes on where it was.
pub(super) fn ranged(request: &HttpRequest, database: &Database, content_type: &str, source: Source) -> HttpResponse {
    let (size, digest) = (source.size(), source.sha256().to_owned());
    if has_it(request, &digest) {
        return tagged(request, &digest, MAY_KEEP_BUT_ASK, content_type, Vec::new());
    }
    let (mut answer, first, last) = match asked_range(request, &digest, size) {
        Asked::All => (HttpResponse::Ok(), 0, size.saturating_sub(1)),
        Asked::Beyond => {
            let mut answer = HttpResponse::RangeNotSatisfiable().finish();
            set(&mut answer, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return answer;
        }
        Asked::Part(first, last) => (HttpResponse::PartialContent(), first, last),
    };
    answer.insert_header(ETag(tag(&digest))).insert_header((header::CACHE_CONTROL, MAY_KEEP_BUT_ASK));
    answer.insert_header((header::ACCEPT_RANGES, "bytes")).content_type(content_type);
    let is_part = first > 0 || last + 1 < size;
    if is_part {
        answer.insert_header((header::CONTENT_RANGE, format!("bytes {first}-{last}/{size}")));
    }
    if size == 0 { answer.body("") } else { answer.body(source.body(database, first, last)) }
}

/// First and last place of the part that will be sent, when it is a part.
pub(super) fn part(request: &HttpRequest, digest: &str, size: u64) -> Option<(u64, u64)> {
    match asked_range(request, digest, size) {
        Asked::Part(first, last) => Some((first, last)),
        Asked::All | Asked::Beyond => None,
    }
}

/// Names the file that a browser saves, and its digest.
pub(super) fn name_attachment(answer: &mut HttpResponse, name: &str, digest: &str) {
    let name = header::ContentDisposition::attachment(name);
    if let Ok(name) = header::TryIntoHeaderValue::try_into_value(name) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    set(answer, header::HeaderName::from_static("x-content-sha256"), digest);
}

/// Results never change, but who may read them can.
pub(super) const MAY_KEEP_BUT_ASK: &str = "private, no-cache";

enum Asked {
    All,
    Part(u64, u64),
    Beyond,
}

/// One range of bytes; anything else asks for the whole, as it may.
fn asked_range(request: &HttpRequest, digest: &str, size: u64) -> Asked {
    let text = |name| request.headers().get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let fits = text(header::IF_RANGE).is_none_or(|tag| tag == format!("\"{digest}\""));
    let range = text(header::RANGE).filter(|_| fits).and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else { return Asked::All };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Asked::All,
        (Some(first), _) if first >= size => Asked::Beyond,
        (Some(first), Some(last)) => Asked::Part(first, last.min(size - 1)),
        (Some(first), None) if last.is_empty() => Asked::Part(first, size - 1),
        (None, Some(0)) if first.is_empty() => Asked::Beyond,
        (None, Some(tail)) if first.is_empty() => Asked::Part(size.saturating_sub(tail), size.saturating_sub(1)),
        _ => Asked::All,
    }
}

fn set(answer: &mut HttpResponse, name: header::HeaderName, value: &str) {
    if let Ok(value) = header::HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
