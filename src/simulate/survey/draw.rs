//! The draw: 居/村委会 with probability in proportion to size, households with equal chances, one person of each.

use super::design::SurveyDesign;
use super::nonresponse::Propensities;
use crate::simulate::city::{City, Household, Psu};
use crate::simulate::error::SimulateError;
use crate::simulate::person::Person;
use crate::simulate::place::DISTRICTS;
use crate::simulate::stream::{Purpose, Stream};

/// One drawn household and the person chosen in it.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnCase {
    /// `district-psu-household`, such as `230102-03-07`; unique in the survey.
    pub case_id: String,
    /// Place of the 居/村委会 in [`City::psus`].
    pub psu: u32,
    /// Number of the 居/村委会 among those drawn in its district, from 0.
    pub psu_serial: u16,
    /// Number of the household among those drawn in its 居/村委会, from 0.
    pub household_serial: u16,
    /// Place of the household in [`City::households`].
    pub household: u32,
    /// Place of the person in [`City::persons`].
    pub person: u32,
    /// Inclusion probability of the 居/村委会.
    pub prob_psu: f64,
    /// Inclusion probability of the household, given its 居/村委会.
    pub prob_household: f64,
    /// Persons aged 18 to 69 in the household; one of them was chosen with equal chances.
    pub n_eligible: u8,
    /// Whether the person gives an interview.
    pub responds: bool,
}

/// A survey drawn from a city.
#[derive(Debug, Clone)]
pub struct DrawnSurvey<'a> {
    pub(super) city: &'a City,
    pub(super) design: SurveyDesign,
    pub(super) cases: Vec<DrawnCase>,
}

impl<'a> DrawnSurvey<'a> {
    /// Draws the sample and decides who responds. Districts are the strata.
    ///
    /// # Errors
    /// A response rate or a number of days out of range, more 居/村委会 or interviews than the city can give.
    pub fn draw(city: &'a City, design: &SurveyDesign) -> Result<Self, SimulateError> {
        let take = design.take(city)?;
        let mut cases = Vec::new();
        for (district, take) in take.into_iter().enumerate() {
            for (serial, (psu, probability)) in draw_psus(city, design, district)?.into_iter().enumerate() {
                cases.extend(draw_households(city, design, psu, serial, probability, take));
            }
        }
        Propensities::of(city, &cases, design.response_rate).decide(city, design.seed, &mut cases);
        Ok(Self { city, design: design.clone(), cases })
    }

    /// The city that the sample comes from.
    pub fn city(&self) -> &'a City {
        self.city
    }

    /// The design that the sample follows.
    pub fn design(&self) -> &SurveyDesign {
        &self.design
    }

    /// Every drawn case, respondents and others, in the order of district, 居/村委会 and household.
    pub fn cases(&self) -> &[DrawnCase] {
        &self.cases
    }

    /// The cases with an interview.
    pub fn respondents(&self) -> impl Iterator<Item = &DrawnCase> {
        self.cases.iter().filter(|case| case.responds)
    }

    /// The person chosen in a case.
    pub fn person(&self, case: &DrawnCase) -> &'a Person {
        &self.city.persons()[case.person as usize]
    }

    /// The 居/村委会 of a case.
    pub fn psu(&self, case: &DrawnCase) -> &'a Psu {
        &self.city.psus()[case.psu as usize]
    }

    /// The household of a case.
    pub fn household(&self, case: &DrawnCase) -> &'a Household {
        &self.city.households()[case.household as usize]
    }
}

/// Systematic sampling with probability in proportion to the number of households.
///
/// The city keeps its 居/村委会 in the order of residence and code, so the draw is also spread over 城乡.
fn draw_psus(city: &City, design: &SurveyDesign, district: usize) -> Result<Vec<(u32, f64)>, SimulateError> {
    let places: Vec<u32> =
        (0..city.psus().len() as u32).filter(|at| city.psus()[*at as usize].district == district).collect();
    let sizes: Vec<usize> = places.iter().map(|at| city.psus()[*at as usize].households.len()).collect();
    let households: usize = sizes.iter().sum();
    let probabilities: Vec<f64> =
        sizes.iter().map(|size| (design.psus_per_district * size) as f64 / households as f64).collect();
    if probabilities.iter().any(|probability| *probability > 1.0) {
        let (asked, available) = (design.psus_per_district, places.len());
        return Err(SimulateError::TooManyPsus { district: DISTRICTS[district].code.to_owned(), asked, available });
    }
    let start = Stream::new(design.seed, Purpose::PsuDraw, district as u64).unit();
    let chosen = systematic(&sizes, design.psus_per_district, start);
    Ok(chosen.into_iter().map(|at| (places[at], probabilities[at])).collect())
}

/// Places whose part of the running size holds one of the points `(start + 0, 1, …, n − 1) · total / n`.
fn systematic(sizes: &[usize], n: usize, start: f64) -> Vec<usize> {
    let step = sizes.iter().sum::<usize>() as f64 / n as f64;
    let (mut running, mut chosen) = (0usize, Vec::with_capacity(n));
    for (at, size) in sizes.iter().enumerate() {
        running += size;
        while chosen.len() < n && (start + chosen.len() as f64) * step < running as f64 {
            chosen.push(at);
        }
    }
    chosen
}

fn draw_households(
    city: &City,
    design: &SurveyDesign,
    psu_at: u32,
    serial: usize,
    prob_psu: f64,
    take: usize,
) -> impl Iterator<Item = DrawnCase> {
    let psu = &city.psus()[psu_at as usize];
    let mut stream = Stream::new(design.seed, Purpose::HouseholdDraw, u64::from(psu_at));
    let mut households: Vec<u32> = psu.households.clone().collect();
    let take = take.min(households.len());
    let prob_household = take as f64 / households.len() as f64;
    stream.shuffle(&mut households);
    households.truncate(take);
    let prefix = design.case_prefix.clone();
    households.into_iter().enumerate().map(move |(at, household)| {
        let members = &city.households()[household as usize].persons;
        DrawnCase {
            case_id: format!("{prefix}{}-{:02}-{:02}", DISTRICTS[psu.district].code, serial + 1, at + 1),
            psu: psu_at,
            psu_serial: serial as u16,
            household_serial: at as u16,
            household,
            person: members.start + stream.below(members.len()) as u32,
            prob_psu,
            prob_household,
            n_eligible: members.len() as u8,
            responds: false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::systematic;

    #[test]
    fn every_unit_is_drawn_as_often_as_its_size_says() {
        let sizes = [10usize, 30, 5, 25, 30];
        let mut drawn = [0u32; 5];
        for point in 0..1000 {
            let chosen = systematic(&sizes, 2, (f64::from(point) + 0.5) / 1000.0);
            assert_eq!(chosen.len(), 2);
            chosen.into_iter().for_each(|at| drawn[at] += 1);
        }
        for (times, size) in drawn.iter().zip(sizes) {
            assert!((f64::from(*times) / 1000.0 - 2.0 * size as f64 / 100.0).abs() < 2e-3);
        }
    }
}
