//! Quantiles: the weighted distribution function inverted, with Woodruff's intervals.

use super::{
    Answer, DomainValue, EstimateRow, NotEstimable,
    domains::Domains,
    moments::{Functional, Moments, Parameter},
};
use crate::statistics::variance::unit_sums::Values;
use crate::statistics::{
    Prepared, StatisticsError,
    data::MISSING,
    interval::{Proportion, interval_at},
    plan::{InversionRule, Quantile, QuantileRule},
};

/// Two cumulative shares are equal when they differ by less than this: sums of some thousand weights round at 1e-13.
const EQUAL: f64 = 1e-12;

/// The coverage of Woodruff intervals.
const LEVEL: f64 = 0.95;

/// The weighted distribution of one domain: rows ascending by value, in the data's order where values tie.
struct Distribution {
    values: Vec<f64>,
    weights: Vec<f64>,
    cumulative: Vec<f64>,
}

impl Distribution {
    fn new(mut rows: Vec<(f64, f64)>) -> Self {
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sum = 0.0;
        let cumulative = rows.iter().map(|(_, weight)| {
            sum += weight;
            sum
        });
        let cumulative = cumulative.collect();
        let (values, weights) = rows.into_iter().unzip();
        Self { values, weights, cumulative }
    }

    /// The p-quantile by a rule.
    ///
    /// **Source**: Hyndman and Fan 1996; R `survey::svyquantile` (qrule).
    fn quantile(&self, rule: InversionRule, p: f64) -> f64 {
        match rule {
            InversionRule::Math => self.values[self.reached(p)],
            InversionRule::School => {
                let at = self.reached(p);
                let total = self.cumulative[self.values.len() - 1];
                let exact = (self.cumulative[at] / total - p).abs() < EQUAL && at + 1 < self.values.len();
                if exact { 0.5 * (self.values[at] + self.values[at + 1]) } else { self.values[at] }
            }
            InversionRule::Hf7 => self.interpolated(p, 0.0, |last, _| last),
            InversionRule::Hf8 => self.interpolated(p, 2.0 / 3.0, |_, (total, weight)| total + weight / 3.0),
        }
    }

    /// The first value whose share reaches p.
    fn reached(&self, p: f64) -> usize {
        let last = self.values.len() - 1;
        let aim = p * self.cumulative[last] * (1.0 - EQUAL);
        self.cumulative.partition_point(|&sum| sum < aim).min(last)
    }

    /// Linear between plotting positions (share of own weight counted, denominator of the rule).
    fn interpolated(&self, p: f64, own: f64, denominator: impl Fn(f64, (f64, f64)) -> f64) -> f64 {
        let n = self.values.len();
        if n == 1 {
            return self.values[0];
        }
        let below = denominator(self.cumulative[n - 2], (self.cumulative[n - 1], self.weights[n - 1]));
        let position = |at: usize| (self.cumulative[at] - (1.0 - own) * self.weights[at]) / below;
        let mut at = 0;
        while at < n && position(at) < p {
            at += 1;
        }
        if at == 0 || at == n {
            return self.values[at.min(n - 1)];
        }
        let (low, high) = (position(at - 1), position(at));
        self.values[at - 1] + (self.values[at] - self.values[at - 1]) * (p - low) / (high - low)
    }
}

pub(super) fn estimate(prepared: &Prepared, plan: &Quantile) -> Result<Answer, StatisticsError> {
    if let Some(p) = plan.probabilities.iter().find(|p| !(**p > 0.0 && **p < 1.0)) {
        return Err(StatisticsError::plan("estimator.probabilities", format!("{p} does not lie between 0 and 1")));
    }
    let values = prepared.table.numbers(&plan.variable, "estimator.variable")?;
    let domains = Domains::new(prepared, &plan.by)?.where_present(&[&values]);
    let mut of: Vec<Vec<(f64, f64)>> = vec![Vec::new(); domains.len()];
    for (row, &code) in domains.codes.iter().enumerate().filter(|(_, code)| **code != MISSING) {
        of[code as usize].push((values[row], prepared.weights[row]));
    }
    let distributions: Vec<Option<Distribution>> =
        of.into_iter().map(|rows| (!rows.is_empty()).then(|| Distribution::new(rows))).collect();
    let mut by_rule = Vec::new();
    for rule in &plan.rules {
        for &p in &plan.probabilities {
            by_rule.push(one(prepared, &domains, &values, &distributions, rule, p)?);
        }
    }
    let rows = (0..domains.len()).flat_map(|domain| by_rule.iter().map(move |rows| rows[domain].clone())).collect();
    Ok(Answer::of(rows))
}

