//! What the server does when its disk fails: it ends.

use crate::storage::StorageError;

/// The exit code of a server whose disk failed: `EX_IOERR` of sysexits.h.
pub const EXIT_DISK: u8 = 74;

/// Ends the process when the disk failed. After a failed write or sync nobody can know what the disk holds, and a second
/// sync that succeeds proves nothing. The next start reads what is there; whoever has no receipt sends again.
pub(super) fn end_if_failed(error: &StorageError) {
    if let StorageError::Disk(message) = error {
        tracing::error!(message, "the disk failed: the server ends, so that it acknowledges nothing it may not have");
        std::process::exit(EXIT_DISK.into());
    }
}
