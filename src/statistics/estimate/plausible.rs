//! Plausible values combined by Rubin's rules, and the NCHS presentation rule.

use super::{
    Answer, EstimateRow, NotEstimable, Quantity,
    domains::Domains,
    moment::check_zero_one,
    moments::{Functional, Moments, Parameter},
};
use crate::statistics::variance::unit_sums::Values;
use crate::statistics::{
    Prepared, StatisticsError,
    combine::rubin,
    plan::{PlausibleValues, PresentationFlags},
    presentation::{self, presentation_flags},
};

/// One estimate and variance a value and domain.
struct OneValue {
    estimates: Vec<f64>,
    variances: Vec<f64>,
}

pub(super) fn estimate(prepared: &Prepared, plan: &PlausibleValues) -> Result<Answer, StatisticsError> {
    let all = Domains::new(prepared, &plan.by)?;
    let mut values = Vec::with_capacity(plan.variables.len());
    for variable in &plan.variables {
        let column = prepared.table.numbers(variable, "estimator.variables")?;
        let reaches = |v: &f64, threshold: f64| if v.is_nan() { *v } else { f64::from(u8::from(*v >= threshold)) };
        let column: Vec<f64> = match plan.threshold {
            Some(threshold) => column.iter().map(|v| reaches(v, threshold)).collect(),
            None => column.to_vec(),
        };
        values.push(one_value(prepared, &all, &column)?);
    }
    let rows = (0..all.len()).map(|domain| combined(&all, domain, &values)).collect::<Result<_, _>>()?;
    Ok(Answer::of(rows))
}

fn one_value(prepared: &Prepared, all: &Domains, column: &[f64]) -> Result<OneValue, StatisticsError> {
    let domains = all.clone().where_present(&[column]);
    let moments = Moments::new(prepared, &domains, vec![Values::One, Values::Of(column)]);
    let mut one = OneValue { estimates: Vec::new(), variances: Vec::new() };
    for domain in 0..domains.len() {
        let parameter = Parameter { domain, functional: Functional::Ratio { over: 1, under: 0 } };
        one.estimates.push(moments.value(parameter));
        one.variances.push(moments.variance(parameter)?);
    }
    Ok(one)
}

fn combined(all: &Domains, domain: usize, values: &[OneValue]) -> Result<EstimateRow, StatisticsError> {
    let estimates: Vec<f64> = values.iter().map(|v| v.estimates[domain]).collect();
    let variances: Vec<f64> = values.iter().map(|v| v.variances[domain]).collect();
    let mut row = EstimateRow { domain: all.key(domain), ..EstimateRow::default() };
    if estimates.iter().any(|e| e.is_nan()) {
        row.not_estimable = Some(NotEstimable::EmptyDomain);
        return Ok(row);
    }
    let of = rubin(&estimates, &variances).map_err(|e| StatisticsError::estimate("plausible values", e.to_string()))?;
    row.estimate = Some(of.estimate);
    row.se = Some(of.standard_error);
    row.others = vec![
        ("per_value", Quantity::Numbers(estimates)),
        ("per_value_se", Quantity::Numbers(variances.iter().map(|v| v.sqrt()).collect())),
        ("within_variance", Quantity::Number(of.within_variance)),
        ("between_variance", Quantity::Number(of.between_variance)),
        ("fraction_imputation", Quantity::Number(of.fraction_imputation)),
        ("df_rubin", Quantity::Number(of.df_rubin)),
    ];
    Ok(row)
}

pub(super) fn flags(prepared: &Prepared, plan: &PresentationFlags) -> Result<Answer, StatisticsError> {
    let values = prepared.table.numbers(&plan.variable, "estimator.variable")?;
    check_zero_one(&plan.variable, &values)?;
    let domains = Domains::new(prepared, &plan.by)?.where_present(&[&values]);
    let moments = Moments::new(prepared, &domains, vec![Values::One, Values::Of(&values)]);
    let mut positive = vec![0u64; domains.len()];
    for (&code, value) in domains.codes.iter().zip(values.iter()) {
        if *value == 1.0 && code != crate::statistics::data::MISSING {
            positive[code as usize] += 1;
        }
    }
    let mut rows = Vec::with_capacity(domains.len());
    for (domain, &n_positive) in positive.iter().enumerate() {
        let mut row =
            EstimateRow { domain: domains.key(domain), n: Some(moments.count(domain)), ..EstimateRow::default() };
        if moments.count(domain) == 0 {
            row.not_estimable = Some(NotEstimable::EmptyDomain);
            rows.push(row);
            continue;
        }
        let parameter = Parameter { domain, functional: Functional::Ratio { over: 1, under: 0 } };
        let cell = presentation::Cell {
            estimate: moments.value(parameter),
            standard_error: moments.variance(parameter)?.sqrt(),
            n: moments.count(domain) as u64,
            n_positive,
            df: moments.df(domain),
        };
        add_flags(&mut row, &cell);
        rows.push(row);
    }
    Ok(Answer::of(rows))
}

fn add_flags(row: &mut EstimateRow, cell: &presentation::Cell) {
    let flags = presentation_flags(cell);
    row.estimate = Some(cell.estimate);
    row.se = Some(cell.standard_error);
    row.df = Some(cell.df);
    row.ci = vec![("korn_graubard_capped", [flags.interval.low, flags.interval.high])];
    row.others = vec![
        ("n_effective", Quantity::Number(flags.n_effective)),
        ("ci_width", Quantity::Number(flags.ci_width)),
        ("relative_ci_width", Quantity::Number(flags.relative_ci_width.unwrap_or(f64::NAN))),
        ("publish", Quantity::Flag(flags.publish)),
        ("footnote_complement", Quantity::Flag(flags.footnote_complement)),
        ("review_df", Quantity::Flag(flags.review_df)),
        ("review_boundary", Quantity::Flag(flags.review_boundary)),
    ];
}
