//! Answers with bytes that never change under their name: an entity tag is enough to not send them twice.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ETag, EntityTag, Header, IfNoneMatch},
};

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
