//! Reading a body: announced type and coding first, then bytes up to a limit and within a time.

use std::{pin::Pin, task::Poll, time::Duration};

use actix_web::{
    HttpRequest,
    body::{BodyStream, MessageBody},
    dev::Payload,
    http::header,
    rt::time::{Instant, timeout},
    web::Bytes,
};

use super::{Problem, codes};

/// A body must bring 1 KB a second over each third of the time it may take in all, or its end.
const BYTES_PER_SECOND_MIN: u64 = 1024;
const WINDOWS: u32 = 3;

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Media types accepted.
    pub(super) types: &'static [&'static str],
    /// Bytes at most.
    pub(super) bytes_max: usize,
    /// Time in all at most.
    pub(super) time_max: Duration,
}

fn length(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// The body's bytes.
pub(super) async fn read(request: HttpRequest, payload: Payload, limits: Limits) -> Result<Bytes, Problem> {
    let mut paced = Paced::begin(&request, payload, limits)?;
    // No more is reserved than will be used, so that the bytes are not copied as they come.
    let announced = length(&request).unwrap_or(0).min(limits.bytes_max);
    let mut read = Vec::with_capacity(announced);
    while let Some(chunk) = paced.next().await? {
        read.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(read))
}

/// A body as it comes: no longer than it may be, and no slower.
pub(super) struct Paced {
    stream: Pin<Box<BodyStream<Payload>>>,
    limits: Limits,
    read: usize,
    deadline: Instant,
    window_end: Instant,
    window_bytes: u128,
}

impl Paced {
    /// Begins to read what the request's head announces.
    pub(super) fn begin(request: &HttpRequest, payload: Payload, limits: Limits) -> Result<Self, Problem> {
        check_head(request, limits)?;
        let now = Instant::now();
        let (deadline, window_end) = (now + limits.time_max, now + limits.time_max / WINDOWS);
        let stream = Box::pin(BodyStream::new(payload));
        Ok(Self { stream, limits, read: 0, deadline, window_end, window_bytes: 0 })
    }

    /// The next bytes; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let window = self.limits.time_max / WINDOWS;
        let window_bytes_min = u128::from(BYTES_PER_SECOND_MIN) * window.as_millis() / 1000;
        loop {
            let patience = self.deadline.min(self.window_end).saturating_duration_since(Instant::now());
            match timeout(patience, next(self.stream.as_mut())).await {
                // Bytes that are always there must not hide that time is up.
                Ok(Some(Ok(_))) if Instant::now() >= self.deadline => return Err(Problem::of(&codes::TIMEOUT)),
                Ok(None) => return Ok(None),
                Ok(Some(Ok(chunk))) if self.read + chunk.len() > self.limits.bytes_max => {
                    return Err(too_large(self.limits.bytes_max));
                }
                Ok(Some(Ok(chunk))) => {
                    self.window_bytes += chunk.len() as u128;
                    self.read += chunk.len();
                    return Ok(Some(chunk));
                }
                Ok(Some(Err(_))) => return Err(Problem::of(&codes::BAD_REQUEST).because("内容没有传完")),
                Err(_) if self.window_bytes < window_bytes_min || Instant::now() >= self.deadline => {
                    return Err(Problem::of(&codes::TIMEOUT));
                }
                Err(_) => (self.window_end, self.window_bytes) = (Instant::now() + window, 0),
            }
        }
    }

    /// Bytes until there are so many, and how the body ended, if it did. What came before an end of any kind is handed
    /// out, so that it can be kept.
    pub(super) async fn piece(&mut self, bytes: usize) -> (Vec<u8>, Option<Result<(), Problem>>) {
        let mut piece = Vec::new();
        while piece.len() < bytes {
            match self.next().await {
                Ok(Some(chunk)) => piece.extend_from_slice(&chunk),
                Ok(None) => return (piece, Some(Ok(()))),
                Err(problem) => return (piece, Some(Err(problem))),
            }
        }
        (piece, None)
    }
}

async fn next(mut stream: Pin<&mut BodyStream<Payload>>) -> Option<Result<Bytes, ()>> {
    std::future::poll_fn(|context| match stream.as_mut().poll_next(context) {
        Poll::Ready(chunk) => Poll::Ready(chunk.map(|chunk| chunk.map_err(|_| ()))),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// More bytes than a body may have.
pub(super) fn too_large(limit: usize) -> Problem {
    Problem::of(&codes::TOO_LARGE).because(format!("上限为 {limit} 字节（{} KB）", limit / 1024))
}

fn check_head(request: &HttpRequest, limits: Limits) -> Result<(), Problem> {
    let text =
        |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
    if text(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Problem::of(&codes::UNSUPPORTED_MEDIA).because("不接受压缩的内容（Content-Encoding）"));
    }
    let announced = text(header::CONTENT_TYPE).unwrap_or_default();
    let mut parts = announced.split(';').map(str::trim);
    let is_known = parts.next().is_some_and(|media| limits.types.contains(&media));
    let is_utf8 =
        parts.all(|parameter| !parameter.starts_with("charset=") || parameter.trim_matches('"') == "charset=utf-8");
    if !is_known || !is_utf8 {
        let types = limits.types.join("、");
        return Err(Problem::of(&codes::UNSUPPORTED_MEDIA).because(format!("应为 {types}，UTF-8 编码")));
    }
    if length(request).is_some_and(|length| length > limits.bytes_max) {
        return Err(too_large(limits.bytes_max));
    }
    Ok(())
}
