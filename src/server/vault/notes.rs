//! Words and positions of visits: sealed field by field under the key of their case before an event is kept.
//!
//! The event keeps a keyed digest in the place of each. So the same event sent again is known to be the same, nobody
//! without the key can try words or places against the digest, and erasing the case leaves neither.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Vault, VaultError,
    cipher::{Key, Place},
    open_survey,
};
use crate::{
    server::{Actor, Refusal, secrets::hex},
    storage::{NoteKeys, SealedCase, SealedNote, SealedSurvey},
};

/// The fields of an event that are sealed.
const FIELDS: [&str; 2] = ["gps", "note"];

/// What stands in the place of a sealed value.
const MARK: &str = "sealed";

/// Stands where a survey's id does for what names no case: the tablet's own key seals it then. No survey has this id.
pub(super) const NO_SURVEY: &str = "-";

/// Survey and case, or tablet.
type CaseName = (String, String);

/// An event whose words and positions are to be sealed.
#[derive(Debug)]
pub struct PlainEvent {
    /// Its number on the tablet.
    pub seq: i64,
    /// All of it.
    pub event: Value,
}

/// An event without them.
#[derive(Debug)]
pub struct SealedEvent {
    /// What is kept of the event.
    pub content: String,
    /// What was taken out.
    pub notes: Vec<SealedNote>,
}

/// The words and the position of a visit.
#[derive(Debug, Default)]
pub struct VisitNotes {
    /// What the surveyor wrote.
    pub note: Option<Value>,
    /// Where they stood.
    pub gps: Option<Value>,
}

/// The open keys of the cases of one batch.
struct Keys {
    rows: Vec<NoteKeys>,
    open: BTreeMap<CaseName, Option<Key>>,
}

impl Vault<'_> {
    /// Takes words and positions out of a tablet's events, sealed; and the keys under which they are, new ones among
    /// them, which must be kept with the events.
    ///
    /// # Errors
    /// When the key file or a sealed key cannot be used.
    pub fn seal_events(
        &self,
        device_id: &str,
        events: &[PlainEvent],
        now_ms: i64,
    ) -> Result<(Vec<SealedEvent>, Vec<NoteKeys>), Refusal> {
        let names: BTreeSet<CaseName> = events
            .iter()
            .filter(|plain| taken(&plain.event).next().is_some())
            .map(|plain| name_of(device_id, &plain.event))
            .collect();
        let keys = self.note_keys(&names, now_ms)?;
        let seal = |plain: &PlainEvent| seal_event(device_id, plain, &keys);
        let sealed = events.iter().map(seal).collect::<Result<_, _>>()?;
        Ok((sealed, keys.rows))
    }

    /// The keys of one row, new if there is none.
    pub(super) fn keys_of(&self, survey_id: &str, case_id: &str, now_ms: i64) -> Result<Vec<NoteKeys>, Refusal> {
        let names = BTreeSet::from([(survey_id.to_owned(), case_id.to_owned())]);
        Ok(self.note_keys(&names, now_ms)?.rows)
    }

    /// The keys of these cases, those that are new on their way into the vault.
    fn note_keys(&self, names: &BTreeSet<CaseName>, now_ms: i64) -> Result<Keys, Refusal> {
        let mut by_survey: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (survey, case) in names {
            by_survey.entry(survey).or_default().push(case);
        }
        let mut keys = Keys { rows: Vec::new(), open: BTreeMap::new() };
        for (survey_id, cases) in by_survey {
            let (survey, survey_keys) = self.survey_keys(survey_id, now_ms)?;
            let there = self.database.sealed_cases(survey_id, &cases)?;
            let mut there: BTreeMap<String, SealedCase> =
                there.into_iter().map(|row| (row.case_id.clone(), row)).collect();
            let mut rows = Vec::new();
            for case_id in cases {
                let (row, key) = match there.remove(case_id) {
                    Some(row) => {
                        let key = open_case(&survey, &survey_keys.data, &row)?;
                        (row, key)
                    }
                    None => {
                        let (row, key) = new_case(&survey, &survey_keys.data, case_id, now_ms)?;
                        (row, Some(key))
                    }
                };
                keys.open.insert((survey_id.to_owned(), case_id.to_owned()), key);
                rows.push(row);
            }
            keys.rows.push(NoteKeys { survey, cases: rows });
        }
        Ok(keys)
    }

    /// The words and the position of one visit. That they were read, by whom and why, is in the log before they are
    /// opened.
    ///
    /// # Errors
    /// `NoContact` when there are none or they were erased, `OutOfRegion`; `Sealed` when a row was tampered with.
    pub fn read_notes(
        &self,
        (survey_id, case_id): (&str, &str),
        attempt_id: &str,
        actor: &Actor,
        reason: &str,
        now_ms: i64,
    ) -> Result<VisitNotes, Refusal> {
        self.require_region(survey_id, case_id, actor)?;
        self.require_held(survey_id, case_id, actor)?;
        let by = actor.author();
        let taken = self.database.take_notes((survey_id, case_id), attempt_id, &by, reason, now_ms)?;
        let (survey, case, notes) = taken.ok_or(VaultError::NoContact)?;
        let ring = super::KeyRing::open(self.key_dir).map_err(VaultError::from)?;
        let keys = open_survey(&ring, &survey)?;
        let key = open_case(&survey, &keys.data, &case)?.ok_or(VaultError::NoContact)?;
        let mut found = VisitNotes::default();
        for row in notes {
            let text = key.open(&place(&row), &row.ciphertext)?;
            let value = serde_json::from_slice(&text).map_err(|_| VaultError::Sealed)?;
            match row.field.as_str() {
                "gps" => found.gps = Some(value),
                _ => found.note = Some(value),
            }
        }
        Ok(found)
    }
}

