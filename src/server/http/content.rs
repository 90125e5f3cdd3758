//! Files on their way out, piece by piece: what a download holds in memory does not grow with the file.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    body::SizedStream,
    web::{self, Bytes},
};
use futures_core::Stream;
use sha2::{Digest, Sha256};

use crate::{
    server::{
        bundles::{ArchivePart, ArchiveParts},
        secrets::hex,
    },
    storage::{Database, KeptFile, PIECE_BYTES, StorageError},
};

/// What is sent: parts in their order, and the digest of the whole.
#[derive(Debug)]
pub(super) struct Source {
    parts: Vec<ArchivePart>,
    sha256: String,
}

/// A stretch of the whole that is fetched at once.
#[derive(Debug)]
enum Stretch {
    Bytes(Bytes),
    /// Digest of the content, number of the piece, the part of it that is wanted.
    Piece(String, i64, std::ops::Range<usize>),
}

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("no thread to read on")]
    NoThread,
    #[error("what is kept is not what its digest says")]
    Changed,
}

impl Source {
    pub(super) fn of_file(file: KeptFile) -> Self {
        Self { sha256: file.sha256.clone(), parts: vec![ArchivePart::File(file)] }
    }

    /// Bytes that are in memory, with their digest.
    pub(super) fn of_bytes(bytes: Vec<u8>, sha256: String) -> Self {
        Self { sha256, parts: vec![ArchivePart::Bytes(bytes)] }
    }

    pub(super) fn of_archive(archive: ArchiveParts) -> Self {
        Self { parts: archive.parts, sha256: archive.sha256 }
    }

    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }

    pub(super) fn size(&self) -> u64 {
        self.parts.iter().map(size_of).sum()
    }

    /// The bytes from the first to the last, both of them sent. A whole file is held against its digest on its way,
    /// and its last bytes leave only if it is what was signed.
    pub(super) fn body(self, database: &Database, first: u64, last: u64) -> SizedStream<Pieces> {
        let check = (first == 0 && last + 1 == self.size()).then(|| (Sha256::new(), self.sha256));
        let mut waiting = VecDeque::new();
        let mut begin = 0;
        for part in self.parts {
            let size = size_of(&part);
            let (from, to) = (first.max(begin), (last + 1).min(begin + size));
            if from < to {
                add_stretches(&mut waiting, part, from - begin, to - begin);
            }
            begin += size;
        }
        SizedStream::new(last + 1 - first, Pieces { database: database.clone(), waiting, fetching: None, check })
    }
}

fn size_of(part: &ArchivePart) -> u64 {
    match part {
        ArchivePart::Bytes(bytes) => bytes.len() as u64,
        ArchivePart::File(file) => u64::try_from(file.bytes).unwrap_or(0),
    }
}

fn add_stretches(waiting: &mut VecDeque<Stretch>, part: ArchivePart, from: u64, to: u64) {
    let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
    let bytes = match part {
        ArchivePart::Bytes(bytes) => bytes,
        ArchivePart::File(KeptFile { content: Some(bytes), .. }) => bytes,
        ArchivePart::File(KeptFile { sha256, .. }) => {
            let piece = PIECE_BYTES as u64;
            for n in from / piece..to.div_ceil(piece) {
                let within = at(from.saturating_sub(n * piece))..at(to - n * piece).min(PIECE_BYTES);
                waiting.push_back(Stretch::Piece(sha256.clone(), i64::try_from(n).unwrap_or(i64::MAX), within));
            }
            return;
        }
    };
    waiting.push_back(Stretch::Bytes(Bytes::from(bytes).slice(at(from)..at(to))));
}

type Fetching = Pin<Box<dyn Future<Output = Result<Bytes, BodyError>>>>;

/// The bytes in their order; one piece is fetched when the client has taken the one before.
pub(super) struct Pieces {
    database: Database,
    waiting: VecDeque<Stretch>,
    fetching: Option<Fetching>,
    check: Option<(Sha256, String)>,
}

impl Pieces {
    /// What is sent next, unless the whole turns out to be another.
    fn checked(&mut self, bytes: Bytes) -> Result<Bytes, BodyError> {
        let Some((hasher, sha256)) = &mut self.check else { return Ok(bytes) };
        hasher.update(&bytes);
        if self.waiting.is_empty() && hex(&hasher.clone().finalize()) != *sha256 {
            return Err(BodyError::Changed);
        }
        Ok(bytes)
    }
}

async fn fetch(
    database: Database,
    sha256: String,
    piece: i64,
    within: std::ops::Range<usize>,
) -> Result<Bytes, BodyError> {
    let read = web::block(move || database.content_piece(&sha256, piece)).await;
    let bytes = Bytes::from(read.map_err(|_| BodyError::NoThread)??);
    if within.end > bytes.len() { Err(BodyError::Changed) } else { Ok(bytes.slice(within)) }
}

impl Stream for Pieces {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(fetching) = &mut this.fetching {
                let Poll::Ready(fetched) = fetching.as_mut().poll(context) else { return Poll::Pending };
                this.fetching = None;
                let checked = fetched.and_then(|bytes| this.checked(bytes));
                if let Err(error) = &checked {
                    tracing::error!(%error, "a download was broken off");
                }
                return Poll::Ready(Some(checked));
            }
            match this.waiting.pop_front() {
                None => return Poll::Ready(None),
                // A body with an empty part in it would seem to end there.
                Some(Stretch::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Stretch::Bytes(bytes)) => return Poll::Ready(Some(this.checked(bytes))),
                Some(Stretch::Piece(sha256, piece, within)) => {
                    this.fetching = Some(Box::pin(fetch(this.database.clone(), sha256, piece, within)));
                }
            }
        }
    }
}
