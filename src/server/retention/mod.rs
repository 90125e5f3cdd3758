//! What is kept until when, and deleting what is not kept any longer.
//!
//! Contact data are for the field work and its checks and go soon after; received answers stay for at least two years, as
//! the law on statistics asks; results, logs, receipts and digests stay for ever. `docs/retention.md` says it for people.

mod attachments;
mod words;

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::{Clock, attachments::read_links};
use crate::storage::{Author, Database, Deleted, Deletion, Held, StorageError, Survey};
use attachments::{Candidate, candidates};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// 统计法实施条例 22: what one respondent said is kept for at least two years.
const RAW_YEARS: i32 = 2;

/// Attachments of one transaction.
const ATTACHMENTS_PER_JOB: usize = 200;

/// How long personal data are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Periods {
    /// Days after the closing until contact data and pictures go.
    pub contacts_days: u32,
    /// Days until recordings and abandoned uploads go.
    pub recordings_days: u32,
}

impl Periods {
    /// Longest period of either kind.
    pub const DAYS_MAX: u32 = 365;

    /// What was set, and the defaults for the rest.
    #[must_use]
    pub fn new(contacts_days: Option<u32>, recordings_days: Option<u32>) -> Self {
        Self { contacts_days: contacts_days.unwrap_or(90), recordings_days: recordings_days.unwrap_or(30) }
    }

    fn contacts_ms(self) -> i64 {
        i64::from(self.contacts_days) * DAY_MS
    }

    fn recordings_ms(self) -> i64 {
        i64::from(self.recordings_days) * DAY_MS
    }
}

impl Default for Periods {
    fn default() -> Self {
        Self::new(None, None)
    }
}

/// What may be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Names, addresses, telephone numbers, words and places of visits.
    Contacts,
    /// Recordings of interviews.
    Recordings,
    /// Pictures and whatever else interviews name.
    Pictures,
    /// Attachments that no interview which arrived names.
    Unnamed,
    /// Attachments that were begun and never ended.
    Uploads,
    /// Received answers.
    Raw,
}

impl What {
    /// Its name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Recordings => "recordings",
            Self::Pictures => "pictures",
            Self::Unnamed => "unnamed",
            Self::Uploads => "uploads",
            Self::Raw => "raw",
        }
    }
}

/// Why something is deleted now, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The next daily run deletes it.
    Due,
    /// It is kept until its day.
    Kept,
    /// Its period begins when the survey is closed.
    Open,
    /// A legal hold stands over it.
    Held,
    /// It may be deleted, and is only when somebody says so.
    OnCommand,
    /// There is none, or none any more.
    Nothing,
}

impl Standing {
    /// Its name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Kept => "kept",
            Self::Open => "open",
            Self::Held => "held",
            Self::OnCommand => "on_command",
            Self::Nothing => "nothing",
        }
    }
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What.
    pub what: What,
    /// How many.
    pub items: i64,
    /// From when on it may be deleted; nothing while that is not known.
    pub from_ms: Option<i64>,
    /// Why it is deleted or not.
    pub standing: Standing,
}

/// Why received answers are not deleted.
#[derive(Debug, thiserror::Error)]
pub enum RawRefusal {
    /// The survey is open.
    #[error(
        "调查尚未结束，原始答卷不能删除 / delete the raw responses: the survey is open; they are kept for two years from its closing"
    )]
    Open,
    /// Two years have not passed.
    #[error(
        "原始答卷至少保存两年（统计法实施条例第22条），{0} 起方可删除 / delete the raw responses: they are kept for two years from the closing and may be deleted from {0} on"
    )]
    TooYoung(String),
    /// A legal hold stands over the survey.
    #[error("调查的资料处于留存保全中，不能删除 / delete the raw responses: a legal hold stands over the survey")]
    Held,
    /// The database refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Keeps and deletes in one database.
#[derive(Debug, Clone, Copy)]
pub struct Retention<'a> {
    /// Where everything is.
    pub database: &'a Database,
    /// When it is.
    pub clock: &'a Clock,
    /// How long personal data are kept.
    pub periods: Periods,
}

