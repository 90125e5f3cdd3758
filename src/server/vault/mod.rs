//! The vault: names, addresses and telephone numbers, apart from the answers and sealed field by field.
//!
//! The key file's key seals one data key a survey, the data key seals one key a case, and the case's key seals its
//! fields. So a rotation touches keys only, and erasing a case is destroying its key. What a running server is asked
//! for it reads one case at a time, with a reason that is logged first: `docs/identity.md` says what that protects.

mod cipher;
mod contacts;
mod key_file;
mod notes;
mod pieces;

pub use contacts::Contact;
pub use key_file::KeyFileError;
pub use notes::{PlainEvent, SealedEvent, VisitNotes, is_same_event};
pub use pieces::PieceKey;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use zeroize::Zeroizing;

use self::{
    cipher::{Key, Place},
    key_file::KeyRing,
};
use super::{Actor, Fault, Refusal, Role, Text, attachments::read_links, may_see_case};
use crate::storage::{Author, Database, SealedCase, SealedContact, SealedField, SealedSurvey, StorageError};

/// Why the vault cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There are no contact data of this case.
    #[error("find the contact data of the case")]
    NoContact,
    /// The case lies outside the asker's region.
    #[error("read the contact data: the case lies outside the region")]
    OutOfRegion,
    /// Whoever asked cannot confirm.
    #[error("confirm the erasure: the person who asked cannot confirm")]
    SamePerson,
    /// Nothing of the survey may be deleted now.
    #[error("erase: a legal hold stands over the survey")]
    Held,
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A ciphertext was changed, moved to another place, or sealed under another key.
    #[error("open a sealed value: it does not belong here or the key is another")]
    Sealed,
    /// The operating system gave no random bytes.
    #[error("draw a key: {0}")]
    Random(getrandom::Error),
}

/// The vault of one database, opened for each call: keys stay in memory no longer than they are needed, and a rotation
/// is seen at once.
#[derive(Debug, Clone, Copy)]
pub struct Vault<'a> {
    /// Where the sealed rows are.
    pub database: &'a Database,
    /// Where the key file is.
    pub key_dir: &'a Path,
}

/// One survey's keys, open.
struct SurveyKeys {
    data: Key,
    index: Key,
}

