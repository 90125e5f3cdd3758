//! Weighted totals by domain with all that their variances need, made in one pass over the rows.

use std::{ops::Range, sync::Arc};

use super::{
    calibrated::{CalibratedTotals, DomainResidual, for_each_control, regression},
    domains::Domains,
    leaf_sums::LeafSums,
    replicate_totals::replicate_totals,
};
use crate::statistics::{
    Prepared, StatisticsError,
    data::MISSING,
    variance::{
        replicate::DfRule,
        taylor::LeafValues,
        unit_sums::{Pairs, Rows, Values, group_sums},
    },
    weighting::residual::Regression,
};

/// What is estimated in a domain, from its weighted column totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Functional {
    /// Total of one column over the total of another.
    Ratio {
        /// Above the line.
        over: usize,
        /// Below it.
        under: usize,
    },
    /// The total of a column.
    Total(usize),
}

/// A functional in a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameter {
    pub domain: usize,
    pub functional: Functional,
}

impl Functional {
    fn value(self, totals: &[f64]) -> f64 {
        match self {
            Self::Ratio { over, under } => totals[over] / totals[under],
            Self::Total(column) => totals[column],
        }
    }

    /// The linearized value of column sums `s` (of a row, or of a unit), the domain's totals being `totals`.
    fn linearized(self, s: &[f64], totals: &[f64]) -> f64 {
        match self {
            Self::Ratio { over, under } => (s[over] - totals[over] / totals[under] * s[under]) / totals[under],
            Self::Total(column) => s[column],
        }
    }
}

/// Weighted totals of columns by domain.
pub(super) struct Moments<'a> {
    prepared: &'a Prepared,
    domains: &'a Domains,
    columns: Vec<Values<'a>>,
    leaf_sums: LeafSums,
    replicate_totals: Vec<Vec<f64>>,
    /// After one calibration: Σ d x col by domain, control and column.
    control_sums: Option<Vec<f64>>,
}

/// Control sums are kept up to this many numbers (some 400 MB); beyond it rows are passed again for each domain.
const CONTROL_SUMS_MAX: usize = 50_000_000;

impl<'a> Moments<'a> {
    /// Sums the columns; column values where no domain is are not looked at.
    pub fn new(prepared: &'a Prepared, domains: &'a Domains, columns: Vec<Values<'a>>) -> Self {
        let leaf_sums = LeafSums::new(prepared, domains, &columns);
        let replicate_totals = match &prepared.replicates {
            None => Vec::new(),
            Some(replicates) => replicate_totals(prepared, replicates, domains, &columns),
        };
        let control_sums = control_sums(prepared, domains, &columns);
        if control_sums.is_some() {
            prepared.calibrated();
        }
        Self { prepared, domains, columns, leaf_sums, replicate_totals, control_sums }
    }

    fn k(&self) -> usize {
        self.columns.len()
    }

    /// The totals of a domain.
    pub fn totals(&self, domain: usize) -> &[f64] {
        self.leaf_sums.totals(domain)
    }

    /// The rows of a domain.
    pub fn count(&self, domain: usize) -> usize {
        self.leaf_sums.count(domain)
    }

    /// The estimate.
    pub fn value(&self, parameter: Parameter) -> f64 {
        parameter.functional.value(self.totals(parameter.domain))
    }

    /// Its replicates, when there are any.
    pub fn replicate_values(&self, parameter: Parameter) -> Option<Vec<f64>> {
        self.prepared.replicates.as_ref()?;
        let k = self.k();
        let value =
            |totals: &Vec<f64>| parameter.functional.value(&totals[parameter.domain * k..(parameter.domain + 1) * k]);
        Some(self.replicate_totals.iter().map(value).collect())
    }

    /// The variance of one estimate.
    pub fn variance(&self, parameter: Parameter) -> Result<f64, StatisticsError> {
        self.covariance(&[parameter]).map(|v| v[0])
    }

