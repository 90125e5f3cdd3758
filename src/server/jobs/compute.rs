//! One run: everything it reads from the database, the indicator's computation, the files it leaves.

use rayon::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

use super::{Computed, RunFailure};
use crate::{
    evidence::sha256_hex,
    export::run_files,
    indicator::{
        self, SurveyInputs,
        files::{FileFaults, Margins, Regions, Sample, Targets},
        results::{Status, SurveyHead},
    },
    instrument::{Questionnaire, Response, ScoringProfile, Submission},
    storage::{Database, FileKind, JudgedBody, StorageError, StoredFile, Survey},
};

impl RunFailure {
    fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

impl From<StorageError> for RunFailure {
    fn from(error: StorageError) -> Self {
        Self::new("storage", error.to_string())
    }
}

impl From<FileFaults> for RunFailure {
    fn from(faults: FileFaults) -> Self {
        Self::new("stored-file", faults.to_string())
    }
}

/// What the survey's files say, read and checked again: the run rests on the stored texts, not on derived rows.
struct Files {
    sample: Sample,
    margins: Option<Margins>,
    regions: Regions,
    targets: Targets,
    digests: BTreeMap<String, String>,
}

/// Computes the run from what the database holds at its beginning.
pub(super) fn compute(database: &Database, run_id: &str) -> Result<Computed, RunFailure> {
    let survey = survey_of(database, run_id)?;
    let questionnaire = questionnaire_of(database, &survey)?;
    let profile = ScoringProfile::from_toml("profile.toml", &survey.profile_source)
        .map_err(|faults| RunFailure::new("stored-profile", faults.to_string()))?;
    let mut files = read_files(database, &survey.id)?;
    let bodies = database.counted_bodies(&survey.id)?;
    let responses = read_responses(&questionnaire, &bodies)?;
    files.digests.insert("questionnaire".to_owned(), questionnaire.hash().to_owned());
    files.digests.insert("profile".to_owned(), profile.hash().to_owned());
    files.digests.insert("responses".to_owned(), responses_digest(&bodies));
    let inputs = SurveyInputs {
        survey: SurveyHead {
            code: survey.code.clone(),
            title: survey.title.clone(),
            place: survey.place.clone(),
            region: files.regions.root().map(|region| region.code.clone()),
            example: survey.example,
        },
        status: if survey.state == "closed" { Status::Final } else { Status::Interim },
        questionnaire: &questionnaire,
        profile: &profile,
        sample: &files.sample,
        margins: files.margins.as_ref(),
        regions: &files.regions,
        targets: &files.targets,
        responses: &responses,
        input_digests: files.digests.clone(),
    };
    let computed = indicator::compute(&inputs).map_err(|error| RunFailure::new("not-computable", error.to_string()))?;
    let files = run_files(&inputs, &computed).into_iter();
    Ok(Computed {
        inputs: json!(inputs.input_digests).to_string(),
        files: files.map(|file| (file.name.to_owned(), file.content_type, file.bytes)).collect(),
    })
}

fn survey_of(database: &Database, run_id: &str) -> Result<Survey, RunFailure> {
    let run = database.run(run_id)?.ok_or_else(|| RunFailure::new("internal", "the run is not in the database"))?;
    let survey = database.survey(&run.survey_id)?;
    survey.ok_or_else(|| RunFailure::new("internal", "the run's survey is not in the database"))
}

fn questionnaire_of(database: &Database, survey: &Survey) -> Result<Questionnaire, RunFailure> {
    let row = database.questionnaire(&survey.questionnaire_hash)?;
    let row = row.ok_or_else(|| RunFailure::new("internal", "the survey's questionnaire is not in the database"))?;
    Questionnaire::from_canonical_json(&row.canonical)
        .map_err(|faults| RunFailure::new("stored-questionnaire", faults.to_string()))
}

fn read_files(database: &Database, survey_id: &str) -> Result<Files, RunFailure> {
    let mut digests = BTreeMap::new();
    let mut stored = |kind: FileKind| -> Result<Option<StoredFile>, RunFailure> {
        let file = database.survey_file(survey_id, kind)?;
        if let Some(file) = &file {
            digests.insert(kind.name().to_owned(), file.sha256.clone());
        }
        Ok(file)
    };
    let sample = stored(FileKind::Sample)?.ok_or_else(|| RunFailure::new("no-sample", "the survey has no sample"))?;
    let margins = stored(FileKind::Margins)?;
    let regions = stored(FileKind::Regions)?;
    let targets = stored(FileKind::Targets)?;
    Ok(Files {
        sample: Sample::parse("sample", &sample.content)?,
        margins: margins.map(|file| Margins::parse("margins", &file.content)).transpose()?,
        regions: regions.map(|file| Regions::parse("regions", &file.content)).transpose()?.unwrap_or_default(),
        targets: targets.map(|file| Targets::parse("targets", &file.content)).transpose()?.unwrap_or_default(),
        digests,
    })
}

/// Parses the raw bytes again: what was accepted once is accepted now, or the run says which is not.
fn read_responses(questionnaire: &Questionnaire, bodies: &[JudgedBody]) -> Result<Vec<Response>, RunFailure> {
    let read = |body: &JudgedBody| {
        let refused = |fault: &str| {
            let message = format!("stored response {} is not accepted any more: {fault}", body.interview_id);
            RunFailure::new("stored-response", message)
        };
        let submission = Submission::parse(&body.body).map_err(|faults| refused(&first(&faults)))?;
        Response::accept(questionnaire, &submission).map_err(|faults| refused(&first(&faults)))
    };
    bodies.par_iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

fn first(faults: &[crate::instrument::ItemFault]) -> String {
    faults.first().map_or_else(String::new, ToString::to_string)
}

/// One digest for all responses, by id, whatever the order of their arrival.
fn responses_digest(bodies: &[JudgedBody]) -> String {
    let mut lines: Vec<String> = bodies.iter().map(|body| format!("{} {}\n", body.interview_id, body.sha256)).collect();
    lines.sort();
    sha256_hex(lines.concat().as_bytes())
}
