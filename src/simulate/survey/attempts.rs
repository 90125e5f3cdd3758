//! What the surveyors tell of the households that gave no interview.
//!
//! Everybody in the synthetic city is eligible, and who responds depends on district and residence only. What is told of
//! the others is drawn apart from all of that: it gives the rates of a survey something to count and moves no estimate.

use uuid::{Builder, Uuid};

use super::draw::{DrawnCase, DrawnSurvey};
use crate::simulate::stream::{Purpose, Stream};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Nobody at home, which is also what a visit before the last one comes to.
const NOBODY_AT_HOME: &str = "2.24";

/// Final outcomes with their shares and the visits that are made until one stands; round numbers of our own. Whoever is
/// not met, and whatever is not found, is tried on three days.
const OUTCOMES: [(&str, f64, usize); 11] = [
    ("2.111", 0.26, 1),
    ("2.112", 0.18, 2),
    ("2.12", 0.02, 1),
    (NOBODY_AT_HOME, 0.20, 3),
    ("2.25", 0.11, 3),
    ("2.32", 0.04, 1),
    ("3.17", 0.03, 3),
    ("3.18", 0.04, 3),
    ("4.50", 0.03, 1),
    ("4.60", 0.06, 2),
    ("4.70", 0.03, 1),
];

/// One visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnAttempt<'s> {
    /// UUIDv7 of the tablet.
    pub id: Uuid,
    /// The case.
    pub case_id: &'s str,
    /// A code of the AAPOR's Standard Definitions.
    pub outcome: &'static str,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

impl DrawnSurvey<'_> {
    /// The visits to every household without an interview, in the order of the cases and of time.
    pub fn attempts(&self) -> impl Iterator<Item = DrawnAttempt<'_>> {
        self.cases.iter().filter(|case| !case.responds).flat_map(|case| self.attempts_of(case))
    }

    fn attempts_of<'s>(&'s self, case: &'s DrawnCase) -> Vec<DrawnAttempt<'s>> {
        let mut stream = Stream::new(self.design.seed, Purpose::Attempts, u64::from(case.household));
        let (last, _, visits) = OUTCOMES[stream.pick(&OUTCOMES.map(|(_, share, _)| share))];
        let begun_ms = self.started_ms(case);
        let mut visit = |number: usize| {
            let later_ms = number as i64 * DAY_MS + stream.below(90) as i64 * MINUTE_MS;
            let at_ms = begun_ms + later_ms;
            let id = Builder::from_unix_timestamp_millis(at_ms as u64, &stream.bytes()).into_uuid();
            let outcome = if number + 1 == visits { last } else { NOBODY_AT_HOME };
            // An address that was not found is not found the next time, either.
            let outcome = if last.starts_with('3') { last } else { outcome };
            DrawnAttempt { id, case_id: &case.case_id, outcome, at_ms }
        };
        (0..visits).map(&mut visit).collect()
    }
}
