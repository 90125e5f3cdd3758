//! The joint distribution of district, residence, sex, age band and education.
//!
//! A seed table carries the associations (younger, urban and central people have more schooling), and iterative
//! proportional fitting brings it to the margins without touching its odds ratios (Deming and Stephan, 1940).

use super::category::{AgeGroup, Education, Residence, Sex};
use super::place::{DISTRICTS, Ring, district_shares, urban_shares};
use super::published::Shares;

/// The traits that the literacy model knows, without the district.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traits {
    /// 性别.
    pub sex: Sex,
    /// Age band.
    pub age_group: AgeGroup,
    /// 受教育程度.
    pub education: Education,
    /// 城镇 or 农村.
    pub residence: Residence,
}

/// Trait combinations inside one district and residence.
pub(super) const KINDS: usize = 2 * 5 * 5;

/// The sex, age band and education of kind `at`.
pub(super) fn kind(at: usize) -> (Sex, AgeGroup, Education) {
    (Sex::ALL[at / 25], AgeGroup::ALL[at / 5 % 5], Education::ALL[at % 5])
}

/// The kind of a combination of traits.
pub(super) fn kind_of(traits: Traits) -> usize {
    traits.sex.index() * 25 + traits.age_group.index() * 5 + traits.education.index()
}

/// Education within an age band, urban: plausible shares of our own; only their odds ratios survive the fitting.
const SCHOOLING: [[f64; 5]; 5] = [
    [0.03, 0.22, 0.33, 0.22, 0.20],
    [0.06, 0.33, 0.22, 0.20, 0.19],
    [0.14, 0.45, 0.19, 0.12, 0.10],
    [0.27, 0.46, 0.17, 0.06, 0.04],
    [0.45, 0.37, 0.12, 0.04, 0.02],
];
/// Rural people are less often highly schooled and more often old.
const RURAL_SCHOOLING: [f64; 5] = [1.8, 1.2, 0.7, 0.4, 0.25];
const RURAL_AGE: [f64; 5] = [0.80, 0.85, 1.00, 1.20, 1.35];

/// Shares by `[district][residence][kind]`, summing to one.
pub(super) struct Composition(Vec<[[f64; KINDS]; 2]>);

impl Composition {
    /// The shares of one district and residence.
    pub(super) fn of(&self, district: usize, residence: Residence) -> &[f64; KINDS] {
        &self.0[district][residence.index()]
    }

    /// Fits the seed table to district × residence, sex, age and education.
    pub(super) fn fit(shares: &Shares) -> Self {
        let mut table =
            Self(DISTRICTS.iter().map(|d| [seed(d.ring, Residence::Urban), seed(d.ring, Residence::Rural)]).collect());
        let places = place_shares(shares);
        // Each sweep divides the distance to the margins by more than ten here; 60 sweeps reach rounding error.
        for _ in 0..60 {
            table.rake_kinds(&shares.sex, |at| kind(at).0.index());
            table.rake_kinds(&shares.age_group, |at| kind(at).1.index());
            table.rake_kinds(&shares.education, |at| kind(at).2.index());
            table.rake_places(&places);
        }
        table
    }

    fn rake_kinds(&mut self, targets: &[f64], level: impl Fn(usize) -> usize) {
        let mut sums = vec![0.0; targets.len()];
        for cells in self.0.iter().flatten() {
            for (at, share) in cells.iter().enumerate() {
                sums[level(at)] += share;
            }
        }
        for cells in self.0.iter_mut().flatten() {
            for (at, share) in cells.iter_mut().enumerate() {
                *share *= targets[level(at)] / sums[level(at)];
            }
        }
    }

    fn rake_places(&mut self, targets: &[[f64; 2]]) {
        for (district, target) in self.0.iter_mut().zip(targets) {
            for (cells, target) in district.iter_mut().zip(target) {
                let factor = target / cells.iter().sum::<f64>();
                cells.iter_mut().for_each(|share| *share *= factor);
            }
        }
    }
}

/// Share of each district's urban and rural part in the city.
pub(super) fn place_shares(shares: &Shares) -> Vec<[f64; 2]> {
    let urban = urban_shares(shares);
    district_shares().iter().zip(urban).map(|(size, urban)| [size * urban, size * (1.0 - urban)]).collect()
}

fn seed(ring: Ring, residence: Residence) -> [f64; KINDS] {
    let centre: f64 = match ring {
        Ring::Core => 1.25,
        Ring::Edge => 1.0,
        Ring::County => 0.8,
    };
    std::array::from_fn(|at| {
        let (sex, age, education) = kind(at);
        let mut share = SCHOOLING[age.index()][education.index()];
        if residence == Residence::Rural {
            share *= RURAL_SCHOOLING[education.index()] * RURAL_AGE[age.index()];
        }
        if education >= Education::College {
            share *= centre;
        }
        if sex == Sex::Female && age >= AgeGroup::From50To59 && education == Education::Primary {
            share *= 1.3;
        }
        share
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fitted_table_has_every_margin() {
        let shares = Shares::implied();
        let table = Composition::fit(&shares);
        let sum_where = |level: &dyn Fn(usize) -> bool| -> f64 {
            table
                .0
                .iter()
                .flatten()
                .map(|cells| (0..KINDS).filter(|at| level(*at)).map(|at| cells[at]).sum::<f64>())
                .sum()
        };
        assert!((sum_where(&|at| kind(at).0 == Sex::Male) - shares.sex[0]).abs() < 1e-12);
        for level in 0..5 {
            assert!((sum_where(&|at| kind(at).1.index() == level) - shares.age_group[level]).abs() < 1e-12);
            assert!((sum_where(&|at| kind(at).2.index() == level) - shares.education[level]).abs() < 1e-12);
        }
        for (district, target) in table.0.iter().zip(place_shares(&shares)) {
            assert!((district[0].iter().sum::<f64>() - target[0]).abs() < 1e-12);
        }
    }

    #[test]
    fn a_kind_has_one_number() {
        for at in 0..KINDS {
            let (sex, age_group, education) = kind(at);
            assert_eq!(kind_of(Traits { sex, age_group, education, residence: Residence::Rural }), at);
        }
    }

    #[test]
    fn young_people_have_more_schooling_than_old_ones() {
        let table = Composition::fit(&Shares::implied());
        let bachelors = |age: AgeGroup| -> f64 {
            let cells = table.of(1, Residence::Urban);
            let of_age = |education: Option<Education>| -> f64 {
                (0..KINDS)
                    .filter(|at| kind(*at).1 == age && education.is_none_or(|e| e == kind(*at).2))
                    .map(|at| cells[at])
                    .sum()
            };
            of_age(Some(Education::Bachelor)) / of_age(None)
        };
        assert!(bachelors(AgeGroup::From18To29) > 5.0 * bachelors(AgeGroup::From60To69));
    }
}
