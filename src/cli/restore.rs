//! `scilit restore`: a backup into an empty place, proved row by row, or nothing at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::{
    backup::{
        archive::{self, Unlock},
        frame,
        manifest::{self, Head, Manifest, TableSum},
        operator,
        rows::{self, Digest},
    },
    serve::SettingsArguments,
};
use crate::{
    evidence::{EntryHeader, Frontier, sha256_hex},
    server::{Clock, Config},
    storage::{Act, Cells, Database, DatabaseUrl, PoolSettings, StorageError, TableShape, Tables},
};

/// Why a backup was not restored; each has an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The passphrase or identity is another.
    #[error("decrypt the backup: the passphrase or identity is not the one it was made with")]
    WrongKey,
    /// The file ends too early.
    #[error("read the backup: the file was cut short")]
    Truncated,
    /// A byte is not what it was, or the file is no backup.
    #[error("read the backup: the file is damaged or no backup")]
    Damaged,
    /// Something is there already.
    #[error("restore: {0} is not empty")]
    NotEmpty(String),
    /// A newer program made it.
    #[error("restore: the backup was made by a newer program ({0}); use that one")]
    Newer(String),
    /// What was restored is not what was backed up.
    #[error("verify the restored data: {0}")]
    Unproved(String),
}

impl RestoreError {
    /// The exit code, as the help tells them.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::WrongKey => 10,
            Self::Truncated => 11,
            Self::Damaged => 12,
            Self::NotEmpty(_) => 13,
            Self::Newer(_) => 14,
            Self::Unproved(_) => 15,
        }
    }
}

/// Restores a backup into an empty place and proves that every row is there; on any fault nothing is left behind.
///
/// Exit codes: 10 wrong passphrase or identity, 11 the file was cut short, 12 it is damaged or no backup,
/// 13 the target is not empty, 14 a newer program made it, 15 what was restored does not verify, 1 anything else.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Decrypt with the passphrase in the first line of this file; - reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "identity_file")]
    passphrase_file: Option<PathBuf>,
    /// Decrypt with an age identity in this file instead
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity_file: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Runs the command.
///
/// # Errors
/// A [`RestoreError`], or what the database or the disk refused; then nothing is left behind.
pub fn run(arguments: RestoreArguments) -> anyhow::Result<()> {
    let unlock = Unlock::from_files(arguments.passphrase_file.as_deref(), arguments.identity_file.as_deref())?;
    let config = arguments.settings.config()?;
    let restored = restore(&arguments.from, &unlock, &config, Clock::system().now_ms())?;
    for line in restored {
        println!("{line}");
    }
    Ok(())
}

/// Restores and tells what was proved, one sentence each.
fn restore(from: &Path, unlock: &Unlock, config: &Config, now_ms: i64) -> anyhow::Result<Vec<String>> {
    let (input, sum) = frame::open(from)?;
    let place = Target::new(config)?;
    let database = place.open(config)?;
    let mut source = Source { input: Some(input), unlock, sha256: sum.sha256 };
    let filled = fill(&database, &mut source, config, now_ms);
    drop(database);
    match filled.and_then(|(lines, keys)| place.settle().map(|()| (lines, keys))) {
        Ok((mut lines, keys)) => {
            lines.push(write_keys(&config.key_dir, &keys)?);
            Ok(lines)
        }
        Err(error) => {
            place.clear();
            Err(told(error))
        }
    }
}

/// The newer schema is found by the storage; it has the same exit code as a newer format.
fn told(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<StorageError>() {
        Some(StorageError::NewerSchema(version)) => RestoreError::Newer(format!("migration {version}")).into(),
        _ => error,
    }
}

/// Where the database is made: beside the SQLite file under another name until it is proved, or in PostgreSQL's
/// transaction.
enum Target {
    File { draft: PathBuf, path: PathBuf },
    Server,
}

