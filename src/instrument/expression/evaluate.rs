//! The meaning of a rule. The same dozen lines stand in TypeScript on the tablet.

use std::cmp::Ordering;

use super::{Comparison, Literal, Node, Reference, Term};
use crate::instrument::questionnaire::MissingKind;

/// What is known of a relevant item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Known<'a> {
    /// A code, a text or a date as text.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// The chosen codes of a multiple-choice item.
    Codes(&'a [String]),
    /// A missing kind.
    Missing(MissingKind),
    /// Answered, with a value that only `answered(...)` can see (a whole matrix).
    Something,
}

/// Where the values of items come from; an item that is irrelevant or unanswered has none.
pub trait Facts {
    /// What is known of an item, or of one row of a matrix.
    fn known(&self, item: &Reference) -> Option<Known<'_>>;
}

pub(crate) fn holds<F: Facts>(node: &Node, facts: &F) -> bool {
    match node {
        Node::All { of } => of.iter().all(|part| holds(part, facts)),
        Node::Any { of } => of.iter().any(|part| holds(part, facts)),
        Node::Not { of } => !holds(of, facts),
        Node::Answered { item } => !matches!(facts.known(item), None | Some(Known::Missing(_))),
        Node::Missing { item, kind } => {
            matches!(facts.known(item), Some(Known::Missing(given)) if kind.is_none_or(|kind| kind == given))
        }
        Node::Compare { left, how, right } => compare(value(left, facts), *how, value(right, facts)),
        Node::In { left, values } => {
            let left = value(left, facts);
            values.iter().any(|value| compare(left, Comparison::Equal, Some(literal(value))))
        }
        Node::Includes { item, code } => {
            matches!(facts.known(item), Some(Known::Codes(codes)) if codes.contains(code))
        }
    }
}

/// A value that can be compared.
#[derive(Clone, Copy)]
enum Value<'a> {
    Text(&'a str),
    Number(f64),
}

fn value<'a, F: Facts>(term: &'a Term, facts: &'a F) -> Option<Value<'a>> {
    match term {
        Term::Value(constant) => Some(literal(constant)),
        Term::Item(item) => match facts.known(item)? {
            Known::Text(text) => Some(Value::Text(text)),
            Known::Number(number) => Some(Value::Number(number)),
            Known::Codes(_) | Known::Missing(_) | Known::Something => None,
        },
        Term::Count(item) => match facts.known(item)? {
            // A count is far below 2^53.
            Known::Codes(codes) => Some(Value::Number(codes.len() as f64)),
            _ => None,
        },
    }
}

fn literal(constant: &Literal) -> Value<'_> {
    match constant {
        Literal::Text(text) => Value::Text(text),
        Literal::Number(number) => Value::Number(*number),
        Literal::Bool(true) => Value::Text("true"),
        Literal::Bool(false) => Value::Text("false"),
    }
}

fn compare(left: Option<Value<'_>>, how: Comparison, right: Option<Value<'_>>) -> bool {
    // Dates compare as texts: `YYYY-MM-DD` sorts by day.
    let order = match (left, right) {
        (Some(Value::Text(a)), Some(Value::Text(b))) => Some(a.cmp(b)),
        (Some(Value::Number(a)), Some(Value::Number(b))) => a.partial_cmp(&b),
        _ => None,
    };
    order.is_some_and(|order| match how {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::NotEqual => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::AtMost => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::AtLeast => order != Ordering::Less,
    })
}
