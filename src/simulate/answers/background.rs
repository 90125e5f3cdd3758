//! Items about the person: their answers follow from the person's own traits.

use jiff::{Span, civil::Date};

use crate::instrument::{Given, Item};

use super::super::category::Education;
use super::super::person::Activity;
use super::super::stream::Stream;
use super::Respondent;

/// The answer to an item about the person, by the item's id; none for every other item.
pub(super) fn answer(item: &Item, respondent: &Respondent<'_>, stream: &mut Stream) -> Option<Given> {
    let person = respondent.person;
    let choice = |code: &str| Given::Choice(code.to_owned());
    Some(match item.id.as_str() {
        "sex" => choice(person.sex.code()),
        "age" => Given::Number(f64::from(person.age)),
        "education" => choice(person.education.code()),
        "employment" if person.activity.is_work() => choice("working"),
        "employment" => choice(person.activity.code()),
        "occupation" if person.activity.is_work() => choice(person.activity.code()),
        // Routing leaves the item out for people who do not work.
        "occupation" => choice(Activity::OtherOccupation.code()),
        "residence_years" => Given::Number(f64::from(years_here(person.age, stream))),
        "channels" => Given::Choices(channels(item, respondent, stream)),
        "venue_visits" => Given::Number(f64::from(visits(person.education, stream))),
        "last_visit" => Given::Date(last_visit(respondent.asked_on, stream).to_string()),
        _ => return None,
    })
}

/// Two in three have always lived here.
fn years_here(age: u8, stream: &mut Stream) -> u8 {
    if stream.chance(0.66) { age } else { stream.below(usize::from(age)) as u8 }
}

/// The internet reaches the young and the schooled, television the old.
fn channels(item: &Item, respondent: &Respondent<'_>, stream: &mut Stream) -> Vec<String> {
    let person = respondent.person;
    let old = (f64::from(person.age) - 18.0) / 51.0;
    let mut chosen = Vec::new();
    for option in item.options.iter().filter(|option| !option.exclusive) {
        let chance = match option.code.as_str() {
            "internet" => 0.95 - 0.45 * old + if person.education <= Education::Primary { -0.15 } else { 0.0 },
            "television" => 0.35 + 0.50 * old,
            "people" => 0.40,
            "book" => 0.08 + 0.05 * person.education.index() as f64,
            _ => 0.08,
        };
        if stream.chance(chance) {
            chosen.push(option.code.clone());
        }
    }
    if chosen.is_empty() {
        let none = item.options.iter().find(|option| option.exclusive).or(item.options.first());
        chosen.extend(none.map(|option| option.code.clone()));
    }
    chosen
}

/// A geometric number; its chance to go on grows with schooling.
fn visits(education: Education, stream: &mut Stream) -> u8 {
    let again = 0.25 + 0.09 * education.index() as f64;
    (0..20).find(|_| !stream.chance(again)).unwrap_or(20)
}

fn last_visit(asked_on: Date, stream: &mut Stream) -> Date {
    asked_on.saturating_sub(Span::new().days(1 + stream.below(360) as i64))
}
