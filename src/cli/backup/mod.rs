//! `scilit backup`: the whole database in one encrypted file, while the server runs.

pub(super) mod archive;
pub(super) mod frame;
pub(super) mod manifest;
pub(super) mod rows;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde_json::json;

use self::{
    archive::{Lock, Writer},
    manifest::{Head, Manifest, TableSum},
    rows::Digest,
};
use super::serve::SettingsArguments;
use crate::{
    evidence::Frontier,
    server::{Clock, Config},
    storage::{Act, Author, Database, DatabaseUrl, TableShape, Tables},
};

/// What the log calls whoever has a shell on the server.
pub(super) fn operator() -> Author {
    Author { id: "command-line".to_owned(), role: "operator".to_owned() }
}

/// Writes the whole database into one encrypted file; the server may run and take submissions meanwhile.
///
/// The backup is the state of one moment: everything acknowledged before it began is in it. Keys are not in it unless
/// --with-keys is given; keep a copy of the key folder apart from the backups, because without `vault.keys` nobody
/// can read contact data again, and without `sealing.toml` nobody what tablets finished and did not hand in yet.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Encrypt with the passphrase in the first line of this file; - reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "recipients_file")]
    passphrase_file: Option<PathBuf>,
    /// Encrypt to the age recipients in this file instead, one a line; any one of them can restore
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    recipients_file: Option<PathBuf>,
    /// Put the key folder into the encrypted file; whoever can decrypt it can then read contact data and sign
    #[arg(long)]
    with_keys: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Runs the command.
///
/// # Errors
/// When the database cannot be read or the file cannot be written; then no file is left.
pub fn run(arguments: BackupArguments) -> anyhow::Result<()> {
    let lock = Lock::from_files(arguments.passphrase_file.as_deref(), arguments.recipients_file.as_deref())?;
    let config = arguments.settings.config()?;
    let database = open_existing(&config)?;
    ensure!(!arguments.to.exists(), "write the backup {}: the file exists", arguments.to.display());
    let now_ms = Clock::system().now_ms();
    let keys = if arguments.with_keys { Some(config.key_dir.as_path()) } else { None };
    let written = frame::write(&arguments.to, |file| {
        let mut archive = Writer::new(file, lock)?;
        let manifest = database.snapshot(|tables| write_all(tables, &mut archive, keys, now_ms))?;
        Ok((archive.finish()?, manifest))
    });
    let ((manifest, sum), name) = (written?, arguments.to.display());
    let detail = json!({ "sha256": sum.sha256, "bytes": sum.bytes, "keys": arguments.with_keys });
    let object = format!("backup/{}", sum.sha256);
    let logged = database.log(&[Act::done(&operator(), now_ms, "backup.create", object, detail)]);
    if let Err(error) = logged {
        // What cannot be logged must not leave.
        fs::remove_file(&arguments.to).with_context(|| format!("remove {name}"))?;
        return Err(error.into());
    }
    tell(&manifest, &name.to_string(), sum.bytes);
    if !arguments.with_keys {
        eprintln!(
            "the keys in {} are NOT in the backup; keep a copy of that folder in another place",
            config.key_dir.display()
        );
    }
    Ok(())
}

fn tell(manifest: &Manifest, name: &str, bytes: u64) {
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    println!("wrote {name}: {} tables, {rows} rows, {bytes} bytes", manifest.tables.len());
    println!("the log has {} entries, its root is {}", manifest.log_size, manifest.log_root);
}

/// Opens a database that is there already; a mistyped name must not become an empty backup.
fn open_existing(config: &Config) -> anyhow::Result<Database> {
    if let DatabaseUrl::Sqlite(path) = &config.database_url {
        ensure!(path.is_file(), "back up {}: there is no such file", path.display());
    }
    let database = Database::open(&config.database_url, config.pool())?;
    ensure!(!database.is_bare()?, "back up the database: it is empty");
    Ok(database)
}

fn write_all<W: std::io::Write>(
    tables: &mut dyn Tables,
    archive: &mut Writer<W>,
    keys: Option<&Path>,
    now_ms: i64,
) -> anyhow::Result<Manifest> {
    let shapes = tables.tables()?;
    let head =
        Head { format: manifest::FORMAT, created_at_ms: now_ms, schema: tables.schema()?, tables: shapes.clone() };
    archive.file("head.json", head.to_json()?.as_bytes())?;
    let sums = shapes.iter().map(|shape| write_table(tables, archive, shape)).collect::<anyhow::Result<Vec<_>>>()?;
    for (name, bytes) in keys.map(read_keys).transpose()?.unwrap_or_default() {
        archive.file(&format!("keys/{name}"), &bytes)?;
    }
    let log = manifest::log_head(tables, &shapes)?;
    let root = manifest::root_text(&Frontier::from_bytes(log.0, &log.1)?);
    let manifest = Manifest { tables: sums, log_size: log.0, log_root: root };
    archive.file("manifest.json", manifest.to_json()?.as_bytes())?;
    Ok(manifest)
}

fn write_table<W: std::io::Write>(
    tables: &mut dyn Tables,
    archive: &mut Writer<W>,
    shape: &TableShape,
) -> anyhow::Result<TableSum> {
    let (mut digest, mut part, mut number) = (Digest::default(), Vec::new(), 0);
    let mut flush = |part: &mut Vec<u8>| {
        number += 1;
        let written = archive.file(&format!("tables/{}/{number:06}.ndjson", shape.name), part);
        part.clear();
        written
    };
    tables.rows(shape, &mut |cells| {
        let line = rows::to_line(shape, &cells)?;
        digest.add(line.as_bytes());
        part.extend_from_slice(line.as_bytes());
        if part.len() >= archive::PART_BYTES { flush(&mut part) } else { Ok(()) }
    })?;
    if !part.is_empty() {
        flush(&mut part)?;
    }
    Ok(digest.sum(&shape.name))
}

/// The files of the key folder, in the order of their names.
fn read_keys(folder: &Path) -> anyhow::Result<Vec<(String, zeroize::Zeroizing<Vec<u8>>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("read the key folder {}", folder.display()))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { bail!("read the key folder: a name is not UTF-8") };
        files.push((name, zeroize::Zeroizing::new(fs::read(entry.path())?)));
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(files)
}
