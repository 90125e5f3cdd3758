//! Variances after one calibration, without a pass over the rows for each domain.
//!
//! Every domain shares the normal matrix N: with r = Σ d x e over the domain and b = N⁻¹ r the regression of e on x,
//! the residual total of unit j is t_j - M_j b, where M_j = Σ_{i∈j} w_i x_i is made once. Where the domain has no row,
//! t_j is 0, so the variance is b'Sb = r'(N⁻¹ S N⁻¹)r for S the design covariance of M, and only the strata that hold
//! the domain are summed again. Of r few numbers are not 0: a domain lies in few categories.

use std::ops::Range;

use rayon::prelude::*;

use crate::statistics::{
    Prepared,
    data::MISSING,
    design::{Design, Probabilities},
    weighting::{
        calibrate::{Controls, dot},
        residual::{Regression, Residual},
    },
};

/// M by leaf, and N⁻¹ S N⁻¹ where the design allows the short way.
#[derive(Debug, Clone)]
pub(in crate::statistics) struct CalibratedTotals {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
    /// N⁻¹ S N⁻¹, row by row.
    of_right: Option<Vec<f64>>,
    /// The first unit of each stratum.
    strata: Vec<usize>,
    /// The inverse of the normal matrix, row by row.
    inverse: Vec<f64>,
    p: usize,
}

/// The linearized totals of a domain's leaves and their regression on the controls.
pub(in crate::statistics) struct DomainResidual<'a> {
    leaves: &'a [u32],
    own: Vec<f64>,
    /// The cross products with the controls that are not 0.
    right: Vec<(usize, f64)>,
    slopes: Vec<f64>,
}

/// The sums of some leaves: where each ends, its columns and their values.
struct LeafControls {
    ends: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

/// One leaf's sums by column while its rows are met, and which columns they met, a bit each.
struct OpenLeaf {
    sums: Vec<f64>,
    met: Vec<u64>,
}

impl OpenLeaf {
    fn add(&mut self, column: u32, x: f64) {
        self.met[column as usize / 64] |= 1 << (column % 64);
        self.sums[column as usize] += x;
    }
}

/// The columns of each cell, cell by cell: a row then finds all of its own in one place.
fn columns_of_cells(controls: &Controls) -> Vec<u32> {
    let of_cell = |cell: usize| controls.columns.iter().map(move |column| column[cell]);
    (0..controls.units).flat_map(of_cell).collect()
}

impl LeafControls {
    /// `of_cells` are [`columns_of_cells`] where the controls follow from the cell alone.
    fn of(prepared: &Prepared, regression: &Regression, of_cells: Option<&[u32]>, range: Range<usize>) -> Self {
        let mut found = Self { ends: Vec::new(), columns: Vec::new(), values: Vec::new() };
        let p = regression.controls.totals.len();
        let mut open = OpenLeaf { sums: vec![0.0; p], met: vec![0; p.div_ceil(64)] };
        let width = regression.controls.columns.len();
        let leaf_of_row = prepared.design.leaf_of_row();
        let mut leaf = None;
        for row in prepared.rows_in_order(range) {
            if leaf.replace(leaf_of_row[row]).is_some_and(|before| before != leaf_of_row[row]) {
                found.close(&mut open);
            }
            let after = regression.after[row];
            match of_cells {
                None => for_each_control(regression, row, |column, x| open.add(column, after * x)),
                Some(of_cells) => {
                    let cell = regression.controls.unit_of_row[row];
                    if cell != MISSING && after != 0.0 {
                        let own = &of_cells[cell as usize * width..(cell as usize + 1) * width];
                        own.iter().for_each(|&column| open.add(column, after));
                    }
                }
            }
        }
        found.close(&mut open);
        found
    }

