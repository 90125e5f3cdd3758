//! How often somebody may ask: one allowance a kind of request and asker, refilled evenly.
//!
//! The generic cell rate algorithm needs one number per asker: the moment at which the allowance is full again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Askers remembered at most; those whose allowance is full are forgotten first.
const ASKERS_MAX: usize = 20_000;

/// What is asked for, as far as rates go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// A tablet hands in what it collected.
    Upload,
    /// A file with persons' rows leaves the house.
    Download,
    /// Everything else.
    Work,
}

/// An allowance: so many in a period, and so many at once. Zero in a period is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many in the period.
    pub count: u32,
    /// The period in milliseconds.
    pub period_ms: i64,
    /// How many at once when nothing was asked for a while.
    pub burst: u32,
}

impl Rate {
    /// The moment the allowance is full again after one was taken, if one was left, and else how long to wait.
    fn take(self, full_at_us: i64, now_us: i64) -> (i64, Result<(), i64>) {
        let each_us = self.period_ms * 1000 / i64::from(self.count.max(1));
        let burst_us = each_us * i64::from(self.burst.max(1));
        // A clock that was set back must not lock anybody out for the difference.
        let full_at_us = full_at_us.clamp(now_us, now_us + burst_us);
        let wait_us = full_at_us + each_us - now_us - burst_us;
        if wait_us > 0 { (full_at_us, Err(wait_us)) } else { (full_at_us + each_us, Ok(())) }
    }
}

/// The allowances of the three purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// For each device or token that hands in.
    pub upload: Rate,
    /// For each person's downloads.
    pub download: Rate,
    /// For each person's other requests, and for each address that asks without a token.
    pub work: Rate,
}

impl Rates {
    fn of(&self, purpose: Purpose) -> Rate {
        match purpose {
            Purpose::Upload => self.upload,
            Purpose::Download => self.download,
            Purpose::Work => self.work,
        }
    }
}

type Askers = BTreeMap<(Purpose, String), i64>;

/// Who has asked how much. Cloning shares it; a restart forgets it.
#[derive(Clone)]
pub struct Throttle {
    rates: Rates,
    askers: Arc<Mutex<Askers>>,
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle").field("rates", &self.rates).finish_non_exhaustive()
    }
}

impl Throttle {
    /// Nobody has asked yet.
    pub fn new(rates: Rates) -> Self {
        Self { rates, askers: Arc::default() }
    }

    /// Takes one from the asker's allowance.
    ///
    /// # Errors
    /// How many whole seconds to wait, at least 1, when nothing is left of it.
    pub fn take(&self, purpose: Purpose, asker: &str, now_ms: i64) -> Result<(), u64> {
        let rate = self.rates.of(purpose);
        if rate.count == 0 {
            return Ok(());
        }
        let now_us = now_ms.saturating_mul(1000);
        let mut askers = self.askers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (purpose, asker.to_owned());
        let full_at_us = askers.get(&key).copied().unwrap_or(now_us);
        let (full_at_us, taken) = rate.take(full_at_us, now_us);
        if askers.len() >= ASKERS_MAX && !askers.contains_key(&key) {
            forget(&mut askers, now_us);
        }
        askers.insert(key, full_at_us);
        taken.map_err(|wait_us| u64::try_from(wait_us.saturating_sub(1) / 1_000_000).unwrap_or(0) + 1)
    }
}

/// Forgets those whose allowance is full, or, when everybody is asking, the one whose is nearest to it.
fn forget(askers: &mut Askers, now_us: i64) {
    askers.retain(|_, full_at_us| *full_at_us > now_us);
    if askers.len() >= ASKERS_MAX
        && let Some(key) = askers.iter().min_by_key(|(_, full_at_us)| **full_at_us).map(|(key, _)| key.clone())
    {
        askers.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_763_800_000_000;

    fn throttle(count: u32, burst: u32) -> Throttle {
        let rate = Rate { count, period_ms: 60_000, burst };
        Throttle::new(Rates { upload: rate, download: rate, work: rate })
    }

    #[test]
    fn a_burst_is_allowed_then_one_in_each_interval() {
        let throttle = throttle(60, 3);
        let take = |ms: i64| throttle.take(Purpose::Upload, "a", NOW + ms);
        assert_eq!([take(0), take(0), take(0)], [Ok(()); 3]);
        assert_eq!(take(0), Err(1));
        assert_eq!(take(999), Err(1));
        assert_eq!(take(1000), Ok(()));
        assert!(take(1000).is_err());
        assert_eq!([take(10_000), take(10_000), take(10_000)], [Ok(()); 3], "full again, and not fuller");
        assert!(take(10_000).is_err());
    }

    #[test]
    fn askers_and_purposes_do_not_share_an_allowance() {
        let throttle = throttle(60, 1);
        assert!(throttle.take(Purpose::Upload, "a", NOW).is_ok());
        assert!(throttle.take(Purpose::Upload, "a", NOW).is_err());
        assert!(throttle.take(Purpose::Upload, "b", NOW).is_ok());
        assert!(throttle.take(Purpose::Work, "a", NOW).is_ok());
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let throttle = throttle(60, 2);
        assert!(throttle.take(Purpose::Work, "a", NOW).is_ok());
        let earlier = NOW - 3_600_000;
        assert!(throttle.take(Purpose::Work, "a", earlier).is_err(), "the allowance counts as used up");
        assert!(throttle.take(Purpose::Work, "a", earlier + 1000).is_ok(), "and refills at once");
    }

    #[test]
    fn zero_is_no_limit_and_memory_is_bounded() {
        let unlimited = throttle(0, 1);
        assert!((0..1000).all(|_| unlimited.take(Purpose::Work, "a", NOW).is_ok()));
        let throttle = throttle(60, 1);
        for asker in 0..i64::try_from(ASKERS_MAX).expect("a number") + 100 {
            assert!(throttle.take(Purpose::Work, &asker.to_string(), NOW + asker).is_ok());
        }
        assert!(throttle.askers.lock().expect("the askers").len() <= ASKERS_MAX);
    }
}
