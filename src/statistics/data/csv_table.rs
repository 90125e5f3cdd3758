//! One pass over a CSV, block by block: the cells of the wanted columns, turned at once into what the plan needs.
//!
//! A block without a quote may be cut at any line end, so its pieces are parsed side by side and put together in
//! order. From the first quote on, one reader takes all that follows: only it knows which line ends are in a cell.

use std::io::{self, Read};

use rayon::prelude::*;

use super::{
    Cells, Column, DataTable, StatisticsError,
    categories::{Interner, parse_number},
};

/// What a column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// The bytes as they are, looked at when something asks for them.
    Text,
    /// Levels and codes.
    Categories,
    /// Numbers; the labels are not kept.
    Numbers,
}

/// Bytes read before the pieces are parsed: large beside a piece, small beside a file.
const BLOCK: usize = 4 << 20;

/// Bytes of a piece: some thousand rows, whose columns stay in the processor's cache.
const PIECE: usize = 128 << 10;

pub(super) fn read(
    name: &str,
    source: impl Read,
    wanted: Option<&[(String, ColumnKind)]>,
) -> Result<DataTable, StatisticsError> {
    let mut blocks = Blocks { source, carry: Vec::new(), ended: false, spare: Vec::new() };
    let fault = |reason: String| StatisticsError::Table { table: name.to_owned(), reason };
    let unread = |error: io::Error| fault(error.to_string());
    let mut block = blocks.next().map_err(unread)?;
    let mut start = if block.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let crlf = block.iter().position(|&byte| byte == b'\n').is_some_and(|at| block[..at].ends_with(b"\r"));
    let mut table = Reading { name, crlf, width: 0, rows: 0, lines: 0, columns: Vec::new() };
    if !block.contains(&b'"') {
        let mut reader = csv::Reader::from_reader(&block[start..]);
        table.open(reader.headers().map_err(|error| fault(error.to_string()))?, wanted)?;
        let end = start + reader.position().byte() as usize;
        // The reader leaves the second half of a CRLF for the next record.
        let end = end + usize::from(block[end..].starts_with(b"\n"));
        table.lines = line_ends(&block[start..end]);
        start = end;
        while !block[start..].contains(&b'"') {
            table.take_block(&block[start..])?;
            blocks.spare = std::mem::take(&mut block);
            (block, start) = (blocks.next().map_err(unread)?, 0);
            if block.is_empty() {
                return table.finish();
            }
        }
    }
    let first = table.columns.is_empty() && table.width == 0;
    let rest = block[start..].chain(blocks.carry.as_slice()).chain(&mut blocks.source);
    let mut reader = csv::ReaderBuilder::new().has_headers(first).flexible(true).from_reader(rest);
    if first {
        table.open(reader.headers().map_err(|error| fault(error.to_string()))?, wanted)?;
    }
    let mut piece = table.piece(0);
    table.parse(&mut reader, &mut piece).map_err(|fault| table.fault(fault, 0))?;
    table.append(&[piece]);
    table.finish()
}

/// The source in blocks that end where a line ends.
struct Blocks<R> {
    source: R,
    carry: Vec<u8>,
    ended: bool,
    /// The memory of the block before, to be filled again.
    spare: Vec<u8>,
}

impl<R: Read> Blocks<R> {
    /// The next block; empty at the end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        let mut block = std::mem::take(&mut self.spare);
        block.clear();
        block.append(&mut self.carry);
        block.reserve(BLOCK + 1);
        while !self.ended {
            let wanted = BLOCK as u64;
            let searched = block.len();
            self.ended = self.source.by_ref().take(wanted).read_to_end(&mut block)? < BLOCK;
            if let (false, Some(at)) = (self.ended, block[searched..].iter().rposition(|&byte| byte == b'\n')) {
                self.carry.extend_from_slice(&block[searched + at + 1..]);
                block.truncate(searched + at + 1);
                break;
            }
        }
        Ok(block)
    }
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

