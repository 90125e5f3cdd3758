//! `scilit report`: a run's report as a file, from the database or from a bundle.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::{serve::SettingsArguments, verify};
use crate::{
    evidence::sha256_hex,
    export::{RESULTS_FILE, bundle},
    report::Language,
    server::{
        Clock,
        report::{Format, make},
    },
    storage::{Act, Author},
};

/// Write the report of a run as HTML or PDF, in Chinese or in English
///
/// RUN is the id of a run in the database, or a bundle (its folder or archive), which is verified first and needs no database. The PDF needs a Chinese
/// font on this machine (package fonts-noto-cjk) and no browser. With --public-url the QR code leads to that server's page of the run.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// The run's id, or a bundle [default: the latest run that succeeded]
    run: Option<String>,
    /// The file to write; its name ends in .pdf or .html
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Language of the report
    #[arg(long, value_enum, default_value_t = Tongue::Chinese)]
    language: Tongue,
    #[command(flatten)]
    settings: SettingsArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Tongue {
    /// 简体中文
    #[value(name = "zh-CN")]
    Chinese,
    /// English
    #[value(name = "en")]
    English,
}

/// Runs the command.
///
/// # Errors
/// A name that ends in neither .pdf nor .html, no such run or bundle, a bundle that does not hold, no Chinese font.
pub fn run(arguments: ReportArguments) -> anyhow::Result<()> {
    let ReportArguments { run, output, language, settings } = arguments;
    let name = output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(format) = Format::of_name(&name) else {
        bail!("write a report: --output {} ends in neither .pdf nor .html", output.display());
    };
    let language = match language {
        Tongue::Chinese => Language::Chinese,
        Tongue::English => Language::English,
    };
    let config = settings.config()?;
    let address = config.address_for_others.as_deref();
    let offline = run.as_deref().map(Path::new).filter(|path| path.exists());
    let bytes = match offline {
        Some(path) => {
            let (id, results) = of_bundle(path)?;
            make(&id, &results, address, language, format)?
        }
        None => {
            let database = super::token::open_with(&config)?;
            let run = super::export::find(&database, run.as_deref())?;
            let file = database.run_file(&run.id, RESULTS_FILE)?.context("the run has no results")?;
            let bytes = make(&run.id, &file.content, address, language, format)?;
            let detail = json!({ "sha256": sha256_hex(&bytes), "language": language.tag() });
            let object = format!("run/{}/{}", run.id, format.file_name());
            let now = Clock::system().now_ms();
            database.log(&[Act::done(&Author::command_line(), now, "download.intent", object, detail)])?;
            bytes
        }
    };
    fs::write(&output, &bytes).with_context(|| format!("write {}", output.display()))?;
    println!("{}  {}", sha256_hex(&bytes), output.display());
    Ok(())
}

/// The run's id and results of a bundle that holds.
fn of_bundle(path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let mut files = verify::read(path)?;
    let verified = bundle::verify(&files, None).map_err(verify::found)?;
    let results = files.remove(RESULTS_FILE).context("the bundle has no results")?;
    Ok((verified.predicate.run_details.metadata.invocation_id, results))
}
