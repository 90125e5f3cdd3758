//! Scored items: the right ones add up to the person's score, the easy ones among them more often.

use crate::instrument::{Given, Item, ItemKind, MissingKind, Questionnaire};

use super::super::category::{AgeGroup, Education};
use super::super::gauss::logit;
use super::super::person::Person;
use super::super::stream::Stream;

/// Share of right answers by item of the shipped questionnaire, as a rank of ease: for the sixteen published
/// statements the figure of 2007, else of 2001, where one is published; for S01 to S05 the people who did not believe
/// in 2003; the others are guesses of our own (示例).
#[rustfmt::skip]
const EASE: [(&str, f64); 36] = [
    ("K01", 0.49), ("K02", 0.78), ("K03", 0.70), ("K04", 0.39),
    ("K05", 0.20), ("K06", 0.22), ("K07", 0.21), ("K08", 0.22),
    ("K09", 0.44), ("K10", 0.69), ("K11", 0.85), ("K12", 0.45),
    ("K13", 0.45), ("K14", 0.75), ("K15", 0.40), ("K16", 0.55),
    ("M01", 0.55), ("M02", 0.50), ("M03", 0.45), ("M04", 0.50),
    ("S01", 0.734), ("S02", 0.777), ("S03", 0.796), ("S04", 0.853),
    ("S05", 0.952), ("S06", 0.60), ("S07", 0.50), ("S08", 0.55),
    ("A01", 0.65), ("A02", 0.60), ("A03", 0.75), ("A04", 0.75),
    ("A05", 0.30), ("A06", 0.40), ("A07", 0.65), ("A08", 0.70),
];
/// Any other scored item.
const EASE_ELSE: f64 = 0.5;

/// The items with a key and points.
pub(super) struct ScoredItems<'q> {
    items: Vec<ScoredItem<'q>>,
    /// Largest number of points, in hundredths, that divides those of every item.
    unit: u32,
}

struct ScoredItem<'q> {
    place: usize,
    item: &'q Item,
    hundredths: u32,
    ease: f64,
}

impl<'q> ScoredItems<'q> {
    pub(super) fn of(questionnaire: &'q Questionnaire) -> Self {
        let scored = |(place, item): (usize, &'q Item)| {
            let hundredths = item.points?.hundredths();
            let known = EASE.iter().find(|(id, _)| *id == item.id).map(|(_, ease)| *ease);
            (item.is_scored() && hundredths > 0).then(|| ScoredItem {
                place,
                item,
                hundredths,
                ease: logit(known.unwrap_or(EASE_ELSE)),
            })
        };
        let items: Vec<_> = questionnaire.items().enumerate().filter_map(scored).collect();
        let unit = items.iter().fold(0, |unit, item| greatest_common_divisor(unit, item.hundredths)).max(1);
        Self { items, unit }
    }

