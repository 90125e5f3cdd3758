//! Who is literate, and with which score.
//!
//! A logit model with main effects of sex, age, education and residence, on top of given effects of the district and
//! of each 居/村委会, is fitted so that every published rate holds in expectation over the finite population. The
//! latent score of a person is `70 + sd · (q + z)`: `q` is the normal quantile of the person's chance to be literate,
//! so 70 points are reached with exactly that chance, and one `sd` for all is chosen so that the other tiers fit.

use super::composition::Traits;
use super::error::SimulateError;
use super::gauss::{cdf, expit, quantile};
use super::published::{Gradients, Shares};

/// A number of persons who share their traits and their place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) traits: Traits,
    /// Effect of district and 居/村委会 on the log odds.
    pub(super) place_effect: f64,
    pub(super) persons: f64,
}

/// The points that make a person literate, and the two other tiers.
pub(super) const PASS: f64 = 70.0;
const TIERS: [f64; 2] = [55.0, 85.0];

/// A hundred-thousandth of a percentage point: far below the two decimals of a published rate.
const RATE_TOLERANCE: f64 = 1e-7;
/// Ten times as many as the published rates need.
const SWEEPS_MAX: usize = 200;

/// Population shares of the cells.
pub(super) fn shares_of(cells: &[Cell]) -> Shares {
    let persons: f64 = cells.iter().map(|cell| cell.persons).sum();
    let mut shares = Shares { sex: [0.0; 2], age_group: [0.0; 5], education: [0.0; 5], residence: [0.0; 2] };
    for Cell { traits, persons: here, .. } in cells {
        let share = here / persons;
        shares.sex[traits.sex.index()] += share;
        shares.age_group[traits.age_group.index()] += share;
        shares.education[traits.education.index()] += share;
        shares.residence[traits.residence.index()] += share;
    }
    shares
}

/// The fitted model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    sex: [f64; 2],
    age_group: [f64; 5],
    education: [f64; 5],
    residence: [f64; 2],
    /// Standard deviation of the score within a cell.
    pub(super) score_sd: f64,
}

impl Model {
    /// Chance of a person with these traits at a place with this effect.
    pub(super) fn chance(&self, traits: Traits, place_effect: f64) -> f64 {
        expit(
            place_effect
                + self.sex[traits.sex.index()]
                + self.age_group[traits.age_group.index()]
                + self.education[traits.education.index()]
                + self.residence[traits.residence.index()],
        )
    }

    /// Fits effects, then the spread of the score.
    ///
    /// Coordinate-wise Newton: one step per level makes the expected count of literate persons of that level right
    /// to first order. The log likelihood is concave, so sweeps converge.
    pub(super) fn fit(cells: &[Cell], target: &Gradients) -> Result<Self, SimulateError> {
        let mut model =
            Self { sex: [0.0; 2], age_group: [0.0; 5], education: [-1.8; 5], residence: [0.0; 2], score_sd: 0.0 };
        let mut worst_rate = 1.0;
        for _ in 0..SWEEPS_MAX {
            worst_rate = [
                model.sweep(cells, &target.sex, |t| t.sex.index(), |m| &mut m.sex),
                model.sweep(cells, &target.age_group, |t| t.age_group.index(), |m| &mut m.age_group),
                model.sweep(cells, &target.education, |t| t.education.index(), |m| &mut m.education),
                model.sweep(cells, &target.residence, |t| t.residence.index(), |m| &mut m.residence),
            ]
            .into_iter()
            .fold(0.0, f64::max);
            if worst_rate < RATE_TOLERANCE {
                model.score_sd = fit_score_sd(cells, &model, target.tiers);
                return Ok(model);
            }
        }
        Err(SimulateError::NoFit { worst_rate })
    }

    /// One Newton step for every level of one variable; returns the furthest rate from its target before the step.
    fn sweep<const N: usize>(
        &mut self,
        cells: &[Cell],
        target: &[f64; N],
        level: impl Fn(Traits) -> usize,
        effects: impl Fn(&mut Self) -> &mut [f64; N],
    ) -> f64 {
        let (mut persons, mut expected, mut slope) = ([0.0; N], [0.0; N], [0.0; N]);
        for cell in cells {
            let (chance, at) = (self.chance(cell.traits, cell.place_effect), level(cell.traits));
            persons[at] += cell.persons;
            expected[at] += cell.persons * chance;
            slope[at] += cell.persons * chance * (1.0 - chance);
        }
        let mut worst = 0.0f64;
        for at in (0..N).filter(|at| persons[*at] > 0.0) {
            worst = worst.max((expected[at] / persons[at] - target[at]).abs());
            effects(self)[at] += (target[at] * persons[at] - expected[at]) / slope[at];
        }
        worst
    }
}

/// Share of persons with at least 55 and at least 85 points, by the spread of the score.
fn tier_shares(quantiles: &[(f64, f64)], score_sd: f64) -> [f64; 2] {
    let persons: f64 = quantiles.iter().map(|(_, persons)| persons).sum();
    TIERS.map(|tier| {
        let above = quantiles.iter().map(|(q, n)| n * cdf(q - (tier - PASS) / score_sd)).sum::<f64>();
        above / persons
    })
}

