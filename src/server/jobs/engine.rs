//! The engine of the runs: from a survey's inputs to its indicator and the files that show it.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{Include, NamedFile, Progress, RunFailure, RunInputs, RunStage};
use crate::{
    evidence::sha256_hex,
    export::{
        bundle::{EarlierSources, SourceTexts, source_files},
        run_files,
    },
    indicator::{
        self, EarlierWave, IndicatorError, RowIds, RunOptions, SampleRelation, SurveyInputs,
        files::{FileFaults, Margins, Regions, Sample, Targets},
        plan::CASES_FILE,
        results::{Status, SurveyHead},
    },
    instrument::{Disposition, ItemFault, Message, Questionnaire, Response, ScoringProfile, Submission, can_carry},
    statistics::{DataTable, Plan},
    storage::{AttemptOutcome, FileKind, JudgedBody, StoredQuestionnaire},
};

impl RunFailure {
    fn new(code: &str, message: impl ToString) -> Self {
        Self { code: code.to_owned(), message: message.to_string() }
    }
}

/// What the survey's files say, read and checked again: a run rests on the stored texts, not on rows derived from them.
struct Files {
    sample: Sample,
    margins: Option<Margins>,
    regions: Regions,
    targets: Targets,
}

/// Computes the indicator of a survey.
///
/// # Errors
/// What stands in the way of a result, with its code.
pub fn indicator(inputs: &RunInputs, progress: &Progress) -> Result<Vec<NamedFile>, RunFailure> {
    let questionnaire = Questionnaire::from_canonical_json(&inputs.questionnaire.canonical)
        .map_err(|faults| RunFailure::new("stored-questionnaire", faults))?;
    let profile = ScoringProfile::from_toml("profile.toml", &inputs.survey.profile_source)
        .map_err(|faults| RunFailure::new("stored-profile", faults))?;
    let mut files = read_files(inputs)?;
    // A reserve that was not released was never part of the sample.
    files.sample.cases.retain(|case| case.reserve_rank.is_none() || inputs.reserves.contains(&case.case_id));
    let earlier = earlier_versions(inputs, &questionnaire)?;
    let responses = read_responses(&questionnaire, &earlier, &inputs.bodies)?;
    let attempts = last_outcomes(&inputs.attempts);
    let options =
        RunOptions { variance: inputs.request.variance, earlier: read_earlier(inputs)?, watch: progress.watcher() };
    let survey = &inputs.survey;
    let digests = inputs.digests();
    let sources = sources(inputs, &digests);
    let inputs = SurveyInputs {
        survey: SurveyHead {
            code: survey.code.clone(),
            title: survey.title.clone(),
            place: survey.place.clone(),
            region: files.regions.root().map(|region| region.code.clone()),
            example: survey.example,
        },
        status: status(inputs),
        questionnaire: &questionnaire,
        profile: &profile,
        sample: &files.sample,
        margins: files.margins.as_ref(),
        regions: &files.regions,
        targets: &files.targets,
        responses: &responses,
        attempts: &attempts,
        options: &options,
        input_digest: sha256_hex(digests.as_bytes()),
        ids: RowIds::Derived,
    };
    let indicator = indicator::compute(&inputs).map_err(|error| match error {
        IndicatorError::Cancelled => RunFailure::cancelled(),
        error => RunFailure::new("not-computable", error),
    })?;
    progress.enter(RunStage::Writing)?;
    let files = run_files(&inputs, &indicator).into_iter().chain(source_files(&sources));
    Ok(files.map(|file| (file.name.to_owned(), file.content_type, file.bytes)).collect())
}

/// What the attempts of each case came to.
fn last_outcomes(attempts: &[AttemptOutcome]) -> BTreeMap<String, &'static Disposition> {
    let of_case = |attempts: &[AttemptOutcome]| {
        let last = Disposition::of_attempts(attempts.iter().map(|one| one.outcome.as_str()))?;
        Some((attempts.first()?.case_id.clone(), last))
    };
    attempts.chunk_by(|one, next| one.case_id == next.case_id).filter_map(of_case).collect()
}

