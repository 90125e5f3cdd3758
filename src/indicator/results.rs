//! What a run found: the document that pages, files and the API show.

use super::{Label, files::Target};
pub use super::{
    items::ItemStatistics,
    scores::{PointsMean, ScoreSummary},
    weights::{WeightMargin, WeightStepSummary, WeightSummary},
};
pub use crate::statistics::{
    response_rates::{OutcomeCounts, OutcomeRates},
    verdict::Verdict,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the document's shape.
pub const RESULTS_SCHEMA: &str = "scilit/results/1";

/// Everything a run found, as JSON for pages and programs.
///
/// It holds nothing that differs between two computations of the same inputs: no time, no run identifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`RESULTS_SCHEMA`].
    pub schema: String,
    /// Engine and version.
    pub engine: String,
    /// The survey.
    pub survey: SurveyHead,
    /// The questionnaire version.
    pub questionnaire: VersionHead,
    /// The scoring profile: an estimate is never shown without it.
    pub profile: VersionHead,
    /// Interim until the survey is closed.
    pub status: Status,
    /// Cases and responses.
    pub sample: SampleSummary,
    /// Weights and their steps.
    pub weights: WeightSummary,
    /// How it was estimated.
    pub method: Method,
    /// How many of the cases were interviewed and what became of the others: the whole, then each district.
    #[serde(default)]
    pub response_rates: Vec<ResponseRates>,
    /// What the estimates are compared with.
    pub targets: Vec<Target>,
    /// City, districts, groups and their crossings.
    pub tables: Vec<ResultTable>,
    /// Differences between the groups of each variable.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// Tiers, dimensions and the distribution of the score.
    #[serde(default)]
    pub scores: ScoreSummary,
    /// How the items that count were answered.
    #[serde(default)]
    pub items: Vec<ItemStatistics>,
    /// The area model behind the districts' model-based estimates.
    #[serde(default)]
    pub small_area: SmallArea,
    /// Changes since an earlier wave, when the run was asked to compare.
    pub changes: Option<Changes>,
    /// SHA-256 over every input.
    pub input_digest: String,
    /// In what was released to everybody: how it was made from the run's own results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseHead>,
}

/// What a public document says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseHead {
    /// The rule set with its version.
    pub rules: String,
    /// Cells of all tables.
    pub cells: usize,
    /// Those that are withheld.
    pub withheld: usize,
    /// Decimals of a percentage.
    pub percent_decimals: i32,
}

/// The survey a result belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyHead {
    /// Short code, unique on a server.
    pub code: String,
    /// Title.
    pub title: String,
    /// The place it estimates.
    pub place: String,
    /// Region code of the place, where the survey's regions file names it; targets are found by it.
    pub region: Option<String>,
    /// Made-up data (示例数据).
    pub example: bool,
}

/// A version of something immutable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionHead {
    /// Identifier.
    pub id: String,
    /// Version.
    pub version: String,
    /// SHA-256 of its canonical form.
    pub hash: String,
    /// Title.
    pub title: Label,
}

/// Whether responses may still arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 临时结果
    Interim,
    /// 最终结果
    Final,
}

/// Counts of cases and responses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleSummary {
    /// Strata with a used response.
    pub strata: usize,
    /// Primary sampling units with a used response.
    pub psus: usize,
    /// Cases in the sample file.
    pub cases: usize,
    /// Accepted responses.
    pub responses: usize,
    /// Responses that carry a weight.
    pub used: usize,
    /// Accepted responses without a weight, by reason.
    pub not_used: BTreeMap<String, usize>,
    /// The AAPOR's response rate 1 of the whole: interviews over all cases that are or may be eligible.
    pub response_rate: f64,
}

/// What became of the cases of a place: counts by final disposition and the AAPOR's rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResponseRates {
    /// The district; none for the whole.
    pub district: Option<String>,
    /// Name.
    pub label: Label,
    /// Cases, reserves that were released among them.
    pub cases: u64,
    /// Cases by final disposition.
    pub counts: OutcomeCounts,
    /// The rates.
    pub rates: OutcomeRates,
    /// Cases that the sample was planned to have, without reserves.
    pub planned: u64,
    /// 完成率: interviews over planned cases, whoever was interviewed in their place. It is no response rate.
    pub completion: Option<f64>,
}

/// How the estimates were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Method {
    /// Variance method.
    pub variance: String,
    /// Interval method.
    pub interval: String,
    /// Confidence level.
    pub level: f64,
    /// Replicates, where the variance comes from them.
    pub replicates: Option<usize>,
    /// The seed of the replicates, where they are drawn.
    pub seed: Option<u64>,
    /// Degrees of freedom of the whole design.
    pub df: f64,
}

