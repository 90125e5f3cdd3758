//! Making the manifest: what a run made from what, with everything that vouches for it, signed.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};

use super::{
    BundleFault, BundleFiles, CHECKPOINT_FILE, ENTRY_FILE, EVIDENCE_FILES, INPUTS_FILE, InputDigests, KEYS_FILE,
    MANIFEST_FILE, PROOF_FILE, Totals, totals,
};
use crate::{
    evidence::{
        BuildDefinition, Builder, Dependency, Envelope, ExternalParameters, FileDigest, LogPlace, LogProof, Metadata,
        PREDICATE_TYPE, RunDetails, RunPredicate, STATEMENT_TYPE, SignedCheckpoint, Signer, Size, Statement, Subject,
        Verifier, sha256_hex,
    },
    export::{PERSONS_FILE, RESULTS_FILE},
    indicator::results::Results,
};

/// The kind of computation.
pub(super) const BUILD_TYPE: &str = "urn:scilit:run:v1#engine";

/// What is known of a run beside its files.
#[derive(Debug, Clone, Copy)]
pub struct AboutRun<'a> {
    /// Its id.
    pub id: &'a str,
    /// Name and version of the program that computed it.
    pub engine: &'a str,
    /// When it began, epoch milliseconds.
    pub started_ms: i64,
    /// When it ended, epoch milliseconds.
    pub finished_ms: i64,
    /// Now, epoch milliseconds.
    pub signed_ms: i64,
}

/// The audit log's entry of a run's end, opened, with its proof.
#[derive(Debug, Clone)]
pub struct FinishEntry {
    /// The proof with the checkpoint.
    pub proof: LogProof,
    /// The entry's salt.
    pub salt: Vec<u8>,
    /// The entry's detail.
    pub detail: String,
}

/// Why there is no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The run's files are not those of this engine.
    #[error("make the manifest: {0}")]
    Files(String),
    /// The run's time is none.
    #[error("make the manifest: a time of the run is out of range")]
    Time,
}

impl From<BundleFault> for ManifestError {
    fn from(fault: BundleFault) -> Self {
        Self::Files(fault.to_string())
    }
}

/// Salt and detail of an entry as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenEntry {
    pub(super) salt: String,
    pub(super) detail: String,
}

impl OpenEntry {
    pub(super) fn to_json(&self) -> Vec<u8> {
        let json = serde_json::to_string(self);
        (json.unwrap_or_else(|error| unreachable!("an entry is plain text: {error}")) + "\n").into_bytes()
    }
}

