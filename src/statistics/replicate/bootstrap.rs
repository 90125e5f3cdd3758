//! Rao and Wu's bootstrap: draw n_h - 1 of the n_h units of each stratum with replacement.

use rand::Rng;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rayon::prelude::*;

use super::{PLACE, Part, average_factor, factors, parts, ranges};
use crate::statistics::{
    StatisticsError,
    design::Design,
    plan::ReplicatesPlan,
    variance::{
        LonelyRule,
        replicate::{DfRule, ReplicateFactors},
    },
};

/// Multipliers 1 - λ + λ n_h/(n_h-1) m_j with λ = sqrt(1-f_h), m_j the times a unit was drawn; scale 1/(R-1).
///
/// Replicate r draws from stream r of a ChaCha generator, so that it is the same on any number of threads.
///
/// **Source**: Rao and Wu 1988; Rao, Wu and Yue 1992.
pub(super) fn rao_wu(
    plan: &ReplicatesPlan,
    design: &Design,
    rule: LonelyRule,
) -> Result<ReplicateFactors, StatisticsError> {
    let (Some(replicates), Some(seed)) = (plan.replicates, plan.seed) else {
        return Err(StatisticsError::plan(PLACE, "the bootstrap needs `replicates` and `seed`"));
    };
    if replicates < 2 {
        return Err(StatisticsError::plan(PLACE, "a bootstrap has at least 2 replicates"));
    }
    let parts = parts(design, rule)?;
    let (mut strata, mut lonely) = (Vec::new(), Vec::new());
    for ((stratum, range), part) in design.first().strata.iter().zip(ranges(design)).zip(&parts) {
        let lambda = stratum.unsampled_share().max(0.0).sqrt();
        match part {
            Part::Varies => strata.push((range, lambda)),
            Part::AboutGrandMean => lonely.push((range.start, lambda)),
            Part::Nothing | Part::Average => {}
        }
    }
    let units = design.first().units();
    let one = |replicate: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(replicate as u64);
        let mut multipliers = vec![1.0; units];
        for (range, lambda) in &strata {
            let n = range.len();
            let drawn = &mut multipliers[range.clone()];
            drawn.fill(0.0);
            for _ in 1..n {
                // A product's upper half is uniform on 0..n up to 2^-64 n.
                drawn[((u128::from(rng.next_u64()) * n as u128) >> 64) as usize] += 1.0;
            }
            let per_draw = lambda * n as f64 / (n as f64 - 1.0);
            drawn.iter_mut().for_each(|m| *m = 1.0 - lambda + per_draw * *m);
        }
        about_grand_mean(&lonely, &mut rng, &mut multipliers);
        multipliers
    };
    let all: Vec<Vec<f64>> = (0..replicates).into_par_iter().map(one).collect();
    let scale = average_factor(&parts)? / (replicates as f64 - 1.0);
    Ok(factors(plan, design, all, scale, vec![1.0; replicates], DfRule::Design))
}

/// Moves the only unit of a stratum (policy `adjust`) by plus or minus its deviation from the mean unit total: a fair
/// coin, whose variance is that deviation squared, as linearization has it.
fn about_grand_mean(lonely: &[(usize, f64)], rng: &mut ChaCha8Rng, multipliers: &mut [f64]) {
    let units = multipliers.len() as f64;
    for (unit, lambda) in lonely {
        let step = if rng.next_u64() >> 63 == 0 { *lambda } else { -lambda };
        multipliers.iter_mut().for_each(|m| *m *= 1.0 + step / units);
        multipliers[*unit] = (multipliers[*unit] - step).max(0.0);
    }
}