    /// The covariance matrix of several estimates, row by row.
    pub fn covariance(&self, parameters: &[Parameter]) -> Result<Vec<f64>, StatisticsError> {
        if let (Some(replicates), [parameter]) = (&self.prepared.replicates, parameters) {
            let values = self.replicate_values(*parameter).unwrap_or_default();
            return replicates.variance(&values, self.value(*parameter)).map(|variance| vec![variance]);
        }
        if let Some(replicates) = &self.prepared.replicates {
            let by_parameter: Vec<Vec<f64>> = parameters.iter().filter_map(|&p| self.replicate_values(p)).collect();
            let transposed = |r: usize| by_parameter.iter().map(|values| values[r]).collect();
            let values: Vec<Vec<f64>> = (0..replicates.len()).map(transposed).collect();
            let full: Vec<f64> = parameters.iter().map(|&p| self.value(p)).collect();
            return replicates.covariance(&values, &full);
        }
        if !self.prepared.residuals.is_empty() {
            return self.residual_covariance(parameters);
        }
        if parameters.iter().all(|p| p.domain == parameters[0].domain) {
            return self.domain_covariance(parameters);
        }
        self.joint_covariance(parameters)
    }

    /// All parameters in one domain: its leaves are all that counts.
    fn domain_covariance(&self, parameters: &[Parameter]) -> Result<Vec<f64>, StatisticsError> {
        let domain = parameters[0].domain;
        let (leaves, sums) = self.leaf_sums.of(domain);
        let totals = self.totals(domain);
        let mut values = Vec::with_capacity(leaves.len() * parameters.len());
        for s in sums.chunks_exact(self.k()) {
            values.extend(parameters.iter().map(|p| p.functional.linearized(s, totals)));
        }
        self.taylor(leaves, &values, parameters.len())
    }

    /// Parameters in several domains, over the leaves that any of them has.
    fn joint_covariance(&self, parameters: &[Parameter]) -> Result<Vec<f64>, StatisticsError> {
        let (leaves, k) = (self.prepared.design.leaves(), parameters.len());
        let mut dense = vec![0.0; leaves * k];
        let mut present = vec![false; leaves];
        for (at, parameter) in parameters.iter().enumerate() {
            let (of, sums) = self.leaf_sums.of(parameter.domain);
            let totals = self.totals(parameter.domain);
            for (&leaf, s) in of.iter().zip(sums.chunks_exact(self.k())) {
                dense[leaf as usize * k + at] = parameter.functional.linearized(s, totals);
                present[leaf as usize] = true;
            }
        }
        let kept: Vec<u32> = (0..leaves as u32).filter(|&leaf| present[leaf as usize]).collect();
        let values: Vec<f64> =
            kept.iter().flat_map(|&leaf| &dense[leaf as usize * k..(leaf as usize + 1) * k]).copied().collect();
        self.taylor(&kept, &values, k)
    }

