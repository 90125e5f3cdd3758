//! Sharing a sample out over strata.
//!
//! Notation: stratum h has N_h units and a standard deviation S_h; n is shared in proportion to a measure `a_h`, kept
//! between a minimum and N_h, and rounded to whole numbers by largest remainders.

use std::collections::BTreeSet;

use serde::Serialize;

/// One stratum to share out to.
#[derive(Debug, Clone, PartialEq)]
pub struct Stratum {
    /// Its identifier, unique.
    pub id: String,
    /// Units (persons, households) in the population, N_h.
    pub population: u64,
    /// Standard deviation S_h within the stratum; for a proportion `√(p(1−p))`. Neyman's allocation needs it.
    pub standard_deviation: Option<f64>,
}

/// What the sample is shared out in proportion to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Allocation {
    /// `N_h`: best for the whole when strata are alike; every unit has the same chance.
    Proportional,
    /// `N_h S_h`: the smallest variance of the whole.
    Neyman,
    /// `N_h^q`, q in [0, 1]: between equal sizes (0) and proportional (1), for results by stratum.
    Power(f64),
}

/// Why a sample cannot be shared out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AllocationError {
    /// No strata.
    #[error("there are no strata to share out to")]
    NoStrata,
    /// Two strata of one name.
    #[error("stratum {0:?} stands twice")]
    Twice(String),
    /// A stratum without units.
    #[error("stratum {0:?} has no units")]
    Empty(String),
    /// A standard deviation that is missing or cannot be used.
    #[error("stratum {0:?} needs a standard deviation of zero or more for Neyman's allocation")]
    StandardDeviation(String),
    /// A power outside [0, 1].
    #[error("the power is {0}, it must lie between 0 and 1")]
    Power(f64),
    /// The minimum a stratum asks for more than the sample.
    #[error("a minimum of {minimum} a stratum needs {needed} units, the sample has {n}")]
    Minimum {
        /// Minimum a stratum.
        minimum: u64,
        /// What that adds to.
        needed: u64,
        /// The sample.
        n: u64,
    },
    /// The sample is larger than the population it can be drawn from.
    #[error("a sample of {n} from strata that have {population} units in all")]
    TooMany {
        /// The sample.
        n: u64,
        /// Units in all strata.
        population: u64,
    },
}

/// What one stratum receives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Allocated {
    /// The stratum.
    pub id: String,
    /// Its units in the population.
    pub population: u64,
    /// Units to sample.
    pub n: u64,
    /// Sampling fraction n / N.
    pub fraction: f64,
}

/// Shares `n` out over the strata.
///
/// Every stratum receives at least `minimum` (or all its units, if it has fewer) and at most all its units; what remains
/// is shared in proportion to the measure. Whole numbers come from largest remainders, ties going to the smaller
/// identifier, so the result does not depend on the order of the strata.
///
/// **Shapes and units**: counts of units; the answer is sorted by identifier and adds to `n`.
///
/// **Errors**: [`AllocationError`], one variant a cause.
///
/// **Source**: Neyman 1934; Bankier 1988 (power); Cochran 1977, 5.5 to 5.8; Stenger and Gabler 2005 (bounds).
///
/// **Example**
/// ```
/// use scilit::statistics::allocation::{Allocation, Stratum, allocate};
/// let stratum = |id: &str, population| Stratum { id: id.into(), population, standard_deviation: None };
/// let shared = allocate(&[stratum("a", 100), stratum("b", 300)], 10, Allocation::Proportional, 2).unwrap();
/// assert_eq!(shared.iter().map(|s| s.n).collect::<Vec<_>>(), [3, 7]); // 2.5 and 7.5: the tie goes to a
/// ```
pub fn allocate(
    strata: &[Stratum],
    n: u64,
    allocation: Allocation,
    minimum: u64,
) -> Result<Vec<Allocated>, AllocationError> {
    let mut strata: Vec<&Stratum> = strata.iter().collect();
    strata.sort_by(|a, b| a.id.cmp(&b.id));
    check(&strata)?;
    let measures = strata.iter().map(|s| measure(s, allocation)).collect::<Result<Vec<f64>, _>>()?;
    let bounds: Vec<(u64, u64)> = strata.iter().map(|s| (minimum.min(s.population), s.population)).collect();
    let (needed, population) = bounds.iter().fold((0u64, 0u64), |s, b| (s.0 + b.0, s.1.saturating_add(b.1)));
    if n < needed {
        return Err(AllocationError::Minimum { minimum, needed, n });
    }
    if n > population {
        return Err(AllocationError::TooMany { n, population });
    }
    let shares = whole_numbers(&water_level(&measures, &bounds, n), &bounds, n);
    let allocated = |(s, n): (&&Stratum, u64)| Allocated {
        id: s.id.clone(),
        population: s.population,
        n,
        fraction: n as f64 / s.population as f64,
    };
    Ok(strata.iter().zip(shares).map(allocated).collect())
}

