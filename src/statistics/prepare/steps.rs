//! Weight steps that were done; they are described when someone asks, for an estimate needs no diagnostics.

use std::sync::Arc;

use crate::statistics::weighting::{Adjusted, Adjuster, WeightStep};

/// A step that was done.
#[derive(Debug, Clone)]
pub(super) enum Done {
    /// Described when it was made.
    Made(WeightStep),
    /// The weights that the design declares.
    Design(Arc<Vec<f64>>),
    /// An adjustment.
    Adjusted { adjuster: Arc<Adjuster>, before: Arc<Vec<f64>>, adjusted: Adjusted },
}

impl Done {
    /// The step with its diagnostics, on the rows that were read.
    pub(super) fn step(&self, spread: &Spread<'_>) -> WeightStep {
        match self {
            Self::Made(step) => step.clone(),
            Self::Design(weights) => {
                let ones = vec![1.0; weights.len()];
                spread.step(WeightStep::new("design", &ones, weights.to_vec()))
            }
            Self::Adjusted { adjuster, before, adjusted } => spread.step(adjuster.describe(before, adjusted)),
        }
    }
}

/// Puts values of the rows in use back on the rows that were read.
pub(super) struct Spread<'a> {
    pub rows: Option<&'a [usize]>,
    pub rows_read: usize,
}

impl Spread<'_> {
    pub(super) fn step(&self, mut step: WeightStep) -> WeightStep {
        let Some(rows) = self.rows else { return step };
        let (mut weights, mut factors) = (vec![0.0; self.rows_read], vec![f64::NAN; self.rows_read]);
        for (at, &row) in rows.iter().enumerate() {
            weights[row] = step.weights[at];
            factors[row] = step.factors[at];
        }
        (step.weights, step.factors) = (weights, factors);
        step
    }
}
