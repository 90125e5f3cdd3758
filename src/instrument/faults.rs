//! Faults of a file that a person writes: each with its place, all of them at once.

use std::fmt;

use serde::Serialize;

/// What kind of fault it is; the message says which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FaultCode {
    /// Not TOML, or not JSON.
    Syntax,
    /// An unknown key, a missing key, or a value of the wrong type.
    Structure,
    /// An identifier or code with characters that are not allowed.
    BadIdentifier,
    /// Two things of one kind carry one id.
    DuplicateId,
    /// Two options, rows, categories or dimensions of one list carry one code.
    DuplicateCode,
    /// A rule names an item that does not exist.
    UnknownItem,
    /// A rule names an option or row that its item does not have.
    UnknownCode,
    /// A rule looks ahead to an item that is asked later.
    ForwardReference,
    /// Rules depend on each other in a circle.
    Cycle,
    /// A rule does not fit its grammar, or compares things that cannot be compared.
    Expression,
    /// A text lacks a language it must have, or has one that is not declared.
    Language,
    /// A field that this item type does not have.
    NotForThisType,
    /// A lower bound above its upper bound, or a number outside what is allowed.
    Range,
    /// A choice without enough options, a matrix without rows.
    Options,
    /// A scoring key that is not an option, or a key without points.
    Key,
    /// A dimension that no scheme declares.
    UnknownDimension,
    /// A profile and a questionnaire that do not fit each other.
    Fit,
    /// The document is not the canonical form of itself.
    NotCanonical,
}

/// One fault and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file, as the caller named it.
    pub place: String,
    /// The line in the file, counted from 1; absent for a document without lines.
    pub line: Option<usize>,
    /// Where in the document, as a JSON pointer.
    pub pointer: String,
    /// The item, when the fault lies in one.
    pub item: Option<String>,
    /// The kind of fault.
    pub code: FaultCode,
    /// What is wrong, in words.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        match self.line {
            Some(line) => write!(f, ":{line}")?,
            None if !self.pointer.is_empty() => write!(f, " at {}", self.pointer)?,
            None => {}
        }
        if let Some(item) = &self.item {
            write!(f, ": item {item}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Every fault of one file, in the order of its lines; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Wraps the faults, or gives nothing when there are none.
    pub(crate) fn of(mut faults: Vec<Fault>) -> Option<Self> {
        if faults.is_empty() {
            return None;
        }
        faults.sort_by(|a, b| (a.line, &a.pointer, &a.message).cmp(&(b.line, &b.pointer, &b.message)));
        faults.dedup();
        Some(Self(faults))
    }

    /// The faults, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Fault> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

/// A fault found by a check that knows the document but not the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) pointer: String,
    pub(crate) item: Option<String>,
    pub(crate) code: FaultCode,
    pub(crate) message: String,
}

/// Collects what the checks find.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: Vec<Found>,
}

impl Findings {
    pub(crate) fn add(&mut self, pointer: &str, item: Option<&str>, code: FaultCode, message: impl Into<String>) {
        let (pointer, item) = (pointer.to_owned(), item.map(str::to_owned));
        self.found.push(Found { pointer, item, code, message: message.into() });
    }

    pub(crate) fn into_vec(self) -> Vec<Found> {
        self.found
    }
}
