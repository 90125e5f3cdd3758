//! `scilit simulate`: what the engine does where the truth is known.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{CellAlignment, Table as Printed, presets::UTF8_HORIZONTAL_ONLY};
use indicatif::{ProgressBar, ProgressStyle};

use super::analysis::on_threads;
use crate::{
    export::{Cell, Table, to_csv},
    simulate::{
        City, CityParameters,
        coverage::{Coverage, CoverageDesign, DomainCoverage, MethodCoverage, coverage},
    },
};

/// Try the engine on surveys of a synthetic city
#[derive(Debug, Args)]
pub struct SimulateArguments {
    #[command(subcommand)]
    command: SimulateCommand,
}

#[derive(Debug, Subcommand)]
enum SimulateCommand {
    /// Draw many surveys from a city whose truth is known and count how often each interval method holds it
    Coverage(CoverageArguments),
}

/// Draw many surveys from a city whose truth is known and count how often each interval method holds it
#[derive(Debug, Args)]
pub struct CoverageArguments {
    /// Surveys to draw
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    surveys: u32,
    /// Interviews hoped for in each survey
    #[arg(long, value_name = "N", default_value_t = 1200)]
    persons: u32,
    /// Seed of the city and of the surveys; the same seed prints the same bytes
    #[arg(long, value_name = "N", default_value_t = 2025)]
    seed: u64,
    /// 居/村委会 drawn in each of the 18 districts
    #[arg(long, value_name = "N", default_value_t = 7)]
    psus_per_district: usize,
    /// How to print the evidence
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Threads [default: one a processor]; the result does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// How to print the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people, in percent
    Table,
    /// One line a kind of domain and interval method, in shares
    Csv,
    /// Everything, in shares
    Json,
}

/// Prints the evidence on standard output and the progress on standard error.
///
/// # Errors
/// A design that the city cannot have; surveys that cannot be weighted.
pub fn run(arguments: &SimulateArguments) -> anyhow::Result<()> {
    let SimulateCommand::Coverage(arguments) = &arguments.command;
    let evidence = on_threads(arguments.threads, || measure(arguments))?;
    let mut out = io::stdout().lock();
    match arguments.format {
        Format::Table => write!(out, "{}", printed(&evidence))?,
        Format::Csv => out.write_all(&to_csv(&flat(&evidence)))?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &evidence)?;
            writeln!(out)?;
        }
    }
    Ok(out.flush()?)
}

fn measure(arguments: &CoverageArguments) -> anyhow::Result<Coverage> {
    let refused = |error: &dyn std::fmt::Display| anyhow::anyhow!("failed to {error}");
    let city = City::generate(&CityParameters::demo(arguments.seed)).map_err(|error| refused(&error))?;
    let design = CoverageDesign {
        surveys: arguments.surveys,
        persons: arguments.persons,
        psus_per_district: arguments.psus_per_district,
        seed: arguments.seed,
    };
    let bar = ProgressBar::new(u64::from(arguments.surveys)).with_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} surveys, {eta} to go").expect("a sound template"),
    );
    let evidence = coverage(&city, &design, &|| bar.inc(1)).map_err(|error| refused(&error));
    bar.finish_and_clear();
    evidence
}

fn percent(share: Option<f64>, digits: usize) -> String {
    share.map_or("–".to_owned(), |share| format!("{:.digits$}", 100.0 * share))
}

const HEADER: [&str; 9] = [
    "domain",
    "method",
    "intervals",
    "coverage %",
    "MC s.e.",
    "truth below %",
    "above %",
    "mean width",
    "no interval %",
];

fn printed(evidence: &Coverage) -> String {
    let mut table = Printed::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(HEADER);
    for domain in &evidence.domains {
        for method in &domain.methods {
            table.add_row([
                domain.domain.to_owned(),
                method.method.to_owned(),
                method.intervals.to_string(),
                percent(method.coverage, 1),
                percent(method.coverage_se, 2),
                percent(method.truth_below, 1),
                percent(method.truth_above, 1),
                percent(method.mean_width, 2),
                percent(Some(method.not_estimable), 1),
            ]);
        }
    }
    right_align(&mut table, 2);
    let mut text = format!("{}\n{table}\n\n{}\n", heading(evidence), estimates(evidence));
    if let Some(reason) = &evidence.first_refusal {
        let _ = writeln!(text, "{} surveys could not be weighted; the first failed to {reason}", evidence.refused);
    }
    text
}

fn heading(evidence: &Coverage) -> String {
    let design = &evidence.design;
    format!(
        "示例数据: {} surveys of about {} persons in {} 居/村委会 a district, from a city of {} persons; {} % intervals",
        design.surveys,
        design.persons,
        design.psus_per_district,
        evidence.city_persons,
        100.0 * evidence.level
    )
}

fn estimates(evidence: &Coverage) -> Printed {
    let mut table = Printed::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "domain",
        "levels",
        "mean n",
        "mean df",
        "bias, points",
        "largest bias",
        "spread",
        "s.e. / spread",
    ]);
    let plain = |value: Option<f64>, digits: usize| value.map_or("–".to_owned(), |value| format!("{value:.digits$}"));
    for domain in &evidence.domains {
        table.add_row([
            domain.domain.to_owned(),
            domain.levels.to_string(),
            plain(domain.mean_n, 1),
            plain(domain.mean_df, 1),
            percent(domain.bias, 3),
            percent(domain.largest_bias, 3),
            percent(domain.spread, 2),
            plain(domain.se_ratio, 3),
        ]);
    }
    right_align(&mut table, 1);
    table
}

fn right_align(table: &mut Printed, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

const COLUMNS: [&str; 17] = [
    "domain",
    "method",
    "levels",
    "intervals",
    "coverage",
    "coverage_se",
    "truth_below",
    "truth_above",
    "mean_width",
    "not_estimable",
    "mean_n",
    "mean_df",
    "bias",
    "largest_bias",
    "spread",
    "se_ratio",
    "refused",
];

fn flat(evidence: &Coverage) -> Table {
    let mut table = Table::new(COLUMNS);
    for domain in &evidence.domains {
        for method in &domain.methods {
            table.push(line(evidence, domain, method));
        }
    }
    table
}

fn line(evidence: &Coverage, domain: &DomainCoverage, method: &MethodCoverage) -> Vec<Cell> {
    let mut cells = vec![Cell::text(Some(domain.domain)), Cell::text(Some(method.method))];
    cells.extend([domain.levels, method.intervals].map(|count| Cell::Integer(count as i64)));
    let of_method = [method.coverage, method.coverage_se, method.truth_below, method.truth_above, method.mean_width];
    cells.extend(of_method.map(Cell::number));
    cells.push(Cell::number(Some(method.not_estimable)));
    let of_domain = [domain.mean_n, domain.mean_df, domain.bias, domain.largest_bias, domain.spread, domain.se_ratio];
    cells.extend(of_domain.map(Cell::number));
    cells.push(Cell::Integer(evidence.refused as i64));
    cells
}
