//! Persons of one 居/村委会 gathered into households.

use super::category::Residence;
use super::category::{AgeGroup, Sex};
use super::composition::kind;
use super::person::Person;
use super::person::activity_of;
use super::stream::Stream;

/// Chances of a household to hold one to five persons aged 18 to 69: round numbers of our own, 2.1 on average.
const ELIGIBLE_MEMBERS: [f64; 5] = [0.28, 0.44, 0.17, 0.09, 0.02];

/// Members still without a household, by sex and age band.
struct Pool {
    waiting: [[Vec<u8>; 5]; 2],
    left: usize,
}

impl Pool {
    fn new(kinds: &[u8]) -> Self {
        let mut waiting: [[Vec<u8>; 5]; 2] = Default::default();
        for at in kinds {
            let (sex, age, _) = kind(usize::from(*at));
            waiting[sex.index()][age.index()].push(*at);
        }
        Self { waiting, left: kinds.len() }
    }

    fn head(&mut self, stream: &mut Stream) -> u8 {
        let mut place = stream.below(self.left);
        for sex in Sex::ALL {
            for age in AgeGroup::ALL {
                let here = self.waiting[sex.index()][age.index()].len();
                if place < here {
                    return self.take(*sex, age.index()).expect("a waiting person");
                }
                place -= here;
            }
        }
        unreachable!("`left` counts the waiting persons")
    }

    fn take(&mut self, sex: Sex, age: usize) -> Option<u8> {
        let taken = self.waiting[sex.index()][age].pop();
        self.left -= usize::from(taken.is_some());
        taken
    }

    /// A person of the wanted sex from the band nearest to `age`, or of the other sex if none waits.
    fn nearest(&mut self, sex: Sex, age: usize) -> Option<u8> {
        let other = if sex == Sex::Male { Sex::Female } else { Sex::Male };
        let by_distance = (0..5).flat_map(|far: usize| [age.checked_sub(far), Some(age + far)]);
        let bands: Vec<usize> = by_distance.flatten().filter(|band| *band < 5).collect();
        [sex, other].into_iter().find_map(|sex| bands.iter().find_map(|band| self.take(sex, *band)))
    }
}

/// Gathers the kinds of persons of one place into households and gives each person an age and something to do.
///
/// The first two are a couple if the pool allows; further members are two or three bands away, as children or
/// parents are.
pub(super) fn form(kinds: &[u8], residence: Residence, stream: &mut Stream) -> Vec<Vec<Person>> {
    let mut pool = Pool::new(kinds);
    let mut households = Vec::new();
    while pool.left > 0 {
        let size = 1 + stream.pick(&ELIGIBLE_MEMBERS);
        let head = pool.head(stream);
        let (sex, age, _) = kind(usize::from(head));
        let partner = if sex == Sex::Male { Sex::Female } else { Sex::Male };
        let mut members = vec![head];
        for member in 1..size {
            let (sex, age) = match member {
                1 => (partner, age.index()),
                _ => (Sex::ALL[stream.below(2)], other_generation(age.index(), stream)),
            };
            members.extend(pool.nearest(sex, age));
        }
        households.push(members.into_iter().map(|at| person(at, residence, stream)).collect());
    }
    households
}

fn other_generation(age: usize, stream: &mut Stream) -> usize {
    let apart = 2 + stream.below(2);
    if age >= 2 { age.saturating_sub(apart) } else { (age + apart).min(4) }
}

fn person(at: u8, residence: Residence, stream: &mut Stream) -> Person {
    let (sex, age_group, education) = kind(usize::from(at));
    let (youngest, years) = age_group.span();
    let age = youngest + stream.below(usize::from(years)) as u8;
    let activity = activity_of(sex, age, education, residence, stream);
    Person { household: 0, age, sex, education, activity, score_steps: 0 }
}

#[cfg(test)]
mod tests {
    use super::super::stream::Purpose;
    use super::*;

    fn formed() -> (Vec<u8>, Vec<Vec<Person>>) {
        let kinds: Vec<u8> = (0..400u32).map(|at| (at * 7 % 50) as u8).collect();
        let households = form(&kinds, Residence::Urban, &mut Stream::new(5, Purpose::Households, 0));
        (kinds, households)
    }

    #[test]
    fn every_person_lives_in_exactly_one_household() {
        let (kinds, households) = formed();
        let mut expected: Vec<_> = kinds.iter().map(|at| kind(usize::from(*at))).collect();
        let mut found: Vec<_> =
            households.iter().flatten().map(|p| (p.sex, AgeGroup::of(p.age).expect("18 to 69"), p.education)).collect();
        expected.sort();
        found.sort();
        assert_eq!(expected, found);
    }

    #[test]
    fn most_pairs_are_couples_of_similar_age() {
        let (_, households) = formed();
        let pairs: Vec<_> = households.iter().filter(|h| h.len() == 2).collect();
        let couples = pairs.iter().filter(|h| h[0].sex != h[1].sex && h[0].age.abs_diff(h[1].age) < 12).count();
        assert!(couples * 10 > pairs.len() * 8, "{couples} of {}", pairs.len());
    }
}
