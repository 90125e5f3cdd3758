//! `scilit estimate`: an analysis plan answered from files, with no server.

use std::{
    io::{self, Write as _},
    time::Instant,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{
    analysis::{AnalysisArguments, on_threads, read_plan, read_tables},
    flat,
};
use crate::statistics::{self, Plan, plan::EstimatorPlan};

/// Answer an analysis plan from files
#[derive(Debug, Args)]
pub struct EstimateArguments {
    #[command(flatten)]
    analysis: AnalysisArguments,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Print one JSON object with read_s, weight_s, estimate_s and peak_bytes as the last line on standard error
    #[arg(long)]
    timings: bool,
}

/// How to print the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The answer with design, rows and models
    Json,
    /// The rows, one line each
    Csv,
}

/// Seconds inside the process.
#[derive(Debug, Default)]
struct Timings {
    read: f64,
    weight: f64,
    estimate: f64,
}

/// Answers the plan on standard output.
///
/// # Errors
/// A file that cannot be read, a plan with a fault, an analysis that the engine refuses.
pub fn run(arguments: EstimateArguments) -> anyhow::Result<()> {
    let (answer, timings) = on_threads(arguments.analysis.threads, || answer(&arguments.analysis))?;
    let mut out = io::stdout().lock();
    match arguments.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &answer)?;
            writeln!(out)?;
        }
        Format::Csv => out.write_all(&flat::rows_to_csv(&answer["rows"]))?,
    }
    out.flush()?;
    if arguments.timings {
        let Timings { read, weight, estimate } = timings;
        let peak = peak_bytes();
        eprintln!("{}", json!({"read_s": read, "weight_s": weight, "estimate_s": estimate, "peak_bytes": peak}));
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "--timings measures the process; no result depends on it")]
fn now() -> Instant {
    Instant::now()
}

/// The most memory that the process has held, where the system tells.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

fn answer(arguments: &AnalysisArguments) -> anyhow::Result<(Value, Timings)> {
    let mut timings = Timings::default();
    let start = now();
    let plan = read_plan(&arguments.plan)?;
    let (table, files) = read_tables(&plan, &arguments.data_dir)?;
    timings.read = start.elapsed().as_secs_f64();
    let start = now();
    if matches!(plan.estimator, Some(EstimatorPlan::FayHerriot(_))) {
        let answer = refused(&plan, statistics::analyse(&plan, &table, &files))?;
        timings.estimate = start.elapsed().as_secs_f64();
        return Ok((answer, timings));
    }
    let prepared = refused(&plan, statistics::prepare(&plan, &table, &files))?;
    timings.weight = start.elapsed().as_secs_f64();
    let start = now();
    let estimated = refused(&plan, statistics::estimates(&plan, &prepared))?;
    timings.estimate = start.elapsed().as_secs_f64();
    Ok((statistics::answer(&plan, &prepared, &estimated), timings))
}

fn refused<T>(plan: &Plan, result: Result<T, statistics::StatisticsError>) -> anyhow::Result<T> {
    let name = plan.id.as_deref().or(plan.title.as_deref()).unwrap_or("the plan").to_owned();
    result.map_err(|error| anyhow::anyhow!("failed to {error}")).with_context(|| name)
}
