//! The vault's rows: sealed before they come here, opened after they left. Nothing in this file can read them.

use diesel::prelude::*;
use serde_json::json;

use super::{
    Act, Author, Database, Outcome, ROWS_PER_INSERT_MAX, StorageError, audit::Appends, deletions::Deletes,
    holds::LegalHolds, readings::Readings, schema::*,
};

/// A survey's keys, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = identity_survey)]
pub struct SealedSurvey {
    /// The survey.
    pub survey_id: String,
    /// The key of the key file they are sealed under.
    pub key_version: i32,
    /// Seals the keys of the cases.
    pub data_key: Vec<u8>,
    /// Makes the look-up values of telephone numbers.
    pub index_key: Vec<u8>,
    /// When it was made.
    pub created_at_ms: i64,
}

/// A case's key, sealed; absent once it was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = identity_case)]
pub struct SealedCase {
    /// The survey.
    pub survey_id: String,
    /// The case within it.
    pub case_id: String,
    /// Seals the fields.
    pub case_key: Option<Vec<u8>>,
    /// Equal for equal telephone numbers of one survey, and meaningless without its index key.
    pub phone_index: Option<Vec<u8>>,
    /// When it was last imported or erased.
    pub changed_at_ms: i64,
    /// When its key was destroyed.
    pub erased_at_ms: Option<i64>,
}

/// One field, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = identity_field)]
pub struct SealedField {
    /// The survey.
    pub survey_id: String,
    /// The case within it.
    pub case_id: String,
    /// `address`, `name`, `note` or `phone`.
    pub field: String,
    /// Nonce, text and tag.
    pub ciphertext: Vec<u8>,
}

/// Everything needed to open one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedContact {
    /// The survey's keys.
    pub survey: SealedSurvey,
    /// The case's key.
    pub case: SealedCase,
    /// Its fields.
    pub fields: Vec<SealedField>,
    /// Whether the reader reads conspicuously much.
    pub frequent: bool,
}

/// Who causes a change of the vault, when, and in which case.
#[derive(Debug, Clone, Copy)]
struct AtCase<'a> {
    survey_id: &'a str,
    case_id: &'a str,
    by: &'a Author,
    now_ms: i64,
}

impl AtCase<'_> {
    fn object(&self) -> String {
        format!("case/{}/{}", self.survey_id, self.case_id)
    }

    fn done(&self, action: &'static str, detail: serde_json::Value) -> Act {
        Act::done(self.by, self.now_ms, action, self.object(), detail)
    }
}

