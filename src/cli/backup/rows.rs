//! A row as one line of JSON: numbers as numbers, text as text, bytes as base64, nothing as null. Both backends make
//! the same line of the same row, so that one digest serves both.

use std::io::{Error, ErrorKind};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::manifest::TableSum;
use crate::storage::{CellKind, Cells, TableShape};

/// Counts and digests a table's lines.
#[derive(Default)]
pub(in crate::cli) struct Digest {
    rows: u64,
    hash: Sha256,
}

impl Digest {
    pub(in crate::cli) fn add(&mut self, line: &[u8]) {
        self.rows += 1;
        self.hash.update(line);
    }

    pub(in crate::cli) fn sum(self, name: &str) -> TableSum {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        TableSum { name: name.to_owned(), rows: self.rows, sha256 }
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// The row's line with its line feed.
pub(in crate::cli) fn to_line(shape: &TableShape, cells: &Cells) -> Result<String, Error> {
    let mut values = Vec::with_capacity(cells.len());
    for (column, cell) in shape.columns.iter().zip(cells) {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).map_err(|_| invalid("a text is not UTF-8"));
        values.push(match (column.kind, cell) {
            (_, None) => Value::Null,
            (CellKind::Bytes, Some(bytes)) => STANDARD.encode(bytes).into(),
            (CellKind::Text, Some(bytes)) => text(bytes)?.into(),
            (CellKind::Integer, Some(bytes)) => {
                text(bytes)?.parse::<i64>().map_err(|_| invalid("a number is no whole number"))?.into()
            }
        });
    }
    Ok(format!("{}\n", Value::Array(values)))
}

/// The row of a line.
pub(in crate::cli) fn from_line(shape: &TableShape, line: &[u8]) -> Result<Cells, Error> {
    let values: Vec<Value> = serde_json::from_slice(line).map_err(|_| invalid("a line is no row"))?;
    if values.len() != shape.columns.len() {
        return Err(invalid("a row has not as many cells as the table has columns"));
    }
    let cell = |(kind, value): (CellKind, Value)| match (kind, value) {
        (_, Value::Null) => Ok(None),
        (CellKind::Integer, Value::Number(number)) => Ok(Some(number.to_string().into_bytes())),
        (CellKind::Text, Value::String(text)) => Ok(Some(text.into_bytes())),
        (CellKind::Bytes, Value::String(text)) => {
            STANDARD.decode(text).map(Some).map_err(|_| invalid("bytes are no base64"))
        }
        _ => Err(invalid("a cell is not what its column holds")),
    };
    shape.columns.iter().map(|column| column.kind).zip(values).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::ColumnShape;

    #[test]
    fn a_row_reads_back_from_its_line() {
        let column = |name: &str, kind| ColumnShape { name: name.to_owned(), kind };
        let columns = vec![column("a", CellKind::Integer), column("b", CellKind::Text), column("c", CellKind::Bytes)];
        let shape = TableShape { name: "t".to_owned(), columns, key: vec!["a".to_owned()] };
        for cells in [
            vec![Some(b"-9223372036854775808".to_vec()), Some("行\n\"\\".as_bytes().to_vec()), Some(vec![0, 255])],
            vec![None, Some(Vec::new()), Some(Vec::new())],
            vec![Some(b"0".to_vec()), None, None],
        ] {
            let line = to_line(&shape, &cells).expect("a line");
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert_eq!(from_line(&shape, line.as_bytes()).expect("a row"), cells);
        }
        for broken in ["[1,\"a\"]", "[\"1\",\"a\",\"\"]", "[1.5e300,1,\"\"]", "[1,\"a\",\"?\"]", "{}", ""] {
            assert!(from_line(&shape, broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
