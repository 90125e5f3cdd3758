//! The server's signing keys, in a folder that only its user can read.
//!
//! `signing.toml` holds the secret of the key in use and the public half of every key there ever was: what an old key
//! signed can be verified for ever, and nobody can sign with it again, because its secret is gone.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::evidence::{KeyError, Signer, Verifier};

/// The file of the signing keys.
const FILE: &str = "signing.toml";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The folder or file cannot be made, read or written.
    #[error("use the key file {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others than the owner can read the file.
    #[error("use the key file {}: other users can read it; chmod 600 it and, if they may have read it, run `scilit keys rotate`", .0.display())]
    Exposed(PathBuf),
    /// The file is not what this program writes. What stands in it is never told.
    #[error("read the key file {}: it is not a file of signing keys", .0.display())]
    Content(PathBuf),
    /// A key in the file is none.
    #[error("read the key file {}: {source}", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// The operating system gave no random bytes.
    #[error("draw a key: {0}")]
    Random(getrandom::Error),
}

/// A public key with the time it was in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    /// The key.
    pub key: Verifier,
    /// In use since then, epoch milliseconds.
    pub from_ms: i64,
    /// In use until then; nothing while it is in use.
    pub until_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    secret: Zeroizing<String>,
    keys: Vec<KeyRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRow {
    key: String,
    from_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_ms: Option<i64>,
}

/// The key in use and every public key. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Keys {
    signer: Arc<Signer>,
    public: Arc<[PublicKey]>,
}

