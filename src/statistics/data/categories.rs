//! A column as small integers with sorted labels.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use super::StatisticsError;

/// The code of an absent value.
pub const MISSING: u32 = u32::MAX;

/// Codes into sorted levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Categories {
    levels: Vec<String>,
    codes: Arc<Vec<u32>>,
    numeric: bool,
    /// Every row has a level and every level has a row.
    complete: bool,
}

impl Categories {
    /// Categories from texts, `None` for missing.
    pub fn from_labels<S: AsRef<str>>(labels: &[Option<S>]) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(labels.len()));
        for label in labels {
            bytes.extend_from_slice(label.as_ref().map_or("", AsRef::as_ref).as_bytes());
            ends.push(bytes.len());
        }
        Self::from_text("", &bytes, &ends).expect("a str is UTF-8")
    }

    /// The labels, in order.
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// One code a row, [`MISSING`] where the cell is empty.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The codes to share: a margin or a domain of one column is the column itself.
    pub(in crate::statistics) fn shared_codes(&self) -> Arc<Vec<u32>> {
        self.codes.clone()
    }

    /// Whether every row has a level and every level has a row.
    pub(in crate::statistics) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether every label is a number.
    pub fn is_numeric(&self) -> bool {
        self.numeric
    }

    /// The code of a label; numbers match by value, so that `1` finds `1.0`.
    pub fn code_of(&self, label: &str) -> Option<u32> {
        let by_label = self.levels.iter().position(|level| level == label);
        let by_value = || {
            let value: f64 = label.parse().ok().filter(|_| self.numeric)?;
            self.levels.iter().position(|level| level.parse() == Ok(value))
        };
        by_label.or_else(by_value).map(|at| at as u32)
    }

    pub(super) fn take(&self, rows: &[usize]) -> Self {
        Self {
            levels: self.levels.clone(),
            codes: Arc::new(rows.iter().map(|&row| self.codes[row]).collect()),
            numeric: self.numeric,
            complete: false,
        }
    }

    pub(super) fn from_numbers(values: &[f64]) -> Self {
        let text: Vec<Option<String>> = values.iter().map(|v| (!v.is_nan()).then(|| format!("{v}"))).collect();
        Self::from_labels(&text)
    }

    pub(super) fn to_numbers(&self, name: &str) -> Result<Vec<f64>, StatisticsError> {
        let values: Vec<Option<f64>> = self.levels.iter().map(|level| level.parse().ok()).collect();
        let number = |(row, &code): (usize, &u32)| {
            if code == MISSING {
                return Ok(f64::NAN);
            }
            values[code as usize].ok_or_else(|| not_a_number(name, row, &self.levels[code as usize]))
        };
        self.codes.iter().enumerate().map(number).collect()
    }

    pub(super) fn from_text(name: &str, bytes: &[u8], ends: &[usize]) -> Result<Self, StatisticsError> {
        let mut interned = Interner::default();
        let mut start = 0;
        for (row, &end) in ends.iter().enumerate() {
            interned.push(&bytes[start..end], row);
            start = end;
        }
        interned.finish(name)
    }
}

/// Labels numbered in the order of appearance.
#[derive(Debug, Clone, Default)]
pub(super) struct Interner {
    codes: Vec<u32>,
    /// Short labels by a hash of their bytes: most columns have a handful, and one look here finds them.
    recent: Recent,
    seen: HashMap<Box<[u8]>, u32, BuildHasherDefault<ShortHasher>>,
    /// Each label with the row where it appeared first.
    found: Vec<(Box<[u8]>, usize)>,
    /// The long label that was seen last.
    last: Option<u32>,
    missing: bool,
}