/// The cells of one column of a piece, or of all that was read.
enum Part {
    Text {
        bytes: Vec<u8>,
        ends: Vec<usize>,
    },
    Categories(Interner),
    /// As long as all are numbers; else they become text, so that whoever asks for them meets the first fault among
    /// the rows that are left then.
    Numbers(Vec<f64>),
}

/// What keeps a piece from being read.
enum Fault {
    Csv(csv::Error),
    /// A record's line within the piece and its width.
    Width {
        line: u64,
        fields: usize,
    },
}

struct Reading<'a> {
    name: &'a str,
    /// Lines end in CRLF, as the first one does.
    crlf: bool,
    width: usize,
    rows: usize,
    /// Line ends before the piece that is read.
    lines: usize,
    /// Place in the record, name, cells.
    columns: Vec<(usize, String, Part)>,
}

impl Part {
    fn new(kind: ColumnKind, rows: usize) -> Self {
        match kind {
            ColumnKind::Text => Self::Text { bytes: Vec::new(), ends: Vec::with_capacity(rows) },
            ColumnKind::Categories => Self::Categories(Interner::with_capacity(rows)),
            ColumnKind::Numbers => Self::Numbers(Vec::with_capacity(rows)),
        }
    }

    /// One of the same kind for so many rows.
    fn empty(&self, rows: usize) -> Self {
        let kind = match self {
            Self::Text { .. } => ColumnKind::Text,
            Self::Categories(_) => ColumnKind::Categories,
            Self::Numbers(_) => ColumnKind::Numbers,
        };
        Self::new(kind, rows)
    }

    fn push(&mut self, name: &str, cell: &[u8], row: usize) {
        match self {
            Self::Text { bytes, ends } => {
                bytes.extend_from_slice(cell);
                ends.push(bytes.len());
            }
            Self::Categories(interned) => interned.push(cell, row),
            Self::Numbers(values) => match parse_number(name, cell, row) {
                Ok(value) => values.push(value),
                Err(_) => {
                    *self = as_text(values);
                    self.push(name, cell, row);
                }
            },
        }
    }

    fn append(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Text { bytes, ends }, Self::Text { bytes: more, ends: more_ends }) => {
                let before = bytes.len();
                bytes.extend_from_slice(more);
                ends.extend(more_ends.iter().map(|end| before + end));
            }
            (Self::Categories(interned), Self::Categories(more)) => interned.append(more),
            (Self::Numbers(values), Self::Numbers(more)) => values.extend_from_slice(more),
            (Self::Numbers(values), Self::Text { .. }) => {
                *self = as_text(values);
                self.append(other);
            }
            (Self::Text { .. }, Self::Numbers(more)) => self.append(&as_text(more)),
            _ => unreachable!("pieces have the kinds of their columns"),
        }
    }

    /// The column; a fault in it is met by whoever asks for its values.
    fn finish(self, name: &str) -> Column {
        match self {
            Self::Text { mut bytes, mut ends } => {
                bytes.shrink_to_fit();
                ends.shrink_to_fit();
                Column::new(Cells::Text { bytes, ends })
            }
            Self::Categories(interned) => {
                let column = Column::new(Cells::Categories);
                let _ = column.categories.set(interned.finish(name).map(Into::into));
                column
            }
            Self::Numbers(mut values) => {
                values.shrink_to_fit();
                let column = Column::new(Cells::Numbers);
                let _ = column.numbers.set(Ok(values.into()));
                column
            }
        }
    }
}

/// Numbers as text that reads back as the same numbers.
fn as_text(values: &[f64]) -> Part {
    let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(values.len()));
    for value in values {
        if !value.is_nan() {
            bytes.extend_from_slice(value.to_string().as_bytes());
        }
        ends.push(bytes.len());
    }
    Part::Text { bytes, ends }
}

