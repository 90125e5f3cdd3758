//! The one language of rules: relevance, checks and classifications.
//!
//! A rule is written as text in the file (`all(age >= 60, occupation != "student")`) and is a tree in the canonical
//! form, so that the tablet evaluates it without a parser. Its meaning has two values only: **a comparison with an
//! item that is missing, unanswered or irrelevant is false**, whatever the comparison; `not(...)` turns the truth of
//! its inside. So `age >= 60` and `not(age >= 60)` differ for a person without an age: the first is false, the second
//! true. `answered(age)` tells the two apart.

mod evaluate;
mod parse;
mod print;
mod serial;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::questionnaire::MissingKind;

#[cfg(test)]
pub(crate) use evaluate::holds;
pub use evaluate::{Facts, Known};
pub use parse::ParseError;
pub(crate) use parse::is_reserved;

/// A checked tree of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Node {
    /// True when every part is.
    All {
        /// The parts, at least one.
        of: Vec<Node>,
    },
    /// True when some part is.
    Any {
        /// The parts, at least one.
        of: Vec<Node>,
    },
    /// True when the part is false.
    Not {
        /// The part.
        of: Box<Node>,
    },
    /// True when the item is relevant and has a value (not a missing kind).
    Answered {
        /// The item, or one row of a matrix.
        item: Reference,
    },
    /// True when the item is relevant and a missing kind was recorded for it.
    Missing {
        /// The item.
        item: Reference,
        /// This kind only; any kind when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<MissingKind>,
    },
    /// True when both sides are there and compare so.
    Compare {
        /// The left side.
        left: Term,
        /// How they compare.
        how: Comparison,
        /// The right side.
        right: Term,
    },
    /// True when the left side is there and equals one of the values.
    In {
        /// The left side.
        left: Term,
        /// The values, at least one.
        values: Vec<Literal>,
    },
    /// True when this option of a multiple-choice item was chosen.
    Includes {
        /// The multiple-choice item.
        item: Reference,
        /// The code of the option.
        code: String,
    },
}

/// An item by its id, or one row of a matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The item.
    pub id: String,
    /// The row, for a matrix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// The value of an item.
    Item(Reference),
    /// How many options of a multiple-choice item were chosen.
    Count(Reference),
    /// A constant.
    Value(Literal),
}

/// A constant in a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A code, a text, or a date as `YYYY-MM-DD`.
    Text(String),
    /// A finite number.
    Number(f64),
    /// The answer to a true/false item.
    Bool(bool),
}

/// How two sides compare. Numbers by value, dates by day; codes and texts for equality only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Equal.
    #[serde(rename = "==")]
    Equal,
    /// Not equal (and both there).
    #[serde(rename = "!=")]
    NotEqual,
    /// Less than.
    #[serde(rename = "<")]
    Less,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// Greater than.
    #[serde(rename = ">")]
    Greater,
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
}

impl Comparison {
    /// The sign, as it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether it needs things that have an order.
    #[must_use]
    pub fn needs_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// A rule: text in a file, a tree in the canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(Node);

impl Expression {
    /// Parses the text of a rule.
    ///
    /// # Errors
    /// The first place where the text leaves the grammar, by column.
    ///
    /// # Example
    /// ```
    /// use scilit::instrument::Expression;
    /// let rule = Expression::parse(r#"all(age >= 60, not(occupation == "student"))"#).unwrap();
    /// assert_eq!(rule.to_string(), r#"all(age >= 60, not(occupation == "student"))"#);
    /// assert_eq!(Expression::parse("age >=").unwrap_err().to_string(), "column 7: expected an item or a value");
    /// ```
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text).map(Self)
    }

    /// The tree.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.0
    }

    /// Whether the rule holds for these facts.
    #[must_use]
    pub fn holds<F: Facts>(&self, facts: &F) -> bool {
        evaluate::holds(&self.0, facts)
    }

    /// Every item the rule looks at.
    #[must_use]
    pub fn items(&self) -> BTreeSet<&str> {
        let mut items = BTreeSet::new();
        collect_items(&self.0, &mut items);
        items
    }
}

fn collect_items<'a>(node: &'a Node, items: &mut BTreeSet<&'a str>) {
    match node {
        Node::All { of } | Node::Any { of } => of.iter().for_each(|part| collect_items(part, items)),
        Node::Not { of } => collect_items(of, items),
        Node::Answered { item } | Node::Missing { item, .. } | Node::Includes { item, .. } => {
            items.insert(&item.id);
        }
        Node::Compare { left, right, .. } => {
            items.extend(left.item());
            items.extend(right.item());
        }
        Node::In { left, .. } => items.extend(left.item()),
    }
}

impl Term {
    /// The item the term looks at, if it does.
    #[must_use]
    pub fn item(&self) -> Option<&str> {
        match self {
            Self::Item(reference) | Self::Count(reference) => Some(&reference.id),
            Self::Value(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
