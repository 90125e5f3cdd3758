//! One pass over a CSV: the bytes of the wanted columns, copied and not yet looked at.

use super::{Cells, Column, DataTable, StatisticsError};

pub(super) fn read(name: &str, bytes: &[u8], wanted: Option<&[String]>) -> Result<DataTable, StatisticsError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let fault = |reason: String| StatisticsError::Table { table: name.to_owned(), reason };
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|error| fault(error.to_string()))?.clone();
    let mut kept = Vec::new();
    for (at, column) in header.iter().enumerate() {
        if header.iter().take(at).any(|earlier| earlier == column) {
            return Err(fault(format!("line 1: the column `{column}` stands twice")));
        }
        if wanted.is_none_or(|wanted| wanted.iter().any(|w| w == column)) {
            kept.push((at, column.to_owned(), Vec::new(), Vec::new()));
        }
    }
    let mut record = csv::ByteRecord::new();
    let mut rows = 0;
    while reader.read_byte_record(&mut record).map_err(|error| fault(error.to_string()))? {
        rows += 1;
        for (at, _, text, ends) in &mut kept {
            text.extend_from_slice(&record[*at]);
            ends.push(text.len());
        }
    }
    let mut table = DataTable::new(name, rows);
    for (_, column, bytes, ends) in kept {
        table.insert(column, Column::new(Cells::Text { bytes, ends }));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_crlf_and_quoted_commas_are_fine() {
        let bytes = "\u{feff}district,w\r\n\"南岗, 区\",1.5\r\n道里区,2\r\n".as_bytes();
        let table = read("t", bytes, None).expect("a table");
        assert_eq!(table.column_names(), ["district", "w"]);
        assert_eq!(table.categories("district", "a test").expect("text").levels(), ["南岗, 区", "道里区"]);
        assert_eq!(*table.numbers("w", "a test").expect("numbers"), vec![1.5, 2.0]);
    }

    #[test]
    fn a_short_row_is_an_error_with_its_line() {
        let error = read("t.csv", b"a,b\n1,2\n3\n", None).expect_err("a short row").to_string();
        assert!(error.contains("t.csv") && error.contains("line: 3"), "{error}");
    }

    #[test]
    fn only_the_wanted_columns_are_kept() {
        let table = read("t", b"a,b,c\n1,2,3\n", Some(&["c".to_owned()])).expect("a table");
        assert_eq!(table.column_names(), ["c"]);
    }
}