/// A case's key; none when it was destroyed.
pub(super) fn open_case(survey: &SealedSurvey, data: &Key, row: &SealedCase) -> Result<Option<Key>, VaultError> {
    let Some(sealed) = &row.case_key else { return Ok(None) };
    let place = Place::of_case_key(&row.survey_id, &row.case_id, survey.key_version);
    Key::from_bytes(&data.open(&place, sealed)?).map(Some)
}

/// A new key for a case.
pub(super) fn new_case(
    survey: &SealedSurvey,
    data: &Key,
    case_id: &str,
    changed_at_ms: i64,
) -> Result<(SealedCase, Key), VaultError> {
    let (key, survey_id) = (Key::fresh()?, survey.survey_id.clone());
    let place = Place::of_case_key(&survey_id, case_id, survey.key_version);
    let (case_id, case_key) = (case_id.to_owned(), Some(data.seal(&place, key.bytes())?));
    Ok((SealedCase { survey_id, case_id, case_key, phone_index: None, changed_at_ms, erased_at_ms: None }, key))
}

/// Whether two contents of one number say the same. What was sealed under a key that was destroyed meanwhile can be held
/// against nothing and counts as the same.
pub fn is_same_event(kept: &str, sent: &str) -> bool {
    let (Ok(mut kept), Ok(mut sent)) = (serde_json::from_str::<Value>(kept), serde_json::from_str::<Value>(sent))
    else {
        return kept == sent;
    };
    let erased = json!({ MARK: null });
    for field in FIELDS {
        if sent.get(field) == Some(&erased) && kept.get(field).is_some_and(|value| value.get(MARK).is_some()) {
            kept[field] = Value::Null;
            sent[field] = Value::Null;
        }
    }
    kept == sent
}

/// The fields that have something to seal.
fn taken(event: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    let says = |value: &&Value| !value.is_null() && value.as_str() != Some("");
    FIELDS.into_iter().filter_map(move |field| event.get(field).filter(says).map(|value| (field, value)))
}

fn name_of(device_id: &str, event: &Value) -> CaseName {
    let named = |field: &str| {
        let is_plain = |text: &&str| (1..=64).contains(&text.len()) && !text.contains(['/', '|']);
        event.get(field).and_then(Value::as_str).filter(is_plain).filter(|text| !text.chars().any(char::is_control))
    };
    match named("survey").zip(named("case")) {
        Some((survey, case)) if survey != NO_SURVEY => (survey.to_owned(), case.to_owned()),
        _ => (NO_SURVEY.to_owned(), device_id.to_owned()),
    }
}

fn place(note: &SealedNote) -> Place {
    Place::of_note((&note.survey_id, &note.case_id), (&note.device_id, note.seq), &note.field)
}

fn seal_event(device_id: &str, plain: &PlainEvent, keys: &Keys) -> Result<SealedEvent, VaultError> {
    let mut event = plain.event.clone();
    let (survey_id, case_id) = name_of(device_id, &plain.event);
    let mut notes = Vec::new();
    for (field, value) in taken(&plain.event) {
        let key = keys.open.get(&(survey_id.clone(), case_id.clone())).and_then(Option::as_ref);
        let digest = key.map(|key| -> Result<String, VaultError> {
            let text = Zeroizing::new(value.to_string());
            let (survey_id, case_id, device_id) = (survey_id.clone(), case_id.clone(), device_id.to_owned());
            let (field, seq) = (field.to_owned(), plain.seq);
            let mut note = SealedNote { device_id, seq, field, survey_id, case_id, ciphertext: Vec::new() };
            let place = place(&note);
            note.ciphertext = key.seal(&place, text.as_bytes())?;
            notes.push(note);
            Ok(hex(&key.digest(&place, text.as_bytes())))
        });
        event[field] = json!({ MARK: digest.transpose()? });
    }
    Ok(SealedEvent { content: event.to_string(), notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_erased_is_the_same_as_whatever_stood_there_and_nothing_else_is() {
        let kept = r#"{"seq":1,"note":{"sealed":"ab"},"outcome":"2.24"}"#;
        assert!(is_same_event(kept, r#"{"seq":1,"note":{"sealed":"ab"},"outcome":"2.24"}"#));
        assert!(is_same_event(kept, r#"{"seq":1,"note":{"sealed":null},"outcome":"2.24"}"#));
        assert!(!is_same_event(kept, r#"{"seq":1,"note":{"sealed":"cd"},"outcome":"2.24"}"#));
        assert!(!is_same_event(kept, r#"{"seq":1,"note":{"sealed":null},"outcome":"2.11"}"#));
        assert!(!is_same_event(kept, r#"{"seq":1,"note":"","outcome":"2.24"}"#));
    }

    #[test]
    fn a_case_is_named_by_plain_texts_only() {
        let name = |event: Value| name_of("tablet", &event);
        assert_eq!(name(json!({ "survey": "s", "case": "c" })), ("s".to_owned(), "c".to_owned()));
        let own = (NO_SURVEY.to_owned(), "tablet".to_owned());
        for event in [
            json!({}),
            json!({ "survey": "s" }),
            json!({ "survey": "-", "case": "x" }),
            json!({ "survey": "a/b", "case": "c" }),
        ] {
            assert_eq!(name(event.clone()), own, "{event}");
        }
    }
}
