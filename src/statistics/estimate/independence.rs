//! Tests of independence of two categorical variables.

use nalgebra::DMatrix;
use serde_json::Value;

use super::{
    Answer, DomainValue, EstimateRow, Quantity,
    answer::number_json,
    contrast::selected_df,
    domains::Domains,
    moments::{Functional, Moments, Parameter},
};
use crate::statistics::variance::unit_sums::Values;
use crate::statistics::{
    Prepared, StatisticsError,
    association::{Statistic, WeightedTable, independence},
    data::{Categories, MISSING},
    plan::{Columns, IndependenceTest},
};

/// Rao-Scott and Wald tests of a two-way table.
///
/// **Source**: Rao and Scott 1984; R `survey::svychisq`.
pub(super) fn estimate(prepared: &Prepared, plan: &IndependenceTest) -> Result<Answer, StatisticsError> {
    let [first, second] = plan.variables.as_slice() else {
        return Err(StatisticsError::plan("estimator.variables", "a test of independence has two variables"));
    };
    let first = prepared.table.categories(first, "estimator.variables")?;
    let second = prepared.table.categories(second, "estimator.variables")?;
    let inside = both_present(prepared, &first, &second);
    let (rows, columns) = (seen(&first, &inside), seen(&second, &inside));
    let domains = inside_domain(prepared, &inside)?;
    let cells = cell_columns(&first, &second, &rows, &columns);
    let moments = Moments::new(prepared, &domains, cells.iter().map(|column| Values::Of(column)).collect());
    let count = rows.len() * columns.len();
    let of = |functional: &dyn Fn(usize) -> Functional| {
        let parameters: Vec<Parameter> =
            (0..count).map(|cell| Parameter { domain: 0, functional: functional(cell) }).collect();
        let values: Vec<f64> = parameters.iter().map(|&p| moments.value(p)).collect();
        moments.covariance(&parameters).map(|v| (values, DMatrix::from_row_slice(count, count, &v)))
    };
    let (shares, share_covariance) = of(&|cell| Functional::Ratio { over: cell, under: count })?;
    let (totals, total_covariance) = of(&Functional::Total)?;
    let table = WeightedTable {
        rows: rows.len(),
        columns: columns.len(),
        shares: &shares,
        share_covariance: &share_covariance,
        totals: &totals,
        total_covariance: &total_covariance,
        n: if domains.is_empty() { 0.0 } else { moments.count(0) as f64 },
        df: selected_df(prepared),
    };
    let rows = plan.statistics.iter().map(|name| row(name, &table)).collect::<Result<_, _>>()?;
    let mut answer = Answer::of(rows);
    let line = |line: &[f64]| line.iter().map(|v| number_json(*v)).collect::<Value>();
    answer.extra.insert("table".to_owned(), totals.chunks_exact(columns.len().max(1)).map(line).collect());
    Ok(answer)
}

fn both_present(prepared: &Prepared, first: &Categories, second: &Categories) -> Vec<bool> {
    let present = |row: usize| first.codes()[row] != MISSING && second.codes()[row] != MISSING;
    (0..prepared.weights.len()).map(|row| prepared.counts(row) && present(row)).collect()
}

/// The levels that someone inside has.
fn seen(categories: &Categories, inside: &[bool]) -> Vec<u32> {
    let mut seen = vec![false; categories.levels().len()];
    for (&code, _) in categories.codes().iter().zip(inside).filter(|(_, inside)| **inside) {
        seen[code as usize] = true;
    }
    (0..seen.len() as u32).filter(|&level| seen[level as usize]).collect()
}

fn inside_domain(prepared: &Prepared, inside: &[bool]) -> Result<Domains, StatisticsError> {
    let mut domains = Domains::new(prepared, &Columns::default())?;
    std::sync::Arc::make_mut(&mut domains.codes)
        .iter_mut()
        .zip(inside)
        .filter(|(_, inside)| !**inside)
        .for_each(|(code, _)| *code = MISSING);
    Ok(domains)
}

/// One indicator a cell, row by row, and 1 for everyone.
fn cell_columns(first: &Categories, second: &Categories, rows: &[u32], columns: &[u32]) -> Vec<Vec<f64>> {
    let indicator = |i: u32, j: u32| {
        let inside = |(&a, &b): (&u32, &u32)| f64::from(u8::from(a == i && b == j));
        first.codes().iter().zip(second.codes()).map(inside).collect::<Vec<f64>>()
    };
    let mut cells: Vec<Vec<f64>> =
        rows.iter().flat_map(|&i| columns.iter().map(move |&j| (i, j))).map(|(i, j)| indicator(i, j)).collect();
    cells.push(vec![1.0; first.codes().len()]);
    cells
}

fn row(name: &str, table: &WeightedTable<'_>) -> Result<EstimateRow, StatisticsError> {
    let statistic: Statistic = serde_json::from_value(Value::from(name))
        .map_err(|error| StatisticsError::plan("estimator.statistics", error.to_string()))?;
    let test = independence(table, statistic)
        .map_err(|error| StatisticsError::estimate("a test of independence", error.to_string()))?;
    let mut others = vec![("value", Quantity::Number(test.value)), ("p_value", Quantity::Number(test.p_value))];
    if !test.parameters.is_empty() {
        others.push(("parameters", Quantity::Numbers(test.parameters)));
    }
    let domain = vec![("statistic".to_owned(), DomainValue::Text(name.to_owned()))];
    Ok(EstimateRow { domain, others, ..EstimateRow::default() })
}
