//! Comparisons of domains with their covariance: contrasts, expressions, the t test of two groups.

use nalgebra::DMatrix;
use serde_json::Value;

use super::{
    Answer, DomainValue, EstimateRow, NotEstimable, Quantity,
    answer::number_json,
    domains::Domains,
    moments::{Functional, Moments, Parameter},
};
use crate::statistics::variance::unit_sums::Values;
use crate::statistics::{
    Prepared, StatisticsError, contrast,
    data::MISSING,
    plan::{Columns, Contrast, ContrastOf, Contrasts, TTest},
};

const LEVEL: f64 = 0.95;

/// The estimates of all domains with their keys and covariance.
struct Estimates {
    keys: Vec<String>,
    values: Vec<f64>,
    covariance: DMatrix<f64>,
}

pub(super) fn estimate(prepared: &Prepared, plan: &Contrasts) -> Result<Answer, StatisticsError> {
    let of = estimates(prepared, plan)?;
    let df = selected_df(prepared);
    let rows = plan.contrasts.iter().map(|c| row(c, &of, df)).collect::<Result<_, _>>()?;
    let mut answer = Answer::of(rows);
    answer.extra.insert("keys".to_owned(), Value::from(of.keys.clone()));
    answer.extra.insert("estimates".to_owned(), of.values.iter().map(|v| number_json(*v)).collect());
    answer.extra.insert("vcov".to_owned(), matrix_json(&of.covariance));
    Ok(answer)
}

pub(super) fn matrix_json(matrix: &DMatrix<f64>) -> Value {
    let row = |i: usize| (0..matrix.ncols()).map(|j| number_json(matrix[(i, j)])).collect::<Value>();
    (0..matrix.nrows()).map(row).collect()
}

/// Degrees of freedom of the selected rows.
pub(super) fn selected_df(prepared: &Prepared) -> f64 {
    let whole = (0..prepared.weights.len()).all(|row| prepared.selects(row));
    prepared.degrees_of_freedom(|row| prepared.selects(row), whole)
}

fn estimates(prepared: &Prepared, plan: &Contrasts) -> Result<Estimates, StatisticsError> {
    let values = prepared.table.numbers(&plan.variable, "estimator.variable")?;
    let domains = Domains::new(prepared, &plan.by)?.where_present(&[&values]);
    let moments = Moments::new(prepared, &domains, vec![Values::One, Values::Of(&values)]);
    if let Some(empty) = (0..domains.len()).find(|&domain| moments.count(domain) == 0) {
        let reason = format!("{} has no value in the domain {}", plan.variable, domains.crossing.label(empty, "."));
        return Err(StatisticsError::estimate("contrasts", reason));
    }
    let functional = match plan.of {
        ContrastOf::Mean => Functional::Ratio { over: 1, under: 0 },
        ContrastOf::Total => Functional::Total(1),
    };
    let order = first_fastest(&domains);
    let parameters: Vec<Parameter> = order.iter().map(|&domain| Parameter { domain, functional }).collect();
    let covariance = DMatrix::from_row_slice(parameters.len(), parameters.len(), &moments.covariance(&parameters)?);
    Ok(Estimates {
        keys: order.iter().map(|&domain| domains.crossing.label(domain, ".")).collect(),
        values: parameters.iter().map(|&p| moments.value(p)).collect(),
        covariance,
    })
}

/// The domains with the first column fastest, as R's `svyby` lists them.
fn first_fastest(domains: &Domains) -> Vec<usize> {
    let columns = domains.crossing.columns.len();
    let labels: Vec<Vec<&str>> = domains.crossing.all_labels().collect();
    let rank = |at: usize, domain: usize| {
        let label = labels[domain][at];
        let earlier = |other: &&Vec<&str>| other[at] != label;
        // Combinations are sorted by the first column; later columns take the order of their sorted levels.
        labels.iter().filter(earlier).filter(|other| before(other[at], label, domains.crossing.numeric[at])).count()
    };
    let mut order: Vec<(Vec<usize>, usize)> =
        (0..domains.len()).map(|domain| ((0..columns).rev().map(|at| rank(at, domain)).collect(), domain)).collect();
    order.sort();
    order.into_iter().map(|(_, domain)| domain).collect()
}

fn before(a: &str, b: &str, numeric: bool) -> bool {
    match (numeric, a.parse::<f64>(), b.parse::<f64>()) {
        (true, Ok(a), Ok(b)) => a < b,
        _ => a < b,
    }
}