impl Target {
    fn new(config: &Config) -> anyhow::Result<Self> {
        let DatabaseUrl::Sqlite(path) = &config.database_url else { return Ok(Self::Server) };
        let mut draft = path.clone().into_os_string();
        draft.push(".restoring");
        for taken in [path.clone(), with_suffix(path, "-wal"), PathBuf::from(&draft)] {
            if taken.exists() {
                return Err(RestoreError::NotEmpty(taken.display().to_string()).into());
            }
        }
        Ok(Self::File { draft: draft.into(), path: path.clone() })
    }

    fn open(&self, config: &Config) -> anyhow::Result<Database> {
        let url = match self {
            Self::File { draft, .. } => DatabaseUrl::Sqlite(draft.clone()),
            Self::Server => config.database_url.clone(),
        };
        // One connection: what one transaction makes, no other needs to see.
        let database = Database::open(&url, PoolSettings { connections_max: 1, ..config.pool() })?;
        match database.is_bare()? {
            true => Ok(database),
            false => Err(RestoreError::NotEmpty("the database".to_owned()).into()),
        }
    }

    fn settle(&self) -> anyhow::Result<()> {
        let Self::File { draft, path } = self else { return Ok(()) };
        // A hard link fails where a rename would replace a file that came meanwhile.
        fs::hard_link(draft, path).with_context(|| format!("put the database at {}", path.display()))?;
        self.clear();
        fs::File::open(path)?.sync_all()?;
        Ok(())
    }

    fn clear(&self) {
        let Self::File { draft, .. } = self else { return };
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(with_suffix(draft, suffix));
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

struct Source<'a> {
    input: Option<std::io::BufReader<fs::File>>,
    unlock: &'a Unlock,
    sha256: String,
}

type KeyFiles = BTreeMap<String, zeroize::Zeroizing<Vec<u8>>>;

/// Reads the archive once; its first file makes the tables, so the transaction begins when that was read.
fn fill(
    database: &Database,
    source: &mut Source<'_>,
    config: &Config,
    now_ms: i64,
) -> anyhow::Result<(Vec<String>, KeyFiles)> {
    let head = read_head(source)?;
    let input = source.input.take().context("read the backup twice")?;
    let filled: anyhow::Result<_> = database.restore(&head.schema, |tables| {
        let (manifest, keys) = load(tables, &head, input, source.unlock)?;
        if !keys.is_empty() && config.key_dir.is_dir() {
            return Err(RestoreError::NotEmpty(format!("the key folder {}", config.key_dir.display())).into());
        }
        Ok((verify(tables, &head, &manifest)?, keys))
    });
    let (lines, keys) = filled?;
    let object = format!("backup/{}", source.sha256);
    let detail = json!({ "made_at_ms": head.created_at_ms });
    database.log(&[Act::done(&operator(), now_ms, "backup.restore", object, detail)])?;
    Ok((lines, keys))
}

/// Reads as far as the first file and goes back to the beginning.
fn read_head(source: &mut Source<'_>) -> anyhow::Result<Head> {
    use std::io::Seek;
    /// Ends the reading after the first file.
    #[derive(Debug, thiserror::Error)]
    #[error("enough was read")]
    struct Enough;
    let input = source.input.as_mut().context("read the backup")?;
    let start = input.stream_position()?;
    let mut head = None;
    let read = archive::read(&mut *input, source.unlock, |name, bytes| {
        if name == "head.json" {
            head = Some(parse_head(bytes)?);
        }
        Err(Enough.into())
    });
    match read {
        Err(error) if error.is::<Enough>() => {}
        Err(error) => return Err(error),
        Ok(()) => return Err(RestoreError::Damaged.into()),
    }
    input.seek(std::io::SeekFrom::Start(start))?;
    head.ok_or_else(|| RestoreError::Damaged.into())
}

fn parse_head(bytes: &[u8]) -> anyhow::Result<Head> {
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|_| RestoreError::Damaged)?;
    match value["format"].as_u64() {
        Some(format) if format > u64::from(manifest::FORMAT) => {
            Err(RestoreError::Newer(format!("format {format}")).into())
        }
        _ => serde_json::from_value(value).map_err(|_| RestoreError::Damaged.into()),
    }
}

