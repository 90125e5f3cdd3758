//! `scilit export`: the files of a run from the database into a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::{serve::SettingsArguments, token::open};
use crate::{
    evidence::sha256_hex,
    server::{Clock, audit::prove},
    storage::{Act, Author, Database, Run},
};

/// Write the files of a run into a folder
///
/// Without --run it takes the latest run that succeeded. Each file is checked against the digest that the database keeps of it.
/// With the files go checkpoint.txt and audit_proof.txt: what the audit log says of the run, signed.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The run's id
    #[arg(long)]
    run: Option<String>,
    /// Only files of these names (repeat for several)
    #[arg(long = "file", value_name = "NAME")]
    files: Vec<String>,
    /// The folder to write into; files of the same names in it are replaced
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Runs the command.
///
/// # Errors
/// No such run or file, a run that did not succeed, a file whose bytes are not those of its digest.
pub fn run(arguments: ExportArguments) -> anyhow::Result<()> {
    let database = open(arguments.settings)?;
    let run = find(&database, arguments.run.as_deref())?;
    let mut heads = database.run_files(&run.id)?;
    if let Some(unknown) = arguments.files.iter().find(|name| !heads.iter().any(|head| head.name == **name)) {
        bail!("run {} has no file {unknown}", run.id);
    }
    heads.retain(|head| arguments.files.is_empty() || arguments.files.contains(&head.name));
    fs::create_dir_all(&arguments.dir).with_context(|| format!("make the folder {}", arguments.dir.display()))?;
    write_evidence(&database, &run, &arguments.dir)?;
    for head in heads {
        let file = database.run_file(&run.id, &head.name)?.with_context(|| format!("find {}", head.name))?;
        if sha256_hex(&file.content) != head.sha256 {
            bail!("{} in the database is not what its digest {} says", head.name, head.sha256);
        }
        let (object, detail) = (format!("run/{}/{}", run.id, head.name), json!({ "sha256": head.sha256 }));
        let intent = Act::done(&Author::command_line(), Clock::system().now_ms(), "download.intent", object, detail);
        database.log(&[intent])?;
        let path = arguments.dir.join(&head.name);
        fs::write(&path, &file.content).with_context(|| format!("write {}", path.display()))?;
        println!("{}  {}", head.sha256, path.display());
    }
    Ok(())
}

/// The newest checkpoint and the proof that it covers the run's end, so that whoever has the files has with them what a
/// rewritten log is found with.
fn write_evidence(database: &Database, run: &Run, folder: &Path) -> anyhow::Result<()> {
    let finished = database.latest_audit_entry(&format!("run/{}", run.id), &["run.finish"])?;
    let proof = finished.map(|entry| prove(database, entry.seq)).transpose()?.flatten();
    let Some(proof) = proof else {
        eprintln!("no checkpoint covers the run's end: checkpoint.txt and audit_proof.txt are not written");
        return Ok(());
    };
    for (name, text) in [("checkpoint.txt", proof.note.clone()), ("audit_proof.txt", proof.to_text())] {
        let path = folder.join(name);
        fs::write(&path, &text).with_context(|| format!("write {}", path.display()))?;
        println!("{}  {}", sha256_hex(text.as_bytes()), path.display());
    }
    Ok(())
}

/// The run with this id, or the latest that succeeded.
pub(super) fn find(database: &Database, id: Option<&str>) -> anyhow::Result<Run> {
    let Some(id) = id else {
        return database.latest_succeeded_run()?.context("no run has succeeded yet");
    };
    let run = database.run(id)?.with_context(|| format!("there is no run {id}"))?;
    if run.state != "succeeded" {
        bail!("run {id} has no files: it is {}", run.state);
    }
    Ok(run)
}
