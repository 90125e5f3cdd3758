//! `scilit export`: the files of a run from the database into a folder.

use std::{
    fs,
    io::{BufWriter, Cursor, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{serve::SettingsArguments, token::open};
use crate::{
    evidence::sha256_hex,
    export::{
        PERSONS_FILE, RESULTS_FILE,
        bundle::{PROFILE_FILE, QUESTIONNAIRE_FILE, REGIONS_FILE},
        formats::{Format, FormatSources, write_format},
    },
    server::{Clock, Formats, audit::prove},
    storage::{Act, Author, Database, Run},
};

/// Write the files of a run into a folder, or its weighted responses in another form
///
/// Without a run it takes the latest one that succeeded. Each file is checked against the digest that the database keeps of it.
/// With the files go checkpoint.txt and audit_proof.txt: what the audit log says of the run, signed.
/// With --format one form of responses_weighted.csv is written instead; from the folder of a bundle this needs no database.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The run's id; with --format also a bundle, as its folder or archive
    #[arg(value_name = "RUN|BUNDLE", conflicts_with = "run")]
    source: Option<String>,
    /// The run's id
    #[arg(long)]
    run: Option<String>,
    /// Only files of these names (repeat for several)
    #[arg(long = "file", value_name = "NAME")]
    files: Vec<String>,
    /// The folder to write into; files of the same names in it are replaced
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// The form of the weighted responses
    #[arg(long, requires = "output", conflicts_with_all = ["files", "dir"])]
    format: Option<FormatName>,
    /// The file to write the form into; it must not exist
    #[arg(long, value_name = "FILE", requires = "format")]
    output: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Runs the command.
///
/// # Errors
/// No such run or file, a run that did not succeed, a file whose bytes are not those of its digest.
pub fn run(arguments: ExportArguments) -> anyhow::Result<()> {
    let named = arguments.source.as_deref().or(arguments.run.as_deref());
    if let (Some(format), Some(output)) = (arguments.format, &arguments.output) {
        return match named.map(Path::new).filter(|source| source.exists()) {
            Some(bundle) => format_of_bundle(bundle, format.into(), output),
            None => format_of_run(&open(arguments.settings)?, named, format.into(), output),
        };
    }
    let database = open(arguments.settings)?;
    let run = find(&database, named)?;
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

/// A form's name on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    /// CSV for Excel and WPS: byte order mark, Chinese names, no formulas
    ExcelCsv,
    /// Workbook with data, codebook and notes
    Xlsx,
    /// Apache Parquet
    Parquet,
    /// SPSS syntax that reads responses_weighted.csv
    Sps,
    /// Stata commands that read responses_weighted.csv
    Do,
    /// Codebook as DDI 2.5
    Ddi,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::ExcelCsv => Self::ExcelCsv,
            FormatName::Xlsx => Self::Xlsx,
            FormatName::Parquet => Self::Parquet,
            FormatName::Sps => Self::Spss,
            FormatName::Do => Self::Stata,
            FormatName::Ddi => Self::Ddi,
        }
    }
}

/// From a bundle's own files, with no database.
fn format_of_bundle(bundle: &Path, format: Format, output: &Path) -> anyhow::Result<()> {
    let files = super::verify::read(bundle)?;
    let needed = |name: &str| files.get(name).with_context(|| format!("{} has no {name}", bundle.display()));
    let persons = needed(PERSONS_FILE)?;
    let sources = FormatSources {
        questionnaire: needed(QUESTIONNAIRE_FILE)?,
        profile: needed(PROFILE_FILE)?,
        regions: files.get(REGIONS_FILE).map(Vec::as_slice),
        results: needed(RESULTS_FILE)?,
        persons_sha256: &sha256_hex(persons),
    };
    super::bundle::write_whole(output, "--output", |file| {
        let mut out = BufWriter::new(file);
        write_format(format, &sources, &mut || Ok(Box::new(Cursor::new(persons.clone()))), &mut out)?;
        Ok(out.flush()?)
    })?;
    println!("{}", output.display());
    Ok(())
}

/// From the database, where the form is made once and kept; that it leaves is logged before its first byte does.
fn format_of_run(database: &Database, run: Option<&str>, format: Format, output: &Path) -> anyhow::Result<()> {
    let (clock, by) = (Clock::system(), Author::command_line());
    let run = find(database, run)?;
    let made = Formats::default().of(database, &clock, &run, format, &by)?;
    let made = made.with_context(|| format!("run {} has not the files that a form is made from", run.id))?;
    let (object, detail) = (format!("run/{}/{}", run.id, made.name), json!({ "sha256": made.sha256 }));
    database.log(&[Act::done(&by, clock.now_ms(), "download.intent", object, detail)])?;
    super::bundle::write_whole(output, "--output", |file| {
        Ok(std::io::copy(&mut made.open(database), file).map(|_| ())?)
    })?;
    println!("{}  {}", made.sha256, output.display());
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
