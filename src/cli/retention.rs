//! `scilit retention`: what is kept until when, and deleting what is not kept any longer.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::{run::survey_of, serve::SettingsArguments, token::open_with};
use crate::{
    server::{
        Clock, Config,
        retention::{Planned, Retention},
        vault::check_reason,
    },
    storage::{Author, Database, Survey},
};

/// What is kept until when: say it, do what the server does daily, delete raw responses
#[derive(Debug, Args)]
pub struct RetentionArguments {
    #[command(subcommand)]
    command: RetentionCommand,
}

#[derive(Debug, Subcommand)]
enum RetentionCommand {
    /// Say what would be deleted, when, and why not; changes nothing
    Plan {
        /// One survey, by its code [default: all]
        #[arg(long)]
        survey: Option<String>,
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Delete what is not kept any longer, as the server does by itself once a day
    Run {
        /// One survey, by its code [default: all, and attachments that no interview names]
        #[arg(long)]
        survey: Option<String>,
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Delete the raw responses of a survey that was closed two years ago; digests, receipts, results and the log stay
    DeleteRaw {
        /// The survey, by its code
        #[arg(long)]
        survey: String,
        /// Why, in 4 to 200 signs; kept in the audit log
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        settings: SettingsArguments,
    },
}

/// Runs the command.
///
/// # Errors
/// No such survey; a deletion that is not allowed, with the day from which on it is; whatever the database refused.
pub fn run(arguments: RetentionArguments) -> anyhow::Result<()> {
    let clock = Clock::system();
    let operator = Author::command_line();
    match arguments.command {
        RetentionCommand::Plan { survey, settings } => {
            let (database, config) = open(settings)?;
            let retention = Retention { database: &database, clock: &clock, periods: config.retention };
            for survey in named(&database, survey.as_deref())? {
                print_plan(&survey, &retention.plan(&survey)?, database.hold(&survey.id)?.map(|hold| hold.reason));
            }
        }
        RetentionCommand::Run { survey, settings } => {
            let (database, config) = open(settings)?;
            let survey = survey.map(|code| survey_of(&database, &code)).transpose()?;
            let retention = Retention { database: &database, clock: &clock, periods: config.retention };
            let done = retention.run(survey.as_ref(), &operator)?;
            if done.is_empty() {
                println!("nothing to delete");
            }
            for (survey, what, items) in done {
                println!("{survey}: deleted {items} {}", what.label().en);
            }
        }
        RetentionCommand::DeleteRaw { survey, reason, settings } => {
            let (database, config) = open(settings)?;
            let survey = survey_of(&database, &survey)?;
            if check_reason(&reason).is_err() {
                bail!("give a reason of 4 to 200 signs");
            }
            let retention = Retention { database: &database, clock: &clock, periods: config.retention };
            let bodies = retention.delete_raw(&survey, reason.trim(), &operator)?;
            println!("{}: deleted {bodies} raw responses; digests, receipts, results and the log stay", survey.code);
        }
    }
    Ok(())
}

fn open(settings: SettingsArguments) -> anyhow::Result<(Database, Config)> {
    let config = settings.config()?;
    Ok((open_with(&config)?, config))
}

fn named(database: &Database, code: Option<&str>) -> anyhow::Result<Vec<Survey>> {
    match code {
        Some(code) => Ok(vec![survey_of(database, code)?]),
        None => database.surveys().context("read the surveys"),
    }
}

fn print_plan(survey: &Survey, plan: &[Planned], hold: Option<String>) {
    println!("{} {}", survey.code, survey.title);
    if let Some(reason) = hold {
        println!("  a legal hold stands: {reason}");
    }
    for line in plan {
        println!("  {}", line.sentence().en);
    }
    println!("  results, reports, weights, receipts, digests and the audit log: kept");
}
