//! A bundle as one tar archive: the same files give the same bytes, and only those bytes are read back.

use std::io::Read;

use crate::export::bundle::{BundleFiles, FILES_MAX, is_bundle_name};

/// The folder in the archive, so that unpacking makes one folder and not twenty files.
const FOLDER: &str = "bundle/";

/// The most a bundle may hold, in bytes: far above a million responses.
pub const BYTES_MAX: u64 = 4 << 30;

/// Why bytes are no archive of a bundle.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The bytes are no tar archive.
    #[error("read the archive: {0}")]
    Tar(#[from] std::io::Error),
    /// It holds something that no bundle holds.
    #[error("read the archive: {0}")]
    Entry(&'static str),
    /// It is not written as this program writes archives.
    #[error("read the archive: it is not written as bundles are, byte for byte")]
    Form,
}

/// The archive of the files: sorted by name, without times, owners or anything else that differs from machine to machine.
///
/// # Errors
/// Only what the tar format cannot hold; no bundle has such a file.
pub fn pack(files: &BundleFiles) -> std::io::Result<Vec<u8>> {
    let size: usize = files.values().map(|bytes| bytes.len() + 1024).sum();
    let mut archive = Vec::with_capacity(size + 1024);
    for (name, bytes) in files {
        archive.extend(head_of(name, bytes.len() as u64)?);
        archive.extend(bytes);
        archive.extend(padding_of(bytes.len() as u64));
    }
    archive.extend(END);
    Ok(archive)
}

/// What stands before the bytes of a file.
///
/// # Errors
/// Only what the tar format cannot hold; no bundle has such a file.
pub fn head_of(name: &str, bytes: u64) -> std::io::Result<[u8; BLOCK]> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_path(format!("{FOLDER}{name}"))?;
    header.set_cksum();
    Ok(*header.as_bytes())
}

/// What stands after them.
pub fn padding_of(bytes: u64) -> &'static [u8] {
    let used = usize::try_from(bytes % BLOCK as u64).unwrap_or(0);
    if used == 0 { &[] } else { &END[used..BLOCK] }
}

/// What stands after the last file.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

const BLOCK: usize = 512;

/// The files of an archive.
///
/// # Errors
/// Whatever is not exactly what [`pack`] writes: links, other folders, too many or too large files, stray bytes.
pub fn unpack(archive: &[u8]) -> Result<BundleFiles, ArchiveError> {
    let mut files = BundleFiles::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(ArchiveError::Entry("it holds something else than files"));
        }
        let path = entry.path_bytes().into_owned();
        let name = std::str::from_utf8(&path).ok().and_then(|path| path.strip_prefix(FOLDER));
        let name = name.filter(|name| is_bundle_name(name)).ok_or(ArchiveError::Entry("a file has a foreign name"))?;
        if files.len() == FILES_MAX || entry.size() > BYTES_MAX {
            return Err(ArchiveError::Entry("it holds too much"));
        }
        let mut bytes = Vec::new();
        entry.by_ref().take(BYTES_MAX).read_to_end(&mut bytes)?;
        if files.insert(name.to_owned(), bytes).is_some() {
            return Err(ArchiveError::Entry("a file stands in it twice"));
        }
    }
    // Padding, times and owners are signed by nobody: there is one way to write them.
    if pack(&files)? == archive { Ok(files) } else { Err(ArchiveError::Form) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BundleFiles {
        [("a.csv", b"1,2\n".to_vec()), ("manifest.dsse.json", vec![b'x'; 700])]
            .map(|(name, bytes)| (name.to_owned(), bytes))
            .into()
    }

    #[test]
    fn an_archive_reads_back_and_has_no_second_form() {
        let archive = pack(&files()).expect("an archive");
        assert_eq!(unpack(&archive).expect("files"), files());
        for at in 0..archive.len() {
            let mut other = archive.clone();
            other[at] ^= 1;
            // A change of a file's own bytes is the manifest's business; any other is refused here.
            assert!(unpack(&other).is_err() || unpack(&other).expect("files") != files(), "byte {at}");
        }
        assert!(unpack(&archive[..archive.len() - 512]).is_err());
        assert!(unpack(&[archive.as_slice(), &[0; 512]].concat()).is_err());
        assert!(unpack(b"").is_err());
    }

    #[test]
    fn archives_are_what_the_tar_library_writes() {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in &files() {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            builder.append_data(&mut header, format!("{FOLDER}{name}"), bytes.as_slice()).expect("an entry");
        }
        assert_eq!(pack(&files()).expect("an archive"), builder.into_inner().expect("an archive"));
    }

    #[test]
    fn what_unpacking_could_do_harm_with_is_refused() {
        let with = |path: &str, kind: tar::EntryType| {
            let mut builder = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_ustar();
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(kind);
            header.set_size(0);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append(&header, std::io::empty()).expect("an entry");
            unpack(&builder.into_inner().expect("an archive"))
        };
        for path in ["../a", "/etc/passwd", "bundle/../a", "bundle/a/b", "bundle/", "a.csv", "bundle/A.csv"] {
            assert!(with(path, tar::EntryType::Regular).is_err(), "{path}");
        }
        assert!(with("bundle/a.csv", tar::EntryType::Symlink).is_err());
        assert!(with("bundle/a.csv", tar::EntryType::Link).is_err());
    }
}