impl Retention<'_> {
    /// What would be deleted of a survey, when, and why not.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn plan(&self, survey: &Survey) -> Result<Vec<Planned>, StorageError> {
        read_links(self.database)?;
        let (now_ms, held) = (self.clock.now_ms(), self.database.held(&survey.id)?);
        let is_held = self.database.hold(&survey.id)?.is_some();
        let contacts_from = held.closed_at_ms.map(|ms| ms + self.periods.contacts_ms());
        let mut plan = vec![
            planned(What::Contacts, held.contacts, contacts_from, now_ms, is_held),
            raw_line(&held, now_ms, is_held),
        ];
        let of_survey = |one: &Candidate| one.survey_id.as_deref() == Some(survey.id.as_str());
        let attachments: Vec<Candidate> =
            candidates(self.database, self.periods)?.into_iter().filter(of_survey).collect();
        for what in [What::Recordings, What::Pictures, What::Uploads] {
            let mut of_kind: Vec<&Candidate> = attachments.iter().filter(|one| one.what == what).collect();
            of_kind.sort_by_key(|one| one.from_ms.unwrap_or(i64::MAX));
            let (due, later): (Vec<&Candidate>, Vec<&Candidate>) =
                of_kind.into_iter().partition(|one| one.from_ms.is_some_and(|ms| ms <= now_ms));
            for part in [due, later].into_iter().filter(|part| !part.is_empty()) {
                let from_ms = part.first().and_then(|one| one.from_ms);
                plan.push(planned(what, i64::try_from(part.len()).unwrap_or(i64::MAX), from_ms, now_ms, is_held));
            }
        }
        plan.sort_by_key(|line| line.what);
        Ok(plan)
    }

    /// Deletes what is due of one survey, or of all; what was deleted, in words for a person.
    ///
    /// # Errors
    /// Whatever the database refused; what was deleted by then is.
    pub fn run(&self, survey: Option<&Survey>, by: &Author) -> Result<Vec<(String, What, i64)>, StorageError> {
        read_links(self.database)?;
        let mut done = Vec::new();
        let surveys = match survey {
            Some(survey) => vec![survey.clone()],
            None => self.database.surveys()?,
        };
        for survey in &surveys {
            let closed_by_ms = self.clock.now_ms() - self.periods.contacts_ms();
            let reason = words::rule(What::Contacts, self.periods);
            let delete = |of: &Deletion| self.database.delete_contacts(&survey.id, closed_by_ms, of);
            let (gone, _) = self.until_nothing(by, &reason, delete)?;
            note(&mut done, &survey.code, What::Contacts, gone);
        }
        self.delete_attachments(survey, &surveys, by, &mut done)?;
        if !done.is_empty() {
            self.database.scrub()?;
        }
        Ok(done)
    }

    /// Deletes every received answer of a survey that was closed two years ago; how many bodies.
    ///
    /// # Errors
    /// `Open`, `TooYoung` with the day, `Held`; whatever the database refused.
    pub fn delete_raw(&self, survey: &Survey, reason: &str, by: &Author) -> Result<i64, RawRefusal> {
        let now_ms = self.clock.now_ms();
        let Some(closed_at_ms) = self.database.held(&survey.id)?.closed_at_ms else { return Err(RawRefusal::Open) };
        let from_ms = years_after(closed_at_ms, RAW_YEARS);
        if now_ms < from_ms {
            return Err(RawRefusal::TooYoung(words::day(from_ms)));
        }
        // Whoever opens the survey again meanwhile and closes it begins the period anew.
        let delete = |of: &Deletion| self.database.delete_raw(&survey.id, closed_at_ms, of);
        let (gone, last) = self.until_nothing(by, reason, delete)?;
        if gone > 0 {
            self.database.scrub()?;
        }
        match last {
            Deleted::Held => Err(RawRefusal::Held),
            Deleted::TooEarly => Err(RawRefusal::Open),
            Deleted::Nothing | Deleted::Some(_) => Ok(gone),
        }
    }

    fn until_nothing(
        &self,
        by: &Author,
        reason: &str,
        delete: impl Fn(&Deletion) -> Result<Deleted, StorageError>,
    ) -> Result<(i64, Deleted), StorageError> {
        let mut gone = 0;
        loop {
            match delete(&self.deletion(by, reason))? {
                Deleted::Some(items) => gone += items,
                last => return Ok((gone, last)),
            }
        }
    }

    fn deletion(&self, by: &Author, reason: &str) -> Deletion {
        let id = self.clock.uuid().to_string();
        Deletion { id, by: by.clone(), reason: reason.to_owned(), now_ms: self.clock.now_ms() }
    }

    fn delete_attachments(
        &self,
        only: Option<&Survey>,
        surveys: &[Survey],
        by: &Author,
        done: &mut Vec<(String, What, i64)>,
    ) -> Result<(), StorageError> {
        let now_ms = self.clock.now_ms();
        let mut due = candidates(self.database, self.periods)?;
        due.retain(|one| one.from_ms.is_some_and(|ms| ms <= now_ms));
        due.retain(|one| only.is_none_or(|survey| one.survey_id.as_deref() == Some(survey.id.as_str())));
        due.sort_by(|one, other| (&one.survey_id, one.what, &one.id).cmp(&(&other.survey_id, other.what, &other.id)));
        for group in due.chunk_by(|one, other| (&one.survey_id, one.what) == (&other.survey_id, other.what)) {
            let Some(first) = group.first() else { continue };
            let survey_id = first.survey_id.as_deref();
            let code = surveys.iter().find(|survey| Some(survey.id.as_str()) == survey_id);
            let code = code.map_or("-", |survey| survey.code.as_str());
            for part in group.chunks(ATTACHMENTS_PER_JOB) {
                let ids: Vec<String> = part.iter().map(|one| one.id.clone()).collect();
                let of = self.deletion(by, &words::rule(first.what, self.periods));
                let gone = match first.what {
                    What::Uploads => {
                        let begun_by_ms = now_ms - self.periods.recordings_ms();
                        self.database.delete_uploads(survey_id, &ids, begun_by_ms, &of)?
                    }
                    _ => self.database.delete_attachments(survey_id, &ids, &of)?,
                };
                if let Deleted::Some(items) = gone {
                    note(done, code, first.what, items);
                }
            }
        }
        Ok(())
    }
}

