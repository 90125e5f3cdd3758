//! Who responds: chances depend on district and residence only, so an adjustment within those classes removes the
//! bias and nothing else is needed (missing at random).

use super::draw::DrawnCase;
use crate::simulate::category::Residence;
use crate::simulate::city::City;
use crate::simulate::gauss::expit;
use crate::simulate::place::DISTRICTS;
use crate::simulate::published::bisect;
use crate::simulate::stream::{Purpose, Stream};

/// Effects on the log odds of a response: towns respond less; round numbers of our own.
const RESIDENCE: [f64; 2] = [-0.25, 0.35];
/// Standard deviation of the districts' effects.
const DISTRICT_SD: f64 = 0.2;

/// Response chances by district and residence.
pub(super) struct Propensities(Vec<[f64; 2]>);

impl Propensities {
    /// Chances whose mean over the drawn cases is the wanted rate.
    pub(super) fn of(city: &City, cases: &[DrawnCase], rate: f64) -> Self {
        let effects: Vec<[f64; 2]> = (0..DISTRICTS.len() as u64)
            .map(|at| Stream::new(city.parameters().seed, Purpose::Propensity, at).normal() * DISTRICT_SD)
            .map(|district| RESIDENCE.map(|residence| district + residence))
            .collect();
        let mut counts = vec![[0.0; 2]; DISTRICTS.len()];
        for case in cases {
            let (district, residence) = class_of(city, case);
            counts[district][residence.index()] += 1.0;
        }
        let mean_miss = |shift: f64| {
            let classes = counts.iter().flatten().zip(effects.iter().flatten());
            classes.map(|(count, effect)| count * (expit(effect + shift) - rate)).sum()
        };
        let shift = bisect(-10.0, 10.0, mean_miss);
        Self(effects.into_iter().map(|pair| pair.map(|effect| expit(effect + shift))).collect())
    }

    /// Decides for each case, with one stream for each 居/村委会.
    pub(super) fn decide(&self, city: &City, seed: u64, cases: &mut [DrawnCase]) {
        for in_psu in cases.chunk_by_mut(|one, other| one.psu == other.psu) {
            let mut stream = Stream::new(seed, Purpose::Nonresponse, u64::from(in_psu[0].psu));
            for case in in_psu {
                let (district, residence) = class_of(city, case);
                case.responds = stream.chance(self.0[district][residence.index()]);
            }
        }
    }
}

fn class_of(city: &City, case: &DrawnCase) -> (usize, Residence) {
    let psu = &city.psus()[case.psu as usize];
    (psu.district, psu.residence)
}
