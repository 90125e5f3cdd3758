//! Pieces of attachments, sealed under a key of each attachment's own: a voice or a face says who somebody is.

use zeroize::Zeroizing;

use super::{
    KeyRing, Vault, VaultError,
    cipher::{Key, Place},
    notes::{NO_SURVEY, open_case},
    open_survey,
};
use crate::{server::Refusal, storage::NoteKeys};

/// Seals and opens the pieces of one attachment.
pub struct PieceKey {
    key: Key,
    id: String,
}

impl Vault<'_> {
    /// A new attachment's key on its way into the vault, or the one that is there.
    ///
    /// # Errors
    /// When the key file or a sealed key cannot be used.
    pub fn new_piece_key(&self, id: &str, now_ms: i64) -> Result<Vec<NoteKeys>, Refusal> {
        self.keys_of(NO_SURVEY, id, now_ms)
    }

    /// The key of an attachment.
    ///
    /// # Errors
    /// `NoContact` when there is none any more; `Sealed` when a row was tampered with.
    pub fn piece_key(&self, id: &str) -> Result<PieceKey, Refusal> {
        let (survey, case) = self.database.sealed_keys(NO_SURVEY, id)?.ok_or(VaultError::NoContact)?;
        let ring = KeyRing::open(self.key_dir).map_err(VaultError::from)?;
        let keys = open_survey(&ring, &survey)?;
        let key = open_case(&survey, &keys.data, &case)?.ok_or(VaultError::NoContact)?;
        Ok(PieceKey { key, id: id.to_owned() })
    }
}

impl PieceKey {
    /// Seals the bytes that begin at a place.
    ///
    /// # Errors
    /// `Random`.
    pub fn seal(&self, place: i64, bytes: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.key.seal(&Place::of_piece(&self.id, place), bytes)
    }

    /// Opens the piece that begins at a place.
    ///
    /// # Errors
    /// `Sealed` when it was changed or belongs elsewhere.
    pub fn open(&self, place: i64, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.key.open(&Place::of_piece(&self.id, place), sealed)
    }
}
