//! What tablets tell of their work, each once, and the contact attempts among it.

use diesel::prelude::*;
use serde_json::json;

use super::{
    Act, Author, Database, NoteKeys, SealedNote, StorageError, audit::Appends, notes::KeepsNoteKeys, schema::*,
};

/// Gaps in one answer at most.
const GAPS_MAX: usize = 100;

/// An event as a tablet sent it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = field_event)]
pub struct FieldEvent {
    /// The tablet.
    pub device_id: String,
    /// Its number there, from 1.
    pub seq: i64,
    /// What kind.
    pub kind: String,
    /// All of it, as JSON.
    pub content: String,
    /// When it came.
    pub received_at_ms: i64,
}

/// A try to reach a household.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = contact_attempt)]
pub struct ContactAttempt {
    /// UUID made by the tablet.
    pub id: String,
    /// The survey.
    pub survey_id: String,
    /// The case.
    pub case_id: String,
    /// The tablet.
    pub device_id: String,
    /// The event it came with.
    pub seq: i64,
    /// Whose tablet.
    pub person_id: String,
    /// What it came to: a code of [`crate::instrument::DISPOSITIONS`].
    pub outcome: String,
    /// `visit` or `phone`.
    pub mode: String,
    /// When, by the tablet's clock.
    pub at_ms: i64,
    /// When it came.
    pub received_at_ms: i64,
}

/// An event with what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The event, without what is sealed.
    pub event: FieldEvent,
    /// The contact attempt in it.
    pub attempt: Option<ContactAttempt>,
    /// What was sealed of it.
    pub notes: Vec<SealedNote>,
}

/// What one attempt came to, as a run reads it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = contact_attempt)]
pub struct AttemptOutcome {
    /// The case.
    pub case_id: String,
    /// The attempt.
    pub id: String,
    /// What it came to.
    pub outcome: String,
    /// When, by the tablet's clock.
    pub at_ms: i64,
}

/// Where a tablet's events stand after some came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsKept {
    /// Everything up to this number is there.
    pub through: i64,
    /// The numbers missing between it and the last one, both ends included.
    pub gaps: Vec<(i64, i64)>,
    /// Numbers under which something else had come before; the first is kept.
    pub conflicts: Vec<i64>,
}

impl Database {
    /// Keeps events of one tablet, each once, with the contact attempts among them and what was sealed of them: all or
    /// nothing. `is_same` says whether two contents of one number say the same.
    ///
    /// # Errors
    /// `KeysChanged` when the keys changed after the sealing; whatever else the database refused. Then nothing changed.
    pub fn keep_events(
        &self,
        device_id: &str,
        (events, keys): (&[NewEvent], &[NoteKeys]),
        is_same: fn(&str, &str) -> bool,
        by: &Author,
        now_ms: i64,
    ) -> Result<EventsKept, StorageError> {
        writing!(self, c => {
            c.keep_note_keys(keys)?;
            // Two batches of one tablet at once take their turn at its head.
            diesel::insert_into(field_event_head::table)
                .values((field_event_head::device_id.eq(device_id), field_event_head::through.eq(0)))
                .on_conflict_do_nothing()
                .execute(c)?;
            let before: i64 = diesel::update(field_event_head::table.find(device_id))
                .set(field_event_head::through.eq(field_event_head::through))
                .returning(field_event_head::through)
                .get_result(c)?;
            let (mut conflicts, mut new) = (Vec::new(), Vec::new());
            for NewEvent { event, attempt, notes } in events {
                let inserted =
                    diesel::insert_into(field_event::table).values(event).on_conflict_do_nothing().execute(c)?;
                if inserted == 1 {
                    new.push(event.seq);
                    diesel::insert_into(identity_note::table).values(notes).execute(c)?;
                    if let Some(attempt) = attempt {
                        diesel::insert_into(contact_attempt::table).values(attempt).on_conflict_do_nothing().execute(c)?;
                    }
                    continue;
                }
                let kept: String =
                    field_event::table.find((device_id, event.seq)).select(field_event::content).first(c)?;
                if kept != event.content && !is_same(&kept, &event.content) {
                    conflicts.push(event.seq);
                }
            }
            let later: Vec<i64> = field_event::table
                .filter(field_event::device_id.eq(device_id).and(field_event::seq.gt(before)))
                .order(field_event::seq)
                .select(field_event::seq)
                .load(c)?;
            let (through, gaps) = standing(before, &later);
            if through != before {
                diesel::update(field_event_head::table.find(device_id))
                    .set(field_event_head::through.eq(through))
                    .execute(c)?;
            }
            if !new.is_empty() {
                let detail = json!({ "count": new.len(), "first": new.iter().min(), "last": new.iter().max() });
                c.append(&[Act::done(by, now_ms, "events.keep", format!("device/{device_id}"), detail)])?;
            }
            Ok(EventsKept { through, gaps, conflicts })
        })
    }

    /// The contact attempts of a case, in the order of their times.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn contact_attempts(&self, survey_id: &str, case_id: &str) -> Result<Vec<ContactAttempt>, StorageError> {
        Ok(reading!(self, c => contact_attempt::table
            .filter(contact_attempt::survey_id.eq(survey_id).and(contact_attempt::case_id.eq(case_id)))
            .order((contact_attempt::at_ms, contact_attempt::id))
            .select(ContactAttempt::as_select())
            .load(c))?)
    }

    /// What every attempt of a survey came to, in the order of the cases' bytes, the times and the ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn survey_attempts(&self, survey_id: &str) -> Result<Vec<AttemptOutcome>, StorageError> {
        let mut rows: Vec<AttemptOutcome> = reading!(self, c => contact_attempt::table
            .filter(contact_attempt::survey_id.eq(survey_id))
            .select(AttemptOutcome::as_select())
            .load(c))?;
        rows.sort_by(|a, b| (a.case_id.as_bytes(), a.at_ms, &a.id).cmp(&(b.case_id.as_bytes(), b.at_ms, &b.id)));
        Ok(rows)
    }
}

/// Up to where all is there, and the gaps behind that; `later` are the numbers there after `before`, in order.
fn standing(before: i64, later: &[i64]) -> (i64, Vec<(i64, i64)>) {
    let (mut through, mut last, mut gaps) = (before, before, Vec::new());
    for seq in later {
        if *seq == through + 1 {
            through = *seq;
        } else if *seq > last + 1 && gaps.len() < GAPS_MAX {
            gaps.push((last + 1, seq - 1));
        }
        last = *seq;
    }
    (through, gaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_without_a_gap_counts_and_what_is_missing_is_named() {
        assert_eq!(standing(0, &[]), (0, vec![]));
        assert_eq!(standing(0, &[1, 2, 3]), (3, vec![]));
        assert_eq!(standing(0, &[2, 3]), (0, vec![(1, 1)]));
        assert_eq!(standing(3, &[4, 7, 8, 11]), (4, vec![(5, 6), (9, 10)]));
    }
}
