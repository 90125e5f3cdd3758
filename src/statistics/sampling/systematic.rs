//! Systematic draws in whole numbers.
//!
//! Sizes are counts, so cumulated sizes, intervals and selection points are integers: no rounding decides whether a unit
//! is in. With total size S and n draws the points are `(r + j S) / n`, j = 0…n−1, for one random r in `[0, S)`; all
//! comparisons are made on n times the cumulated sizes.

/// Why units cannot be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SystematicError {
    /// More draws than units with a size.
    #[error("{wanted} units are wanted, but only {available} have a size above zero")]
    TooFew {
        /// Units wanted.
        wanted: usize,
        /// Units of a positive size.
        available: usize,
    },
}

/// A unit that was drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selected {
    /// Its place in the list of sizes.
    pub index: usize,
    /// Its inclusion probability; one for a certainty unit.
    pub probability: f64,
    /// Taken because its size alone fills a whole interval.
    pub certainty: bool,
}

/// How a draw of `n` splits the units: those taken with certainty, and what remains for the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Certainty {
    /// Whether each unit is taken with certainty.
    pub taken: Vec<bool>,
    /// Draws left for the others.
    pub n_left: usize,
    /// Total size of the others.
    pub size_left: u128,
}

/// Finds the certainty units of a draw: those whose size reaches the interval, again and again as the interval shrinks.
///
/// **Shapes and units**: one size a unit; a unit of size zero is never drawn.
///
/// **Errors**: [`SystematicError::TooFew`].
///
/// **Source**: Särndal, Swensson and Wretman 1992, 3.6.1.
///
/// **Example**
/// ```
/// use scilit::statistics::sampling::systematic::certainty_units;
/// let split = certainty_units(&[60, 25, 10, 5], 2).unwrap();
/// // 60 ≥ 100 / 2 is certain; then 25 < 40 / 1.
/// assert_eq!((split.taken, split.n_left), (vec![true, false, false, false], 1));
/// ```
pub fn certainty_units(sizes: &[u64], n: usize) -> Result<Certainty, SystematicError> {
    let available = sizes.iter().filter(|s| **s > 0).count();
    if n > available {
        return Err(SystematicError::TooFew { wanted: n, available });
    }
    let mut taken = vec![false; sizes.len()];
    let mut n_left = n;
    let mut size_left: u128 = sizes.iter().map(|s| u128::from(*s)).sum();
    loop {
        let (n_before, size_before) = (n_left, size_left);
        for (taken, size) in taken.iter_mut().zip(sizes) {
            let size = u128::from(*size);
            if !*taken && n_before > 0 && size > 0 && size * n_before as u128 >= size_before {
                *taken = true;
                n_left -= 1;
                size_left -= size;
            }
        }
        if n_left == n_before {
            return Ok(Certainty { taken, n_left, size_left });
        }
    }
}

/// The inclusion probability of every unit in a draw of `n` with probability in proportion to size.
///
/// **Shapes and units**: one probability a size; they add to `n`.
///
/// **Errors**: [`SystematicError::TooFew`].
///
/// **Source**: Särndal, Swensson and Wretman 1992, 3.6.1; R `sampling::inclusionprobabilities`.
///
/// **Example**
/// ```
/// use scilit::statistics::sampling::systematic::inclusion_probabilities;
/// assert_eq!(inclusion_probabilities(&[60, 25, 10, 5], 2).unwrap(), [1.0, 0.625, 0.25, 0.125]);
/// ```
pub fn inclusion_probabilities(sizes: &[u64], n: usize) -> Result<Vec<f64>, SystematicError> {
    let split = certainty_units(sizes, n)?;
    Ok(probabilities(sizes, &split))
}

fn probabilities(sizes: &[u64], split: &Certainty) -> Vec<f64> {
    let probability = |(size, taken): (&u64, &bool)| match *taken {
        true => 1.0,
        false if split.n_left == 0 => 0.0,
        false => (u128::from(*size) * split.n_left as u128) as f64 / split.size_left as f64,
    };
    sizes.iter().zip(&split.taken).map(probability).collect()
}

