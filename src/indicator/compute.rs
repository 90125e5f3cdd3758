//! From a survey's inputs to its indicator: one plain function.

use super::{
    areas,
    cases::{self, CaseRecord},
    differences, estimates,
    files::{Margins, Regions, Sample, Targets},
    items,
    options::{RunOptions, VarianceChoice},
    plan, rates,
    results::{Method, RESULTS_SCHEMA, ResponseRates, Results, SampleSummary, Status, SurveyHead, VersionHead},
    rows, scores, tables,
    watch::Stage,
    waves, weights,
};
use crate::{
    indicator::Label,
    instrument::{
        Disposition,
        questionnaire::Questionnaire,
        response::Response,
        scoring::{ScoringProfile, score_all},
    },
    statistics::{self, Prepared, StatisticsError, plan::Plan, weighting::WeightStep},
};
use std::collections::BTreeMap;

/// Where the pseudonymous ids of the rows come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RowIds {
    /// From the response's own identifier, or the case's where nobody answered.
    #[default]
    Derived,
    /// The cases are named by their pseudonymous ids already: the inputs were read from the files of a run.
    OfCases,
}

/// Everything a run is computed from.
#[derive(Debug, Clone)]
pub struct SurveyInputs<'a> {
    /// The survey.
    pub survey: SurveyHead,
    /// Whether responses may still arrive.
    pub status: Status,
    /// The questionnaire version of the survey.
    pub questionnaire: &'a Questionnaire,
    /// The scoring profile.
    pub profile: &'a ScoringProfile,
    /// The sample.
    pub sample: &'a Sample,
    /// Population margins to rake to; without them the weights stop before raking.
    pub margins: Option<&'a Margins>,
    /// Names of regions.
    pub regions: &'a Regions,
    /// Targets to compare with.
    pub targets: &'a Targets,
    /// Accepted responses, at most one a case, in any order.
    pub responses: &'a [Response],
    /// What the attempts to reach each case came to, by case; none of a case that nobody tells anything of.
    pub attempts: &'a BTreeMap<String, &'static Disposition>,
    /// What the run was asked beyond its survey.
    pub options: &'a RunOptions,
    /// SHA-256 over the digests of every input.
    pub input_digest: String,
    /// Where the rows' ids come from.
    pub ids: RowIds,
}

/// What a run found, with the rows it was found from.
#[derive(Debug)]
pub struct Indicator<'a> {
    /// The results.
    pub results: Results,
    /// Every case with what became of it, sorted by id.
    pub records: Vec<CaseRecord<'a>>,
    /// The weighting steps; their rows are those of `records`.
    pub steps: Vec<WeightStep>,
    /// The analysis plan.
    pub plan: Plan,
}

/// Why a survey's indicator cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum IndicatorError {
    /// A response whose case the sample does not have.
    #[error("find case `{case}` of a response in the sample")]
    UnknownCase {
        /// The case.
        case: String,
    },
    /// Two responses that both claim to be the one of their case.
    #[error("take one response a case: case `{case}` has two")]
    TwoResponses {
        /// The case.
        case: String,
    },
    /// Two rows under one pseudonymous id.
    #[error("tell two rows apart: both have the pseudonymous id `{id}`")]
    SameId {
        /// The id.
        id: String,
    },
    /// Nothing to estimate from.
    #[error("estimate from {responses} response(s), none of which can carry a weight")]
    NobodyUsed {
        /// Accepted responses.
        responses: usize,
    },
    /// A margin for something that neither the sample nor the questionnaire knows.
    #[error("rake to the margin `{variable}`: neither the sample nor the questionnaire has such a column")]
    UnknownMargin {
        /// The margin's variable.
        variable: String,
    },
    /// The profile does not fit the questionnaire.
    #[error("score `{questionnaire}` by profile `{profile}`: {faults}")]
    ProfileDoesNotFit {
        /// Questionnaire id.
        questionnaire: String,
        /// Profile id.
        profile: String,
        /// Every fault.
        faults: String,
    },
    /// An earlier wave that was scored otherwise: levels under two profiles differ by rule, not by change.
    #[error("compare with {earlier}: it was scored by {theirs}, this survey by {ours}")]
    OtherProfile {
        /// The earlier survey.
        earlier: String,
        /// Its profile.
        theirs: String,
        /// This survey's.
        ours: String,
    },
    /// Shared units cannot be looked at.
    #[error("compare with {earlier} over shared units: {reason}")]
    SharedPsus {
        /// The earlier survey.
        earlier: String,
        /// Why.
        reason: &'static str,
    },
    /// Nobody waits for the result any more.
    #[error("compute: it was cancelled")]
    Cancelled,
    /// The statistics refuse.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
}

