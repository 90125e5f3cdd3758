//! What each weight step did, in numbers that a reviewer asks for.

use serde::Serialize;

/// One weight step: its factor for each row and the weight after it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightStep {
    /// The step's type in the plan, such as `nonresponse_class` or `rake`; the first is `design`.
    pub name: String,
    /// w / d for each row; 0 where the step gives the weight away, NaN where there was no weight.
    #[serde(skip)]
    pub factors: Vec<f64>,
    /// The weight after the step, for each row of the table that was read.
    #[serde(skip)]
    pub weights: Vec<f64>,
    /// The step's diagnostics.
    pub diagnostics: StepDiagnostics,
}

/// The diagnostics of a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StepDiagnostics {
    /// Rows with a positive weight after the step.
    pub n: usize,
    /// The sum of weights after it.
    pub sum: f64,
    /// The smallest positive weight.
    pub weight_min: f64,
    /// The largest weight.
    pub weight_max: f64,
    /// Factors of rows that keep a weight: minimum, 5 %, 25 %, 50 %, 75 %, 95 %, maximum.
    pub factor_quantiles: [f64; 7],
    /// Kish's design effect of the weights, 1 + CV².
    pub kish_deff: f64,
    /// n / Kish's design effect.
    pub effective_n: f64,
    /// Passes that an iterative step made.
    pub passes: usize,
    /// The largest relative difference between a total asked for and the weighted sample total.
    pub worst_residual: Option<f64>,
    /// Each margin category before and after, or each class with its factor.
    pub margins: Vec<MarginLine>,
    /// What a reader should know, such as cells of a standard that no respondent is in.
    pub notes: Vec<String>,
}

/// A margin's category, or a weighting class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarginLine {
    /// The columns, joined by ` × `.
    pub margin: String,
    /// The labels, joined by ` × `.
    pub category: String,
    /// Respondents in it.
    pub n: usize,
    /// The total asked for, where there is one.
    pub target: Option<f64>,
    /// The weighted total before the step.
    pub before: f64,
    /// The weighted total after it.
    pub after: f64,
    /// The class's common factor, where there is one.
    pub factor: Option<f64>,
}

/// Kish's design effect of unequal weights: n Σw² / (Σw)² over the positive weights.
///
/// **Source**: Kish 1965; 1 + CV²(w).
///
/// ```
/// assert_eq!(scilit::statistics::weighting::kish_deff(&[1.0, 1.0, 0.0]), 1.0);
/// assert_eq!(scilit::statistics::weighting::kish_deff(&[1.0, 3.0]), 1.25);
/// ```
pub fn kish_deff(weights: &[f64]) -> f64 {
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for &w in weights.iter().filter(|w| **w > 0.0) {
        n += 1.0;
        sum += w;
        squares += w * w;
    }
    n * squares / (sum * sum)
}

impl WeightStep {
    /// Compares the weights before and after a step.
    pub fn new(name: impl Into<String>, before: &[f64], after: Vec<f64>) -> Self {
        let factors: Vec<f64> = before.iter().zip(&after).map(|(d, w)| w / d).collect();
        let diagnostics = StepDiagnostics::of(&factors, &after);
        Self { name: name.into(), factors, weights: after, diagnostics }
    }
}

impl StepDiagnostics {
    fn of(factors: &[f64], weights: &[f64]) -> Self {
        let positive = || weights.iter().copied().filter(|w| *w > 0.0);
        let n = positive().count();
        let deff = kish_deff(weights);
        Self {
            n,
            sum: weights.iter().sum(),
            weight_min: positive().fold(f64::INFINITY, f64::min),
            weight_max: positive().fold(0.0, f64::max),
            factor_quantiles: quantiles(factors, weights),
            kish_deff: deff,
            effective_n: n as f64 / deff,
            ..Self::default()
        }
    }

    /// Takes in the margins of a step and with them the worst residual.
    #[must_use]
    pub fn with_margins(mut self, margins: Vec<MarginLine>) -> Self {
        let off = |line: &MarginLine| line.target.map(|target| (line.after - target).abs() / target.abs().max(1e-300));
        let worst = margins.iter().filter(|line| line.target != Some(0.0)).filter_map(off).fold(None, worst_of);
        self.worst_residual = worst;
        self.margins = margins;
        self
    }
}

fn worst_of(worst: Option<f64>, off: f64) -> Option<f64> {
    Some(worst.map_or(off, |w: f64| w.max(off)))
}

/// The order statistics at 0, 5, 25, 50, 75, 95 and 100 %: the smallest factor whose share of rows reaches it.
fn quantiles(factors: &[f64], weights: &[f64]) -> [f64; 7] {
    let mut kept: Vec<f64> = factors.iter().zip(weights).filter(|(_, w)| **w > 0.0).map(|(g, _)| *g).collect();
    if kept.is_empty() {
        return [f64::NAN; 7];
    }
    let last = kept.len() - 1;
    [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0].map(|p: f64| {
        let at = ((p * kept.len() as f64).ceil() as usize).saturating_sub(1).min(last);
        *kept.select_nth_unstable_by(at, f64::total_cmp).1
    })
}
