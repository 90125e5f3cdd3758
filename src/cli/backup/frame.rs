//! A backup file: one line of ours, then an age file. The line holds length and digest of what follows, so that a file
//! that was cut short, one that was damaged, and a wrong passphrase are told apart without guessing.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::cli::restore::RestoreError;

const MAGIC: &str = "scilit-backup 1 ";
/// Magic, twenty digits of length, a blank, 64 of digest, a line feed.
const LINE_BYTES: usize = MAGIC.len() + 20 + 1 + 64 + 1;

/// Length and digest of the age file within.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Sum {
    pub(in crate::cli) bytes: u64,
    pub(in crate::cli) sha256: String,
}

impl Sum {
    fn line(&self) -> String {
        format!("{MAGIC}{:020} {}\n", self.bytes, self.sha256)
    }

    fn of_line(line: &[u8]) -> Option<Self> {
        let rest = std::str::from_utf8(line).ok()?.strip_prefix(MAGIC)?.strip_suffix('\n')?;
        let (bytes, sha256) = rest.split_once(' ')?;
        let sum = Self { bytes: bytes.parse().ok()?, sha256: sha256.to_owned() };
        (sum.line().as_bytes() == line).then_some(sum)
    }
}

/// Counts and digests what passes.
struct Summing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a backup file under another name first and gives it its own when it is complete and on the disk.
pub(super) fn write<T>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> anyhow::Result<((), T)>,
) -> anyhow::Result<(T, Sum)> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".part");
    let draft = Path::new(&draft);
    let written = write_draft(draft, fill).and_then(|written| {
        // A hard link fails where a rename would replace a file that came meanwhile.
        fs::hard_link(draft, path).with_context(|| format!("write the backup {}", path.display()))?;
        Ok(written)
    });
    let _ = fs::remove_file(draft);
    written
}

fn write_draft<T>(
    draft: &Path,
    fill: impl FnOnce(&mut dyn Write) -> anyhow::Result<((), T)>,
) -> anyhow::Result<(T, Sum)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(draft).with_context(|| format!("write the backup {}", draft.display()))?;
    let mut summing = Summing { inner: BufWriter::new(file), hash: Sha256::new(), bytes: 0 };
    summing.inner.write_all(&[b' '; LINE_BYTES])?;
    let ((), filled) = fill(&mut summing)?;
    let sum = Sum { bytes: summing.bytes, sha256: hex(summing.hash) };
    let mut file = summing.inner.into_inner().map_err(|error| error.into_error())?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(sum.line().as_bytes())?;
    file.sync_all()?;
    Ok((filled, sum))
}

/// Checks length and digest of a backup file; the reader stands at the age file within.
pub(in crate::cli) fn open(path: &Path) -> anyhow::Result<(BufReader<File>, Sum)> {
    let file = File::open(path).with_context(|| format!("read the backup {}", path.display()))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut line = Vec::new();
    (&mut reader).take(LINE_BYTES as u64).read_to_end(&mut line)?;
    if line.len() < LINE_BYTES && line_begins(&line) {
        return Err(RestoreError::Truncated.into());
    }
    let announced = Sum::of_line(&line).ok_or(RestoreError::Damaged)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0_u64, vec![0; 1 << 16]);
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
    let found = Sum { bytes, sha256: hex(hash) };
    if found.bytes < announced.bytes && found.sha256 != announced.sha256 {
        return Err(RestoreError::Truncated.into());
    }
    if found != announced {
        return Err(RestoreError::Damaged.into());
    }
    reader.seek(SeekFrom::Start(LINE_BYTES as u64))?;
    Ok((reader, announced))
}

/// Whether what is there of the first line is as it would be.
fn line_begins(line: &[u8]) -> bool {
    let magic = &MAGIC.as_bytes()[..line.len().min(MAGIC.len())];
    line.starts_with(magic)
}
