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

/// How a stratum takes part in making replicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Its units vary.
    Varies,
    /// It adds nothing: drawn with certainty, or left out by the policy.
    Nothing,
    /// It has one unit, which varies about the mean unit total of the whole sample (`adjust`).
    AboutGrandMean,
    /// It has one unit and adds what the other strata add on average (`average`).
    Average,
}

fn part(stratum: &Stratum, rule: LonelyRule) -> Result<Part, StatisticsError> {
    if stratum.sampled > 1 {
        return Ok(Part::Varies);
    }
    if stratum.unsampled_share() < 1e-7 {
        return Ok(Part::Nothing);
    }
    match rule.policy {
        LonelyPolicy::Certainty | LonelyPolicy::Remove => Ok(Part::Nothing),
        LonelyPolicy::Adjust => Ok(Part::AboutGrandMean),
        LonelyPolicy::Average => Ok(Part::Average),
        LonelyPolicy::Fail => Err(StatisticsError::LonelyPsu { stratum: stratum.label.clone(), stage: 1 }),
    }
}

fn parts(design: &Design, rule: LonelyRule) -> Result<Vec<Part>, StatisticsError> {
    design.first().strata.iter().map(|stratum| part(stratum, rule)).collect()
}

/// The factor that lets the other strata stand for those under `average`, as linearization has it.
fn average_factor(parts: &[Part]) -> Result<f64, StatisticsError> {
    let counted = parts.iter().filter(|part| **part != Part::Average).count();
    if counted == 0 {
        return Err(StatisticsError::design("the policy `average` has no stratum with two units to average over"));
    }
    Ok(parts.len() as f64 / counted as f64)
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
