//! `inputs.json` read back: every input of a run by digest, and what the run was asked.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::indicator::{SampleRelation, VarianceChoice};

/// Every input by digest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputDigests {
    /// The questionnaire's hash.
    pub questionnaire: String,
    /// The hashes of the earlier versions of it that interviews could be made by.
    #[serde(default)]
    pub earlier_versions: Vec<String>,
    /// The scoring profile.
    pub profile: ProfileDigest,
    /// The survey's files by kind.
    pub files: BTreeMap<String, String>,
    /// The responses.
    pub responses: ResponsesDigest,
    /// The contact attempts, where tablets told of any.
    #[serde(default)]
    pub attempts: Option<ResponsesDigest>,
    /// The reserves that were released, where any was.
    #[serde(default)]
    pub reserves: Option<ResponsesDigest>,
    /// What the run was asked.
    pub request: Request,
    /// The earlier run's results.
    pub earlier: Option<String>,
}

/// The scoring profile.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileDigest {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The digest of its file.
    pub sha256: String,
}

/// The responses as they were kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponsesDigest {
    /// How many.
    pub n: u64,
    /// Over the lines `case id digest`; of attempts, `case id outcome time`; of reserves, `case`.
    pub sha256: String,
}

/// What the run was asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The variance method.
    #[serde(default)]
    pub variance: VarianceChoice,
    /// Which interviews counted.
    #[serde(default)]
    pub include: Option<String>,
    /// How the earlier run's sample stands to this one's, where the run was compared with one.
    #[serde(default)]
    pub samples: Option<SampleRelation>,
}
