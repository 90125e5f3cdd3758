//! Several categorical columns as one.

use std::sync::Arc;

use crate::statistics::{
    StatisticsError,
    data::{Categories, DataTable, MISSING},
};

/// The observed combinations of several columns, in the order of their levels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Crossing {
    /// The columns crossed.
    pub columns: Vec<String>,
    /// For each combination, one label a column.
    pub labels: Vec<Vec<String>>,
    /// For each column, whether all its labels are numbers.
    pub numeric: Vec<bool>,
    /// The combination of each row, [`MISSING`] where any column is.
    pub codes: Vec<u32>,
}

impl Crossing {
    /// How many combinations there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The labels of a combination joined by a separator.
    pub fn label(&self, code: usize, separator: &str) -> String {
        self.labels[code].join(separator)
    }
}

/// Crosses columns; no column gives one combination that holds every row. Rows where `counts` is false get
/// [`MISSING`], so that combinations are those observed among the others.
///
/// # Errors
/// [`StatisticsError::MissingColumn`], or text that is not UTF-8.
pub fn cross(
    table: &DataTable,
    columns: &[String],
    needed_by: &str,
    counts: impl Fn(usize) -> bool,
) -> Result<Crossing, StatisticsError> {
    let rows = table.rows();
    let parts = columns.iter().map(|c| table.categories(c, needed_by)).collect::<Result<Vec<_>, _>>()?;
    let mut span: u64 = 1;
    for part in &parts {
        let levels = part.levels().len().max(1) as u64;
        if span.checked_mul(levels).is_none_or(|product| product >= u64::MAX / 2) {
            return Err(StatisticsError::plan(needed_by, "too many columns are crossed"));
        }
        span *= levels;
    }
    let (codes, found) = match few(rows, span) {
        true => number_few(rows, span, &parts, counts),
        false => number_many(rows, span, &parts, counts),
    };
    let labels = found.iter().map(|&key| labels_of(key, &parts)).collect();
    Ok(Crossing { columns: columns.to_vec(), labels, numeric: parts.iter().map(|p| p.is_numeric()).collect(), codes })
}

/// Whether a table of all possible keys stays small beside the rows.
pub(crate) fn few(rows: usize, span: u64) -> bool {
    span <= 4 * rows as u64 + 1024 && span < u64::from(MISSING)
}

/// Numbers the combinations that occur in one pass, keys being places in a table.
fn number_few(
    rows: usize,
    span: u64,
    parts: &[Arc<Categories>],
    counts: impl Fn(usize) -> bool,
) -> (Vec<u32>, Vec<u64>) {
    match parts {
        [one] => number_keys(rows, span, |row| one.codes()[row], counts),
        [one, two] => {
            let (first, second, levels) = (one.codes(), two.codes(), two.levels().len() as u32);
            let key = |row: usize| match (first[row], second[row]) {
                (MISSING, _) | (_, MISSING) => MISSING,
                (a, b) => a * levels + b,
            };
            number_keys(rows, span, key, counts)
        }
        _ => {
            let key = |row: usize| {
                parts.iter().try_fold(0, |key, part| match part.codes()[row] {
                    MISSING => None,
                    code => Some(key * part.levels().len() as u32 + code),
                })
            };
            number_keys(rows, span, |row| key(row).unwrap_or(MISSING), counts)
        }
    }
}

/// Numbers the keys below `span` that occur in rows that count; `MISSING` is no key.
pub(crate) fn number_keys(
    rows: usize,
    span: u64,
    key: impl Fn(usize) -> u32,
    counts: impl Fn(usize) -> bool,
) -> (Vec<u32>, Vec<u64>) {
    let mut place = vec![MISSING; span as usize];
    let mark = |row: usize| {
        let key = if counts(row) { key(row) } else { MISSING };
        if key != MISSING {
            place[key as usize] = 0;
        }
        key
    };
    let mut codes: Vec<u32> = (0..rows).map(mark).collect();
    let found: Vec<u64> = (0..span).filter(|&key| place[key as usize] == 0).collect();
    if found.len() as u64 == span {
        return (codes, found);
    }
    for (code, &key) in found.iter().enumerate() {
        place[key as usize] = code as u32;
    }
    codes.iter_mut().filter(|key| **key != MISSING).for_each(|key| *key = place[*key as usize]);
    (codes, found)
}

fn number_many(
    rows: usize,
    span: u64,
    parts: &[Arc<Categories>],
    counts: impl Fn(usize) -> bool,
) -> (Vec<u32>, Vec<u64>) {
    let mut keys: Vec<u64> = vec![0; rows];
    for part in parts {
        let levels = part.levels().len().max(1) as u64;
        for (key, &code) in keys.iter_mut().zip(part.codes()) {
            *key = if code == MISSING || *key == u64::MAX { u64::MAX } else { *key * levels + u64::from(code) };
        }
    }
    for (row, key) in keys.iter_mut().enumerate() {
        if !counts(row) {
            *key = u64::MAX;
        }
    }
    compress(&keys, span)
}

fn labels_of(mut key: u64, parts: &[Arc<Categories>]) -> Vec<String> {
    let mut labels: Vec<String> = parts
        .iter()
        .rev()
        .map(|part| {
            let levels = part.levels().len() as u64;
            let label = part.levels()[(key % levels) as usize].clone();
            key /= levels;
            label
        })
        .collect();
    labels.reverse();
    labels
}

/// Numbers the keys that occur, in order; `u64::MAX` is missing.
pub(crate) fn compress(keys: &[u64], span: u64) -> (Vec<u32>, Vec<u64>) {
    // A table of all possible keys is the faster way while it stays small beside the rows.
    if few(keys.len(), span) {
        let mut place = vec![MISSING; span as usize];
        keys.iter().filter(|&&k| k != u64::MAX).for_each(|&k| place[k as usize] = 0);
        let found: Vec<u64> = (0..span).filter(|&k| place[k as usize] == 0).collect();
        for (code, &key) in found.iter().enumerate() {
            place[key as usize] = code as u32;
        }
        let code = |&k: &u64| if k == u64::MAX { MISSING } else { place[k as usize] };
        return (keys.iter().map(code).collect(), found);
    }
    let mut order: Vec<(u64, u32)> = keys.iter().enumerate().map(|(row, &key)| (key, row as u32)).collect();
    order.sort_unstable();
    let mut codes = vec![MISSING; keys.len()];
    let mut found: Vec<u64> = Vec::new();
    for (key, row) in order.into_iter().take_while(|&(key, _)| key != u64::MAX) {
        if found.last() != Some(&key) {
            found.push(key);
        }
        codes[row as usize] = (found.len() - 1) as u32;
    }
    (codes, found)
}