/// Draws `n` units with probability in proportion to size, systematically along the order given.
///
/// **Shapes and units**: `start` draws the random start: given a bound B it returns a number in `[0, B)`, all equally
/// likely. The answer is in the order of the units.
///
/// **Errors**: [`SystematicError::TooFew`].
///
/// **Source**: Madow 1949.
///
/// **Example**
/// ```
/// use scilit::statistics::sampling::systematic::select_pps;
/// // Sizes 10, 30, 60 and one draw: starts 0 to 9 take the first, 10 to 39 the second, 40 to 99 the third.
/// let drawn = select_pps(&[10, 30, 60], 1, |bound| { assert_eq!(bound, 100); 39 }).unwrap();
/// assert_eq!((drawn[0].index, drawn[0].probability), (1, 0.3));
/// ```
pub fn select_pps(sizes: &[u64], n: usize, start: impl FnOnce(u64) -> u64) -> Result<Vec<Selected>, SystematicError> {
    let split = certainty_units(sizes, n)?;
    let probabilities = probabilities(sizes, &split);
    let total = split.size_left;
    let draws = split.n_left as u128;
    // A frame's total size is far below 2^64: a million units of a million households are 2^40.
    let mut point = if draws > 0 { u128::from(start(u64::try_from(total).unwrap_or(u64::MAX))) } else { u128::MAX };
    let mut passed: u128 = 0;
    let mut selected = Vec::with_capacity(n);
    for (index, size) in sizes.iter().enumerate() {
        let certainty = split.taken[index];
        let mut hit = certainty;
        if !certainty {
            passed += u128::from(*size) * draws;
            if point < passed {
                hit = true;
                point += total;
            }
        }
        if hit {
            selected.push(Selected { index, probability: probabilities[index], certainty });
        }
    }
    Ok(selected)
}

/// Draws `n` of the numbers 1 to `count` with equal chances, spread evenly.
///
/// **Shapes and units**: as [`select_pps`]; the answer is ascending. With `n ≥ count` all are taken.
///
/// **Errors**: none.
///
/// **Source**: Cochran 1977, chapter 8 (circular, so that every number has the chance n / count exactly).
///
/// **Example**
/// ```
/// use scilit::statistics::sampling::systematic::select_equal;
/// assert_eq!(select_equal(10, 3, |_| 0), [1, 4, 7]);
/// assert_eq!(select_equal(2, 3, |_| 0), [1, 2]);
/// ```
pub fn select_equal(count: u64, n: u64, start: impl FnOnce(u64) -> u64) -> Vec<u64> {
    if n >= count {
        return (1..=count).collect();
    }
    if n == 0 {
        return Vec::new();
    }
    let r = u128::from(start(count));
    let step = |j: u64| ((r + u128::from(j) * u128::from(count)) / u128::from(n)) as u64;
    // The points (r + j·count)/n lie one interval apart; rounded down to places they name n different numbers.
    (0..n).map(|j| step(j) + 1).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_start_together_gives_exactly_the_probabilities() {
        let sizes = [7u64, 40, 3, 0, 25, 12, 13];
        for n in 1..=6 {
            let split = certainty_units(&sizes, n).unwrap();
            let wanted = inclusion_probabilities(&sizes, n).unwrap();
            let starts = u64::try_from(split.size_left).unwrap().max(1);
            let mut drawn = vec![0u64; sizes.len()];
            for r in 0..starts {
                let units = select_pps(&sizes, n, |_| r).unwrap();
                assert_eq!(units.len(), n);
                units.iter().for_each(|u| drawn[u.index] += 1);
            }
            for (drawn, wanted) in drawn.iter().zip(wanted) {
                assert!((*drawn as f64 / starts as f64 - wanted).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn every_household_has_the_same_chance() {
        for (count, n) in [(10, 3), (11, 4), (7, 6), (5, 1)] {
            let mut drawn = vec![0u64; count as usize];
            for r in 0..count {
                let numbers = select_equal(count, n, |_| r);
                assert!(numbers.windows(2).all(|w| w[0] < w[1]) && numbers.len() as u64 == n);
                numbers.iter().for_each(|h| drawn[*h as usize - 1] += 1);
            }
            assert!(drawn.iter().all(|d| *d == n), "{count} {n} {drawn:?}");
        }
    }

    #[test]
    fn certainty_is_looked_for_again_after_each_round() {
        // 50 of 100 is certain at n = 2... then 30 of 50 at n = 1 would not be; at n = 3 both are.
        let split = certainty_units(&[50, 30, 10, 10], 3).unwrap();
        assert_eq!((split.taken, split.n_left, split.size_left), (vec![true, true, false, false], 1, 20));
    }

    #[test]
    fn too_few_units_are_an_error() {
        assert_eq!(select_pps(&[5, 0], 2, |_| 0), Err(SystematicError::TooFew { wanted: 2, available: 1 }));
    }

    proptest! {
        #[test]
        fn probabilities_add_to_the_number_of_draws(
            sizes in prop::collection::vec(0..2_000u64, 1..60), part in 0.0..1.0f64, start in any::<u64>()
        ) {
            let available = sizes.iter().filter(|s| **s > 0).count();
            let n = (available as f64 * part) as usize;
            let probabilities = inclusion_probabilities(&sizes, n).unwrap();
            prop_assert!((probabilities.iter().sum::<f64>() - n as f64).abs() < 1e-9);
            prop_assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
            let drawn = select_pps(&sizes, n, |bound| start % bound).unwrap();
            prop_assert_eq!(drawn.len(), n);
            let certain = drawn.iter().filter(|u| u.certainty).count();
            prop_assert_eq!(certain, probabilities.iter().filter(|p| **p == 1.0).count());
        }
    }
}
