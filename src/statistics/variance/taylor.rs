//! The variance of linearized totals over a multistage design.
//!
//! V = Σ_h (1-f_h) n_h/(n_h-1) Σ_j (t_hj - t̄_h)², plus, where stage 1 has an fpc, Σ_hj f_h V_2(j), and so on down.

use std::borrow::Cow;

use super::lonely::{LonelyRule, Share};
use crate::statistics::{
    StatisticsError,
    design::{Design, Probabilities, StageUnits},
    plan::LonelyPolicy,
};

/// Linearized values summed by leaf: `columns` values for each leaf that is present, leaves ascending.
#[derive(Debug, Clone, Copy)]
pub struct LeafValues<'a> {
    /// The leaves.
    pub leaves: &'a [u32],
    /// Their values, leaf by leaf.
    pub values: &'a [f64],
    /// Values a leaf.
    pub columns: usize,
}

/// The covariance matrix of the totals of z, row by row.
///
/// Leaves that are not given count as sampled units with z = 0: a domain keeps the whole design.
///
/// **Shapes and units**: `columns` × `columns`, in squared units of z.
///
/// **Errors**: [`StatisticsError::LonelyPsu`] under the policy `fail`; [`StatisticsError::Estimate`] when the policy
/// `average` has no other stratum to average over.
///
/// **Source**: Särndal, Swensson and Wretman 1992, 4.3; R `survey::svyrecvar`.
pub fn covariance(design: &Design, rule: LonelyRule, z: LeafValues<'_>) -> Result<Vec<f64>, StatisticsError> {
    match &design.probabilities {
        Probabilities::None => {
            let mut sum = vec![0.0; z.columns * z.columns];
            Recursion { design, rule, columns: z.columns }.add(0, z.leaves, z.values, 1.0, &mut sum)?;
            Ok(sum)
        }
        Probabilities::Brewer(unsampled) => brewer(design, rule, unsampled, z),
        Probabilities::Joint { coefficients, yates_grundy } => {
            Ok(super::joint::covariance(design, coefficients, *yates_grundy, z))
        }
    }
}

struct Recursion<'a> {
    design: &'a Design,
    rule: LonelyRule,
    columns: usize,
}

/// The totals of the units of one stage inside one unit of the stage before.
struct UnitTotals<'a> {
    units: Cow<'a, [u32]>,
    totals: Cow<'a, [f64]>,
    /// Where each unit's leaves begin; empty at the last stage.
    starts: Vec<usize>,
}

impl Recursion<'_> {
    fn units<'a>(&self, stage: usize, leaves: &'a [u32], values: &'a [f64]) -> UnitTotals<'a> {
        if stage + 1 == self.design.stages.len() {
            // A leaf is a unit of the last stage.
            return UnitTotals { units: Cow::Borrowed(leaves), totals: Cow::Borrowed(values), starts: Vec::new() };
        }
        let of_leaf = &self.design.unit_of_leaf[stage];
        let k = self.columns;
        let (mut units, mut totals, mut starts): (Vec<u32>, Vec<f64>, Vec<usize>) = Default::default();
        for (at, (&leaf, value)) in leaves.iter().zip(values.chunks_exact(k)).enumerate() {
            let unit = of_leaf[leaf as usize];
            if units.last() != Some(&unit) {
                units.push(unit);
                starts.push(at);
                totals.extend_from_slice(value);
                continue;
            }
            let last = totals.len() - k;
            totals[last..].iter_mut().zip(value).for_each(|(total, v)| *total += v);
        }
        UnitTotals { units: Cow::Owned(units), totals: Cow::Owned(totals), starts }
    }

    /// Adds `weight` times the variance from this stage downwards.
    fn add(
        &self,
        stage: usize,
        leaves: &[u32],
        values: &[f64],
        weight: f64,
        sum: &mut [f64],
    ) -> Result<(), StatisticsError> {
        let k = self.columns;
        let found = self.units(stage, leaves, values);
        let at_stage = &self.design.stages[stage];
        let mut own = vec![0.0; k * k];
        // A pass over all units that one policy alone looks at.
        let grand = match self.rule.policy {
            LonelyPolicy::Adjust => means(&found.totals, k, found.units.len()),
            _ => Vec::new(),
        };
        let (mut strata, mut counted) = (0usize, 0usize);
        let mut first = 0;
        while first < found.units.len() {
            let stratum = at_stage.stratum_of_unit[found.units[first] as usize];
            let mut end = first + 1;
            while end < found.units.len() && at_stage.stratum_of_unit[found.units[end] as usize] == stratum {
                end += 1;
            }
            strata += 1;
            let totals = &found.totals[first * k..end * k];
            counted += usize::from(self.stratum(stage, stratum as usize, totals, &grand, &mut own)?);
            first = end;
        }
        if counted == 0 && strata > 0 {
            let reason = "the policy `average` has no stratum with two units to average over";
            return Err(StatisticsError::estimate("a variance", reason));
        }
        let share = weight * strata as f64 / (counted as f64).max(1.0);
        sum.iter_mut().zip(&own).for_each(|(sum, own)| *sum += share * own);
        self.descend(stage, at_stage, &found, leaves, values, weight, sum)
    }

    /// Adds one stratum's share; false when it is left to the average of the others.
    fn stratum(
        &self,
        stage: usize,
        stratum: usize,
        totals: &[f64],
        grand: &[f64],
        own: &mut [f64],
    ) -> Result<bool, StatisticsError> {
        let k = self.columns;
        let of = &self.design.stages[stage].strata[stratum];
        let unsampled = of.unsampled_share();
        // A stratum that was taken completely adds nothing, lonely or not.
        if unsampled < 1e-7 {
            return Ok(true);
        }
        let present = totals.len() / k;
        let n = of.sampled as f64;
        let scale = if of.sampled > 1 { unsampled * n / (n - 1.0) } else { unsampled };
        let own_mean: Vec<f64>;
        let centre = match self.rule.share(of.sampled, present) {
            Share::Nothing => return Ok(true),
            Share::Average => return Ok(false),
            Share::Refuse => {
                return Err(StatisticsError::LonelyPsu { stratum: of.label.clone(), stage: stage + 1 });
            }
            Share::GrandMean => grand,
            Share::OwnMean => {
                own_mean = means(totals, k, of.sampled);
                &own_mean
            }
        };
        add_squares(totals, centre, scale, own);
        // Units without a row of the estimate have the total 0.
        add_absent(of.sampled - present, centre, scale, own);
        Ok(true)
    }

    #[expect(clippy::too_many_arguments, reason = "one private step of the recursion, its state spelt out")]
    fn descend(
        &self,
        stage: usize,
        at_stage: &StageUnits,
        found: &UnitTotals<'_>,
        leaves: &[u32],
        values: &[f64],
        weight: f64,
        sum: &mut [f64],
    ) -> Result<(), StatisticsError> {
        if stage + 1 >= self.design.stages.len() {
            return Ok(());
        }
        for (at, &unit) in found.units.iter().enumerate() {
            let (start, end) = (found.starts[at], found.starts.get(at + 1).copied().unwrap_or(leaves.len()));
            let stratum = &at_stage.strata[at_stage.stratum_of_unit[unit as usize] as usize];
            let fraction = stratum.population.map_or(0.0, |population| stratum.sampled as f64 / population);
            let values = &values[start * self.columns..end * self.columns];
            self.add(stage + 1, &leaves[start..end], values, weight * fraction, sum)?;
        }
        Ok(())
    }
}

