//! The de-identified file: one row a person, with only so much of each person that at least five share it.
//!
//! What somebody may know of a respondent are the key columns. A row whose combination of them fewer than [`K`] rows have loses
//! one column after another, the most telling first, until enough rows share what is left. The weight would tell the
//! combination again, so it is the mean of all rows with the same keys.

use std::collections::BTreeMap;

use super::persons::{ReleaseFault, Rows};
use sha2::{Digest, Sha256};

/// Fewest rows of a combination of key columns.
pub const K: usize = 5;

/// Name of the file.
pub const MICRODATA_FILE: &str = "responses_deidentified.csv";

/// Name and version of what is done to `responses_weighted.csv`.
pub const MICRODATA_TRANSFORM: &str = "scilit/microdata/1";

/// The key columns in the order of the file.
pub const KEYS: [&str; 5] = ["district", "residence", "sex", "age_group", "education"];

/// The order in which a row loses them: district and education tell most, residence and sex least.
const LOST: [usize; 5] = [4, 3, 0, 2, 1];

/// Columns that tell nothing of who a person is.
const OTHERS: [&str; 3] = ["score", "tier", "literate"];

/// Education in four classes: the two above the secondary school are one.
const HIGHER: [&str; 3] = ["college", "bachelor", "graduate"];

type Keys = [String; KEYS.len()];

/// One person as they leave.
struct Person {
    keys: Keys,
    others: Vec<String>,
    weight: f64,
    /// Their place: by a digest, so that it tells nothing of the sample and is the same each time.
    order: [u8; 32],
}

/// The de-identified file from `responses_weighted.csv`.
///
/// # Errors
/// A file that cannot be read, or with fewer than [`K`] rows.
pub fn deidentified(csv: &[u8]) -> Result<Vec<u8>, ReleaseFault> {
    let mut persons = persons(csv)?;
    if persons.len() < K {
        return Err(ReleaseFault::TooFew { rows: persons.len() });
    }
    suppress(&mut persons);
    let mut classes: BTreeMap<Keys, (usize, f64)> = BTreeMap::new();
    for person in &persons {
        let class = classes.entry(person.keys.clone()).or_default();
        class.0 += 1;
        class.1 += person.weight;
    }
    persons.sort_by_key(|person| person.order);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fault = |error: csv::Error| ReleaseFault::Csv(error.to_string());
    writer.write_record(KEYS.iter().chain(&OTHERS).chain(&["weight"])).map_err(fault)?;
    for person in &persons {
        let (n, sum) = classes[&person.keys];
        let weight = two_digits(sum / n as f64);
        let texts = person.keys.iter().chain(&person.others).map(String::as_str);
        writer.write_record(texts.chain([weight.as_str()])).map_err(fault)?;
    }
    writer.into_inner().map_err(|error| ReleaseFault::Csv(error.to_string()))
}

fn persons(csv: &[u8]) -> Result<Vec<Person>, ReleaseFault> {
    let rows = Rows::read(csv)?;
    let id = rows.column("id")?;
    // A questionnaire may lack a column; nobody is told apart by what is not there.
    let places = |names: &[&str]| names.iter().map(|name| rows.column(name).ok()).collect::<Vec<_>>();
    let (keys, others) = (places(&KEYS), places(&OTHERS));
    let text = |record: &csv::ByteRecord, at: Option<usize>| {
        at.map(|at| String::from_utf8_lossy(&record[at]).into_owned()).unwrap_or_default()
    };
    let person = |(record, weight): &(csv::ByteRecord, f64)| {
        let mut of: Keys = std::array::from_fn(|at| text(record, keys[at]));
        if HIGHER.contains(&of[4].as_str()) {
            "higher".clone_into(&mut of[4]);
        }
        let digest = Sha256::new_with_prefix(b"scilit/microdata/order/1/").chain_update(&record[id]).finalize();
        Person {
            keys: of,
            others: others.iter().map(|&at| text(record, at)).collect(),
            weight: *weight,
            order: digest.into(),
        }
    };
    Ok(rows.rows.iter().map(person).collect())
}

/// Takes key columns off the rows of small combinations until there are none.
fn suppress(persons: &mut [Person]) {
    for lost in LOST {
        let counts = counted(persons);
        for person in persons.iter_mut().filter(|person| counts[&person.keys] < K) {
            person.keys[lost].clear();
        }
    }
    // The rows that lost everything may be too few: the smallest other combination joins them.
    loop {
        let counts = counted(persons);
        let small: Vec<&Keys> = counts.iter().filter(|(_, n)| **n < K).map(|(keys, _)| keys).collect();
        if small.is_empty() {
            return;
        }
        let next = counts.iter().filter(|(keys, n)| **n >= K && keys.iter().any(|key| !key.is_empty()));
        let joins = next.min_by_key(|(keys, n)| (**n, *keys)).map(|(keys, _)| keys.clone());
        let leave: Vec<Keys> = small.into_iter().cloned().chain(joins).collect();
        for person in persons.iter_mut().filter(|person| leave.contains(&person.keys)) {
            person.keys = Keys::default();
        }
    }
}

fn counted(persons: &[Person]) -> BTreeMap<Keys, usize> {
    let mut counts = BTreeMap::new();
    for person in persons {
        *counts.entry(person.keys.clone()).or_default() += 1;
    }
    counts
}

/// A number with two significant digits.
fn two_digits(number: f64) -> String {
    let rounded: f64 = format!("{number:.1e}").parse().unwrap_or(number);
    rounded.to_string()
}
