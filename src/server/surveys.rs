//! Setting a survey up: its head, and the files it is computed from.

use jiff::civil::Date;

use super::{Clock, Fault, Instruments, Refusal, Text, instruments};
use crate::{
    evidence::sha256_hex,
    indicator::files::{FileFaults, Margins, Regions, Sample, Targets},
    instrument::can_carry,
    storage::{Author, Database, FileKind, NewFile, SampleCase, Survey},
};

/// A survey as it is asked for; shapes are checked, references are not.
#[derive(Debug, Clone)]
pub struct NewSurvey {
    /// Short name, unique.
    pub code: String,
    /// Title in Chinese.
    pub title: String,
    /// The place surveyed.
    pub place: String,
    /// Hash of the questionnaire version.
    pub questionnaire: String,
    /// The scoring profile's file.
    pub profile: String,
    /// First day of fieldwork.
    pub fieldwork_from: Date,
    /// Last day of fieldwork.
    pub fieldwork_to: Date,
    /// Whether the data are made up.
    pub example: bool,
}

/// Makes a survey.
///
/// # Errors
/// `UnknownQuestionnaire`; `Faults` of the profile, or when fieldwork ends before it begins; `CodeTaken`.
pub fn create_survey(
    database: &Database,
    instruments: &Instruments,
    new: NewSurvey,
    by: &Author,
    clock: &Clock,
) -> Result<Survey, Refusal> {
    let questionnaire = instruments.get(database, &new.questionnaire)?;
    let Some(questionnaire) = questionnaire else { return Err(Refusal::UnknownQuestionnaire(new.questionnaire)) };
    let profile = instruments::read_profile("profile.toml", &new.profile, &questionnaire).map_err(Refusal::Faults)?;
    if new.fieldwork_to < new.fieldwork_from {
        let text = Text::new("调查结束日期早于开始日期", "fieldwork ends before it begins");
        return Err(Refusal::Faults(vec![Fault::new("range", text).at("/fieldwork_to")]));
    }
    let survey = Survey {
        id: clock.uuid().to_string(),
        code: new.code,
        title: new.title,
        place: new.place,
        questionnaire_hash: new.questionnaire,
        profile_id: profile.id,
        profile_version: profile.version,
        profile_source: new.profile,
        fieldwork_from: new.fieldwork_from.to_string(),
        fieldwork_to: new.fieldwork_to.to_string(),
        example: new.example,
        state: "open".to_owned(),
        created_at_ms: clock.now_ms(),
    };
    database.create_survey(&survey, by)?;
    Ok(survey)
}

/// Gives a survey's new cases a later version of its questionnaire. Interviews by the earlier ones stay good: a case that
/// was given away keeps the version it was drawn by.
///
/// # Errors
/// `UnknownQuestionnaire`; `Faults` when it is another questionnaire, when an item of an earlier version has no place in it,
/// or when the survey's profile does not fit it.
pub fn set_questionnaire(
    database: &Database,
    instruments: &Instruments,
    survey: &Survey,
    hash: &str,
    by: &Author,
    clock: &Clock,
) -> Result<bool, Refusal> {
    let unknown = || Refusal::UnknownQuestionnaire(hash.to_owned());
    let later = instruments.get(database, hash)?.ok_or_else(unknown)?;
    let mut faults = Vec::new();
    for version in database.survey_versions(&survey.id)? {
        let earlier = instruments.get(database, &version)?.ok_or_else(unknown)?;
        if earlier.id() != later.id() {
            let text = Text::new("这不是本调查问卷的另一版本", "it is no version of the survey's questionnaire");
            return Err(Refusal::Faults(vec![Fault::new("other-questionnaire", text).at("/questionnaire")]));
        }
        for (item, message) in can_carry(&earlier, &later).err().unwrap_or_default() {
            let text = Text::new(message.zh, message.en);
            let fault = Fault { item: Some(item), ..Fault::new("item-changed", text) };
            faults.push(fault.at("/questionnaire"));
        }
    }
    if !faults.is_empty() {
        return Err(Refusal::Faults(faults));
    }
    instruments::read_profile("profile.toml", &survey.profile_source, &later).map_err(Refusal::Faults)?;
    Ok(database.set_survey_questionnaire(&survey.id, hash, by, clock.now_ms())?)
}

