//! How the items that count were answered: weighted shares and discrimination, never the right answer.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Label, SurveyInputs, cases::CaseRecord, scores, tables};
use crate::instrument::scoring::{Mark, ScoredItem};

/// Records of one part of the sums; part of no result beyond the order in which they are added up.
const PART: usize = 4096;

/// How one item was answered by the persons it was put to. An absent number stays absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemStatistics {
    /// Its id.
    pub item: String,
    /// Its place among the items that count, from 1.
    pub number: usize,
    /// Its words, of an example questionnaire only: the items of a real one are confidential.
    pub text: Option<Label>,
    /// Code of its dimension under the profile.
    pub dimension: Option<String>,
    /// The dimension's name.
    pub dimension_label: Option<Label>,
    /// Used responses of persons it was put to.
    pub n: usize,
    /// Weighted share that answered right; 不知道 and 拒答 are among the others.
    pub right: Option<f64>,
    /// Weighted share that answered 不知道.
    pub dont_know: Option<f64>,
    /// Weighted share that refused.
    pub refused: Option<f64>,
    /// Corrected item-total correlation, weighted: of being right with the points of all other items.
    pub discrimination: Option<f64>,
}

/// What one person made of every item.
struct Person {
    weight: f64,
    marks: Vec<Mark>,
    points: f64,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    n: usize,
    weight: f64,
    right: f64,
    dont_know: f64,
    refused: f64,
    rest: f64,
}

#[derive(Clone, Copy, Default)]
struct Products {
    right: f64,
    rest: f64,
    both: f64,
}

/// One row an item that counts, in the order of asking; `weights` are the final ones of the records.
pub(super) fn statistics(
    inputs: &SurveyInputs<'_>,
    records: &[CaseRecord<'_>],
    weights: &[f64],
) -> Vec<ItemStatistics> {
    let items = inputs.profile.scored_items(inputs.questionnaire);
    let persons = persons(records, weights, &items);
    let sums = sum(&persons, items.len(), |sums: &mut Sums, person, at| add(sums, person, at, &items[at]));
    let products = sum(&persons, items.len(), |products: &mut Products, person, at| {
        multiply(products, person, at, &items[at], &sums[at]);
    });
    let row = |(at, item): (usize, &ScoredItem<'_>)| of(inputs, at, item, &sums[at], &products[at]);
    items.iter().enumerate().map(row).collect()
}

fn persons(records: &[CaseRecord<'_>], weights: &[f64], items: &[ScoredItem<'_>]) -> Vec<Person> {
    let person = |(record, &weight): (&CaseRecord<'_>, &f64)| {
        let response = record.response.filter(|_| record.is_used() && weight > 0.0)?;
        let score = record.outcome.as_ref()?.score()?;
        let marks = items.iter().map(|item| item.mark(response)).collect();
        Some(Person { weight, marks, points: score.points.as_f64() })
    };
    // Kept in the order of the records, so that sums are the same on any number of threads.
    let all: Vec<Option<Person>> = records.par_iter().zip(weights).map(person).collect();
    all.into_iter().flatten().collect()
}

/// Adds up over the persons it was put to, item by item; parts are made side by side and joined in their order.
fn sum<S: Copy + Default + Send + Join>(
    persons: &[Person],
    items: usize,
    add: impl Fn(&mut S, &Person, usize) + Sync,
) -> Vec<S> {
    let part = |persons: &[Person]| {
        let mut sums = vec![S::default(); items];
        for person in persons {
            for (at, sums) in sums.iter_mut().enumerate().filter(|(at, _)| person.marks[*at].is_of_one_asked()) {
                add(sums, person, at);
            }
        }
        sums
    };
    let parts: Vec<Vec<S>> = persons.par_chunks(PART).map(part).collect();
    let mut whole = vec![S::default(); items];
    for part in parts {
        whole.iter_mut().zip(part).for_each(|(whole, part)| whole.join(part));
    }
    whole
}

trait Join {
    fn join(&mut self, other: Self);
}

impl Join for Sums {
    fn join(&mut self, other: Self) {
        self.n += other.n;
        self.weight += other.weight;
        self.right += other.right;
        self.dont_know += other.dont_know;
        self.refused += other.refused;
        self.rest += other.rest;
    }
}

impl Join for Products {
    fn join(&mut self, other: Self) {
        self.right += other.right;
        self.rest += other.rest;
        self.both += other.both;
    }
}

/// Whether the item is right, and the points of all others.
fn right_and_rest(person: &Person, at: usize, item: &ScoredItem<'_>) -> (f64, f64) {
    if person.marks[at] == Mark::Right { (1.0, person.points - item.points.as_f64()) } else { (0.0, person.points) }
}

fn add(sums: &mut Sums, person: &Person, at: usize, item: &ScoredItem<'_>) {
    let (right, rest) = right_and_rest(person, at, item);
    sums.n += 1;
    sums.weight += person.weight;
    sums.right += person.weight * right;
    sums.dont_know += person.weight * f64::from(person.marks[at] == Mark::DontKnow);
    sums.refused += person.weight * f64::from(person.marks[at] == Mark::Refused);
    sums.rest += person.weight * rest;
}

/// Around the means: without that, large equal parts would cancel.
fn multiply(products: &mut Products, person: &Person, at: usize, item: &ScoredItem<'_>, sums: &Sums) {
    let (right, rest) = right_and_rest(person, at, item);
    let (right, rest) = (right - sums.right / sums.weight, rest - sums.rest / sums.weight);
    products.right += person.weight * right * right;
    products.rest += person.weight * rest * rest;
    products.both += person.weight * right * rest;
}

fn of(
    inputs: &SurveyInputs<'_>,
    at: usize,
    scored: &ScoredItem<'_>,
    sums: &Sums,
    products: &Products,
) -> ItemStatistics {
    let (questionnaire, profile) = (inputs.questionnaire, inputs.profile.definition());
    let dimension = scored.dimension.map(|at| profile.dimensions[at].code.clone());
    let share = |part: f64| (sums.weight > 0.0).then(|| part / sums.weight);
    let spread = products.right * products.rest;
    ItemStatistics {
        item: scored.item.id.clone(),
        number: at + 1,
        text: questionnaire.is_example().then(|| tables::label_of(&scored.item.text)),
        dimension_label: dimension.as_ref().map(|code| scores::dimension_label(questionnaire, profile, code)),
        dimension,
        n: sums.n,
        right: share(sums.right),
        dont_know: share(sums.dont_know),
        refused: share(sums.refused),
        discrimination: (spread > 0.0).then(|| products.both / spread.sqrt()),
    }
}
