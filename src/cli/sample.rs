//! `scilit sample`: how many, shared out how, and which ones.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};

use crate::{
    export::{Cell, Table, to_csv},
    statistics::{
        allocation::{Allocation, Stratum, allocate},
        sample_size::{Precision, design_effect, margin_of_error, sample_size},
        sampling::{DrawPlan, DrawnCase, Frame, draw},
    },
};

/// Plan a sample: its size, its allocation over strata, the draw itself
#[derive(Debug, Args)]
pub struct SampleArguments {
    #[command(subcommand)]
    command: SampleCommand,
}

#[derive(Debug, Subcommand)]
enum SampleCommand {
    /// How many interviews a margin of error needs, or what margin a number of interviews gives (JSON)
    Size(SizeArguments),
    /// Share a sample out over strata (CSV: stratum, population, n, fraction)
    Allocate(AllocateArguments),
    /// Draw the sample from a frame and write the file that a survey imports
    Draw(DrawArguments),
}

#[derive(Debug, Args)]
struct SizeArguments {
    /// Half-width of the interval wanted, as a proportion: 0.03 is 3 points
    #[arg(long, required_unless_present = "interviews", conflicts_with = "interviews")]
    margin: Option<f64>,
    /// Completed interviews, to learn the margin they give
    #[arg(long)]
    interviews: Option<u64>,
    /// Proportion expected; one half asks for most
    #[arg(long, default_value_t = 0.5)]
    proportion: f64,
    /// Confidence level
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    /// Design effect; or give --per-cluster and --correlation
    #[arg(long, required_unless_present = "per_cluster", conflicts_with = "per_cluster")]
    deff: Option<f64>,
    /// Interviews a cluster, from which the design effect follows
    #[arg(long, requires = "correlation")]
    per_cluster: Option<f64>,
    /// Intracluster correlation
    #[arg(long, requires = "per_cluster")]
    correlation: Option<f64>,
    /// Design effect of unequal weights, 1 + CV²(w), on top of the clusters
    #[arg(long, requires = "per_cluster", default_value_t = 1.0)]
    weighting: f64,
    /// Share of the drawn who will complete the interview
    #[arg(long, required_unless_present = "interviews")]
    response_rate: Option<f64>,
    /// Persons in the population; without it no finite population correction
    #[arg(long)]
    population: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// In proportion to the population
    Proportional,
    /// In proportion to population times standard deviation
    Neyman,
    /// In proportion to a power of the population
    Power,
}

#[derive(Debug, Args)]
struct AllocateArguments {
    /// CSV with the columns stratum and population, and standard_deviation for Neyman's allocation
    #[arg(long, value_name = "FILE")]
    strata: PathBuf,
    /// Units to share out
    #[arg(long)]
    n: u64,
    #[arg(long, value_enum)]
    method: Method,
    /// The power, from 0 (equal) to 1 (proportional)
    #[arg(long, required_if_eq("method", "power"))]
    power: Option<f64>,
    /// Least a stratum receives; two first-stage units are needed for a variance
    #[arg(long, default_value_t = 0)]
    minimum: u64,
}

