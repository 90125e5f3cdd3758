//! `scilit weight`: the weight steps of a plan, each with its diagnostics.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, ContentArrangement, Table as Printed, presets::UTF8_HORIZONTAL_ONLY};

use super::analysis::{AnalysisArguments, on_threads, read_plan, read_tables};
use crate::{
    export::{Cell, Table, to_csv},
    statistics::{self, Prepared, weighting::WeightStep},
};

/// Run the weight steps of a plan and show what each did
#[derive(Debug, Args)]
pub struct WeightArguments {
    #[command(flatten)]
    analysis: AnalysisArguments,
    /// How to print the steps
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Also write the weight of each row after each step to this CSV file
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
}

/// How to print the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people
    Table,
    /// One line each margin category or class, and one each step
    Csv,
}

/// Prints the steps on standard output.
///
/// # Errors
/// A file that cannot be read or written, a plan with a fault, a step that the engine refuses.
pub fn run(arguments: WeightArguments) -> anyhow::Result<()> {
    let prepared = on_threads(arguments.analysis.threads, || {
        let plan = read_plan(&arguments.analysis.plan)?;
        let (table, files) = read_tables(&plan, &arguments.analysis.data_dir)?;
        statistics::prepare(&plan, &table, &files).map_err(|error| anyhow::anyhow!("failed to {error}"))
    })?;
    let mut out = io::stdout().lock();
    match arguments.format {
        Format::Table => write!(out, "{}", printed(prepared.steps()))?,
        Format::Csv => out.write_all(&to_csv(&log(prepared.steps())))?,
    }
    out.flush()?;
    if let Some(path) = &arguments.weights {
        fs::write(path, to_csv(&by_row(&prepared))).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}

fn printed(steps: &[WeightStep]) -> String {
    let mut table = Printed::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "step",
        "n",
        "sum",
        "min",
        "max",
        "factor min",
        "median",
        "factor max",
        "Kish deff",
        "effective n",
        "passes",
        "worst margin",
    ]);
    for step in steps {
        let d = &step.diagnostics;
        let four = |value: f64| format!("{value:.4}");
        table.add_row([
            step.name.clone(),
            d.n.to_string(),
            format!("{:.1}", d.sum),
            four(d.weight_min),
            four(d.weight_max),
            four(d.factor_quantiles[0]),
            four(d.factor_quantiles[3]),
            four(d.factor_quantiles[6]),
            four(d.kish_deff),
            format!("{:.1}", d.effective_n),
            if d.passes == 0 { "–".to_owned() } else { d.passes.to_string() },
            d.worst_residual.map_or("–".to_owned(), |worst| format!("{worst:.1e}")),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let notes =
        steps.iter().flat_map(|step| step.diagnostics.notes.iter().map(move |n| format!("{}: {n}\n", step.name)));
    format!("{table}\n{}", notes.collect::<String>())
}

const LOG: [&str; 18] = [
    "step",
    "margin",
    "category",
    "n",
    "target",
    "before",
    "after",
    "factor",
    "factor_min",
    "factor_p05",
    "factor_p25",
    "factor_p50",
    "factor_p75",
    "factor_p95",
    "factor_max",
    "kish_deff",
    "effective_n",
    "passes",
];

/// One line a step (margin empty), then one a margin category or class.
fn log(steps: &[WeightStep]) -> Table {
    let mut table = Table::new(LOG);
    for step in steps {
        let d = &step.diagnostics;
        let mut row = vec![Cell::text(Some(&step.name)), Cell::Missing, Cell::Missing, Cell::Integer(d.n as i64)];
        row.extend([Cell::Missing, Cell::Missing, Cell::number(Some(d.sum)), Cell::Missing]);
        row.extend(d.factor_quantiles.map(|q| Cell::number(Some(q))));
        row.extend([d.kish_deff, d.effective_n].map(|v| Cell::number(Some(v))));
        row.push(Cell::Integer(d.passes as i64));
        table.push(row);
        for line in &d.margins {
            let mut row = vec![Cell::text(Some(&step.name)), Cell::text(Some(&line.margin))];
            row.extend([Cell::text(Some(&line.category)), Cell::Integer(line.n as i64), Cell::number(line.target)]);
            row.extend([Cell::number(Some(line.before)), Cell::number(Some(line.after)), Cell::number(line.factor)]);
            row.resize(LOG.len(), Cell::Missing);
            table.push(row);
        }
    }
    table
}

/// The weight of each row that was read after each step; empty where a row has none.
fn by_row(prepared: &Prepared) -> Table {
    let steps = prepared.steps();
    let name = |(at, step): (usize, &WeightStep)| format!("{}_{}", at + 1, step.name);
    let mut table = Table::new(std::iter::once("row".to_owned()).chain(steps.iter().enumerate().map(name)));
    for row in 0..steps.first().map_or(0, |step| step.weights.len()) {
        let mut cells = vec![Cell::Integer(row as i64 + 1)];
        cells.extend(steps.iter().map(|step| Cell::number(Some(step.weights[row]).filter(|w| *w > 0.0))));
        table.push(cells);
    }
    table
}
