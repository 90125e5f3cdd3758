//! What a run is asked beyond its survey, as it is stored with the run.

use serde::{Deserialize, Serialize};

use crate::indicator::{SampleRelation, VarianceChoice};

/// What a run is asked; the default is Taylor variances and no comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// The variance method.
    #[serde(default)]
    pub variance: VarianceChoice,
    /// Which interviews count.
    #[serde(default, skip_serializing_if = "Include::is_default")]
    pub include: Include,
    /// The wave to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<EarlierRun>,
}

/// Which interviews a run counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    /// Those that two persons approved.
    #[default]
    Approved,
    /// Also those that may still be approved: the result is interim (临时结果).
    Interim,
}

impl Include {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::Approved
    }
}

/// An earlier run to compare with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierRun {
    /// The run.
    pub run: String,
    /// How its sample stands to this one's.
    #[serde(default)]
    pub samples: SampleRelation,
}

impl RunRequest {
    /// The bytes that are stored and that the inputs' digest covers.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| unreachable!("a request is plain text and numbers: {error}"))
    }
}
