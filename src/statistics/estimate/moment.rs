//! Proportions, means and totals of one variable.

use rayon::prelude::*;

use super::{
    Answer, EstimateRow, NotEstimable,
    domains::Domains,
    moments::{Functional, Moments, Parameter},
    t_quantiles::TQuantiles,
};
use crate::statistics::variance::unit_sums::Values;
use crate::statistics::{
    Prepared, StatisticsError,
    interval::{IntervalMethod, Proportion, interval_at},
    plan::{CiPlan, Moment},
};

/// Which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Proportion,
    Mean,
    Total,
}

/// The columns: 1 and y.
const ONE: usize = 0;
const Y: usize = 1;

pub(super) fn estimate(prepared: &Prepared, plan: &Moment, kind: Kind) -> Result<Answer, StatisticsError> {
    let values = prepared.table.numbers(&plan.variable, "estimator.variable")?;
    let mut domains = Domains::new(prepared, &plan.by)?;
    if kind != Kind::Proportion || check_zero_one(&plan.variable, &values)? {
        domains = domains.where_present(&[&values]);
    }
    check_methods(plan.ci.as_ref(), kind)?;
    let moments = Moments::new(prepared, &domains, vec![Values::One, Values::Of(&values)]);
    let squares = match plan.deff {
        true => {
            let mean = |domain: usize| moments.totals(domain)[Y] / moments.totals(domain)[ONE];
            moments.squares(Y, &(0..domains.len()).map(mean).collect::<Vec<_>>())
        }
        false => vec![f64::NAN; domains.len()],
    };
    let one = |(domain, &squares): (usize, &f64)| {
        let cell = Cell { prepared, plan, kind, moments: &moments, domain, squares };
        let mut row = cell.row(&prepared.quantiles)?;
        row.domain = domains.key(domain);
        Ok(row)
    };
    let rows: Vec<Result<EstimateRow, StatisticsError>> = squares.par_iter().enumerate().map(one).collect();
    let rows = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Answer::of(rows))
}

/// The labels of a domain, and the linearized total of each first-stage unit.
pub(in crate::statistics) type DomainTotals = (Vec<String>, Vec<f64>);

/// The linearized totals of a proportion by first-stage unit, for each domain by its labels.
///
/// # Errors
/// As an estimate of the proportion; replicates have no linearized totals.
pub(in crate::statistics) fn unit_totals(
    prepared: &Prepared,
    plan: &Moment,
) -> Result<Vec<DomainTotals>, StatisticsError> {
    if prepared.replicates.is_some() {
        return Err(StatisticsError::estimate("linearized totals", "the variance comes from replicates"));
    }
    let values = prepared.table.numbers(&plan.variable, "estimator.variable")?;
    check_zero_one(&plan.variable, &values)?;
    let domains = Domains::new(prepared, &plan.by)?.where_present(&[&values]);
    let moments = Moments::new(prepared, &domains, vec![Values::One, Values::Of(&values)]);
    let functional = Functional::Ratio { over: Y, under: ONE };
    let of = |domain: usize| {
        let labels = domains.key(domain).iter().map(|(_, level)| level.label()).collect();
        (labels, moments.unit_totals(Parameter { domain, functional }))
    };
    Ok((0..domains.len()).filter(|&domain| moments.count(domain) > 0).map(of).collect())
}

/// Refuses what is neither 0 nor 1, and says whether any value is absent.
pub(super) fn check_zero_one(variable: &str, values: &[f64]) -> Result<bool, StatisticsError> {
    // Without a branch a row: codes 0 and 1 in random order are what processors predict worst.
    let other = |v: &f64| !v.is_nan() & (*v != 0.0) & (*v != 1.0);
    let seen = |values: &[f64]| {
        values.iter().fold((false, false), |(absent, wrong), v| (absent | v.is_nan(), wrong | other(v)))
    };
    let parts: Vec<(bool, bool)> = values.par_chunks(1 << 14).map(seen).collect();
    match parts.iter().any(|(_, wrong)| *wrong).then(|| values.iter().position(other)).flatten() {
        None => Ok(parts.iter().any(|(absent, _)| *absent)),
        Some(row) => Err(StatisticsError::Cell {
            column: variable.to_owned(),
            row: row + 1,
            reason: format!("a proportion needs 0 or 1, not {}", values[row]),
        }),
    }
}

fn check_methods(ci: Option<&CiPlan>, kind: Kind) -> Result<(), StatisticsError> {
    let Some(ci) = ci else { return Ok(()) };
    if !(ci.level > 0.0 && ci.level < 1.0) {
        return Err(StatisticsError::plan("estimator.ci.level", "a level lies between 0 and 1"));
    }
    let fits = |method: &IntervalMethod| (*method == IntervalMethod::T) != (kind == Kind::Proportion);
    match ci.methods.iter().find(|method| !fits(method)) {
        None => Ok(()),
        Some(method) if kind == Kind::Proportion => Err(StatisticsError::plan(
            "estimator.ci.methods",
            format!("`{}` is for means and totals; the plain interval of a proportion is `mean`", method.name()),
        )),
        Some(method) => Err(StatisticsError::plan(
            "estimator.ci.methods",
            format!("`{}` is for proportions; means and totals have `t`", method.name()),
        )),
    }
}

