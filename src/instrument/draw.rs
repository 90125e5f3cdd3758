//! The draw of a case: in which order its items and their options are shown, and which member of the household is asked.
//!
//! Both are fixed on the server before anybody knocks at the door, so that no surveyor can roll again, and both can be
//! derived again by anybody from the seed and the questionnaire.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::questionnaire::{Choice, Definition, Item, Section};

/// Which rules make the order from the seed; another rule gets another name.
pub const DRAW_ALGORITHM: &str = "draw/1";

/// What a stream of random numbers is for; with the place it makes the stream's number.
const SECTIONS: u64 = 0;
const ITEMS: u64 = 1 << 32;

/// The order in which one case is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// Every item, in the order shown.
    pub items: Vec<String>,
    /// The options of each item that shuffles them, in the order shown.
    pub options: Vec<(String, Vec<String>)>,
}

impl Draw {
    /// Derives the order of a questionnaire from a seed.
    ///
    /// `draw/1`: ChaCha8 whose key is the seed as eight little-endian bytes, then `draw/1`, then zeros. Stream `s` shuffles the
    /// items of section `s` (from 0), stream `2^32 + i` the options of item `i` (from 0, in the order of the file), so that a
    /// change in one place leaves the others' order alone. A shuffle is Fisher and Yates' from the end, each place drawn from
    /// `0..=j` as the high half of the 64-bit number times `j + 1`. Options that exclude all others keep their places.
    #[must_use]
    pub fn derive(definition: &Definition, seed: u64) -> Self {
        let mut draw = Self { items: Vec::new(), options: Vec::new() };
        let mut place = 0;
        for (s, section) in (SECTIONS..).zip(&definition.sections) {
            draw.items.extend(items(section, &mut stream(seed, s)));
            for item in &section.items {
                if item.shuffle_options {
                    draw.options.push((item.id.clone(), options(item, &mut stream(seed, ITEMS + place))));
                }
                place += 1;
            }
        }
        draw
    }
}

fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..14].copy_from_slice(DRAW_ALGORITHM.as_bytes());
    let mut numbers = ChaCha8Rng::from_seed(key);
    numbers.set_stream(number);
    numbers
}

fn items(section: &Section, numbers: &mut ChaCha8Rng) -> Vec<String> {
    let mut ids: Vec<String> = section.items.iter().map(|item| item.id.clone()).collect();
    if section.shuffle_items {
        shuffle(&mut ids, numbers);
    }
    ids
}

fn options(item: &Item, numbers: &mut ChaCha8Rng) -> Vec<String> {
    let moves = |option: &&Choice| !option.exclusive;
    let mut moving: Vec<&str> = item.options.iter().filter(moves).map(|option| option.code.as_str()).collect();
    shuffle(&mut moving, numbers);
    let mut moving = moving.into_iter();
    let place = |option: &Choice| match option.exclusive {
        true => Some(option.code.clone()),
        false => moving.next().map(str::to_owned),
    };
    item.options.iter().filter_map(place).collect()
}

fn shuffle<T>(list: &mut [T], numbers: &mut ChaCha8Rng) {
    for last in (1..list.len()).rev() {
        // The bias of the widening product is below n / 2^64.
        let place = (u128::from(numbers.next_u64()) * (last as u128 + 1)) >> 64;
        list.swap(last, place as usize);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::instrument::{FaultCode, Faults, Questionnaire};

    fn questionnaire(flags: [&str; 2]) -> Questionnaire {
        read(flags).expect("a questionnaire")
    }

    fn read(flags: [&str; 2]) -> Result<Questionnaire, Faults> {
        let [section, item] = flags;
        let head = "format = 1\nid = \"q\"\nversion = \"1\"\nlanguages = [\"zh-CN\", \"en\"]\n\
                    title = { zh-CN = \"卷\", en = \"Q\" }\n[header]\nform_number = \"1\"\n\
                    issued_by = { zh-CN = \"科协\", en = \"CAST\" }\napproval_number = \"1\"\nvalid_until = \"2030-12-31\"\n";
        let section = format!("[[sections]]\nid = \"s\"\ntitle = {{ zh-CN = \"节\", en = \"S\" }}\n{section}\n");
        let mut text = format!("{head}{section}");
        for n in 0..5 {
            text += &format!(
                "[[sections.items]]\nid = \"Q{n}\"\ntype = \"multiple_choice\"\n{item}\ntext = {{ zh-CN = \"题\", en = \"Q\" }}\n\
                 options = [{}, {{ code = \"none\", exclusive = true, label = {{ zh-CN = \"无\", en = \"None\" }} }}]\n",
                ["a", "b", "c"]
                    .map(|code| format!("{{ code = \"{code}\", label = {{ zh-CN = \"{code}\", en = \"{code}\" }} }}"))
                    .join(", ")
            );
        }
        text = text.replacen(
            "\"Q4\"\n",
            "\"Q4\"\nrelevant_when = 'includes(Q0, \"a\")'\n",
            usize::from(item.contains("rule")),
        );
        Questionnaire::from_toml("q.toml", &text)
    }

    #[test]
    fn without_flags_the_order_is_that_of_the_file_whatever_the_seed() {
        let questionnaire = questionnaire(["", ""]);
        for seed in [0, 1, u64::MAX] {
            let draw = Draw::derive(questionnaire.definition(), seed);
            assert_eq!(draw.items, ["Q0", "Q1", "Q2", "Q3", "Q4"]);
            assert_eq!(draw.options, []);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_order_for_ever() {
        let questionnaire = questionnaire(["shuffle_items = true", "shuffle_options = true"]);
        let draw = Draw::derive(questionnaire.definition(), 20250301);
        // Written down once: tablets in the field hold orders made by this rule.
        assert_eq!(draw.items, ["Q0", "Q3", "Q2", "Q1", "Q4"]);
        assert_eq!(draw.options[0], ("Q0".to_owned(), ["c", "a", "b", "none"].map(str::to_owned).to_vec()));
    }

    #[test]
    fn in_a_shuffled_section_no_item_may_look_at_another() {
        assert!(read(["", "# rule"]).is_ok(), "in the order of the file it may");
        let faults = read(["shuffle_items = true", "# rule"]).expect_err("a fault");
        let found: Vec<_> = faults.iter().map(|fault| (fault.code, fault.item.as_deref())).collect();
        assert_eq!(found, [(FaultCode::ForwardReference, Some("Q4"))]);
    }

    #[test]
    fn every_order_is_as_likely_and_an_excluding_option_keeps_its_place() {
        let questionnaire = questionnaire(["", "shuffle_options = true"]);
        let mut orders: BTreeMap<Vec<String>, u32> = BTreeMap::new();
        for seed in 0..6000 {
            let draw = Draw::derive(questionnaire.definition(), seed);
            let order = draw.options[0].1.clone();
            assert_eq!(order.last().map(String::as_str), Some("none"));
            *orders.entry(order).or_default() += 1;
        }
        assert_eq!(orders.len(), 6);
        // Chi squared with 5 degrees of freedom: 20.5 is passed once in a thousand.
        let chi: f64 = orders.values().map(|n| f64::from(*n) - 1000.0).map(|gap| gap * gap / 1000.0).sum();
        assert!(chi < 20.5, "chi squared {chi}");
    }
}