/// Checks a file whole and puts it into the survey; returns its version and whether it is new.
///
/// # Errors
/// `Faults` with every fault and its line; then the survey is as it was.
pub fn put_file(
    database: &Database,
    survey: &Survey,
    kind: FileKind,
    content: &str,
    by: &Author,
    clock: &Clock,
) -> Result<(i32, bool), Refusal> {
    let cases = check(&survey.id, kind, content).map_err(faults)?;
    let sha256 = sha256_hex(content.as_bytes());
    let file = NewFile { kind, sha256: &sha256, content, received_at_ms: clock.now_ms(), by };
    Ok(database.put_survey_file(&survey.id, file, &cases)?)
}

/// What a good file holds, before it is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedFile {
    /// Its digest.
    pub sha256: String,
    /// Whether this very file is in force.
    pub is_in_force: bool,
    /// What is in it, counted by kind in the order in which people ask for it.
    pub counts: Vec<(&'static str, usize)>,
}

/// Checks a file for a survey whole, as [`put_file`] does, and changes nothing.
///
/// # Errors
/// `Faults` with every fault and its line.
pub fn check_file(database: &Database, survey: &Survey, kind: FileKind, content: &str) -> Result<CheckedFile, Refusal> {
    let counts = counts(kind, content).map_err(faults)?;
    let sha256 = sha256_hex(content.as_bytes());
    let current = database.survey_file(&survey.id, kind)?;
    Ok(CheckedFile { is_in_force: current.is_some_and(|file| file.sha256 == sha256), sha256, counts })
}

fn counts(kind: FileKind, content: &str) -> Result<Vec<(&'static str, usize)>, FileFaults> {
    fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> usize {
        values.collect::<std::collections::BTreeSet<_>>().len()
    }
    Ok(match kind {
        FileKind::Sample => {
            let cases = Sample::parse("sample.csv", content)?.cases;
            let reserves = cases.iter().filter(|case| case.reserve_rank.is_some()).count();
            vec![
                ("cases", cases.len() - reserves),
                ("reserves", reserves),
                ("districts", distinct(cases.iter().map(|case| case.district.as_str()))),
                ("strata", distinct(cases.iter().map(|case| case.stratum.as_str()))),
                ("psus", distinct(cases.iter().map(|case| case.psu.as_str()))),
            ]
        }
        FileKind::Margins => {
            let margins = Margins::parse("margins.csv", content)?.margins;
            vec![("margins", margins.len())]
        }
        FileKind::Regions => vec![("regions", Regions::parse("regions.csv", content)?.regions.len())],
        FileKind::Targets => vec![("targets", Targets::parse("targets.toml", content)?.targets.len())],
    })
}

fn check(survey_id: &str, kind: FileKind, content: &str) -> Result<Vec<SampleCase>, FileFaults> {
    let none = Vec::new();
    match kind {
        FileKind::Sample => Sample::parse("sample.csv", content).map(|sample| rows(survey_id, &sample)),
        FileKind::Margins => Margins::parse("margins.csv", content).map(|_| none),
        FileKind::Regions => Regions::parse("regions.csv", content).map(|_| none),
        FileKind::Targets => Targets::parse("targets.toml", content).map(|_| none),
    }
}

fn faults(faults: FileFaults) -> Refusal {
    Refusal::Faults(faults.faults.into_iter().map(Fault::from).collect())
}

fn rows(survey_id: &str, sample: &Sample) -> Vec<SampleCase> {
    let probabilities = |case: &crate::indicator::files::SampleCase| {
        let named = sample.stages.iter().zip(&case.probabilities);
        let map: serde_json::Map<_, _> = named.map(|(stage, p)| (stage.clone(), (*p).into())).collect();
        serde_json::Value::Object(map).to_string()
    };
    let row = |case: &crate::indicator::files::SampleCase| SampleCase {
        survey_id: survey_id.to_owned(),
        case_id: case.case_id.clone(),
        district: case.district.clone(),
        stratum: case.stratum.clone(),
        psu: case.psu.clone(),
        residence: case.residence.code().to_owned(),
        probabilities: probabilities(case),
        reserve_rank: case.reserve_rank.and_then(|rank| i32::try_from(rank).ok()),
    };
    sample.cases.iter().map(row).collect()
}
