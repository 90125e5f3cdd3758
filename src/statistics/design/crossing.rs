//! Several categorical columns as one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use rayon::prelude::*;

use crate::statistics::{
    StatisticsError,
    data::{Categories, DataTable, MISSING},
};

/// The observed combinations of several columns, in the order of their levels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Crossing {
    /// The columns crossed.
    pub columns: Vec<String>,
    /// What the keys are made of.
    parts: Vec<Arc<Categories>>,
    /// For each combination, its place among all possible ones. Labels are made when someone asks for them: a
    /// column of units has tens of thousands.
    keys: Vec<u64>,
    /// For each column, whether all its labels are numbers.
    pub numeric: Vec<bool>,
    /// The combination of each row, [`MISSING`] where any column is.
    pub codes: Arc<Vec<u32>>,
    /// It is known without a look that every row has a combination.
    known_complete: bool,
}

impl Crossing {
    /// How many combinations there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The labels of a combination, one a column.
    pub fn labels(&self, code: usize) -> Vec<&str> {
        let mut key = self.keys[code];
        let label = |part: &'_ Arc<Categories>| {
            let levels = part.levels().len() as u64;
            let level = (key % levels) as usize;
            key /= levels;
            level
        };
        let levels: Vec<usize> = self.parts.iter().rev().map(label).collect();
        self.parts.iter().zip(levels.into_iter().rev()).map(|(part, level)| part.levels()[level].as_str()).collect()
    }

    /// The labels of every combination.
    pub fn all_labels(&self) -> impl Iterator<Item = Vec<&str>> {
        (0..self.len()).map(|code| self.labels(code))
    }

    /// The combination of these labels, one a column; numbers match by value.
    pub fn find(&self, labels: &[String]) -> Option<usize> {
        let mut key = 0;
        for (part, label) in self.parts.iter().zip(labels) {
            key = key * part.levels().len() as u64 + u64::from(part.code_of(label)?);
        }
        self.keys.binary_search(&key).ok()
    }

    /// Whether every row has a combination.
    pub fn is_complete(&self) -> bool {
        // A loop without an exit a row is some twenty times faster than the search for a place.
        let missing = |codes: &[u32]| codes.iter().fold(false, |found, &code| found | (code == MISSING));
        self.known_complete || !self.codes.par_chunks(CHUNK).any(missing)
    }

    /// The labels of a combination joined by a separator.
    pub fn label(&self, code: usize, separator: &str) -> String {
        self.labels(code).join(separator)
    }
}

/// Crosses columns; no column gives one combination that holds every row. Rows where `counts` is false get
/// [`MISSING`], so that combinations are those observed among the others; without `counts` every row counts.
///
/// # Errors
/// [`StatisticsError::MissingColumn`], or text that is not UTF-8.
pub fn cross<F: Fn(usize) -> bool + Sync>(
    table: &DataTable,
    columns: &[String],
    needed_by: &str,
    counts: Option<F>,
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
    let known_complete = counts.is_none() && !parts.is_empty() && parts.iter().all(|part| part.is_complete());
    let (codes, keys) = match (parts.as_slice(), counts) {
        ([one], None) if one.is_complete() => (one.shared_codes(), (0..span).collect()),
        (_, None) => numbered(rows, span, &parts, |_| true),
        (_, Some(counts)) => numbered(rows, span, &parts, counts),
    };
    let numeric = parts.iter().map(|part| part.is_numeric()).collect();
    Ok(Crossing { columns: columns.to_vec(), parts, keys, numeric, codes, known_complete })
}

fn numbered(
    rows: usize,
    span: u64,
    parts: &[Arc<Categories>],
    counts: impl Fn(usize) -> bool + Sync,
) -> (Arc<Vec<u32>>, Vec<u64>) {
    let (codes, found) = match few(rows, span) {
        true => number_few(rows, span, parts, counts),
        false => number_many(rows, span, parts, counts),
    };
    (Arc::new(codes), found)
}

/// Whether a table of all possible keys stays small beside the rows.
pub(crate) fn few(rows: usize, span: u64) -> bool {
    span <= 4 * rows as u64 + 1024 && span < u64::from(MISSING)
}

/// Numbers the combinations that occur, keys being places in a table.
fn number_few(
    rows: usize,
    span: u64,
    parts: &[Arc<Categories>],
    counts: impl Fn(usize) -> bool + Sync,
) -> (Vec<u32>, Vec<u64>) {
    let columns: Vec<KeyColumn<'_>> = parts.iter().map(|part| KeyColumn::of(part)).collect();
    number_keys(rows, span, |first, keys| {
        fill_keys(&columns, first, keys);
        for (row, key) in (first..).zip(keys) {
            *key = if counts(row) { *key } else { MISSING };
        }
    })
}

