//! Several categorical columns as one.

use crate::statistics::{
    StatisticsError,
    data::{DataTable, MISSING},
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
    let mut keys: Vec<u64> = vec![0; rows];
    let mut span: u64 = 1;
    for part in &parts {
        let levels = part.levels().len().max(1) as u64;
        if span.checked_mul(levels).is_none_or(|product| product >= u64::MAX / 2) {
            return Err(StatisticsError::plan(needed_by, "too many columns are crossed"));
        }
        span *= levels;
        for (key, &code) in keys.iter_mut().zip(part.codes()) {
            *key = if code == MISSING || *key == u64::MAX { u64::MAX } else { *key * levels + u64::from(code) };
        }
    }
    for (row, key) in keys.iter_mut().enumerate() {
        if !counts(row) {
            *key = u64::MAX;
        }
    }
    let (codes, found) = compress(&keys, span);
    let labels = found.iter().map(|&key| labels_of(key, &parts)).collect();
    Ok(Crossing { columns: columns.to_vec(), labels, numeric: parts.iter().map(|p| p.is_numeric()).collect(), codes })
}

fn labels_of(mut key: u64, parts: &[std::sync::Arc<crate::statistics::data::Categories>]) -> Vec<String> {
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
    if span <= 4 * keys.len() as u64 + 1024 {
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
