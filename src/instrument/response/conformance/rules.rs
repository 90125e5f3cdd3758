//! Rules of every shape over facts of every kind, also where the types do not fit: then a comparison is false.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Dice;
use crate::instrument::{
    expression::{Comparison, Facts, Known, Literal, Node, Reference, Term, holds as rule_holds},
    questionnaire::MissingKind,
};

/// Texts that an engine gets wrong if it compares UTF-16 units, trims too much or folds anything.
const TEXTS: [&str; 14] = [
    "",
    "a",
    "A",
    "agree",
    "true",
    "false",
    "60",
    "2025-03-08",
    "2025-03-09",
    "男",
    "𠮷",
    "\u{ff5e}",
    "阿·古拉",
    "\u{85}",
];
const NUMBERS: [f64; 10] = [0.0, 1.0, -1.0, 2.0, 18.0, 60.0, 0.1, 0.3, -0.000_001, 999_999_999_999_999.0];
const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "absent"];

#[derive(Clone)]
enum Fact {
    Text(String),
    Number(f64),
    Codes(Vec<String>),
    Missing(MissingKind),
    Something,
}

struct Case(BTreeMap<String, Fact>);

impl Facts for Case {
    fn known(&self, item: &Reference) -> Option<Known<'_>> {
        let name = item.row.as_ref().map_or_else(|| item.id.clone(), |row| format!("{}.{row}", item.id));
        Some(match self.0.get(&name)? {
            Fact::Text(text) => Known::Text(text),
            Fact::Number(number) => Known::Number(*number),
            Fact::Codes(codes) => Known::Codes(codes),
            Fact::Missing(kind) => Known::Missing(*kind),
            Fact::Something => Known::Something,
        })
    }
}

/// Sets of facts, and cases `{facts, rule, holds}` that name their set by its place.
pub(super) fn cases(dice: &mut Dice, count: usize) -> (Vec<Value>, Vec<Value>) {
    let sets: Vec<Case> = (0..60).map(|_| facts(dice)).collect();
    let case = |_: usize| {
        let (at, rule) = (dice.below(sets.len()), node(dice, 0));
        let holds = rule_holds(&rule, &sets[at]);
        json!({"facts": at, "rule": rule, "holds": holds})
    };
    let cases = (0..count).map(case).collect();
    (sets.iter().map(shown).collect(), cases)
}

fn facts(dice: &mut Dice) -> Case {
    let names = ["a", "b", "c", "d", "e", "a.r", "e.r", "e.s"];
    let mut facts = BTreeMap::new();
    for name in names {
        let codes = |dice: &mut Dice| (0..dice.below(4)).map(|_| (*dice.pick(&TEXTS)).to_owned()).collect();
        let fact = match dice.below(8) {
            0 | 1 => Fact::Text((*dice.pick(&TEXTS)).to_owned()),
            2 | 3 => Fact::Number(*dice.pick(&NUMBERS)),
            4 => Fact::Codes(codes(dice)),
            5 => Fact::Missing(*dice.pick(&MissingKind::ALL)),
            6 => Fact::Something,
            _ => continue,
        };
        facts.insert(name.to_owned(), fact);
    }
    Case(facts)
}

fn shown(case: &Case) -> Value {
    let one = |fact: &Fact| match fact {
        Fact::Text(text) => json!({"text": text}),
        Fact::Number(number) => json!({"number": number}),
        Fact::Codes(codes) => json!({"codes": codes}),
        Fact::Missing(kind) => json!({"missing": kind.as_str()}),
        Fact::Something => json!({"something": true}),
    };
    case.0.iter().map(|(name, fact)| (name.clone(), one(fact))).collect()
}

fn node(dice: &mut Dice, depth: usize) -> Node {
    let parts = |dice: &mut Dice| (0..=dice.below(3)).map(|_| node(dice, depth + 1)).collect();
    match dice.below(if depth < 4 { 9 } else { 6 }) {
        0 => Node::Answered { item: reference(dice) },
        1 => {
            let kind = dice.odds(1, 2).then(|| *dice.pick(&MissingKind::ALL));
            Node::Missing { item: reference(dice), kind }
        }
        2 | 3 => Node::Compare { left: term(dice), how: *dice.pick(&COMPARISONS), right: term(dice) },
        4 => Node::In { left: term(dice), values: (0..=dice.below(4)).map(|_| literal(dice)).collect() },
        5 => Node::Includes { item: reference(dice), code: (*dice.pick(&TEXTS)).to_owned() },
        6 => Node::All { of: parts(dice) },
        7 => Node::Any { of: parts(dice) },
        _ => Node::Not { of: Box::new(node(dice, depth + 1)) },
    }
}

const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::AtMost,
    Comparison::Greater,
    Comparison::AtLeast,
];

fn reference(dice: &mut Dice) -> Reference {
    let row = dice.odds(1, 6).then(|| (*dice.pick(&["r", "s"])).to_owned());
    Reference { id: (*dice.pick(&IDS)).to_owned(), row }
}

fn term(dice: &mut Dice) -> Term {
    match dice.below(7) {
        0 => Term::Count(reference(dice)),
        1..=3 => Term::Value(literal(dice)),
        _ => Term::Item(reference(dice)),
    }
}

fn literal(dice: &mut Dice) -> Literal {
    match dice.below(5) {
        0 | 1 => Literal::Text((*dice.pick(&TEXTS)).to_owned()),
        2 | 3 => Literal::Number(*dice.pick(&NUMBERS)),
        _ => Literal::Bool(dice.odds(1, 2)),
    }
}