    /// Writes right and wrong answers so that the points of the right ones are the person's score: exactly when the
    /// points of some items add up to it, else the nearest sum below.
    pub(super) fn answer(&self, given: &mut [Option<Given>], relevant: &[bool], person: &Person, stream: &mut Stream) {
        let mut asked: Vec<(f64, &ScoredItem<'_>)> = (self.items.iter().filter(|item| relevant[item.place]))
            // A standard normal on the logit scale: people differ in what they happen to know.
            .map(|item| (item.ease + stream.normal(), item))
            .collect();
        asked.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.place.cmp(&other.1.place)));
        let sizes: Vec<usize> = asked.iter().map(|(_, item)| (item.hundredths / self.unit) as usize).collect();
        let wanted = u32::from(person.score_steps) * 250 / self.unit;
        let mut is_right = vec![false; self.items.len()];
        for ((_, item), right) in asked.iter().zip(first_with_sum(&sizes, wanted as usize)) {
            let at = self.items.iter().position(|other| other.place == item.place).expect("one of the items");
            is_right[at] = right;
        }
        for (item, right) in self.items.iter().zip(is_right).filter(|(item, _)| relevant[item.place]) {
            given[item.place] =
                Some(if right { right_answer(item.item) } else { wrong_answer(item.item, person, stream) });
        }
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Chooses sizes that sum to `wanted`, or to the nearest sum below it, and prefers those that come first.
///
/// `reach[i]` holds the sums that sizes from place i on can make, so taking the first that leaves a reachable rest
/// never ends in a dead end.
fn first_with_sum(sizes: &[usize], wanted: usize) -> Vec<bool> {
    let mut reach = vec![vec![false; wanted + 1]; sizes.len() + 1];
    reach[sizes.len()][0] = true;
    for at in (0..sizes.len()).rev() {
        for sum in 0..=wanted {
            reach[at][sum] = reach[at + 1][sum] || (sum >= sizes[at] && reach[at + 1][sum - sizes[at]]);
        }
    }
    let mut rest = (0..=wanted).rev().find(|sum| reach[0][*sum]).unwrap_or(0);
    let mut taken = Vec::with_capacity(sizes.len());
    for (at, size) in sizes.iter().enumerate() {
        let take = rest >= *size && reach[at + 1][rest - size];
        rest -= if take { *size } else { 0 };
        taken.push(take);
    }
    taken
}

fn right_answer(item: &Item) -> Given {
    match item.kind {
        ItemKind::MultipleChoice => {
            Given::Choices(in_option_order(item, |code| item.key.iter().any(|key| key == code)))
        }
        _ => Given::Choice(item.key[0].clone()),
    }
}

fn in_option_order(item: &Item, keep: impl Fn(&str) -> bool) -> Vec<String> {
    item.options.iter().map(|option| &option.code).filter(|code| keep(code)).cloned().collect()
}

/// 不知道 where the item allows it, more often from older and less schooled people; else a wrong option.
fn wrong_answer(item: &Item, person: &Person, stream: &mut Stream) -> Given {
    let mut does_not_say: f64 = 0.30;
    does_not_say += if person.age_group() >= AgeGroup::From50To59 { 0.15 } else { 0.0 };
    does_not_say += if person.education <= Education::Junior { 0.10 } else { 0.0 };
    if item.allows(MissingKind::DontKnow) && stream.chance(does_not_say) {
        return Given::Missing(MissingKind::DontKnow);
    }
    let wrong = match item.kind {
        ItemKind::MultipleChoice => wrong_choices(item, stream),
        _ => wrong_choice(item, stream),
    };
    wrong.unwrap_or(Given::Missing(MissingKind::DontKnow))
}

fn wrong_choice(item: &Item, stream: &mut Stream) -> Option<Given> {
    let wrong = in_option_order(item, |code| item.key.iter().all(|key| key != code));
    // The first wrong option is twice as likely as each other: of the beliefs, 有些相信 before 很相信.
    let weights: Vec<f64> = (0..wrong.len()).map(|at| if at == 0 { 2.0 } else { 1.0 }).collect();
    (!wrong.is_empty()).then(|| Given::Choice(wrong[stream.pick(&weights)].clone()))
}

/// The key with one option put in or left out, as far as the item's own limits allow.
fn wrong_choices(item: &Item, stream: &mut Stream) -> Option<Given> {
    let plain: Vec<&str> = item.options.iter().filter(|o| !o.exclusive).map(|o| o.code.as_str()).collect();
    let limits = item.choices_min.unwrap_or(1) as usize..=item.choices_max.map_or(usize::MAX, |max| max as usize);
    let changed = |flipped: &str| {
        in_option_order(item, |code| {
            plain.contains(&code) && (item.key.iter().any(|key| key == code) != (code == flipped))
        })
    };
    let possible: Vec<Vec<String>> =
        plain.iter().map(|flipped| changed(flipped)).filter(|codes| limits.contains(&codes.len())).collect();
    (!possible.is_empty()).then(|| Given::Choices(possible[stream.below(possible.len())].clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_sizes_sum_to_what_is_wanted_and_come_early() {
        assert_eq!(first_with_sum(&[1, 1, 1, 1], 2), [true, true, false, false]);
        assert_eq!(first_with_sum(&[3, 2, 2], 4), [false, true, true]);
        assert_eq!(first_with_sum(&[2, 2], 3), [true, false]);
        assert_eq!(first_with_sum(&[2, 2], 9), [true, true]);
        assert_eq!(first_with_sum(&[], 5), Vec::<bool>::new());
    }
}
