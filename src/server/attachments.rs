//! Attachments: taken piece by piece, so that a broken link costs one piece, and held against their digest at the end.
//!
//! An interview names its attachments by id and digest; that is all that links them, whichever comes first.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    Refusal,
    secrets::hex,
    vault::{PieceKey, Vault},
};
use crate::storage::{Attachment, AttachmentLink, Author, Database, PlacedBody, StorageError};

/// Unfinished attachments of one person at most: what is begun and never ended must not fill the disk.
const OPEN_MAX: i64 = 100;

/// How often a new key is made again after the vault's keys changed meanwhile.
const SEALINGS_MAX: usize = 5;

/// Why a piece was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentRefusal {
    /// The bytes there end elsewhere.
    #[error("go on at {0}: the bytes there end elsewhere")]
    WrongOffset(i64),
    /// Another file was begun under this id.
    #[error("take the attachment: another was begun under its id")]
    Differs,
    /// The person has too many unfinished ones.
    #[error("begin an attachment: too many are unfinished")]
    TooManyOpen,
    /// Its time was over, or the person was erased; nothing of it is taken any more.
    #[error("take the attachment: it was deleted")]
    Deleted,
    /// All bytes are there and have another digest; they are forgotten.
    #[error("keep the attachment: its bytes have another digest")]
    Damaged,
}

/// What a tablet says of an attachment with each piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Its id.
    pub id: String,
    /// The person whose it is, or the token.
    pub owner: String,
    /// Its bytes in all.
    pub length: i64,
    /// SHA-256 of all of them.
    pub sha256: String,
}

/// The attachment that was announced, begun if it is new, with the key of its pieces.
///
/// # Errors
/// `WrongOffset`, `Differs`, `TooManyOpen`; whatever the database or the vault refused.
pub fn go_on(
    vault: Vault<'_>,
    announced: Announced,
    offset: i64,
    by: &Author,
    now_ms: i64,
) -> Result<(Attachment, PieceKey), Refusal> {
    let found = match vault.database.attachment(&announced.id)? {
        Some(found) => found,
        None if offset != 0 => return Err(AttachmentRefusal::WrongOffset(0).into()),
        None => begin(vault, &announced, by, now_ms)?,
    };
    let same = (&found.owner, found.length, &found.sha256);
    if same != (&announced.owner, announced.length, &announced.sha256) {
        return Err(AttachmentRefusal::Differs.into());
    }
    if found.deleted_at_ms.is_some() {
        return Err(AttachmentRefusal::Deleted.into());
    }
    if found.received != offset {
        return Err(AttachmentRefusal::WrongOffset(found.received).into());
    }
    let key = vault.piece_key(&found.id)?;
    Ok((found, key))
}

fn begin(vault: Vault<'_>, announced: &Announced, by: &Author, now_ms: i64) -> Result<Attachment, Refusal> {
    let Announced { id, owner, length, sha256 } = announced.clone();
    let new = Attachment {
        id,
        owner,
        length,
        sha256,
        received: 0,
        begun_at_ms: now_ms,
        completed_at_ms: None,
        deleted_at_ms: None,
    };
    let mut sealing = 1;
    loop {
        let keys = vault.new_piece_key(&new.id, now_ms)?;
        match vault.database.begin_attachment(&new, &keys, OPEN_MAX, by) {
            Err(StorageError::KeysChanged) if sealing < SEALINGS_MAX => sealing += 1,
            begun => return begun?.ok_or_else(|| AttachmentRefusal::TooManyOpen.into()),
        }
    }
}

/// Keeps a piece; where the bytes end then.
///
/// # Errors
/// `WrongOffset` when another request was first; whatever the database refused.
pub fn add_piece(vault: Vault<'_>, key: &PieceKey, id: &str, place: i64, bytes: &[u8]) -> Result<i64, Refusal> {
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    if vault.database.add_piece(id, place, length, &key.seal(place, bytes)?)? {
        return Ok(place + length);
    }
    let received = vault.database.attachment(id)?.map_or(0, |found| found.received);
    Err(AttachmentRefusal::WrongOffset(received).into())
}

/// Holds an attachment whose bytes are all there against its digest.
///
/// # Errors
/// `Damaged`, and it begins anew; whatever the database or the vault refused.
pub fn end(vault: Vault<'_>, id: &str, by: &Author, now_ms: i64) -> Result<(), Refusal> {
    let Some(found) = vault.database.attachment(id)? else { return Ok(()) };
    if found.completed_at_ms.or(found.deleted_at_ms).is_some() {
        return Ok(());
    }
    let is_whole = hex(&Sha256::digest(bytes(vault, id)?.as_slice())) == found.sha256;
    vault.database.end_attachment(id, is_whole, by, now_ms)?;
    if is_whole { Ok(()) } else { Err(AttachmentRefusal::Damaged.into()) }
}

