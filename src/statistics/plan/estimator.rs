//! What to estimate.

use serde::{Deserialize, Serialize};

use super::Columns;
use crate::statistics::interval::IntervalMethod;

/// What to estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EstimatorPlan {
    /// The share of ones of a 0/1 variable.
    Proportion(Moment),
    /// A mean.
    Mean(Moment),
    /// A total.
    Total(Moment),
    /// A ratio of two totals.
    Ratio(Ratio),
    /// The share of each category.
    CategoryShares(CategoryShares),
    /// Quantiles with Woodruff intervals.
    Quantile(Quantile),
    /// Weighted counts of crossed categories.
    CrossTable(CrossTable),
    /// Differences, ratios and other functions of domain estimates.
    Contrasts(Contrasts),
    /// Rao-Scott and Wald tests of independence.
    IndependenceTest(IndependenceTest),
    /// The design-based t test of two groups.
    TTest(TTest),
    /// A regression.
    Glm(Glm),
    /// Several plausible values, combined by Rubin's rules.
    PlausibleValues(PlausibleValues),
    /// The NCHS presentation rule.
    PresentationFlags(PresentationFlags),
    /// An area-level small-area model.
    FayHerriot(FayHerriot),
}

/// A proportion, a mean or a total of one variable by domains.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// The variable; rows where it is empty are outside every domain.
    pub variable: String,
    /// Domains: one row each observed combination.
    #[serde(default)]
    pub by: Columns,
    /// Which intervals.
    #[serde(default)]
    pub ci: Option<CiPlan>,
    /// Report design effects.
    #[serde(default)]
    pub deff: bool,
}

/// Which intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CiPlan {
    /// The methods.
    pub methods: Vec<IntervalMethod>,
    /// Coverage.
    #[serde(default = "default_level")]
    pub level: f64,
    /// Degrees of freedom, instead of the design's.
    #[serde(default)]
    pub df: Option<f64>,
}

/// 95 %.
pub(crate) fn default_level() -> f64 {
    0.95
}

/// A ratio of two totals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// Above the line.
    pub numerator: String,
    /// Below it.
    pub denominator: String,
    /// Domains.
    #[serde(default)]
    pub by: Columns,
    /// The interval's level and df; the method is t.
    #[serde(default)]
    pub ci: Option<CiPlan>,
}

/// The share of each category.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryShares {
    /// The categorical variable.
    pub variable: String,
    /// Domains.
    #[serde(default)]
    pub by: Columns,
}

/// Quantiles with Woodruff intervals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// The variable.
    pub variable: String,
    /// Domains.
    #[serde(default)]
    pub by: Columns,
    /// Which quantiles.
    pub probabilities: Vec<f64>,
    /// Inversion rule and interval type, one or more pairs.
    pub rules: Vec<QuantileRule>,
}

/// An inversion rule with an interval type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileRule {
    /// math, school, hf7 or hf8.
    pub qrule: InversionRule,
    /// The interval for the share below the quantile.
    pub interval: IntervalMethod,
}

/// How a distribution function is inverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InversionRule {
    /// The smallest value whose share reaches p.
    Math,
    /// The same, averaged with the next value where the share is p exactly.
    School,
    /// Hyndman and Fan's seventh.
    Hf7,
    /// Hyndman and Fan's eighth.
    Hf8,
}

impl InversionRule {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Math => "math",
            Self::School => "school",
            Self::Hf7 => "hf7",
            Self::Hf8 => "hf8",
        }
    }
}

/// Weighted counts of crossed categories.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossTable {
    /// The variables.
    pub variables: Vec<String>,
}

/// Functions of domain estimates.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contrasts {
    /// The variable.
    pub variable: String,
    /// The domains that are compared.
    pub by: Columns,
    /// Means (default) or totals.
    #[serde(default)]
    pub of: ContrastOf,
    /// The comparisons.
    pub contrasts: Vec<Contrast>,
}

/// What the domains contribute to a contrast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContrastOf {
    /// Means.
    #[default]
    Mean,
    /// Totals.
    Total,
}

/// One comparison; a key is the domain's labels joined by a full stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Contrast {
    /// A weighted sum of domain estimates.
    Linear {
        /// Its name.
        name: String,
        /// One coefficient a domain; others are 0.
        coefficients: Vec<Coefficient>,
    },
    /// An expression in domain keys, such as `{north}/{south}`.
    Expression {
        /// Its name.
        name: String,
        /// The expression.
        expression: String,
    },
}

