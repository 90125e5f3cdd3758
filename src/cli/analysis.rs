//! What `estimate`, `weight` and `plan` share: reading a plan and the tables that it names.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;

use crate::statistics::{DataTable, Plan, StatisticsError};

/// Where the plan and its data are.
#[derive(Debug, Clone, Args)]
pub struct AnalysisArguments {
    /// The analysis plan: JSON, or the same keys in TOML when the name ends in .toml
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// The folder that holds the files that the plan names
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Threads for the replicates [default: one a processor]; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

/// Reads a plan by the ending of its name.
///
/// # Errors
/// A file that cannot be read; a plan with a fault, with its place.
pub fn read_plan(path: &Path) -> anyhow::Result<Plan> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    let toml = path.extension().is_some_and(|ending| ending == "toml");
    let plan = if toml { Plan::from_toml(&text) } else { Plan::from_json(&text) };
    plan.map_err(|error| anyhow::anyhow!("failed to {error}")).with_context(|| path.display().to_string())
}

/// Reads the plan's main table (the columns that it needs) and its further files.
///
/// # Errors
/// A plan that names no file; a file that cannot be read or is no table.
pub fn read_tables(plan: &Plan, folder: &Path) -> anyhow::Result<(DataTable, BTreeMap<String, DataTable>)> {
    let data = plan.data.as_ref().context("failed to read the plan at data: the plan names no file")?;
    let path = folder.join(&data.file);
    let file = fs::File::open(&path).with_context(|| unread(&path))?;
    let table = DataTable::from_reader(&data.file, file, &plan.column_kinds()).map_err(named)?;
    let mut files = BTreeMap::new();
    for file in plan.files() {
        let path = folder.join(&file);
        let bytes = fs::read(&path).with_context(|| unread(&path))?;
        files.insert(file.clone(), DataTable::from_csv(&file, &bytes, None).map_err(named)?);
    }
    Ok((table, files))
}

fn named(error: StatisticsError) -> anyhow::Error {
    anyhow::anyhow!("failed to {error}")
}

fn unread(path: &Path) -> String {
    format!("failed to read {}", path.display())
}

/// Runs `work` on the number of threads that was asked for.
///
/// # Errors
/// Whatever `work` cannot do, or a thread pool that the system refuses.
pub fn on_threads<T: Send>(threads: Option<u16>, work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    match threads {
        None => work(),
        Some(threads) => rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build()
            .context("failed to start threads")?
            .install(work),
    }
}