    /// The linearized totals of a domain's leaves, with their regression on the controls.
    fn domain_residual(&self, of: &CalibratedTotals, parameter: Parameter) -> Option<DomainResidual<'_>> {
        let (control_sums, regression) = (self.control_sums.as_ref()?, regression(self.prepared)?);
        let (leaves, own) = self.leaf_sums.of(parameter.domain);
        let totals = self.totals(parameter.domain);
        let linearized = |s: &[f64]| parameter.functional.linearized(s, totals);
        let own = own.chunks_exact(self.k()).map(linearized).collect();
        let width = regression.controls.totals.len() * self.k();
        let sums = &control_sums[parameter.domain * width..(parameter.domain + 1) * width];
        // A domain lies in few categories: most controls have no sum to linearize.
        let occurs = |(_, s): &(usize, &[f64])| s.iter().any(|s| *s != 0.0);
        let right = sums.chunks_exact(self.k()).enumerate().filter(occurs).map(|(at, s)| (at, linearized(s)));
        Some(of.residual(leaves, own, right.filter(|(_, r)| *r != 0.0).collect()))
    }

    /// After calibration every row has a residual, inside the domain or not.
    fn residual_covariance(&self, parameters: &[Parameter]) -> Result<Vec<f64>, StatisticsError> {
        let k = parameters.len();
        if let Some(of) = self.prepared.calibrated()
            && self.control_sums.is_some()
        {
            let parts: Vec<_> = parameters.iter().filter_map(|&p| self.domain_residual(of, p)).collect();
            if let [domain] = parts.as_slice()
                && let Some(variance) = of.variance(&self.prepared.design, domain)
            {
                return Ok(vec![variance]);
            }
            let mut values = vec![0.0; self.prepared.design.leaves() * k];
            for (at, domain) in parts.iter().enumerate() {
                let z = of.residuals(domain);
                z.iter().enumerate().for_each(|(leaf, z)| values[leaf * k + at] = *z);
            }
            return self.taylor(&self.prepared.all_leaves(), &values, k);
        }
        let mut values = vec![0.0; self.prepared.design.leaves() * k];
        for (at, parameter) in parameters.iter().enumerate() {
            let z = self.prepared.residual_totals(self.linearized_rows(*parameter));
            z.iter().enumerate().for_each(|(leaf, z)| values[leaf * k + at] = *z);
        }
        self.taylor(&self.prepared.all_leaves(), &values, k)
    }

    /// The linearized total of each first-stage unit.
    pub fn unit_totals(&self, parameter: Parameter) -> Vec<f64> {
        let design = &self.prepared.design;
        let mut totals = vec![0.0; design.first().units()];
        if self.prepared.residuals.is_empty() {
            let (leaves, sums) = self.leaf_sums.of(parameter.domain);
            let of = self.totals(parameter.domain);
            for (&leaf, s) in leaves.iter().zip(sums.chunks_exact(self.k())) {
                totals[design.unit_of_leaf[0][leaf as usize] as usize] += parameter.functional.linearized(s, of);
            }
            return totals;
        }
        let z = self.prepared.residual_totals(self.linearized_rows(parameter));
        z.iter().zip(&design.unit_of_leaf[0]).for_each(|(z, &unit)| totals[unit as usize] += z);
        totals
    }

    /// z_i of every row.
    fn linearized_rows(&self, parameter: Parameter) -> Vec<f64> {
        let totals = self.totals(parameter.domain);
        let mut s = vec![0.0; self.k()];
        let mut z = vec![0.0; self.prepared.weights.len()];
        for (row, &code) in
            self.domains.codes.iter().enumerate().filter(|(_, code)| **code as usize == parameter.domain)
        {
            debug_assert_ne!(code, MISSING);
            s.iter_mut().zip(&self.columns).for_each(|(s, column)| *s = column.at(row));
            z[row] = self.prepared.weights[row] * parameter.functional.linearized(&s, totals);
        }
        z
    }

    fn taylor(&self, leaves: &[u32], values: &[f64], columns: usize) -> Result<Vec<f64>, StatisticsError> {
        self.prepared.taylor(LeafValues { leaves, values, columns })
    }

    /// Degrees of freedom of a domain.
    pub fn df(&self, domain: usize) -> f64 {
        match &self.prepared.replicates {
            Some(replicates) if replicates.factors.df != DfRule::Design => {
                let whole = self.domains.whole();
                self.prepared.degrees_of_freedom(|row| self.domains.codes[row] as usize == domain, whole)
            }
            _ => self.prepared.design.degrees_of_freedom_of(self.leaf_sums.of(domain).0),
        }
    }

    /// Σ w (y - centre)² by domain, for design effects.
    pub fn squares(&self, column: usize, centres: &[f64]) -> Vec<f64> {
        let mut squares = vec![0.0; self.domains.len()];
        for (row, &code) in self.domains.codes.iter().enumerate().filter(|(_, code)| **code != MISSING) {
            let deviation = self.columns[column].at(row) - centres[code as usize];
            squares[code as usize] += self.prepared.weights[row] * deviation * deviation;
        }
        squares
    }
}

impl Prepared {
    pub(super) fn taylor(&self, z: LeafValues<'_>) -> Result<Vec<f64>, StatisticsError> {
        crate::statistics::variance::covariance(&self.design, self.rule, z)
    }

    pub(super) fn all_leaves(&self) -> Vec<u32> {
        (0..self.design.leaves() as u32).collect()
    }

    /// Leaves with their values, without those where nobody is selected: they are not in the estimate.
    pub(super) fn present(&self, leaves: &[u32], values: Vec<f64>, columns: usize) -> (Vec<u32>, Vec<f64>) {
        if !self.residuals.is_empty() {
            return (leaves.to_vec(), values);
        }
        let mut present = vec![false; self.design.leaves()];
        for (row, &leaf) in self.design.leaf_of_row().iter().enumerate() {
            present[leaf as usize] |= self.counts(row);
        }
        let kept = |(at, &leaf): (usize, &u32)| {
            present[leaf as usize].then_some((leaf, &values[at * columns..(at + 1) * columns]))
        };
        let (mut kept_leaves, mut kept_values) = (Vec::new(), Vec::new());
        for (leaf, values) in leaves.iter().enumerate().filter_map(kept) {
            kept_leaves.push(leaf);
            kept_values.extend_from_slice(values);
        }
        (kept_leaves, kept_values)
    }

