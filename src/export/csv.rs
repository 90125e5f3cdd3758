//! CSV for machines: RFC 4180, UTF-8 without a byte order mark, LF, a full stop for decimals, empty for no value.

use super::{Cell, Table};

/// Writes the table as CSV.
///
/// Numbers have the fewest digits that read back as the same bits, so that whoever starts from the file computes
/// with exactly our numbers.
#[must_use]
pub fn to_csv(table: &Table) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let mut fields = vec![String::new(); table.columns.len()];
    write(&mut writer, &table.columns);
    for row in &table.rows {
        for (field, cell) in fields.iter_mut().zip(row) {
            field.clear();
            format_into(cell, field);
        }
        write(&mut writer, &fields);
    }
    writer.into_inner().expect("writing to memory does not fail")
}

fn write(writer: &mut csv::Writer<Vec<u8>>, fields: &[String]) {
    writer.write_record(fields).expect("every row has as many cells as the header, and memory does not fail");
}

fn format_into(cell: &Cell, field: &mut String) {
    use std::fmt::Write as _;
    let written = match cell {
        Cell::Missing => Ok(()),
        Cell::Text(text) => field.write_str(text),
        Cell::Integer(number) => write!(field, "{number}"),
        // -0.0 would read "-0": a sign without a meaning.
        Cell::Number(number) => write!(field, "{}", if *number == 0.0 { 0.0 } else { *number }),
    };
    written.expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_empty_and_numbers_read_back_as_the_same_bits() {
        let mut table = Table::new(["district", "estimate", "n"]);
        table.push(vec!["道里区, 示例".into(), Cell::Number(0.1 + 0.2), 3_usize.into()]);
        table.push(vec![Cell::text(None), Cell::number(None), Cell::flag(Some(true))]);
        table.push(vec!["x".into(), Cell::Number(-0.0), Cell::flag(None)]);
        let text = String::from_utf8(to_csv(&table)).expect("UTF-8");
        assert_eq!(text, "district,estimate,n\n\"道里区, 示例\",0.30000000000000004,3\n,,1\nx,0,\n");
        assert_eq!("0.30000000000000004".parse::<f64>().map(f64::to_bits), Ok((0.1_f64 + 0.2).to_bits()));
    }
}
