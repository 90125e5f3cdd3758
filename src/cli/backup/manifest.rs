//! What a backup says of itself: first what is to come, last what came.

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::{
    evidence::Frontier,
    storage::{TableShape, Tables},
};

/// The format of the files within an archive.
pub(in crate::cli) const FORMAT: u32 = 1;

/// The first file: enough to make the tables.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Head {
    pub(in crate::cli) format: u32,
    pub(in crate::cli) created_at_ms: i64,
    /// The migrations applied.
    pub(in crate::cli) schema: Vec<String>,
    pub(in crate::cli) tables: Vec<TableShape>,
}

/// A table's rows in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct TableSum {
    pub(in crate::cli) name: String,
    pub(in crate::cli) rows: u64,
    /// SHA-256 over the lines of its rows in the order of its key; the same on either backend.
    pub(in crate::cli) sha256: String,
}

/// The last file: what must be there after a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Manifest {
    pub(in crate::cli) tables: Vec<TableSum>,
    pub(in crate::cli) log_size: u64,
    pub(in crate::cli) log_root: String,
}

impl Head {
    pub(super) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(self)?)
    }
}

impl Manifest {
    pub(super) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(self)?)
    }
}

/// Where a column stands among a row's cells.
pub(in crate::cli) fn place(shape: &TableShape, column: &str) -> anyhow::Result<usize> {
    let found = shape.columns.iter().position(|known| known.name == column);
    found.with_context(|| format!("find the column {column} of {}", shape.name))
}

/// Size and frontier of the audit log as its head has them.
pub(in crate::cli) fn log_head(tables: &mut dyn Tables, shapes: &[TableShape]) -> anyhow::Result<(u64, Vec<u8>)> {
    let shape = shapes.iter().find(|shape| shape.name == "audit_head").context("find the head of the audit log")?;
    let (size, frontier) = (place(shape, "size")?, place(shape, "frontier")?);
    let mut head = None;
    tables.rows(shape, &mut |cells| {
        head = Some((cells[size].clone().unwrap_or_default(), cells[frontier].clone().unwrap_or_default()));
        Ok(())
    })?;
    let (size, frontier) = head.context("find the head of the audit log")?;
    Ok((String::from_utf8(size)?.parse()?, frontier))
}

/// The root of the log's tree in hex.
pub(in crate::cli) fn root_text(tree: &Frontier) -> String {
    tree.root().iter().map(|byte| format!("{byte:02x}")).collect()
}
