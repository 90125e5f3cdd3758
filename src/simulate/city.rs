//! The city: districts, 居/村委会, households and persons with a score each.

use std::ops::Range;

use rayon::prelude::*;

use super::category::{Residence, Sex};
use super::composition::{Composition, KINDS, Traits, kind, kind_of, place_shares};
use super::error::SimulateError;
use super::gauss::quantile;
use super::household;
use super::literacy::{Cell, Model, score_steps, shares_of};
use super::person::Person;
use super::place::DISTRICTS;
use super::published::{Gradients, OVERALL_2023, Shares};
use super::stream::{Purpose, Stream};

/// What a city is made from. The same parameters make the same city, byte for byte.
#[derive(Debug, Clone, PartialEq)]
pub struct CityParameters {
    /// Seed of everything random.
    pub seed: u64,
    /// Persons aged 18 to 69.
    pub persons: u32,
    /// Persons aged 18 to 69 in an average 居/村委会.
    pub persons_per_psu: u32,
    /// Share of literate persons; the gradients move with it on the logit scale.
    pub overall: f64,
    /// Factor on the urban–rural gap of the log odds; 1 is the gap of 2023.
    pub residence_gap: f64,
    /// Standard deviation of the 居/村委会 effects on the log odds: what makes neighbours alike.
    pub psu_effect_sd: f64,
}

impl CityParameters {
    /// The city of the demo: 300,000 persons in about 1,500 居/村委会, at the published 2023 level.
    pub fn demo(seed: u64) -> Self {
        Self {
            seed,
            persons: 300_000,
            persons_per_psu: 200,
            overall: OVERALL_2023,
            residence_gap: 1.0,
            psu_effect_sd: 0.3,
        }
    }

    /// A city of 40,000 persons that tests can afford to make often.
    pub fn small(seed: u64) -> Self {
        Self { persons: 40_000, persons_per_psu: 50, ..Self::demo(seed) }
    }

    fn check(&self) -> Result<(), SimulateError> {
        for (name, value, low, high) in [
            ("overall", self.overall, 0.005, 0.6),
            ("residence_gap", self.residence_gap, -1e-9, 3.0),
            ("psu_effect_sd", self.psu_effect_sd, -1e-9, 2.0),
            ("persons_per_psu", f64::from(self.persons_per_psu), 19.0, 10_000.0),
            ("persons", f64::from(self.persons), 0.0, 20_000_001.0),
        ] {
            if !(value > low && value < high) {
                return Err(SimulateError::Parameter { name, value, low, high });
            }
        }
        // The smallest district holds 2 % of the city and needs eight 居/村委会, so that four of them are a sample.
        let needed = self.persons_per_psu.saturating_mul(8 * 100 / 2);
        if self.persons < needed {
            let (persons, persons_per_psu) = (self.persons, self.persons_per_psu);
            return Err(SimulateError::CityTooSmall { persons, persons_per_psu, needed });
        }
        Ok(())
    }
}

/// One 居/村委会, the primary sampling unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Psu {
    /// 12-digit code, built like a 统计用区划代码 (district, then 3 + 3 digits of our own).
    pub code: String,
    /// Place of the district in [`DISTRICTS`].
    pub district: usize,
    /// 城镇 (居委会) or 农村 (村委会).
    pub residence: Residence,
    /// Effect on the log odds of being literate.
    pub(super) effect: f64,
    /// Places of its households in [`City::households`].
    pub households: Range<u32>,
}

/// One household with at least one person aged 18 to 69.
#[derive(Debug, Clone, PartialEq)]
pub struct Household {
    /// Place of the 居/村委会 in [`City::psus`].
    pub psu: u32,
    /// Places of its members aged 18 to 69 in [`City::persons`].
    pub persons: Range<u32>,
}

/// A finite synthetic population. 示例数据: it describes nobody.
#[derive(Debug, Clone, PartialEq)]
pub struct City {
    pub(super) parameters: CityParameters,
    pub(super) gradients: Gradients,
    pub(super) psus: Vec<Psu>,
    pub(super) households: Vec<Household>,
    pub(super) persons: Vec<Person>,
}

impl City {
    /// Makes the city.
    ///
    /// # Errors
    /// A parameter out of range, too few persons for every district to have eight 居/村委会, or rates that no model
    /// with these effects can have.
    pub fn generate(parameters: &CityParameters) -> Result<Self, SimulateError> {
        parameters.check()?;
        let shares = Shares::implied();
        let plans = plan(parameters, &shares);
        let gathered = gather(parameters.seed, &plans);
        let mut city = Self {
            parameters: parameters.clone(),
            gradients: Gradients::at(parameters.overall, parameters.residence_gap, &shares),
            psus: Vec::with_capacity(plans.len()),
            households: Vec::new(),
            persons: Vec::with_capacity(parameters.persons as usize),
        };
        for (plan, households) in plans.into_iter().zip(gathered) {
            city.settle(plan, households);
        }
        city.give_scores()?;
        Ok(city)
    }