/// The files that vouch for a run's own.
#[must_use]
pub fn evidence_files(entry: &FinishEntry, keys: &[Verifier]) -> BundleFiles {
    let salt = entry.salt.iter().map(|byte| format!("{byte:02x}")).collect();
    let open = OpenEntry { salt, detail: entry.detail.clone() };
    let keys: String = keys.iter().map(|key| format!("{key}\n")).collect();
    [
        (PROOF_FILE, entry.proof.to_text().into_bytes()),
        (ENTRY_FILE, open.to_json()),
        (CHECKPOINT_FILE, entry.proof.note.clone().into_bytes()),
        (KEYS_FILE, keys.into_bytes()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into()
}

/// Signs a statement about the files, those of [`evidence_files`] among them.
///
/// # Errors
/// `Files` when they are not what this engine writes.
pub fn manifest(files: &BundleFiles, about: &AboutRun<'_>, signer: &Signer) -> Result<Vec<u8>, ManifestError> {
    let read = Read::of(files)?;
    let subject = |(name, bytes): (&String, &Vec<u8>)| Subject {
        name: name.clone(),
        digest: digest(bytes),
        annotations: Size { bytes: bytes.len() as u64 },
    };
    let statement = Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject: files.iter().map(subject).collect(),
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: RunPredicate {
            build_definition: read.build_definition(),
            run_details: run_details(about)?,
            counts: read.totals.counts(read.results.sample.cases as u64),
            control_totals: read.totals.control(),
            log: read.log,
            result_digest: result_digest(files),
        },
    };
    Ok(Envelope::sign(statement.to_json(), signer).to_json().into_bytes())
}

fn run_details(about: &AboutRun<'_>) -> Result<RunDetails, ManifestError> {
    let time = |ms| jiff::Timestamp::from_millisecond(ms).map(|time| time.to_string()).map_err(|_| ManifestError::Time);
    Ok(RunDetails {
        builder: Builder { id: about.engine.to_owned() },
        metadata: Metadata {
            invocation_id: about.id.to_owned(),
            started_on: time(about.started_ms)?,
            finished_on: time(about.finished_ms)?,
            signed_on: time(about.signed_ms)?,
        },
    })
}

/// What the statement repeats of the files' contents.
pub(super) struct Read {
    pub(super) results: Results,
    pub(super) inputs: InputDigests,
    pub(super) request: serde_json::Value,
    pub(super) totals: Totals,
    pub(super) log: LogPlace,
}

impl Read {
    pub(super) fn of(files: &BundleFiles) -> Result<Self, BundleFault> {
        let results = json::<Results>(files, RESULTS_FILE)?;
        let inputs = json::<InputDigests>(files, INPUTS_FILE)?;
        let request = json::<serde_json::Value>(files, INPUTS_FILE)?["request"].take();
        let totals = totals(bytes(files, PERSONS_FILE)?)
            .map_err(|fault| BundleFault::contents(PERSONS_FILE, "不是测算写出的格式", fault))?;
        let log = log_place(files)?;
        Ok(Self { results, inputs, request, totals, log })
    }

    pub(super) fn build_definition(&self) -> BuildDefinition {
        let results = &self.results;
        let status = match results.status {
            crate::indicator::results::Status::Interim => "interim",
            crate::indicator::results::Status::Final => "final",
        };
        BuildDefinition {
            build_type: BUILD_TYPE.to_owned(),
            external_parameters: ExternalParameters {
                survey: results.survey.code.clone(),
                status: status.to_owned(),
                questionnaire: format!("{} {}", results.questionnaire.id, results.questionnaire.version),
                profile: format!("{} {}", results.profile.id, results.profile.version),
                request: self.request.clone(),
            },
            resolved_dependencies: self.dependencies(),
        }
    }

    fn dependencies(&self) -> Vec<Dependency> {
        let of = |name: &str, sha256: &str| Dependency {
            name: name.to_owned(),
            digest: FileDigest { sha256: sha256.to_owned() },
            annotations: BTreeMap::new(),
        };
        let inputs = &self.inputs;
        let mut all = vec![of("questionnaire", &inputs.questionnaire), of("profile", &inputs.profile.sha256)];
        all.extend(inputs.files.iter().map(|(kind, sha256)| of(kind, sha256)));
        let mut responses = of("responses", &inputs.responses.sha256);
        responses.annotations.insert("n".to_owned(), inputs.responses.n.to_string());
        all.push(responses);
        all.extend(inputs.earlier.as_ref().map(|sha256| of("earlier_results", sha256)));
        all
    }
}

pub(super) fn bytes<'a>(files: &'a BundleFiles, name: &str) -> Result<&'a [u8], BundleFault> {
    files.get(name).map(Vec::as_slice).ok_or_else(|| BundleFault::missing(name))
}

pub(super) fn text<'a>(files: &'a BundleFiles, name: &str) -> Result<&'a str, BundleFault> {
    let fault = || BundleFault::contents(name, "不是 UTF-8 文本", "it is no UTF-8");
    std::str::from_utf8(bytes(files, name)?).map_err(|_| fault())
}

pub(super) fn json<T: serde::de::DeserializeOwned>(files: &BundleFiles, name: &str) -> Result<T, BundleFault> {
    let fault = |error: serde_json::Error| BundleFault::contents(name, "无法解读", &error.to_string());
    serde_json::from_slice(bytes(files, name)?).map_err(fault)
}

fn log_place(files: &BundleFiles) -> Result<LogPlace, BundleFault> {
    let proof = LogProof::parse(text(files, PROOF_FILE)?).map_err(|error| BundleFault::proof(&error))?;
    let signed = SignedCheckpoint::parse(&proof.note).map_err(|error| BundleFault::note(&error))?;
    let root = signed.checkpoint.root.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(LogPlace { entry: proof.index, size: signed.checkpoint.size, root })
}

/// The digest over the files that are a plain function of the run's inputs.
pub(super) fn result_digest(files: &BundleFiles) -> FileDigest {
    let mut lines = String::new();
    for (name, bytes) in made_files(files) {
        writeln!(lines, "{name} {}", sha256_hex(bytes)).expect("writing to a string does not fail");
    }
    digest(lines.as_bytes())
}

/// The files that the run made, without those that vouch for them.
pub(super) fn made_files(files: &BundleFiles) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    files.iter().filter(|(name, _)| *name != MANIFEST_FILE && !EVIDENCE_FILES.contains(&name.as_str()))
}

pub(super) fn digest(bytes: &[u8]) -> FileDigest {
    FileDigest { sha256: sha256_hex(bytes) }
}
