//! Where a run stands, and whether anybody still wants it: kept in memory, because it means nothing once the run ended.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use super::RunFailure;
use crate::{
    indicator::{Stage, Watcher},
    storage::CANCELLED,
};

/// What a run is doing, in the order in which it does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunStage {
    /// Reading its inputs and the answers.
    Reading,
    /// Points and tiers.
    Scoring,
    /// Weights.
    Weighting,
    /// The tables.
    Estimating,
    /// Its files.
    Writing,
}

impl RunStage {
    const ALL: [Self; 5] = [Self::Reading, Self::Scoring, Self::Weighting, Self::Estimating, Self::Writing];

    /// Its name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Scoring => "scoring",
            Self::Weighting => "weighting",
            Self::Estimating => "estimating",
            Self::Writing => "writing",
        }
    }

    /// Where it begins and ends, in thousandths of a usual run.
    fn span(self) -> (u32, u32) {
        match self {
            Self::Reading => (0, 250),
            Self::Scoring => (250, 350),
            Self::Weighting => (350, 600),
            Self::Estimating => (600, 900),
            Self::Writing => (900, 1000),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    /// Thousandths that are done; the stage follows from them.
    done: AtomicU32,
    is_cancelled: AtomicBool,
}

/// The standing of one run. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<State>);

impl Progress {
    /// The stage, and the share of the whole that is done.
    #[must_use]
    pub fn standing(&self) -> (RunStage, f64) {
        let done = self.0.done.load(Ordering::Relaxed);
        let stage = RunStage::ALL.into_iter().rev().find(|stage| stage.span().0 <= done);
        (stage.unwrap_or(RunStage::Reading), f64::from(done) / 1000.0)
    }

    /// Nobody wants the run any more; it ends at its next step.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether nobody wants it any more.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Relaxed)
    }

    /// Begins a stage.
    ///
    /// # Errors
    /// When the run was cancelled.
    pub fn enter(&self, stage: RunStage) -> Result<(), RunFailure> {
        if self.step(stage, 0, 1) { Ok(()) } else { Err(RunFailure::cancelled()) }
    }

    fn step(&self, stage: RunStage, done: usize, of: usize) -> bool {
        let (begin, end) = stage.span();
        let share = u32::try_from(done.min(of) * (end - begin) as usize / of.max(1)).unwrap_or(0);
        // The end of a stage is the beginning of the next, which says so itself.
        self.0.done.fetch_max(begin + share.min(end - begin - 1), Ordering::Relaxed);
        !self.is_cancelled()
    }

    /// The computation's side of it.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        let progress = self.clone();
        Watcher::new(move |stage, done, of| {
            let stage = match stage {
                Stage::Scoring => RunStage::Scoring,
                Stage::Weighting => RunStage::Weighting,
                Stage::Estimating => RunStage::Estimating,
            };
            progress.step(stage, done, of)
        })
    }
}

impl RunFailure {
    /// What a run ends with that nobody wants any more.
    #[must_use]
    pub fn cancelled() -> Self {
        Self { code: CANCELLED.to_owned(), message: "it was cancelled".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_only_goes_forward_and_ends_where_it_was_cancelled() {
        let progress = Progress::default();
        assert_eq!(progress.standing(), (RunStage::Reading, 0.0));
        assert!(progress.step(RunStage::Estimating, 1, 2));
        assert_eq!(progress.standing(), (RunStage::Estimating, 0.75));
        assert!(progress.step(RunStage::Estimating, 2, 2));
        assert_eq!(progress.standing().0, RunStage::Estimating, "the next stage begins by itself");
        assert!(progress.enter(RunStage::Scoring).is_ok());
        assert_eq!(progress.standing().0, RunStage::Estimating);
        progress.clone().cancel();
        assert_eq!(progress.enter(RunStage::Writing), Err(RunFailure::cancelled()));
    }
}
