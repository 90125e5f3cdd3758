//! Domains: subsets of rows that are estimated with the whole design kept.

use std::sync::Arc;

use rayon::prelude::*;

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
    pub codes: Arc<Vec<u32>>,
}

impl Domains {
    /// The combinations of the columns; none is one domain of all selected rows.
    ///
    /// # Errors
    /// [`StatisticsError::MissingColumn`].
    pub fn new(prepared: &Prepared, by: &Columns) -> Result<Self, StatisticsError> {
        // A calibration may leave a negative weight; the row then still counts, as in R.
        let live = |row: usize| prepared.counts(row);
        let live = (!prepared.all_live()).then_some(live);
        let mut crossing = cross(&prepared.table, by.names(), "estimator.by", live)?;
        let codes = std::mem::take(&mut crossing.codes);
        Ok(Self { crossing, codes })
    }

    /// Leaves out rows where any of these columns has no value.
    #[must_use]
    pub fn where_present(mut self, columns: &[&[f64]]) -> Self {
        let any_nan = |chunk: &[f64]| chunk.iter().fold(false, |found, value| found | value.is_nan());
        let absent = |column: &&&[f64]| column.par_chunks(1 << 16).any(any_nan);
        let columns: Vec<&[f64]> = columns.iter().filter(absent).copied().collect();
        if columns.is_empty() {
            return self;
        }
        for (row, code) in Arc::make_mut(&mut self.codes).iter_mut().enumerate() {
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
        let labels = self.crossing.labels(domain);
        let value = |at: usize| match labels[at].parse() {
            Ok(number) if self.crossing.numeric[at] => DomainValue::Number(number),
            _ => DomainValue::Text(labels[at].to_owned()),
        };
        self.crossing.columns.iter().enumerate().map(|(at, column)| (column.clone(), value(at))).collect()
    }

    /// Whether one domain holds every row of the sample.
    pub fn whole(&self) -> bool {
        self.len() == 1 && self.codes.iter().all(|&code| code == 0)
    }
}
