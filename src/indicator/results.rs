//! What a run found: the document that pages, files and the API show.

use super::{Label, files::Target};
pub use crate::statistics::verdict::Verdict;
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
    /// What the estimates are compared with.
    pub targets: Vec<Target>,
    /// City, districts, groups and their crossings.
    pub tables: Vec<ResultTable>,
    /// SHA-256 over every input.
    pub input_digest: String,
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
    /// Used responses over cases (all cases taken as eligible).
    pub response_rate: f64,
}

/// The final weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightSummary {
    /// Sum.
    pub sum: f64,
    /// Kish's design effect: 1 + CV².
    pub kish_deff: f64,
    /// Used responses over Kish's design effect.
    pub effective_n: f64,
    /// Each step in order.
    pub steps: Vec<WeightStepSummary>,
}

/// One weighting step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightStepSummary {
    /// Identifier: `base`, `nonresponse`, `persons`, `rake`.
    pub id: String,
    /// Name.
    pub label: Label,
    /// Units with a positive weight after it.
    pub n: usize,
    /// Sum of the weights after it.
    pub sum: f64,
    /// Smallest weight after it.
    pub min: f64,
    /// Largest weight after it.
    pub max: f64,
    /// Kish's design effect after it.
    pub kish_deff: f64,
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
    /// Degrees of freedom of the whole design.
    pub df: f64,
}

/// Estimates by one crossing of variables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Used responses.
    pub n: usize,
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
