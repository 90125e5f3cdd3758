//! `scilit questionnaire publish`: a file becomes a version that never changes.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::{serve::SettingsArguments, token::open};
use crate::{
    server::{Clock, Instruments, Refusal, judge_again, publish},
    storage::{Author, Publication},
};

/// Check a questionnaire file and publish it
#[derive(Debug, Args)]
pub struct PublishArguments {
    /// The questionnaire file
    file: PathBuf,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Runs the command.
///
/// # Errors
/// Every fault of the file, or that the version is published with other content.
pub fn run(arguments: PublishArguments) -> anyhow::Result<()> {
    let file = arguments.file.display().to_string();
    let source = std::fs::read_to_string(&arguments.file).with_context(|| format!("read {file}"))?;
    let (clock, database) = (Clock::system(), open(arguments.settings)?);
    let (publication, row) = match publish(&database, &file, &source, &Author::command_line(), &clock) {
        Ok(published) => published,
        Err(Refusal::Faults(faults)) => {
            let line = |line: Option<u64>| line.map(|line| format!(":{line}")).unwrap_or_default();
            let item = |item: Option<&String>| item.map(|item| format!(" item {item}:")).unwrap_or_default();
            for fault in &faults {
                eprintln!("{file}{}:{} {}", line(fault.line), item(fault.item.as_ref()), fault.message.en);
            }
            bail!("publish {file}: {} fault(s)", faults.len());
        }
        Err(error) => return Err(error.into()),
    };
    judge_again(&database, &Instruments::default(), &clock)?;
    let verb = if publication == Publication::New { "published" } else { "already published" };
    println!("{verb} {} {} {}", row.id, row.version, row.hash);
    Ok(())
}
