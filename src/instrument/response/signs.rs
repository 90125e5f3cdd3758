//! Signs in an interview's own bytes that it may not have gone as it should. A sign proves nothing and decides nothing: it
//! says where a reviewer looks first.

use std::collections::BTreeMap;

use super::{Submission, SubmittedValue};

/// Milliseconds an item is shown in the middle of an interview, below which nobody can have read it aloud.
const ITEM_MS_MIN: i64 = 2_000;
/// Fewer answers than this say nothing about how an interview went.
const ANSWERS_MIN: usize = 10;
/// Share of the answers with one and the same value, from which on it is a pattern.
const SAME_VALUE_SHARE_MAX: f64 = 0.8;
/// Share of items left without a value, from which on little was asked.
const NO_VALUE_SHARE_MAX: f64 = 0.5;
/// Hours of the day, in China, outside which nobody is interviewed at home.
const HOURS: std::ops::Range<i64> = 7..22;
const HOUR_MS: i64 = 3_600_000;
const CHINA_MS: i64 = 8 * HOUR_MS;

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// The items went by faster than they can be read aloud.
    TooFast,
    /// Nearly all answers are the same.
    SameAnswers,
    /// Most items have no value.
    FewValues,
    /// It began in the night.
    AtNight,
}

impl Sign {
    /// The name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooFast => "too-fast",
            Self::SameAnswers => "same-answers",
            Self::FewValues => "few-values",
            Self::AtNight => "at-night",
        }
    }
}

impl Submission {
    /// The signs, in the order of their kinds.
    #[must_use]
    pub fn signs(&self) -> Vec<Sign> {
        let enough = self.answers.len() >= ANSWERS_MIN;
        let mut signs = Vec::new();
        if enough && self.median_shown_ms().is_some_and(|ms| ms < ITEM_MS_MIN) {
            signs.push(Sign::TooFast);
        }
        let (values, most) = self.values();
        if values >= ANSWERS_MIN && most as f64 > SAME_VALUE_SHARE_MAX * values as f64 {
            signs.push(Sign::SameAnswers);
        }
        if enough && (self.answers.len() - values) as f64 > NO_VALUE_SHARE_MAX * self.answers.len() as f64 {
            signs.push(Sign::FewValues);
        }
        let hour = self.timing.and_then(|timing| timing.started_ms).map(|ms| (ms + CHINA_MS).div_euclid(HOUR_MS) % 24);
        if hour.is_some_and(|hour| !HOURS.contains(&hour)) {
            signs.push(Sign::AtNight);
        }
        signs
    }

    fn median_shown_ms(&self) -> Option<i64> {
        let mut shown: Vec<i64> = self.answers.iter().filter_map(|answer| answer.shown_ms).collect();
        shown.sort_unstable();
        shown.get(shown.len() / 2).copied()
    }

    /// How many items have a value, and how many of them the commonest one.
    fn values(&self) -> (usize, usize) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for answer in &self.answers {
            if let SubmittedValue::Value(value) = &answer.value {
                *counts.entry(value.to_string()).or_default() += 1;
            }
        }
        (counts.values().sum(), counts.values().copied().max().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// 10:00 in China.
    const MORNING_MS: i64 = 1_746_842_400_000;

    fn signs(n: usize, ms: i64, started_ms: i64, value: impl Fn(usize) -> serde_json::Value) -> Vec<&'static str> {
        let answers: Vec<_> = (0..n)
            .map(|i| match value(i) {
                serde_json::Value::Null => json!({ "i": format!("q{i}"), "m": "dont_know", "ms": ms }),
                v => json!({ "i": format!("q{i}"), "v": v, "ms": ms }),
            })
            .collect();
        let body = json!({ "schema": 1, "id": "019abcde-0000-7000-8000-000000000001", "rev": 1, "case": "c",
            "instrument": "0".repeat(64), "answers": answers, "timing": { "started_ms": started_ms } });
        let submission = Submission::parse(body.to_string().as_bytes()).expect("a submission");
        submission.signs().into_iter().map(Sign::name).collect()
    }

    #[test]
    fn an_ordinary_interview_has_none() {
        assert_eq!(signs(20, 6_000, MORNING_MS, |i| json!(i.to_string())), Vec::<&str>::new());
    }

    #[test]
    fn speed_pattern_gaps_and_night_are_each_seen() {
        assert_eq!(signs(20, 900, MORNING_MS, |i| json!(i.to_string())), ["too-fast"]);
        assert_eq!(signs(20, 6_000, MORNING_MS, |i| json!(if i < 2 { "b" } else { "a" })), ["same-answers"]);
        let few = |i: usize| if i < 11 { serde_json::Value::Null } else { json!(i) };
        assert_eq!(signs(20, 6_000, MORNING_MS, few), ["few-values"]);
        assert_eq!(signs(20, 6_000, MORNING_MS + 13 * HOUR_MS, |i| json!(i)), ["at-night"], "23:00");
        assert_eq!(signs(20, 6_000, MORNING_MS - 2 * HOUR_MS, |i| json!(i)), Vec::<&str>::new(), "8:00");
    }

    #[test]
    fn a_few_answers_say_nothing() {
        assert_eq!(signs(9, 100, MORNING_MS, |_| json!("a")), Vec::<&str>::new());
    }
}