impl Reading<'_> {
    fn open(
        &mut self,
        header: &csv::StringRecord,
        wanted: Option<&[(String, ColumnKind)]>,
    ) -> Result<(), StatisticsError> {
        self.width = header.len();
        for (at, column) in header.iter().enumerate() {
            if header.iter().take(at).any(|earlier| earlier == column) {
                let reason = format!("line 1: the column `{column}` stands twice");
                return Err(StatisticsError::Table { table: self.name.to_owned(), reason });
            }
            let kind = match wanted {
                None => Some(ColumnKind::Text),
                Some(wanted) => wanted.iter().find(|(name, _)| name == column).map(|(_, kind)| *kind),
            };
            self.columns.extend(kind.map(|kind| (at, column.to_owned(), Part::new(kind, 0))));
        }
        Ok(())
    }

    /// Where the rows of a piece go, with room for so many.
    fn piece(&self, rows: usize) -> (usize, Vec<Part>) {
        (0, self.columns.iter().map(|(_, _, part)| part.empty(rows)).collect())
    }

    fn parse(&self, reader: &mut csv::Reader<impl Read>, piece: &mut (usize, Vec<Part>)) -> Result<(), Fault> {
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(Fault::Csv)? {
            if record.len() != self.width {
                return Err(Fault::Width { line: self.line(&record), fields: record.len() });
            }
            for ((at, name, _), part) in self.columns.iter().zip(&mut piece.1) {
                part.push(name, &record[*at], piece.0);
            }
            piece.0 += 1;
        }
        Ok(())
    }

    /// The line where a record begins. The reader counts the end of a CRLF line when it reads the next record, but has
    /// noted that record's place before.
    fn line(&self, record: &csv::ByteRecord) -> u64 {
        let place = record.position();
        place.map_or(0, |place| place.line() + u64::from(self.crlf && place.byte() > 0))
    }

    /// Parses a block that has no quote.
    fn take_block(&mut self, block: &[u8]) -> Result<(), StatisticsError> {
        let pieces = pieces(block);
        let one = |bytes: &&[u8]| {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(*bytes);
            let lines = line_ends(bytes);
            // The last line of a file may lack its end.
            let mut piece = self.piece(lines + 1);
            (self.parse(&mut reader, &mut piece).map(|()| piece), lines)
        };
        let parsed: Vec<_> = pieces.par_iter().map(one).collect();
        let mut good = Vec::with_capacity(parsed.len());
        let mut lines = 0;
        for (piece, own_lines) in parsed {
            good.push(piece.map_err(|fault| self.fault(fault, lines))?);
            lines += own_lines;
        }
        self.lines += lines;
        self.append(&good);
        Ok(())
    }

    fn append(&mut self, pieces: &[(usize, Vec<Part>)]) {
        self.columns.par_iter_mut().enumerate().for_each(|(at, (_, _, part))| {
            pieces.iter().for_each(|(_, parts)| part.append(&parts[at]));
        });
        self.rows += pieces.iter().map(|(rows, _)| rows).sum::<usize>();
    }

    fn fault(&self, fault: Fault, lines: usize) -> StatisticsError {
        let reason = match fault {
            Fault::Csv(error) => error.to_string(),
            Fault::Width { line, fields } => format!(
                "CSV error: record (line: {}): found record with {fields} fields, but the header has {}",
                (self.lines + lines) as u64 + line,
                self.width
            ),
        };
        StatisticsError::Table { table: self.name.to_owned(), reason }
    }

    fn finish(self) -> Result<DataTable, StatisticsError> {
        let mut table = DataTable::new(self.name, self.rows);
        let finished: Vec<(String, Column)> =
            self.columns.into_par_iter().map(|(_, name, part)| (name.clone(), part.finish(&name))).collect();
        finished.into_iter().for_each(|(name, column)| table.insert(name, column));
        Ok(table)
    }
}

