//! The key that tablets seal packages to: HPKE (RFC 9180) in base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and
//! AES-256-GCM, which is what browsers have of their own.
//!
//! `sealing.toml` in the key folder holds every secret there ever was, because a package that was made before a rotation
//! may be handed in after it. The last one is in use.

use std::{fmt, fs, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use hpke::{
    Deserializable, Kem as _, OpModeR, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::DhP256HkdfSha256,
    single_shot_open,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    KeysError,
    keys::{make_folder, refuse_exposed, sync, write_private},
};
use crate::evidence::sha256_hex;

type Kem = DhP256HkdfSha256;
type Secret = <Kem as hpke::Kem>::PrivateKey;

/// The file of the sealing keys.
const FILE: &str = "sealing.toml";

/// What the sealed bytes are for; part of the sealing.
const PURPOSE: &[u8] = b"scilit-tablet-package/2";

/// Hex digits that tell keys apart.
const ID_DIGITS: usize = 8;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    keys: Vec<KeyRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRow {
    from_ms: i64,
    secret: Zeroizing<String>,
}

/// One key.
struct SealingKey {
    id: String,
    public: String,
    secret: Secret,
}

/// Why sealed bytes stay closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// No key of this server has the id.
    #[error("open what a tablet sealed: it was sealed to another server's key")]
    UnknownKey,
    /// The bytes were changed, or are those of another tablet.
    #[error("open what a tablet sealed: the bytes were changed on their way")]
    Damaged,
}

/// The keys; the last is in use. Cloning shares them.
#[derive(Clone)]
pub struct SealingKeys(Arc<[SealingKey]>);

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl SealingKeys {
    /// Reads the keys of the folder, or makes the first.
    ///
    /// # Errors
    /// `Exposed` when others can read the file; `File` or `Content` when it is no key file.
    pub fn open(folder: &Path, now_ms: i64) -> Result<Self, KeysError> {
        let path = folder.join(FILE);
        let fault = |source| KeysError::File { path: path.clone(), source };
        if !path.exists() {
            make_folder(folder).map_err(fault)?;
            let draft = folder.join(format!("{FILE}.{}", std::process::id()));
            let text = text_of(&KeyFile { keys: vec![fresh(now_ms)?] }, &path)?;
            let made = write_private(&draft, text.as_bytes());
            // A server that starts at the same time may be first; then its key is the one.
            let made = made.and_then(|()| fs::hard_link(&draft, &path));
            let _ = fs::remove_file(&draft);
            match made {
                Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => return Err(fault(source)),
                _ => sync(folder).map_err(fault)?,
            }
        }
        let keys: Option<Vec<_>> = read(&path)?.keys.iter().map(|row| key_of(&row.secret)).collect();
        let keys = keys.filter(|keys| !keys.is_empty());
        keys.map(|keys| Self(keys.into())).ok_or_else(|| KeysError::Content(path.clone()))
    }

    /// Adds a key, which is the one in use from the server's next start on; the old ones still open what they opened.
    ///
    /// # Errors
    /// When the file cannot be read or written; then it is as it was.
    pub fn rotate(folder: &Path, now_ms: i64) -> Result<Self, KeysError> {
        Self::open(folder, now_ms)?;
        let path = folder.join(FILE);
        let mut file = read(&path)?;
        file.keys.push(fresh(now_ms)?);
        let (draft, text) = (folder.join(format!("{FILE}.{}", std::process::id())), text_of(&file, &path)?);
        let written = write_private(&draft, text.as_bytes()).and_then(|()| fs::rename(&draft, &path));
        written.and_then(|()| sync(folder)).map_err(|source| KeysError::File { path, source })?;
        Self::open(folder, now_ms)
    }

    /// The id and the public key in use, as an uncompressed point in base64.
    pub fn in_use(&self) -> Option<(&str, &str)> {
        self.0.last().map(|key| (key.id.as_str(), key.public.as_str()))
    }

    /// Opens what the tablet sealed.
    ///
    /// # Errors
    /// `UnknownKey`; `Damaged` when a byte was changed or the tablet is another.
    pub fn unseal(
        &self,
        key: &str,
        tablet: &str,
        encapsulated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealedError> {
        let key = self.0.iter().find(|known| known.id == key).ok_or(SealedError::UnknownKey)?;
        let encapsulated = Deserializable::from_bytes(encapsulated).map_err(|_| SealedError::Damaged)?;
        let (mode, aad) = (OpModeR::Base, tablet.as_bytes());
        let opened =
            single_shot_open::<AesGcm256, HkdfSha256, Kem>(&mode, &key.secret, &encapsulated, PURPOSE, sealed, aad);
        opened.map(Zeroizing::new).map_err(|_| SealedError::Damaged)
    }
}

fn key_of(text: &str) -> Option<SealingKey> {
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    let secret = Secret::from_bytes(&bytes).ok()?;
    let public = Kem::sk_to_pk(&secret).to_bytes();
    let id = sha256_hex(&public).chars().take(ID_DIGITS).collect();
    Some(SealingKey { id, public: STANDARD.encode(public), secret })
}

fn read(path: &Path) -> Result<KeyFile, KeysError> {
    refuse_exposed(path)?;
    let fault = |source| KeysError::File { path: path.to_owned(), source };
    let text = Zeroizing::new(fs::read_to_string(path).map_err(fault)?);
    // toml's message would quote the line that holds the secret.
    toml::from_str(&text).map_err(|_| KeysError::Content(path.to_owned()))
}

fn fresh(now_ms: i64) -> Result<KeyRow, KeysError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(KeysError::Random)?;
    let (secret, _) = Kem::derive_keypair(seed.as_ref());
    Ok(KeyRow { from_ms: now_ms, secret: Zeroizing::new(STANDARD.encode(secret.to_bytes())) })
}

