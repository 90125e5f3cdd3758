//! The plan's `where`: rows that leave the estimate, not the design.

use crate::statistics::{
    StatisticsError,
    data::{DataTable, MISSING},
    plan::{Comparison, Filter},
};

/// Which rows fulfil every filter; none without a filter.
pub(super) fn select(filters: &[Filter], table: &DataTable) -> Result<Option<Vec<bool>>, StatisticsError> {
    if filters.is_empty() {
        return Ok(None);
    }
    let mut selected = vec![true; table.rows()];
    for (at, filter) in filters.iter().enumerate() {
        let categories = table.categories(&filter.column, &format!("where[{at}].column"))?;
        let fulfils = |level: &String| match (categories.is_numeric(), filter.value.number()) {
            (true, Some(value)) => level.parse::<f64>().is_ok_and(|have| compare(filter.op, have.total_cmp(&value))),
            _ => compare(filter.op, level.as_str().cmp(filter.value.label().as_str())),
        };
        let fulfilled: Vec<bool> = categories.levels().iter().map(fulfils).collect();
        for (selected, &code) in selected.iter_mut().zip(categories.codes()) {
            *selected &= code != MISSING && fulfilled[code as usize];
        }
    }
    Ok(Some(selected))
}

fn compare(op: Comparison, ordering: std::cmp::Ordering) -> bool {
    match op {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::AtLeast => ordering.is_ge(),
        Comparison::AtMost => ordering.is_le(),
        Comparison::More => ordering.is_gt(),
        Comparison::Less => ordering.is_lt(),
    }
}