fn check(sorted: &[&Stratum]) -> Result<(), AllocationError> {
    if sorted.is_empty() {
        return Err(AllocationError::NoStrata);
    }
    let mut seen = BTreeSet::new();
    for stratum in sorted {
        if !seen.insert(&stratum.id) {
            return Err(AllocationError::Twice(stratum.id.clone()));
        }
        if stratum.population == 0 {
            return Err(AllocationError::Empty(stratum.id.clone()));
        }
    }
    Ok(())
}

fn measure(stratum: &Stratum, allocation: Allocation) -> Result<f64, AllocationError> {
    let size = stratum.population as f64;
    match allocation {
        Allocation::Proportional => Ok(size),
        Allocation::Power(q) if (0.0..=1.0).contains(&q) => Ok(libm::pow(size, q)),
        Allocation::Power(q) => Err(AllocationError::Power(q)),
        Allocation::Neyman => match stratum.standard_deviation {
            Some(s) if s.is_finite() && s >= 0.0 => Ok(size * s),
            _ => Err(AllocationError::StandardDeviation(stratum.id.clone())),
        },
    }
}

/// The targets `clamp(λ a_h)` with the λ that makes them add to n.
///
/// Their sum grows with λ, so bisection finds it whatever bounds bite.
fn water_level(measures: &[f64], bounds: &[(u64, u64)], n: u64) -> Vec<f64> {
    let targets = |level: f64| -> Vec<f64> {
        measures.iter().zip(bounds).map(|(a, (low, high))| (level * a).clamp(*low as f64, *high as f64)).collect()
    };
    let sum = |level: f64| targets(level).iter().fold(0.0, |s, t| s + t);
    let least = measures.iter().copied().filter(|a| *a > 0.0).fold(f64::INFINITY, f64::min);
    let largest = bounds.iter().map(|b| b.1).max().unwrap_or(0) as f64;
    let (mut low, mut high) = (0.0, if least.is_finite() { largest / least } else { 0.0 });
    for _ in 0..2000 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if sum(middle) < n as f64 {
            low = middle;
        } else {
            high = middle;
        }
    }
    targets(high)
}

