//! The table that every format writes.

/// One cell. An absent value stays absent: an empty field, never 0.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Missing,
    /// A code or a name.
    Text(String),
    /// A count or a flag.
    Integer(i64),
    /// A number, written with the fewest digits that read back as the same bits.
    Number(f64),
}

impl Cell {
    /// A number, or no value.
    #[must_use]
    pub fn number(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Number)
    }

    /// A text, or no value.
    #[must_use]
    pub fn text(value: Option<&str>) -> Self {
        value.map_or(Self::Missing, |text| Self::Text(text.to_owned()))
    }

    /// A truth value as 1 or 0, or no value.
    #[must_use]
    pub fn flag(value: Option<bool>) -> Self {
        value.map_or(Self::Missing, |flag| Self::Integer(i64::from(flag)))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// Named columns and rows of as many cells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Column names in file order.
    pub columns: Vec<String>,
    /// Rows in file order.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table with these columns.
    #[must_use]
    pub fn new<S: Into<String>>(columns: impl IntoIterator<Item = S>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// When the row has not one cell a column: a layout mistake of ours, never of the data.
    pub fn push(&mut self, row: Vec<Cell>) {
        assert_eq!(row.len(), self.columns.len(), "one cell a column: {:?}", self.columns);
        self.rows.push(row);
    }
}