    /// The parameters that made the city.
    pub fn parameters(&self) -> &CityParameters {
        &self.parameters
    }

    /// The rates that hold in expectation.
    pub fn gradients(&self) -> &Gradients {
        &self.gradients
    }

    /// 居/村委会 in the order of district, urban before rural, then code.
    pub fn psus(&self) -> &[Psu] {
        &self.psus
    }

    /// Households in the order of their 居/村委会.
    pub fn households(&self) -> &[Household] {
        &self.households
    }

    /// Persons in the order of their households; a person's place here is the person's id.
    pub fn persons(&self) -> &[Person] {
        &self.persons
    }

    /// The 居/村委会 a person lives in.
    pub fn psu_of(&self, person: &Person) -> &Psu {
        &self.psus[self.households[person.household as usize].psu as usize]
    }

    fn settle(&mut self, plan: PsuPlan, households: Vec<Vec<Person>>) {
        let first_household = self.households.len() as u32;
        for members in households {
            let (household, first) = (self.households.len() as u32, self.persons.len() as u32);
            self.persons.extend(members.into_iter().map(|person| Person { household, ..person }));
            self.households.push(Household { psu: self.psus.len() as u32, persons: first..self.persons.len() as u32 });
        }
        self.psus.push(Psu {
            code: plan.code,
            district: plan.district,
            residence: plan.residence,
            effect: plan.effect,
            households: first_household..self.households.len() as u32,
        });
    }

    /// Persons of one 居/村委会, as places in [`Self::persons`].
    pub(super) fn persons_of(&self, psu: &Psu) -> Range<usize> {
        let (first, last) = (psu.households.start as usize, psu.households.end as usize - 1);
        self.households[first].persons.start as usize..self.households[last].persons.end as usize
    }

    fn give_scores(&mut self) -> Result<(), SimulateError> {
        let cells = self.cells();
        let model = Model::fit(&cells, &self.gradients.over(&shares_of(&cells)))?;
        let residuals = residuals(self);
        let scores: Vec<Vec<u8>> =
            (0..self.psus.len()).into_par_iter().map(|at| self.scores_in(&self.psus[at], &model, &residuals)).collect();
        for (person, score_steps) in self.persons.iter_mut().zip(scores.into_iter().flatten()) {
            person.score_steps = score_steps;
        }
        Ok(())
    }

    fn scores_in(&self, psu: &Psu, model: &Model, residuals: &[f64]) -> Vec<u8> {
        let place_effect = DISTRICTS[psu.district].effect + psu.effect;
        // Neighbours with the same traits have the same quantile, and it is the costly part.
        let mut quantiles = [None; KINDS];
        let steps = |at: usize| {
            let traits = self.persons[at].traits(psu.residence);
            let q = quantiles[kind_of(traits)].get_or_insert_with(|| quantile(model.chance(traits, place_effect)));
            score_steps(model.score_sd, *q, residuals[at])
        };
        self.persons_of(psu).map(steps).collect()
    }

    /// The population counted by 居/村委会 and traits.
    pub(super) fn cells(&self) -> Vec<Cell> {
        let of_psu = |psu: &Psu| {
            let mut counts = [0.0; KINDS];
            for person in &self.persons[self.persons_of(psu)] {
                counts[kind_of(person.traits(psu.residence))] += 1.0;
            }
            let place_effect = DISTRICTS[psu.district].effect + psu.effect;
            let residence = psu.residence;
            counts.into_iter().enumerate().filter(|(_, persons)| *persons > 0.0).map(move |(at, persons)| {
                let (sex, age_group, education) = kind(at);
                Cell { traits: Traits { sex, age_group, education, residence }, place_effect, persons }
            })
        };
        self.psus.iter().flat_map(of_psu).collect()
    }
}

/// Persons of like chances who share out one set of residuals. 50 leave 1/6 · 1/50 of variance from rounding where
/// independent draws have p(1 − p), about an eighth: the noise of a published rate falls to a sixth.
const HAND: usize = 50;

/// Normal residuals, dealt without replacement: persons of the same traits are ordered by the effect of their place,
/// and each hand of n persons gets, in random order, one residual from each n-th part of the distribution. The finite
/// population then keeps to the fitted rates as a population of millions would.
fn residuals(city: &City) -> Vec<f64> {
    let members = by_traits_and_place(city);
    let dealt: Vec<Vec<f64>> = members
        .par_iter()
        .enumerate()
        .map(|(cell, members)| {
            let mut stream = Stream::new(city.parameters.seed, Purpose::Residual, cell as u64);
            members.chunks(HAND).flat_map(|hand| deal(hand.len(), &mut stream)).collect()
        })
        .collect();
    let mut residuals = vec![0.0; city.persons.len()];
    for (members, dealt) in members.iter().zip(dealt) {
        for (person, residual) in members.iter().zip(dealt) {
            residuals[*person as usize] = residual;
        }
    }
    residuals
}

