//! Where the server meets the instrument: reading, caching and judging with published questionnaires.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Fault, Refusal, Text};
use crate::{
    instrument::{Faults, ItemFault, Questionnaire, Response, ScoringProfile, Submission},
    storage::Database,
};

/// Published questionnaires, each read once: they never change. Cloning shares them.
#[derive(Clone, Default)]
pub struct Instruments(Arc<Mutex<BTreeMap<String, Arc<Questionnaire>>>>);

impl std::fmt::Debug for Instruments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Instruments")
    }
}

impl Instruments {
    /// The published version with this hash.
    ///
    /// # Errors
    /// `Storage` when the database cannot say, `Stored` when the stored form cannot be read any more.
    pub fn get(&self, database: &Database, hash: &str) -> Result<Option<Arc<Questionnaire>>, Refusal> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(hash) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(row) = database.questionnaire(hash)? else { return Ok(None) };
        let questionnaire = Questionnaire::from_canonical_json(&row.canonical)
            .map_err(|faults| Refusal::Stored { what: "questionnaire", message: faults.to_string() })?;
        let questionnaire = Arc::new(questionnaire);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(hash.to_owned(), Arc::clone(&questionnaire));
        Ok(Some(questionnaire))
    }
}

/// A scoring profile's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProfileName {
    pub(super) id: String,
    pub(super) version: String,
}

pub(super) fn read_questionnaire(file: &str, source: &str) -> Result<Questionnaire, Vec<Fault>> {
    Questionnaire::from_toml(file, source).map_err(file_faults)
}

pub(super) fn read_profile(file: &str, source: &str, questionnaire: &Questionnaire) -> Result<ProfileName, Vec<Fault>> {
    let profile = ScoringProfile::from_toml(file, source).map_err(file_faults)?;
    profile.check_fit(questionnaire).map_err(file_faults)?;
    Ok(ProfileName { id: profile.id().to_owned(), version: profile.version().to_owned() })
}

fn file_faults(faults: Faults) -> Vec<Fault> {
    let fault = |fault: &crate::instrument::Fault| Fault {
        file: Some(fault.place.clone()),
        line: fault.line.and_then(|line| u64::try_from(line).ok()),
        item: fault.item.clone(),
        pointer: Some(fault.pointer.clone()),
        ..Fault::new(&code_of(fault.code), Text::new(fault.message.clone(), fault.message.clone()))
    };
    faults.iter().map(fault).collect()
}

/// The code's word as it is serialised.
fn code_of(code: crate::instrument::FaultCode) -> String {
    serde_json::to_value(code).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The submission the bytes hold.
pub(super) fn parse(body: &[u8]) -> Result<Submission, Vec<Fault>> {
    Submission::parse(body).map_err(item_faults)
}

#[derive(serde::Deserialize)]
struct Answers<'a> {
    #[serde(borrow)]
    answers: &'a serde_json::value::RawValue,
}

/// Whether a submission is a response to the questionnaire; its answers as they were sent.
pub(super) fn accept(
    questionnaire: &Questionnaire,
    submission: &Submission,
    body: &[u8],
) -> Result<String, Vec<Fault>> {
    Response::accept(questionnaire, submission).map_err(item_faults)?;
    // The text itself, not a tree of it: the bytes were read as strictly as can be to make the submission.
    let document: Option<Answers<'_>> = serde_json::from_slice(body).ok();
    Ok(document.map_or("null", |document| document.answers.get()).to_owned())
}

fn item_faults(faults: Vec<ItemFault>) -> Vec<Fault> {
    let fault = |fault: ItemFault| Fault {
        item: fault.item,
        pointer: Some(fault.pointer),
        ..Fault::new(fault.code.as_str(), Text::new(fault.message.zh, fault.message.en))
    };
    faults.into_iter().map(fault).collect()
}
