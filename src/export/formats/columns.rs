//! What a column is, for every form alike.

use serde::Serialize;

use crate::indicator::Label;

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Names and ids that stand for nothing else.
    Text,
    /// One of the codes in [`Column::values`].
    Category,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Number,
}

impl ColumnKind {
    /// Whether programs compute with its cells.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

/// A code and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueLabel {
    /// The cell's text.
    pub code: String,
    /// Its meaning.
    pub label: Label,
}

impl ValueLabel {
    pub(super) fn new(code: &str, zh: &str, en: &str) -> Self {
        Self { code: code.to_owned(), label: Label::new(zh, en) }
    }
}

/// A column with everything that a reader of its cells needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name in the machine's CSV.
    pub name: String,
    /// Its meaning.
    pub label: Label,
    /// What its cells are.
    pub kind: ColumnKind,
    /// The codes of its cells in reporting order; of a number the few that have a name.
    pub values: Vec<ValueLabel>,
    /// The codes that say why there is no value. An empty cell says nothing and is missing in every column.
    pub missing: Vec<ValueLabel>,
}

impl Column {
    pub(super) fn new(name: &str, label: Label, kind: ColumnKind) -> Self {
        Self { name: name.to_owned(), label, kind, values: Vec::new(), missing: Vec::new() }
    }

    pub(super) fn with(mut self, values: impl IntoIterator<Item = ValueLabel>) -> Self {
        self.values.extend(values);
        self
    }

    /// The Chinese name with the code, as people see it above a column: names alone may be equal.
    pub(super) fn heading(&self) -> String {
        if self.label.zh == self.name { self.name.clone() } else { format!("{}（{}）", self.label.zh, self.name) }
    }

    /// What a person sees in the place of a code: its Chinese name, with the code where two codes have one name.
    pub(super) fn shown<'a>(&'a self, code: &'a str) -> std::borrow::Cow<'a, str> {
        let Some(value) = self.values.iter().find(|value| value.code == code) else { return code.into() };
        let name = value.label.zh.as_str();
        let is_shared = self.values.iter().filter(|other| other.label.zh == name).count() > 1;
        if is_shared { format!("{name}（{code}）").into() } else { name.into() }
    }
}
