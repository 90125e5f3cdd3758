//! Area-level models on a table with one row an area.

use super::Answer;
use crate::statistics::{DataTable, StatisticsError, plan::FayHerriot};

/// Fits the model of a plan to a table of areas.
///
/// # Errors
/// A missing column or value.
pub fn fay_herriot(plan: &FayHerriot, _table: &DataTable) -> Result<Answer, StatisticsError> {
    Err(StatisticsError::plan("estimator", plan.area.clone()))
}
