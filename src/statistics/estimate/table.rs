//! Weighted cross tables.

use super::{Answer, DomainValue, EstimateRow, domains::Domains};
use crate::statistics::{
    Prepared, StatisticsError,
    data::MISSING,
    plan::{Columns, CrossTable},
};

/// Weighted counts of every combination of the variables' levels, the first variable fastest; combinations that
/// nobody has are rows with 0.
pub(super) fn cross_table(prepared: &Prepared, plan: &CrossTable) -> Result<Answer, StatisticsError> {
    if plan.variables.is_empty() {
        return Err(StatisticsError::plan("estimator.variables", "a table has at least one variable"));
    }
    let domains = Domains::new(prepared, &Columns(plan.variables.clone()))?;
    let mut sums = vec![0.0; domains.len()];
    let mut counts = vec![0usize; domains.len()];
    for (&code, weight) in domains.codes.iter().zip(prepared.weights.iter()).filter(|(code, _)| **code != MISSING) {
        sums[code as usize] += weight;
        counts[code as usize] += 1;
    }
    let observed: Vec<Vec<&str>> = domains.crossing.all_labels().collect();
    let levels: Vec<Vec<String>> = (0..plan.variables.len())
        .map(|at| {
            let mut seen: Vec<String> = Vec::new();
            let table = prepared.table.categories(&plan.variables[at], "estimator.variables")?;
            for level in table.levels() {
                if observed.iter().any(|labels| labels[at] == *level) {
                    seen.push(level.clone());
                }
            }
            Ok(seen)
        })
        .collect::<Result<_, StatisticsError>>()?;
    let cells: usize = levels.iter().map(Vec::len).product();
    let row = |mut cell: usize| {
        let mut labels = Vec::with_capacity(levels.len());
        for of in &levels {
            labels.push(of[cell % of.len()].clone());
            cell /= of.len();
        }
        let found = observed.iter().position(|have| *have == labels);
        let value = |label: &String| DomainValue::Text(label.clone());
        EstimateRow {
            domain: plan.variables.iter().cloned().zip(labels.iter().map(value)).collect(),
            n: Some(found.map_or(0, |at| counts[at])),
            n_hat: Some(found.map_or(0.0, |at| sums[at])),
            ..EstimateRow::default()
        }
    };
    Ok(Answer::of((0..cells).map(row).collect()))
}
