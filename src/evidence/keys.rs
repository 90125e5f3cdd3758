//! Ed25519 keys and the signatures made with them.
//!
//! Keys are written as the C2SP signed-note format writes them, `name+id+base64`, so that other programs can read
//! them. A key's id is the first four bytes of the SHA-256 over name, newline, the byte 1 and the public key.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The name every key of this program carries.
pub const KEY_NAME: &str = "scilit";

/// The byte that says Ed25519 before a key.
const ED25519: u8 = 1;

/// What a signature is for. Each kind signs other bytes, so that a signature of one can never pass for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A receipt.
    Receipt,
    /// A signed note, whose text begins with its own origin: a checkpoint of the audit log.
    Note,
    /// A statement about a run, in the pre-authentication encoding of DSSE without its first word.
    Statement,
}

impl Purpose {
    /// What precedes the message in the bytes that are signed.
    pub fn context(self) -> &'static str {
        match self {
            Self::Receipt => "scilit receipt v2\n",
            Self::Note => "",
            Self::Statement => "DSSEv1 ",
        }
    }

    fn bytes(self, message: &[u8]) -> Vec<u8> {
        [self.context().as_bytes(), message].concat()
    }
}

/// Why a text is no key, or a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not `name+id+base64` of an Ed25519 key.
    #[error("read the key: it is not of the form scilit+id+base64")]
    Format,
    /// The id in the text is not the key's.
    #[error("read the key: its id is not the id of these bytes")]
    Id,
    /// No key with the signature's id is known.
    #[error("check the signature: its key is not known")]
    UnknownKey,
    /// The signature is not this key's over these bytes.
    #[error("check the signature: it does not fit")]
    Signature,
    /// There is no signature.
    #[error("check the signature: there is none")]
    Unsigned,
}

/// A secret key. Prints nothing of itself and is wiped when dropped.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    verifier: Verifier,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.key_id())
    }
}

impl Signer {
    /// The key of thirty-two random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let verifier = Verifier { key: key.verifying_key() };
        Self { key, verifier }
    }

    /// Reads what [`Signer::secret_text`] wrote.
    ///
    /// # Errors
    /// `Format` or `Id`.
    pub fn from_secret_text(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix("PRIVATE+KEY+").ok_or(KeyError::Format)?;
        let (id, bytes) = split(rest)?;
        let signer = Self::from_seed(&bytes);
        if signer.key_id() == id { Ok(signer) } else { Err(KeyError::Id) }
    }

    /// The secret as text: for a file that only its owner can read, and nowhere else.
    pub fn secret_text(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([&[ED25519][..], self.key.as_bytes()].concat());
        Zeroizing::new(format!("PRIVATE+KEY+{KEY_NAME}+{}+{}", self.key_id(), STANDARD.encode(bytes.as_slice())))
    }

    /// The public half.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Eight hex digits that name the key.
    pub fn key_id(&self) -> String {
        self.verifier.key_id()
    }

    /// Signs; the signature in base64.
    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> String {
        STANDARD.encode(self.sign_bytes(purpose, message))
    }

    pub(super) fn sign_bytes(&self, purpose: Purpose, message: &[u8]) -> [u8; 64] {
        self.key.sign(&purpose.bytes(message)).to_bytes()
    }
}

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verifier {
    key: VerifyingKey,
}

impl fmt::Display for Verifier {
    /// `scilit+id+base64`, the form of the C2SP note format.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KEY_NAME}+{}+{}", self.key_id(), STANDARD.encode(self.typed()))
    }
}

impl std::str::FromStr for Verifier {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (id, bytes) = split(text)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Format)?;
        let verifier = Self { key };
        if verifier.key_id() == id { Ok(verifier) } else { Err(KeyError::Id) }
    }
}