struct Cell<'a> {
    prepared: &'a Prepared,
    plan: &'a Moment,
    kind: Kind,
    moments: &'a Moments<'a>,
    domain: usize,
    squares: f64,
}

impl Cell<'_> {
    fn parameter(&self) -> Parameter {
        let functional = match self.kind {
            Kind::Total => Functional::Total(Y),
            Kind::Proportion | Kind::Mean => Functional::Ratio { over: Y, under: ONE },
        };
        Parameter { domain: self.domain, functional }
    }

    fn row(&self, quantiles: &TQuantiles) -> Result<EstimateRow, StatisticsError> {
        let n = self.moments.count(self.domain);
        if n == 0 {
            let not_estimable = Some(NotEstimable::EmptyDomain);
            return Ok(EstimateRow { n: Some(0), n_hat: Some(0.0), not_estimable, ..EstimateRow::default() });
        }
        let variance = self.moments.variance(self.parameter())?;
        let ci = self.plan.ci.as_ref();
        let df = ci.and_then(|ci| ci.df).unwrap_or_else(|| self.moments.df(self.domain));
        let mut row = EstimateRow {
            n: Some(n),
            n_hat: Some(self.moments.totals(self.domain)[ONE]),
            estimate: Some(self.moments.value(self.parameter())),
            se: Some(variance.sqrt()),
            df: Some(df),
            ..EstimateRow::default()
        };
        if self.plan.deff {
            self.add_deff(&mut row, variance, n as f64);
        }
        match (self.kind, ci) {
            (_, None) => {}
            (Kind::Proportion, Some(ci)) => self.add_proportion_intervals(&mut row, ci, quantiles)?,
            (_, Some(ci)) => add_t_interval(&mut row, ci.level, quantiles),
        }
        Ok(row)
    }

    /// V / V_srs, V_srs = Σ w(y-p)²/Σw / (n-1), for totals times (Σw)².
    fn add_deff(&self, row: &mut EstimateRow, variance: f64, n: f64) {
        let population = self.moments.totals(self.domain)[ONE];
        let size = if self.kind == Kind::Total { population * population } else { 1.0 };
        let srs = self.squares / population / (n - 1.0) * size;
        row.deff = Some(variance / (srs * (1.0 - n / population)));
        if self.prepared.replicates.is_none() {
            row.deff_wr = Some(variance / srs);
        }
    }

    fn add_proportion_intervals(
        &self,
        row: &mut EstimateRow,
        ci: &CiPlan,
        quantiles: &TQuantiles,
    ) -> Result<(), StatisticsError> {
        let (p, se, df) = (row.estimate.unwrap_or(f64::NAN), row.se.unwrap_or(f64::NAN), row.df.unwrap_or(0.0));
        row.not_estimable = no_interval(p, se, df);
        if row.not_estimable.is_some() {
            return Ok(());
        }
        // R keeps every row of a calibrated design in a domain.
        let n = if self.prepared.residuals.is_empty() { row.n.unwrap_or(0) } else { self.prepared.weights.len() };
        let proportion = Proportion {
            estimate: p,
            standard_error: se,
            df,
            n: n as f64,
            logit_standard_error: self.logit_standard_error(p)?,
        };
        let t = quantiles.t(ci.level, df);
        for &method in &ci.methods {
            if let Ok(found) = interval_at(method, &proportion, ci.level, t) {
                row.ci.push((method.name(), [found.low, found.high]));
            }
        }
        row.beta_n = ci.methods.contains(&IntervalMethod::Beta).then_some(n);
        Ok(())
    }

    /// With replicates the logit's variance is that of the replicates' logits.
    fn logit_standard_error(&self, p: f64) -> Result<Option<f64>, StatisticsError> {
        let Some(values) = self.moments.replicate_values(self.parameter()) else { return Ok(None) };
        let logit = |p: f64| libm::log(p / (1.0 - p));
        let logits: Vec<f64> = values.iter().map(|&p| logit(p)).collect();
        let replicates = self.prepared.replicates.as_ref().expect("replicate values come from replicates");
        Ok(replicates.variance(&logits, logit(p)).ok().map(f64::sqrt))
    }
}

/// Why a proportion has no interval. Shares within 1e-12 of 0 or 1 are 0 or 1 that rounding moved.
fn no_interval(p: f64, se: f64, df: f64) -> Option<NotEstimable> {
    if !(p > 1e-12 && p < 1.0 - 1e-12) {
        Some(NotEstimable::Boundary)
    } else if df.is_nan() || df <= 0.0 {
        Some(NotEstimable::NoDegreesOfFreedom)
    } else if se.is_nan() || se <= 0.0 {
        Some(NotEstimable::ZeroVariance)
    } else {
        None
    }
}

/// Estimate ± t se.
pub(super) fn add_t_interval(row: &mut EstimateRow, level: f64, quantiles: &TQuantiles) {
    let (Some(estimate), Some(se), Some(df)) = (row.estimate, row.se, row.df) else { return };
    if df > 0.0 {
        let half = quantiles.t(level, df) * se;
        row.ci.push(("t", [estimate - half, estimate + half]));
    } else {
        row.not_estimable = Some(NotEstimable::NoDegreesOfFreedom);
    }
}
