//! Columns in memory: text read once, turned into categories or numbers when something asks for them.

mod categories;
mod csv_table;

use std::{
    collections::BTreeMap,
    io::Read,
    sync::{Arc, OnceLock},
};

pub use categories::{Categories, MISSING};
pub use csv_table::ColumnKind;

use super::StatisticsError;

/// A table of named columns of equal length; an absent value is [`MISSING`] as a category and NaN as a number.
#[derive(Debug, Clone)]
pub struct DataTable {
    name: String,
    rows: usize,
    columns: BTreeMap<String, Arc<Column>>,
    order: Vec<String>,
}

#[derive(Debug, Clone)]
struct Column {
    cells: Cells,
    categories: OnceLock<Result<Arc<Categories>, StatisticsError>>,
    numbers: OnceLock<Result<Arc<Vec<f64>>, StatisticsError>>,
}

#[derive(Debug, Clone)]
enum Cells {
    /// The cells' bytes one after the other, and where each ends.
    Text {
        bytes: Vec<u8>,
        ends: Vec<usize>,
    },
    /// NaN is missing.
    Numbers,
    Categories,
}

impl Column {
    fn new(cells: Cells) -> Self {
        Self { cells, categories: OnceLock::new(), numbers: OnceLock::new() }
    }
}

impl DataTable {
    /// An empty table of `rows` rows, to be filled with [`DataTable::with_numbers`] and [`DataTable::with_text`].
    pub fn new(name: impl Into<String>, rows: usize) -> Self {
        Self { name: name.into(), rows, columns: BTreeMap::new(), order: Vec::new() }
    }

    /// Reads UTF-8 CSV with a header line; a byte order mark, CRLF and quoted commas are fine.
    ///
    /// `wanted` keeps only these columns (all when `None`): what is not needed is not copied.
    ///
    /// # Errors
    /// [`StatisticsError::Table`] with the line: a short or long row, a repeated column name, text that is not UTF-8.
    pub fn from_csv(name: &str, bytes: &[u8], wanted: Option<&[String]>) -> Result<Self, StatisticsError> {
        let kinds = wanted.map(|names| names.iter().map(|n| (n.clone(), ColumnKind::Text)).collect::<Vec<_>>());
        csv_table::read(name, bytes, kinds.as_deref())
    }

    /// Reads the columns of `wanted`, each at once as what it is needed for: a long file is never in memory as text.
    ///
    /// # Errors
    /// As [`DataTable::from_csv`], and what `source` cannot read. A cell that is no number is met by whoever asks for
    /// the column.
    pub fn from_reader(
        name: &str,
        source: impl Read,
        wanted: &[(String, ColumnKind)],
    ) -> Result<Self, StatisticsError> {
        csv_table::read(name, source, Some(wanted))
    }

    /// Adds or replaces a column of numbers; NaN is missing.
    ///
    /// # Panics
    /// When the length is not the table's.
    #[must_use]
    pub fn with_numbers(mut self, name: impl Into<String>, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), self.rows, "a column has as many cells as the table has rows");
        let column = Column::new(Cells::Numbers);
        let _ = column.numbers.set(Ok(Arc::new(values)));
        self.insert(name.into(), column);
        self
    }

    /// Adds or replaces a column of texts; `None` is missing.
    ///
    /// # Panics
    /// When the length is not the table's.
    #[must_use]
    pub fn with_text<S: AsRef<str>>(mut self, name: impl Into<String>, values: &[Option<S>]) -> Self {
        assert_eq!(values.len(), self.rows, "a column has as many cells as the table has rows");
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(values.len()));
        for value in values {
            bytes.extend_from_slice(value.as_ref().map_or("", AsRef::as_ref).as_bytes());
            ends.push(bytes.len());
        }
        self.insert(name.into(), Column::new(Cells::Text { bytes, ends }));
        self
    }

    /// Adds or replaces a column of categories.
    ///
    /// # Panics
    /// When the length is not the table's.
    #[must_use]
    pub fn with_categories(mut self, name: impl Into<String>, categories: Categories) -> Self {
        assert_eq!(categories.codes().len(), self.rows, "a column has as many cells as the table has rows");
        let column = Column::new(Cells::Categories);
        let _ = column.categories.set(Ok(Arc::new(categories)));
        self.insert(name.into(), column);
        self
    }

    fn insert(&mut self, name: String, column: Column) {
        if self.columns.insert(name.clone(), Arc::new(column)).is_none() {
            self.order.push(name);
        }
    }

    /// The table's name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns' names in file order.
    pub fn column_names(&self) -> &[String] {
        &self.order
    }

    /// Whether the table has such a column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    fn column(&self, name: &str, needed_by: &str) -> Result<&Column, StatisticsError> {
        self.columns
            .get(name)
            .map(Arc::as_ref)
            .ok_or_else(|| StatisticsError::MissingColumn { column: name.to_owned(), needed_by: needed_by.to_owned() })
    }

    /// The column as categories, levels sorted (as numbers when all are numbers, else by bytes).
    ///
    /// # Errors
    /// [`StatisticsError::MissingColumn`]; [`StatisticsError::Cell`] for text that is not UTF-8.
    pub fn categories(&self, name: &str, needed_by: &str) -> Result<Arc<Categories>, StatisticsError> {
        let column = self.column(name, needed_by)?;
        column
            .categories
            .get_or_init(|| match &column.cells {
                Cells::Text { bytes, ends } => Categories::from_text(name, bytes, ends).map(Arc::new),
                Cells::Numbers => Ok(Arc::new(Categories::from_numbers(&self.numbers(name, needed_by)?))),
                Cells::Categories => unreachable!("categories are set when their column is made"),
            })
            .clone()
    }

    /// The column as numbers, NaN where the cell is empty.
    ///
    /// # Errors
    /// [`StatisticsError::MissingColumn`]; [`StatisticsError::Cell`] for a cell that is not a finite number.
    pub fn numbers(&self, name: &str, needed_by: &str) -> Result<Arc<Vec<f64>>, StatisticsError> {
        let column = self.column(name, needed_by)?;
        column
            .numbers
            .get_or_init(|| match &column.cells {
                Cells::Text { bytes, ends } => categories::parse_numbers(name, bytes, ends).map(Arc::new),
                Cells::Categories => self.categories(name, needed_by)?.to_numbers(name).map(Arc::new),
                Cells::Numbers => unreachable!("numbers are set when their column is made"),
            })
            .clone()
    }

    /// The column whose numbers these are, if they are a column's: known by their place in memory.
    pub(in crate::statistics) fn shared_numbers(&self, values: &[f64]) -> Option<Arc<Vec<f64>>> {
        let numbers = |column: &Arc<Column>| column.numbers.get().and_then(|numbers| numbers.as_ref().ok()).cloned();
        let same = |of: &Arc<Vec<f64>>| of.len() == values.len() && std::ptr::eq(of.as_ptr(), values.as_ptr());
        self.columns.values().filter_map(numbers).find(same).filter(|_| !values.is_empty())
    }

    /// The table with these rows only, in this order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let mut taken = Self::new(self.name.clone(), rows.len());
        for name in &self.order {
            taken.insert(name.clone(), self.columns[name].take(&self.name, rows));
        }
        taken
    }
}

