//! Everything a run computes from, read in one go and named by digest, so that anyone can see what went in.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Include, RunFailure, RunRequest};
use crate::{
    evidence::sha256_hex,
    export::{PLAN_FILE, RESULTS_FILE},
    indicator::{SampleRelation, VarianceChoice, plan::CASES_FILE},
    storage::{
        AttemptOutcome, Database, FileKind, JudgedBody, RunFile, StorageError, StoredFile, StoredQuestionnaire, Survey,
    },
};

/// What a run computes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunInputs {
    /// The survey's head with its scoring profile.
    pub survey: Survey,
    /// The questionnaire version.
    pub questionnaire: StoredQuestionnaire,
    /// Earlier versions of it that interviews may be made by, in the order of their hashes.
    pub earlier_versions: Vec<StoredQuestionnaire>,
    /// The files in force, by kind.
    pub files: BTreeMap<&'static str, StoredFile>,
    /// The bytes of every interview that counts, in the order of their cases' bytes.
    pub bodies: Vec<JudgedBody>,
    /// The reserves that were released, in the order of their bytes.
    pub reserves: Vec<String>,
    /// The contact attempts, in the order of case, time and id.
    pub attempts: Vec<AttemptOutcome>,
    /// What the run was asked beyond its survey.
    pub request: RunRequest,
    /// The files of the earlier run that it is compared with.
    pub earlier: Option<EarlierFiles>,
}

/// What a comparison needs of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierFiles {
    /// Its results.
    pub results: RunFile,
    /// Its plan.
    pub plan: RunFile,
    /// Its cases.
    pub cases: RunFile,
}

#[derive(Serialize)]
struct Digests<'a> {
    questionnaire: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier_versions: Vec<&'a str>,
    profile: ProfileDigest<'a>,
    files: BTreeMap<&'a str, &'a str>,
    responses: ResponsesDigest,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<ResponsesDigest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reserves: Option<ResponsesDigest>,
    request: RequestDigest<'a>,
    /// The earlier run's results; they name everything behind them.
    earlier: Option<&'a str>,
}

/// The request without the name of the earlier run: names are made anew on each server, and the same inputs must have the
/// same digest on all of them. What that run found stands beside it by digest.
#[derive(Serialize)]
struct RequestDigest<'a> {
    variance: &'a VarianceChoice,
    #[serde(skip_serializing_if = "Include::is_default")]
    include: Include,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<SampleRelation>,
}

#[derive(Serialize)]
struct ProfileDigest<'a> {
    id: &'a str,
    version: &'a str,
    sha256: String,
}

#[derive(Serialize)]
struct ResponsesDigest {
    n: usize,
    /// Of the lines `case id digest`, one a response, in the order of the cases; of attempts `case id outcome time`, of reserves
    /// `case`.
    sha256: String,
}

