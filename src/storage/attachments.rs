//! Attachments in sealed pieces, each at the place where the one before ended.

use diesel::prelude::*;
use serde_json::json;

use super::{
    Act, Author, Database, NoteKeys, SealedCase, SealedSurvey, StorageError, audit::Appends, notes::KeepsNoteKeys,
    schema::*,
};

/// An attachment without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = attachment)]
pub struct Attachment {
    /// UUID made by the tablet.
    pub id: String,
    /// The person whose it is, or the token.
    pub owner: String,
    /// Its bytes in all.
    pub length: i64,
    /// SHA-256 of all of them.
    pub sha256: String,
    /// How many came.
    pub received: i64,
    /// When the first came.
    pub begun_at_ms: i64,
    /// When all were there and had that digest.
    pub completed_at_ms: Option<i64>,
    /// When its bytes and its key were deleted.
    pub deleted_at_ms: Option<i64>,
}

/// The pieces in their order: place and sealed bytes.
pub type SealedPieces = Vec<(i64, Vec<u8>)>;

impl Database {
    /// The attachment with this id.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn attachment(&self, id: &str) -> Result<Option<Attachment>, StorageError> {
        Ok(reading!(self, c => attachment::table.find(id).select(Attachment::as_select()).first(c).optional())?)
    }

    /// The attachments with these ids, in the order of the ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn attachments(&self, ids: &[String]) -> Result<Vec<Attachment>, StorageError> {
        Ok(reading!(self, c => attachment::table
            .filter(attachment::id.eq_any(ids.to_vec()))
            .order(attachment::id)
            .select(Attachment::as_select())
            .load(c))?)
    }

    /// Begins an attachment with the key that its pieces will be sealed under; the one that is there if another request
    /// was first. Nothing when the owner has as many unfinished ones as allowed.
    ///
    /// # Errors
    /// `KeysChanged`; whatever else the database refused.
    pub fn begin_attachment(
        &self,
        new: &Attachment,
        keys: &[NoteKeys],
        open_max: i64,
        by: &Author,
    ) -> Result<Option<Attachment>, StorageError> {
        writing!(self, c => {
            let there: Option<Attachment> =
                attachment::table.find(&new.id).select(Attachment::as_select()).first(c).optional()?;
            if there.is_some() {
                return Ok(there);
            }
            let open: i64 = attachment::table
                .filter(attachment::owner.eq(&new.owner).and(attachment::completed_at_ms.is_null()))
                .filter(attachment::deleted_at_ms.is_null())
                .count()
                .get_result(c)?;
            if open >= open_max {
                return Ok(None);
            }
            c.keep_note_keys(keys)?;
            diesel::insert_into(attachment::table).values(new).execute(c)?;
            let detail = json!({ "bytes": new.length, "sha256": new.sha256 });
            c.append(&[Act::done(by, new.begun_at_ms, "attachment.begin", format!("attachment/{}", new.id), detail)])?;
            Ok(Some(new.clone()))
        })
    }

    /// Adds a piece where the last one ended; `false` when that is not there, because another request was first.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn add_piece(&self, id: &str, place: i64, bytes: i64, sealed: &[u8]) -> Result<bool, StorageError> {
        writing!(self, c => {
            let at = attachment::table
                .filter(attachment::id.eq(id).and(attachment::received.eq(place)))
                .filter(attachment::completed_at_ms.is_null().and(attachment::deleted_at_ms.is_null()));
            let moved = diesel::update(at).set(attachment::received.eq(place + bytes)).execute(c)?;
            if moved != 1 {
                return Ok(false);
            }
            let piece = (
                attachment_piece::attachment_id.eq(id),
                attachment_piece::place.eq(place),
                attachment_piece::sealed.eq(sealed),
            );
            diesel::insert_into(attachment_piece::table).values(piece).execute(c)?;
            Ok(true)
        })
    }

    /// The pieces of an attachment.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn pieces(&self, id: &str) -> Result<SealedPieces, StorageError> {
        Ok(reading!(self, c => attachment_piece::table
            .filter(attachment_piece::attachment_id.eq(id))
            .order(attachment_piece::place)
            .select((attachment_piece::place, attachment_piece::sealed))
            .load(c))?)
    }

    /// Ends an attachment whose bytes are all there: whole, or to be sent again from the beginning.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn end_attachment(&self, id: &str, is_whole: bool, by: &Author, now_ms: i64) -> Result<(), StorageError> {
        writing!(self, c => {
            let open = attachment::table.filter(attachment::id.eq(id).and(attachment::completed_at_ms.is_null()));
            let changed = match is_whole {
                true => diesel::update(open).set(attachment::completed_at_ms.eq(now_ms)).execute(c)?,
                false => {
                    let changed = diesel::update(open).set(attachment::received.eq(0)).execute(c)?;
                    if changed == 1 {
                        let pieces = attachment_piece::table.filter(attachment_piece::attachment_id.eq(id));
                        diesel::delete(pieces).execute(c)?;
                    }
                    changed
                }
            };
            if changed == 1 {
                let action = if is_whole { "attachment.keep" } else { "attachment.restart" };
                c.append(&[Act::done(by, now_ms, action, format!("attachment/{id}"), json!({}))])?;
            }
            Ok(())
        })
    }

    /// The keys of one vault row.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn sealed_keys(
        &self,
        survey_id: &str,
        case_id: &str,
    ) -> Result<Option<(SealedSurvey, SealedCase)>, StorageError> {
        Ok(reading!(self, c => identity_case::table
            .inner_join(identity_survey::table.on(identity_survey::survey_id.eq(identity_case::survey_id)))
            .filter(identity_case::survey_id.eq(survey_id).and(identity_case::case_id.eq(case_id)))
            .select((SealedSurvey::as_select(), SealedCase::as_select()))
            .first(c)
            .optional())?)
    }
}
