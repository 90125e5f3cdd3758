//! Holding a bundle against itself, its signatures and the audit log, with nothing else at hand.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{
    BundleFault, BundleFiles, CHECKPOINT_FILE, EARLIER_RESULTS_FILE, ENTRY_FILE, INPUTS_FILE, KEYS_FILE, MANIFEST_FILE,
    MARGINS_FILE, PROFILE_FILE, PROOF_FILE, QUESTIONNAIRE_FILE, REGIONS_FILE, TARGETS_FILE, is_bundle_name,
    manifest::{OpenEntry, Read, bytes, digest, json, made_files, result_digest, text},
};
use crate::{
    evidence::{
        EntryHeader, Envelope, LogProof, PREDICATE_TYPE, RunPredicate, STATEMENT_TYPE, Statement, Verifier, commitment,
        sha256_hex,
    },
    indicator::SampleRelation,
};

/// What was found of a bundle that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What the manifest says.
    pub predicate: RunPredicate,
    /// The key that signed it.
    pub key: Verifier,
    /// Files beside the manifest.
    pub files: usize,
}

/// The detail of the log's entry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FinishDetail {
    inputs_sha256: String,
    files: BTreeMap<String, String>,
}

/// Reads public keys, one a line; none unless it is written as `public_keys.txt` is.
#[must_use]
pub fn read_keys(text: &str) -> Option<Vec<Verifier>> {
    let keys: Vec<Verifier> = text.lines().map(|line| line.parse().ok()).collect::<Option<_>>()?;
    let written: String = keys.iter().map(|key| format!("{key}\n")).collect();
    (!keys.is_empty() && written == text).then_some(keys)
}

/// Verifies a bundle with the keys that are trusted, or with its own when none are.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(files: &BundleFiles, trusted: Option<&[Verifier]>) -> Result<Verified, BundleFault> {
    let own = match trusted {
        Some(keys) => keys.to_vec(),
        None => read_keys(text(files, KEYS_FILE)?)
            .ok_or_else(|| BundleFault::contents(KEYS_FILE, "不是公钥列表", "it is no list of public keys"))?,
    };
    let envelope = Envelope::parse(bytes(files, MANIFEST_FILE)?).map_err(BundleFault::envelope)?;
    let key = *envelope.verify(&own).map_err(BundleFault::envelope)?;
    let statement = Statement::parse(&envelope.payload)
        .filter(|statement| statement.kind == STATEMENT_TYPE && statement.predicate_type == PREDICATE_TYPE)
        .ok_or_else(|| {
            BundleFault::contents(MANIFEST_FILE, "不是测算的声明", "its payload is no statement of a run")
        })?;
    subjects(files, &statement)?;
    log(files, &statement.predicate, &own)?;
    contents(files, &statement.predicate)?;
    Ok(Verified { predicate: statement.predicate, key, files: statement.subject.len() })
}

/// Exactly the files that are signed, each with its bytes.
fn subjects(files: &BundleFiles, statement: &Statement) -> Result<(), BundleFault> {
    let mut listed = BTreeSet::from([MANIFEST_FILE]);
    for subject in &statement.subject {
        let name = subject.name.as_str();
        if !is_bundle_name(name) || !listed.insert(name) {
            return Err(BundleFault::contents(MANIFEST_FILE, "文件清单有误", "it lists a file that it cannot list"));
        }
        let bytes = bytes(files, name)?;
        if subject.annotations.bytes != bytes.len() as u64 {
            let zh = format!("文件 {name} 应为 {} 字节，实为 {} 字节", subject.annotations.bytes, bytes.len());
            let en = format!("{name} should have {} bytes and has {}", subject.annotations.bytes, bytes.len());
            return Err(BundleFault::file(zh, en));
        }
        if subject.digest != digest(bytes) {
            return Err(BundleFault::file(
                format!("文件 {name} 被改动：摘要与清单不符"),
                format!("{name} was changed: its digest is not the one that was signed"),
            ));
        }
    }
    match files.keys().find(|name| !listed.contains(name.as_str())) {
        Some(extra) => {
            let (zh, en) = (format!("文件 {extra} 不在清单中"), format!("the file {extra} is not one that was signed"));
            Err(BundleFault::file(zh, en))
        }
        None => Ok(()),
    }
}