/// Estimates by one crossing of variables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ResultTable {
    /// Identifier: `city`, `district`, `sex`, `district_by_sex`, ...
    pub id: String,
    /// The variables crossed; empty for the whole.
    pub by: Vec<String>,
    /// Title.
    pub label: Label,
    /// One row a cell, empty cells included.
    pub rows: Vec<ResultRow>,
}

/// One estimate. An absent number stays absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// Category code by variable.
    pub domain: BTreeMap<String, String>,
    /// Names, one a variable of the table; the place for the whole.
    pub labels: Vec<Label>,
    /// Used responses; in a release there is `base` in its place.
    pub n: Option<usize>,
    /// In a release: the band that the used responses lie in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// In a release: the cell is 仅供参考.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub caution: bool,
    /// In a release: the code of the reason why the cell is withheld; `not_estimable` has it in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    /// Estimated persons.
    pub population: Option<f64>,
    /// 公民具备科学素质的比例.
    pub estimate: Option<f64>,
    /// Standard error.
    pub se: Option<f64>,
    /// Degrees of freedom.
    pub df: Option<f64>,
    /// Interval at the method's level.
    pub ci: Option<[f64; 2]>,
    /// Design effect against simple random sampling with replacement.
    pub deff: Option<f64>,
    /// n over the design effect.
    pub effective_n: Option<f64>,
    /// Why there is no estimate.
    pub not_estimable: Option<Label>,
    /// One a target of this region and year.
    pub verdicts: Vec<TargetVerdict>,
    /// The model-based estimate beside the direct one; of districts only.
    pub model: Option<ModelEstimate>,
}

/// An area's estimate by the Fay-Herriot model, benchmarked to the direct estimate of the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelEstimate {
    /// The share after benchmarking.
    pub estimate: f64,
    /// Root of its estimated mean squared error (before benchmarking).
    pub rmse: f64,
    /// Normal interval at the method's level, within 0 and 1.
    pub ci: [f64; 2],
    /// What the model alone says.
    pub synthetic: f64,
    /// The share of the estimate that the model supplies, 1 - γ.
    pub model_share: f64,
}

/// The area model of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SmallArea {
    /// Districts in the model.
    pub areas: usize,
    /// Covariates beside the intercept, columns of the regions file.
    pub covariates: Vec<String>,
    /// Between-area variance by REML.
    pub between_variance: Option<f64>,
    /// What the model's estimates were multiplied with to add up to the whole.
    pub benchmark_factor: Option<f64>,
    /// Why there is no model.
    pub not_fitted: Option<Label>,
}

/// A category with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Its code.
    pub code: String,
    /// Its name.
    pub label: Label,
}

/// The share of one group minus the share of another of the same variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The variable's column.
    pub variable: String,
    /// Its name.
    pub label: Label,
    /// The group whose share stands first.
    pub first: Level,
    /// The group whose share is taken off.
    pub second: Level,
    /// The difference with its error.
    #[serde(flatten)]
    pub of: Compared,
}

/// A difference of two shares. An absent number stays absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The difference, as a share (0.01 is one 百分点).
    pub estimate: Option<f64>,
    /// Standard error.
    pub se: Option<f64>,
    /// Degrees of freedom.
    pub df: Option<f64>,
    /// t interval at the method's level.
    pub ci: Option<[f64; 2]>,
    /// Two-sided p-value of "there is no difference"; not adjusted for how many are looked at.
    pub p_value: Option<f64>,
    /// Why there is no difference or no interval.
    pub not_estimable: Option<Label>,
}

/// Changes since an earlier wave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// The earlier wave.
    pub survey: SurveyHead,
    /// The digest of its inputs.
    pub input_digest: String,
    /// How the two samples stand to each other.
    pub samples: super::SampleRelation,
    /// One a domain that both waves estimate, later minus earlier.
    pub rows: Vec<Change>,
}

/// The share of a domain in this wave minus that in the earlier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The table of both waves.
    pub table: String,
    /// Category code by variable.
    pub domain: BTreeMap<String, String>,
    /// Names, one a variable of the table.
    pub labels: Vec<Label>,
    /// The earlier share.
    pub earlier: Option<f64>,
    /// This wave's share.
    pub later: Option<f64>,
    /// The change with its error.
    #[serde(flatten)]
    pub of: Compared,
}

/// How an estimate stands to a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetVerdict {
    /// The target.
    pub target: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Probability, given the estimate and its error, that the true share is at least the target.
    pub probability_met: Option<f64>,
}

/// The words people see for a verdict.
#[must_use]
pub fn verdict_label(verdict: Verdict) -> Label {
    let en = match verdict {
        Verdict::Met => "met",
        Verdict::NotMet => "not met",
        Verdict::Undetermined => "undetermined",
    };
    Label::new(verdict.label_zh(), en)
}
