//! `scilit bundle`: a run with everything to compute it again, signed, in one folder or archive.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::serve::SettingsArguments;
use crate::{
    export::bundle::BundleFiles,
    server::{Clock, Keys, bundles::bundle_of},
    storage::{Act, Author, Database},
};

/// Write the bundle of a run: its inputs, files, signed manifest, checkpoint and proof
///
/// `scilit verify` checks it without a database. The first time it is signed with the server's key; after that it is the same bytes each time.
#[derive(Debug, Args)]
pub struct BundleArguments {
    /// The run's id [default: the latest run that succeeded]
    run: Option<String>,
    /// The folder to make, or an archive when the name ends in .tar; it must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Runs the command.
///
/// # Errors
/// No such run, one that did not succeed, no checkpoint over its end, a place that is taken.
pub fn run(arguments: BundleArguments) -> anyhow::Result<()> {
    let config = arguments.settings.config()?;
    let (clock, by) = (Clock::system(), Author::command_line());
    let database = super::token::open_with(&config)?;
    let run = super::export::find(&database, arguments.run.as_deref())?;
    let (keys, _) = Keys::open(&config.key_dir, clock.now_ms())?;
    let bundle = bundle_of(&database, &keys, &clock, &run, &by)?;
    log_intent(&database, &clock, &run.id, &bundle.sha256)?;
    match arguments.out.extension().is_some_and(|ending| ending == "tar") {
        true => write_whole(&arguments.out, "--out", |file| Ok(file.write_all(&bundle.archive)?))?,
        false => write_folder(&arguments.out, &bundle.files)?,
    }
    println!("{}  {}", bundle.sha256, arguments.out.display());
    Ok(())
}

fn log_intent(database: &Database, clock: &Clock, run: &str, sha256: &str) -> anyhow::Result<()> {
    let (object, detail) = (format!("run/{run}/bundle.tar"), json!({ "sha256": sha256 }));
    database.log(&[Act::done(&Author::command_line(), clock.now_ms(), "download.intent", object, detail)])?;
    Ok(())
}

/// The folder appears with all its files or not at all.
///
/// # Errors
/// A place that is taken or cannot be written.
pub(super) fn write_folder(folder: &Path, files: &BundleFiles) -> anyhow::Result<()> {
    let partial = beside(folder, "--out")?;
    fs::create_dir(&partial).with_context(|| format!("make the folder {}", partial.display()))?;
    let written = files.iter().try_for_each(|(name, bytes)| {
        let path = partial.join(name);
        let mut file = File::create_new(&path).with_context(|| format!("make {}", path.display()))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).with_context(|| format!("write {}", path.display()))
    });
    let moved = written.and_then(|()| {
        File::open(&partial)?.sync_all()?;
        fs::rename(&partial, folder).with_context(|| format!("make {}", folder.display()))?;
        sync_parent(folder)
    });
    if moved.is_err() {
        let _ = fs::remove_dir_all(&partial);
    }
    moved
}

/// The file appears whole or not at all; `option` is how the user named its place.
///
/// # Errors
/// A place that is taken or cannot be written, and what `write` says.
pub(super) fn write_whole(
    path: &Path,
    option: &str,
    write: impl FnOnce(&mut File) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let partial = beside(path, option)?;
    let mut file = File::create_new(&partial).with_context(|| format!("make {}", partial.display()))?;
    let moved = write(&mut file).and_then(|()| Ok(file.sync_all()?)).and_then(|()| {
        fs::rename(&partial, path).with_context(|| format!("make {}", path.display()))?;
        sync_parent(path)
    });
    if moved.is_err() {
        let _ = fs::remove_file(&partial);
    }
    moved
}

/// Where it is written before it is whole.
fn beside(path: &Path, option: &str) -> anyhow::Result<PathBuf> {
    if path.symlink_metadata().is_ok() {
        bail!("{} is there already: name another place with {option}", path.display());
    }
    let mut name = path.file_name().with_context(|| format!("{option} names no place"))?.to_owned();
    name.push(".partial");
    Ok(path.with_file_name(name))
}

fn sync_parent(path: &Path) -> anyhow::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(File::open(parent)?.sync_all()?)
}
