//! The machine's CSV, read once more with what its columns mean.

use std::io::Read;

use csv::{Reader, StringRecord};

use super::{Column, Dictionary, FormatError, OpenPersons};

/// The rows with their columns.
pub(super) struct Rows {
    pub(super) columns: Vec<Column>,
    reader: Reader<Box<dyn Read + Send>>,
    record: StringRecord,
    is_put_back: bool,
}

impl Rows {
    pub(super) fn open(dictionary: &Dictionary, open: &mut OpenPersons<'_>) -> Result<Self, FormatError> {
        let mut reader = Reader::from_reader(open()?);
        let columns = reader.headers()?.iter().map(|name| dictionary.column(name)).collect();
        Ok(Self { columns, reader, record: StringRecord::new(), is_put_back: false })
    }

    /// The next row's cells, as many as columns.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, FormatError> {
        if !std::mem::take(&mut self.is_put_back) && !self.reader.read_record(&mut self.record)? {
            return Ok(None);
        }
        Ok(Some(Row { columns: &self.columns, record: &self.record }))
    }

    /// Lets the next reading give the same row again.
    pub(super) fn put_back(&mut self) {
        self.is_put_back = true;
    }
}

/// One row.
pub(super) struct Row<'a> {
    columns: &'a [Column],
    record: &'a StringRecord,
}

impl<'a> Row<'a> {
    /// Column and cell, one by one.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&'a Column, &'a str)> + use<'a> {
        self.columns.iter().zip(self.record)
    }

    /// The number in the cell; none where it is empty.
    pub(super) fn number<T: std::str::FromStr>(&self, column: &Column, cell: &str) -> Result<Option<T>, FormatError> {
        if cell.is_empty() {
            return Ok(None);
        }
        let wrong = |_| {
            let line = self.record.position().map_or(0, csv::Position::line);
            FormatError::Cell { line, column: column.name.clone(), cell: cell.to_owned() }
        };
        cell.parse().map(Some).map_err(wrong)
    }
}

/// What a form must know of all rows before it writes the first.
pub(super) struct Extent {
    pub(super) columns: Vec<Column>,
    pub(super) rows: u64,
    /// The longest cell of each column in bytes.
    pub(super) widths: Vec<usize>,
}

impl Extent {
    pub(super) fn of(dictionary: &Dictionary, open: &mut OpenPersons<'_>) -> Result<Self, FormatError> {
        let mut rows = Rows::open(dictionary, open)?;
        let (mut n, mut widths) = (0, vec![0; rows.columns.len()]);
        while let Some(row) = rows.next()? {
            n += 1;
            for ((_, cell), width) in row.cells().zip(&mut widths) {
                *width = cell.len().max(*width);
            }
        }
        Ok(Self { columns: rows.columns, rows: n, widths })
    }
}