/// A domain's coefficient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coefficient {
    /// The domain's key.
    pub key: String,
    /// Its coefficient.
    pub coefficient: f64,
}

/// Tests of independence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndependenceTest {
    /// Two variables.
    pub variables: Vec<String>,
    /// F, Chisq, Wald, adjWald, lincom, saddlepoint.
    pub statistics: Vec<String>,
}

/// The t test of two groups.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TTest {
    /// The variable.
    pub variable: String,
    /// The groups.
    pub group: String,
    /// Domains.
    #[serde(default)]
    pub by: Columns,
}

/// A regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glm {
    /// Which.
    pub family: Family,
    /// The response.
    pub variable: String,
    /// The terms after the intercept.
    pub terms: Vec<Term>,
}

/// Which regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Logistic.
    Binomial,
    /// Linear.
    Gaussian,
}

/// A term of a regression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// A factor, its first level as reference.
    Factor(String),
    /// A number.
    Numeric(String),
}

impl Term {
    /// The column.
    pub fn column(&self) -> &str {
        match self {
            Self::Factor(column) | Self::Numeric(column) => column,
        }
    }
}

/// Plausible values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlausibleValues {
    /// One column a value.
    pub variables: Vec<String>,
    /// Estimate the share at or above it; without one the mean.
    #[serde(default)]
    pub threshold: Option<f64>,
    /// Domains.
    #[serde(default)]
    pub by: Columns,
}

/// The NCHS presentation rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentationFlags {
    /// The 0/1 variable.
    pub variable: String,
    /// Domains.
    #[serde(default)]
    pub by: Columns,
}

/// An area-level small-area model on a file with one row an area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FayHerriot {
    /// The area's column.
    pub area: String,
    /// The direct estimate.
    pub direct: String,
    /// Its sampling variance.
    pub variance: String,
    /// Covariates beside the intercept.
    #[serde(default)]
    pub covariates: Vec<String>,
    /// How the model variance is estimated.
    pub method: AreaMethod,
}

/// How the model variance is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AreaMethod {
    /// Restricted maximum likelihood.
    #[serde(rename = "REML")]
    Reml,
    /// Maximum likelihood.
    #[serde(rename = "ML")]
    Ml,
    /// Fay and Herriot's moment equation.
    #[serde(rename = "FH")]
    Fh,
}

impl EstimatorPlan {
    /// The name in plans and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Proportion(_) => "proportion",
            Self::Mean(_) => "mean",
            Self::Total(_) => "total",
            Self::Ratio(_) => "ratio",
            Self::CategoryShares(_) => "category_shares",
            Self::Quantile(_) => "quantile",
            Self::CrossTable(_) => "cross_table",
            Self::Contrasts(_) => "contrasts",
            Self::IndependenceTest(_) => "independence_test",
            Self::TTest(_) => "t_test",
            Self::Glm(_) => "glm",
            Self::PlausibleValues(_) => "plausible_values",
            Self::PresentationFlags(_) => "presentation_flags",
            Self::FayHerriot(_) => "fay_herriot",
        }
    }

    /// The columns that the estimator reads.
    pub fn columns(&self) -> Vec<String> {
        let with =
            |by: &Columns, others: &[&String]| by.0.iter().chain(others.iter().copied()).cloned().collect::<Vec<_>>();
        match self {
            Self::Proportion(m) | Self::Mean(m) | Self::Total(m) => with(&m.by, &[&m.variable]),
            Self::Ratio(r) => with(&r.by, &[&r.numerator, &r.denominator]),
            Self::CategoryShares(s) => with(&s.by, &[&s.variable]),
            Self::Quantile(q) => with(&q.by, &[&q.variable]),
            Self::CrossTable(t) => t.variables.clone(),
            Self::Contrasts(c) => with(&c.by, &[&c.variable]),
            Self::IndependenceTest(t) => t.variables.clone(),
            Self::TTest(t) => with(&t.by, &[&t.variable, &t.group]),
            Self::Glm(g) => g.terms.iter().map(|t| t.column().to_owned()).chain([g.variable.clone()]).collect(),
            Self::PlausibleValues(p) => p.by.0.iter().chain(&p.variables).cloned().collect(),
            Self::PresentationFlags(p) => with(&p.by, &[&p.variable]),
            Self::FayHerriot(f) => f.covariates.iter().chain([&f.area, &f.direct, &f.variance]).cloned().collect(),
        }
    }
}
