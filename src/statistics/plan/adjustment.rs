//! Weight steps before and after the design is declared.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

use super::{Columns, Scalar};

/// A weight step before the design is declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PreAdjustment {
    /// The inverse of the stages' probabilities.
    BaseWeight(BaseWeight),
    /// Cases of unknown eligibility hand their weight to the others of their class.
    UnknownEligibility(UnknownEligibility),
    /// Respondents carry the nonrespondents' weight of their class.
    NonresponseClass(NonresponseClass),
    /// Respondents are weighted by the inverse of a modelled propensity.
    NonresponsePropensity(NonresponsePropensity),
    /// The weight times a number of the row, such as the eligible persons of the household.
    Household(Household),
}

/// The inverse of the product of stage probabilities, times a multiplier.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseWeight {
    /// One column of probabilities in (0, 1] a stage.
    pub probabilities: Vec<String>,
    /// A column to multiply with, such as the number of eligible persons.
    #[serde(default)]
    pub multiplier: Option<String>,
    /// The column to write.
    pub result: String,
}

/// Cases of unknown eligibility hand their weight to the known ones of their class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnknownEligibility {
    /// The weight's column.
    pub weight: String,
    /// The column with the case's state.
    pub status: String,
    /// The state that means eligibility is unknown.
    pub unknown: String,
    /// The columns whose crossing makes the classes.
    #[serde(default)]
    pub cells: Vec<String>,
    /// The column to write.
    pub result: String,
    /// Leave the unknown ones out of the data.
    #[serde(default)]
    pub drop_unknown: bool,
}

/// Respondents carry the nonrespondents' weight of their class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NonresponseClass {
    /// The weight's column.
    pub weight: String,
    /// The column with the case's state.
    pub status: String,
    /// The state of a respondent.
    pub respondent: String,
    /// The state of a case that belongs to no population: its weight goes to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ineligible: Option<String>,
    /// The columns whose crossing makes the classes.
    pub cells: Vec<String>,
    /// The column to write.
    pub result: String,
    /// Leave nonrespondents out of the data.
    #[serde(default)]
    pub drop_nonrespondents: bool,
}

/// Respondents are weighted by the inverse of a modelled propensity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NonresponsePropensity {
    /// The weight's column.
    pub weight: String,
    /// The column with the case's state.
    pub status: String,
    /// The state of a respondent.
    pub respondent: String,
    /// The factors whose main effects explain response.
    pub factors: Vec<String>,
    /// The column to write.
    pub result: String,
    /// Leave nonrespondents out of the data.
    #[serde(default)]
    pub drop_nonrespondents: bool,
}

/// The weight times a number of the row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Household {
    /// The weight's column.
    pub weight: String,
    /// The column to multiply with.
    pub multiplier: String,
    /// The column to write.
    pub result: String,
}

/// A weight step after the design is declared, repeated in every replicate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Adjustment {
    /// Joint totals.
    Poststratify(Poststratify),
    /// One-way totals by iterative proportional fitting.
    Rake(Rake),
    /// General totals with a distance.
    Calibrate(Calibrate),
    /// Capped weights.
    Trim(Trim),
    /// A standard structure within groups.
    Standardize(Standardize),
}

/// Joint totals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poststratify {
    /// The columns whose crossing makes the post-strata.
    pub by: Columns,
    /// Their totals.
    pub cells: Vec<MarginCell>,
}

/// One-way totals by iterative proportional fitting.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rake {
    /// The margins, in the order in which they are fitted.
    pub margins: Vec<Margin>,
    /// Stop when two successive tables differ by less than this times the sum of weights.
    #[serde(default = "rake_epsilon")]
    pub epsilon_relative_to_sum_of_weights: f64,
    /// Most cycles.
    #[serde(default = "rake_iterations")]
    pub max_iterations: usize,
    /// How the variance takes the raking into account.
    #[serde(default)]
    pub variance: RakeVariance,
}

fn rake_epsilon() -> f64 {
    1e-12
}

fn rake_iterations() -> usize {
    500
}

/// How the variance takes raking into account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RakeVariance {
    /// Ten sweeps of margin means, as R's `rake` does.
    #[default]
    Sweeps,
    /// The exact residual, as `calibrate` with the raking distance.
    Residual,
}

/// General totals with a distance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibrate {
    /// How far weights may move.
    pub distance: Distance,
    /// Bounds of new over old weight.
    #[serde(default)]
    pub bounds: Option<[f64; 2]>,
    /// Categorical margins.
    #[serde(default)]
    pub margins: Vec<Margin>,
    /// Totals of numbers.
    #[serde(default)]
    pub numeric_totals: Vec<NumericTotal>,
}

