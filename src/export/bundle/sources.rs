//! The inputs of a run as files beside what it made of them.

use super::{
    EARLIER_CASES_FILE, EARLIER_PLAN_FILE, EARLIER_RESULTS_FILE, INPUTS_FILE, MARGINS_FILE, PROFILE_FILE,
    QUESTIONNAIRE_FILE, QUESTIONNAIRE_SOURCE_FILE, REGIONS_FILE, TARGETS_FILE,
};
use crate::export::NamedFile;

/// The texts that a run was computed from. The sample and the raw responses are not among them: they hold case ids and
/// times, and stand in `cases.csv` and `answers.csv` without.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceTexts<'a> {
    /// Every input by digest.
    pub inputs: &'a str,
    /// The questionnaire's canonical form.
    pub questionnaire: &'a str,
    /// The questionnaire's file.
    pub questionnaire_source: &'a str,
    /// The profile's file.
    pub profile: &'a str,
    /// The margins.
    pub margins: Option<&'a str>,
    /// The regions.
    pub regions: Option<&'a str>,
    /// The targets.
    pub targets: Option<&'a str>,
    /// The earlier run.
    pub earlier: Option<EarlierSources<'a>>,
}

/// The files of an earlier run.
#[derive(Debug, Clone, Copy)]
pub struct EarlierSources<'a> {
    /// Its results.
    pub results: &'a [u8],
    /// Its plan.
    pub plan: &'a [u8],
    /// Its cases.
    pub cases: &'a [u8],
}

/// The files, byte for byte as they came.
#[must_use]
pub fn source_files(texts: &SourceTexts<'_>) -> Vec<NamedFile> {
    let (json, toml, csv) = ("application/json", "application/toml", "text/csv; charset=utf-8");
    let earlier = texts.earlier.as_ref();
    let all = [
        (INPUTS_FILE, json, Some(texts.inputs.as_bytes())),
        (QUESTIONNAIRE_FILE, json, Some(texts.questionnaire.as_bytes())),
        (QUESTIONNAIRE_SOURCE_FILE, toml, Some(texts.questionnaire_source.as_bytes())),
        (PROFILE_FILE, toml, Some(texts.profile.as_bytes())),
        (MARGINS_FILE, csv, texts.margins.map(str::as_bytes)),
        (REGIONS_FILE, csv, texts.regions.map(str::as_bytes)),
        (TARGETS_FILE, toml, texts.targets.map(str::as_bytes)),
        (EARLIER_RESULTS_FILE, json, earlier.map(|files| files.results)),
        (EARLIER_PLAN_FILE, json, earlier.map(|files| files.plan)),
        (EARLIER_CASES_FILE, csv, earlier.map(|files| files.cases)),
    ];
    let file = |(name, content_type, bytes): (&'static str, &'static str, Option<&[u8]>)| {
        Some(NamedFile { name, content_type, bytes: bytes?.to_vec() })
    };
    all.into_iter().filter_map(file).collect()
}
