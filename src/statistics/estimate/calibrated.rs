//! Variances after one calibration, without a pass over the rows for each domain.
//!
//! Every domain shares the normal matrix: with b the regression of e on x, the residual total of unit j is
//! t_j - M_j b, where M_j = Σ_{i∈j} w_i x_i is made once. Where the domain has no row, t_j is 0, so the variance is
//! b'Sb for S the design covariance of M, and only the strata that hold the domain are summed again.

use crate::statistics::{
    Prepared,
    data::MISSING,
    design::{Design, Probabilities},
    weighting::residual::{Regression, Residual},
};

/// M by leaf, and S where the design allows the short way.
#[derive(Debug, Clone)]
pub(in crate::statistics) struct CalibratedTotals {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
    /// S, row by row.
    covariance: Option<Vec<f64>>,
    /// The first unit of each stratum.
    strata: Vec<usize>,
    p: usize,
}

impl CalibratedTotals {
    /// Sums w x by leaf; none unless exactly one calibration shapes the residuals.
    pub fn new(prepared: &Prepared) -> Option<Self> {
        let regression = regression(prepared)?;
        let p = regression.controls.totals.len();
        let mut totals =
            Self { starts: vec![0], columns: Vec::new(), values: Vec::new(), covariance: None, strata: vec![0], p };
        let mut dense = vec![0.0; p];
        let mut touched: Vec<u32> = Vec::new();
        let leaf_of_row = prepared.design.leaf_of_row();
        let mut leaf = 0;
        for row in prepared.rows_in_order() {
            while leaf < leaf_of_row[row] {
                totals.close(&mut dense, &mut touched);
                leaf += 1;
            }
            for_each_control(regression, row, |column, x| {
                if dense[column as usize] == 0.0 {
                    touched.push(column);
                }
                dense[column as usize] += regression.after[row] * x;
            });
        }
        totals.close(&mut dense, &mut touched);
        for stratum in &prepared.design.first().strata {
            totals.strata.push(totals.strata[totals.strata.len() - 1] + stratum.sampled);
        }
        totals.covariance = short_way(&prepared.design).then(|| totals.design_covariance(&prepared.design));
        Some(totals)
    }

    fn close(&mut self, dense: &mut [f64], touched: &mut Vec<u32>) {
        touched.sort_unstable();
        touched.dedup();
        for &column in touched.iter() {
            self.columns.push(column);
            self.values.push(std::mem::take(&mut dense[column as usize]));
        }
        touched.clear();
        self.starts.push(self.columns.len());
    }

    /// M_j b.
    fn fitted(&self, leaf: usize, b: &[f64]) -> f64 {
        let range = self.starts[leaf]..self.starts[leaf + 1];
        self.columns[range.clone()].iter().zip(&self.values[range]).map(|(&at, m)| m * b[at as usize]).sum()
    }

    /// Σ_h (1-f_h) n_h/(n_h-1) Σ_j (M_j - M̄_h)(M_j - M̄_h)', stratum by stratum over the columns that occur in it.
    fn design_covariance(&self, design: &Design) -> Vec<f64> {
        let mut sum = vec![0.0; self.p * self.p];
        for (stratum, range) in design.first().strata.iter().zip(self.strata.windows(2)) {
            let n = stratum.sampled as f64;
            let scale = stratum.unsampled_share() * n / (n - 1.0);
            let mut support = self.columns[self.starts[range[0]]..self.starts[range[1]]].to_vec();
            support.sort_unstable();
            support.dedup();
            let k = support.len();
            let mut place = vec![usize::MAX; self.p];
            support.iter().enumerate().for_each(|(at, &column)| place[column as usize] = at);
            let mut means = vec![0.0; k];
            for at in self.starts[range[0]]..self.starts[range[1]] {
                means[place[self.columns[at] as usize]] += self.values[at] / n;
            }
            let mut own = vec![0.0; k * k];
            let mut deviation = vec![0.0; k];
            for leaf in range[0]..range[1] {
                deviation.iter_mut().zip(&means).for_each(|(d, mean)| *d = -mean);
                for at in self.starts[leaf]..self.starts[leaf + 1] {
                    deviation[place[self.columns[at] as usize]] += self.values[at];
                }
                for (i, row) in own.chunks_exact_mut(k).enumerate() {
                    let d = scale * deviation[i];
                    row.iter_mut().zip(&deviation).for_each(|(own, other)| *own += d * other);
                }
            }
            for i in 0..k {
                for j in 0..k {
                    sum[support[i] as usize * self.p + support[j] as usize] += own[i * k + j];
                }
            }
        }
        sum
    }

