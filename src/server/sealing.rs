//! The key that tablets seal records, events and packages to: HPKE (RFC 9180) in base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and
//! AES-256-GCM, which is what browsers have of their own.
//!
//! `sealing.toml` in the key folder holds every secret there ever was, because what was sealed before a rotation may be
//! handed in after it. The last one is in use.

use std::{fmt, fs, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use hpke::{
    Deserializable, Kem as _, OpModeR, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::DhP256HkdfSha256,
    single_shot_open,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
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

/// Bytes that a tablet sealed, as they travel.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The tablet that sealed them.
    pub tablet: String,
    /// The id of the server's key.
    pub key: String,
    /// The encapsulated key, base64.
    pub enc: String,
    /// The sealed bytes, base64.
    pub data: String,
}

/// What sealed bytes are, so that none can be taken for another's.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// What they are for: HPKE's `info`.
    pub purpose: &'a str,
    /// What names them besides the tablet: with it the additional data, one a line.
    pub names: &'a [&'a str],
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

    /// Opens what a tablet sealed.
    ///
    /// # Errors
    /// `UnknownKey`; `Damaged` when a byte was changed, or when the bytes are another tablet's or something else.
    pub fn unseal(&self, envelope: &Envelope, bound: Bound<'_>) -> Result<Zeroizing<Vec<u8>>, SealedError> {
        let key = self.0.iter().find(|known| known.id == envelope.key).ok_or(SealedError::UnknownKey)?;
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| SealedError::Damaged);
        let (encapsulated, sealed) = (bytes(&envelope.enc)?, bytes(&envelope.data)?);
        let encapsulated = Deserializable::from_bytes(&encapsulated).map_err(|_| SealedError::Damaged)?;
        let aad = [&[envelope.tablet.as_str()], bound.names].concat().join("\n");
        let (mode, info, aad) = (OpModeR::Base, bound.purpose.as_bytes(), aad.as_bytes());
        let opened =
            single_shot_open::<AesGcm256, HkdfSha256, Kem>(&mode, &key.secret, &encapsulated, info, &sealed, aad);
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
            b"a purpose",
            "一行".as_bytes(),
            b"tablet-1\none\n2",
            &mut random,
        )
        .expect("sealed");
        let (enc, data) = (STANDARD.encode(encapsulated.to_bytes()), STANDARD.encode(&sealed));
        let good = Envelope { tablet: "tablet-1".to_owned(), key: id.to_owned(), enc, data };
        let bound = Bound { purpose: "a purpose", names: &["one", "2"] };
        assert_eq!(read.unseal(&good, bound).expect("opened").as_slice(), "一行".as_bytes());
        let refused = |envelope: Envelope| read.unseal(&envelope, bound).expect_err("closed");
        assert_eq!(refused(Envelope { tablet: "tablet-2".to_owned(), ..good.clone() }), SealedError::Damaged);
        assert_eq!(refused(Envelope { key: "00000000".to_owned(), ..good.clone() }), SealedError::UnknownKey);
        assert_eq!(refused(Envelope { enc: "AA==".to_owned(), ..good.clone() }), SealedError::Damaged);
        assert_eq!(refused(Envelope { enc: "“".to_owned(), ..good.clone() }), SealedError::Damaged);
        let mut changed = sealed;
        changed[0] ^= 1;
        assert_eq!(refused(Envelope { data: STANDARD.encode(&changed), ..good.clone() }), SealedError::Damaged);
        for other in [Bound { purpose: "another", ..bound }, Bound { names: &["one"], ..bound }] {
            assert_eq!(read.unseal(&good, other), Err(SealedError::Damaged), "{other:?}");
        }
        let newer = SealingKeys::rotate(folder.path(), 3).expect("a new key");
        assert_ne!(newer.in_use(), Some((id, public)));
        assert!(newer.unseal(&good, bound).is_ok(), "the old key still opens");
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
