//! What is inside a backup: a tar of small files, compressed by zstd, encrypted by age.

use std::{
    io::{self, BufRead, Read, Write},
    path::Path,
};

use age::secrecy::SecretString;
use anyhow::{Context, ensure};

use crate::cli::restore::RestoreError;

/// A table's part is written when it has grown to this; with it grows what writing and reading keep in memory.
pub(super) const PART_BYTES: usize = 4 * 1024 * 1024;

/// A file within an archive is no larger than this: a part, one row beyond it, and the overhead of base64.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Shorter passphrases could be tried out.
const PASSPHRASE_SIGNS_MIN: usize = 12;

/// Restoring may take a passphrase that a machine up to 64 times as fast has hardened.
const WORK_FACTOR_MAX: u8 = 24;

/// How a backup is encrypted.
pub(super) enum Lock {
    Passphrase(SecretString),
    Recipients(Vec<age::x25519::Recipient>),
}

/// How a backup is decrypted.
pub(in crate::cli) enum Unlock {
    /// By the passphrase.
    Passphrase(SecretString),
    /// By one of these age identities.
    Identities(Vec<age::x25519::Identity>),
}

fn read_text(path: &Path) -> anyhow::Result<zeroize::Zeroizing<String>> {
    let text = match path.as_os_str() == "-" {
        true => {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).map(|_| line)
        }
        false => std::fs::read_to_string(path),
    };
    Ok(zeroize::Zeroizing::new(text.with_context(|| format!("read {}", path.display()))?))
}

fn passphrase(path: &Path) -> anyhow::Result<SecretString> {
    let text = read_text(path)?;
    let line = text.lines().next().unwrap_or_default();
    let signs = line.chars().count();
    ensure!(signs >= PASSPHRASE_SIGNS_MIN, "use the passphrase: it has fewer than {PASSPHRASE_SIGNS_MIN} signs");
    Ok(SecretString::from(line.to_owned()))
}

fn each_line<T: std::str::FromStr>(path: &Path, what: &str) -> anyhow::Result<Vec<T>> {
    let text = read_text(path)?;
    let mut found = Vec::new();
    for (at, line) in text.lines().map(str::trim).enumerate() {
        if !line.is_empty() && !line.starts_with('#') {
            // The parser's message is left out: the line may hold a secret.
            found.push(line.parse().map_err(|_| anyhow::anyhow!("read {}:{}: no age {what}", path.display(), at + 1))?);
        }
    }
    ensure!(!found.is_empty(), "read {}: it has no age {what}", path.display());
    Ok(found)
}

impl Lock {
    pub(super) fn from_files(phrase: Option<&Path>, recipients: Option<&Path>) -> anyhow::Result<Self> {
        match (phrase, recipients) {
            (Some(path), _) => Ok(Self::Passphrase(passphrase(path)?)),
            (None, Some(path)) => Ok(Self::Recipients(each_line(path, "recipient")?)),
            (None, None) => anyhow::bail!("encrypt the backup: give a passphrase or recipients"),
        }
    }

    fn encryptor(self) -> anyhow::Result<age::Encryptor> {
        match self {
            Self::Passphrase(phrase) => Ok(age::Encryptor::with_user_passphrase(phrase)),
            Self::Recipients(list) => {
                let all = list.iter().map(|recipient| recipient as &dyn age::Recipient);
                age::Encryptor::with_recipients(all).map_err(|error| anyhow::anyhow!("encrypt the backup: {error}"))
            }
        }
    }
}

impl Unlock {
    pub(in crate::cli) fn from_files(phrase: Option<&Path>, identities: Option<&Path>) -> anyhow::Result<Self> {
        match (phrase, identities) {
            (Some(path), _) => Ok(Self::Passphrase(passphrase(path)?)),
            (None, Some(path)) => Ok(Self::Identities(each_line(path, "identity")?)),
            (None, None) => anyhow::bail!("decrypt the backup: give a passphrase or an identity"),
        }
    }
}

type Compressing<W> = zstd::stream::write::Encoder<'static, age::stream::StreamWriter<W>>;

/// Writes files into an archive, one after the other.
pub(super) struct Writer<W: Write> {
    tar: tar::Builder<Compressing<W>>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(output: W, lock: Lock) -> anyhow::Result<Self> {
        let encrypted = lock.encryptor()?.wrap_output(output)?;
        Ok(Self { tar: tar::Builder::new(zstd::stream::write::Encoder::new(encrypted, 3)?) })
    }

    pub(super) fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        self.tar.append_data(&mut header, name, bytes)
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.tar.into_inner()?.finish()?.finish()?;
        Ok(())
    }
}

/// Hands over every file of an archive in turn, and makes sure that nothing follows and nothing was left out.
///
/// # Errors
/// `WrongKey`; `Damaged` when the archive is not what the program wrote; what `each` refused.
pub(in crate::cli) fn read(
    input: impl BufRead,
    unlock: &Unlock,
    mut each: impl FnMut(&str, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut plain = zstd::stream::read::Decoder::new(decrypted(input, unlock)?).map_err(|_| RestoreError::Damaged)?;
    let mut tar = tar::Archive::new(&mut plain);
    for file in tar.entries().map_err(|_| RestoreError::Damaged)? {
        let mut file = file.map_err(|_| RestoreError::Damaged)?;
        let name = file.path().ok().and_then(|path| path.to_str().map(str::to_owned)).ok_or(RestoreError::Damaged)?;
        if file.size() > FILE_BYTES_MAX {
            return Err(RestoreError::Damaged.into());
        }
        let mut bytes = zeroize::Zeroizing::new(Vec::new());
        file.read_to_end(&mut bytes).map_err(|_| RestoreError::Damaged)?;
        each(&name, &bytes)?;
    }
    // The last bytes authenticate the whole.
    io::copy(&mut plain, &mut io::sink()).map_err(|_| RestoreError::Damaged)?;
    Ok(())
}

fn decrypted<R: BufRead>(input: R, unlock: &Unlock) -> anyhow::Result<age::stream::StreamReader<R>> {
    let decryptor = age::Decryptor::new_buffered(input).map_err(|_| RestoreError::Damaged)?;
    let opened = match unlock {
        Unlock::Passphrase(phrase) => {
            let mut identity = age::scrypt::Identity::new(phrase.clone());
            identity.set_max_work_factor(WORK_FACTOR_MAX);
            decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity))
        }
        Unlock::Identities(list) => decryptor.decrypt(list.iter().map(|identity| identity as &dyn age::Identity)),
    };
    opened.map_err(|_| RestoreError::WrongKey.into())
}