impl Keys {
    /// Reads the keys of the folder, or makes folder and key at the first start; whether they were made.
    ///
    /// # Errors
    /// `Exposed` when others can read the file; `File`, `Content` or `Key` when it is no key file.
    pub fn open(folder: &Path, now_ms: i64) -> Result<(Self, bool), KeysError> {
        let path = folder.join(FILE);
        if path.exists() {
            return Ok((Self::read(&path)?, false));
        }
        make_folder(folder).map_err(|source| KeysError::File { path: folder.to_owned(), source })?;
        let signer = fresh()?;
        let public = [PublicKey { key: *signer.verifier(), from_ms: now_ms, until_ms: None }];
        let keys = Self { signer: Arc::new(signer), public: public.into() };
        // A server that starts at the same time may be first; then its key is the one.
        let made = keys.write(folder, |from, to| fs::hard_link(from, to));
        match made {
            Err(KeysError::File { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {
                Ok((Self::read(&path)?, false))
            }
            made => made.map(|()| (keys, true)),
        }
    }

    /// Puts a new key in the place of the one in use, whose secret is gone afterwards.
    ///
    /// # Errors
    /// When the file cannot be written; then the old key stays in use.
    pub fn rotate(&self, folder: &Path, now_ms: i64) -> Result<Self, KeysError> {
        let signer = fresh()?;
        let ended = |key: &PublicKey| PublicKey { until_ms: key.until_ms.or(Some(now_ms)), ..*key };
        let new = PublicKey { key: *signer.verifier(), from_ms: now_ms, until_ms: None };
        let public: Vec<_> = self.public.iter().map(ended).chain([new]).collect();
        let keys = Self { signer: Arc::new(signer), public: public.into() };
        keys.write(folder, |from, to| fs::rename(from, to))?;
        Ok(keys)
    }

    /// The key in use.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Every public key, the oldest first; the last is in use.
    pub fn public(&self) -> &[PublicKey] {
        &self.public
    }

    /// Every public key, to verify with.
    pub fn verifiers(&self) -> Vec<Verifier> {
        self.public.iter().map(|known| known.key).collect()
    }

    fn read(path: &Path) -> Result<Self, KeysError> {
        let fault = |source| KeysError::File { path: path.to_owned(), source };
        refuse_exposed(path)?;
        let text = Zeroizing::new(fs::read_to_string(path).map_err(fault)?);
        // toml's message would quote the line that holds the secret.
        let file: KeyFile = toml::from_str(&text).map_err(|_| KeysError::Content(path.to_owned()))?;
        let key = |source| KeysError::Key { path: path.to_owned(), source };
        let signer = Signer::from_secret_text(&file.secret).map_err(key)?;
        let row = |row: &KeyRow| {
            let known = row.key.parse().map_err(key)?;
            Ok(PublicKey { key: known, from_ms: row.from_ms, until_ms: row.until_ms })
        };
        let public: Vec<PublicKey> = file.keys.iter().map(row).collect::<Result<_, KeysError>>()?;
        match public.last().is_some_and(|last| last.key == *signer.verifier()) {
            true => Ok(Self { signer: Arc::new(signer), public: public.into() }),
            false => Err(KeysError::Content(path.to_owned())),
        }
    }

    /// Writes the file whole or not at all: under another name first, then `place` gives it its own.
    fn write(&self, folder: &Path, place: fn(&Path, &Path) -> std::io::Result<()>) -> Result<(), KeysError> {
        let row =
            |known: &PublicKey| KeyRow { key: known.key.to_string(), from_ms: known.from_ms, until_ms: known.until_ms };
        let file = KeyFile { secret: self.signer.secret_text(), keys: self.public.iter().map(row).collect() };
        let path = folder.join(FILE);
        let text = Zeroizing::new(toml::to_string(&file).map_err(|_| KeysError::Content(path.clone()))?);
        let draft = folder.join(format!("{FILE}.{}", self.signer.key_id()));
        let written = write_private(&draft, text.as_bytes()).and_then(|()| place(&draft, &path));
        // After a rename there is nothing left to remove.
        let _ = fs::remove_file(&draft);
        let written = written.and_then(|()| sync(folder));
        written.map_err(|source| KeysError::File { path, source })
    }
}

fn fresh() -> Result<Signer, KeysError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(KeysError::Random)?;
    Ok(Signer::from_seed(&seed))
}

/// Puts a file into a folder that only its user can read; the file must not exist.
///
/// # Errors
/// When it exists or cannot be written, or the name leads out of the folder.
pub fn put_private_file(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    if Path::new(name).file_name().is_none_or(|plain| plain != name) {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    make_folder(folder)?;
    write_private(&folder.join(name), bytes)?;
    sync(folder)
}

pub(super) fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

pub(super) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new name in a folder is durable once the folder is.
pub(super) fn sync(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

pub(super) fn refuse_exposed(path: &Path) -> Result<(), KeysError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let fault = |source| KeysError::File { path: path.to_owned(), source };
        let mode = fs::metadata(path).map_err(fault)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeysError::Exposed(path.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Receipt;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        (folder, keys)
    }

    #[test]
    fn the_first_start_makes_a_key_and_the_next_one_reads_it() {
        let (_held, folder) = folder();
        let (made, first) = Keys::open(&folder, 1).expect("keys");
        let (read, second) = Keys::open(&folder, 2).expect("keys");
        assert_eq!((first, second), (true, false));
        assert_eq!(read.public(), made.public());
        let names: Vec<_> =
            fs::read_dir(&folder).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
        assert_eq!(names, [FILE], "no draft is left");
    }

    #[test]
    fn an_old_receipt_verifies_after_a_rotation_and_the_old_secret_is_gone() {
        let (_held, folder) = folder();
        let (old, _) = Keys::open(&folder, 1).expect("keys");
        let receipt = Receipt::new("a", 1, "b", 1, 0, false).signed(old.signer());
        old.rotate(&folder, 5).expect("a new key");
        let (read, _) = Keys::open(&folder, 6).expect("keys");
        assert_ne!(read.signer().key_id(), old.signer().key_id());
        assert_eq!(receipt.verify(&read.verifiers()), Ok(()));
        assert_eq!((read.public()[0].until_ms, read.public()[1].until_ms), (Some(5), None));
        let text = fs::read_to_string(folder.join(FILE)).expect("the file");
        assert!(!text.contains(old.signer().secret_text().as_str()));
    }

    #[test]
    fn starts_at_once_agree_on_one_key() {
        let (_held, folder) = folder();
        let ids: Vec<String> = std::thread::scope(|scope| {
            let start = || Keys::open(&folder, 1).expect("keys").0.signer().key_id();
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().expect("a start")).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let (_held, folder) = folder();
        Keys::open(&folder, 1).expect("keys");
        let path = folder.join(FILE);
        assert_eq!(fs::metadata(&path).expect("it").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).expect("it").permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
        assert!(matches!(Keys::open(&folder, 1), Err(KeysError::Exposed(_))));
    }

    #[test]
    fn a_broken_file_is_refused_without_quoting_it() {
        let (_held, folder) = folder();
        let (keys, _) = Keys::open(&folder, 1).expect("keys");
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).expect("the file");
        let secret = keys.signer().secret_text();
        for broken in [text.replacen("secret = ", "secret ", 1), text.replacen("[[keys]]", "[[others]]", 1)] {
            fs::write(&path, broken).expect("written");
            let message = Keys::open(&folder, 1).expect_err("a fault").to_string();
            assert!(!message.contains("PRIVATE") && !message.contains(secret.as_str()), "{message}");
        }
    }
}