impl Verifier {
    /// The thirty-two bytes of the public key.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// Eight hex digits that name the key.
    pub fn key_id(&self) -> String {
        self.id().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn id(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        hash.update(KEY_NAME);
        hash.update("\n");
        hash.update(self.typed());
        let digest: [u8; 32] = hash.finalize().into();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    fn typed(&self) -> Vec<u8> {
        [&[ED25519][..], self.key.as_bytes()].concat()
    }

    /// Holds a base64 signature against this key.
    ///
    /// # Errors
    /// `Signature` when it does not fit, stray bits in the base64 included.
    pub fn verify(&self, purpose: Purpose, message: &[u8], signature: &str) -> Result<(), KeyError> {
        let bytes = STANDARD.decode(signature).map_err(|_| KeyError::Signature)?;
        self.verify_bytes(purpose, message, &bytes)
    }

    pub(super) fn verify_bytes(&self, purpose: Purpose, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| KeyError::Signature)?;
        // Strict: refuses the weak keys and the second encodings that would let one signature fit several messages.
        self.key.verify_strict(&purpose.bytes(message), &signature).map_err(|_| KeyError::Signature)
    }
}

/// Id and key bytes of `scilit+id+base64`.
fn split(text: &str) -> Result<(String, [u8; 32]), KeyError> {
    let rest = text.strip_prefix(KEY_NAME).and_then(|rest| rest.strip_prefix('+')).ok_or(KeyError::Format)?;
    let (id, encoded) = rest.split_once('+').ok_or(KeyError::Format)?;
    let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| KeyError::Format)?);
    match bytes.split_first() {
        Some((&ED25519, key)) => Ok((id.to_owned(), key.try_into().map_err(|_| KeyError::Format)?)),
        _ => Err(KeyError::Format),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_from_their_texts() {
        let signer = Signer::from_seed(&[7; 32]);
        assert_eq!(signer.verifier().to_string().parse::<Verifier>(), Ok(*signer.verifier()));
        let read = Signer::from_secret_text(&signer.secret_text()).expect("a key");
        assert_eq!(read.verifier(), signer.verifier());
    }

    #[test]
    fn a_key_text_with_another_id_name_or_type_is_refused() {
        let text = Signer::from_seed(&[7; 32]).verifier().to_string();
        let id = Signer::from_seed(&[7; 32]).key_id();
        assert_eq!(text.replace(&id, "00000000").parse::<Verifier>(), Err(KeyError::Id));
        assert_eq!(text.replace("scilit", "other").parse::<Verifier>(), Err(KeyError::Format));
        let typed_otherwise = [&[2][..], &Signer::from_seed(&[7; 32]).verifier().to_bytes()].concat();
        let other_type = format!("scilit+{id}+{}", STANDARD.encode(typed_otherwise));
        assert_eq!(other_type.parse::<Verifier>(), Err(KeyError::Format));
        assert_eq!(text[..text.len() - 1].parse::<Verifier>(), Err(KeyError::Format));
    }

    #[test]
    fn a_signature_holds_for_its_key_its_purpose_and_its_message_only() {
        let (signer, other) = (Signer::from_seed(&[7; 32]), Signer::from_seed(&[8; 32]));
        let signature = signer.sign(Purpose::Receipt, b"message");
        let check = |key: &Signer, purpose, message: &[u8]| key.verifier().verify(purpose, message, &signature);
        assert_eq!(check(&signer, Purpose::Receipt, b"message"), Ok(()));
        assert_eq!(check(&other, Purpose::Receipt, b"message"), Err(KeyError::Signature));
        assert_eq!(check(&signer, Purpose::Note, b"message"), Err(KeyError::Signature));
        assert_eq!(check(&signer, Purpose::Receipt, b"messagf"), Err(KeyError::Signature));
    }

    #[test]
    fn a_note_cannot_be_written_that_passes_for_a_receipt() {
        // A note is signed without a context; its first line is its origin, which is checked to be the log's.
        assert!(!super::super::note::ORIGIN.starts_with("scilit receipt"));
        assert!(Purpose::Receipt.context().ends_with('\n'));
        assert!(!super::super::note::ORIGIN.starts_with("DSSE"), "nor for a statement");
    }

    #[test]
    fn nothing_of_the_secret_is_printed() {
        let signer = Signer::from_seed(&[7; 32]);
        assert_eq!(format!("{signer:?}"), format!("Signer({})", signer.key_id()));
    }
}
