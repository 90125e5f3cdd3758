//! The bundle of a run: one folder from which an outsider computes everything again, with no database.
//!
//! The engine writes its inputs beside what it makes of them ([`source_files`]); a [`manifest`](manifest::manifest)
//! signs them all; [`verify`] holds a bundle against itself, its signatures and the audit log; [`recompute`] runs
//! the engine on it.

mod answers;
mod codebook;
mod datapackage;
mod fault;
mod inputs;
mod manifest;
mod recompute;
mod sources;
mod totals;
mod verify;

use std::collections::BTreeMap;

pub(super) use answers::answers_csv;
pub(super) use codebook::codebook;
pub(super) use datapackage::{Resource, datapackage};

pub use fault::{BundleFault, FaultKind};
pub use inputs::InputDigests;
pub use manifest::{AboutRun, FinishEntry, ManifestError, evidence_files, manifest};
pub use recompute::recompute;
pub use sources::{EarlierSources, SourceTexts, source_files};
pub use totals::{Totals, totals};
pub use verify::{Verified, read_keys, verify};

/// The files of a bundle by name.
pub type BundleFiles = BTreeMap<String, Vec<u8>>;

/// The signed statement about every other file.
pub const MANIFEST_FILE: &str = "manifest.dsse.json";
/// The signed checkpoint of the audit log.
pub const CHECKPOINT_FILE: &str = "checkpoint.txt";
/// The proof that the checkpoint covers the entry of the run's end.
pub const PROOF_FILE: &str = "audit_proof.txt";
/// Salt and detail of that entry.
pub const ENTRY_FILE: &str = "audit_entry.json";
/// The server's public keys.
pub const KEYS_FILE: &str = "public_keys.txt";
/// Every input by digest.
pub const INPUTS_FILE: &str = "inputs.json";
/// The answers as codes.
pub const ANSWERS_FILE: &str = "answers.csv";
/// What the columns and codes mean.
pub const CODEBOOK_FILE: &str = "codebook.md";
/// The tables' columns for programs.
pub const DATAPACKAGE_FILE: &str = "datapackage.json";
/// The questionnaire whose SHA-256 is its hash.
pub const QUESTIONNAIRE_FILE: &str = "questionnaire.json";
/// The questionnaire as it was published.
pub const QUESTIONNAIRE_SOURCE_FILE: &str = "questionnaire.toml";
/// The scoring profile.
pub const PROFILE_FILE: &str = "profile.toml";
/// The margins, where there are any.
pub const MARGINS_FILE: &str = "margins.csv";
/// The regions, where there are any.
pub const REGIONS_FILE: &str = "regions.csv";
/// The targets, where there are any.
pub const TARGETS_FILE: &str = "targets.toml";
/// Results of the earlier run, where one is compared with.
pub const EARLIER_RESULTS_FILE: &str = "earlier_results.json";
/// Plan of the earlier run.
pub const EARLIER_PLAN_FILE: &str = "earlier_plan.json";
/// Cases of the earlier run.
pub const EARLIER_CASES_FILE: &str = "earlier_cases.csv";

/// Files that vouch for the others and that no run makes.
pub const EVIDENCE_FILES: [&str; 4] = [PROOF_FILE, ENTRY_FILE, CHECKPOINT_FILE, KEYS_FILE];

/// The most files a bundle can have: every name above and the nine of the run.
pub const FILES_MAX: usize = 27;

/// Whether a bundle can hold a file of this name.
#[must_use]
pub fn is_bundle_name(name: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.');
    (1..=64).contains(&name.len()) && name.bytes().all(is_sign) && !name.starts_with('.')
}