/// A calibration distance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// Least squares: F = 1 + u.
    Linear,
    /// Multiplicative: F = exp(u).
    #[default]
    Raking,
    /// Between bounds, smooth.
    Logit,
}

/// A margin: columns, and a total for each of their categories.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margin {
    /// The column, or several that are crossed.
    pub by: Columns,
    /// The totals.
    pub cells: Vec<MarginCell>,
}

/// A category (one label a column) and its total, written as one object: `{"sex": "F", "total": 181382}`.
#[derive(Debug, Clone, PartialEq)]
pub struct MarginCell {
    /// Column and label.
    pub levels: BTreeMap<String, Scalar>,
    /// The total, or the share in a standard.
    pub total: f64,
}

/// The population total of a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumericTotal {
    /// The column.
    pub variable: String,
    /// Its population total.
    pub total: f64,
}

/// Capped weights; the excess goes in equal parts to weights that were not clipped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trim {
    /// The smallest weight allowed.
    #[serde(default)]
    pub lower: Option<f64>,
    /// The largest weight allowed.
    #[serde(default)]
    pub upper: Option<f64>,
    /// Repeat until all are inside.
    #[serde(default)]
    pub strict: bool,
}

/// A standard structure within groups.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardize {
    /// The column whose structure is standardised.
    pub by: Columns,
    /// The groups whose totals are kept.
    #[serde(default)]
    pub over: Columns,
    /// The standard's shares.
    pub standard: Vec<MarginCell>,
}

impl Serialize for MarginCell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.levels.len() + 1))?;
        for (column, label) in &self.levels {
            map.serialize_entry(column, label)?;
        }
        map.serialize_entry("total", &self.total)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for MarginCell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut levels = BTreeMap::<String, Scalar>::deserialize(deserializer)?;
        let total = match (levels.remove("total"), levels.remove("share")) {
            (Some(total), None) | (None, Some(total)) => total,
            _ => return Err(de::Error::custom("a cell has one `total` (or `share` in a standard) beside its labels")),
        };
        match total {
            Scalar::Number(total) if total.is_finite() && total >= 0.0 => Ok(Self { levels, total }),
            other => Err(de::Error::custom(format!("`{}` is not a total of at least 0", other.label()))),
        }
    }
}

impl MarginCell {
    /// A cell of a margin with one column.
    pub fn new(column: impl Into<String>, label: impl Into<String>, total: f64) -> Self {
        Self { levels: BTreeMap::from([(column.into(), Scalar::Text(label.into()))]), total }
    }
}

impl PreAdjustment {
    /// The column of weights that the step starts from, when it starts from one.
    pub fn weight(&self) -> Option<&str> {
        match self {
            Self::BaseWeight(_) => None,
            Self::UnknownEligibility(step) => Some(&step.weight),
            Self::NonresponseClass(step) => Some(&step.weight),
            Self::NonresponsePropensity(step) => Some(&step.weight),
            Self::Household(step) => Some(&step.weight),
        }
    }

    /// The column that the step writes.
    pub fn result(&self) -> &str {
        match self {
            Self::BaseWeight(step) => &step.result,
            Self::UnknownEligibility(step) => &step.result,
            Self::NonresponseClass(step) => &step.result,
            Self::NonresponsePropensity(step) => &step.result,
            Self::Household(step) => &step.result,
        }
    }

    /// The columns that the step reads from the file (results of earlier steps are not in it).
    pub fn columns(&self) -> Vec<String> {
        match self {
            Self::BaseWeight(step) => step.probabilities.iter().chain(&step.multiplier).cloned().collect(),
            Self::UnknownEligibility(step) => step.cells.iter().chain([&step.weight, &step.status]).cloned().collect(),
            Self::NonresponseClass(step) => step.cells.iter().chain([&step.weight, &step.status]).cloned().collect(),
            Self::NonresponsePropensity(step) => {
                step.factors.iter().chain([&step.weight, &step.status]).cloned().collect()
            }
            Self::Household(step) => vec![step.weight.clone(), step.multiplier.clone()],
        }
    }
}

impl Adjustment {
    /// The columns that the step reads.
    pub fn columns(&self) -> Vec<String> {
        let of = |margins: &[Margin]| margins.iter().flat_map(|m| m.by.0.clone()).collect::<Vec<_>>();
        match self {
            Self::Poststratify(step) => step.by.0.clone(),
            Self::Rake(step) => of(&step.margins),
            Self::Calibrate(step) => {
                of(&step.margins).into_iter().chain(step.numeric_totals.iter().map(|n| n.variable.clone())).collect()
            }
            Self::Trim(_) => Vec::new(),
            Self::Standardize(step) => step.by.0.iter().chain(&step.over.0).cloned().collect(),
        }
    }
}
