//! When interviews take place: in the daytime of the field-work period, 居/村委会 after 居/村委会.

use jiff::tz::{TimeZone, offset};

use super::draw::{DrawnCase, DrawnSurvey};
use crate::simulate::stream::{Purpose, Stream};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Starts of the day's seven appointments, in minutes after midnight. They lie 70 minutes apart at least; an
/// interview starts up to 25 minutes late and takes up to 40, so that no two of one surveyor overlap.
const APPOINTMENTS: [i64; 7] =
    [9 * 60, 10 * 60 + 20, 13 * 60 + 30, 14 * 60 + 50, 16 * 60 + 10, 18 * 60 + 20, 19 * 60 + 30];
const LATE_MINUTES_MAX: f64 = 25.0;

impl DrawnSurvey<'_> {
    /// Start of the interview of a case, in milliseconds since 1970.
    ///
    /// One surveyor works through the 居/村委会 of a district, each from its own first day on, seven visits a day. Where a
    /// sample is too large for that the visits go round the days of the field work again, and overlap.
    pub(super) fn started_ms(&self, case: &DrawnCase) -> i64 {
        let psus = self.design.psus_per_district as i64;
        let period = i64::from(self.design.fieldwork_days);
        let first_day = i64::from(case.psu_serial) * period / psus;
        let visit = usize::from(case.household_serial);
        let day = (first_day + (visit / APPOINTMENTS.len()) as i64) % period;
        let late =
            Stream::new(self.design.seed, Purpose::Schedule, u64::from(case.household)).unit() * LATE_MINUTES_MAX;
        let minute = APPOINTMENTS[visit % APPOINTMENTS.len()];
        self.midnight_ms() + day * DAY_MS + minute * MINUTE_MS + (late * MINUTE_MS as f64) as i64
    }

    /// Midnight of the first day in China's one time zone.
    fn midnight_ms(&self) -> i64 {
        let start = self.design.fieldwork_start.to_zoned(TimeZone::fixed(offset(8)));
        start.expect("a fixed offset has every midnight").timestamp().as_millisecond()
    }
}