impl Database {
    /// The survey's sealed keys, once something was imported.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn sealed_survey(&self, survey_id: &str) -> Result<Option<SealedSurvey>, StorageError> {
        Ok(reading!(self, c => identity_survey::table
            .find(survey_id)
            .select(SealedSurvey::as_select())
            .first(c)
            .optional())?)
    }

    /// Puts these cases with their fields in the place of what the vault has of them: all or nothing, with one entry
    /// in the log.
    ///
    /// # Errors
    /// `Erased` when a case's key was destroyed; `KeysChanged` when a rotation or another import came between.
    pub fn put_contacts(
        &self,
        survey: &SealedSurvey,
        cases: &[SealedCase],
        fields: &[SealedField],
        by: &Author,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let survey_id = survey.survey_id.as_str();
        let act =
            Act::done(by, now_ms, "identity.import", format!("survey/{survey_id}"), json!({ "cases": cases.len() }));
        writing!(self, c => {
            diesel::insert_into(identity_survey::table)
                .values(survey)
                .on_conflict(identity_survey::survey_id)
                .do_nothing()
                .execute(c)?;
            let same = identity_survey::table.find(survey_id).filter(identity_survey::data_key.eq(&survey.data_key));
            let held = diesel::update(same).set(identity_survey::key_version.eq(survey.key_version)).execute(c)?;
            if held != 1 {
                return Err(StorageError::KeysChanged);
            }
            for rows in cases.chunks(ROWS_PER_INSERT_MAX) {
                let ids: Vec<&str> = rows.iter().map(|row| row.case_id.as_str()).collect();
                let there = identity_case::table
                    .filter(identity_case::survey_id.eq(survey_id).and(identity_case::case_id.eq_any(&ids)));
                let erased: Option<String> = there
                    .filter(identity_case::erased_at_ms.is_not_null())
                    .order(identity_case::case_id)
                    .select(identity_case::case_id)
                    .first(c)
                    .optional()?;
                if let Some(erased) = erased {
                    return Err(StorageError::Erased(erased));
                }
                diesel::delete(identity_field::table
                    .filter(identity_field::survey_id.eq(survey_id).and(identity_field::case_id.eq_any(&ids))))
                    .execute(c)?;
                let kept: Vec<String> = identity_case::table
                    .filter(identity_case::survey_id.eq(survey_id).and(identity_case::case_id.eq_any(&ids)))
                    .select(identity_case::case_id)
                    .load(c)?;
                let (kept, new): (Vec<_>, Vec<_>) = rows.iter().partition(|row| kept.contains(&row.case_id));
                for row in kept {
                    // Its fields were sealed under the key that was there before the import began.
                    let same = identity_case::table
                        .find((survey_id, &row.case_id))
                        .filter(identity_case::case_key.eq(&row.case_key));
                    let set = (
                        identity_case::phone_index.eq(&row.phone_index),
                        identity_case::changed_at_ms.eq(row.changed_at_ms),
                    );
                    if diesel::update(same).set(set).execute(c)? != 1 {
                        return Err(StorageError::KeysChanged);
                    }
                }
                diesel::insert_into(identity_case::table).values(new).execute(c)?;
            }
            for rows in fields.chunks(ROWS_PER_INSERT_MAX) {
                diesel::insert_into(identity_field::table).values(rows).execute(c)?;
            }
            c.append(&[act])?;
            Ok(())
        })
    }

    /// The cases of this survey's sample in districts that begin with `scope`, in the order of their ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn sample_case_ids(&self, survey_id: &str, scope: &str) -> Result<Vec<String>, StorageError> {
        let rows: Vec<(String, String)> = reading!(self, c => sample_case::table
            .filter(sample_case::survey_id.eq(survey_id))
            .order(sample_case::case_id)
            .select((sample_case::case_id, sample_case::district))
            .load(c))?;
        Ok(rows.into_iter().filter(|(_, district)| district.starts_with(scope)).map(|(case, _)| case).collect())
    }

    /// The district a case of the sample lies in.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn case_district(&self, survey_id: &str, case_id: &str) -> Result<Option<String>, StorageError> {
        Ok(reading!(self, c => sample_case::table
            .find((survey_id, case_id))
            .select(sample_case::district)
            .first(c)
            .optional())?)
    }

    /// The cases of this survey whose contact data were erased, in the order of their ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn erased_cases(&self, survey_id: &str) -> Result<Vec<String>, StorageError> {
        Ok(reading!(self, c => identity_case::table
            .filter(identity_case::survey_id.eq(survey_id).and(identity_case::erased_at_ms.is_not_null()))
            .order(identity_case::case_id)
            .select(identity_case::case_id)
            .load(c))?)
    }

    /// Takes one case's sealed contact data out, and logs by whom and why before anything leaves; nothing when there
    /// are none.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing is told.
    pub fn take_contact(
        &self,
        survey_id: &str,
        case_id: &str,
        by: &Author,
        reason: &str,
        now_ms: i64,
    ) -> Result<Option<SealedContact>, StorageError> {
        let at = AtCase { survey_id, case_id, by, now_ms };
        writing!(self, c => {
            let Some((survey, case)) = identity_case::table
                .inner_join(identity_survey::table.on(identity_survey::survey_id.eq(identity_case::survey_id)))
                .filter(identity_case::survey_id.eq(survey_id).and(identity_case::case_id.eq(case_id)))
                .filter(identity_case::erased_at_ms.is_null())
                .select((SealedSurvey::as_select(), SealedCase::as_select()))
                .first::<(SealedSurvey, SealedCase)>(c)
                .optional()?
            else {
                return Ok(None);
            };
            let fields = identity_field::table
                .filter(identity_field::survey_id.eq(survey_id).and(identity_field::case_id.eq(case_id)))
                .order(identity_field::field)
                .select(SealedField::as_select())
                .load::<SealedField>(c)?;
            if fields.is_empty() {
                return Ok(None);
            }
            let frequent = c.reads_much(&by.id, now_ms)?;
            let act = at.done("identity.read", json!({ "reason": reason, "frequent": frequent }));
            c.append(&[act])?;
            Ok(Some(SealedContact { survey, case, fields, frequent }))
        })
    }

    /// Asks that a case's contact data be erased; whether there are any to erase. Asking again changes nothing.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn request_erasure(
        &self,
        survey_id: &str,
        case_id: &str,
        by: &Author,
        reason: &str,
        now_ms: i64,
    ) -> Result<bool, StorageError> {
        let at = AtCase { survey_id, case_id, by, now_ms };
        writing!(self, c => {
            let there: i64 = identity_case::table
                .find((survey_id, case_id))
                .filter(identity_case::erased_at_ms.is_null())
                .count()
                .get_result(c)?;
            if there == 0 {
                return Ok(false);
            }
            let row = (
                identity_erasure::survey_id.eq(survey_id),
                identity_erasure::case_id.eq(case_id),
                identity_erasure::requested_by.eq(&by.id),
                identity_erasure::requested_at_ms.eq(now_ms),
            );
            let key = (identity_erasure::survey_id, identity_erasure::case_id);
            let made = diesel::insert_into(identity_erasure::table).values(row).on_conflict(key).do_nothing().execute(c)?;
            if made == 1 {
                c.append(&[at.done("identity.erasure-request", json!({ "reason": reason }))])?;
            }
            Ok(true)
        })
    }

    /// Erases a case's contact data as another person asked: its key, its fields, the attachments of its interviews, whole
    /// or not, and the details the log holds of them. Whether there was an open request.
    ///
    /// # Errors
    /// `SamePerson` when whoever confirms is the one who asked; the attempt is logged. `Held` under a legal hold.
    pub fn confirm_erasure(
        &self,
        survey_id: &str,
        case_id: &str,
        by: &Author,
        now_ms: i64,
    ) -> Result<bool, StorageError> {
        let at = AtCase { survey_id, case_id, by, now_ms };
        let erased = writing!(self, c => {
            let open = identity_erasure::table
                .find((survey_id, case_id))
                .filter(identity_erasure::confirmed_at_ms.is_null());
            let asked: Option<String> = open.select(identity_erasure::requested_by).first(c).optional()?;
            let Some(asked) = asked else { return Ok(Some(false)) };
            if asked == by.id {
                let refused = Act { outcome: Outcome::Refused, ..at.done("identity.erase", json!({})) };
                c.append(&[refused])?;
                return Ok(None);
            }
            if c.hold_over(survey_id)? {
                return Err(StorageError::Held);
            }
            let attachments = c.attachments_of_case(survey_id, case_id)?;
            c.destroy_attachments(&attachments, now_ms)?;
            diesel::update(open)
                .set((identity_erasure::confirmed_by.eq(&by.id), identity_erasure::confirmed_at_ms.eq(now_ms)))
                .execute(c)?;
            diesel::delete(identity_field::table
                .filter(identity_field::survey_id.eq(survey_id).and(identity_field::case_id.eq(case_id))))
                .execute(c)?;
            diesel::delete(identity_note::table
                .filter(identity_note::survey_id.eq(survey_id).and(identity_note::case_id.eq(case_id))))
                .execute(c)?;
            let gone = (
                identity_case::case_key.eq(None::<Vec<u8>>),
                identity_case::phone_index.eq(None::<Vec<u8>>),
                identity_case::changed_at_ms.eq(now_ms),
                identity_case::erased_at_ms.eq(now_ms),
            );
            diesel::update(identity_case::table.find((survey_id, case_id))).set(gone).execute(c)?;
            // Reasons were typed by people and may name the person; the log stays verifiable without them.
            let told = audit_entry::table
                .filter(audit_entry::object.eq(at.object()).and(audit_entry::action.like("identity.%")));
            diesel::update(told)
                .set((audit_entry::salt.eq(None::<Vec<u8>>), audit_entry::detail.eq(None::<String>)))
                .execute(c)?;
            c.append(&[at.done("identity.erase", json!({ "attachments": attachments.len() }))])?;
            Ok(Some(true))
        })?;
        if erased == Some(true) {
            self.scrub()?;
        }
        erased.ok_or(StorageError::SamePerson)
    }

    /// Seals every key anew, all or none: `survey` makes a survey's new row, `case` seals a case's key under it. The
    /// number of cases.
    ///
    /// # Errors
    /// Whatever the closures or the database refused; then every key is as it was.
    pub fn reseal_vault<S>(
        &self,
        by: &Author,
        now_ms: i64,
        survey: impl Fn(&SealedSurvey) -> Result<(SealedSurvey, S), StorageError>,
        case: impl Fn(&S, &SealedCase, &[u8]) -> Result<Vec<u8>, StorageError>,
    ) -> Result<usize, StorageError> {
        let count = writing!(self, c => {
            let mut count = 0;
            let surveys: Vec<SealedSurvey> = identity_survey::table
                .order(identity_survey::survey_id)
                .select(SealedSurvey::as_select())
                .load(c)?;
            for old in surveys {
                let (new, keys) = survey(&old)?;
                diesel::update(identity_survey::table.find(&old.survey_id))
                    .set((
                        identity_survey::key_version.eq(new.key_version),
                        identity_survey::data_key.eq(&new.data_key),
                        identity_survey::index_key.eq(&new.index_key),
                    ))
                    .execute(c)?;
                let mut after = String::new();
                loop {
                    let rows: Vec<SealedCase> = identity_case::table
                        .filter(identity_case::survey_id.eq(&old.survey_id).and(identity_case::case_id.gt(&after)))
                        .filter(identity_case::case_key.is_not_null())
                        .order(identity_case::case_id)
                        .limit(1000)
                        .select(SealedCase::as_select())
                        .load(c)?;
                    let Some(last) = rows.last() else { break };
                    after.clone_from(&last.case_id);
                    for row in &rows {
                        let sealed = row.case_key.as_deref().map(|key| case(&keys, row, key)).transpose()?;
                        diesel::update(identity_case::table.find((&row.survey_id, &row.case_id)))
                            .set(identity_case::case_key.eq(sealed))
                            .execute(c)?;
                    }
                    count += rows.len();
                }
            }
            c.append(&[Act::done(by, now_ms, "vault.rotate", "vault/keys".to_owned(), json!({ "cases": count }))])?;
            Ok(count)
        })?;
        self.scrub()?;
        Ok(count)
    }
}
