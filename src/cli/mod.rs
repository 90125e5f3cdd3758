//! The command line: one file a command.

pub mod questionnaire;
pub mod score;

use clap::{Parser, Subcommand};

/// Survey collection and literacy-indicator scoring for civic scientific literacy surveys.
#[derive(Debug, Parser)]
#[command(name = "scilit", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Questionnaire(questionnaire::QuestionnaireArguments),
    Score(score::ScoreArguments),
}

/// Parses the process's arguments and runs the command they name.
///
/// # Errors
/// Whatever the command could not do, with its causes as context.
pub fn run() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Questionnaire(arguments) => questionnaire::run(arguments),
        Command::Score(arguments) => score::run(arguments),
    }
}