impl Vault<'_> {
    /// Reads a file of contact data, checks it whole, and seals it into the vault; the number of cases.
    ///
    /// # Errors
    /// `Faults` with every fault and its line, never with what stood there; then nothing changed.
    pub fn import(&self, survey_id: &str, content: &str, actor: &Actor, now_ms: i64) -> Result<usize, Refusal> {
        let scope = actor.scope.as_deref().unwrap_or_default();
        let known: BTreeSet<String> = self.database.sample_case_ids(survey_id, scope)?.into_iter().collect();
        let erased: BTreeSet<String> = self.database.erased_cases(survey_id)?.into_iter().collect();
        let contacts = contacts::parse(content, &known, &erased).map_err(Refusal::Faults)?;
        let (survey, keys) = self.survey_keys(survey_id, now_ms)?;
        let (mut cases, mut fields) = (Vec::new(), Vec::new());
        let ids: Vec<&str> = contacts.iter().map(|contact| contact.case_id.as_str()).collect();
        let there = self.database.sealed_cases(survey_id, &ids)?;
        let mut there: BTreeMap<String, SealedCase> = there.into_iter().map(|row| (row.case_id.clone(), row)).collect();
        for contact in &contacts {
            // A case keeps its key: what its visits left behind is sealed under it, too.
            let kept = there.remove(&contact.case_id);
            let open = kept.as_ref().map(|row| notes::open_case(&survey, &keys.data, row)).transpose()?.flatten();
            let (row, case_key) = match kept.zip(open) {
                Some(kept) => kept,
                None => notes::new_case(&survey, &keys.data, &contact.case_id, now_ms)?,
            };
            let (survey_id, case_id) = (survey_id.to_owned(), contact.case_id.clone());
            for (field, text) in contact.fields() {
                let place = Place::of_field(&survey_id, &case_id, field);
                let ciphertext = case_key.seal(&place, text.as_bytes())?;
                let (survey_id, case_id) = (survey_id.clone(), case_id.clone());
                fields.push(SealedField { survey_id, case_id, field: field.to_owned(), ciphertext });
            }
            let phone_index = contact.phone_digits().map(|digits| keys.index.index(digits.as_bytes()));
            cases.push(SealedCase { phone_index, changed_at_ms: now_ms, ..row });
        }
        self.database.put_contacts(&survey, &cases, &fields, &actor.author(), now_ms).map_err(|error| match error {
            StorageError::Erased(_) => Refusal::Faults(vec![contacts::erased_fault(None)]),
            error => error.into(),
        })?;
        Ok(contacts.len())
    }

    /// One case's contact data. That they were read, by whom and why, is in the log before they are opened.
    ///
    /// Who sees only what is their own, as surveyors do, reads the cases they hold; a case that nobody ever held is
    /// everybody's within their region.
    ///
    /// # Errors
    /// `NoContact`, `OutOfRegion`; `Sealed` when a row was tampered with.
    pub fn read(
        &self,
        survey_id: &str,
        case_id: &str,
        actor: &Actor,
        reason: &str,
        now_ms: i64,
    ) -> Result<Contact, Refusal> {
        self.require_region(survey_id, case_id, actor)?;
        self.require_held(survey_id, case_id, actor)?;
        let by = actor.author();
        let taken = self.database.take_contact(survey_id, case_id, &by, reason, now_ms)?;
        let taken = taken.ok_or(VaultError::NoContact)?;
        if taken.frequent {
            tracing::warn!(actor = %by.id, "one person reads the contact data of many cases");
        }
        Ok(self.open(&taken)?)
    }

    /// Asks that a case's contact data be erased; another person must confirm.
    ///
    /// # Errors
    /// `NoContact`, `OutOfRegion`.
    pub fn request_erasure(
        &self,
        survey_id: &str,
        case_id: &str,
        actor: &Actor,
        reason: &str,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        self.require_region(survey_id, case_id, actor)?;
        match self.database.request_erasure(survey_id, case_id, &actor.author(), reason, now_ms)? {
            true => Ok(()),
            false => Err(VaultError::NoContact.into()),
        }
    }

    /// Erases what another person asked to erase.
    ///
    /// # Errors
    /// `NoContact` when nobody asked, `SamePerson`, `OutOfRegion`; `Held` under a legal hold.
    pub fn confirm_erasure(&self, survey_id: &str, case_id: &str, actor: &Actor, now_ms: i64) -> Result<(), Refusal> {
        self.require_region(survey_id, case_id, actor)?;
        // What belongs to the person is known once every body that arrived was read.
        read_links(self.database)?;
        match self.database.confirm_erasure(survey_id, case_id, &actor.author(), now_ms) {
            Ok(true) => Ok(()),
            Ok(false) => Err(VaultError::NoContact.into()),
            Err(StorageError::SamePerson) => Err(VaultError::SamePerson.into()),
            Err(StorageError::Held) => Err(VaultError::Held.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a new key and seals every key anew under it; afterwards the old key opens nothing and is gone from the
    /// key file. The number of cases. A rotation that was cut short is completed by the next one.
    ///
    /// # Errors
    /// When the key file cannot be written or a row cannot be opened; then the old keys stay in force.
    pub fn rotate(&self, by: &Author, now_ms: i64) -> Result<usize, VaultRotationError> {
        let ring = KeyRing::open_or_make(self.key_dir)?.with_new_key(self.key_dir)?;
        let version = ring.newest();
        let fault = |error: VaultError| StorageError::Vault(error.to_string());
        let survey = |old: &SealedSurvey| {
            let keys = open_survey(&ring, old).map_err(fault)?;
            let new = SurveyKeys { data: Key::fresh().map_err(fault)?, index: keys.index.copy() };
            let row = seal_survey(&ring, version, &old.survey_id, &new, old.created_at_ms).map_err(fault)?;
            Ok((row, (keys.data, new.data, old.key_version)))
        };
        let case = |(old, new, old_version): &(Key, Key, i32), row: &SealedCase, sealed: &[u8]| {
            let place = Place::of_case_key(&row.survey_id, &row.case_id, *old_version);
            let key = old.open(&place, sealed).map_err(fault)?;
            new.seal(&Place::of_case_key(&row.survey_id, &row.case_id, version), &key).map_err(fault)
        };
        let count = self.database.reseal_vault(by, now_ms, survey, case)?;
        ring.forget_old(self.key_dir)?;
        Ok(count)
    }

    fn open(&self, taken: &SealedContact) -> Result<Contact, VaultError> {
        let ring = KeyRing::open(self.key_dir)?;
        let keys = open_survey(&ring, &taken.survey)?;
        let SealedCase { survey_id, case_id, .. } = &taken.case;
        let case_key = notes::open_case(&taken.survey, &keys.data, &taken.case)?.ok_or(VaultError::NoContact)?;
        let mut contact = Contact::of(case_id);
        for row in &taken.fields {
            let text = case_key.open(&Place::of_field(survey_id, case_id, &row.field), &row.ciphertext)?;
            let text = std::str::from_utf8(&text).map_err(|_| VaultError::Sealed)?;
            contact.set(&row.field, text);
        }
        Ok(contact)
    }

    /// The survey's keys: those it has, or new ones on their way into the vault.
    fn survey_keys(&self, survey_id: &str, now_ms: i64) -> Result<(SealedSurvey, SurveyKeys), Refusal> {
        let ring = KeyRing::open_or_make(self.key_dir).map_err(VaultError::from)?;
        if let Some(row) = self.database.sealed_survey(survey_id)? {
            let keys = open_survey(&ring, &row)?;
            return Ok((row, keys));
        }
        let keys = SurveyKeys { data: Key::fresh()?, index: Key::fresh()? };
        let row = seal_survey(&ring, ring.newest(), survey_id, &keys, now_ms)?;
        Ok((row, keys))
    }

    fn require_held(&self, survey_id: &str, case_id: &str, actor: &Actor) -> Result<(), Refusal> {
        if actor.role != Role::Surveyor || may_see_case(self.database, actor, survey_id, case_id)? {
            return Ok(());
        }
        Err(VaultError::NoContact.into())
    }

    fn require_region(&self, survey_id: &str, case_id: &str, actor: &Actor) -> Result<(), Refusal> {
        let Some(scope) = &actor.scope else { return Ok(()) };
        let district = self.database.case_district(survey_id, case_id)?.ok_or(VaultError::NoContact)?;
        if district.starts_with(scope.as_str()) { Ok(()) } else { Err(VaultError::OutOfRegion.into()) }
    }
}

/// Why the vault's keys were not rotated.
#[derive(Debug, thiserror::Error)]
pub enum VaultRotationError {
    /// The key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The database, or a row that cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Refuses a key file that others can read; none at all is fine, the first import makes one.
///
/// # Errors
/// `Exposed`, `File` or `Content`.
pub fn check_key_file(key_dir: &Path) -> Result<(), KeyFileError> {
    match key_dir.join(key_file::FILE).exists() {
        true => KeyRing::open(key_dir).map(|_| ()),
        false => Ok(()),
    }
}

fn open_survey(ring: &KeyRing, row: &SealedSurvey) -> Result<SurveyKeys, VaultError> {
    let key = ring.key(row.key_version).ok_or(VaultError::Sealed)?;
    let part = |column, sealed: &[u8]| {
        let opened: Zeroizing<Vec<u8>> =
            key.open(&Place::of_survey_key(column, &row.survey_id, row.key_version), sealed)?;
        Key::from_bytes(&opened)
    };
    Ok(SurveyKeys { data: part("data_key", &row.data_key)?, index: part("index_key", &row.index_key)? })
}

fn seal_survey(
    ring: &KeyRing,
    key_version: i32,
    survey_id: &str,
    keys: &SurveyKeys,
    created_at_ms: i64,
) -> Result<SealedSurvey, VaultError> {
    let key = ring.key(key_version).ok_or(VaultError::Sealed)?;
    let part = |column, inner: &Key| key.seal(&Place::of_survey_key(column, survey_id, key_version), inner.bytes());
    let (data_key, index_key) = (part("data_key", &keys.data)?, part("index_key", &keys.index)?);
    Ok(SealedSurvey { survey_id: survey_id.to_owned(), key_version, data_key, index_key, created_at_ms })
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

/// What a reason must be: long enough to say something.
///
/// # Errors
/// `Faults` with the field.
pub fn check_reason(reason: &str) -> Result<(), Refusal> {
    let signs = reason.trim().chars().count();
    match (4..=200).contains(&signs) && !reason.chars().any(char::is_control) {
        true => Ok(()),
        false => {
            let text = Text::new("请写明理由（4 至 200 字）", "give a reason of 4 to 200 signs");
            Err(Refusal::Faults(vec![Fault::new("reason", text).at("/reason")]))
        }
    }
}
