//! How the field work stands: cases by what became of them, and the people and tablets behind them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Clock, People, Refusal, Text};
use crate::{
    indicator::{Label, count_outcomes, files::Regions},
    instrument::{Disposition, DispositionGroup, NOT_ATTEMPTED},
    statistics::response_rates::{OutcomeCounts, OutcomeRates},
    storage::{Database, FieldedCase, FileKind, Survey, Visit},
};

/// How the field work of a survey stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// When this was counted.
    pub as_of_ms: i64,
    /// First day of field work.
    pub fieldwork_from: String,
    /// Last day of field work.
    pub fieldwork_to: String,
    /// `open` or `closed`.
    pub state: String,
    /// All districts that the asker sees.
    pub whole: DistrictProgress,
    /// Each district, in the order of their codes.
    pub districts: Vec<DistrictProgress>,
    /// Each sender of interviews and each holder of cases; persons first, in the order of their work ids and names.
    pub surveyors: Vec<SurveyorProgress>,
    /// Their tablets, those silent longest first.
    pub devices: Vec<DeviceProgress>,
}

/// How a district stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DistrictProgress {
    /// Its code; null for all of them.
    pub district: Option<String>,
    /// Its name.
    pub label: Text,
    /// Cases issued: those of the sample and the reserves released.
    pub issued: u64,
    /// Of them without reserves: what 完成率 is measured against.
    pub planned: u64,
    /// In somebody's hands now.
    pub assigned: u64,
    /// Tried once at least, or interviewed.
    pub tried: u64,
    /// An eligible person of the household was reached: I + P + R + O.
    pub contacted: u64,
    /// With an interview that is neither void nor surplus.
    pub completed: u64,
    /// Of these, not yet approved by anybody.
    pub waiting: u64,
    /// Sent back and not yet corrected.
    pub returned: u64,
    /// Approved by two persons, or locked.
    pub approved: u64,
    /// Cases by disposition so far, in the letters of the AAPOR.
    #[schema(value_type = Object)]
    pub counts: OutcomeCounts,
    /// The AAPOR's rates of these.
    #[schema(value_type = Object)]
    pub rates: OutcomeRates,
    /// 完成率: completed over planned cases, whoever was interviewed in their place. It is no response rate.
    pub completion: Option<f64>,
}

/// How a surveyor stands.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct SurveyorProgress {
    /// The person's id, or that of the token that handed in.
    pub id: String,
    /// The name; null for a token.
    pub name: Option<String>,
    /// 工作证号.
    pub work_id: Option<String>,
    /// Cases held now.
    pub assigned: u64,
    /// Of these without an interview that counts.
    pub open: u64,
    /// Visits told of.
    pub visits: u64,
    /// When the last of them was, by the tablet's clock.
    pub last_visit_ms: Option<i64>,
    /// Interviews handed in that are not void.
    pub interviews: u64,
    /// Of these approved by two persons, or locked.
    pub approved: u64,
    /// Not yet approved by anybody.
    pub waiting: u64,
    /// Sent back.
    pub returned: u64,
    /// Quarantined.
    pub quarantined: u64,
    /// Surplus.
    pub surplus: u64,
    /// In conflict, or asked to be taken out.
    pub disputed: u64,
    /// Visits that ended with a refusal.
    pub refusals: u64,
    /// Records not yet sent, on all tablets of the person.
    pub unsent: i64,
    /// When a tablet of the person was last heard of.
    pub last_seen_ms: Option<i64>,
}

/// A tablet, as far as the field work goes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DeviceProgress {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// Whose it is.
    pub user: String,
    /// The person's name.
    pub name: Option<String>,
    /// `active`, `lost` or `retired`.
    pub status: String,
    /// When it was last heard of.
    pub last_seen_ms: i64,
    /// Records not yet sent, as it last said; null when it never did.
    pub queue_len: Option<i64>,
    /// When the oldest of them was finished.
    pub oldest_unsent_ms: Option<i64>,
}

/// A case with what became of it so far.
#[derive(Debug)]
pub struct CaseStanding {
    /// The case.
    pub case: FieldedCase,
    /// What it came to so far.
    pub disposition: &'static Disposition,
    /// Visits told of.
    pub visits: u64,
}

