//! Weights: from inclusion probabilities to weights that meet known totals, every step with its diagnostics.
//!
//! Notation: d_i is a weight before a step, w_i after it, g_i = w_i / d_i the step's factor.

pub mod adjust;
pub mod calibrate;
pub mod diagnostics;
pub mod margins;
pub mod nonresponse;
pub mod poststratify;
mod propensity;
pub mod rake;
pub mod residual;
pub mod trim;

use rayon::prelude::*;

/// Rows that are summed or adjusted at once.
const CHUNK: usize = 1 << 16;

/// Whether every weight is above 0: then no row is left out anywhere.
pub(in crate::statistics) fn all_positive(weights: &[f64]) -> bool {
    // Without a branch a row, so that whole vectors are compared.
    weights.par_chunks(CHUNK).all(|chunk| chunk.iter().fold(true, |all, w| all & (*w > 0.0)))
}

/// Sums of weights by group, rows of the group `MISSING` left out: chunk by chunk, folded in the order of the rows,
/// so that the sums do not depend on the threads.
fn sums_by(groups: &[u32], many: usize, weights: &[f64]) -> Vec<f64> {
    let chunk = CHUNK.max(4 * many);
    let one = |(groups, weights): (&[u32], &[f64])| {
        let mut sums = vec![0.0; many];
        for (&group, weight) in groups.iter().zip(weights) {
            // `MISSING` is past every group.
            if let Some(sum) = sums.get_mut(group as usize) {
                *sum += weight;
            }
        }
        sums
    };
    let parts: Vec<Vec<f64>> = groups.par_chunks(chunk).zip(weights.par_chunks(chunk)).map(one).collect();
    let add = |mut all: Vec<f64>, part: Vec<f64>| {
        all.iter_mut().zip(&part).for_each(|(sum, own)| *sum += own);
        all
    };
    parts.into_iter().reduce(add).unwrap_or_else(|| vec![0.0; many])
}

/// The weights times the factor of each row's group; rows without group or weight get 0.
fn spread(groups: &[u32], weights: &[f64], factors: &[f64]) -> Vec<f64> {
    let after = |(&weight, &group): (&f64, &u32)| match factors.get(group as usize) {
        Some(factor) if weight != 0.0 => weight * factor,
        _ => 0.0,
    };
    weights.par_iter().zip(groups).with_min_len(CHUNK).map(after).collect()
}

pub use adjust::{Adjusted, Adjuster, Start};
pub(in crate::statistics) use diagnostics::weight_sums;
pub use diagnostics::{MarginLine, StepDiagnostics, WeightStep, kish_deff};
