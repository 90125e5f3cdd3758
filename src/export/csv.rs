//! CSV for machines: RFC 4180, UTF-8 without a byte order mark, LF, a full stop for decimals, empty for no value.

use super::{Cell, Table};

/// Writes the table as CSV.
///
/// Numbers have the fewest digits that read back as the same bits, so that whoever starts from the file computes
/// with exactly our numbers.
#[must_use]
pub fn to_csv(table: &Table) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let mut digits = String::new();
    done(writer.write_record(&table.columns));
    for row in &table.rows {
        for cell in row {
            digits.clear();
            done(writer.write_field(text(cell, &mut digits)));
        }
        done(writer.write_record(None::<&[u8]>));
    }
    writer.into_inner().expect("writing to memory does not fail")
}

fn done(written: csv::Result<()>) {
    written.expect("every row has as many cells as the header, and memory does not fail");
}

/// The cell's text; of a number in `digits`.
fn text<'a>(cell: &'a Cell, digits: &'a mut String) -> &'a str {
    use std::fmt::Write as _;
    match cell {
        Cell::Missing => {}
        Cell::Text(text) => return text,
        Cell::Integer(number) => digits.push_str(itoa::Buffer::new().format(*number)),
        // -0.0 would read "-0": a sign without a meaning.
        Cell::Number(number) => {
            let number = if *number == 0.0 { 0.0 } else { *number };
            write!(digits, "{number}").expect("writing to a string does not fail");
        }
    }
    digits
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