/// Scores, weights and estimates a survey, and compares it with its targets.
///
/// The same inputs give the same bits, whatever the order of the responses and the number of threads.
///
/// # Errors
/// [`IndicatorError`]: the inputs contradict each other, or the weights cannot meet the margins.
pub fn compute<'a>(inputs: &SurveyInputs<'a>) -> Result<Indicator<'a>, IndicatorError> {
    check(inputs)?;
    let watch = &inputs.options.watch;
    watch.at(Stage::Scoring, 0, 1)?;
    let outcomes = score_all(inputs.questionnaire, inputs.profile, inputs.responses);
    let records = cases::records(inputs, outcomes)?;
    let used = records.iter().filter(|record| record.is_used()).count();
    if used == 0 {
        return Err(IndicatorError::NobodyUsed { responses: inputs.responses.len() });
    }
    watch.at(Stage::Weighting, 0, 1)?;
    let plan = plan::analysis_plan(inputs.sample, inputs.margins, inputs.options.variance, cases::states(&records));
    let table = rows::table(inputs.sample, inputs.questionnaire, &records);
    let table = scores::with_columns(table, inputs.profile, &records);
    let prepared = statistics::prepare(&plan, &table, &BTreeMap::new())?;
    let results = results(inputs, &records, &prepared)?;
    Ok(Indicator { results, records, steps: prepared.steps().to_vec(), plan })
}

fn check(inputs: &SurveyInputs<'_>) -> Result<(), IndicatorError> {
    if let Err(faults) = inputs.profile.check_fit(inputs.questionnaire) {
        return Err(IndicatorError::ProfileDoesNotFit {
            questionnaire: inputs.questionnaire.id().to_owned(),
            profile: inputs.profile.id().to_owned(),
            faults: faults.to_string(),
        });
    }
    let known = |variable: &str| {
        cases::SAMPLE_COLUMNS.contains(&variable)
            || inputs.questionnaire.classifications().iter().any(|column| column.id == variable)
    };
    let margins = inputs.margins.iter().flat_map(|margins| &margins.margins);
    match margins.map(|margin| &margin.variable).find(|variable| !known(variable)) {
        Some(variable) => Err(IndicatorError::UnknownMargin { variable: variable.clone() }),
        None => Ok(()),
    }
}

fn results(
    inputs: &SurveyInputs<'_>,
    records: &[CaseRecord<'_>],
    prepared: &Prepared,
) -> Result<Results, IndicatorError> {
    let (questionnaire, profile) = (inputs.questionnaire, inputs.profile);
    let mut tables = estimates::tables(inputs, prepared)?;
    let small_area = areas::add(inputs.regions, &mut tables);
    let summary = prepared.summary();
    let response_rates = rates::response_rates(inputs, records);
    let mut results = Results {
        schema: RESULTS_SCHEMA.to_owned(),
        engine: concat!("scilit ", env!("CARGO_PKG_VERSION")).to_owned(),
        survey: inputs.survey.clone(),
        questionnaire: VersionHead {
            id: questionnaire.id().to_owned(),
            version: questionnaire.version().to_owned(),
            hash: questionnaire.hash().to_owned(),
            title: Label::new(questionnaire.title("zh-CN"), questionnaire.title("en")),
        },
        profile: VersionHead {
            id: profile.id().to_owned(),
            version: profile.version().to_owned(),
            hash: profile.hash().to_owned(),
            title: Label::new(profile.title("zh-CN"), profile.title("en")),
        },
        status: inputs.status,
        sample: sample_summary(inputs, records, &response_rates),
        response_rates,
        weights: weights::summary(inputs, prepared),
        method: Method {
            variance: inputs.options.variance.name().to_owned(),
            interval: "logit".to_owned(),
            level: plan::LEVEL,
            replicates: summary.replicates.map(|(replicates, _, _)| replicates),
            seed: match inputs.options.variance {
                VarianceChoice::Bootstrap { seed, .. } => Some(seed),
                VarianceChoice::Taylor | VarianceChoice::Jkn => None,
            },
            df: summary.df,
        },
        targets: inputs.targets.targets.clone(),
        tables,
        differences: differences::between_groups(inputs, prepared)?,
        scores: scores::summary(inputs, prepared)?,
        items: items::statistics(inputs, records, &prepared.weights_as_read()),
        small_area,
        changes: None,
        input_digest: inputs.input_digest.clone(),
        release: None,
    };
    if let Some(earlier) = &inputs.options.earlier {
        results.changes = Some(waves::changes(&results, prepared, earlier)?);
    }
    Ok(results)
}

fn sample_summary(
    inputs: &SurveyInputs<'_>,
    records: &[CaseRecord<'_>],
    response_rates: &[ResponseRates],
) -> SampleSummary {
    let (strata, psus) = cases::strata_and_psus(records);
    let used = records.iter().filter(|record| record.is_used()).count();
    let mut not_used = BTreeMap::new();
    for reason in records.iter().filter_map(|record| record.not_used.clone()) {
        *not_used.entry(reason).or_default() += 1;
    }
    SampleSummary {
        strata,
        psus,
        cases: records.len(),
        responses: inputs.responses.len(),
        used,
        not_used,
        response_rate: response_rates.first().and_then(|city| city.rates.rr1).unwrap_or(0.0),
    }
}

/// The tables' variables that are not overlapping groups, for files that need one column each.
#[must_use]
pub fn analysis_columns(questionnaire: &Questionnaire) -> Vec<String> {
    tables::classifications(questionnaire).map(|column| column.id.clone()).collect()
}