/// A label of one to seven bytes with its length as one number, which is never 0.
///
/// It is put together in registers from loads that overlap: copying a few bytes into a buffer and reading that as a word
/// makes the processor wait for its own store, which was half of the time of interning.
fn packed(label: &[u8]) -> Option<u64> {
    let word = match *label {
        [only] => u64::from(only),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c] => u64::from(u16::from_le_bytes([a, b])) | u64::from(c) << 16,
        [a, b, c, d, ..] if label.len() < 8 => {
            let tail = *label.last_chunk::<4>()?;
            let shift = 8 * (label.len() - 4);
            u64::from(u32::from_le_bytes([a, b, c, d])) | u64::from(u32::from_le_bytes(tail)) << shift
        }
        _ => return None,
    };
    Some(word | (label.len() as u64) << 56)
}

/// The labels that were seen last, by their packed form.
#[derive(Debug, Clone)]
struct Recent(Box<[(u64, u32); 64]>);

impl Default for Recent {
    fn default() -> Self {
        Self(Box::new([(0, MISSING); 64]))
    }
}

impl Recent {
    fn place(word: u64) -> usize {
        (word.wrapping_mul(0x51_7c_c1_b7_27_22_0a_95) >> 58) as usize
    }

    fn code(&self, word: u64) -> Option<u32> {
        let (have, code) = self.0[Self::place(word)];
        (have == word).then_some(code)
    }

    fn keep(&mut self, word: u64, code: u32) {
        self.0[Self::place(word)] = (word, code);
    }
}

impl Interner {
    /// One that takes in so many rows without moving.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { codes: Vec::with_capacity(rows), ..Self::default() }
    }

    /// Takes in the next row's cell.
    pub(super) fn push(&mut self, label: &[u8], row: usize) {
        let code = match packed(label) {
            Some(word) => match self.recent.code(word) {
                Some(code) => code,
                None => {
                    let code = self.code(label, row);
                    self.recent.keep(word, code);
                    code
                }
            },
            None => self.long(label, row),
        };
        self.codes.push(code);
    }

    /// A label of eight bytes and more; in sorted files it is often that of the row before.
    fn long(&mut self, label: &[u8], row: usize) -> u32 {
        match self.last {
            Some(last) if *self.found[last as usize].0 == *label => last,
            _ => {
                let code = self.code(label, row);
                self.last = (code != MISSING).then_some(code);
                code
            }
        }
    }

    fn code(&mut self, label: &[u8], row: usize) -> u32 {
        if label.is_empty() {
            self.missing = true;
            return MISSING;
        }
        if let Some(&code) = self.seen.get(label) {
            return code;
        }
        let code = self.found.len() as u32;
        self.found.push((label.into(), row));
        self.seen.insert(label.into(), code);
        code
    }

    /// Takes in the rows of another, which follow the own ones.
    pub(super) fn append(&mut self, other: &Self) {
        let before = self.codes.len();
        let places: Vec<u32> = other.found.iter().map(|(label, row)| self.code(label, before + row)).collect();
        let place = |&code: &u32| if code == MISSING { MISSING } else { places[code as usize] };
        self.codes.extend(other.codes.iter().map(place));
        self.missing |= other.missing;
    }

    /// The categories with their levels sorted.
    pub(super) fn finish(self, name: &str) -> Result<Categories, StatisticsError> {
        let mut levels = Vec::with_capacity(self.found.len());
        for (label, row) in self.found {
            let label = std::str::from_utf8(&label).map_err(|_| not_text(name, row))?;
            levels.push(label.to_owned());
        }
        let numeric = levels.iter().all(|level| level.parse::<f64>().is_ok_and(f64::is_finite));
        let place = sort(&mut levels, numeric);
        let mut codes = self.codes;
        codes.shrink_to_fit();
        if !place.is_sorted() {
            codes.iter_mut().filter(|code| **code != MISSING).for_each(|code| *code = place[*code as usize]);
        }
        Ok(Categories { levels, codes: Arc::new(codes), numeric, complete: !self.missing })
    }
}