/// Cuts a block at line ends.
fn pieces(mut block: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::with_capacity(block.len() / PIECE + 1);
    while block.len() > PIECE {
        let end = block[PIECE..].iter().position(|&byte| byte == b'\n').map_or(block.len(), |at| PIECE + at + 1);
        let (piece, rest) = block.split_at(end);
        pieces.push(piece);
        block = rest;
    }
    pieces.push(block);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Result<DataTable, StatisticsError> {
        read("t.csv", bytes, None)
    }

    #[test]
    fn a_byte_order_mark_crlf_and_quoted_commas_are_fine() {
        let bytes = "\u{feff}district,w\r\n\"南岗, 区\",1.5\r\n道里区,2\r\n".as_bytes();
        let table = text(bytes).expect("a table");
        assert_eq!(table.column_names(), ["district", "w"]);
        assert_eq!(table.categories("district", "a test").expect("text").levels(), ["南岗, 区", "道里区"]);
        assert_eq!(*table.numbers("w", "a test").expect("numbers"), vec![1.5, 2.0]);
    }

    #[test]
    fn a_short_row_is_an_error_with_its_line() {
        let cases = [
            ("a,b\n1,2\n3\n", 3),
            ("a,b\r\n1,2\r\n3\r\n", 3),
            ("a,b\r\n3\r\n", 2),
            ("a,b\n1,2\n\"x\n\",2\n1,2,3\n", 5),
            ("a,b\r\n1,2\r\n\"x\n\",2\r\n1,2,3\r\n", 5),
            ("\"a\",b\r\n1,2\r\n3\r\n", 3),
        ];
        for (csv, line) in cases {
            let error = text(csv.as_bytes()).expect_err("a short row").to_string();
            assert!(error.contains("t.csv") && error.contains(&format!("line: {line}")), "{error}");
        }
    }

    #[test]
    fn only_the_wanted_columns_are_kept() {
        let wanted = [("c".to_owned(), ColumnKind::Numbers)];
        let table = read("t", &b"a,b,c\n1,2,3\n"[..], Some(&wanted)).expect("a table");
        assert_eq!(table.column_names(), ["c"]);
    }

    /// Rows of some hundred pieces, with a quote in the row `quoted`.
    fn long(quoted: Option<usize>, short: Option<usize>) -> Vec<u8> {
        let mut text = "\u{feff}name,w\r\n".to_owned();
        for row in 0..200_000 {
            let name = if Some(row) == quoted { "\"a\r\n,\"".to_owned() } else { format!("区{}", row % 977) };
            text += &if Some(row) == short { format!("{name}\r\n") } else { format!("{name},{row}.25\r\n") };
        }
        text.into_bytes()
    }

    #[test]
    fn a_long_table_is_the_same_in_pieces_and_by_one_reader() {
        let kinds = [("name".to_owned(), ColumnKind::Categories), ("w".to_owned(), ColumnKind::Numbers)];
        let pieces = read("t", long(None, None).as_slice(), Some(&kinds)).expect("a table");
        for quoted in [0, 150_000] {
            let one = read("t", long(Some(quoted), None).as_slice(), Some(&kinds)).expect("a table");
            let (a, b) = (pieces.categories("name", "").expect("a"), one.categories("name", "").expect("b"));
            let same = |row: &usize| a.levels()[a.codes()[*row] as usize] == b.levels()[b.codes()[*row] as usize];
            assert_eq!((0..200_000).filter(|row| !same(row)).collect::<Vec<_>>(), [quoted]);
            assert_eq!(pieces.numbers("w", "").expect("a"), one.numbers("w", "").expect("b"));
        }
        let names: Vec<String> = (0..200_000).map(|row| format!("区{}", row % 977)).collect();
        let known: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
        let table = DataTable::new("t", 200_000).with_text("name", &known);
        assert_eq!(pieces.categories("name", ""), table.categories("name", ""));
    }

    #[test]
    fn a_fault_far_down_is_named_with_its_place() {
        let error = text(&long(None, Some(170_000))).expect_err("a short row").to_string();
        assert!(error.contains("line: 170002"), "{error}");
        let error = text(&long(Some(10), Some(170_000))).expect_err("a short row").to_string();
        assert!(error.contains("line: 170003"), "{error}");
        let kinds = [("name".to_owned(), ColumnKind::Numbers)];
        let mut bytes = b"name\n".to_vec();
        (0..200_000).for_each(|row| bytes.extend_from_slice(if row == 190_000 { b"x\n" } else { b"1\n" }));
        let table = read("t", bytes.as_slice(), Some(&kinds)).expect("a table");
        let error = table.numbers("name", "a test").expect_err("no number").to_string();
        assert!(error.contains("row 190001") && error.contains("`x`"), "{error}");
    }
}
