//! `scilit plan check`: what a plan will do, in words.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::analysis::{read_plan, read_tables};
use crate::statistics;

/// Look at an analysis plan without running it
#[derive(Debug, Args)]
pub struct PlanArguments {
    #[command(subcommand)]
    command: PlanCommand,
}

#[derive(Debug, Subcommand)]
enum PlanCommand {
    /// Check a plan and say in words what it will do
    Check(CheckArguments),
}

/// Check a plan and say in words what it will do
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The analysis plan: JSON, or the same keys in TOML when the name ends in .toml
    plan: PathBuf,
    /// Also run the weight steps and the design on the data in this folder
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Prints the plan in words.
///
/// # Errors
/// A plan with a fault; with data, whatever its design and weight steps refuse.
pub fn run(arguments: PlanArguments) -> anyhow::Result<()> {
    let PlanCommand::Check(arguments) = arguments.command;
    let plan = read_plan(&arguments.plan)?;
    for line in plan.in_words() {
        println!("{line}");
    }
    if let Some(folder) = &arguments.data_dir {
        let (table, files) = read_tables(&plan, folder)?;
        let prepared =
            statistics::prepare(&plan, &table, &files).map_err(|error| anyhow::anyhow!("failed to {error}"))?;
        let summary = prepared.summary();
        println!(
            "With the data: {} rows, weights from {:.4} to {:.4} that sum to {:.1}, Kish's design effect {:.4}, {} degrees of freedom.",
            summary.n, summary.weight_min, summary.weight_max, summary.sum_of_weights, summary.kish_deff, summary.df
        );
    }
    Ok(())
}
