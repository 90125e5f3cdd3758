//! The command line: one file a command.

pub mod analysis;
pub mod estimate;
pub mod flat;
pub mod plan;
pub mod weight;

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
    Estimate(estimate::EstimateArguments),
    Plan(plan::PlanArguments),
    Weight(weight::WeightArguments),
}

/// Parses the process's arguments and runs the command they name.
///
/// # Errors
/// Whatever the command could not do, with its causes as context.
pub fn run() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Estimate(arguments) => estimate::run(arguments),
        Command::Plan(arguments) => plan::run(arguments),
        Command::Weight(arguments) => weight::run(arguments),
    }
}