fn row(plan: &Contrast, of: &Estimates, df: f64) -> Result<EstimateRow, StatisticsError> {
    let (name, made) = match plan {
        Contrast::Linear { name, coefficients } => {
            let mut of_key = vec![0.0; of.keys.len()];
            for term in coefficients {
                let at = of.keys.iter().position(|key| *key == term.key).ok_or_else(|| unknown_key(name, term, of))?;
                of_key[at] += term.coefficient;
            }
            (name, contrast::linear(&of_key, &of.values, &of.covariance, df, LEVEL))
        }
        Contrast::Expression { name, expression } => {
            (name, contrast::expression(expression, &of.keys, &of.values, &of.covariance, df, LEVEL))
        }
    };
    let made = made.map_err(|error| StatisticsError::estimate(format!("the contrast {name}"), error.to_string()))?;
    let mut row = EstimateRow {
        domain: vec![("contrast".to_owned(), DomainValue::Text(name.clone()))],
        estimate: Some(made.estimate),
        se: Some(made.standard_error),
        df: Some(df),
        ..EstimateRow::default()
    };
    row.others.extend(made.t.map(|t| ("t", Quantity::Number(t))));
    row.others.extend(made.p_value.map(|p| ("p_value", Quantity::Number(p))));
    match made.interval {
        Ok(ends) => row.ci.push(("t", [ends.low, ends.high])),
        Err(_) => row.not_estimable = Some(NotEstimable::NoDegreesOfFreedom),
    }
    Ok(row)
}

fn unknown_key(name: &str, term: &crate::statistics::plan::Coefficient, of: &Estimates) -> StatisticsError {
    let reason = format!("the contrast {name} names {}, the domains are {}", term.key, of.keys.join(", "));
    StatisticsError::plan("estimator.contrasts", reason)
}

/// The difference of the second and the first group, tested with the domain's df minus 1.
///
/// **Source**: R `survey::svyttest`, a regression on the group.
pub(super) fn t_test(prepared: &Prepared, plan: &TTest) -> Result<Answer, StatisticsError> {
    let values = prepared.table.numbers(&plan.variable, "estimator.variable")?;
    let by = Domains::new(prepared, &plan.by)?;
    let mut crossed: Vec<String> = plan.by.0.clone();
    crossed.push(plan.group.clone());
    let domains = Domains::new(prepared, &Columns(crossed))?.where_present(&[&values]);
    let moments = Moments::new(prepared, &domains, vec![Values::One, Values::Of(&values)]);
    let rows =
        (0..by.len()).map(|domain| t_row(prepared, &by, domain, &domains, &moments)).collect::<Result<_, _>>()?;
    Ok(Answer::of(rows))
}

fn t_row(
    prepared: &Prepared,
    by: &Domains,
    domain: usize,
    domains: &Domains,
    moments: &Moments<'_>,
) -> Result<EstimateRow, StatisticsError> {
    let labels = by.crossing.labels(domain);
    let groups: Vec<usize> = (0..domains.len())
        .filter(|&at| domains.crossing.labels(at).starts_with(&labels) && moments.count(at) > 0)
        .collect();
    let mut row = EstimateRow { domain: by.key(domain), ..EstimateRow::default() };
    let &[first, second] = groups.as_slice() else {
        let reason = format!("the t test compares two groups, not {} ({})", groups.len(), labels.join(", "));
        return Err(StatisticsError::estimate("a t test", reason));
    };
    let functional = Functional::Ratio { over: 1, under: 0 };
    let parameters = [first, second].map(|domain| Parameter { domain, functional });
    let values = parameters.map(|p| moments.value(p));
    let covariance = DMatrix::from_row_slice(2, 2, &moments.covariance(&parameters)?);
    let inside = |at: usize| by.codes[at] != MISSING && by.codes[at] as usize == domain;
    let df = prepared.degrees_of_freedom(inside, by.whole()) - 1.0;
    let made = contrast::difference(1, 0, &values, &covariance, df, LEVEL)
        .map_err(|error| StatisticsError::estimate("a t test", error.to_string()))?;
    row.df = Some(df);
    row.others =
        vec![("difference", Quantity::Number(made.estimate)), ("se_difference", Quantity::Number(made.standard_error))];
    row.others.extend(made.t.map(|t| ("t", Quantity::Number(t))));
    row.others.extend(made.p_value.map(|p| ("p_value", Quantity::Number(p))));
    match made.interval {
        Ok(ends) => row.ci.push(("t", [ends.low, ends.high])),
        Err(_) => row.not_estimable = Some(NotEstimable::NoDegreesOfFreedom),
    }
    Ok(row)
}
