//! Answers that travel packed to whoever can unpack them: tablets stand in villages, and words shrink to a fifth.
//!
//! Only what anybody with the address gets alike, or what repeats nothing that the asker sent: packing such together with
//! a secret would tell its length. Files for download go as they are, so that their digests, lengths and ranges hold.

use std::io::Write;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, AcceptEncoding, ContentEncoding, ETag, Encoding, EntityTag, Header, HeaderValue},
};
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

use super::{Problem, answers, codes};

/// What is smaller fits into one packet as it is.
const BYTES_MIN: usize = 1400;

/// Bytes with their digest as entity tag, like [`answers::tagged`]. The packed ones are the same content in another form,
/// so their tag is a weak one.
pub(super) fn tagged(
    request: &HttpRequest,
    digest: &str,
    caching: &'static str,
    content_type: &str,
    bytes: Vec<u8>,
) -> HttpResponse {
    let small = (!answers::has_it(request, digest)).then(|| pack(request, content_type, &bytes)).flatten();
    let is_packed = small.is_some();
    let mut answer = answers::tagged(request, digest, caching, content_type, small.unwrap_or(bytes));
    if is_packed {
        insert(&mut answer, header::CONTENT_ENCODING, ContentEncoding::Gzip);
        insert(&mut answer, header::ETAG, ETag(EntityTag::new_weak(digest.to_owned())));
    }
    depends_on_asker(&mut answer);
    answer
}

/// A value as JSON.
pub(super) fn json(request: &HttpRequest, value: &impl Serialize) -> Result<HttpResponse, Problem> {
    const JSON: &str = "application/json";
    let bytes = serde_json::to_vec(value).map_err(|_| Problem::of(&codes::INTERNAL))?;
    let mut answer = HttpResponse::Ok();
    answer.content_type(JSON);
    let mut answer = match pack(request, JSON, &bytes) {
        Some(small) => answer.insert_header(ContentEncoding::Gzip).body(small),
        None => answer.body(bytes),
    };
    depends_on_asker(&mut answer);
    Ok(answer)
}

fn pack(request: &HttpRequest, content_type: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < BYTES_MIN || !is_wordy(content_type) || !unpacks(request) {
        return None;
    }
    let mut packed = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::default());
    packed.write_all(bytes).ok()?;
    packed.finish().ok()
}

/// Pictures and fonts are packed already.
fn is_wordy(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default();
    media.starts_with("text/") || ["javascript", "json", "xml"].iter().any(|kind| media.ends_with(kind))
}

fn unpacks(request: &HttpRequest) -> bool {
    let known = [Encoding::gzip(), Encoding::identity()];
    let named = request.headers().contains_key(header::ACCEPT_ENCODING);
    let wish = AcceptEncoding::parse(request).ok().filter(|_| named);
    wish.and_then(|wish| wish.negotiate(known.iter())) == Some(Encoding::gzip())
}

fn depends_on_asker(answer: &mut HttpResponse) {
    answer.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
}

fn insert(answer: &mut HttpResponse, name: header::HeaderName, value: impl header::TryIntoHeaderValue) {
    if let Ok(value) = value.try_into_value() {
        answer.headers_mut().insert(name, value);
    }
}