fn load(
    tables: &mut dyn Tables,
    head: &Head,
    input: std::io::BufReader<fs::File>,
    unlock: &Unlock,
) -> anyhow::Result<(Manifest, KeyFiles)> {
    if tables.tables()? != head.tables {
        return Err(RestoreError::Unproved("the tables are not those of the backup".to_owned()).into());
    }
    let (mut manifest, mut keys) = (None, KeyFiles::new());
    archive::read(input, unlock, |name, bytes| {
        if let Some(key) = name.strip_prefix("keys/") {
            keys.insert(key.to_owned(), bytes.to_vec().into());
        } else if let Some(part) = name.strip_prefix("tables/") {
            let table = part.split('/').next().unwrap_or_default();
            let shape = head.tables.iter().find(|shape| shape.name == table).ok_or(RestoreError::Damaged)?;
            load_part(tables, shape, bytes)?;
        } else if name == "manifest.json" {
            manifest = Some(serde_json::from_slice(bytes).map_err(|_| RestoreError::Damaged)?);
        } else if name != "head.json" {
            return Err(RestoreError::Damaged.into());
        }
        Ok(())
    })?;
    Ok((manifest.ok_or(RestoreError::Damaged)?, keys))
}

fn load_part(tables: &mut dyn Tables, shape: &TableShape, bytes: &[u8]) -> anyhow::Result<()> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let rows: Vec<Cells> = lines.map(|line| rows::from_line(shape, line)).collect::<Result<_, _>>()?;
    Ok(tables.insert(shape, &rows)?)
}

/// Reads back what the database holds now, and says what was proved.
fn verify(tables: &mut dyn Tables, head: &Head, manifest: &Manifest) -> anyhow::Result<Vec<String>> {
    let mut rows_in_all = 0;
    for shape in &head.tables {
        let found = table_sum(tables, shape)?;
        let expected = manifest.tables.iter().find(|table| table.name == shape.name);
        if expected != Some(&found) {
            return Err(
                RestoreError::Unproved(format!("the rows of {} are not those of the backup", shape.name)).into()
            );
        }
        rows_in_all += found.rows;
    }
    if manifest.tables.len() != head.tables.len() {
        return Err(RestoreError::Unproved("a table is missing".to_owned()).into());
    }
    let submissions = verify_submissions(tables, head)?;
    verify_log(tables, head, manifest)?;
    Ok(vec![
        format!("{} tables with {rows_in_all} rows are there, each with the digest of the backup", head.tables.len()),
        format!("{submissions} submissions have the bytes their SHA-256 names"),
        format!(
            "the log's {} entries make the tree with the root {}, and every checkpoint holds",
            manifest.log_size, manifest.log_root
        ),
    ])
}

fn table_sum(tables: &mut dyn Tables, shape: &TableShape) -> anyhow::Result<TableSum> {
    let mut digest = Digest::default();
    tables.rows(shape, &mut |cells| {
        digest.add(rows::to_line(shape, &cells)?.as_bytes());
        Ok(())
    })?;
    Ok(digest.sum(&shape.name))
}

fn shape<'a>(head: &'a Head, name: &str) -> anyhow::Result<&'a TableShape> {
    head.tables.iter().find(|shape| shape.name == name).with_context(|| format!("find the table {name}"))
}

