//! Randomness by name: every unit of work has its own ChaCha8 stream, so no result depends on order or threads.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::gauss;

/// What a stream is for; two purposes never share a key, so adding one leaves the others' numbers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Composition,
    Psu,
    Households,
    Residual,
    Propensity,
    Answers,
    PsuDraw,
    HouseholdDraw,
    Nonresponse,
    Interview,
    Roster,
    Schedule,
    Attempts,
}

/// One stream of random numbers. The helpers are ours because a library may change its sampling between versions,
/// and the same seed must give the same bytes for as long as the city carries the same name.
pub(super) struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of unit `index` for one purpose of one seed.
    pub(super) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = purpose as u8;
        key[9..16].copy_from_slice(b"scilit\0");
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(index);
        Self(rng)
    }

    /// A number in the open interval (0, 1): 53 bits, and half a step so that neither end can come out.
    pub(super) fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// A whole number in `0..n`. The bias of the widening product is below `n / 2^64`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    pub(super) fn normal(&mut self) -> f64 {
        gauss::quantile(self.unit())
    }

    /// The place of the drawn category, with probabilities in proportion to `weights`.
    pub(super) fn pick(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut left = self.unit() * total;
        for (place, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 && *weight > 0.0 {
                return place;
            }
        }
        weights.iter().rposition(|w| *w > 0.0).unwrap_or(0)
    }

    /// Fisher and Yates, from the end.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_purpose_and_index_only() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).unit();
        let one = first(7, Purpose::Psu, 3);
        assert_eq!(one, first(7, Purpose::Psu, 3));
        assert_ne!(one, first(8, Purpose::Psu, 3));
        assert_ne!(one, first(7, Purpose::Households, 3));
        assert_ne!(one, first(7, Purpose::Psu, 4));
    }

    #[test]
    fn pick_never_returns_a_category_of_weight_zero() {
        let mut stream = Stream::new(1, Purpose::Psu, 0);
        assert!((0..1000).all(|_| stream.pick(&[0.0, 1.0, 0.0, 2.0, 0.0]) % 2 == 1));
    }

    #[test]
    fn shuffling_keeps_every_item() {
        let mut items: Vec<u32> = (0..50).collect();
        Stream::new(1, Purpose::Psu, 0).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
