//! Jackknives: delete one first-stage unit at a time.

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

/// Multipliers up to which a jackknife is made: 64 million take half a gigabyte.
const MULTIPLIERS_MAX: usize = 64_000_000;

/// Delete one unit of an unstratified design; the others carry n/(n-1), scale (1-f)(n-1)/n.
pub(super) fn jk1(plan: &ReplicatesPlan, design: &Design) -> Result<ReplicateFactors, StatisticsError> {
    let strata = &design.first().strata;
    if strata.len() != 1 {
        return Err(StatisticsError::plan(PLACE, format!("JK1 is for one stratum, not {}; use JKn", strata.len())));
    }
    let units = strata[0].sampled;
    if units < 2 {
        return Err(StatisticsError::design("a jackknife needs at least two units"));
    }
    let n = units as f64;
    let multiplier = |deleted: usize, unit: usize| if deleted == unit { 0.0 } else { n / (n - 1.0) };
    let all = (0..units).map(|deleted| (0..units).map(|unit| multiplier(deleted, unit)).collect()).collect();
    let scale = strata[0].unsampled_share() * (n - 1.0) / n;
    Ok(factors(plan, design, Multipliers::Table(all), scale, vec![1.0; units], DfRule::Rank))
}

/// Delete one unit; the others of its stratum carry n_h/(n_h-1), rscale (1-f_h)(n_h-1)/n_h.
///
/// A stratum's only unit under `adjust`: its total is replaced by the mean unit total of the sample, so that the
/// replicate deviates by exactly what linearization squares; rscale 1-f_h. Under `average` the scale stands for it.
pub(super) fn jkn(
    plan: &ReplicatesPlan,
    design: &Design,
    rule: LonelyRule,
) -> Result<ReplicateFactors, StatisticsError> {
    let units = design.first().units();
    if units.saturating_mul(units) > MULTIPLIERS_MAX {
        let reason = format!("{units} units would make {units} replicates of {units} multipliers; use the bootstrap");
        return Err(StatisticsError::design(reason));
    }
    let (mut all, mut rscales) = (Vec::new(), Vec::new());
    let parts = parts(design, rule)?;
    for ((stratum, range), part) in design.first().strata.iter().zip(ranges(design)).zip(&parts) {
        let n = stratum.sampled as f64;
        match part {
            Part::Varies => {
                for deleted in range.clone() {
                    let mut multipliers = vec![1.0; units];
                    multipliers[range.clone()].fill(n / (n - 1.0));
                    multipliers[deleted] = 0.0;
                    all.push(multipliers);
                    rscales.push(stratum.unsampled_share() * (n - 1.0) / n);
                }
            }
            Part::AboutGrandMean => {
                let share = 1.0 / units as f64;
                let mut multipliers = vec![1.0 + share; units];
                multipliers[range.start] = share;
                all.push(multipliers);
                rscales.push(stratum.unsampled_share());
            }
            Part::Nothing | Part::Average => {}
        }
    }
    if all.is_empty() {
        return Err(StatisticsError::design("no stratum has two units to jackknife"));
    }
    Ok(factors(plan, design, Multipliers::Table(all), average_factor(&parts)?, rscales, DfRule::Rank))
}
