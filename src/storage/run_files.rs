//! The files of runs, and other forms of them: heads in rows, bytes in pieces.

use std::io::{Cursor, Read};

use diesel::prelude::*;
use serde_json::json;

use super::{Act, Author, Database, StorageError, audit::Appends, schema::*};

/// A file a run made, with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFile {
    /// The run.
    pub run_id: String,
    /// The file's name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// A file a run made, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = run_file)]
pub struct RunFileHead {
    /// The file's name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// A file that can be read piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// The run.
    pub run_id: String,
    /// The file's name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: i64,
    /// The bytes of a file from before files lay in pieces.
    pub content: Option<Vec<u8>>,
}

impl From<RunFile> for KeptFile {
    fn from(file: RunFile) -> Self {
        let RunFile { run_id, name, content_type, sha256, content } = file;
        let bytes = i64::try_from(content.len()).unwrap_or(i64::MAX);
        Self { run_id, name, content_type, sha256, bytes, content: Some(content) }
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = run_file)]
pub(super) struct RunFileRow {
    run_id: String,
    name: String,
    content_type: String,
    sha256: String,
    content: Vec<u8>,
    bytes: Option<i64>,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = run_format)]
struct RunFormatRow {
    run_id: String,
    name: String,
    content_type: String,
    sha256: String,
    bytes: i64,
    made_at_ms: i64,
}

impl RunFile {
    pub(super) fn row(&self) -> RunFileRow {
        let Self { run_id, name, content_type, sha256, content } = self.clone();
        let bytes = Some(i64::try_from(content.len()).unwrap_or(i64::MAX));
        RunFileRow { run_id, name, content_type, sha256, content: Vec::new(), bytes }
    }
}

impl From<RunFileRow> for KeptFile {
    fn from(row: RunFileRow) -> Self {
        let RunFileRow { run_id, name, content_type, sha256, content, bytes } = row;
        let size = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let content = bytes.is_none().then_some(content);
        Self { run_id, name, content_type, sha256, bytes: bytes.unwrap_or(size), content }
    }
}

impl From<RunFormatRow> for KeptFile {
    fn from(row: RunFormatRow) -> Self {
        let RunFormatRow { run_id, name, content_type, sha256, bytes, .. } = row;
        Self { run_id, name, content_type, sha256, bytes, content: None }
    }
}

impl KeptFile {
    /// Its bytes from the beginning.
    #[must_use]
    pub fn open(&self, database: &Database) -> Box<dyn Read + Send> {
        match &self.content {
            Some(content) => Box::new(Cursor::new(content.clone())),
            None => Box::new(database.read_content(&self.sha256, self.bytes)),
        }
    }

    fn whole(self, database: &Database) -> Result<RunFile, StorageError> {
        let mut content = Vec::with_capacity(usize::try_from(self.bytes).unwrap_or(0));
        self.open(database).read_to_end(&mut content).map_err(|error| StorageError::Copy(error.to_string()))?;
        let Self { run_id, name, content_type, sha256, .. } = self;
        Ok(RunFile { run_id, name, content_type, sha256, content })
    }
}

impl Database {
    /// A run's files without their bytes, in the order of their names.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn run_files(&self, run_id: &str) -> Result<Vec<RunFileHead>, StorageError> {
        Ok(reading!(self, c => run_file::table
            .filter(run_file::run_id.eq(run_id))
            .order(run_file::name)
            .select(RunFileHead::as_select())
            .load(c))?)
    }

    /// One file of a run, to be read piece by piece.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn kept_run_file(&self, run_id: &str, name: &str) -> Result<Option<KeptFile>, StorageError> {
        let row: Option<RunFileRow> = reading!(self, c => run_file::table
            .find((run_id, name))
            .select(RunFileRow::as_select())
            .first(c)
            .optional())?;
        Ok(row.map(KeptFile::from))
    }

    /// Every file of a run, to be read piece by piece, in the order of their names.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn kept_run_files(&self, run_id: &str) -> Result<Vec<KeptFile>, StorageError> {
        let rows: Vec<RunFileRow> = reading!(self, c => run_file::table
            .filter(run_file::run_id.eq(run_id))
            .order(run_file::name)
            .select(RunFileRow::as_select())
            .load(c))?;
        Ok(rows.into_iter().map(KeptFile::from).collect())
    }

    /// One file of a run with its bytes.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn run_file(&self, run_id: &str, name: &str) -> Result<Option<RunFile>, StorageError> {
        self.kept_run_file(run_id, name)?.map(|kept| kept.whole(self)).transpose()
    }

    /// Every file of a run with its bytes, in the order of their names.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn whole_run_files(&self, run_id: &str) -> Result<Vec<RunFile>, StorageError> {
        self.kept_run_files(run_id)?.into_iter().map(|kept| kept.whole(self)).collect()
    }

    /// The forms of a run's persons' file that were made so far, in the order of their names.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn run_formats(&self, run_id: &str) -> Result<Vec<KeptFile>, StorageError> {
        let rows: Vec<RunFormatRow> = reading!(self, c => run_format::table
            .filter(run_format::run_id.eq(run_id))
            .order(run_format::name)
            .select(RunFormatRow::as_select())
            .load(c))?;
        Ok(rows.into_iter().map(KeptFile::from).collect())
    }

    /// Keeps a form whose bytes are there already, with its entry in the log, unless somebody was first; the one that
    /// is kept.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn add_run_format(&self, new: KeptFile, by: &Author, now_ms: i64) -> Result<KeptFile, StorageError> {
        let KeptFile { run_id, name, content_type, sha256, bytes, .. } = new;
        let row = RunFormatRow { run_id, name, content_type, sha256, bytes, made_at_ms: now_ms };
        let kept: RunFormatRow = writing!(self, c => {
            let added = diesel::insert_into(run_format::table).values(&row).on_conflict_do_nothing().execute(c)?;
            if added == 1 {
                let (object, detail) = (format!("run/{}/{}", row.run_id, row.name), json!({ "sha256": row.sha256 }));
                c.append(&[Act::done(by, now_ms, "format.create", object, detail)])?;
            }
            let key = (&row.run_id, &row.name);
            Ok(run_format::table.find(key).select(RunFormatRow::as_select()).first(c)?)
        })?;
        Ok(kept.into())
    }
}
