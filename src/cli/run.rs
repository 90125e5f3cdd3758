//! `scilit run`: a run of a survey, computed here and now.

use std::{sync::mpsc::channel, thread, time::Duration};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::serve::SettingsArguments;
use crate::{
    indicator::VarianceChoice,
    server::{
        Clock, Config, Keys,
        jobs::{Include, Notary, Progress, RunRequest, compute_now},
    },
    storage::{Author, Database, Run, Survey},
};

/// Compute a run of a survey
///
/// The same as a run that is asked for over HTTP, computed by this program while a server may go on answering. Its files are
/// those of `scilit export` and `scilit bundle`. The exit code is 1 where it made no results.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The survey, by its code
    survey: String,
    /// Which interviews count
    #[arg(long, value_enum, default_value_t = IncludeName::Approved)]
    include: IncludeName,
    /// The variance method
    #[arg(long, value_enum, default_value_t = VarianceName::Taylor)]
    variance: VarianceName,
    /// Replicates of the bootstrap
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(2..=1000))]
    replicates: u16,
    /// Seed of the bootstrap
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    settings: SettingsArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum IncludeName {
    /// Those that two persons approved
    Approved,
    /// Also those that may still be approved: interim results
    Interim,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum VarianceName {
    /// Linearization
    Taylor,
    /// Delete one primary sampling unit at a time
    Jkn,
    /// Rao and Wu's bootstrap
    Bootstrap,
}

impl RunArguments {
    fn request(&self) -> RunRequest {
        let include = match self.include {
            IncludeName::Approved => Include::Approved,
            IncludeName::Interim => Include::Interim,
        };
        let variance = match self.variance {
            VarianceName::Taylor => VarianceChoice::Taylor,
            VarianceName::Jkn => VarianceChoice::Jkn,
            VarianceName::Bootstrap => VarianceChoice::Bootstrap { replicates: self.replicates, seed: self.seed },
        };
        RunRequest { variance, include, earlier: None }
    }
}

/// Runs the command.
///
/// # Errors
/// No such survey, or a run that made nothing, with its reason.
pub fn run(arguments: RunArguments) -> anyhow::Result<()> {
    let request = arguments.request();
    let config = arguments.settings.config()?;
    let database = super::token::open_with(&config)?;
    let survey = survey_of(&database, &arguments.survey)?;
    let run = compute(&config, &database, &survey.id, &request)?;
    println!("{} {}", run.id, run.shown_state());
    if run.state == "succeeded" {
        return Ok(());
    }
    bail!("run {} made no results: {}", run.id, run.error.unwrap_or_default())
}

/// The survey with this code.
///
/// # Errors
/// When there is none.
pub(super) fn survey_of(database: &Database, code: &str) -> anyhow::Result<Survey> {
    let found = database.surveys()?.into_iter().find(|survey| survey.code == code);
    found.with_context(|| format!("there is no survey with the code {code}"))
}

fn compute(config: &Config, database: &Database, survey: &str, request: &RunRequest) -> anyhow::Result<Run> {
    let clock = Clock::system();
    let (keys, _) = Keys::open(&config.key_dir, clock.now_ms())?;
    let notary = Notary::start(database.clone(), config.database_url.clone(), keys, clock.clone())?;
    let progress = Progress::default();
    let (ended, end) = channel::<()>();
    let told = progress.clone();
    let teller = thread::spawn(move || {
        let bar = ProgressBar::new(1000);
        let style = ProgressStyle::with_template("{msg:12} {wide_bar} {percent}%")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        while end.recv_timeout(Duration::from_millis(100)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let (stage, share) = told.standing();
            bar.set_message(stage.name());
            // From 0 to 1000.
            bar.set_position((share * 1000.0) as u64);
        }
        bar.finish_and_clear();
    });
    let computed = compute_now(database, &clock, &notary, survey, &Author::command_line(), request, &progress);
    drop(ended);
    let _ = teller.join();
    notary.stop();
    let id = computed?;
    database.run(&id)?.with_context(|| format!("find run {id} again"))
}
