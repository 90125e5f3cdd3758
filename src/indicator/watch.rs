//! Telling where a computation stands, and asking whether anybody still wants it.

use std::{fmt, sync::Arc};

use super::IndicatorError;

/// What a computation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Points and tiers of each response.
    Scoring,
    /// Weights, and those of each replicate.
    Weighting,
    /// The tables, one by one.
    Estimating,
}

type Told = dyn Fn(Stage, usize, usize) -> bool + Send + Sync;

/// Somebody who waits for a computation; nobody by default. Nothing that is computed depends on it.
#[derive(Clone, Default)]
pub struct Watcher(Option<Arc<Told>>);

impl Watcher {
    /// Somebody who is told the stage and how many of its parts are done, and who says whether to go on.
    pub fn new(told: impl Fn(Stage, usize, usize) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(super) fn at(&self, stage: Stage, done: usize, of: usize) -> Result<(), IndicatorError> {
        let goes_on = self.0.as_ref().is_none_or(|told| told(stage, done, of));
        if goes_on { Ok(()) } else { Err(IndicatorError::Cancelled) }
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}