/// All bytes of an attachment that are there.
///
/// # Errors
/// Whatever the database or the vault refused.
pub fn bytes(vault: Vault<'_>, id: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let key = vault.piece_key(id)?;
    let mut all = Zeroizing::new(Vec::new());
    for (place, sealed) in vault.database.pieces(id)? {
        all.extend_from_slice(&key.open(place, &sealed)?);
    }
    Ok(all)
}

/// An attachment as an interview names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NamedAttachment {
    /// Its id.
    pub uuid: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// `audio`, `photo`, or whatever the tablet says.
    #[serde(default)]
    pub kind: String,
}

/// The attachments that the bytes of an interview name; none in bytes that say it otherwise.
pub fn named_in(body: &[u8]) -> Vec<NamedAttachment> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        attachments: Vec<serde_json::Value>,
    }
    let body: Result<Body, _> = serde_json::from_slice(body);
    let named = body.map(|body| body.attachments).unwrap_or_default().into_iter();
    named.filter_map(|one| serde_json::from_value(one).ok()).collect()
}

/// Bodies that are looked at together.
const BODIES_AT_ONCE: i64 = 200;

/// How far back a look begins again: of two arrivals at once the later number may be committed first.
const BODIES_AGAIN: i64 = 1000;

/// Reads which attachments the bodies name that arrived since the last time, so that nobody reads all bodies each day.
///
/// # Errors
/// Whatever the database refused; the next time goes on where this one ended.
pub fn read_links(database: &Database) -> Result<(), StorageError> {
    let mut through_seq = database.looked_at_through()? - BODIES_AGAIN;
    loop {
        let bodies = database.bodies_after(through_seq, BODIES_AT_ONCE)?;
        let Some((last, _, _)) = bodies.last() else { return Ok(()) };
        through_seq = *last;
        let of = |(_, interview_id, body): &PlacedBody| {
            let link = |named: NamedAttachment| AttachmentLink {
                attachment_id: named.uuid,
                interview_id: interview_id.clone(),
                sha256: named.sha256,
                kind: named.kind,
            };
            named_in(body).into_iter().map(link).collect::<Vec<_>>()
        };
        database.keep_links(through_seq, &bodies.iter().flat_map(of).collect::<Vec<_>>())?;
    }
}

/// How much of a named attachment is there: `missing`, `partial`, `complete`, `different` when other bytes stand under its id,
/// or `deleted`.
pub fn state_of(named: &NamedAttachment, found: Option<&Attachment>) -> &'static str {
    match found {
        None => "missing",
        Some(found) if found.sha256 != named.sha256 => "different",
        Some(found) if found.deleted_at_ms.is_some() => "deleted",
        Some(found) if found.completed_at_ms.is_none() => "partial",
        Some(_) => "complete",
    }
}

impl From<AttachmentRefusal> for Refusal {
    fn from(refusal: AttachmentRefusal) -> Self {
        Self::Attachment(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_interview_names_is_read_and_nonsense_names_nothing() {
        let named =
            named_in(br#"{"id":"x","attachments":[{"uuid":"a","sha256":"b","size":3,"kind":"audio"},{"uuid":1}]}"#);
        assert_eq!(named.len(), 1);
        assert_eq!((named[0].uuid.as_str(), named[0].kind.as_str()), ("a", "audio"));
        for nothing in ["{}", "[]", "", "{\"attachments\":7}", "{\"attachments\":null}"] {
            assert!(named_in(nothing.as_bytes()).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn an_attachment_is_linked_by_id_and_digest() {
        let named = NamedAttachment { uuid: "a".to_owned(), sha256: "b".to_owned(), kind: String::new() };
        let found = |sha256: &str, completed_at_ms| Attachment {
            id: "a".to_owned(),
            owner: "o".to_owned(),
            length: 1,
            sha256: sha256.to_owned(),
            received: 1,
            begun_at_ms: 1,
            completed_at_ms,
            deleted_at_ms: None,
        };
        assert_eq!(state_of(&named, None), "missing");
        assert_eq!(state_of(&named, Some(&found("b", None))), "partial");
        assert_eq!(state_of(&named, Some(&found("b", Some(2)))), "complete");
        assert_eq!(state_of(&named, Some(&found("c", Some(2)))), "different");
    }
}