impl Column {
    fn take(&self, table: &str, rows: &[usize]) -> Self {
        let cells = match &self.cells {
            Cells::Text { bytes, ends } => {
                let (mut kept, mut kept_ends) = (Vec::new(), Vec::with_capacity(rows.len()));
                for &row in rows {
                    kept.extend_from_slice(categories::cell(bytes, ends, row));
                    kept_ends.push(kept.len());
                }
                Cells::Text { bytes: kept, ends: kept_ends }
            }
            Cells::Numbers => Cells::Numbers,
            Cells::Categories => Cells::Categories,
        };
        let column = Self::new(cells);
        let moved = |fault: &StatisticsError| moved(fault, table, rows);
        if let (Cells::Numbers, Some(values)) = (&self.cells, self.numbers.get()) {
            let taken = |values: &Arc<Vec<f64>>| Arc::new(rows.iter().map(|&row| values[row]).collect());
            let _ = column.numbers.set(values.as_ref().map(taken).map_err(moved));
        }
        if let (Cells::Categories, Some(values)) = (&self.cells, self.categories.get()) {
            let _ = column.categories.set(values.as_ref().map(|values| Arc::new(values.take(rows))).map_err(moved));
        }
        column
    }
}

/// A fault of a column in the rows that are taken. One in a row that is left stays a fault of the file, by its row there.
fn moved(fault: &StatisticsError, table: &str, rows: &[usize]) -> StatisticsError {
    let StatisticsError::Cell { column, row, reason } = fault else { return fault.clone() };
    match rows.iter().position(|taken| taken + 1 == *row) {
        Some(at) => StatisticsError::Cell { column: column.clone(), row: at + 1, reason: reason.clone() },
        None => StatisticsError::Table {
            table: table.to_owned(),
            reason: format!("row {row} of column `{column}`: {reason}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_follows_the_rows_that_are_taken() {
        let csv = b"a,c\n1.50,x\ny,\xff\n,z\n3,x\n";
        let kinds = [("a".to_owned(), ColumnKind::Numbers), ("c".to_owned(), ColumnKind::Categories)];
        let table = DataTable::from_reader("t", &csv[..], &kinds).expect("a table");
        let faults = |rows: &[usize]| {
            let taken = table.take(rows);
            let said = |error: Option<StatisticsError>| error.map(|error| error.to_string()).unwrap_or_default();
            (said(taken.numbers("a", "").err()), said(taken.categories("c", "").err()))
        };
        let (numbers, categories) = faults(&[3, 1]);
        assert!(numbers.contains("row 2 of column `a`") && numbers.contains("`y`"), "{numbers}");
        assert!(categories.contains("row 2 of column `c`") && categories.contains("UTF-8"), "{categories}");
        let (numbers, categories) = faults(&[3, 0]);
        assert_eq!(numbers, "");
        assert!(categories.contains("table t") && categories.contains("row 2 of column `c`"), "{categories}");
        assert_eq!(*table.take(&[3, 0]).numbers("a", "").expect("numbers"), vec![3.0, 1.5]);
    }

    #[test]
    fn a_table_keeps_missing_cells_apart_from_zero() {
        let table = DataTable::from_csv("t", "a,b\n1,x\n,\n0,y\n".as_bytes(), None).expect("a table");
        let numbers = table.numbers("a", "a test").expect("numbers");
        assert_eq!(numbers[0].to_bits(), 1f64.to_bits());
        assert!(numbers[1].is_nan());
        let categories = table.categories("b", "a test").expect("categories");
        assert_eq!(categories.codes(), &[0, MISSING, 1]);
    }

    #[test]
    fn rows_can_be_taken_in_another_order() {
        let table = DataTable::from_csv("t", b"a,b\n1,x\n2,y\n3,z\n", None).expect("a table").take(&[2, 0]);
        assert_eq!(*table.numbers("a", "a test").expect("numbers"), vec![3.0, 1.0]);
        assert_eq!(table.categories("b", "a test").expect("categories").levels(), ["x", "z"]);
    }

    #[test]
    fn a_column_that_is_not_there_is_named_with_who_needs_it() {
        let error = DataTable::new("t", 0).numbers("w", "design.weight").expect_err("no column");
        assert_eq!(error.to_string(), "find the column `w` that design.weight needs");
    }
}