/// A column of a key: its codes and how many there may be.
#[derive(Clone, Copy)]
pub(crate) struct KeyColumn<'a> {
    pub codes: &'a [u32],
    pub levels: u32,
    /// No code is missing.
    pub complete: bool,
}

impl<'a> KeyColumn<'a> {
    fn of(categories: &'a Categories) -> Self {
        let levels = categories.levels().len() as u32;
        Self { codes: categories.codes(), levels, complete: categories.is_complete() }
    }
}

/// The keys of the rows from `first` on, column by column, so that each is one plain loop; `MISSING` where a code is.
pub(crate) fn fill_keys(columns: &[KeyColumn<'_>], first: usize, keys: &mut [u32]) {
    keys.fill(0);
    for column in columns {
        let codes = &column.codes[first..first + keys.len()];
        if column.complete {
            keys.iter_mut().zip(codes).for_each(|(key, code)| *key = key.wrapping_mul(column.levels) + code);
        } else {
            let next = |key: u32, code: u32| key.wrapping_mul(column.levels).wrapping_add(code);
            keys.iter_mut().zip(codes).for_each(|(key, &code)| *key = next(*key, code));
        }
    }
    for column in columns.iter().filter(|column| !column.complete) {
        let codes = &column.codes[first..first + keys.len()];
        keys.iter_mut().zip(codes).for_each(|(key, &code)| *key = if code == MISSING { MISSING } else { *key });
    }
}

/// Rows whose keys are made at once: they stay in the processor's nearest cache between the loops.
pub(crate) const CHUNK: usize = 1 << 12;

/// Numbers the keys below `span` that occur; `fill` gives the keys from a row on, and `MISSING` is no key.
pub(crate) fn number_keys(rows: usize, span: u64, fill: impl Fn(usize, &mut [u32]) + Sync) -> (Vec<u32>, Vec<u64>) {
    let mut codes = vec![0; rows];
    // Marks are only ever set, so it does not matter who sets one.
    let marks: Vec<AtomicBool> = (0..span).map(|_| AtomicBool::new(false)).collect();
    codes.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, keys)| {
        fill(chunk * CHUNK, keys);
        // A mark that stands is only read: threads that write one place in turn wait for each other.
        for mark in keys.iter().filter_map(|key| marks.get(*key as usize)) {
            if !mark.load(Ordering::Relaxed) {
                mark.store(true, Ordering::Relaxed);
            }
        }
    });
    let found: Vec<u64> = (0..span).filter(|&key| marks[key as usize].load(Ordering::Relaxed)).collect();
    if found.len() as u64 == span {
        return (codes, found);
    }
    let mut place = vec![MISSING; span as usize];
    for (code, &key) in found.iter().enumerate() {
        place[key as usize] = code as u32;
    }
    let placed = |codes: &mut [u32]| {
        codes.iter_mut().filter(|key| **key != MISSING).for_each(|key| *key = place[*key as usize]);
    };
    codes.par_chunks_mut(CHUNK).for_each(placed);
    (codes, found)
}

/// The second code that each first code always stands with; none where one stands with two, or with a missing one.
/// A first code without a row has `MISSING`.
pub(crate) fn partners(first: &[u32], firsts: usize, second: &[u32]) -> Option<Vec<u32>> {
    let partner: Vec<AtomicU32> = (0..firsts).map(|_| AtomicU32::new(MISSING)).collect();
    let alone = |(first, second): (&[u32], &[u32])| {
        let mut alone = true;
        for (&first, &code) in first.iter().zip(second) {
            let Some(of) = partner.get(first as usize) else { continue };
            // Whoever comes first sets it; whether all others agree does not depend on who that was.
            let have = match of.load(Ordering::Relaxed) {
                MISSING => {
                    of.compare_exchange(MISSING, code, Ordering::Relaxed, Ordering::Relaxed).unwrap_or_else(|h| h)
                }
                have => have,
            };
            alone &= code != MISSING && (have == code || have == MISSING);
        }
        alone
    };
    first
        .par_chunks(CHUNK)
        .zip(second.par_chunks(CHUNK))
        .all(alone)
        .then(|| partner.into_iter().map(AtomicU32::into_inner).collect())
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
