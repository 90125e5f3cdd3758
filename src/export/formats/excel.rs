//! CSV for people: Excel and WPS open it with a double click, in the right characters, and run nothing in it.

use std::{borrow::Cow, io::Write};

use csv::{Terminator, WriterBuilder};

use super::{ColumnKind, Dictionary, FormatError, OpenPersons, rows::Rows};

/// Without it Excel and WPS take the bytes for GBK.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

pub(super) fn write(
    dictionary: &Dictionary,
    open: &mut OpenPersons<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), FormatError> {
    out.write_all(BYTE_ORDER_MARK)?;
    let mut rows = Rows::open(dictionary, open)?;
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
    writer.write_record(rows.columns.iter().map(|column| neutral(column.heading().into()).into_owned()))?;
    while let Some(row) = rows.next()? {
        for (column, cell) in row.cells() {
            // What is a number stays one, its sign included; a column of numbers with anything else in it is refused.
            let shown: Cow<'_, str> = match column.kind {
                ColumnKind::Integer | ColumnKind::Number => {
                    row.number::<f64>(column, cell)?;
                    cell.into()
                }
                ColumnKind::Text | ColumnKind::Category => neutral(column.shown(cell)),
            };
            writer.write_field(shown.as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(writer.flush()?)
}

/// An apostrophe before a text that a spreadsheet would take for a formula (OWASP: CSV injection).
fn neutral(text: Cow<'_, str>) -> Cow<'_, str> {
    let would_run = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if would_run { format!("'{text}").into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_spreadsheet_would_run_gets_an_apostrophe() {
        for text in ["=1+1", "+86", "-x", "@SUM(A1)", "\t=1", "\r=1", "＝1+1"] {
            assert_eq!(neutral(text.into()), format!("'{text}"), "{text:?}");
        }
        for text in ["", "男", "a=1", "r0123", "'=1", " =1"] {
            assert_eq!(neutral(text.into()), text);
        }
    }
}
