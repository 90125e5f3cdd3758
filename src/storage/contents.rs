//! Large contents in pieces, by the digest of the whole: written and read without ever being in memory whole.

use std::io::{self, Read};

use diesel::prelude::*;

use super::{Database, StorageError, schema::*};

/// Bytes of every piece but the last.
pub const PIECE_BYTES: usize = 256 * 1024;

/// Pieces of one transaction: as long as it takes, submissions wait.
const PIECES_PER_TRANSACTION: usize = 8;

#[derive(Insertable)]
#[diesel(table_name = content_piece)]
struct PieceRow<'a> {
    sha256: &'a str,
    piece: i64,
    content: Vec<u8>,
}

impl Database {
    /// Keeps what `from` holds under its digest; how many bytes it was. Pieces that are there already stay.
    ///
    /// # Errors
    /// Whatever the database or the source refused. What was kept by then stays and is seen by nobody.
    pub fn keep_content(&self, sha256: &str, from: &mut dyn Read) -> Result<i64, StorageError> {
        let (mut piece, mut bytes) = (0, 0);
        loop {
            let mut rows = Vec::new();
            while rows.len() < PIECES_PER_TRANSACTION {
                let mut content = Vec::new();
                Read::take(&mut *from, PIECE_BYTES as u64).read_to_end(&mut content).map_err(unreadable)?;
                if content.is_empty() {
                    break;
                }
                bytes += i64::try_from(content.len()).unwrap_or(i64::MAX);
                rows.push(PieceRow { sha256, piece, content });
                piece += 1;
            }
            if rows.is_empty() {
                return Ok(bytes);
            }
            writing!(self, c => {
                for row in &rows {
                    diesel::insert_into(content_piece::table).values(row).on_conflict_do_nothing().execute(c)?;
                }
                Ok(())
            })?;
        }
    }

    /// One piece, counted from 0.
    ///
    /// # Errors
    /// `Copy` when it is not there; whatever the database refused.
    pub fn content_piece(&self, sha256: &str, piece: i64) -> Result<Vec<u8>, StorageError> {
        let found: Option<Vec<u8>> = reading!(self, c => content_piece::table
            .find((sha256, piece))
            .select(content_piece::content)
            .first(c)
            .optional())?;
        found.ok_or_else(|| StorageError::Copy(format!("piece {piece} of the content {sha256} is missing")))
    }

    /// Reads a content of so many bytes from its beginning, piece by piece.
    #[must_use]
    pub fn read_content(&self, sha256: &str, bytes: i64) -> ContentReader {
        let (database, sha256) = (self.clone(), sha256.to_owned());
        ContentReader { database, sha256, left: bytes, piece: 0, held: io::Cursor::default() }
    }
}

fn unreadable(error: io::Error) -> StorageError {
    StorageError::Copy(format!("read a content to keep: {error}"))
}

/// A content on its way out; holds one piece at a time.
#[derive(Debug)]
pub struct ContentReader {
    database: Database,
    sha256: String,
    left: i64,
    piece: i64,
    held: io::Cursor<Vec<u8>>,
}

impl Read for ContentReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.held.position() == self.held.get_ref().len() as u64 && self.left > 0 {
            let piece = self.database.content_piece(&self.sha256, self.piece).map_err(io::Error::other)?;
            self.left -= i64::try_from(piece.len()).unwrap_or(i64::MAX);
            self.piece += 1;
            self.held = io::Cursor::new(piece);
        }
        self.held.read(into)
    }
}
