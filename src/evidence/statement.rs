//! What a run says of itself: an in-toto Statement v1 whose predicate names inputs, program, counts and totals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The type of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The type of the predicate.
pub const PREDICATE_TYPE: &str = "urn:scilit:run:v1";

/// An in-toto statement about a run's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// Every file beside the manifest, in the order of their names.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said of them.
    pub predicate: RunPredicate,
}

/// A file by name, digest and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: FileDigest,
    /// Its size.
    pub annotations: Size,
}

/// A digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDigest {
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

/// A size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Number of bytes.
    pub bytes: u64,
}

/// How the files came to be. `buildDefinition` and `runDetails` have the form of SLSA provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RunPredicate {
    /// What was computed from what.
    pub build_definition: BuildDefinition,
    /// Who computed it, and when.
    pub run_details: RunDetails,
    /// How many.
    pub counts: Counts,
    /// Exact sums over `responses_weighted.csv`.
    pub control_totals: ControlTotals,
    /// Where the audit log says so.
    pub log: LogPlace,
    /// SHA-256 over the lines `name digest` of the files that the run made: equal for equal inputs, whenever and
    /// wherever it is computed.
    pub result_digest: FileDigest,
}

/// What was computed from what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BuildDefinition {
    /// The kind of computation.
    pub build_type: String,
    /// What was asked.
    pub external_parameters: ExternalParameters,
    /// Every input by digest.
    pub resolved_dependencies: Vec<Dependency>,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalParameters {
    /// Code of the survey.
    pub survey: String,
    /// `interim` or `final`.
    pub status: String,
    /// Id and version of the questionnaire.
    pub questionnaire: String,
    /// Id and version of the scoring profile.
    pub profile: String,
    /// What the run was asked beyond its survey.
    pub request: serde_json::Value,
}

/// An input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// What it is.
    pub name: String,
    /// Its digest.
    pub digest: FileDigest,
    /// What else is known of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Who computed it, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunDetails {
    /// The program.
    pub builder: Builder,
    /// The run.
    pub metadata: Metadata,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Builder {
    /// Name and version.
    pub id: String,
}

/// The run. Times are the server's, RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Metadata {
    /// Its id.
    pub invocation_id: String,
    /// When it began.
    pub started_on: String,
    /// When it ended.
    pub finished_on: String,
    /// When this statement was signed.
    pub signed_on: String,
}

/// Cases and responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Cases of the sample.
    pub cases: u64,
    /// Responses.
    pub responses: u64,
    /// Responses that carry a weight.
    pub used: u64,
}

/// Exact sums, as decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ControlTotals {
    /// Σ weight.
    pub weight: String,
    /// Σ weight × score.
    pub weight_times_score: String,
    /// Σ weight of those who are literate.
    pub weight_of_literate: String,
}

/// The log's entry of the run's end, and the checkpoint that covers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPlace {
    /// The entry's place.
    pub entry: u64,
    /// Entries that the checkpoint covers.
    pub size: u64,
    /// The checkpoint's root in lower-case hex.
    pub root: String,
}

impl Statement {
    /// The bytes that are signed: JSON with its fields in the order above, no blanks.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_else(|error| unreachable!("a statement is plain text and numbers: {error}"))
    }

    /// Reads the bytes; none unless they are exactly what [`Statement::to_json`] writes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(bytes).ok()?;
        (read.to_json() == bytes).then_some(read)
    }
}