/// One rule and probability in every domain.
fn one(
    prepared: &Prepared,
    domains: &Domains,
    values: &[f64],
    distributions: &[Option<Distribution>],
    rule: &QuantileRule,
    p: f64,
) -> Result<Vec<EstimateRow>, StatisticsError> {
    let found = |d: &Option<Distribution>| d.as_ref().map_or(f64::NAN, |d| d.quantile(rule.qrule, p));
    let quantiles: Vec<f64> = distributions.iter().map(found).collect();
    let below = |(&value, &code): (&f64, &u32)| match code == MISSING {
        true => 0.0,
        false => f64::from(u8::from(value <= quantiles[code as usize])),
    };
    let below: Vec<f64> = values.iter().zip(domains.codes.iter()).map(below).collect();
    let moments = Moments::new(prepared, domains, vec![Values::One, Values::Of(&below)]);
    let mut rows = Vec::with_capacity(domains.len());
    for (domain, distribution) in distributions.iter().enumerate() {
        let mut key = domains.key(domain);
        key.push(("p".to_owned(), DomainValue::Number(p)));
        key.push(("qrule".to_owned(), DomainValue::Text(rule.qrule.name().to_owned())));
        key.push(("interval".to_owned(), DomainValue::Text(rule.interval.name().to_owned())));
        let mut row = EstimateRow { domain: key, ..EstimateRow::default() };
        match distribution {
            None => row.not_estimable = Some(NotEstimable::EmptyDomain),
            Some(distribution) => {
                row.n = Some(moments.count(domain));
                row.estimate = Some(quantiles[domain]);
                woodruff(prepared, &moments, domain, distribution, rule, &mut row)?;
            }
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The interval for the share below the quantile, both ends inverted; se = width / (2 t).
///
/// **Source**: Woodruff 1952; R `survey::svyquantile` (interval.type).
fn woodruff(
    prepared: &Prepared,
    moments: &Moments<'_>,
    domain: usize,
    distribution: &Distribution,
    rule: &QuantileRule,
    row: &mut EstimateRow,
) -> Result<(), StatisticsError> {
    let parameter = Parameter { domain, functional: Functional::Ratio { over: 1, under: 0 } };
    let df = moments.df(domain);
    let n = if prepared.residuals.is_empty() { moments.count(domain) } else { prepared.weights.len() };
    let share = Proportion {
        estimate: moments.value(parameter),
        standard_error: moments.variance(parameter)?.sqrt(),
        df,
        n: n as f64,
        logit_standard_error: None,
    };
    let t = prepared.quantiles.t(LEVEL, df);
    row.df = Some(df);
    match interval_at(rule.interval, &share, LEVEL, t) {
        Ok(ends) if ends.low >= 0.0 && ends.high <= 1.0 => {
            let low = distribution.quantile(rule.qrule, ends.low);
            let high = distribution.quantile(rule.qrule, ends.high);
            row.ci = vec![("woodruff", [low, high])];
            row.se = Some((high - low) / (2.0 * t));
        }
        _ if df.is_nan() || df <= 0.0 => row.not_estimable = Some(NotEstimable::NoDegreesOfFreedom),
        _ => row.not_estimable = Some(NotEstimable::Boundary),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Distribution {
        Distribution::new(values.iter().map(|v| (*v, 1.0)).collect())
    }

    #[test]
    fn the_rules_agree_with_the_textbook_on_equal_weights() {
        let four = of(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(four.quantile(InversionRule::Math, 0.5), 2.0);
        assert_eq!(four.quantile(InversionRule::School, 0.5), 2.5);
        assert!((four.quantile(InversionRule::Hf7, 0.25) - 1.75).abs() < 1e-14);
        // R: quantile(1:4, 0.25, type = 8)
        assert!((four.quantile(InversionRule::Hf8, 0.25) - 17.0 / 12.0).abs() < 1e-14);
    }
}
