//! Words and positions of visits, sealed; kept with their events and taken out one visit at a time.

use diesel::{PgConnection, SqliteConnection, prelude::*};
use serde_json::json;

use super::{
    Act, Author, Database, ROWS_PER_INSERT_MAX, SealedCase, SealedSurvey, StorageError, audit::Appends,
    readings::Readings, schema::*,
};

/// One sealed field of an event.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = identity_note)]
pub struct SealedNote {
    /// The tablet.
    pub device_id: String,
    /// The event's number there.
    pub seq: i64,
    /// `gps` or `note`.
    pub field: String,
    /// The survey.
    pub survey_id: String,
    /// The case within it.
    pub case_id: String,
    /// Nonce, text and tag.
    pub ciphertext: Vec<u8>,
}

/// The keys that notes of one survey were sealed under; those of the cases may be new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKeys {
    /// The survey's.
    pub survey: SealedSurvey,
    /// The cases'.
    pub cases: Vec<SealedCase>,
}

/// A visit's notes with the keys to open them.
pub type TakenNotes = (SealedSurvey, SealedCase, Vec<SealedNote>);

/// Keeps keys beside what was sealed under them.
pub(super) trait KeepsNoteKeys {
    /// Keeps those that are new; refuses when any other is there by now.
    fn keep_note_keys(&mut self, keys: &[NoteKeys]) -> Result<(), StorageError>;
}

macro_rules! keeps_note_keys {
    ($connection:ty) => {
        impl KeepsNoteKeys for $connection {
            fn keep_note_keys(&mut self, keys: &[NoteKeys]) -> Result<(), StorageError> {
                for NoteKeys { survey, cases } in keys {
                    diesel::insert_into(identity_survey::table)
                        .values(survey)
                        .on_conflict_do_nothing()
                        .execute(self)?;
                    // The update takes the row's lock, so that no rotation comes between.
                    let same = identity_survey::table
                        .find(&survey.survey_id)
                        .filter(identity_survey::data_key.eq(&survey.data_key));
                    let held =
                        diesel::update(same).set(identity_survey::key_version.eq(survey.key_version)).execute(self)?;
                    if held != 1 {
                        return Err(StorageError::KeysChanged);
                    }
                    for case in cases {
                        diesel::insert_into(identity_case::table)
                            .values(case)
                            .on_conflict_do_nothing()
                            .execute(self)?;
                        let key: Option<Vec<u8>> = identity_case::table
                            .find((&case.survey_id, &case.case_id))
                            .select(identity_case::case_key)
                            .first(self)?;
                        if key != case.case_key {
                            return Err(StorageError::KeysChanged);
                        }
                    }
                }
                Ok(())
            }
        }
    };
}

keeps_note_keys!(SqliteConnection);
keeps_note_keys!(PgConnection);

impl Database {
    /// The rows of these cases that the vault has, erased ones too.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn sealed_cases(&self, survey_id: &str, case_ids: &[&str]) -> Result<Vec<SealedCase>, StorageError> {
        let mut rows = Vec::new();
        for ids in case_ids.chunks(ROWS_PER_INSERT_MAX) {
            let here: Vec<SealedCase> = reading!(self, c => identity_case::table
                .filter(identity_case::survey_id.eq(survey_id).and(identity_case::case_id.eq_any(ids)))
                .select(SealedCase::as_select())
                .load(c))?;
            rows.extend(here);
        }
        Ok(rows)
    }

    /// Takes the sealed notes of one visit out, and logs by whom and why before anything leaves; nothing when there are none.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing is told.
    pub fn take_notes(
        &self,
        (survey_id, case_id): (&str, &str),
        attempt_id: &str,
        by: &Author,
        reason: &str,
        now_ms: i64,
    ) -> Result<Option<TakenNotes>, StorageError> {
        writing!(self, c => {
            let attempt: Option<(String, i64)> = contact_attempt::table
                .find(attempt_id)
                .filter(contact_attempt::survey_id.eq(survey_id).and(contact_attempt::case_id.eq(case_id)))
                .select((contact_attempt::device_id, contact_attempt::seq))
                .first(c)
                .optional()?;
            let Some((device_id, seq)) = attempt else { return Ok(None) };
            let notes: Vec<SealedNote> = identity_note::table
                .filter(identity_note::device_id.eq(&device_id).and(identity_note::seq.eq(seq)))
                .filter(identity_note::survey_id.eq(survey_id).and(identity_note::case_id.eq(case_id)))
                .order(identity_note::field)
                .select(SealedNote::as_select())
                .load(c)?;
            let keys: Option<(SealedSurvey, SealedCase)> = identity_case::table
                .inner_join(identity_survey::table.on(identity_survey::survey_id.eq(identity_case::survey_id)))
                .filter(identity_case::survey_id.eq(survey_id).and(identity_case::case_id.eq(case_id)))
                .select((SealedSurvey::as_select(), SealedCase::as_select()))
                .first(c)
                .optional()?;
            let Some((survey, case)) = keys.filter(|_| !notes.is_empty()) else { return Ok(None) };
            let frequent = c.reads_much(&by.id, now_ms)?;
            let detail = json!({ "reason": reason, "attempt": attempt_id, "frequent": frequent });
            let object = format!("case/{survey_id}/{case_id}");
            c.append(&[Act::done(by, now_ms, "identity.read-attempt", object, detail)])?;
            Ok(Some((survey, case, notes)))
        })
    }
}
