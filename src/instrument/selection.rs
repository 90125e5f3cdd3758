//! Who of a household is asked, from a number that was fixed before anybody knew the household.

/// How one of the eligible is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectionMethod {
    /// Each with the same probability.
    Uniform,
    /// By one of Kish's tables (Kish 1949, JASA 44); among five the chances are uneven, and of more than six only the first
    /// six can be drawn.
    Kish,
}

impl SelectionMethod {
    /// The name it has in submissions and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Kish => "kish",
        }
    }

    /// The method of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Uniform, Self::Kish].into_iter().find(|method| method.name() == name)
    }
}

/// One of Kish's tables: whom to ask when 1, 2, … 6 or more are eligible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KishTable {
    /// Its letter.
    pub letter: &'static str,
    /// How many of twelve cases get it.
    pub twelfths: u64,
    /// Whom to ask, by the number of eligible members.
    pub asks: [u32; 6],
}

/// Kish's eight tables. Men by falling age come first in the list, then women by falling age.
pub const KISH_TABLES: [KishTable; 8] = [
    KishTable { letter: "A", twelfths: 2, asks: [1, 1, 1, 1, 1, 1] },
    KishTable { letter: "B1", twelfths: 1, asks: [1, 1, 1, 1, 2, 2] },
    KishTable { letter: "B2", twelfths: 1, asks: [1, 1, 1, 2, 2, 2] },
    KishTable { letter: "C", twelfths: 2, asks: [1, 1, 2, 2, 3, 3] },
    KishTable { letter: "D", twelfths: 2, asks: [1, 2, 2, 3, 4, 4] },
    KishTable { letter: "E1", twelfths: 1, asks: [1, 2, 3, 3, 3, 5] },
    KishTable { letter: "E2", twelfths: 1, asks: [1, 2, 3, 4, 5, 5] },
    KishTable { letter: "F", twelfths: 2, asks: [1, 2, 3, 4, 5, 6] },
];

/// The number fixed beforehand: `numerator / 2^53`, in `[0, 1)`. As a fraction it is the same number in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Precommitted(u64);

impl Precommitted {
    /// Bits of the numerator.
    const BITS: u32 = 53;

    /// The number with this numerator, if it is below one.
    #[must_use]
    pub fn new(numerator: u64) -> Option<Self> {
        (numerator >> Self::BITS == 0).then_some(Self(numerator))
    }

    /// The number that 64 random bits make.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits >> (u64::BITS - Self::BITS))
    }

    /// Its numerator over 2^53.
    #[must_use]
    pub fn numerator(self) -> u64 {
        self.0
    }

    /// `floor(u * n)`, exactly.
    fn times(self, n: u64) -> u64 {
        ((u128::from(self.0) * u128::from(n)) >> Self::BITS) as u64
    }

    /// Kish's table for this number: the tables share the twelve twelfths in their order.
    #[must_use]
    pub fn kish_table(self) -> &'static KishTable {
        let mut left = self.times(12);
        for table in &KISH_TABLES {
            if left < table.twelfths {
                return table;
            }
            left -= table.twelfths;
        }
        &KISH_TABLES[KISH_TABLES.len() - 1]
    }

    /// The number of the eligible member to ask, counted from 1; `None` when nobody is eligible.
    ///
    /// Uniform: `1 + floor(u * n)`.
    ///
    /// ```
    /// use scilit::instrument::{Precommitted, SelectionMethod};
    ///
    /// let half = Precommitted::new(1 << 52).expect("below one");
    /// assert_eq!(half.selects(SelectionMethod::Uniform, 3), Some(2));
    /// assert_eq!(half.kish_table().letter, "D");
    /// assert_eq!(half.selects(SelectionMethod::Kish, 5), Some(4));
    /// ```
    #[must_use]
    pub fn selects(self, method: SelectionMethod, eligible: u32) -> Option<u32> {
        let last = eligible.checked_sub(1)?;
        match method {
            SelectionMethod::Uniform => u32::try_from(1 + self.times(u64::from(eligible))).ok(),
            SelectionMethod::Kish => self.kish_table().asks.get(last.min(5) as usize).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number `(k + 1/2) / steps`: an exact count of the chances.
    fn chances(method: SelectionMethod, eligible: u32, steps: u64) -> Vec<u64> {
        let mut counts = vec![0; eligible as usize];
        for k in 0..steps {
            let numerator = (u128::from(2 * k + 1) << 52) / u128::from(steps);
            let u = Precommitted::new(numerator as u64).expect("below one");
            counts[u.selects(method, eligible).expect("somebody") as usize - 1] += 1;
        }
        counts
    }

    #[test]
    fn acc043_a_uniform_draw_gives_everybody_the_same_chance() {
        for eligible in 1..=12 {
            let counts = chances(SelectionMethod::Uniform, eligible, u64::from(eligible) * 1000);
            assert_eq!(counts, vec![1000; eligible as usize], "{eligible} eligible");
        }
    }

    #[test]
    fn acc043_a_million_draws_pass_the_chi_squared_test() {
        use rand_chacha::{
            ChaCha8Rng,
            rand_core::{Rng, SeedableRng},
        };
        let mut numbers = ChaCha8Rng::seed_from_u64(43);
        // The quantiles of chi squared at 0.999 with n - 1 degrees of freedom.
        for (eligible, limit) in [(2, 10.83), (3, 13.82), (5, 18.47), (8, 24.32)] {
            let mut counts = vec![0u32; eligible as usize];
            for _ in 0..1_000_000 {
                let u = Precommitted::from_bits(numbers.next_u64());
                counts[u.selects(SelectionMethod::Uniform, eligible).expect("somebody") as usize - 1] += 1;
            }
            let expected = 1_000_000.0 / f64::from(eligible);
            let chi: f64 = counts.iter().map(|n| f64::from(*n) - expected).map(|gap| gap * gap / expected).sum();
            assert!(chi < limit, "{eligible} eligible: {chi}");
        }
    }

    #[test]
    fn acc043_kish_gives_five_members_two_two_three_two_three_twelfths() {
        let twelfths = |eligible| chances(SelectionMethod::Kish, eligible, 12);
        assert_eq!(twelfths(1), [12]);
        assert_eq!(twelfths(2), [6, 6]);
        assert_eq!(twelfths(3), [4, 4, 4]);
        assert_eq!(twelfths(4), [3, 3, 3, 3]);
        assert_eq!(twelfths(5), [2, 2, 3, 2, 3]);
        assert_eq!(twelfths(6), [2, 2, 2, 2, 2, 2]);
        assert_eq!(twelfths(8), [2, 2, 2, 2, 2, 2, 0, 0], "of more than six only the first six");
    }

    #[test]
    fn nobody_eligible_selects_nobody_and_one_is_no_number_below_one() {
        let zero = Precommitted::new(0).expect("below one");
        assert_eq!(zero.selects(SelectionMethod::Uniform, 0), None);
        assert_eq!(Precommitted::new(1 << 53), None);
        let last = Precommitted::from_bits(u64::MAX);
        assert_eq!(last.selects(SelectionMethod::Uniform, 3), Some(3), "never one past the end");
    }
}
