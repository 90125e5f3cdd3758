//! Items without a key and without a fixed answer: attitudes, channels, free texts.

use std::collections::BTreeMap;

use crate::instrument::{Given, Item, ItemKind, MissingKind};

use super::super::person::Person;
use super::super::stream::Stream;

/// A plausible answer by the type of the item. Earlier options are likelier, as in most batteries of the survey, and
/// a few people do not know or refuse where the item lets them.
///
/// One person in eight has something to say where nothing has to be said.
pub(super) fn answer(item: &Item, person: &Person, stream: &mut Stream) -> Option<Given> {
    if !item.required && !stream.chance(0.125) {
        return None;
    }
    if let Some(kind) = evasion(item, stream) {
        return Some(Given::Missing(kind));
    }
    Some(match item.kind {
        ItemKind::SingleChoice | ItemKind::TrueFalse => Given::Choice(one_option(item, person, stream)),
        ItemKind::MultipleChoice => Given::Choices(some_options(item, stream)),
        ItemKind::Number => Given::Number(number(item, stream)),
        ItemKind::Text => Given::Text(text(item)),
        ItemKind::Date => Given::Date(day(item, stream)),
        ItemKind::Matrix => {
            let rows = item.rows.iter().map(|row| (row.code.clone(), one_option(item, person, stream)));
            Given::Matrix(rows.collect::<BTreeMap<_, _>>())
        }
    })
}

fn evasion(item: &Item, stream: &mut Stream) -> Option<MissingKind> {
    let chance = stream.unit();
    let kind = if chance < 0.04 {
        MissingKind::DontKnow
    } else if chance < 0.06 {
        MissingKind::Refused
    } else {
        return None;
    };
    item.missing.contains(&kind).then_some(kind)
}

/// Weights 5, 4, 3, 2, 1, 1, … with younger people nearer to the first option.
fn one_option(item: &Item, person: &Person, stream: &mut Stream) -> String {
    let steep = if person.age < 40 { 1.3 } else { 1.0 };
    let weight = |at: usize| libm::pow((5.0 - at as f64).max(1.0), steep);
    let weights: Vec<f64> = (0..item.options.len()).map(weight).collect();
    item.options[stream.pick(&weights)].code.clone()
}

/// Each option with falling chances; an exclusive option alone, for one person in twenty.
fn some_options(item: &Item, stream: &mut Stream) -> Vec<String> {
    let min = item.choices_min.unwrap_or(1) as usize;
    let max = item.choices_max.map_or(item.options.len(), |max| max as usize);
    if let Some(exclusive) = item.options.iter().find(|option| option.exclusive)
        && min <= 1
        && stream.chance(0.05)
    {
        return vec![exclusive.code.clone()];
    }
    let plain: Vec<&str> = item.options.iter().filter(|o| !o.exclusive).map(|o| o.code.as_str()).collect();
    let mut order: Vec<(f64, usize)> = (0..plain.len()).map(|at| (stream.unit() - 0.06 * at as f64, at)).collect();
    order.sort_by(|one, other| other.0.total_cmp(&one.0));
    let wanted = (min + stream.below(3)).clamp(min.max(1), max.min(plain.len()).max(min));
    let mut chosen: Vec<usize> = order.into_iter().take(wanted).map(|(_, at)| at).collect();
    chosen.sort_unstable();
    chosen.into_iter().map(|at| plain[at].to_owned()).collect()
}

/// Between the limits of the item, nearer to the lower one; whole numbers.
fn number(item: &Item, stream: &mut Stream) -> f64 {
    let low = item.min.unwrap_or(0.0);
    let high = item.max.unwrap_or(low + 10.0).min(low + 60.0);
    (low + (high - low) * stream.unit() * stream.unit()).round().clamp(low, high)
}

fn text(item: &Item) -> String {
    let length = item.length_max.map_or(usize::MAX, |max| max as usize);
    "示例回答".chars().take(length).collect()
}

/// A day between the limits of the item, or in the year before the first field work of the demo.
fn day(item: &Item, stream: &mut Stream) -> String {
    let first = item.date_min.unwrap_or(jiff::civil::date(2024, 5, 1));
    let last = item.date_max.unwrap_or(jiff::civil::date(2025, 4, 30)).max(first);
    let days = last.since(first).map_or(0, |span| span.get_days());
    let later = stream.below(days as usize + 1) as i64;
    first.saturating_add(jiff::Span::new().days(later)).to_string()
}
