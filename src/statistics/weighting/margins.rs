//! Margins bound to the data: which category each row is in, and its population total.

use std::sync::Arc;

use rayon::prelude::*;

use super::{MarginLine, all_positive, diagnostics::CellSums, sums_by};
use crate::statistics::{
    StatisticsError,
    data::{DataTable, MISSING},
    design::{CHUNK, KeyColumn, cross, few, fill_keys, number_keys},
    plan::{Columns, Margin, MarginCell},
};

/// How far two margins' totals may lie apart, relatively: sums of shares computed in floating point differ by some
/// 1e-15 each; anything a person can see in print is far above.
const AGREEMENT: f64 = 1e-9;

/// A margin bound to the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundMargin {
    /// The columns, joined by ` × `.
    pub name: String,
    /// The categories' labels.
    pub labels: Vec<String>,
    /// The categories' totals.
    pub totals: Vec<f64>,
    /// The category of each row; [`MISSING`] for rows without weight.
    pub codes: Arc<Vec<u32>>,
    /// Every row has a category.
    pub complete: bool,
}

impl BoundMargin {
    fn key_column(&self) -> KeyColumn<'_> {
        KeyColumn { codes: &self.codes, levels: self.totals.len() as u32, complete: self.complete }
    }

    /// The sum of the totals.
    pub fn total(&self) -> f64 {
        self.totals.iter().sum()
    }

    /// The weighted total of each category.
    pub fn sums(&self, weights: &[f64]) -> Vec<f64> {
        sums_by(&self.codes, self.totals.len(), weights)
    }

    /// The category that is furthest off, and by how much of its total.
    pub fn worst(&self, sums: &[f64]) -> (usize, f64) {
        let off = |at: usize| (sums[at] - self.totals[at]) / if self.totals[at] > 0.0 { self.totals[at] } else { 1.0 };
        let mut worst = (0, 0.0f64);
        for at in 0..self.totals.len() {
            if off(at).abs() > worst.1.abs() || off(at).is_nan() {
                worst = (at, off(at));
            }
        }
        worst
    }

    /// A diagnostic line for each category.
    pub fn lines(&self, before: &[f64], after: &[f64]) -> Vec<MarginLine> {
        let own = CellSums::new(&self.codes, self.totals.len(), before, after);
        self.lines_of(&own.rows, &own.before, &own.after)
    }

    /// The same from cells, `category` being the category of each.
    pub(super) fn lines_of_cells(&self, category: impl Fn(usize) -> usize, cells: &CellSums) -> Vec<MarginLine> {
        let many = self.totals.len();
        let (mut rows, mut before, mut after) = (vec![0; many], vec![0.0; many], vec![0.0; many]);
        for cell in 0..cells.rows.len() {
            let at = category(cell);
            rows[at] += cells.rows[cell];
            before[at] += cells.before[cell];
            after[at] += cells.after[cell];
        }
        self.lines_of(&rows, &before, &after)
    }

    fn lines_of(&self, n: &[usize], sums_before: &[f64], sums_after: &[f64]) -> Vec<MarginLine> {
        (0..self.totals.len())
            .map(|at| MarginLine {
                margin: self.name.clone(),
                category: self.labels[at].clone(),
                n: n[at],
                target: Some(self.totals[at]),
                before: sums_before[at],
                after: sums_after[at],
                factor: None,
            })
            .collect()
    }
}

/// Binds one margin: every row that has a weight gets its category.
///
/// # Errors
/// [`StatisticsError::Plan`] for a cell with other columns than the margin's or given twice;
/// [`StatisticsError::Category`] for a category that only one side has; [`StatisticsError::Cell`] for an absent value.
pub fn bind(
    step: &str,
    by: &Columns,
    cells: &[MarginCell],
    table: &DataTable,
    weights: &[f64],
) -> Result<BoundMargin, StatisticsError> {
    bind_live(step, by, cells, table, weights, all_positive(weights))
}

fn bind_live(
    step: &str,
    by: &Columns,
    cells: &[MarginCell],
    table: &DataTable,
    weights: &[f64],
    all_live: bool,
) -> Result<BoundMargin, StatisticsError> {
    let live = (!all_live).then_some(|row: usize| weights[row] != 0.0);
    let crossed = cross(table, by.names(), &format!("{step}.by"), live)?;
    let name = by.names().join(" × ");
    let category = |category: String, reason: &str| StatisticsError::Category {
        step: step.to_owned(),
        margin: name.clone(),
        category,
        reason: reason.to_owned(),
    };
    let complete = crossed.is_complete();
    if !complete && let Some(row) = (0..weights.len()).find(|&row| weights[row] != 0.0 && crossed.codes[row] == MISSING)
    {
        let reason = format!("{step} needs a category for every respondent");
        return Err(StatisticsError::Cell { column: name, row: row + 1, reason });
    }
    let mut totals: Vec<Option<f64>> = vec![None; crossed.len()];
    for cell in cells {
        let labels = labels(step, by, cell)?;
        match crossed.find(&labels) {
            Some(at) if totals[at].is_some() => return Err(category(labels.join(" × "), "the total is given twice")),
            Some(_) if cell.total == 0.0 => {
                return Err(category(labels.join(" × "), "the total is 0 but respondents have this category"));
            }
            Some(at) => totals[at] = Some(cell.total),
            None if cell.total == 0.0 => {}
            None => return Err(category(labels.join(" × "), "a total is given but no respondent has this category")),
        }
    }
    let given = totals.iter().enumerate().map(|(at, total)| {
        total.ok_or_else(|| category(crossed.label(at, " × "), "respondents have this category but no total is given"))
    });
    let totals = given.collect::<Result<Vec<f64>, _>>()?;
    let labels = (0..crossed.len()).map(|at| crossed.label(at, " × ")).collect();
    Ok(BoundMargin { name, labels, totals, codes: crossed.codes, complete })
}

