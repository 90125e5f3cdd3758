//! From when on each attachment may go.

use std::collections::BTreeMap;

use super::{Periods, What};
use crate::storage::{Database, LinkedAttachment, StorageError};

/// Attachments that are looked at together.
const AT_ONCE: i64 = 500;

/// What interviews call a recording.
const RECORDING: &str = "audio";

/// An attachment with the day from which on it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) what: What,
    /// The survey of the interview that names it.
    pub(super) survey_id: Option<String>,
    /// Nothing while its period has not begun.
    pub(super) from_ms: Option<i64>,
}

/// Every attachment whose bytes are there. One that several interviews name counts for the one that keeps it longest.
pub(super) fn candidates(database: &Database, periods: Periods) -> Result<Vec<Candidate>, StorageError> {
    let mut closings: BTreeMap<String, Option<i64>> = BTreeMap::new();
    let mut found: Vec<Candidate> = Vec::new();
    let mut after = String::new();
    loop {
        let rows = database.live_attachments(&after, AT_ONCE)?;
        let Some(last) = rows.last() else { return Ok(found) };
        after.clone_from(&last.attachment.id);
        for row in rows {
            let closed_at_ms = match &row.survey_id {
                Some(id) if !closings.contains_key(id) => {
                    let closed_at_ms = database.closed_at_ms(id)?;
                    closings.insert(id.clone(), closed_at_ms);
                    closed_at_ms
                }
                Some(id) => closings[id],
                None => None,
            };
            let candidate = of(row, closed_at_ms, periods);
            match found.last_mut().filter(|before| before.id == candidate.id) {
                Some(before) if later(&candidate, before) => *before = candidate,
                Some(_) => {}
                None => found.push(candidate),
            }
        }
    }
}

fn later(one: &Candidate, other: &Candidate) -> bool {
    one.from_ms.unwrap_or(i64::MAX) > other.from_ms.unwrap_or(i64::MAX)
}

fn of(row: LinkedAttachment, closed_at_ms: Option<i64>, periods: Periods) -> Candidate {
    let LinkedAttachment { attachment, kind, survey_id, erased } = row;
    let (what, from_ms) = match (attachment.completed_at_ms, kind.as_deref()) {
        (None, _) => (What::Uploads, Some(attachment.begun_at_ms + periods.recordings_ms())),
        (Some(ms), Some(RECORDING)) => (What::Recordings, Some(ms + periods.recordings_ms())),
        (Some(ms), None) => (What::Unnamed, Some(ms + periods.recordings_ms())),
        (Some(_), Some(_)) => (What::Pictures, closed_at_ms.map(|ms| ms + periods.contacts_ms())),
    };
    // Of an erased person nothing waits for its day.
    let from_ms = if erased && attachment.completed_at_ms.is_some() { Some(0) } else { from_ms };
    Candidate { id: attachment.id, what, survey_id, from_ms }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Attachment;

    const DAY: i64 = 86_400_000;

    fn row(kind: Option<&str>, completed_at_ms: Option<i64>, erased: bool) -> LinkedAttachment {
        let attachment = Attachment {
            id: "a".to_owned(),
            owner: "o".to_owned(),
            length: 1,
            sha256: "s".to_owned(),
            received: 1,
            begun_at_ms: 0,
            completed_at_ms,
            deleted_at_ms: None,
        };
        LinkedAttachment { attachment, kind: kind.map(str::to_owned), survey_id: None, erased }
    }

    #[test]
    fn recordings_go_by_their_age_and_pictures_with_the_contact_data() {
        let day = |row, closed| {
            let one = of(row, closed, Periods::default());
            (one.what, one.from_ms.map(|ms| ms / DAY))
        };
        assert_eq!(day(row(Some("audio"), Some(DAY), false), None), (What::Recordings, Some(31)));
        assert_eq!(day(row(None, Some(DAY), false), None), (What::Unnamed, Some(31)));
        assert_eq!(day(row(Some("photo"), Some(DAY), false), None), (What::Pictures, None));
        assert_eq!(day(row(Some("photo"), Some(DAY), false), Some(DAY)), (What::Pictures, Some(91)));
        assert_eq!(day(row(Some("photo"), None, false), Some(DAY)), (What::Uploads, Some(30)));
        assert_eq!(day(row(Some("photo"), Some(DAY), true), None), (What::Pictures, Some(0)));
    }
}
