//! The columns of a regression: an intercept, factors with their first level as reference, numbers.

use super::{
    StatisticsError,
    data::{DataTable, MISSING},
    plan::Term,
    regression::Regressors,
};

/// A model matrix over all rows of a table; NaN where a term's value is absent.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelMatrix {
    /// One name a column: `(Intercept)`, `sex=M`, `urban`.
    pub names: Vec<String>,
    /// The columns.
    pub columns: Vec<Vec<f64>>,
    /// For each term, its columns.
    pub terms: Vec<std::ops::Range<usize>>,
}

impl ModelMatrix {
    /// Lays out the terms over the rows that `counts`; levels that none of them has give no column.
    ///
    /// # Errors
    /// [`StatisticsError::MissingColumn`]; [`StatisticsError::Estimate`] for a factor with a single level.
    pub fn new(
        table: &DataTable,
        terms: &[Term],
        needed_by: &str,
        counts: impl Fn(usize) -> bool,
    ) -> Result<Self, StatisticsError> {
        let rows = table.rows();
        let mut model =
            Self { names: vec!["(Intercept)".to_owned()], columns: vec![vec![1.0; rows]], terms: Vec::new() };
        for term in terms {
            let first = model.columns.len();
            match term {
                Term::Numeric(column) => {
                    model.names.push(column.clone());
                    model.columns.push(table.numbers(column, needed_by)?.to_vec());
                }
                Term::Factor(column) => model.factor(table, column, needed_by, &counts)?,
            }
            model.terms.push(first..model.columns.len());
        }
        Ok(model)
    }

    fn factor(
        &mut self,
        table: &DataTable,
        column: &str,
        needed_by: &str,
        counts: &impl Fn(usize) -> bool,
    ) -> Result<(), StatisticsError> {
        let categories = table.categories(column, needed_by)?;
        let mut seen = vec![false; categories.levels().len()];
        for (row, &code) in categories.codes().iter().enumerate() {
            if code != MISSING && counts(row) {
                seen[code as usize] = true;
            }
        }
        let levels: Vec<usize> = (0..seen.len()).filter(|&level| seen[level]).collect();
        if levels.len() < 2 {
            return Err(StatisticsError::estimate(needed_by, format!("the factor {column} has fewer than two levels")));
        }
        for &level in &levels[1..] {
            self.names.push(format!("{column}={}", categories.levels()[level]));
            let value =
                |&code: &u32| if code == MISSING { f64::NAN } else { f64::from(u8::from(code as usize == level)) };
            self.columns.push(categories.codes().iter().map(value).collect());
        }
        Ok(())
    }

    /// The columns as a regression takes them.
    pub fn regressors(&self) -> Regressors<'_> {
        Regressors { names: &self.names, columns: &self.columns }
    }

    /// Whether a row has every term.
    pub fn complete(&self, row: usize) -> bool {
        self.columns.iter().all(|column| !column[row].is_nan())
    }
}