    /// Residual totals of every leaf: the domain's own totals, 0 elsewhere, minus M b.
    pub fn residuals(&self, leaves: &[u32], own: &[f64], b: &[f64]) -> Vec<f64> {
        let mut z: Vec<f64> = (0..self.starts.len() - 1).map(|leaf| -self.fitted(leaf, b)).collect();
        leaves.iter().zip(own).for_each(|(&leaf, t)| z[leaf as usize] += t);
        z
    }

    /// The variance by the short way; none where it does not apply or is not shorter.
    pub fn variance(&self, design: &Design, leaves: &[u32], own: &[f64], b: &[f64]) -> Option<f64> {
        let covariance = self.covariance.as_ref()?;
        let first = design.first();
        let mut touched: Vec<usize> =
            leaves.iter().map(|&leaf| first.stratum_of_unit[leaf as usize] as usize).collect();
        touched.dedup();
        let held: usize = touched.iter().map(|&h| first.strata[h].sampled).sum();
        if 2 * held > first.units() {
            return None;
        }
        let quadratic: f64 = covariance
            .chunks_exact(self.p)
            .zip(b)
            .filter(|(_, b)| **b != 0.0)
            .map(|(row, bi)| bi * row.iter().zip(b).map(|(s, bj)| s * bj).sum::<f64>())
            .sum();
        let mut at = 0;
        let mut change = 0.0;
        for h in touched {
            let range = self.strata[h]..self.strata[h + 1];
            let without: Vec<f64> = range.clone().map(|leaf| -self.fitted(leaf, b)).collect();
            let mut with = without.clone();
            while at < leaves.len() && range.contains(&(leaves[at] as usize)) {
                with[leaves[at] as usize - range.start] += own[at];
                at += 1;
            }
            let n = with.len() as f64;
            change += first.strata[h].unsampled_share() * n / (n - 1.0) * (squares(&with) - squares(&without));
        }
        // What is left of a domain that the totals explain wholly is rounding, on either side of 0.
        Some((quadratic + change).max(0.0))
    }
}

/// Σ (v - v̄)².
fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - mean) * (v - mean)).sum()
}

/// One stage, no unequal probabilities, no lonely unit: every stratum centres at its own mean.
fn short_way(design: &Design) -> bool {
    design.stages.len() == 1
        && design.probabilities == Probabilities::None
        && design.first().strata.iter().all(|stratum| stratum.sampled > 1)
}

/// The calibration, when it is all that shapes the residuals.
pub(super) fn regression(prepared: &Prepared) -> Option<&Regression> {
    match prepared.residuals.as_slice() {
        [Residual::Regression(regression)] => Some(regression),
        _ => None,
    }
}

/// The controls of a row that are not 0.
pub(super) fn for_each_control(regression: &Regression, row: usize, mut act: impl FnMut(u32, f64)) {
    let controls = &regression.controls;
    let unit = controls.unit_of_row[row];
    if unit == MISSING || regression.after[row] == 0.0 {
        return;
    }
    for column in &controls.columns {
        act(column[unit as usize], 1.0);
    }
    let first = controls.totals.len() - controls.numbers.len();
    for (at, values) in controls.numbers.iter().enumerate() {
        act((first + at) as u32, values[unit as usize]);
    }
}