#[derive(Debug, Args)]
struct DrawArguments {
    /// CSV with the columns district, stratum, psu, residence, households; optional ssu and size
    #[arg(long, value_name = "FILE")]
    frame: PathBuf,
    /// Seed of the draw; the same seed gives the same sample
    #[arg(long)]
    seed: u64,
    /// First-stage units in every stratum
    #[arg(long, required_unless_present = "allocation", conflicts_with = "allocation")]
    psus: Option<usize>,
    /// CSV with the columns stratum and n: households in each stratum, rounded up to whole first-stage units
    #[arg(long, value_name = "FILE")]
    allocation: Option<PathBuf>,
    /// Second-stage units in each first-stage unit, where the frame names them
    #[arg(long)]
    ssus: Option<usize>,
    /// Households in each last area unit
    #[arg(long)]
    households: u64,
    /// Columns of the frame to order by before the systematic draw, the first one first
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    order: Vec<String>,
    /// Where to write the sample
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Reserve households in each last area unit, written to their own file
    #[arg(long, requires = "reserves_output", default_value_t = 0)]
    reserves: u64,
    /// Where to write the reserves, with the order of their use
    #[arg(long, value_name = "FILE", requires = "reserves")]
    reserves_output: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A parameter out of range, a file that cannot be read or written, every fault of a frame or table with its place.
pub fn run(arguments: &SampleArguments) -> anyhow::Result<()> {
    match &arguments.command {
        SampleCommand::Size(arguments) => size(arguments),
        SampleCommand::Allocate(arguments) => share_out(arguments),
        SampleCommand::Draw(arguments) => draw_sample(arguments),
    }
}

fn size(arguments: &SizeArguments) -> anyhow::Result<()> {
    let deff = match (arguments.deff, arguments.per_cluster, arguments.correlation) {
        (Some(deff), ..) => deff,
        (None, Some(per_cluster), Some(correlation)) => {
            design_effect(per_cluster, correlation, arguments.weighting).context("failed to find the design effect")?
        }
        _ => bail!("give --deff, or --per-cluster and --correlation"),
    };
    let (proportion, level, population) = (arguments.proportion, arguments.level, arguments.population);
    let precision = Precision { proportion, level, deff, population };
    let common = |margin: f64| serde_json::json!({ "proportion": proportion, "level": level, "deff": deff, "population": population, "margin": margin });
    let mut answer = match (arguments.margin, arguments.interviews, arguments.response_rate) {
        (None, Some(interviews), _) => {
            let margin = margin_of_error(&precision, interviews).context("failed to find the margin of error")?;
            let mut answer = common(margin);
            answer["completes"] = interviews.into();
            answer
        }
        (Some(margin), _, Some(response_rate)) => {
            let size = sample_size(&precision, margin, response_rate).context("failed to find the sample size")?;
            let mut answer = common(margin);
            answer["response_rate"] = response_rate.into();
            answer["simple_random"] = size.simple_random.into();
            answer["completes"] = size.completes.into();
            answer["draw"] = size.draw.into();
            answer
        }
        _ => bail!("give --margin with --response-rate, or --interviews"),
    };
    answer.sort_all_objects();
    writeln!(io::stdout().lock(), "{answer:#}")?;
    Ok(())
}

fn share_out(arguments: &AllocateArguments) -> anyhow::Result<()> {
    let allocation = match (arguments.method, arguments.power) {
        (Method::Proportional, None) => Allocation::Proportional,
        (Method::Neyman, None) => Allocation::Neyman,
        (Method::Power, Some(power)) => Allocation::Power(power),
        _ => bail!("--power belongs to --method power"),
    };
    let strata = read_strata(&arguments.strata)?;
    let shared =
        allocate(&strata, arguments.n, allocation, arguments.minimum).context("failed to share the sample out")?;
    let mut table = Table::new(["stratum", "population", "n", "fraction"]);
    for stratum in shared {
        let count = |n: u64| i64::try_from(n).map(Cell::Integer);
        let cells =
            [Cell::Text(stratum.id), count(stratum.population)?, count(stratum.n)?, Cell::Number(stratum.fraction)];
        table.push(cells.into());
    }
    io::stdout().lock().write_all(&to_csv(&table))?;
    Ok(())
}

fn draw_sample(arguments: &DrawArguments) -> anyhow::Result<()> {
    let name = arguments.frame.display().to_string();
    let text = read(&arguments.frame)?;
    let frame = Frame::parse(&name, &text, &arguments.order).map_err(|faults| all_of(&faults))?;
    let households = arguments.households * arguments.ssus.map_or(1, |ssus| ssus as u64);
    let psus = match (&arguments.allocation, arguments.psus) {
        (Some(path), _) => {
            let whole = |n: u64| usize::try_from(n.div_ceil(households.max(1)));
            read_allocation(path)?.into_iter().map(|(s, n)| Ok((s, whole(n)?))).collect::<anyhow::Result<_>>()?
        }
        (None, Some(psus)) => frame.units.iter().map(|unit| (unit.stratum.clone(), psus)).collect(),
        (None, None) => bail!("give --psus or --allocation"),
    };
    let plan = DrawPlan {
        seed: arguments.seed,
        psus,
        ssus_per_psu: arguments.ssus,
        households: arguments.households,
        reserves: arguments.reserves,
    };
    let cases = draw(&frame, &plan).with_context(|| format!("failed to draw from {name}"))?;
    let (main, reserves): (Vec<_>, Vec<_>) = cases.into_iter().partition(|case| case.reserve == 0);
    write_file(&arguments.output, &sample_table(&main, frame.has_ssus, false))?;
    if let Some(path) = &arguments.reserves_output {
        write_file(path, &sample_table(&reserves, frame.has_ssus, true))?;
    }
    eprintln!("{} households in {} strata, {} reserves", main.len(), plan.psus.len(), reserves.len());
    Ok(())
}

/// The sample in the shape that a survey imports; reserves with the order of their use as one more column.
fn sample_table(cases: &[DrawnCase], has_ssus: bool, reserves: bool) -> Table {
    let mut columns = vec!["case_id", "district", "stratum", "psu", "residence", "prob_psu"];
    columns.extend(has_ssus.then_some("prob_ssu"));
    columns.push("prob_household");
    columns.extend(reserves.then_some("reserve"));
    let mut table = Table::new(columns);
    for case in cases {
        let texts = [&case.case_id, &case.district, &case.stratum, &case.psu, &case.residence];
        let mut row: Vec<Cell> = texts.into_iter().cloned().map(Cell::Text).collect();
        row.push(Cell::Number(case.prob_psu));
        row.extend(case.prob_ssu.map(Cell::Number));
        row.push(Cell::Number(case.prob_household));
        row.extend(reserves.then(|| Cell::Integer(i64::try_from(case.reserve).unwrap_or(i64::MAX))));
        table.push(row);
    }
    table
}

fn read(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    // One line end, so that faults count lines as an editor does.
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

fn write_file(path: &Path, table: &Table) -> anyhow::Result<()> {
    fs::write(path, to_csv(table)).with_context(|| format!("failed to write {}", path.display()))
}

fn all_of<E: ToString>(faults: &[E]) -> anyhow::Error {
    anyhow::anyhow!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// One row of a table of strata.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct StratumRow {
    stratum: String,
    population: u64,
    standard_deviation: Option<f64>,
}

fn read_strata(path: &Path) -> anyhow::Result<Vec<Stratum>> {
    let rows: Vec<StratumRow> = read_rows(path)?;
    let stratum = |row: StratumRow| Stratum {
        id: row.stratum,
        population: row.population,
        standard_deviation: row.standard_deviation,
    };
    Ok(rows.into_iter().map(stratum).collect())
}

/// One row of an allocation, as `allocate` writes it; the last two columns may be left out.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "columns that `allocate` writes are allowed and not used")]
struct AllocationRow {
    stratum: String,
    n: u64,
    population: Option<u64>,
    fraction: Option<f64>,
}

fn read_allocation(path: &Path) -> anyhow::Result<Vec<(String, u64)>> {
    let rows: Vec<AllocationRow> = read_rows(path)?;
    let mut seen = std::collections::BTreeSet::new();
    for (row, line) in rows.iter().zip(2..) {
        if !seen.insert(&row.stratum) {
            bail!("{}, line {line}, column stratum: {:?} stands twice", path.display(), row.stratum);
        }
    }
    Ok(rows.into_iter().map(|row| (row.stratum, row.n)).collect())
}

/// Reads a CSV whole; every row that cannot be read is named with its line and column.
fn read_rows<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = read(path)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().with_context(|| format!("failed to read {}", path.display()))?.clone();
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for row in reader.deserialize() {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => faults.push(format!("{}, {}", path.display(), place_of(&error, &header))),
        }
    }
    if !faults.is_empty() {
        return Err(all_of(&faults));
    }
    Ok(rows)
}

fn place_of(error: &csv::Error, header: &csv::StringRecord) -> String {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|at| header.get(usize::try_from(at).unwrap_or(usize::MAX)));
            format!("line {line}{}: {}", column.map(|c| format!(", column {c}")).unwrap_or_default(), err.kind())
        }
        _ => format!("line {line}: {error}"),
    }
}
