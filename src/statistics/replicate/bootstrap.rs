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
        replicate::{DfRule, Multipliers, ReplicateFactors},
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
    let mut steps = vec![(1.0, 0.0); design.first().units()];
    for (range, lambda) in &strata {
        let n = range.len() as f64;
        steps[range.clone()].fill((1.0 - lambda, lambda * n / (n - 1.0)));
    }
    let draw = |replicate: usize| {
        let mut times = vec![0u32; steps.len()];
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(replicate as u64);
        for (range, _) in &strata {
            let n = range.len();
            let drawn = &mut times[range.clone()];
            for _ in 1..n {
                // A product's upper half is uniform on 0..n up to 2^-64 n.
                drawn[((u128::from(rng.next_u64()) * n as u128) >> 64) as usize] += 1;
            }
        }
        (times, rng)
    };
    let drawn = || compact(replicates, &|replicate| draw(replicate).0, &steps);
    let multipliers = lonely.is_empty().then(drawn).flatten().unwrap_or_else(|| {
        let multiplier = |(&times, &(undrawn, draw)): (&u32, &(f64, f64))| undrawn + draw * f64::from(times);
        let one = |replicate: usize| {
            let (times, mut rng) = draw(replicate);
            let mut multipliers: Vec<f64> = times.iter().zip(&steps).map(multiplier).collect();
            about_grand_mean(&lonely, &mut rng, &mut multipliers);
            multipliers
        };
        Multipliers::Table((0..replicates).into_par_iter().map(one).collect())
    });
    let scale = average_factor(&parts)? / (replicates as f64 - 1.0);
    Ok(factors(plan, design, multipliers, scale, vec![1.0; replicates], DfRule::Design))
}

/// The draws in a byte a unit; none when a unit was drawn more often than a byte can say.
fn compact(replicates: usize, draw: &(impl Fn(usize) -> Vec<u32> + Sync), steps: &[(f64, f64)]) -> Option<Multipliers> {
    let one = |replicate: usize| draw(replicate).into_iter().map(|times| u8::try_from(times).ok()).collect();
    let times: Option<Vec<Vec<u8>>> = (0..replicates).into_par_iter().map(one).collect();
    Some(Multipliers::Drawn { times: times?, steps: steps.to_vec() })
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
