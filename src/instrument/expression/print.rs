//! A rule as text: what `parse` reads back to the same tree.

use std::fmt::{self, Display, Formatter};

use super::{Expression, Literal, Node, Reference, Term};

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All { of } => write_call(f, "all", of),
            Self::Any { of } => write_call(f, "any", of),
            Self::Not { of } => write!(f, "not({of})"),
            Self::Answered { item } => write!(f, "answered({item})"),
            Self::Missing { item, kind: None } => write!(f, "missing({item})"),
            Self::Missing { item, kind: Some(kind) } => write!(f, "missing({item}, \"{}\")", kind.as_str()),
            Self::Compare { left, how, right } => write!(f, "{left} {} {right}", how.sign()),
            Self::In { left, values } => {
                write!(f, "{left} in [")?;
                write_list(f, values)?;
                f.write_str("]")
            }
            Self::Includes { item, code } => write!(f, "includes({item}, {})", Literal::Text(code.clone())),
        }
    }
}

fn write_call(f: &mut Formatter<'_>, name: &str, parts: &[Node]) -> fmt::Result {
    write!(f, "{name}(")?;
    write_list(f, parts)?;
    f.write_str(")")
}

fn write_list<T: Display>(f: &mut Formatter<'_>, things: &[T]) -> fmt::Result {
    for (i, thing) in things.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        thing.fmt(f)?;
    }
    Ok(())
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(item) => item.fmt(f),
            Self::Count(item) => write!(f, "count({item})"),
            Self::Value(value) => value.fmt(f),
        }
    }
}

impl Display for Reference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.row {
            None => f.write_str(&self.id),
            Some(row) => write!(f, "{}.{row}", self.id),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => {
                write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            }
        }
    }
}