/// Sorts the levels and says where each went.
fn sort(levels: &mut Vec<String>, numeric: bool) -> Vec<u32> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    if numeric {
        let values: Vec<f64> = levels.iter().map(|level| level.parse().unwrap_or(f64::NAN)).collect();
        order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then_with(|| levels[a].cmp(&levels[b])));
    } else {
        order.sort_by(|&a, &b| levels[a].cmp(&levels[b]));
    }
    let mut place = vec![0; levels.len()];
    for (to, &from) in order.iter().enumerate() {
        place[from] = to as u32;
    }
    *levels = order.iter().map(|&from| std::mem::take(&mut levels[from])).collect();
    place
}

pub(super) fn cell<'a>(bytes: &'a [u8], ends: &[usize], row: usize) -> &'a [u8] {
    let start = if row == 0 { 0 } else { ends[row - 1] };
    &bytes[start..ends[row]]
}

pub(super) fn parse_numbers(name: &str, bytes: &[u8], ends: &[usize]) -> Result<Vec<f64>, StatisticsError> {
    let mut values = Vec::with_capacity(ends.len());
    let mut start = 0;
    for (row, &end) in ends.iter().enumerate() {
        values.push(parse_number(name, &bytes[start..end], row)?);
        start = end;
    }
    Ok(values)
}

/// One cell as a number, NaN where it is empty.
pub(super) fn parse_number(name: &str, cell: &[u8], row: usize) -> Result<f64, StatisticsError> {
    // Codes 0 and 1 are most of what surveys hold.
    match cell {
        b"" => return Ok(f64::NAN),
        [digit @ b'0'..=b'9'] => return Ok(f64::from(digit - b'0')),
        _ => {}
    }
    let text = std::str::from_utf8(cell).map_err(|_| not_text(name, row))?;
    text.parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(|| not_a_number(name, row, text))
}

fn not_a_number(name: &str, row: usize, text: &str) -> StatisticsError {
    StatisticsError::Cell { column: name.to_owned(), row: row + 1, reason: format!("`{text}` is not a finite number") }
}

fn not_text(name: &str, row: usize) -> StatisticsError {
    StatisticsError::Cell { column: name.to_owned(), row: row + 1, reason: "the text is not UTF-8".to_owned() }
}

/// A multiply-and-rotate hash for labels of a few bytes: interning is most of the work of reading a wide file, and
/// no attacker chooses the survey's categories.
#[derive(Default)]
struct ShortHasher(u64);

impl Hasher for ShortHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x51_7c_c1_b7_27_22_0a_95);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cells: &[&str]) -> Categories {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for cell in cells {
            bytes.extend_from_slice(cell.as_bytes());
            ends.push(bytes.len());
        }
        Categories::from_text("c", &bytes, &ends).expect("categories")
    }

    #[test]
    fn short_labels_are_packed_without_loss_and_long_ones_are_not() {
        let all: Vec<Vec<u8>> =
            (1..8).flat_map(|len| (0..3).map(move |first| (first..first + len).collect())).collect();
        for (at, label) in all.iter().enumerate() {
            let word = packed(label).expect("one to seven bytes").to_le_bytes();
            assert_eq!((&word[..label.len()], usize::from(word[7])), (label.as_slice(), label.len()));
            assert!(word[label.len()..7].iter().all(|&byte| byte == 0));
            assert!(all[..at].iter().all(|other| packed(other) != packed(label)));
        }
        assert_eq!((packed(b""), packed(b"12345678")), (None, None));
    }

    #[test]
    fn levels_that_are_numbers_sort_as_numbers() {
        assert_eq!(of(&["10", "2", "", "10"]).levels(), ["2", "10"]);
        assert_eq!(of(&["10", "2", "x"]).levels(), ["10", "2", "x"]);
    }

    #[test]
    fn an_empty_cell_is_missing_wherever_it_stands() {
        assert_eq!(of(&["", "b", "", "", "a"]).codes(), [MISSING, 1, MISSING, MISSING, 0]);
    }

    #[test]
    fn a_number_is_found_by_its_value() {
        assert_eq!(of(&["0", "1"]).code_of("1.0"), Some(1));
        assert_eq!(of(&["0", "x"]).code_of("0.0"), None);
    }
}
