//! Ratios of totals, and the shares of categories.

use super::{
    Answer, DomainValue, EstimateRow, NotEstimable,
    domains::Domains,
    moment::add_t_interval,
    moments::{Functional, Moments, Parameter},
};
use crate::statistics::variance::unit_sums::Values;
use crate::statistics::{
    Prepared, StatisticsError,
    data::MISSING,
    plan::{CategoryShares, CiPlan, Ratio},
};

pub(super) fn ratio(prepared: &Prepared, plan: &Ratio) -> Result<Answer, StatisticsError> {
    let over = prepared.table.numbers(&plan.numerator, "estimator.numerator")?;
    let under = prepared.table.numbers(&plan.denominator, "estimator.denominator")?;
    let domains = Domains::new(prepared, &plan.by)?.where_present(&[&over, &under]);
    let moments = Moments::new(prepared, &domains, vec![Values::Of(&over), Values::Of(&under)]);
    let level = plan.ci.as_ref().map_or(0.95, |ci: &CiPlan| ci.level);
    let mut rows = Vec::with_capacity(domains.len());
    for domain in 0..domains.len() {
        let mut row = EstimateRow { domain: domains.key(domain), ..EstimateRow::default() };
        let parameter = Parameter { domain, functional: Functional::Ratio { over: 0, under: 1 } };
        if moments.count(domain) == 0 {
            row.not_estimable = Some(NotEstimable::EmptyDomain);
        } else if moments.totals(domain)[1] == 0.0 {
            row.not_estimable = Some(NotEstimable::ZeroDenominator);
        } else {
            row.n = Some(moments.count(domain));
            row.estimate = Some(moments.value(parameter));
            row.se = Some(moments.variance(parameter)?.sqrt());
            row.df = Some(plan.ci.as_ref().and_then(|ci| ci.df).unwrap_or_else(|| moments.df(domain)));
            add_t_interval(&mut row, level, &prepared.quantiles);
        }
        rows.push(row);
    }
    Ok(Answer::of(rows))
}

pub(super) fn category_shares(prepared: &Prepared, plan: &CategoryShares) -> Result<Answer, StatisticsError> {
    let categories = prepared.table.categories(&plan.variable, "estimator.variable")?;
    let present: Vec<f64> =
        categories.codes().iter().map(|&code| if code == MISSING { f64::NAN } else { 1.0 }).collect();
    let domains = Domains::new(prepared, &plan.by)?.where_present(&[&present]);
    let of = |level: usize| move |&code: &u32| f64::from(u8::from(code as usize == level));
    let mut columns: Vec<Vec<f64>> =
        (0..categories.levels().len()).map(|level| categories.codes().iter().map(of(level)).collect()).collect();
    columns.push(vec![1.0; present.len()]);
    let moments = Moments::new(prepared, &domains, columns.iter().map(|column| Values::Of(column)).collect());
    let persons = columns.len() - 1;
    let mut rows = Vec::with_capacity(domains.len() * persons);
    for domain in 0..domains.len() {
        let df = moments.df(domain);
        for (level, label) in categories.levels().iter().enumerate() {
            let parameter = Parameter { domain, functional: Functional::Ratio { over: level, under: persons } };
            let mut key = domains.key(domain);
            key.push((plan.variable.clone(), DomainValue::Text(label.clone())));
            let mut row = EstimateRow { domain: key, ..EstimateRow::default() };
            if moments.count(domain) == 0 {
                row.not_estimable = Some(NotEstimable::EmptyDomain);
            } else {
                row.estimate = Some(moments.value(parameter));
                row.se = Some(moments.variance(parameter)?.sqrt());
                row.df = Some(df);
            }
            rows.push(row);
        }
    }
    Ok(Answer::of(rows))
}