/// Every body has the digest that stands beside it, or is empty and on record as deleted.
fn verify_submissions(tables: &mut dyn Tables, head: &Head) -> anyhow::Result<u64> {
    let raw = shape(head, "submission_raw")?;
    let (seq, body, sha256) =
        (manifest::place(raw, "server_seq")?, manifest::place(raw, "body")?, manifest::place(raw, "sha256")?);
    let mut erased = BTreeSet::new();
    // Backups from before anything could be deleted have no such table.
    if let Ok(shape) = shape(head, "submission_erased") {
        let at = manifest::place(shape, "server_seq")?;
        tables.rows(shape, &mut |cells| {
            erased.insert(cells[at].clone());
            Ok(())
        })?;
    }
    let (mut count, mut wrong) = (0, 0_u64);
    tables.rows(raw, &mut |cells| {
        let bytes = cells[body].as_deref().unwrap_or_default();
        let holds = match erased.contains(&cells[seq]) {
            true => bytes.is_empty(),
            false => cells[sha256].as_deref() == Some(sha256_hex(bytes).as_bytes()),
        };
        wrong += u64::from(!holds);
        count += u64::from(!bytes.is_empty());
        Ok(())
    })?;
    match wrong {
        0 => Ok(count),
        _ => {
            Err(RestoreError::Unproved(format!("{wrong} submissions have other bytes than their SHA-256 names")).into())
        }
    }
}

/// The roots the checkpoints vouch for, by the log's size; that of the empty log needs no look.
fn checkpoints(tables: &mut dyn Tables, head: &Head) -> anyhow::Result<BTreeMap<u64, Vec<u8>>> {
    let Some(shape) = head.tables.iter().find(|shape| shape.name == "audit_checkpoint") else {
        // A backup from before there were checkpoints.
        return Ok(BTreeMap::new());
    };
    let (size, root) = (manifest::place(shape, "size")?, manifest::place(shape, "root")?);
    let mut found = BTreeMap::new();
    tables.rows(shape, &mut |cells| {
        let digits = String::from_utf8_lossy(cells[size].as_deref().unwrap_or_default()).into_owned();
        found.insert(digits.parse().unwrap_or(u64::MAX), cells[root].clone().unwrap_or_default());
        Ok(())
    })?;
    found.remove(&0);
    Ok(found)
}

fn verify_log(tables: &mut dyn Tables, head: &Head, manifest: &Manifest) -> anyhow::Result<()> {
    let shape = shape(head, "audit_entry")?;
    let (mut tree, mut checkpoints) = (Frontier::new(), checkpoints(tables, head)?);
    let place = |name| manifest::place(shape, name);
    let (seq, at_ms, texts) =
        (place("seq")?, place("at_ms")?, ["actor", "role", "action", "object", "outcome", "commitment"]);
    let texts: Vec<usize> = texts.iter().map(|name| place(name)).collect::<anyhow::Result<_>>()?;
    tables.rows(shape, &mut |cells| {
        let text = |at: usize| String::from_utf8_lossy(cells[at].as_deref().unwrap_or_default()).into_owned();
        let number = |at: usize| text(at).parse().unwrap_or(-1);
        let header = EntryHeader {
            seq: number(seq),
            at_ms: number(at_ms),
            actor: text(texts[0]),
            role: text(texts[1]),
            action: text(texts[2]),
            object: text(texts[3]),
            outcome: text(texts[4]),
            commitment: text(texts[5]),
        };
        tree.push(header.leaf());
        if checkpoints.get(&tree.size()).is_some_and(|root| *root == tree.root()) {
            checkpoints.remove(&tree.size());
        }
        Ok(())
    })?;
    let (size, frontier) = manifest::log_head(tables, &head.tables)?;
    let root = manifest::root_text(&tree);
    let proved = (tree.size(), &tree.to_bytes(), &root) == (size, &frontier, &manifest.log_root);
    match proved && size == manifest.log_size && checkpoints.is_empty() {
        true => Ok(()),
        false => Err(RestoreError::Unproved("the audit log does not make the tree its head names".to_owned()).into()),
    }
}

/// Keys come last: a database without its keys is whole, keys without their database are of no use.
fn write_keys(folder: &Path, keys: &KeyFiles) -> anyhow::Result<String> {
    if keys.is_empty() {
        return Ok(format!(
            "the backup holds no keys: put the key folder back at {} before the server starts",
            folder.display()
        ));
    }
    for (name, bytes) in keys {
        crate::server::put_private_file(folder, name, bytes)
            .with_context(|| format!("write the key file {}", folder.join(name).display()))?;
    }
    Ok(format!("{} key files are at {}", keys.len(), folder.display()))
}