fn text_of(file: &KeyFile, path: &Path) -> Result<Zeroizing<String>, KeysError> {
    let text = toml::to_string(file).map_err(|_| KeysError::Content(path.to_owned()))?;
    Ok(Zeroizing::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_outlives_a_restart_and_opens_only_what_it_was_given_by_that_tablet() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = SealingKeys::open(folder.path(), 1).expect("keys");
        let read = SealingKeys::open(folder.path(), 2).expect("keys");
        let (id, public) = made.in_use().expect("a key");
        assert_eq!(read.in_use(), Some((id, public)));
        let point = STANDARD.decode(public).expect("base64");
        let to = Deserializable::from_bytes(&point).expect("a point");
        let mut random = Fixed(7);
        let (encapsulated, sealed) = hpke::single_shot_seal::<AesGcm256, HkdfSha256, Kem, _>(
            &hpke::OpModeS::Base,
            &to,
            PURPOSE,
            "一行".as_bytes(),
            b"tablet-1",
            &mut random,
        )
        .expect("sealed");
        let (encapsulated, mut sealed) = (encapsulated.to_bytes().to_vec(), sealed);
        let opened = read.unseal(id, "tablet-1", &encapsulated, &sealed).expect("opened");
        assert_eq!(opened.as_slice(), "一行".as_bytes());
        assert_eq!(read.unseal(id, "tablet-2", &encapsulated, &sealed), Err(SealedError::Damaged));
        assert_eq!(read.unseal("00000000", "tablet-1", &encapsulated, &sealed), Err(SealedError::UnknownKey));
        assert_eq!(read.unseal(id, "tablet-1", &encapsulated[1..], &sealed), Err(SealedError::Damaged));
        let newer = SealingKeys::rotate(folder.path(), 3).expect("a new key");
        assert_ne!(newer.in_use(), Some((id, public)));
        assert!(newer.unseal(id, "tablet-1", &encapsulated, &sealed).is_ok(), "the old key still opens");
        sealed[0] ^= 1;
        assert_eq!(read.unseal(id, "tablet-1", &encapsulated, &sealed), Err(SealedError::Damaged));
    }

    /// Bytes that a test can have again.
    struct Fixed(u8);

    impl hpke::rand_core::RngCore for Fixed {
        fn next_u32(&mut self) -> u32 {
            self.0 = self.0.wrapping_mul(31).wrapping_add(7);
            u32::from(self.0)
        }

        fn next_u64(&mut self) -> u64 {
            u64::from(self.next_u32())
        }

        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            bytes.iter_mut().for_each(|byte| *byte = u8::try_from(self.next_u32()).unwrap_or(0));
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), hpke::rand_core::Error> {
            self.fill_bytes(bytes);
            Ok(())
        }
    }

    impl hpke::rand_core::CryptoRng for Fixed {}
}
