//! Domains: subsets of rows that are estimated with the whole design kept.

use super::answer::DomainValue;
use crate::statistics::{
    Prepared, StatisticsError,
    data::MISSING,
    design::{Crossing, cross},
    plan::Columns,
};

/// Disjoint domains over the rows of a prepared sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Domains {
    /// Which combinations there are; those observed among selected rows with a weight. Its codes are moved out.
    pub crossing: Crossing,
    /// The domain of each row, [`MISSING`] outside all.
    pub codes: Vec<u32>,
}

impl Domains {
    /// The combinations of the columns; none is one domain of all selected rows.
    ///
    /// # Errors
    /// [`StatisticsError::MissingColumn`].
    pub fn new(prepared: &Prepared, by: &Columns) -> Result<Self, StatisticsError> {
        // A calibration may leave a negative weight; the row then still counts, as in R.
        let live = |row: usize| prepared.selected[row] && prepared.weights[row] != 0.0;
        let mut crossing = cross(&prepared.table, by.names(), "estimator.by", live)?;
        let codes = std::mem::take(&mut crossing.codes);
        Ok(Self { crossing, codes })
    }

    /// Leaves out rows where any of these columns has no value.
    #[must_use]
    pub fn where_present(mut self, columns: &[&[f64]]) -> Self {
        let absent = |column: &&&[f64]| column.iter().fold(false, |found, value| found | value.is_nan());
        let columns: Vec<&[f64]> = columns.iter().filter(absent).copied().collect();
        if columns.is_empty() {
            return self;
        }
        for (row, code) in self.codes.iter_mut().enumerate() {
            if columns.iter().any(|column| column[row].is_nan()) {
                *code = MISSING;
            }
        }
        self
    }

    /// How many domains there are.
    pub fn len(&self) -> usize {
        self.crossing.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.crossing.is_empty()
    }

    /// Column and label of a domain.
    pub fn key(&self, domain: usize) -> Vec<(String, DomainValue)> {
        let labels = &self.crossing.labels[domain];
        let value = |at: usize| match labels[at].parse() {
            Ok(number) if self.crossing.numeric[at] => DomainValue::Number(number),
            _ => DomainValue::Text(labels[at].clone()),
        };
        self.crossing.columns.iter().enumerate().map(|(at, column)| (column.clone(), value(at))).collect()
    }

    /// Whether one domain holds every row of the sample.
    pub fn whole(&self) -> bool {
        self.len() == 1 && self.codes.iter().all(|&code| code == 0)
    }
}