/// Rounds targets to whole numbers that add to n and respect the bounds: down first, then up by largest remainder.
///
/// Strata of measure zero take what is left when all others are full.
fn whole_numbers(targets: &[f64], bounds: &[(u64, u64)], n: u64) -> Vec<u64> {
    // Half a unit in the ninth decimal is rounding of the bisection, not a fraction.
    let mut shares: Vec<u64> =
        targets.iter().zip(bounds).map(|(t, (low, high))| ((t + 5e-9).floor() as u64).clamp(*low, *high)).collect();
    let remainder = |h: usize| ((targets[h] - shares[h] as f64) * 1e8).round();
    let mut order: Vec<usize> = (0..targets.len()).collect();
    order.sort_by(|a, b| remainder(*b).total_cmp(&remainder(*a)).then(a.cmp(b)));
    let given = |shares: &[u64]| shares.iter().sum::<u64>();
    while given(&shares) < n {
        let before = given(&shares);
        for &h in &order {
            if shares[h] < bounds[h].1 && given(&shares) < n {
                shares[h] += 1;
            }
        }
        assert!(given(&shares) > before, "n was checked to fit into the strata");
    }
    for &h in order.iter().rev() {
        if given(&shares) > n && shares[h] > bounds[h].0 {
            shares[h] -= 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strata(sizes: &[u64]) -> Vec<Stratum> {
        let stratum = |(h, n): (usize, &u64)| Stratum {
            id: format!("{h:03}"),
            population: *n,
            standard_deviation: Some(0.1 * (h + 1) as f64),
        };
        sizes.iter().enumerate().map(stratum).collect()
    }

    fn shares(sizes: &[u64], n: u64, allocation: Allocation, minimum: u64) -> Vec<u64> {
        allocate(&strata(sizes), n, allocation, minimum).unwrap().iter().map(|a| a.n).collect()
    }

    #[test]
    fn the_methods_share_as_their_names_say() {
        assert_eq!(shares(&[1000, 2000, 3000], 60, Allocation::Proportional, 0), [10, 20, 30]);
        assert_eq!(shares(&[3000, 3000, 3000], 60, Allocation::Neyman, 0), [10, 20, 30]);
        assert_eq!(shares(&[100, 900, 8100], 60, Allocation::Power(0.0), 0), [20, 20, 20]);
        assert_eq!(shares(&[100, 900, 8100], 130, Allocation::Power(0.5), 0), [10, 30, 90]);
    }

    #[test]
    fn a_minimum_is_taken_from_the_large_strata() {
        assert_eq!(shares(&[10, 10, 9980], 100, Allocation::Proportional, 5), [5, 5, 90]);
    }

    #[test]
    fn a_stratum_smaller_than_its_share_is_taken_whole() {
        assert_eq!(shares(&[4, 1000, 1000], 204, Allocation::Power(0.0), 0), [4, 100, 100]);
        assert_eq!(shares(&[3, 1000], 20, Allocation::Proportional, 5), [3, 17]);
    }

    #[test]
    fn a_stratum_without_variance_gets_its_minimum() {
        let mut two = strata(&[500, 500]);
        two[0].standard_deviation = Some(0.0);
        let shared = allocate(&two, 50, Allocation::Neyman, 2).unwrap();
        assert_eq!((shared[0].n, shared[1].n), (2, 48));
    }

    #[test]
    fn what_cannot_be_shared_is_refused() {
        let fault = |sizes: &[u64], n, a, minimum| allocate(&strata(sizes), n, a, minimum).unwrap_err();
        assert_eq!(fault(&[], 5, Allocation::Proportional, 0), AllocationError::NoStrata);
        assert!(matches!(fault(&[9, 9], 3, Allocation::Proportional, 2), AllocationError::Minimum { needed: 4, .. }));
        assert!(matches!(fault(&[9, 9], 19, Allocation::Proportional, 2), AllocationError::TooMany { .. }));
        assert!(matches!(fault(&[9, 0], 3, Allocation::Proportional, 0), AllocationError::Empty(_)));
        assert_eq!(fault(&[9], 3, Allocation::Power(1.5), 0), AllocationError::Power(1.5));
        let mut twice = strata(&[5, 5]);
        twice[1].id = twice[0].id.clone();
        assert!(matches!(allocate(&twice, 2, Allocation::Proportional, 0), Err(AllocationError::Twice(_))));
        twice[1].id = "b".into();
        twice[1].standard_deviation = None;
        assert!(matches!(allocate(&twice, 2, Allocation::Neyman, 0), Err(AllocationError::StandardDeviation(_))));
    }

    proptest! {
        #[test]
        fn shares_add_up_and_keep_their_bounds(
            sizes in prop::collection::vec(1..5_000u64, 1..40), part in 0.0..1.0f64, minimum in 0..4u64, q in 0.0..1.0f64
        ) {
            let least: u64 = sizes.iter().map(|s| minimum.min(*s)).sum();
            let all: u64 = sizes.iter().sum();
            let n = least + ((all - least) as f64 * part) as u64;
            for allocation in [Allocation::Proportional, Allocation::Neyman, Allocation::Power(q)] {
                let shared = shares(&sizes, n, allocation, minimum);
                prop_assert_eq!(shared.iter().sum::<u64>(), n);
                prop_assert!(shared.iter().zip(&sizes).all(|(n, s)| *n >= minimum.min(*s) && n <= s));
            }
        }

        #[test]
        fn the_order_of_the_strata_does_not_matter(sizes in prop::collection::vec(1..500u64, 2..20)) {
            let mut listed = strata(&sizes);
            let n = sizes.iter().sum::<u64>() / 2;
            let one = allocate(&listed, n, Allocation::Proportional, 0).unwrap();
            listed.reverse();
            prop_assert_eq!(one, allocate(&listed, n, Allocation::Proportional, 0).unwrap());
        }
    }
}
