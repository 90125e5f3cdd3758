//! What a survey of the city tries to find out: counts over the finite population, no estimate among them.

use super::category::{AgeGroup, Education, Residence, Sex};
use super::city::City;
use super::person::{KeyGroup, Person};
use super::place::DISTRICTS;

/// One level of one variable in the population.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Variable, in the words of the analysis columns (`district`, `sex`, …); `city` for everybody.
    pub variable: &'static str,
    /// Level of the variable.
    pub level: &'static str,
    /// Persons aged 18 to 69.
    pub persons: u32,
    /// Of these, with 70 points or more.
    pub literate: u32,
}

impl Group {
    /// Literate share; `None` for a group without members.
    pub fn share(&self) -> Option<f64> {
        (self.persons > 0).then(|| f64::from(self.literate) / f64::from(self.persons))
    }
}

/// The city's own figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The city first, then its groups by variable in reporting order.
    pub groups: Vec<Group>,
    /// Share with at least 55 points.
    pub at_least_55: f64,
    /// Share with at least 85 points.
    pub at_least_85: f64,
}

impl Truth {
    /// The group of one level, if the city knows it.
    pub fn group(&self, variable: &str, level: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.variable == variable && group.level == level)
    }

    /// The literate share of everybody.
    pub fn overall(&self) -> f64 {
        self.groups[0].share().expect("a city has persons")
    }
}

impl City {
    /// Counts the population.
    pub fn truth(&self) -> Truth {
        let mut groups = empty_groups();
        let mut at_least = [0u32; 2];
        for psu in self.psus() {
            for person in &self.persons()[self.persons_of(psu)] {
                let member = membership(person, psu.residence, psu.district);
                for (group, _) in groups.iter_mut().zip(member).filter(|(_, is_member)| *is_member) {
                    group.persons += 1;
                    group.literate += u32::from(person.is_literate());
                }
                at_least[0] += u32::from(person.score() >= 55.0);
                at_least[1] += u32::from(person.score() >= 85.0);
            }
        }
        let [at_least_55, at_least_85] = at_least.map(|n| f64::from(n) / self.persons().len() as f64);
        Truth { groups, at_least_55, at_least_85 }
    }
}

/// Every group of the report, empty, in the order of [`membership`].
fn empty_groups() -> Vec<Group> {
    let city = [("city", "all")].into_iter();
    let names = city
        .chain(Sex::ALL.iter().map(|level| (Sex::VARIABLE, level.code())))
        .chain(AgeGroup::ALL.iter().map(|level| (AgeGroup::VARIABLE, level.code())))
        .chain(Education::ALL.iter().map(|level| (Education::VARIABLE, level.code())))
        .chain(Residence::ALL.iter().map(|level| (Residence::VARIABLE, level.code())))
        .chain(KeyGroup::ALL.iter().map(|group| (group.code(), "1")))
        .chain(DISTRICTS.iter().map(|district| ("district", district.code)));
    names.map(|(variable, level)| Group { variable, level, persons: 0, literate: 0 }).collect()
}

fn membership(person: &Person, residence: Residence, district: usize) -> impl Iterator<Item = bool> {
    let (sex, age_group, education) = (person.sex, person.age_group(), person.education);
    let key_groups = person.key_groups();
    std::iter::once(true)
        .chain(Sex::ALL.iter().map(move |level| *level == sex))
        .chain(AgeGroup::ALL.iter().map(move |level| *level == age_group))
        .chain(Education::ALL.iter().map(move |level| *level == education))
        .chain(Residence::ALL.iter().map(move |level| *level == residence))
        .chain(KeyGroup::ALL.iter().map(move |group| key_groups[group.index()]))
        .chain((0..DISTRICTS.len()).map(move |at| at == district))
}
