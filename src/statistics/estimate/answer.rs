//! The shape of an answer: rows by domain, and what an estimator says beside them.

use serde_json::{Map, Value, json};
use thiserror::Error;

/// A domain's label in one column.
#[derive(Debug, Clone, PartialEq)]
pub enum DomainValue {
    /// A category.
    Text(String),
    /// A number: the column holds nothing else.
    Number(f64),
}

impl DomainValue {
    /// The label as text.
    pub fn label(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => format!("{number}"),
        }
    }

    /// The label as JSON; whole numbers without a fraction.
    pub fn json(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => number_json(*number),
        }
    }
}

/// Why a cell has no estimate, or no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotEstimable {
    /// Nobody is in the domain.
    #[error("nobody is in the domain")]
    EmptyDomain,
    /// All first-stage units of each stratum but one are outside.
    #[error("no degrees of freedom: one first-stage unit a stratum")]
    NoDegreesOfFreedom,
    /// The share is 0 or 1.
    #[error("the share is 0 or 1: only a Korn-Graubard interval exists")]
    Boundary,
    /// The variance is 0.
    #[error("the estimated variance is 0")]
    ZeroVariance,
    /// The denominator is 0.
    #[error("the denominator is 0")]
    ZeroDenominator,
    /// The lonely-PSU policy refuses this domain.
    #[error("a stratum has a single unit in this domain")]
    LonelyPsu,
}

/// A further number of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Quantity {
    /// A number; NaN is shown as null.
    Number(f64),
    /// Several.
    Numbers(Vec<f64>),
    /// A flag.
    Flag(bool),
}

/// One row of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EstimateRow {
    /// Column and label, in the plan's order.
    pub domain: Vec<(String, DomainValue)>,
    /// Rows with a weight.
    pub n: Option<usize>,
    /// Their sum of weights.
    pub n_hat: Option<f64>,
    /// The estimate.
    pub estimate: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// Degrees of freedom.
    pub df: Option<f64>,
    /// Design effect against simple random sampling without replacement.
    pub deff: Option<f64>,
    /// Design effect against simple random sampling with replacement.
    pub deff_wr: Option<f64>,
    /// Intervals by method.
    pub ci: Vec<(&'static str, [f64; 2])>,
    /// The n that the interval `beta` used.
    pub beta_n: Option<usize>,
    /// What an estimator adds.
    pub others: Vec<(&'static str, Quantity)>,
    /// Why there is no estimate or no interval.
    pub not_estimable: Option<NotEstimable>,
}

/// All rows, and what the estimator says beside them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// One row a domain (and category, statistic, contrast or term).
    pub rows: Vec<EstimateRow>,
    /// Matrices and models, by name.
    pub extra: Map<String, Value>,
}

impl Answer {
    /// An answer that is rows alone.
    pub fn of(rows: Vec<EstimateRow>) -> Self {
        Self { rows, extra: Map::new() }
    }
}

/// NaN and infinities have no place in JSON: they are null. Whole numbers are written without a fraction.
pub fn number_json(number: f64) -> Value {
    if number.is_finite() && number.fract() == 0.0 && number.abs() < 9e15 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

fn numbers_json(numbers: &[f64]) -> Value {
    numbers.iter().map(|n| number_json(*n)).collect()
}

impl EstimateRow {
    /// The label of a domain column.
    pub fn label(&self, column: &str) -> Option<String> {
        self.domain.iter().find(|(name, _)| name == column).map(|(_, value)| value.label())
    }

    /// The interval of a method.
    pub fn interval(&self, method: &str) -> Option<[f64; 2]> {
        self.ci.iter().find(|(name, _)| *name == method).map(|(_, ends)| *ends)
    }

    /// The row as JSON; what does not exist is left out, what exists but has no value is null.
    pub fn json(&self) -> Value {
        let mut row = Map::new();
        let domain: Map<String, Value> = self.domain.iter().map(|(name, v)| (name.clone(), v.json())).collect();
        row.insert("domain".to_owned(), Value::Object(domain));
        let numbers = [
            ("n", self.n.map(|n| n as f64)),
            ("n_hat", self.n_hat),
            ("estimate", self.estimate),
            ("se", self.se),
            ("df", self.df),
            ("deff", self.deff),
            ("deff_wr", self.deff_wr),
            ("beta_n", self.beta_n.map(|n| n as f64)),
        ];
        for (name, value) in numbers {
            if let Some(value) = value {
                row.insert(name.to_owned(), number_json(value));
            }
        }
        for (name, value) in &self.others {
            let value = match value {
                Quantity::Number(number) => number_json(*number),
                Quantity::Numbers(numbers) => numbers_json(numbers),
                Quantity::Flag(flag) => Value::from(*flag),
            };
            row.insert((*name).to_owned(), value);
        }
        if !self.ci.is_empty() {
            let ci: Map<String, Value> = self.ci.iter().map(|(m, ends)| ((*m).to_owned(), json!(ends))).collect();
            row.insert("ci".to_owned(), Value::Object(ci));
        }
        if let Some(reason) = self.not_estimable {
            row.insert("note".to_owned(), Value::from(reason.to_string()));
        }
        Value::Object(row)
    }
}
