//! What a run may be asked beyond its survey: the variance method, and an earlier wave to compare with.

use serde::{Deserialize, Serialize};

use super::{results::Results, watch::Watcher};
use crate::statistics::{
    data::DataTable,
    plan::{Construct, DfPlan, LonelyPolicy, Plan, ReplicatesPlan, VarianceMethod, VariancePlan},
};

/// How a run estimates variances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum VarianceChoice {
    /// Taylor linearization with calibration residuals.
    #[default]
    Taylor,
    /// Delete one primary sampling unit at a time; every replicate is calibrated again.
    Jkn,
    /// Rao and Wu's bootstrap; every replicate is calibrated again.
    Bootstrap {
        /// How many replicates, at least 2.
        replicates: u16,
        /// The seed: the same seed gives the same bits.
        seed: u64,
    },
}

impl VarianceChoice {
    /// The name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Taylor => "taylor",
            Self::Jkn => "jkn",
            Self::Bootstrap { .. } => "bootstrap",
        }
    }

    pub(super) fn plan(self) -> VariancePlan {
        // A stratum that fieldwork has left with one PSU is common early on; centring it at the mean of all is the
        // conservative policy, and the plan says that it was used.
        let of = |replicates: Option<ReplicatesPlan>| VariancePlan {
            method: if replicates.is_some() { VarianceMethod::Replicate } else { VarianceMethod::Taylor },
            lonely_psu: LonelyPolicy::Adjust,
            df: replicates.is_some().then_some(DfPlan::Design),
            replicates,
            ..VariancePlan::default()
        };
        match self {
            Self::Taylor => of(None),
            Self::Jkn => of(Some(ReplicatesPlan { construct: Some(Construct::Jkn), ..ReplicatesPlan::default() })),
            Self::Bootstrap { replicates, seed } => of(Some(ReplicatesPlan {
                construct: Some(Construct::Bootstrap),
                replicates: Some(usize::from(replicates)),
                seed: Some(seed),
                ..ReplicatesPlan::default()
            })),
        }
    }
}

/// How the samples of two waves stand to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleRelation {
    /// Drawn independently; equal unit ids mean nothing.
    #[default]
    Independent,
    /// Primary sampling units with the same stratum and id are the same places: their shares move together.
    SharedPsus,
}

/// An earlier wave, read from the files of its run.
#[derive(Debug, Clone)]
pub struct EarlierWave {
    /// Its results.
    pub results: Results,
    /// How its sample stands to this one's.
    pub samples: SampleRelation,
    /// Its plan and its cases; needed with shared units only.
    pub sample: Option<(Plan, DataTable)>,
}

/// What a run is asked beyond its survey.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The variance method.
    pub variance: VarianceChoice,
    /// The wave to compare with.
    pub earlier: Option<EarlierWave>,
    /// Who waits for the result.
    pub watch: Watcher,
}
