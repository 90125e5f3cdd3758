//! Sealing: XChaCha20-Poly1305 under a random nonce, bound to the place where the sealed value stands.

use chacha20poly1305::{
    Key as CipherKey, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::VaultError;

/// The first byte of every sealed value: which algorithm sealed it, so that another can stand beside it one day.
const XCHACHA20_POLY1305: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Where a sealed value stands: `table|column|row|key version`. A value that is moved elsewhere does not open there.
/// The parts before the row are ours and have no bar, the version is a number, so no two places read the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn of_field(survey_id: &str, case_id: &str, field: &str) -> Self {
        // A case's key is never rotated itself, only sealed anew: its fields know one version.
        Self(format!("identity_field|{field}|{survey_id}/{case_id}|1"))
    }

    pub(super) fn of_note((survey_id, case_id): (&str, &str), (device_id, seq): (&str, i64), field: &str) -> Self {
        Self(format!("identity_note|{field}|{device_id}/{seq}/{survey_id}/{case_id}|1"))
    }

    pub(super) fn of_piece(attachment_id: &str, place: i64) -> Self {
        Self(format!("attachment_piece|sealed|{attachment_id}/{place}|1"))
    }

    pub(super) fn of_case_key(survey_id: &str, case_id: &str, key_version: i32) -> Self {
        Self(format!("identity_case|case_key|{survey_id}/{case_id}|{key_version}"))
    }

    pub(super) fn of_survey_key(column: &str, survey_id: &str, key_version: i32) -> Self {
        Self(format!("identity_survey|{column}|{survey_id}|{key_version}"))
    }
}

/// 256 secret bits, wiped when they are no longer needed.
pub(super) struct Key(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    pub(super) fn fresh() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut()).map_err(VaultError::Random)?;
        Ok(Self(bytes))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, VaultError> {
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(VaultError::Sealed);
        }
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    pub(super) fn copy(&self) -> Self {
        Self(self.0.clone())
    }

    /// Algorithm, nonce, ciphertext and tag.
    pub(super) fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(VaultError::Random)?;
        let payload = Payload { msg: plain, aad: place.0.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Sealed)?;
        Ok([&[XCHACHA20_POLY1305][..], &nonce, &sealed].concat())
    }

    pub(super) fn open(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let rest = sealed.strip_prefix(&[XCHACHA20_POLY1305]).ok_or(VaultError::Sealed)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(VaultError::Sealed)?;
        let payload = Payload { msg: sealed, aad: place.0.as_bytes() };
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| VaultError::Sealed)?;
        Ok(Zeroizing::new(plain))
    }

    /// HMAC-SHA-256: equal texts can be found, and nobody without the key can try telephone numbers.
    pub(super) fn index(&self, text: &[u8]) -> Vec<u8> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.bytes())
            .unwrap_or_else(|error| unreachable!("HMAC takes keys of any length: {error}"));
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    }

    /// HMAC-SHA-256 of a text at its place, under a key of its own that is derived from this one: equal texts at one place
    /// are found to be equal, and nobody without the key can try any.
    pub(super) fn digest(&self, place: &Place, text: &[u8]) -> Vec<u8> {
        let derived = Zeroizing::new(self.index(b"scilit/digest-key/1"));
        let Ok(key) = Self::from_bytes(&derived) else { unreachable!("an HMAC-SHA-256 has 32 bytes") };
        key.index(&[place.0.as_bytes(), b"\0", text].concat())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&CipherKey::from(*self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place::of_field("survey", "c1", "name")
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_and_never_looks_the_same() {
        let key = Key::fresh().expect("a key");
        let (one, two) = (key.seal(&place(), b"x").expect("sealed"), key.seal(&place(), b"x").expect("sealed"));
        assert_ne!(one, two);
        assert_eq!(key.open(&place(), &one).expect("open").as_slice(), b"x");
    }

    #[test]
    fn a_sealed_value_opens_in_no_other_row_column_or_version_and_under_no_other_key() {
        let key = Key::fresh().expect("a key");
        let sealed = key.seal(&place(), b"x").expect("sealed");
        for other in [Place::of_field("survey", "c2", "name"), Place::of_field("survey", "c1", "phone")] {
            assert!(matches!(key.open(&other, &sealed), Err(VaultError::Sealed)));
        }
        let wrapped = key.seal(&Place::of_case_key("survey", "c1", 1), b"k").expect("sealed");
        assert!(matches!(key.open(&Place::of_case_key("survey", "c1", 2), &wrapped), Err(VaultError::Sealed)));
        assert!(matches!(Key::fresh().expect("a key").open(&place(), &sealed), Err(VaultError::Sealed)));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_found() {
        let key = Key::fresh().expect("a key");
        let sealed = key.seal(&place(), "张三".as_bytes()).expect("sealed");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(&place(), &changed).is_err(), "byte {at}");
            assert!(key.open(&place(), &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    /// The test vector of draft-irtf-cfrg-xchacha-03, section A.3.1, so that another program can open what this one sealed.
    #[test]
    fn the_cipher_is_the_published_one() {
        let hex = |text: &str| -> Vec<u8> {
            let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
            (0..text.len()).step_by(2).map(digits).collect()
        };
        let key =
            Key::from_bytes(&hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")).expect("a key");
        let nonce: [u8; 24] = hex("404142434445464748494a4b4c4d4e4f5051525354555657").try_into().expect("a nonce");
        let aad = hex("50515253c0c1c2c3c4c5c6c7");
        let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let sealed = key.cipher().encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad }).expect("sealed");
        assert_eq!(sealed[sealed.len() - 16..], hex("c0875924c1c7987947deafd8780acf49"));
    }

    #[test]
    fn equal_telephone_numbers_have_equal_look_up_values_under_one_key_only() {
        let (key, other) = (Key::fresh().expect("a key"), Key::fresh().expect("a key"));
        assert_eq!(key.index(b"13800001234"), key.index(b"13800001234"));
        assert_ne!(key.index(b"13800001234"), other.index(b"13800001234"));
        assert_ne!(key.index(b"13800001234"), key.index(b"13800001235"));
    }
}