/// The labels of a cell in the order of the margin's columns.
pub(super) fn labels(step: &str, by: &Columns, cell: &MarginCell) -> Result<Vec<String>, StatisticsError> {
    if cell.levels.len() != by.names().len() {
        let have: Vec<&str> = cell.levels.keys().map(String::as_str).collect();
        let reason = format!("a cell names {} where the margin has {}", have.join(", "), by.names().join(", "));
        return Err(StatisticsError::plan(format!("{step}.cells"), reason));
    }
    let label = |column: &String| {
        cell.levels.get(column).map(crate::statistics::plan::Scalar::label).ok_or_else(|| {
            StatisticsError::plan(format!("{step}.cells"), format!("a cell has no label for the column `{column}`"))
        })
    };
    by.names().iter().map(label).collect()
}

/// Binds several margins and checks that they count the same population.
///
/// # Errors
/// As [`bind`], and [`StatisticsError::Totals`].
pub fn bind_all(
    step: &str,
    margins: &[Margin],
    table: &DataTable,
    weights: &[f64],
) -> Result<Vec<BoundMargin>, StatisticsError> {
    let all_live = all_positive(weights);
    let one = |margin: &Margin| bind_live(step, &margin.by, &margin.cells, table, weights, all_live);
    let bound = margins.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    for other in bound.iter().skip(1) {
        let (first_total, second_total) = (bound[0].total(), other.total());
        if (first_total - second_total).abs() > AGREEMENT * first_total.abs() {
            return Err(StatisticsError::Totals {
                step: step.to_owned(),
                first: bound[0].name.clone(),
                first_total,
                second: other.name.clone(),
                second_total,
            });
        }
    }
    Ok(bound)
}

/// Rows with the same categories of all margins, as one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct MarginCells {
    /// The cell of each row, [`MISSING`] without weight.
    pub cell_of_row: Vec<u32>,
    /// For each margin, the category of each cell.
    pub category: Vec<Vec<u32>>,
    /// How many cells there are; where all combinations are few, some may have no row.
    pub len: usize,
}

impl MarginCells {
    /// Finds the combinations of categories.
    pub fn new(margins: &[BoundMargin], rows: usize) -> Self {
        let span = margins.iter().try_fold(1u64, |span, margin| span.checked_mul(margin.totals.len() as u64));
        if let Some(span) = span.filter(|span| few(rows, *span)) {
            return Self::in_one_pass(margins, rows, span);
        }
        let mut cell_of_row = vec![0u32; rows];
        let mut len = 1usize;
        for margin in margins {
            let many = margin.totals.len() as u64;
            let key = |(&cell, &code): (&u32, &u32)| match cell == MISSING || code == MISSING {
                true => u64::MAX,
                false => u64::from(cell) * many + u64::from(code),
            };
            let keys: Vec<u64> = cell_of_row.iter().zip(margin.codes.iter()).map(key).collect();
            let (codes, found) = crate::statistics::design::compress(&keys, len as u64 * many);
            (cell_of_row, len) = (codes, found.len());
        }
        let category = margins.iter().map(|margin| {
            let mut of = vec![0; len];
            for (&cell, &code) in cell_of_row.iter().zip(margin.codes.iter()).filter(|(cell, _)| **cell != MISSING) {
                of[cell as usize] = code;
            }
            of
        });
        let category = category.collect();
        Self { cell_of_row, category, len }
    }

    /// Where all possible combinations are few: every row's place among them, then those that occur, unless so few
    /// are possible that finding out costs more than carrying the empty ones.
    fn in_one_pass(margins: &[BoundMargin], rows: usize, span: u64) -> Self {
        let columns: Vec<KeyColumn<'_>> = margins.iter().map(BoundMargin::key_column).collect();
        let (cell_of_row, mut keys) = if span * 8 <= rows as u64 {
            let mut keys = vec![0; rows];
            keys.par_chunks_mut(CHUNK).enumerate().for_each(|(at, keys)| fill_keys(&columns, at * CHUNK, keys));
            (keys, (0..span).collect())
        } else {
            number_keys(rows, span, |first, keys| fill_keys(&columns, first, keys))
        };
        let len = keys.len();
        let mut category: Vec<Vec<u32>> = Vec::with_capacity(columns.len());
        for column in columns.iter().rev() {
            category.push(keys.iter().map(|key| (key % u64::from(column.levels)) as u32).collect());
            keys.iter_mut().for_each(|key| *key /= u64::from(column.levels));
        }
        category.reverse();
        Self { cell_of_row, category, len }
    }
}
