//! Jackknives: delete one first-stage unit at a time.

use super::{PLACE, drawn_from, factors, ranges};
use crate::statistics::{
    StatisticsError,
    design::Design,
    plan::ReplicatesPlan,
    variance::{
        LonelyRule,
        replicate::{DfRule, Multipliers, ReplicateFactors},
    },
};

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
pub(super) fn jkn(
    plan: &ReplicatesPlan,
    design: &Design,
    rule: LonelyRule,
) -> Result<ReplicateFactors, StatisticsError> {
    let (mut all, mut rscales) = (Vec::new(), Vec::new());
    for (stratum, range) in design.first().strata.iter().zip(ranges(design)) {
        if !drawn_from(stratum, rule, "JKn")? {
            continue;
        }
        let n = stratum.sampled as f64;
        for deleted in range.clone() {
            let mut multipliers = vec![1.0; design.first().units()];
            multipliers[range.clone()].fill(n / (n - 1.0));
            multipliers[deleted] = 0.0;
            all.push(multipliers);
            rscales.push(stratum.unsampled_share() * (n - 1.0) / n);
        }
    }
    if all.is_empty() {
        return Err(StatisticsError::design("no stratum has two units to jackknife"));
    }
    Ok(factors(plan, design, Multipliers::Table(all), 1.0, rscales, DfRule::Rank))
}
