//! The analysis plan: one document that describes one analysis, read as JSON or as the same keys in TOML.
//!
//! Every part refuses a key it does not know and says in which part of the plan the key stands.

mod adjustment;
mod design;
mod estimator;
mod kinds;
mod read;
mod value;
mod words;

pub use adjustment::{
    Adjustment, BaseWeight, Calibrate, Distance, Household, Margin, MarginCell, NonresponseClass,
    NonresponsePropensity, NumericTotal, Poststratify, PreAdjustment, Rake, RakeVariance, Standardize, Trim,
    UnknownEligibility,
};
pub use design::{
    Construct, DesignPlan, DfPlan, JointForm, LonelyPolicy, PpsDesign, PpsMethod, ReplicateDesign, ReplicateType,
    ReplicatesPlan, Stage, StagesDesign, VarianceMethod, VariancePlan,
};
pub use estimator::{
    AreaMethod, CategoryShares, CiPlan, Coefficient, Contrast, ContrastOf, Contrasts, CrossTable, EstimatorPlan,
    Family, FayHerriot, Glm, IndependenceTest, InversionRule, Moment, PlausibleValues, PresentationFlags, Quantile,
    QuantileRule, Ratio, TTest, Term,
};
pub use value::{Columns, Scalar};

pub use super::interval::IntervalMethod;

use serde::{Deserialize, Serialize};

/// One analysis: data, design, weights, variance and what to estimate.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// A name for the analysis.
    pub id: Option<String>,
    /// A title for people.
    pub title: Option<String>,
    /// Where the rows are.
    pub data: Option<DataPlan>,
    /// Weight steps before the design is declared.
    pub pre_adjustments: Vec<PreAdjustment>,
    /// How the sample was drawn; only an area-level model does without.
    pub design: Option<DesignPlan>,
    /// Weight steps after it, repeated in every replicate.
    pub adjustments: Vec<Adjustment>,
    /// Every weight step's result is rounded to this many decimals before it is used; replicates are not rounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decimals: Option<u8>,
    /// How variances are estimated.
    pub variance: VariancePlan,
    /// A filter kept as a domain: rows leave the estimate, not the design.
    #[serde(rename = "where")]
    pub filters: Vec<Filter>,
    /// What to estimate; the staged engine takes it separately.
    pub estimator: Option<EstimatorPlan>,
    /// The engine must refuse this plan (for tests).
    pub expect_error: bool,
    /// The answer lists the final weights.
    pub expect_weights: bool,
}

/// Where the rows are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataPlan {
    /// The CSV file, relative to the data directory.
    pub file: String,
    /// A column that orders the rows, so that sums do not depend on the order of the file.
    #[serde(default)]
    pub id: Option<String>,
}

/// One condition of `where`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The column.
    pub column: String,
    /// How it is compared.
    pub op: Comparison,
    /// What with.
    pub value: Scalar,
}

/// A comparison of a cell with a value; an empty cell never fulfils one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Equal.
    #[serde(rename = "==")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEqual,
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// More than.
    #[serde(rename = ">")]
    More,
    /// Less than.
    #[serde(rename = "<")]
    Less,
}

impl Plan {
    /// Every column that the plan reads from its main file, sorted.
    pub fn columns(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        names.extend(self.data.iter().filter_map(|data| data.id.clone()));
        names.extend(self.pre_adjustments.iter().flat_map(PreAdjustment::columns));
        names.extend(self.design.iter().flat_map(DesignPlan::columns));
        names.extend(self.adjustments.iter().flat_map(Adjustment::columns));
        names.extend(self.variance.replicates.iter().filter_map(|r| r.multipliers_key.clone()));
        names.extend(self.filters.iter().map(|filter| filter.column.clone()));
        names.extend(self.estimator.iter().flat_map(EstimatorPlan::columns));
        names.sort();
        names.dedup();
        names
    }

    /// The further files that the plan names: multipliers and joint probabilities.
    pub fn files(&self) -> Vec<String> {
        let multipliers = self.variance.replicates.iter().filter_map(|r| r.multipliers_file.clone());
        let joint = match &self.design {
            Some(DesignPlan::Pps(pps)) => pps.joint_probability_file.clone(),
            _ => None,
        };
        multipliers.chain(joint).collect()
    }
}
