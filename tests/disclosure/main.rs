//! Disclosure control against an attacker who does not think like it: elimination and propagation of exact bounds where
//! the protection works by linear programming.

mod attack;
mod city;

use attack::{Attacker, Knowledge};
use city::{City, draw};
use scilit::disclosure::{Cell, Decision, Quantity, Reason, Rules, protect};

const TABLES: u64 = 1000;

/// Hidden cells of a city, and those that the attacker recovers: the range is less than one respondent of the cell.
fn attacked(city: &City, decisions: &[Decision]) -> (usize, Vec<String>) {
    let mut hidden = 0;
    let mut recovered = Vec::new();
    for quantity in Quantity::BOTH {
        let attacker = Attacker::new(city, decisions, quantity);
        for (at, cell) in city.lattice.cells.iter().enumerate() {
            if !decisions[at].is_withheld() || cell.n == 0 || cell.known {
                continue;
            }
            hidden += 1;
            if quantity == Quantity::Literate && Quantity::Literate.cap(cell) < cell.unit() {
                // Nobody new in it since the earlier release: there is nothing to recover.
                continue;
            }
            if let Knowledge::Narrow = attacker.says(at) {
                recovered
                    .push(format!("seed {} {} {quantity:?} n={} {:?}", city.seed, cell.key, cell.n, decisions[at]));
            }
        }
    }
    (hidden, recovered)
}

#[test]
fn acc070_an_attack_with_totals_parents_and_an_earlier_release_recovers_no_withheld_cell() {
    let rules = Rules::default();
    let (mut hidden, mut complementary, mut small, mut refused) = (0, 0, 0, 0);
    let mut attacked_cities = 0;
    for seed in 0.. {
        if attacked_cities == TABLES {
            break;
        }
        let city = draw(seed);
        let protection = protect(&city.lattice, &rules);
        if !protection.exposed.is_empty() {
            // The whole tells it: such a run is not released at all.
            refused += 1;
            continue;
        }
        attacked_cities += 1;
        let decisions = protection.decisions;
        small += city.lattice.cells.iter().zip(&decisions).filter(|(cell, _)| cell.n == 4 && !cell.implied).count();
        complementary += decisions.iter().filter(|of| **of == Decision::Withheld(Reason::Complementary)).count();
        for (cell, decision) in city.lattice.cells.iter().zip(&decisions) {
            assert!(cell.n >= 30 || decision.is_withheld(), "seed {seed}: {} has n = {}", cell.key, cell.n);
        }
        let (some, recovered) = attacked(&city, &decisions);
        hidden += some;
        assert_eq!(recovered, Vec::<String>::new());
    }
    // The tables do have what they are meant to have.
    assert!(
        hidden > 10_000 && complementary > 500 && small > 50 && refused < TABLES / 10,
        "{hidden} {complementary} {small} {refused}"
    );
}

#[test]
fn acc070_without_complementary_suppression_the_same_attack_recovers_cells() {
    let rules = Rules::default();
    let recovered: usize = (0..TABLES / 10)
        .map(|seed| {
            let city = draw(seed);
            let decisions: Vec<Decision> = city.lattice.cells.iter().map(|cell| cell.decide(&rules)).collect();
            attacked(&city, &decisions).1.len()
        })
        .sum();
    assert!(recovered > 50, "the attack recovers {recovered} cells: it would not see a leak");
}

#[test]
fn rel_p7_a_cell_that_differs_from_an_earlier_release_by_few_respondents_is_withheld() {
    let cell = Cell {
        n: 500,
        literate: 90,
        weight: 5e6,
        literate_weight: 9e5,
        unit_share: 0.1,
        relative_error: Some(0.1),
        ..Cell::default()
    };
    let rules = Rules::default();
    assert_eq!(cell.decide(&rules), Decision::Shown);
    for (changed, withheld) in [(1, true), (9, true), (10, false)] {
        let cell = Cell { changed: Some(changed), ..cell.clone() };
        assert_eq!(cell.decide(&rules).is_withheld(), withheld, "{changed} respondents more");
    }
}

#[test]
fn rel_p7_the_thresholds_stand_where_they_are_written() {
    let rules = Rules::default();
    let of = |n, literate, unit_share, error| {
        let weight = n as f64 * 1000.0;
        let literate_weight = literate as f64 * 1000.0;
        let cell = Cell { n, literate, weight, literate_weight, unit_share, relative_error: error, ..Cell::default() };
        cell.decide(&rules)
    };
    let withheld = Decision::Withheld;
    assert_eq!(of(29, 10, 0.2, Some(0.1)), withheld(Reason::Base));
    assert_eq!(of(30, 10, 0.2, Some(0.1)), Decision::Caution);
    assert_eq!(of(60, 10, 0.2, Some(0.29)), Decision::Shown);
    assert_eq!(of(60, 10, 0.2, Some(0.30)), Decision::Caution);
    assert_eq!(of(60, 10, 0.2, None), Decision::Caution);
    assert_eq!(of(100, 20, 0.86, Some(0.1)), withheld(Reason::Dominance));
    assert_eq!(of(100, 20, 0.85, Some(0.1)), Decision::Shown);
    assert_eq!(of(59, 0, 0.2, Some(0.1)), withheld(Reason::Unanimous));
    assert_eq!(of(59, 59, 0.2, Some(0.1)), withheld(Reason::Unanimous));
    assert_eq!(of(400, 4, 0.2, Some(0.1)), withheld(Reason::Side));
    assert_eq!(of(400, 396, 0.2, Some(0.1)), withheld(Reason::Side));
    assert_eq!(of(400, 5, 0.2, Some(0.1)), Decision::Shown);
}

#[test]
fn rel_p7_the_choice_is_the_cheapest_that_protects() {
    let rules = Rules::default();
    let (mut compared, mut looked) = (0, 0);
    for seed in 0..400 {
        let city = city::small(seed);
        let protection = protect(&city.lattice, &rules);
        looked += 1;
        assert!(protection.proven.iter().all(|proven| *proven), "seed {seed}");
        let Some(best) = city::cheapest_by_trying(&city, &rules) else { continue };
        let loss: u64 = city.loss(&protection.decisions);
        compared += usize::from(best > 0);
        assert_eq!(loss, best, "seed {seed}: {:?}", protection.decisions);
    }
    assert!(compared > 50, "{compared} of {looked} needed something withheld besides");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test that measures")]
fn a_hundred_and_twenty_districts_take_seconds() {
    let rules = Rules::default();
    for (districts, base) in [(18, 70), (120, 40), (120, 300)] {
        let city = city::large(districts, 5, base);
        let begun = std::time::Instant::now();
        let protection = protect(&city.lattice, &rules);
        let count = |of: fn(&Decision) -> bool| protection.decisions.iter().filter(|one| of(one)).count();
        println!(
            "{districts} districts, base {base}: {} cells, {} withheld, {} of them besides, proven {:?}, {:?}",
            protection.decisions.len(),
            count(|of| of.is_withheld()),
            count(|of| *of == Decision::Withheld(Reason::Complementary)),
            protection.proven,
            begun.elapsed()
        );
        assert!(begun.elapsed().as_secs() < 30);
        assert_eq!(protection, protect(&city.lattice, &rules), "the same cells give the same choice");
    }
}