    fn close(&mut self, open: &mut OpenLeaf) {
        for (at, met) in open.met.iter_mut().enumerate() {
            while *met != 0 {
                let column = at * 64 + met.trailing_zeros() as usize;
                self.columns.push(column as u32);
                self.values.push(std::mem::take(&mut open.sums[column]));
                *met &= *met - 1;
            }
        }
        self.ends.push(self.columns.len());
    }
}

impl CalibratedTotals {
    /// Sums w x by leaf; none unless exactly one calibration shapes the residuals.
    pub fn new(prepared: &Prepared) -> Option<Self> {
        let regression = regression(prepared)?;
        let p = regression.controls.totals.len();
        let mut totals = Self {
            starts: vec![0],
            columns: Vec::new(),
            values: Vec::new(),
            of_right: None,
            strata: vec![0],
            inverse: regression.normal().inverse(),
            p,
        };
        let of_cells = regression.controls.numbers.is_empty().then(|| columns_of_cells(&regression.controls));
        let part = |range: &Range<usize>| LeafControls::of(prepared, regression, of_cells.as_deref(), range.clone());
        let parts: Vec<LeafControls> = prepared.leaf_ranges().par_iter().map(part).collect();
        for part in parts {
            let before = totals.columns.len();
            totals.starts.extend(part.ends.iter().map(|end| before + end));
            totals.columns.extend(part.columns);
            totals.values.extend(part.values);
        }
        for stratum in &prepared.design.first().strata {
            totals.strata.push(totals.strata[totals.strata.len() - 1] + stratum.sampled);
        }
        totals.of_right = short_way(&prepared.design).then(|| totals.both_sides(&prepared.design));
        Some(totals)
    }

