//! One stream of random numbers a stratum, the same on every machine and in every version of the libraries.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use sha2::{Digest, Sha256};

/// The random numbers of one stratum.
///
/// The stream's number is taken from the stratum's name, so a stratum that is added or removed changes no other one.
pub(super) struct Stream(ChaCha8Rng);

impl Stream {
    pub(super) fn of(seed: u64, stratum: &str) -> Self {
        let digest = Sha256::digest(stratum.as_bytes());
        let mut number = [0; 8];
        number.copy_from_slice(&digest[..8]);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from_le_bytes(number));
        Self(rng)
    }

    /// A number below `bound`, all equally likely: numbers from the incomplete last round are thrown away.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let rounds = u64::MAX / bound;
        loop {
            let x = self.0.next_u64() / rounds;
            if x < bound {
                return x;
            }
        }
    }

    /// Puts a list into random order (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            let j = self.below(i as u64 + 1) as usize;
            list.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stratum_has_its_own_numbers_and_always_the_same() {
        let first = |seed, stratum: &str| Stream::of(seed, stratum).below(1 << 40);
        assert_eq!(first(7, "南岗"), first(7, "南岗"));
        assert_ne!(first(7, "南岗"), first(7, "道里"));
        assert_ne!(first(7, "南岗"), first(8, "南岗"));
    }

    #[test]
    fn every_number_below_the_bound_comes_up() {
        let mut stream = Stream::of(1, "a");
        let mut seen = [0u32; 6];
        for _ in 0..6000 {
            seen[stream.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|n| (850..1150).contains(n)), "{seen:?}");
    }
}
