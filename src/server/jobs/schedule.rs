//! Runs that the server starts by itself, so that interim figures appear during fieldwork.
//!
//! What was due while the server was down is done once. A schedule says which times are due and nothing else: the run
//! is an interim one of everything that may still be approved, and stands in the log as the server's own.

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{
    Timestamp, Zoned,
    tz::{TimeZone, offset},
};

use super::{Include, RunRequest, Runner, Watch};
use crate::{
    server::{Clock, Refusal, Text, disk},
    storage::{Database, DueRun, Schedule, StorageError},
};

/// Offset of the times in a schedule, in hours: Beijing time, as everywhere in fieldwork.
const HOURS: i8 = 8;

/// Times of the day and week, as a cron expression of five fields in Beijing time.
#[derive(Debug, Clone)]
pub struct Times(Cron);

impl Times {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, for a person: not five fields, a value out of range, or times that never come.
    pub fn parse(expression: &str, now_ms: i64) -> Result<Self, Text> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let times = Self(parser.parse(expression).map_err(|error| {
            let zh = "应为五段的 cron 表达式（分 时 日 月 周），例如 0 6 * * * 表示每天 6 点";
            Text::new(zh, format!("it is no cron expression of five fields such as `0 6 * * *`: {error}"))
        })?);
        if times.next_after(now_ms).is_none() {
            return Err(Text::new("这样的时间不会到来", "there is no such time"));
        }
        Ok(times)
    }

    /// The first of the times after this one, in epoch milliseconds.
    #[must_use]
    pub fn next_after(&self, ms: i64) -> Option<i64> {
        let time: Zoned = Timestamp::from_millisecond(ms).ok()?.to_zoned(TimeZone::fixed(offset(HOURS)));
        Some(self.0.find_next_occurrence(&time, false).ok()?.timestamp().as_millisecond())
    }

    /// The times after this one, in order.
    pub fn following(&self, ms: i64) -> impl Iterator<Item = i64> + '_ {
        std::iter::successors(self.next_after(ms), |last| self.next_after(*last))
    }
}

/// Starts a thread that looks at the schedules.
///
/// # Errors
/// When there is no thread.
pub fn schedules(database: Database, clock: Clock, runner: Runner) -> Result<Watch, StorageError> {
    Watch::start("schedules", move || {
        if let Err(error) = look(&database, &clock, &runner) {
            disk::end_if_failed(&error);
            tracing::warn!(%error, "the schedules could not be looked at");
        }
    })
}

fn look(database: &Database, clock: &Clock, runner: &Runner) -> Result<(), StorageError> {
    for schedule in database.schedules()? {
        let Some(due) = due(&schedule, clock.now_ms()) else { continue };
        let request = RunRequest { include: Include::Interim, ..RunRequest::default() };
        match runner.queue_due(&schedule.survey_id, &request, &due) {
            Ok(run) => tracing::info!(run, survey = schedule.survey_id, cron = schedule.cron, "a scheduled run begins"),
            // The mark stays, so that it is tried again when there is room.
            Err(Refusal::Storage(StorageError::QueueFull(_))) => {}
            Err(Refusal::Storage(error)) => return Err(error),
            Err(refusal) => tracing::warn!(%refusal, survey = schedule.survey_id, "a scheduled run was refused"),
        }
    }
    Ok(())
}

/// Whether one of the times came since the schedule was last looked at; however many did, one run shows their state.
fn due(schedule: &Schedule, now_ms: i64) -> Option<DueRun> {
    let times = Times::parse(&schedule.cron, schedule.looked_at_ms).ok()?;
    let next = times.next_after(schedule.looked_at_ms)?;
    let (cron, looked_at_ms) = (schedule.cron.clone(), schedule.looked_at_ms);
    (next <= now_ms).then_some(DueRun { cron, looked_at_ms, now_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-11-22 16:26:40 in Beijing.
    const NOW: i64 = 1_763_800_000_000;
    const HOUR: i64 = 3_600_000;

    fn next(expression: &str) -> Option<i64> {
        Times::parse(expression, NOW).expect("an expression").next_after(NOW).map(|ms| ms - NOW)
    }

    #[test]
    fn times_are_beijing_times() {
        // 18:00 is an hour, 33 minutes and 20 seconds away.
        assert_eq!(next("0 18 * * *"), Some(HOUR + 2_000_000));
        assert_eq!(next("0 16 * * *"), Some(23 * HOUR + 2_000_000));
        // It is a Saturday.
        assert_eq!(next("0 16 * * 6"), Some((7 * 24 - 1) * HOUR + 2_000_000));
    }

    #[test]
    fn what_is_no_time_is_refused_in_words() {
        for wrong in ["", "6", "0 6 * *", "0 25 * * *", "61 6 * * *", "* * * * * *", "0 6 * * * 2026 1", "每天"] {
            assert!(Times::parse(wrong, NOW).is_err(), "{wrong}");
        }
        let never = Times::parse("0 0 30 2 *", NOW).expect_err("no such day");
        assert_eq!(never.zh, "这样的时间不会到来");
    }

    #[test]
    fn what_was_missed_is_due_once() {
        let schedule = |looked_at_ms| Schedule {
            survey_id: String::new(),
            cron: "0 18 * * *".to_owned(),
            set_by: String::new(),
            set_at_ms: NOW,
            looked_at_ms,
        };
        assert_eq!(due(&schedule(NOW), NOW + HOUR), None);
        let late = NOW + 72 * HOUR;
        let found = due(&schedule(NOW), late).expect("a run");
        assert_eq!((found.looked_at_ms, found.now_ms), (NOW, late));
        assert_eq!(due(&schedule(late), late), None);
    }
}
