//! What a survey is asked to be, and how its interviews are shared out over the districts.

use jiff::civil::{Date, date};

use crate::simulate::city::{City, split};
use crate::simulate::error::SimulateError;
use crate::simulate::place::DISTRICTS;

/// A wave of field work. The same design and the same city give the same survey, byte for byte.
#[derive(Debug, Clone, PartialEq)]
pub struct SurveyDesign {
    /// Seed of the draw, of who responds and of when.
    pub seed: u64,
    /// Interviews hoped for; with the response rate it decides how many cases are drawn.
    pub persons: u32,
    /// 居/村委会 drawn in each district; at least 2, at most half of those there are.
    pub psus_per_district: usize,
    /// Share of the cases that respond, over all weighting classes.
    pub response_rate: f64,
    /// First day of field work.
    pub fieldwork_start: Date,
    /// Days of field work.
    pub fieldwork_days: u16,
    /// What the case ids begin with: surveys that share a questionnaire must not share a case.
    pub case_prefix: String,
}

impl SurveyDesign {
    /// About `persons` interviews in seven 居/村委会 of each district, in 60 days from the given one, when 75 % respond.
    pub fn wave(fieldwork_start: Date, seed: u64, persons: u32) -> Self {
        Self {
            seed,
            persons,
            psus_per_district: 7,
            response_rate: 0.75,
            fieldwork_start,
            fieldwork_days: 60,
            case_prefix: String::new(),
        }
    }

    /// The wave of the demo, from 10 May 2025.
    pub fn wave_2025(seed: u64, persons: u32) -> Self {
        Self::wave(date(2025, 5, 10), seed, persons)
    }

    /// Households to draw in each 居/村委会, by district.
    ///
    /// Districts share the cases in proportion to the square root of their households, between equal numbers (best
    /// for the districts' own figures) and proportional ones (best for the city's); none gets less than half of an
    /// equal share. Inside a district every 居/村委会 gives the same number, so that its households have equal chances.
    pub(super) fn take(&self, city: &City) -> Result<Vec<usize>, SimulateError> {
        self.check(city)?;
        let cases = f64::from(self.persons) / self.response_rate;
        let a_psu = (cases / self.psus_per_district as f64).round() as usize;
        let least = (a_psu / DISTRICTS.len() / 2).max(1);
        let roots: Vec<f64> = households_by_district(city).iter().map(|n| (*n as f64).sqrt()).collect();
        let spread = split(a_psu - least * DISTRICTS.len(), &roots, 0.5);
        Ok(spread.into_iter().map(|more| least + more).collect())
    }

    fn check(&self, city: &City) -> Result<(), SimulateError> {
        if !(self.response_rate > 0.05 && self.response_rate < 0.99) {
            let (name, value) = ("response_rate", self.response_rate);
            return Err(SimulateError::Parameter { name, value, low: 0.05, high: 0.99 });
        }
        if !(1..=365).contains(&self.fieldwork_days) {
            let (name, value) = ("fieldwork_days", f64::from(self.fieldwork_days));
            return Err(SimulateError::Parameter { name, value, low: 0.0, high: 366.0 });
        }
        for (at, district) in DISTRICTS.iter().enumerate() {
            let available = city.psus().iter().filter(|psu| psu.district == at).count();
            if self.psus_per_district < 2 || self.psus_per_district > available / 2 {
                let (district, asked) = (district.code.to_owned(), self.psus_per_district);
                return Err(SimulateError::TooManyPsus { district, asked, available });
            }
        }
        // Two cases a 居/村委会 at least, and no more than a tenth of all households, so that a sample stays a sample.
        let psus = self.psus_per_district * DISTRICTS.len();
        let least = (2.0 * psus as f64 * self.response_rate).ceil() as u32;
        let most = (city.households().len() as f64 / 10.0 * self.response_rate) as u32;
        if !(least..=most).contains(&self.persons) {
            return Err(SimulateError::Persons { persons: self.persons, least, most });
        }
        Ok(())
    }
}

fn households_by_district(city: &City) -> Vec<usize> {
    let mut households = vec![0; DISTRICTS.len()];
    for psu in city.psus() {
        households[psu.district] += psu.households.len();
    }
    households
}
