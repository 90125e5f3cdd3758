//! The waves of the demo: one city at three times, each with a survey of its own.

use anyhow::Result;
use jiff::civil::{Date, date};

use crate::simulate::{City, CityParameters, OVERALL_2023, SurveyDesign};

/// One wave.
pub(super) struct Wave {
    /// The year of its field work.
    pub(super) year: i16,
    /// First and last day of field work.
    pub(super) fieldwork: (Date, Date),
    /// Literate share in the city, and the factor on the urban-rural gap of the log odds.
    overall: f64,
    residence_gap: f64,
    /// Taken off the demo's seed: each wave draws its own places and persons.
    seed_step: u64,
    /// What its case ids begin with.
    case_prefix: &'static str,
}

/// Persons of a city for each interview: a survey takes a tenth of all households at most, of which some do not answer.
const PERSONS_AN_INTERVIEW: u32 = 30;

/// Interviews of the whole city that one more 居/村委会 in each of its 18 districts gives: 50 of its 100 households, of
/// which three quarters answer.
const INTERVIEWS_A_PLACE_IN_EACH_DISTRICT: u32 = 18 * 50 * 3 / 4;

/// Half of the 居/村委会 in the smallest district.
const PLACES_A_DISTRICT_MAX: usize = 15;

/// The story: the share rises towards its target and 城 and 乡 come closer.
///
/// The last wave is the city of `docs/simulation.md`; the earlier ones are the same people with fewer of them literate.
pub(super) const WAVES: [Wave; 3] = [
    Wave {
        year: 2021,
        fieldwork: (date(2021, 5, 10), date(2021, 7, 8)),
        overall: 0.106,
        residence_gap: 2.0,
        seed_step: 4,
        case_prefix: "2021-",
    },
    Wave {
        year: 2023,
        fieldwork: (date(2023, 5, 10), date(2023, 7, 8)),
        overall: 0.125,
        residence_gap: 1.5,
        seed_step: 2,
        case_prefix: "2023-",
    },
    Wave {
        year: 2025,
        fieldwork: (date(2025, 5, 10), date(2025, 7, 8)),
        overall: OVERALL_2023,
        residence_gap: 1.0,
        seed_step: 0,
        case_prefix: "",
    },
];

impl Wave {
    /// The city as it is in the wave's year. Composition and names come from the demo's seed, so it is the same city.
    ///
    /// It has as many places and more people in each where more interviews are hoped for than a sample of the usual
    /// one can give.
    pub(super) fn city(&self, seed: u64, interviews: u32) -> Result<City> {
        let demo = CityParameters::demo(seed);
        let persons = demo.persons.max(interviews.saturating_mul(PERSONS_AN_INTERVIEW));
        let persons_per_psu = demo.persons_per_psu * persons.div_ceil(demo.persons);
        let Self { overall, residence_gap, .. } = *self;
        let parameters = CityParameters { persons, persons_per_psu, overall, residence_gap, ..demo };
        Ok(City::generate(&parameters)?)
    }

    /// The survey's design.
    ///
    /// A large sample takes more places, so that none is asked for more than about half of its households.
    pub(super) fn design(&self, seed: u64, persons: u32) -> SurveyDesign {
        let design = SurveyDesign::wave(self.fieldwork.0, seed.wrapping_sub(self.seed_step), persons);
        let places = persons.div_ceil(INTERVIEWS_A_PLACE_IN_EACH_DISTRICT) as usize;
        let psus_per_district = places.clamp(design.psus_per_district, PLACES_A_DISTRICT_MAX);
        SurveyDesign { case_prefix: self.case_prefix.to_owned(), psus_per_district, ..design }
    }

    /// Whether it is the newest, whose field work is not closed.
    pub(super) fn is_latest(&self) -> bool {
        self.year == WAVES[WAVES.len() - 1].year
    }
}
