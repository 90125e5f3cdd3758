//! CSV rows by column name, with the line of each, for the set-up files.

use std::borrow::Cow;

use super::Faults;
use csv::{ReaderBuilder, StringRecord};

/// Bytes of a header at most: each of its names is looked at and quoted many times.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// One data row.
pub(super) struct Row<'a> {
    pub(super) line: u64,
    header: &'a StringRecord,
    record: StringRecord,
}

impl<'a> Row<'a> {
    /// The names of the columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &'a str> {
        self.header.iter()
    }

    /// The cell of a column, or `None` where the column is absent or the cell empty.
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        let at = self.header.iter().position(|name| name == column)?;
        self.record.get(at).filter(|cell| !cell.is_empty())
    }

    /// The cell of a column that may not be empty; a fault otherwise.
    pub(super) fn require(&self, column: &str, faults: &mut Faults) -> Option<&str> {
        let cell = self.get(column);
        if cell.is_none() {
            faults.add(self.line, Some(column), "empty", "此列不能为空", "may not be empty");
        }
        cell
    }

    /// A finite decimal number; "inf", "nan", hexadecimal and thousands separators are faults.
    pub(super) fn number(&self, column: &str, faults: &mut Faults) -> Option<f64> {
        let cell = self.require(column, faults)?;
        let plain = cell.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
        match cell.parse::<f64>() {
            Ok(number) if plain && number.is_finite() => Some(number),
            _ => {
                faults.add(
                    self.line,
                    Some(column),
                    "not-a-number",
                    format!("“{cell}”不是数字"),
                    format!("`{cell}` is not a number"),
                );
                None
            }
        }
    }
}

/// Reads a CSV file whose columns are all known: `required` by name, or accepted by `optional`.
///
/// A faulty header ends the reading (nothing below it has a meaning); a faulty row is reported and skipped.
pub(super) fn read(
    text: &str,
    required: &[&str],
    optional: impl Fn(&str) -> bool,
    faults: &mut Faults,
    mut row: impl FnMut(&Row<'_>, &mut Faults),
) -> Vec<String> {
    // The csv reader counts the line feed of CRLF only with the record after it, so lines would be one too early.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    if text.lines().next().is_some_and(|header| header.len() > HEADER_BYTES_MAX) {
        faults.add(1, None, "unreadable", "表头太长", format!("the header has more than {HEADER_BYTES_MAX} bytes"));
        return Vec::new();
    }
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            faults.add(1, None, "unreadable", "无法读取表头", format!("unreadable header: {error}"));
            return Vec::new();
        }
    };
    check_header(&header, required, optional, faults);
    if faults.any() {
        return Vec::new();
    }
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                if record.len() == header.len() {
                    row(&Row { line, header: &header, record }, faults);
                } else {
                    let (has, wants) = (record.len(), header.len());
                    let zh = format!("本行有 {has} 列，表头有 {wants} 列");
                    faults.add(line, None, "row-length", zh, format!("{has} cells where the header has {wants}"));
                }
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                faults.add(line, None, "unreadable", "无法读取本行", format!("unreadable row: {error}"));
            }
        }
    }
    header.iter().map(str::to_owned).collect()
}

fn check_header(header: &StringRecord, required: &[&str], optional: impl Fn(&str) -> bool, faults: &mut Faults) {
    for name in required {
        if !header.iter().any(|column| column == *name) {
            faults.add(1, Some(name), "missing-column", "缺少此列", "column is missing");
        }
    }
    for (at, name) in header.iter().enumerate() {
        if !required.contains(&name) && !optional(name) {
            faults.add(1, Some(name), "unknown-column", "未知的列", "unknown column");
        }
        if header.iter().take(at).any(|before| before == name) {
            faults.add(1, Some(name), "duplicate-column", "列名重复", "column appears twice");
        }
    }
}
