//! Replicates that the engine makes, or reads: one multiplier of the weight for each unit and replicate.

mod balanced;
mod bootstrap;
mod given;
mod jackknife;

pub use balanced::hadamard;

use super::{
    StatisticsError,
    data::DataTable,
    design::{Design, Stratum},
    plan::{Construct, LonelyPolicy, ReplicateDesign, ReplicatesPlan},
    variance::{
        LonelyRule,
        replicate::{DfRule, Multipliers, ReplicateFactors},
    },
};

/// Makes the replicates of a plan for a design.
///
/// # Errors
/// [`StatisticsError::Plan`]: an option that the construct does not know or lacks; [`StatisticsError::Design`]: a
/// design that the construct does not fit; [`StatisticsError::LonelyPsu`].
pub fn make(
    plan: &ReplicatesPlan,
    design: &Design,
    rule: LonelyRule,
    table: &DataTable,
    multipliers: Option<&DataTable>,
) -> Result<ReplicateFactors, StatisticsError> {
    check_options(plan)?;
    match (plan.construct, &plan.multipliers_file) {
        (None, Some(_)) => given::multipliers(plan, table, multipliers),
        (Some(Construct::Jk1), None) => jackknife::jk1(plan, design),
        (Some(Construct::Jkn), None) => jackknife::jkn(plan, design, rule),
        (Some(Construct::Brr), None) => balanced::halves(plan, design, 0.0),
        (Some(Construct::Fay), None) => balanced::halves(plan, design, plan.fay_rho.unwrap_or(0.0)),
        (Some(Construct::Sdr), None) => balanced::successive_differences(plan, design),
        (Some(Construct::Bootstrap), None) => bootstrap::rao_wu(plan, design, rule),
        _ => Err(StatisticsError::plan(PLACE, "replicates have either a construct or a multipliers_file")),
    }
}

/// Binds replicate weights that came with the data.
///
/// # Errors
/// A missing column; a negative replicate weight; a scale or rho that the type needs.
pub fn bind(plan: &ReplicateDesign, table: &DataTable, full: &[f64]) -> Result<GivenWeights, StatisticsError> {
    given::weights(plan, table, full)
}

pub use given::GivenWeights;

const PLACE: &str = "variance.replicates";

fn check_options(plan: &ReplicatesPlan) -> Result<(), StatisticsError> {
    let refuse = |option: &str, needed: &str| {
        Err(StatisticsError::plan(PLACE, format!("the option `{option}` goes with {needed} only")))
    };
    let construct = plan.construct;
    if plan.fay_rho.is_some() != (construct == Some(Construct::Fay)) {
        return Err(StatisticsError::plan(PLACE, "`fay_rho` and the construct Fay belong together"));
    }
    if plan.fay_rho.is_some_and(|rho| !(0.0..1.0).contains(&rho)) {
        return Err(StatisticsError::plan(PLACE, "fay_rho lies from 0 to below 1"));
    }
    if plan.seed.is_some() && construct != Some(Construct::Bootstrap) {
        return refuse("seed", "the construct bootstrap");
    }
    if plan.replicates.is_some() && !matches!(construct, Some(Construct::Bootstrap | Construct::Sdr)) {
        return refuse("replicates", "the constructs bootstrap and SDR");
    }
    if plan.multipliers_key.is_some() != plan.multipliers_file.is_some() {
        return Err(StatisticsError::plan(PLACE, "`multipliers_file` and `multipliers_key` belong together"));
    }
    Ok(())
}

/// Whether a stratum is drawn from, left alone, or refused.
fn drawn_from(stratum: &Stratum, rule: LonelyRule, construct: &str) -> Result<bool, StatisticsError> {
    if stratum.sampled > 1 {
        return Ok(true);
    }
    if stratum.unsampled_share() < 1e-7 {
        return Ok(false);
    }
    match rule.policy {
        LonelyPolicy::Certainty | LonelyPolicy::Remove => Ok(false),
        LonelyPolicy::Fail => Err(StatisticsError::LonelyPsu { stratum: stratum.label.clone(), stage: 1 }),
        LonelyPolicy::Adjust | LonelyPolicy::Average => Err(StatisticsError::design(format!(
            "stratum {} has a single unit; {construct} replicates know the policies certainty and remove",
            stratum.label
        ))),
    }
}

/// The units of each stratum: they are numbered stratum by stratum.
fn ranges(design: &Design) -> Vec<std::ops::Range<usize>> {
    let mut start = 0;
    let range = |stratum: &Stratum| {
        let range = start..start + stratum.sampled;
        start = range.end;
        range
    };
    design.first().strata.iter().map(range).collect()
}

fn factors(
    plan: &ReplicatesPlan,
    design: &Design,
    multipliers: Multipliers,
    scale: f64,
    rscales: Vec<f64>,
    domain_df: DfRule,
) -> ReplicateFactors {
    // The whole sample keeps the design's degrees of freedom, as R's `as.svrepdesign` does.
    let df = match domain_df {
        DfRule::Rank => DfRule::Stated(design.degrees_of_freedom(|_| true)),
        rule => rule,
    };
    ReplicateFactors {
        unit_of_row: design.first().unit_of_row.clone(),
        multipliers,
        scale: plan.scale.unwrap_or(scale),
        rscales,
        mse: plan.mse,
        df,
    }
}