impl RunInputs {
    pub(super) fn read(database: &Database, run_id: &str) -> Result<Self, RunFailure> {
        let missing =
            |what: &str| RunFailure { code: "missing-input".to_owned(), message: format!("there is no {what}") };
        let run = database.run(run_id).map_err(away)?.ok_or_else(|| missing("run"))?;
        let survey = database.survey(&run.survey_id).map_err(away)?.ok_or_else(|| missing("survey"))?;
        let hash = &survey.questionnaire_hash;
        let questionnaire = database.questionnaire(hash).map_err(away)?.ok_or_else(|| missing("questionnaire"))?;
        let mut earlier_versions = Vec::new();
        for version in database.survey_versions(&survey.id).map_err(away)?.iter().filter(|version| *version != hash) {
            earlier_versions
                .push(database.questionnaire(version).map_err(away)?.ok_or_else(|| missing("questionnaire"))?);
        }
        let mut files = BTreeMap::new();
        for kind in FileKind::ALL {
            if let Some(file) = database.survey_file(&survey.id, kind).map_err(away)? {
                files.insert(kind.name(), file);
            }
        }
        if !files.contains_key(FileKind::Sample.name()) {
            return Err(missing("sample file"));
        }
        let request: RunRequest =
            serde_json::from_str(&run.request).map_err(|_| missing("request that can be read"))?;
        let earlier = request.earlier.as_ref().map(|of| EarlierFiles::read(database, &of.run)).transpose()?;
        let bodies = database.counted_bodies(&survey.id, request.include == Include::Interim).map_err(away)?;
        if bodies.is_empty() {
            return Err(RunFailure { code: "no-responses".to_owned(), message: "no response counts yet".to_owned() });
        }
        if bodies.iter().any(|body| body.body.is_empty()) {
            let message = "the raw responses were deleted after the years that they must be kept".to_owned();
            return Err(RunFailure { code: "raw-deleted".to_owned(), message });
        }
        let attempts = database.survey_attempts(&survey.id).map_err(away)?;
        let reserves = database.released_reserves(&survey.id).map_err(away)?;
        Ok(Self { survey, questionnaire, earlier_versions, files, bodies, reserves, attempts, request, earlier })
    }

    /// The text of a file in force.
    pub fn file(&self, kind: FileKind) -> Option<&str> {
        self.files.get(kind.name()).map(|file| file.content.as_str())
    }

    /// Every input by digest, as JSON with its keys in a fixed order.
    pub fn digests(&self) -> String {
        let lines = |body: &JudgedBody| format!("{} {} {}\n", body.case_id, body.interview_id, body.sha256);
        let list: String = self.bodies.iter().map(lines).collect();
        let digests = Digests {
            questionnaire: &self.questionnaire.hash,
            earlier_versions: self.earlier_versions.iter().map(|version| version.hash.as_str()).collect(),
            profile: ProfileDigest {
                id: &self.survey.profile_id,
                version: &self.survey.profile_version,
                sha256: sha256_hex(self.survey.profile_source.as_bytes()),
            },
            files: self.files.iter().map(|(kind, file)| (*kind, file.sha256.as_str())).collect(),
            responses: ResponsesDigest { n: self.bodies.len(), sha256: sha256_hex(list.as_bytes()) },
            attempts: self.attempts_digest(),
            reserves: digest_of(self.reserves.iter().map(|case| format!("{case}\n"))),
            request: RequestDigest {
                variance: &self.request.variance,
                include: self.request.include,
                samples: self.request.earlier.as_ref().map(|of| of.samples),
            },
            earlier: self.earlier.as_ref().map(|files| files.results.sha256.as_str()),
        };
        serde_json::to_string(&digests).unwrap_or_default()
    }

    fn attempts_digest(&self) -> Option<ResponsesDigest> {
        let line = |one: &AttemptOutcome| format!("{} {} {} {}\n", one.case_id, one.id, one.outcome, one.at_ms);
        digest_of(self.attempts.iter().map(line))
    }
}

/// None of nothing, so that what a survey does not have is not among its inputs.
fn digest_of(lines: impl ExactSizeIterator<Item = String>) -> Option<ResponsesDigest> {
    let n = lines.len();
    (n > 0).then(|| ResponsesDigest { n, sha256: sha256_hex(lines.collect::<String>().as_bytes()) })
}

impl EarlierFiles {
    fn read(database: &Database, run_id: &str) -> Result<Self, RunFailure> {
        let file = |name: &str| {
            let missing = || RunFailure {
                code: "missing-input".to_owned(),
                message: format!("the earlier run {run_id} has no file {name}"),
            };
            database.run_file(run_id, name).map_err(away)?.ok_or_else(missing)
        };
        Ok(Self { results: file(RESULTS_FILE)?, plan: file(PLAN_FILE)?, cases: file(CASES_FILE)? })
    }
}

fn away(error: StorageError) -> RunFailure {
    RunFailure { code: "storage".to_owned(), message: error.to_string() }
}