fn means(totals: &[f64], columns: usize, units: usize) -> Vec<f64> {
    let mut means = vec![0.0; columns];
    for total in totals.chunks_exact(columns) {
        means.iter_mut().zip(total).for_each(|(mean, t)| *mean += t);
    }
    means.iter_mut().for_each(|mean| *mean /= units as f64);
    means
}

fn add_squares(totals: &[f64], centre: &[f64], scale: f64, own: &mut [f64]) {
    if let (&[centre], [own]) = (centre, &mut *own) {
        // One column, as almost always: the same sums without the loops over columns.
        for total in totals {
            *own += scale * (total - centre) * (total - centre);
        }
        return;
    }
    let k = centre.len();
    for total in totals.chunks_exact(k) {
        for i in 0..k {
            let deviation = scale * (total[i] - centre[i]);
            for j in 0..k {
                own[i * k + j] += deviation * (total[j] - centre[j]);
            }
        }
    }
}

fn add_absent(absent: usize, centre: &[f64], scale: f64, own: &mut [f64]) {
    let k = centre.len();
    for i in 0..k {
        for j in 0..k {
            own[i * k + j] += absent as f64 * scale * centre[i] * centre[j];
        }
    }
}

/// V = Σ_j (1-pi_j) n_h/(n_h-1) (t_hj - t̄_h)², every sampled unit with its own 1-pi.
fn brewer(
    design: &Design,
    rule: LonelyRule,
    unsampled: &[f64],
    z: LeafValues<'_>,
) -> Result<Vec<f64>, StatisticsError> {
    let (first, k) = (design.first(), z.columns);
    let mut totals = vec![0.0; first.units() * k];
    for (&leaf, value) in z.leaves.iter().zip(z.values.chunks_exact(k)) {
        let at = design.unit_of_leaf[0][leaf as usize] as usize * k;
        totals[at..at + k].iter_mut().zip(value).for_each(|(total, v)| *total += v);
    }
    let grand = means(&totals, k, first.units());
    let mut sum = vec![0.0; k * k];
    let mut start = 0;
    for (at, stratum) in first.strata.iter().enumerate() {
        let end = start + stratum.sampled;
        let of = &totals[start * k..end * k];
        let n = stratum.sampled as f64;
        let scale = if stratum.sampled > 1 { n / (n - 1.0) } else { 1.0 };
        let centre = match rule.share(stratum.sampled, stratum.sampled) {
            Share::Refuse if unsampled[start] > 1e-7 => {
                return Err(StatisticsError::LonelyPsu { stratum: first.strata[at].label.clone(), stage: 1 });
            }
            Share::OwnMean => means(of, k, stratum.sampled),
            Share::GrandMean => grand.clone(),
            _ => of.to_vec(),
        };
        for (unit, total) in of.chunks_exact(k).enumerate() {
            add_squares(total, &centre, scale * unsampled[start + unit], &mut sum);
        }
        start = end;
    }
    Ok(sum)
}