    /// A domain with the regression of its linearized values, whose cross products with the controls are `right` where
    /// they are not 0. These are few, so that the inverse is the shorter way than a solution.
    pub fn residual<'a>(&self, leaves: &'a [u32], own: Vec<f64>, right: Vec<(usize, f64)>) -> DomainResidual<'a> {
        let mut slopes = vec![0.0; self.p];
        for &(at, r) in &right {
            let row = &self.inverse[at * self.p..(at + 1) * self.p];
            slopes.iter_mut().zip(row).for_each(|(slope, inverse)| *slope += r * inverse);
        }
        DomainResidual { leaves, own, right, slopes }
    }

    /// N⁻¹ S N⁻¹. Two districts share no unit, so that most of S is 0.
    fn both_sides(&self, design: &Design) -> Vec<f64> {
        let (covariance, p) = (self.design_covariance(design), self.p);
        let (mut half, mut whole) = (vec![0.0; p * p], vec![0.0; p * p]);
        let nonzero: Vec<Vec<(usize, f64)>> = covariance
            .chunks_exact(p)
            .map(|row| row.iter().copied().enumerate().filter(|(_, s)| *s != 0.0).collect())
            .collect();
        half.par_chunks_exact_mut(p).zip(self.inverse.par_chunks_exact(p)).for_each(|(half, inverse)| {
            for (a, row) in inverse.iter().zip(&nonzero).filter(|(a, _)| **a != 0.0) {
                row.iter().for_each(|&(at, s)| half[at] += a * s);
            }
        });
        whole.par_chunks_exact_mut(p).zip(half.par_chunks_exact(p)).for_each(|(whole, half)| {
            whole.iter_mut().zip(self.inverse.chunks_exact(p)).for_each(|(of, inverse)| *of = dot(half, inverse));
        });
        whole
    }

    /// M_j b.
    fn fitted(&self, leaf: usize, b: &[f64]) -> f64 {
        let range = self.starts[leaf]..self.starts[leaf + 1];
        self.columns[range.clone()].iter().zip(&self.values[range]).map(|(&at, m)| m * b[at as usize]).sum()
    }

    /// Σ_h (1-f_h) n_h/(n_h-1) Σ_j (M_j - M̄_h)(M_j - M̄_h)'.
    fn design_covariance(&self, design: &Design) -> Vec<f64> {
        let strata: Vec<(usize, &[usize])> = self.strata.windows(2).enumerate().collect();
        let one = |&(at, range): &(usize, &[usize])| {
            let n = design.first().strata[at].sampled as f64;
            let scale = design.first().strata[at].unsampled_share() * n / (n - 1.0);
            self.stratum_covariance(range[0]..range[1], scale)
        };
        let parts: Vec<(Vec<u32>, Vec<f64>)> = strata.par_iter().map(one).collect();
        let mut sum = vec![0.0; self.p * self.p];
        for (support, own) in parts {
            for (&i, row) in support.iter().zip(own.chunks_exact(support.len())) {
                for (&j, own) in support.iter().zip(row) {
                    sum[i as usize * self.p + j as usize] += own;
                }
            }
        }
        sum
    }

    /// One stratum's share over the columns that occur in it.
    fn stratum_covariance(&self, leaves: Range<usize>, scale: f64) -> (Vec<u32>, Vec<f64>) {
        let mut occurs = vec![false; self.p];
        let entries = self.starts[leaves.start]..self.starts[leaves.end];
        self.columns[entries.clone()].iter().for_each(|&column| occurs[column as usize] = true);
        let support: Vec<u32> = (0..self.p as u32).filter(|&column| occurs[column as usize]).collect();
        let k = support.len();
        let mut place = vec![usize::MAX; self.p];
        support.iter().enumerate().for_each(|(at, &column)| place[column as usize] = at);
        let mut means = vec![0.0; k];
        for at in entries {
            means[place[self.columns[at] as usize]] += self.values[at] / leaves.len() as f64;
        }
        let (mut own, mut deviation) = (vec![0.0; k * k], vec![0.0; k]);
        for leaf in leaves {
            deviation.iter_mut().zip(&means).for_each(|(d, mean)| *d = -mean);
            for at in self.starts[leaf]..self.starts[leaf + 1] {
                deviation[place[self.columns[at] as usize]] += self.values[at];
            }
            for (i, row) in own.chunks_exact_mut(k).enumerate() {
                let d = scale * deviation[i];
                row.iter_mut().zip(&deviation).for_each(|(own, other)| *own += d * other);
            }
        }
        (support, own)
    }

    /// Residual totals of every leaf: the domain's own totals, 0 elsewhere, minus M b.
    pub fn residuals(&self, domain: &DomainResidual<'_>) -> Vec<f64> {
        let mut z: Vec<f64> = (0..self.starts.len() - 1).map(|leaf| -self.fitted(leaf, &domain.slopes)).collect();
        domain.leaves.iter().zip(&domain.own).for_each(|(&leaf, t)| z[leaf as usize] += t);
        z
    }

    /// The variance by the short way; none where it does not apply or is not shorter.
    pub fn variance(&self, design: &Design, domain: &DomainResidual<'_>) -> Option<f64> {
        let of_right = self.of_right.as_ref()?;
        let DomainResidual { leaves, own, right, slopes: b } = domain;
        let first = design.first();
        let mut touched: Vec<usize> =
            leaves.iter().map(|&leaf| first.stratum_of_unit[leaf as usize] as usize).collect();
        touched.dedup();
        let held: usize = touched.iter().map(|&h| first.strata[h].sampled).sum();
        if 2 * held > first.units() {
            return None;
        }
        let line = |&(at, r): &(usize, f64)| {
            let row = &of_right[at * self.p..(at + 1) * self.p];
            r * right.iter().map(|&(at, other)| row[at] * other).sum::<f64>()
        };
        let quadratic: f64 = right.iter().map(line).sum();
        let mut at = 0;
        let mut change = 0.0;
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for h in touched {
            let range = self.strata[h]..self.strata[h + 1];
            without.clear();
            without.extend(range.clone().map(|leaf| -self.fitted(leaf, b)));
            with.clone_from(&without);
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