    /// Some of the rows, leaf by leaf.
    pub(super) fn rows_in_order(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let order = self.by_leaf();
        range.map(move |at| order.map_or(at, |order| order[at] as usize))
    }

    /// Sums after one calibration, made once. They are made outside the lock: making them runs on all threads, and a
    /// thread that waits for the others may take up work that asks for them too.
    fn calibrated(&self) -> Option<&CalibratedTotals> {
        if self.calibrated.get().is_none() {
            let made = CalibratedTotals::new(self);
            let _ = self.calibrated.set(made);
        }
        self.calibrated.get().and_then(Option::as_ref)
    }

    /// Ranges of rows, leaf by leaf, that end where a leaf ends.
    pub(super) fn leaf_ranges(&self) -> Vec<Range<usize>> {
        let unit_of_row = self.design.leaf_of_row();
        Rows { order: self.by_leaf(), unit_of_row, group_of_row: unit_of_row, groups: 0, weights: &self.weights }
            .chunks()
    }

    /// Residuals of linearized rows after every weight step, summed by leaf.
    pub(super) fn residual_totals(&self, mut z: Vec<f64>) -> Vec<f64> {
        self.residuals.iter().for_each(|residual| residual.apply(&mut z));
        let mut totals = vec![0.0; self.design.leaves()];
        self.design.leaf_of_row().iter().zip(&z).for_each(|(&leaf, z)| totals[leaf as usize] += z);
        totals
    }

    /// The rows leaf by leaf; none when they stand so.
    pub(in crate::statistics) fn by_leaf(&self) -> Option<&[u32]> {
        let order = self.rows_by_leaf.get_or_init(|| {
            let leaf = self.design.leaf_of_row();
            if leaf.is_sorted() {
                return None;
            }
            let mut rows: Vec<u32> = (0..leaf.len() as u32).collect();
            rows.sort_by_key(|&row| leaf[row as usize]);
            Some(rows)
        });
        order.as_deref()
    }
}

/// Σ d x col by domain, control and column, when one calibration shapes the residuals.
fn control_sums(prepared: &Prepared, domains: &Domains, columns: &[Values<'_>]) -> Option<Vec<f64>> {
    let regression = regression(prepared)?;
    let k = columns.len();
    let width = regression.controls.totals.len() * k;
    if domains.len() * width > CONTROL_SUMS_MAX {
        return None;
    }
    let mut sums = vec![0.0; domains.len() * width];
    if regression.controls.numbers.is_empty() {
        add_cell_controls(prepared, regression, domains, columns, &mut sums);
        return Some(sums);
    }
    for (row, &domain) in domains.codes.iter().enumerate().filter(|(_, code)| **code != MISSING) {
        let of = &mut sums[domain as usize * width..(domain as usize + 1) * width];
        for_each_control(regression, row, |control, x| {
            let weight = regression.before[row] * x;
            let at = control as usize * k;
            of[at..at + k].iter_mut().zip(columns).for_each(|(sum, column)| *sum += weight * column.at(row));
        });
    }
    Some(sums)
}

/// Where a row's controls follow from its cell: rows are summed by cell and domain first, then those sums by control.
fn add_cell_controls(
    prepared: &Prepared,
    regression: &Regression,
    domains: &Domains,
    columns: &[Values<'_>],
    sums: &mut [f64],
) {
    let (controls, k) = (&regression.controls, columns.len());
    let width = controls.totals.len() * k;
    let pairs = Pairs::new(&controls.unit_of_row, controls.units, &domains.codes);
    let make = || group_sums(&pairs.of_row, pairs.codes.len(), &regression.before, columns);
    let column = match columns {
        [Values::One, Values::Of(values)] if Arc::ptr_eq(&pairs.of_row, &controls.unit_of_row) => {
            prepared.table.shared_numbers(values)
        }
        _ => None,
    };
    let by_pair = match column {
        Some(column) => prepared.cell_sums.get_or_make(column, make),
        None => Arc::new(make()),
    };
    for (&(cell, domain), of_pair) in pairs.codes.iter().zip(by_pair.chunks_exact(k)) {
        if domain == MISSING {
            continue;
        }
        let of = &mut sums[domain as usize * width..(domain as usize + 1) * width];
        for column in &controls.columns {
            let at = column[cell as usize] as usize * k;
            of[at..at + k].iter_mut().zip(of_pair).for_each(|(sum, own)| *sum += own);
        }
    }
}