/// The log's entry of the run's end names these very files.
fn log(files: &BundleFiles, predicate: &RunPredicate, keys: &[Verifier]) -> Result<(), BundleFault> {
    let proof = LogProof::parse(text(files, PROOF_FILE)?).map_err(|error| BundleFault::proof(&error))?;
    let header = proof.verify(keys).map_err(|error| BundleFault::proof(&error))?;
    if proof.note != text(files, CHECKPOINT_FILE)? {
        return Err(BundleFault::log("检查点与证明中的不同", "the checkpoint is not the one in the proof"));
    }
    is_end_of(&header, predicate)?;
    let open: OpenEntry = json(files, ENTRY_FILE)?;
    if open.to_json() != bytes(files, ENTRY_FILE)? {
        return Err(BundleFault::contents(ENTRY_FILE, "格式有误", "it is not written as entries are"));
    }
    if unhex(&open.salt).is_none_or(|salt| commitment(&salt, &open.detail) != header.commitment) {
        let en = "the entry's detail is not the one that the log commits to";
        return Err(BundleFault::log("记录的详情与审计日志的承诺不符", en));
    }
    let detail: FinishDetail = serde_json::from_str(&open.detail)
        .map_err(|_| BundleFault::log("记录的详情无法解读", "the entry's detail cannot be read"))?;
    let made: BTreeMap<String, String> =
        made_files(files).map(|(name, bytes)| (name.clone(), sha256_hex(bytes))).collect();
    if detail.files != made || detail.inputs_sha256 != sha256_hex(bytes(files, INPUTS_FILE)?) {
        let en = "the audit log says that the run made other files";
        return Err(BundleFault::log("审计日志记载的文件与此不同", en));
    }
    Ok(())
}

fn is_end_of(header: &EntryHeader, predicate: &RunPredicate) -> Result<(), BundleFault> {
    let object = format!("run/{}", predicate.run_details.metadata.invocation_id);
    let is_end = header.action == "run.finish" && header.outcome == "done" && header.object == object;
    if is_end && u64::try_from(header.seq) == Ok(predicate.log.entry) {
        return Ok(());
    }
    let en = "the proof is not of the entry that this run ended with";
    Err(BundleFault::log("证明的不是本次测算结束的记录", en))
}

/// The manifest repeats what the files say, and the inputs are those that were named.
fn contents(files: &BundleFiles, predicate: &RunPredicate) -> Result<(), BundleFault> {
    let read = Read::of(files)?;
    let manifest = |zh, en| Err(BundleFault::contents(MANIFEST_FILE, zh, en));
    if predicate.counts != read.totals.counts(read.results.sample.cases as u64) {
        return manifest("计数与数据不符", "its counts are not those of the rows");
    }
    if predicate.control_totals != read.totals.control() {
        return manifest("控制总数与数据不符", "its control totals are not those of the rows");
    }
    if predicate.build_definition != read.build_definition() {
        return manifest("所述输入与 inputs.json 不符", "the inputs that it names are not those of inputs.json");
    }
    if predicate.log != read.log || predicate.result_digest != result_digest(files) {
        return manifest("所述日志位置或结果摘要有误", "its place in the log or its result digest is wrong");
    }
    if read.results.input_digest != sha256_hex(bytes(files, INPUTS_FILE)?) {
        return Err(BundleFault::contents("results.json", "输入摘要有误", "it was computed from other inputs"));
    }
    if read.results.engine != predicate.run_details.builder.id {
        return manifest("所述引擎与结果不符", "it names another engine than the results");
    }
    inputs(files, &read)
}

/// Every input whose bytes are here has the digest that the run named.
fn inputs(files: &BundleFiles, read: &Read) -> Result<(), BundleFault> {
    let named = &read.inputs;
    let of_kind = |kind: &str| named.files.get(kind).map(String::as_str);
    let shared = named.request.samples == Some(SampleRelation::SharedPsus);
    let expected = [
        (QUESTIONNAIRE_FILE, Some(named.questionnaire.as_str())),
        (PROFILE_FILE, Some(named.profile.sha256.as_str())),
        (MARGINS_FILE, of_kind("margins")),
        (REGIONS_FILE, of_kind("regions")),
        (TARGETS_FILE, of_kind("targets")),
        (EARLIER_RESULTS_FILE, named.earlier.as_deref()),
    ];
    for (name, sha256) in expected {
        let here = files.get(name).map(|bytes| sha256_hex(bytes));
        if here.as_deref() != sha256 {
            return Err(BundleFault::contents(name, "与 inputs.json 的摘要不符", "it is not the input that was named"));
        }
    }
    if read.totals.responses != named.responses.n {
        return Err(BundleFault::contents(INPUTS_FILE, "答卷数不符", "it names another number of responses"));
    }
    if shared && !files.contains_key(super::EARLIER_CASES_FILE) {
        return Err(BundleFault::missing(super::EARLIER_CASES_FILE));
    }
    Ok(())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).filter(|_| !c.is_uppercase()).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
