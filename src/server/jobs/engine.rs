//! The engine of the runs: from a survey's inputs to its indicator.

use super::{NamedFile, RunFailure, RunInputs};

/// Computes the indicator of a survey.
///
/// # Errors
/// What stands in the way of a result, with its code.
pub fn indicator(inputs: &RunInputs) -> Result<Vec<NamedFile>, RunFailure> {
    let message = format!("this program computes no indicator for profile {}", inputs.survey.profile_id);
    Err(RunFailure { code: "no-engine".to_owned(), message })
}