fn deal(persons: usize, stream: &mut Stream) -> Vec<f64> {
    let mut order: Vec<u32> = (0..persons as u32).collect();
    stream.shuffle(&mut order);
    order.into_iter().map(|part| quantile((f64::from(part) + stream.unit()) / persons as f64)).collect()
}

fn by_traits_and_place(city: &City) -> Vec<Vec<u32>> {
    let effect = |psu: &Psu| DISTRICTS[psu.district].effect + psu.effect;
    let mut order: Vec<&Psu> = city.psus.iter().collect();
    order.sort_by(|one, other| effect(one).total_cmp(&effect(other)).then_with(|| one.code.cmp(&other.code)));
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); KINDS * Residence::ALL.len()];
    for psu in order {
        for at in city.persons_of(psu) {
            let traits = city.persons[at].traits(psu.residence);
            members[kind_of(traits) * Residence::ALL.len() + psu.residence.index()].push(at as u32);
        }
    }
    members
}

/// A 居/村委会 before its people have households.
struct PsuPlan {
    code: String,
    district: usize,
    residence: Residence,
    effect: f64,
    kinds: Vec<u8>,
}

fn gather(seed: u64, plans: &[PsuPlan]) -> Vec<Vec<Vec<Person>>> {
    plans
        .par_iter()
        .enumerate()
        .map(|(at, plan)| {
            household::form(&plan.kinds, plan.residence, &mut Stream::new(seed, Purpose::Households, at as u64))
        })
        .collect()
}

fn plan(parameters: &CityParameters, shares: &Shares) -> Vec<PsuPlan> {
    let composition = Composition::fit(shares);
    let places: Vec<f64> = place_shares(shares).into_iter().flatten().collect();
    let persons = split(parameters.persons as usize, &places, 0.5);
    let mut plans = Vec::new();
    for (place, persons) in persons.into_iter().enumerate().filter(|(_, persons)| *persons > 0) {
        let (district, residence) = (place / 2, Residence::ALL[place % 2]);
        plans.extend(plan_place(parameters, &composition, district, residence, persons));
    }
    plans
}

fn plan_place(
    parameters: &CityParameters,
    composition: &Composition,
    district: usize,
    residence: Residence,
    persons: usize,
) -> Vec<PsuPlan> {
    let place = (district * 2 + residence.index()) as u64;
    let mut stream = Stream::new(parameters.seed, Purpose::Composition, place);
    let counts = split(persons, composition.of(district, residence), stream.unit());
    let mut kinds: Vec<u8> =
        counts.iter().enumerate().flat_map(|(kind, count)| std::iter::repeat_n(kind as u8, *count)).collect();
    stream.shuffle(&mut kinds);
    let psus = ((persons as f64 / f64::from(parameters.persons_per_psu)).round() as usize).max(1);
    // Sizes between half and one and a half times the average: 居/村委会 differ, and none is too small to draw from.
    let sizes: Vec<f64> = (0..psus).map(|_| 0.5 + stream.unit()).collect();
    let mut rest = kinds.as_slice();
    let mut plans = Vec::with_capacity(psus);
    for (at, size) in split(persons, &sizes, 0.5).into_iter().enumerate() {
        let (here, further) = rest.split_at(size);
        rest = further;
        let effect =
            parameters.psu_effect_sd * Stream::new(parameters.seed, Purpose::Psu, place << 32 | at as u64).normal();
        plans.push(PsuPlan {
            code: psu_code(district, residence, at),
            district,
            residence,
            effect,
            kinds: here.to_vec(),
        });
    }
    plans
}

/// 6 digits of the district, 3 of a street (0xx) or township (2xx), 3 of the 居 or 村委会 in it, 25 to each.
fn psu_code(district: usize, residence: Residence, at: usize) -> String {
    let first = match residence {
        Residence::Urban => 1,
        Residence::Rural => 201,
    };
    format!("{}{:03}{:03}", DISTRICTS[district].code, first + at / 25, 1 + at % 25)
}

/// Whole numbers in proportion to `weights` that sum to `total`: differences of the rounded running sum, so each is
/// within one of its exact value. `start` in [0, 1) moves the rounding.
pub(super) fn split(total: usize, weights: &[f64], start: f64) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let (mut running, mut given) = (0.0, 0usize);
    let last = weights.len() - 1;
    weights
        .iter()
        .enumerate()
        .map(|(at, weight)| {
            running += weight;
            let upto =
                if at == last { total } else { ((running / sum * total as f64 + start).floor() as usize).min(total) };
            let here = upto - given;
            given = upto;
            here
        })
        .collect()
}

/// The same people, counted by sex: a short way to say what a city is.
impl std::fmt::Display for City {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let men = self.persons.iter().filter(|person| person.sex == Sex::Male).count();
        write!(
            f,
            "{}: {} persons ({men} men), {} households, {} 居/村委会",
            super::place::CITY_NAME,
            self.persons.len(),
            self.households.len(),
            self.psus.len()
        )
    }
}
