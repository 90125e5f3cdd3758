//! Weights: from inclusion probabilities to weights that meet known totals, every step with its diagnostics.
//!
//! Notation: d_i is a weight before a step, w_i after it, g_i = w_i / d_i the step's factor.

pub mod adjust;
pub mod calibrate;
pub mod diagnostics;
pub mod margins;
pub mod nonresponse;
pub mod poststratify;
mod propensity;
pub mod rake;
pub mod residual;
pub mod trim;

pub use adjust::{Adjusted, Adjuster, Start};
pub use diagnostics::{MarginLine, StepDiagnostics, WeightStep, kish_deff};