fn note(done: &mut Vec<(String, What, i64)>, code: &str, what: What, items: i64) {
    if items > 0 {
        done.push((code.to_owned(), what, items));
    }
}

fn planned(what: What, items: i64, from_ms: Option<i64>, now_ms: i64, is_held: bool) -> Planned {
    let standing = match from_ms {
        _ if items == 0 => Standing::Nothing,
        _ if is_held => Standing::Held,
        None => Standing::Open,
        Some(ms) if ms > now_ms => Standing::Kept,
        Some(_) => Standing::Due,
    };
    Planned { what, items, from_ms, standing }
}

fn raw_line(held: &Held, now_ms: i64, is_held: bool) -> Planned {
    let from_ms = held.closed_at_ms.map(|ms| years_after(ms, RAW_YEARS));
    let line = planned(What::Raw, held.raw, from_ms, now_ms, is_held);
    let standing = if line.standing == Standing::Due { Standing::OnCommand } else { line.standing };
    Planned { standing, ..line }
}

/// The same time of the day so many years later, by the calendar of China.
fn years_after(ms: i64, years: i32) -> i64 {
    let zone = TimeZone::fixed(jiff::tz::offset(8));
    let later = Timestamp::from_millisecond(ms).ok().and_then(|at| at.to_zoned(zone).checked_add(years.years()).ok());
    later.map_or(i64::MAX, |at| at.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_years_are_two_years_of_the_calendar() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time").as_millisecond();
        assert_eq!(years_after(at("2024-02-29T10:00:00+08:00"), 2), at("2026-02-28T10:00:00+08:00"));
        assert_eq!(years_after(at("2025-11-22T23:59:59+08:00"), 2), at("2027-11-22T23:59:59+08:00"));
    }

    #[test]
    fn what_stands_under_a_hold_is_never_due_and_what_is_not_there_is_nothing() {
        let standing = |items, from_ms, held| planned(What::Contacts, items, from_ms, 100, held).standing;
        assert_eq!(standing(1, Some(100), false), Standing::Due);
        assert_eq!(standing(1, Some(101), false), Standing::Kept);
        assert_eq!(standing(1, None, false), Standing::Open);
        assert_eq!(standing(1, Some(100), true), Standing::Held);
        assert_eq!(standing(0, Some(100), true), Standing::Nothing);
    }
}
