//! The bundle of a run: signed once, when it is first asked for, and the same bytes ever after.

use std::collections::BTreeMap;

use super::{Clock, Keys, Refusal, archive, audit::prove};
use crate::{
    evidence::sha256_hex,
    export::bundle::{
        AboutRun, BundleFiles, CHECKPOINT_FILE, ENTRY_FILE, FinishEntry, KEYS_FILE, MANIFEST_FILE, PROOF_FILE,
        evidence_files, manifest,
    },
    storage::{Author, Database, KeptFile, Run, RunBundle},
};

/// A bundle with its archive.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Its files.
    pub files: BundleFiles,
    /// The archive.
    pub archive: Vec<u8>,
    /// SHA-256 of the archive.
    pub sha256: String,
}

/// The bundle of a run that succeeded; made and logged if this is the first time.
///
/// # Errors
/// `NoBundle` when no checkpoint covers the run's end yet or its files are not those of this version; `Stored` when
/// what is kept is not what was signed.
pub fn bundle_of(database: &Database, keys: &Keys, clock: &Clock, run: &Run, by: &Author) -> Result<Bundle, Refusal> {
    let mut files = BundleFiles::new();
    for file in database.whole_run_files(&run.id)? {
        if sha256_hex(&file.content) != file.sha256 {
            return Err(stored(format!("{} of run {} is not what its digest says", file.name, run.id)));
        }
        files.insert(file.name, file.content);
    }
    if let Some(kept) = database.run_bundle(&run.id)? {
        return assembled(files, kept);
    }
    let made = signed(database, keys, clock, run, &files)?;
    let kept = database.add_run_bundle(&made, by)?;
    assembled(files, kept)
}

/// A part of an archive: bytes of its own, or a kept file.
#[derive(Debug, Clone)]
pub enum ArchivePart {
    /// Bytes.
    Bytes(Vec<u8>),
    /// A file of the run.
    File(KeptFile),
}

/// A bundle's archive in parts, in their order, with the digest of the whole.
#[derive(Debug, Clone)]
pub struct ArchiveParts {
    /// The parts.
    pub parts: Vec<ArchivePart>,
    /// SHA-256 of all of them.
    pub sha256: String,
}

/// The archive of a run's bundle without ever being in memory whole, but for the first time, when it is signed.
///
/// # Errors
/// As [`bundle_of`].
pub fn archive_of(
    database: &Database,
    keys: &Keys,
    clock: &Clock,
    run: &Run,
    by: &Author,
) -> Result<ArchiveParts, Refusal> {
    let kept = match database.run_bundle(&run.id)? {
        Some(kept) => kept,
        None => {
            bundle_of(database, keys, clock, run, by)?;
            database.run_bundle(&run.id)?.ok_or_else(|| stored(format!("the bundle of run {} is gone", run.id)))?
        }
    };
    let sha256 = kept.sha256.clone();
    let mut files: BTreeMap<String, ArchivePart> = BTreeMap::new();
    for file in database.kept_run_files(&run.id)? {
        files.insert(file.name.clone(), ArchivePart::File(file));
    }
    files.extend(evidence_of(kept).map(|(name, bytes)| (name.to_owned(), ArchivePart::Bytes(bytes))));
    let mut parts = Vec::new();
    for (name, part) in files {
        let bytes = match &part {
            ArchivePart::Bytes(bytes) => bytes.len() as u64,
            ArchivePart::File(file) => u64::try_from(file.bytes).unwrap_or(0),
        };
        let head = archive::head_of(&name, bytes).map_err(|error| stored(error.to_string()))?;
        parts.extend([
            ArchivePart::Bytes(head.to_vec()),
            part,
            ArchivePart::Bytes(archive::padding_of(bytes).to_vec()),
        ]);
    }
    parts.push(ArchivePart::Bytes(archive::END.to_vec()));
    Ok(ArchiveParts { parts, sha256 })
}

fn evidence_of(kept: RunBundle) -> [(&'static str, Vec<u8>); 5] {
    let RunBundle { manifest, proof, entry, checkpoint, public_keys, .. } = kept;
    let text = String::into_bytes;
    [
        (MANIFEST_FILE, manifest),
        (PROOF_FILE, text(proof)),
        (ENTRY_FILE, text(entry)),
        (CHECKPOINT_FILE, text(checkpoint)),
        (KEYS_FILE, text(public_keys)),
    ]
}

fn signed(
    database: &Database,
    keys: &Keys,
    clock: &Clock,
    run: &Run,
    files: &BundleFiles,
) -> Result<RunBundle, Refusal> {
    let entry = finish_entry(database, run)?;
    let verifiers = keys.verifiers();
    let mut files: BundleFiles = files.clone().into_iter().chain(evidence_files(&entry, &verifiers)).collect();
    let signed_ms = clock.now_ms();
    let about = AboutRun {
        id: &run.id,
        engine: &run.engine,
        started_ms: run.started_at_ms.unwrap_or(run.created_at_ms),
        finished_ms: run.finished_at_ms.unwrap_or(run.created_at_ms),
        signed_ms,
    };
    let manifest = manifest(&files, &about, keys.signer()).map_err(|error| Refusal::NoBundle(error.to_string()))?;
    files.insert(MANIFEST_FILE.to_owned(), manifest.clone());
    let archive = pack(&files)?;
    let mut text = |name: &str| String::from_utf8(files.remove(name).unwrap_or_default()).unwrap_or_default();
    Ok(RunBundle {
        run_id: run.id.clone(),
        manifest,
        proof: text(PROOF_FILE),
        entry: text(ENTRY_FILE),
        checkpoint: text(CHECKPOINT_FILE),
        public_keys: text(KEYS_FILE),
        sha256: sha256_hex(&archive),
        bytes: i64::try_from(archive.len()).unwrap_or(i64::MAX),
        made_at_ms: signed_ms,
    })
}

/// The log's entry of the run's end, opened, with its proof.
fn finish_entry(database: &Database, run: &Run) -> Result<FinishEntry, Refusal> {
    let none = |why: &str| Refusal::NoBundle(format!("run {}: {why}", run.id));
    let entry = database.latest_audit_entry(&format!("run/{}", run.id), &["run.finish"])?;
    let entry = entry.ok_or_else(|| none("the audit log has no entry of its end"))?;
    let proof = prove(database, entry.seq)?.ok_or_else(|| none("no checkpoint covers its end yet"))?;
    let header = entry.header();
    match (entry.salt, entry.detail) {
        (Some(salt), Some(detail)) if proof.header == header.to_json() => Ok(FinishEntry { proof, salt, detail }),
        _ => Err(none("the detail of its end was erased")),
    }
}

fn assembled(mut files: BundleFiles, kept: RunBundle) -> Result<Bundle, Refusal> {
    let (run_id, sha256) = (kept.run_id.clone(), kept.sha256.clone());
    files.extend(evidence_of(kept).map(|(name, bytes)| (name.to_owned(), bytes)));
    let archive = pack(&files)?;
    if sha256_hex(&archive) != sha256 {
        return Err(stored(format!("the bundle of run {run_id} is not what its digest says")));
    }
    Ok(Bundle { files, archive, sha256 })
}

fn pack(files: &BundleFiles) -> Result<Vec<u8>, Refusal> {
    archive::pack(files).map_err(|error| stored(error.to_string()))
}

fn stored(message: String) -> Refusal {
    Refusal::Stored { what: "bundle", message }
}
