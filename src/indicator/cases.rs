//! What became of each case: who answered, who can carry a weight, in which weighting class.

use super::{
    IndicatorError, RowIds, SurveyInputs,
    files::{Sample, SampleCase},
    plan,
};
use crate::instrument::{Disposition, DispositionGroup, NOT_ATTEMPTED, response::Response, scoring::Outcome};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Fewest respondents of a weighting class before it takes in its whole district: with fewer, one person would carry
/// several households' weight and the factor would be mostly noise.
const CLASS_RESPONDENTS_MIN: usize = 5;

/// Analysis columns that the sample gives, not the questionnaire.
pub const SAMPLE_COLUMNS: [&str; 2] = ["district", "residence"];

/// One case with what became of it.
#[derive(Debug, Clone)]
pub struct CaseRecord<'a> {
    /// Pseudonymous id: `r…` with a response, `c…` without.
    pub id: String,
    /// The case.
    pub case: &'a SampleCase,
    /// Its response.
    pub response: Option<&'a Response>,
    /// What scoring made of the response.
    pub outcome: Option<Outcome>,
    /// Category in each analysis column of the questionnaire.
    pub columns: BTreeMap<String, Option<String>>,
    /// Why the response carries no weight.
    pub not_used: Option<String>,
    /// What became of the case in the field.
    pub disposition: &'static Disposition,
    /// Inverse of the person's selection probability within the household.
    pub person_factor: Option<f64>,
    /// The class within which respondents carry nonrespondents' weight.
    pub weighting_class: String,
}

impl CaseRecord<'_> {
    /// Whether the case has a response that carries a weight.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.response.is_some() && self.not_used.is_none()
    }

    /// The state of the case in the plan's words.
    ///
    /// A case that nobody tells anything of counts as an eligible nonrespondent: so nothing depends on whether the
    /// tablets of a survey tell of their visits at all.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match (self.is_used(), self.disposition.group()) {
            (true, _) => plan::RESPONDENT,
            (false, DispositionGroup::NotEligible) => plan::INELIGIBLE,
            (false, group) if group.is_unknown() && *self.disposition != NOT_ATTEMPTED => plan::UNKNOWN,
            (false, _) => plan::NONRESPONDENT,
        }
    }

    /// The category in an analysis column, of the sample or of the questionnaire.
    #[must_use]
    pub fn category(&self, column: &str) -> Option<&str> {
        match column {
            "district" => Some(&self.case.district),
            "residence" => Some(self.case.residence.code()),
            _ => self.columns.get(column)?.as_deref(),
        }
    }

    /// 1 for 具备科学素质, 0 for not; none without a score.
    #[must_use]
    pub fn literate(&self) -> Option<bool> {
        self.outcome.as_ref()?.score().map(|score| score.literate)
    }
}

/// Joins responses to their cases, scores and classifies them; the records are sorted by id.
pub(super) fn records<'a>(
    inputs: &SurveyInputs<'a>,
    outcomes: Vec<Outcome>,
) -> Result<Vec<CaseRecord<'a>>, IndicatorError> {
    let mut by_case: BTreeMap<&str, (&Response, Outcome)> = BTreeMap::new();
    for (response, outcome) in inputs.responses.iter().zip(outcomes) {
        if inputs.sample.case(&response.case).is_none() {
            return Err(IndicatorError::UnknownCase { case: response.case.clone() });
        }
        if by_case.insert(&response.case, (response, outcome)).is_some() {
            return Err(IndicatorError::TwoResponses { case: response.case.clone() });
        }
    }
    let margins = inputs.margins.map(|margins| margins.margins.iter().map(|m| m.variable.as_str()).collect());
    let margins: Vec<&str> = margins.unwrap_or_default();
    let mut records: Vec<CaseRecord<'a>> = (inputs.sample.cases.par_iter())
        .map(|case| record(inputs, case, by_case.get(case.case_id.as_str()), &margins))
        .collect();
    records.sort_by(|a, b| a.id.cmp(&b.id));
    if let Some(pair) = records.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(IndicatorError::SameId { id: pair[0].id.clone() });
    }
    assign_classes(&mut records);
    Ok(records)
}

