//! Two-sided t quantiles, made once for each level and df of a prepared sample.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::statistics::interval::two_sided_t;

type Known = BTreeMap<(u64, u64), f64>;

/// t quantiles by level and df: a thousand cells have a hundred, and the next table of the same sample the same ones.
#[derive(Debug, Clone, Default)]
pub(in crate::statistics) struct TQuantiles(Arc<RwLock<Known>>);

impl TQuantiles {
    /// The two-sided quantile; NaN where there is none.
    pub fn t(&self, level: f64, df: f64) -> f64 {
        let key = (level.to_bits(), df.to_bits());
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        known.unwrap_or_else(|| {
            // Made outside the lock: hundreds of distinct df would make the threads work one after the other.
            let t = two_sided_t(level, df).unwrap_or(f64::NAN);
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, t);
            t
        })
    }
}