/// The inputs go with what was made of them, so that a run stands alone whatever becomes of its survey.
fn sources<'a>(inputs: &'a RunInputs, digests: &'a str) -> SourceTexts<'a> {
    SourceTexts {
        inputs: digests,
        questionnaire: &inputs.questionnaire.canonical,
        questionnaire_source: &inputs.questionnaire.source,
        profile: &inputs.survey.profile_source,
        margins: inputs.file(FileKind::Margins),
        regions: inputs.file(FileKind::Regions),
        targets: inputs.file(FileKind::Targets),
        earlier: inputs.earlier.as_ref().map(|earlier| EarlierSources {
            results: &earlier.results.content,
            plan: &earlier.plan.content,
            cases: &earlier.cases.content,
        }),
    }
}

/// Final once nothing more can arrive and everything that counts is approved.
fn status(inputs: &RunInputs) -> Status {
    match inputs.request.include {
        Include::Approved if inputs.survey.state == "closed" => Status::Final,
        Include::Approved | Include::Interim => Status::Interim,
    }
}

fn read_files(inputs: &RunInputs) -> Result<Files, RunFailure> {
    let faulty = |faults: FileFaults| RunFailure::new("stored-file", faults);
    let text = |kind: FileKind| inputs.file(kind);
    Ok(Files {
        sample: Sample::parse("sample", text(FileKind::Sample).unwrap_or_default()).map_err(faulty)?,
        margins: text(FileKind::Margins).map(|t| Margins::parse("margins", t)).transpose().map_err(faulty)?,
        regions: text(FileKind::Regions)
            .map_or_else(|| Ok(Regions::default()), |t| Regions::parse("regions", t))
            .map_err(faulty)?,
        targets: text(FileKind::Targets)
            .map_or_else(|| Ok(Targets::default()), |t| Targets::parse("targets", t))
            .map_err(faulty)?,
    })
}

/// The earlier wave from the files of its run.
fn read_earlier(inputs: &RunInputs) -> Result<Option<EarlierWave>, RunFailure> {
    let (Some(of), Some(files)) = (&inputs.request.earlier, &inputs.earlier) else { return Ok(None) };
    let unreadable = |error: &dyn std::fmt::Display| RunFailure::new("earlier-run", format!("earlier run: {error}"));
    let results = serde_json::from_slice(&files.results.content).map_err(|error| unreadable(&error))?;
    let sample = match of.samples {
        SampleRelation::Independent => None,
        SampleRelation::SharedPsus => {
            let plan = std::str::from_utf8(&files.plan.content).map_err(|error| unreadable(&error))?;
            let plan = Plan::from_json(plan).map_err(|error| unreadable(&error))?;
            let cases = DataTable::from_csv(CASES_FILE, &files.cases.content, None);
            Some((plan, cases.map_err(|error| unreadable(&error))?))
        }
    };
    Ok(Some(EarlierWave { results, samples: of.samples, sample }))
}

/// The earlier versions, each held against the latest once more.
fn earlier_versions(inputs: &RunInputs, questionnaire: &Questionnaire) -> Result<Vec<Questionnaire>, RunFailure> {
    let read = |version: &StoredQuestionnaire| {
        let earlier = Questionnaire::from_canonical_json(&version.canonical)
            .map_err(|faults| RunFailure::new("stored-questionnaire", faults))?;
        let cannot = |faults: Vec<(String, Message)>| {
            let items: Vec<String> =
                faults.into_iter().map(|(item, message)| format!("{item}: {}", message.en)).collect();
            RunFailure::new("stored-questionnaire", items.join("; "))
        };
        can_carry(&earlier, questionnaire).map_err(cannot)?;
        Ok(earlier)
    };
    inputs.earlier_versions.iter().map(read).collect()
}

/// Parses the raw bytes again: what was accepted once is accepted now, or the run says which is not.
/// Each by the version it was made with, in its place among those by the latest.
fn read_responses(
    questionnaire: &Questionnaire,
    earlier: &[Questionnaire],
    bodies: &[JudgedBody],
) -> Result<Vec<Response>, RunFailure> {
    let read = |body: &JudgedBody| {
        let refused = |faults: Vec<ItemFault>| {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            let message = format!("stored response {} is not accepted any more: {first}", body.interview_id);
            RunFailure::new("stored-response", message)
        };
        let submission = Submission::parse(&body.body).map_err(refused)?;
        match earlier.iter().find(|version| version.hash() == submission.instrument) {
            Some(version) => {
                let response = Response::accept(version, &submission).map_err(refused)?;
                Ok(response.carried(version, questionnaire))
            }
            None => Response::accept(questionnaire, &submission).map_err(refused),
        }
    };
    bodies.par_iter().map(read).collect::<Vec<_>>().into_iter().collect()
}