/// The spread that brings both tiers nearest to their targets in squared distance. A wider spread lowers the first
/// tier and raises the second, so the squared distance has one minimum and golden sections find it.
fn fit_score_sd(cells: &[Cell], model: &Model, target: [f64; 2]) -> f64 {
    let quantiles = binned_quantiles(cells, model);
    let miss = |score_sd: f64| {
        let shares = tier_shares(&quantiles, score_sd);
        (shares[0] - target[0]) * (shares[0] - target[0]) + (shares[1] - target[1]) * (shares[1] - target[1])
    };
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    let (mut low, mut high) = (5.0, 40.0);
    // 35 · 0.618^40 is 2e-7 points.
    for _ in 0..40 {
        let (left, right) = (high - golden * (high - low), low + golden * (high - low));
        if miss(left) < miss(right) {
            high = right;
        } else {
            low = left;
        }
    }
    0.5 * (low + high)
}

/// Cells gathered into bins of width 1/200 in `q`: the tiers change by less than 1e-5 and the fit is quick.
fn binned_quantiles(cells: &[Cell], model: &Model) -> Vec<(f64, f64)> {
    const BINS: usize = 2000;
    let mut bins = vec![0.0; BINS];
    for cell in cells {
        let q = quantile(model.chance(cell.traits, cell.place_effect));
        bins[(((q + 5.0) * 200.0) as usize).min(BINS - 1)] += cell.persons;
    }
    let centre = |at: usize| (at as f64 + 0.5) / 200.0 - 5.0;
    bins.into_iter().enumerate().filter(|(_, n)| *n > 0.0).map(|(at, n)| (centre(at), n)).collect()
}

/// Points in steps of 2.5 from 0 to 40 of the score `70 + sd · (q + z)`, rounded down: 70, 55 and 85 are whole steps,
/// so rounding never moves a person across a tier.
pub(super) fn score_steps(score_sd: f64, q: f64, z: f64) -> u8 {
    ((PASS + score_sd * (q + z)) / 2.5).floor().clamp(0.0, 40.0) as u8
}

#[cfg(test)]
mod tests {
    use super::super::composition::{KINDS, kind};
    use super::super::published::mix;
    use super::*;
    use crate::simulate::Residence;

    /// A population with every trait independent of every other, in two places.
    fn cells(shares: &Shares) -> Vec<Cell> {
        let mut cells = Vec::new();
        for (at, residence) in (0..KINDS).flat_map(|at| Residence::ALL.iter().map(move |r| (at, *r))) {
            let (sex, age_group, education) = kind(at);
            let traits = Traits { sex, age_group, education, residence };
            let persons = shares.sex[sex.index()]
                * shares.age_group[age_group.index()]
                * shares.education[education.index()]
                * shares.residence[residence.index()];
            cells.extend([-0.4, 0.4].map(|place_effect| Cell { traits, place_effect, persons: 500.0 * persons }));
        }
        cells
    }

    #[test]
    fn the_fitted_model_has_the_wanted_rates_and_tiers() {
        let (shares, target) = (Shares::implied(), Gradients::published());
        let cells = cells(&shares);
        let model = Model::fit(&cells, &target).expect("a fit");
        let rate = |is_member: &dyn Fn(&Cell) -> bool| {
            let (persons, expected) = cells.iter().filter(|cell| is_member(cell)).fold((0.0, 0.0), |(n, sum), cell| {
                (n + cell.persons, sum + cell.persons * model.chance(cell.traits, cell.place_effect))
            });
            expected / persons
        };
        assert!((rate(&|_| true) - mix(&shares.sex, &target.sex)).abs() < 1e-6);
        assert!((rate(&|cell| cell.traits.education.index() == 4) - target.education[4]).abs() < 1e-6);
        assert!((rate(&|cell| cell.traits.residence == Residence::Rural) - target.residence[1]).abs() < 1e-6);
        let tiers = tier_shares(&binned_quantiles(&cells, &model), model.score_sd);
        assert!((tiers[0] - target.tiers[0]).abs() < 0.01 && (tiers[1] - target.tiers[1]).abs() < 0.01, "{tiers:?}");
    }

    #[test]
    fn rates_that_contradict_each_other_have_no_model() {
        let shares = Shares::implied();
        let contradiction = Gradients { sex: [0.3, 0.3], ..Gradients::published() };
        let refused = Model::fit(&cells(&shares), &contradiction);
        assert!(matches!(refused, Err(SimulateError::NoFit { worst_rate }) if worst_rate > 0.01));
    }

    #[test]
    fn rounding_never_moves_a_score_across_a_tier() {
        for (z, steps) in [(0.0, 28), (-1e-9, 27), (-1.0, 22), (-1.0 - 1e-9, 21), (1.0, 34), (9.0, 40), (-9.0, 0)] {
            assert_eq!(score_steps(15.0, 0.0, z), steps, "{z}");
        }
    }
}