fn record<'a>(
    inputs: &SurveyInputs<'a>,
    case: &'a SampleCase,
    answered: Option<&(&'a Response, Outcome)>,
    margins: &[&str],
) -> CaseRecord<'a> {
    let given = inputs.ids == RowIds::OfCases;
    let id_of = |kind, bytes: &[u8]| if given { case.case_id.clone() } else { pseudonym(kind, bytes) };
    let mut record = CaseRecord {
        id: id_of('c', format!("{}/{}", inputs.survey.code, case.case_id).as_bytes()),
        case,
        response: None,
        outcome: None,
        columns: BTreeMap::new(),
        not_used: None,
        disposition: Disposition::final_of(inputs.attempts.get(&case.case_id).copied(), answered.is_some()),
        person_factor: None,
        weighting_class: String::new(),
    };
    if let Some((response, outcome)) = answered {
        record.id = if given { case.case_id.clone() } else { response_pseudonym(&response.id) };
        record.response = Some(response);
        record.columns = inputs.questionnaire.classify(response);
        record.outcome = Some(outcome.clone());
        record.person_factor = response.person_probability().map(|probability| 1.0 / probability);
        record.not_used = why_not_used(&record, margins);
    }
    record
}

fn why_not_used(record: &CaseRecord<'_>, margins: &[&str]) -> Option<String> {
    if record.literate().is_none() {
        return Some("not_scored".to_owned());
    }
    if record.person_factor.is_none() {
        return Some("no_selection".to_owned());
    }
    margins.iter().find(|column| record.category(column).is_none()).map(|column| format!("no_{column}"))
}

/// The name that a run's files give the response with this id.
#[must_use]
pub fn response_pseudonym(id: &Uuid) -> String {
    pseudonym('r', id.as_bytes())
}

/// `kind` and 16 hexadecimal digits of SHA-256; the letter keeps spreadsheets from reading a number.
fn pseudonym(kind: char, bytes: &[u8]) -> String {
    let digest = Sha256::new_with_prefix(b"scilit/pseudonym/1/").chain_update(bytes).finalize();
    let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}{digits}")
}

/// District × residence, or the whole district where one of its classes has too few respondents.
fn assign_classes(records: &mut [CaseRecord<'_>]) {
    let class = |case: &SampleCase| (case.district.clone(), case.residence);
    let mut respondents: BTreeMap<_, usize> = BTreeMap::new();
    for record in records.iter() {
        *respondents.entry(class(record.case)).or_default() += usize::from(record.is_used());
    }
    let thin: Vec<String> = (respondents.into_iter())
        .filter(|(_, respondents)| *respondents < CLASS_RESPONDENTS_MIN)
        .map(|((district, _), _)| district)
        .collect();
    for record in records {
        let SampleCase { district, residence, .. } = record.case;
        record.weighting_class =
            if thin.contains(district) { district.clone() } else { format!("{district}/{}", residence.code()) };
    }
}

/// Strata and primary sampling units with a used response.
pub(super) fn strata_and_psus(records: &[CaseRecord<'_>]) -> (usize, usize) {
    let distinct = |key: fn(&SampleCase) -> &str| {
        let used = records.iter().filter(|record| record.is_used());
        used.map(|record| key(record.case)).collect::<std::collections::BTreeSet<_>>().len()
    };
    (distinct(|case| &case.stratum), distinct(|case| &case.psu))
}

/// Districts of the sample, sorted by code.
pub(super) fn districts(sample: &Sample) -> Vec<String> {
    let codes: std::collections::BTreeSet<_> = sample.cases.iter().map(|case| case.district.clone()).collect();
    codes.into_iter().collect()
}

/// Which states the plan must know of.
pub(super) fn states(records: &[CaseRecord<'_>]) -> plan::CaseStates {
    let any = |state| records.iter().any(|record| record.status() == state);
    plan::CaseStates { unknown: any(plan::UNKNOWN), ineligible: any(plan::INELIGIBLE) }
}
