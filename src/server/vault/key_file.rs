//! `vault.keys`: the keys everything in the vault hangs on, beside the signing keys and never in the database.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::cipher::Key;
use crate::server::keys::{make_folder, sync, write_private};

/// The file's name in the key folder.
pub(crate) const FILE: &str = "vault.keys";

/// Why the vault has no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The folder or file cannot be made, read or written.
    #[error("use the key file {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others than the owner can read the file.
    #[error("use the key file {}: other users can read it; chmod 600 it and, if they may have read it, run `scilit vault rotate`", .0.display())]
    Exposed(PathBuf),
    /// The file is not what this program writes. What stands in it is never told.
    #[error("read the key file {}: it is not a file of vault keys", .0.display())]
    Content(PathBuf),
    /// The operating system gave no random bytes.
    #[error("draw a key")]
    Random,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBody {
    keys: Vec<FileRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRow {
    version: i32,
    key: Zeroizing<String>,
}

/// The keys by version. There are two while a rotation is under way, otherwise one.
#[derive(Debug)]
pub(super) struct KeyRing(BTreeMap<i32, Key>);

impl KeyRing {
    pub(super) fn open(folder: &Path) -> Result<Self, KeyFileError> {
        let path = folder.join(FILE);
        let fault = |source| KeyFileError::File { path: path.clone(), source };
        refuse_exposed(&path)?;
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(fault)?);
        // The parser's message would quote the line with the key.
        let content = || KeyFileError::Content(path.clone());
        let body: FileBody = toml::from_str(&text).map_err(|_| content())?;
        let mut keys = BTreeMap::new();
        for row in body.keys {
            let bytes = Zeroizing::new(STANDARD.decode(row.key.as_bytes()).map_err(|_| content())?);
            let key = Key::from_bytes(&bytes).map_err(|_| content())?;
            if row.version < 1 || keys.insert(row.version, key).is_some() {
                return Err(content());
            }
        }
        if keys.is_empty() { Err(content()) } else { Ok(Self(keys)) }
    }

    /// The keys of the folder; folder and first key are made when there are none.
    pub(super) fn open_or_make(folder: &Path) -> Result<Self, KeyFileError> {
        let path = folder.join(FILE);
        if path.exists() {
            return Self::open(folder);
        }
        make_folder(folder).map_err(|source| KeyFileError::File { path: path.clone(), source })?;
        let ring = Self(BTreeMap::from([(1, Key::fresh().map_err(|_| KeyFileError::Random)?)]));
        // Whoever imports at the same time may be first; then its key is the one.
        match ring.write(folder, |from, to| fs::hard_link(from, to)) {
            Err(KeyFileError::File { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {
                Self::open(folder)
            }
            made => made.map(|()| ring),
        }
    }

    /// These keys and a new one, which is in the file before this returns: nothing may be sealed under a key that a
    /// crash could lose.
    pub(super) fn with_new_key(mut self, folder: &Path) -> Result<Self, KeyFileError> {
        let key = Key::fresh().map_err(|_| KeyFileError::Random)?;
        self.0.insert(self.newest() + 1, key);
        self.write(folder, |from, to| fs::rename(from, to))?;
        Ok(self)
    }

    /// Leaves only the newest key in the file.
    pub(super) fn forget_old(mut self, folder: &Path) -> Result<(), KeyFileError> {
        let newest = self.newest();
        self.0.retain(|version, _| *version == newest);
        self.write(folder, |from, to| fs::rename(from, to))
    }

    pub(super) fn newest(&self) -> i32 {
        self.0.keys().next_back().copied().unwrap_or(0)
    }

    pub(super) fn key(&self, version: i32) -> Option<&Key> {
        self.0.get(&version)
    }

    fn write(&self, folder: &Path, place: fn(&Path, &Path) -> std::io::Result<()>) -> Result<(), KeyFileError> {
        let row = |(version, key): (&i32, &Key)| FileRow {
            version: *version,
            key: Zeroizing::new(STANDARD.encode(key.bytes())),
        };
        let body = FileBody { keys: self.0.iter().map(row).collect() };
        let path = folder.join(FILE);
        let text = Zeroizing::new(toml::to_string(&body).map_err(|_| KeyFileError::Content(path.clone()))?);
        let draft = tempfile_name(folder)?;
        let written = write_private(&draft, text.as_bytes()).and_then(|()| place(&draft, &path));
        // After a rename there is nothing left to remove.
        let _ = fs::remove_file(&draft);
        written.and_then(|()| sync(folder)).map_err(|source| KeyFileError::File { path, source })
    }
}

/// A name nobody else writes to at the same time.
fn tempfile_name(folder: &Path) -> Result<PathBuf, KeyFileError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| KeyFileError::Random)?;
    Ok(folder.join(format!("{FILE}.{:016x}", u64::from_le_bytes(bytes))))
}

fn refuse_exposed(path: &Path) -> Result<(), KeyFileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let fault = |source| KeyFileError::File { path: path.to_owned(), source };
        let mode = fs::metadata(path).map_err(fault)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Exposed(path.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_use_makes_a_private_key_and_a_rotation_leaves_one_other() {
        let held = tempfile::tempdir().expect("a folder");
        let folder = held.path().join("keys");
        let first = KeyRing::open_or_make(&folder).expect("keys");
        let both = KeyRing::open(&folder).expect("keys").with_new_key(&folder).expect("a new key");
        assert_eq!((both.newest(), both.key(1).expect("it").bytes()), (2, first.key(1).expect("it").bytes()));
        both.forget_old(&folder).expect("forgotten");
        let after = KeyRing::open(&folder).expect("keys");
        assert!(after.key(1).is_none() && after.key(2).is_some());
        let names: Vec<_> = fs::read_dir(&folder).expect("a folder").map(|e| e.expect("it").file_name()).collect();
        assert_eq!(names, [FILE], "no draft is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_can_read_is_refused_and_a_broken_one_is_never_quoted() {
        use std::os::unix::fs::PermissionsExt;
        let held = tempfile::tempdir().expect("a folder");
        KeyRing::open_or_make(held.path()).expect("keys");
        let path = held.path().join(FILE);
        assert_eq!(fs::metadata(&path).expect("it").permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).expect("text");
        fs::write(&path, text.replacen("version = 1", "version = x", 1)).expect("written");
        let error = KeyRing::open(held.path()).expect_err("a fault").to_string();
        assert!(error.ends_with("it is not a file of vault keys"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
        assert!(matches!(KeyRing::open(held.path()), Err(KeyFileError::Exposed(_))));
    }
}
