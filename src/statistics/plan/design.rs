//! The sample design and the way variances are estimated.

use serde::{Deserialize, Serialize};

use super::Columns;

/// How the sample was drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DesignPlan {
    /// Strata, units and population counts stage by stage.
    Stages(StagesDesign),
    /// One stage with unequal probabilities.
    Pps(PpsDesign),
    /// Replicate weights that came with the data.
    ReplicateWeights(ReplicateDesign),
}

/// Strata, units and population counts stage by stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StagesDesign {
    /// The stages, first stage first.
    pub stages: Vec<Stage>,
    /// The weight's column; without one the weight is the product of population over sampled units.
    #[serde(default)]
    pub weight: Option<String>,
    /// The same unit id in two strata is two units.
    #[serde(default)]
    pub unit_ids_nested_in_stratum: bool,
}

/// One stage of selection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The column with the unit's id; without one every row is a unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// The stratum's column or columns.
    #[serde(default)]
    pub stratum: Columns,
    /// The column with the number of units in the stratum (within the unit of the stage before); none is no fpc.
    #[serde(default)]
    pub population_units: Option<String>,
}

/// One stage with unequal probabilities, rows as units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PpsDesign {
    /// The column with the unit's id; without one every row is a unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// The stratum's column or columns.
    #[serde(default)]
    pub stratum: Columns,
    /// The column with the inclusion probability.
    pub inclusion_probability: String,
    /// Which variance.
    pub method: PpsMethod,
    /// A table of joint inclusion probabilities, one row and one column a unit in the data's order.
    #[serde(default)]
    pub joint_probability_file: Option<String>,
    /// The variance's form with joint probabilities.
    #[serde(default)]
    pub form: Option<JointForm>,
}

/// Which variance for unequal probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PpsMethod {
    /// As if drawn with replacement.
    WithReplacement,
    /// Brewer's approximation.
    Brewer,
    /// Overton's approximate joint probabilities.
    Overton,
    /// Joint probabilities given.
    Joint,
}

/// The variance's form with joint probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JointForm {
    /// Horvitz and Thompson.
    HorvitzThompson,
    /// Yates and Grundy.
    YatesGrundy,
}

/// Replicate weights that came with the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicateDesign {
    /// The full-sample weight.
    pub weight: String,
    /// One column a replicate.
    pub replicate_columns: Vec<String>,
    /// The columns are weights (else multipliers of the weight).
    pub replicates_include_base_weight: bool,
    /// How the replicates were made.
    #[serde(rename = "type")]
    pub kind: ReplicateType,
    /// Fay's factor.
    #[serde(default)]
    pub rho: Option<f64>,
    /// The common factor of the variance, where the type does not fix it.
    #[serde(default)]
    pub scale: Option<f64>,
    /// One factor a replicate.
    #[serde(default)]
    pub rscales: Option<Vec<f64>>,
    /// Deviations from the full-sample estimate, not from the replicates' mean.
    #[serde(default)]
    pub mse: bool,
    /// Degrees of freedom of the design, where the producer states them.
    #[serde(default)]
    pub degf: Option<f64>,
}

/// How given replicates were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicateType {
    /// Balanced repeated replication.
    #[serde(rename = "BRR")]
    Brr,
    /// Balanced with Fay's factor.
    #[serde(rename = "Fay")]
    Fay,
    /// Delete one unit, no strata.
    #[serde(rename = "JK1")]
    Jk1,
    /// Delete one unit a stratum; needs rscales.
    #[serde(rename = "JKn")]
    Jkn,
    /// Successive differences.
    #[serde(rename = "successive-difference", alias = "SDR")]
    SuccessiveDifference,
    /// Bootstrap.
    #[serde(rename = "bootstrap")]
    Bootstrap,
    /// Anything else: scale and rscales as given.
    #[serde(rename = "other")]
    Other,
}

/// How variances are estimated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariancePlan {
    /// Linearization or replicates.
    pub method: VarianceMethod,
    /// What a stratum with one unit means.
    #[serde(default)]
    pub lonely_psu: LonelyPolicy,
    /// Apply the policy also where a domain, not the design, leaves one unit.
    #[serde(default)]
    pub adjust_domain_lonely: bool,
    /// The replicates.
    #[serde(default)]
    pub replicates: Option<ReplicatesPlan>,
    /// Where the degrees of freedom of replicates come from; by default as R has them for the construct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub df: Option<DfPlan>,
}

/// Where the degrees of freedom of replicates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DfPlan {
    /// First-stage units minus strata with rows of the domain, as for linearization.
    Design,
    /// The rank of the replicate weights on the domain's rows, minus 1 (R's rule).
    Rank,
}

/// Linearization or replicates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VarianceMethod {
    /// Taylor linearization.
    #[default]
    Taylor,
    /// Replicate weights.
    Replicate,
}

/// What a stratum with one unit means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LonelyPolicy {
    /// Refuse.
    #[default]
    Fail,
    /// It was drawn with certainty and adds nothing.
    Certainty,
    /// Its squared deviation from the mean unit total over all strata.
    Adjust,
    /// It adds what the other strata add on average.
    Average,
    /// It adds nothing.
    Remove,
}

/// Replicates to be made, or multipliers to be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicatesPlan {
    /// Made by the engine.
    #[serde(default)]
    pub construct: Option<Construct>,
    /// Fay's factor.
    #[serde(default)]
    pub fay_rho: Option<f64>,
    /// A file of multipliers, one row a unit.
    #[serde(default)]
    pub multipliers_file: Option<String>,
    /// The column that both files share.
    #[serde(default)]
    pub multipliers_key: Option<String>,
    /// The common factor of the variance.
    #[serde(default)]
    pub scale: Option<f64>,
    /// Deviations from the full-sample estimate, not from the replicates' mean.
    #[serde(default)]
    pub mse: bool,
    /// How many, for the bootstrap.
    #[serde(default)]
    pub replicates: Option<usize>,
    /// The bootstrap's seed.
    #[serde(default)]
    pub seed: Option<u64>,
}

/// Replicates that the engine makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Construct {
    /// Delete one unit, no strata.
    #[serde(rename = "JK1")]
    Jk1,
    /// Delete one unit a stratum.
    #[serde(rename = "JKn")]
    Jkn,
    /// Balanced halves of two units a stratum.
    #[serde(rename = "BRR")]
    Brr,
    /// Balanced with Fay's factor.
    #[serde(rename = "Fay")]
    Fay,
    /// Rao and Wu's bootstrap.
    #[serde(rename = "bootstrap")]
    Bootstrap,
    /// Successive differences.
    #[serde(rename = "SDR", alias = "successive-difference")]
    Sdr,
}

impl DesignPlan {
    /// The columns that the design reads.
    pub fn columns(&self) -> Vec<String> {
        match self {
            Self::Stages(design) => {
                let stage = |s: &Stage| {
                    s.unit.iter().chain(&s.stratum.0).chain(&s.population_units).cloned().collect::<Vec<_>>()
                };
                design.stages.iter().flat_map(stage).chain(design.weight.clone()).collect()
            }
            Self::Pps(pps) => {
                pps.unit.iter().chain(&pps.stratum.0).chain([&pps.inclusion_probability]).cloned().collect()
            }
            Self::ReplicateWeights(given) => given.replicate_columns.iter().chain([&given.weight]).cloned().collect(),
        }
    }
}