/// The cases in force of the region with what became of each, in the order of their ids, and the visits to them. What is
/// made of the visits is what a run makes of them, so that a rate here and there is the same number.
///
/// # Errors
/// Whatever the database refused.
pub fn standings(
    database: &Database,
    survey: &Survey,
    scope: &str,
) -> Result<(Vec<CaseStanding>, Vec<Visit>), Refusal> {
    let cases = database.fielded_cases(&survey.id, scope)?;
    let known: BTreeSet<&str> = cases.iter().map(|case| case.case_id.as_str()).collect();
    let mut visits = database.survey_visits(&survey.id)?;
    visits.retain(|visit| known.contains(visit.case_id.as_str()));
    drop(known);
    let mut by_case: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for visit in &visits {
        by_case.entry(&visit.case_id).or_default().push(&visit.outcome);
    }
    let standing = |case: FieldedCase| {
        let outcomes = by_case.get(case.case_id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let disposition =
            Disposition::final_of(Disposition::of_attempts(outcomes.iter().copied()), case.interview.is_some());
        CaseStanding { disposition, visits: outcomes.len() as u64, case }
    };
    let standings = cases.into_iter().map(standing).collect();
    Ok((standings, visits))
}

/// Names of the survey's districts.
///
/// # Errors
/// Whatever the database refused.
pub fn regions(database: &Database, survey_id: &str) -> Result<Regions, Refusal> {
    let file = database.survey_file(survey_id, FileKind::Regions)?;
    Ok(file.and_then(|file| Regions::parse("regions.csv", &file.content).ok()).unwrap_or_default())
}

/// Counts how the field work stands in a region; one query a table, whatever their number of rows.
///
/// # Errors
/// Whatever the database refused.
pub fn progress(database: &Database, survey: &Survey, scope: &str, clock: &Clock) -> Result<Progress, Refusal> {
    let regions = regions(database, &survey.id)?;
    let (cases, visits) = standings(database, survey, scope)?;
    let mut by_district: BTreeMap<&str, Vec<&CaseStanding>> = BTreeMap::new();
    for case in &cases {
        by_district.entry(&case.case.district).or_default().push(case);
    }
    let all: Vec<&CaseStanding> = cases.iter().collect();
    let root = regions.root().map_or_else(|| Label::same(&survey.place), |region| region.name.clone());
    let sent = database.sent_counts(&survey.id, scope)?;
    let people = People::read(database)?;
    let surveyors = people.surveyors(&cases, &visits, &sent);
    let devices = people.devices(&surveyors);
    Ok(Progress {
        as_of_ms: clock.now_ms(),
        fieldwork_from: survey.fieldwork_from.clone(),
        fieldwork_to: survey.fieldwork_to.clone(),
        state: survey.state.clone(),
        whole: district(None, root, &all),
        districts: by_district
            .into_iter()
            .map(|(code, cases)| district(Some(code.to_owned()), regions.name(code), &cases))
            .collect(),
        surveyors,
        devices,
    })
}

fn district(code: Option<String>, label: Label, cases: &[&CaseStanding]) -> DistrictProgress {
    let count = |is: fn(&CaseStanding) -> bool| cases.iter().filter(|case| is(case)).count() as u64;
    let counts = count_outcomes(cases.iter().map(|case| case.disposition));
    let planned = count(|case| !case.case.is_reserve);
    let completed = counts.complete + counts.partial;
    DistrictProgress {
        district: code,
        label: Text { zh: label.zh, en: label.en },
        issued: cases.len() as u64,
        planned,
        assigned: count(|case| case.case.holder.is_some()),
        tried: count(|case| *case.disposition != NOT_ATTEMPTED),
        contacted: counts.eligible() - counts.non_contact,
        completed,
        waiting: count(|case| case.stands(&["parsed", "under_review"])),
        returned: count(|case| case.stands(&["returned"])),
        approved: count(|case| case.stands(&["approved_l2", "locked"])),
        counts,
        rates: counts.rates(),
        completion: (planned > 0).then(|| completed as f64 / planned as f64),
    }
}

impl CaseStanding {
    /// Whether somebody still has to go there: no interview counts, and nobody refused, was found not eligible or cannot be
    /// interviewed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let group = self.disposition.group();
        self.case.interview.is_none() && (group.is_unknown() || group == DispositionGroup::NonContact)
    }

    fn stands(&self, states: &[&str]) -> bool {
        self.case.interview.as_ref().is_some_and(|(state, _)| states.contains(&state.as_str()))
    }
}
