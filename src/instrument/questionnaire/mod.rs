//! The questionnaire: read, checked as a whole, immutable, known by its hash.

mod check;
mod classify;
mod definition;
mod form;
mod references;
mod routing;

use std::collections::BTreeMap;

use super::{
    canonical,
    faults::{Fault, FaultCode, Faults, Findings},
    source::{Lines, Read, read_toml},
};

pub use definition::{
    Category, Check, Choice, Classification, Definition, Dimension, Header, Item, ItemKind, MissingKind, Row, Scheme,
    Section, Severity,
};

pub(crate) use check::{is_code, is_identifier};
pub(crate) use references::is_day;
pub(crate) use routing::View;

/// A questionnaire that has passed every check. It never changes; its hash names it.
#[derive(Debug, Clone)]
pub struct Questionnaire {
    definition: Definition,
    canonical: String,
    hash: String,
    /// Section and place in it, for each item in the order of asking.
    places: Vec<(usize, usize)>,
    index: BTreeMap<String, usize>,
}

impl Questionnaire {
    /// Reads and checks a questionnaire file. `place` names the file in messages.
    ///
    /// # Errors
    /// Every fault of the file at once, with line and item.
    pub fn from_toml(place: &str, source: &str) -> Result<Self, Faults> {
        let Read { document, lines, mut faults, cut_ids } = read_toml::<Definition>(place, source);
        let Some(mut definition) = document else {
            return Err(Faults::of(faults).unwrap_or_else(|| unreadable(place)));
        };
        form::add_true_false_options(&mut definition);
        faults.extend(lines.locate(check::check(&definition, &cut_ids)));
        match Faults::of(faults) {
            Some(faults) => Err(faults),
            None => Ok(Self::build(definition)),
        }
    }

    /// Reads a questionnaire from its canonical JSON, as storage keeps it, and checks it again.
    ///
    /// # Errors
    /// Every fault; also when the bytes are not the canonical form, since then their hash would not be theirs.
    pub fn from_canonical_json(json: &str) -> Result<Self, Faults> {
        let place = "canonical JSON";
        let lines = Lines::none(place);
        let mut findings = Findings::default();
        let definition: Definition = match serde_json::from_str(json) {
            Ok(definition) => definition,
            Err(error) => {
                findings.add("", None, FaultCode::Syntax, error.to_string());
                return Err(Faults::of(lines.locate(findings.into_vec())).unwrap_or_else(|| unreadable(place)));
            }
        };
        let mut found = check::check(&definition, &std::collections::BTreeSet::new());
        if canonical::to_canonical_json(&definition) != json {
            findings.add("", None, FaultCode::NotCanonical, "the bytes are not the canonical form of their content");
        }
        found.extend(findings.into_vec());
        match Faults::of(lines.locate(found)) {
            Some(faults) => Err(faults),
            None => Ok(Self::build(definition)),
        }
    }

    fn build(definition: Definition) -> Self {
        let canonical = canonical::to_canonical_json(&definition);
        let hash = canonical::sha256_hex(canonical.as_bytes());
        let places: Vec<(usize, usize)> = (definition.sections.iter().enumerate())
            .flat_map(|(s, section)| (0..section.items.len()).map(move |i| (s, i)))
            .collect();
        let index = (places.iter().enumerate())
            .map(|(at, (s, i))| (definition.sections[*s].items[*i].id.clone(), at))
            .collect();
        Self { definition, canonical, hash, places, index }
    }

    /// Stable id, for instance `csl-demo`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.definition.id
    }

    /// Version, for instance `1.0.0`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.definition.version
    }

    /// SHA-256 of the canonical JSON, 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// 有效期至: the last day on which an interview may begin with it.
    #[must_use]
    pub fn valid_until(&self) -> jiff::civil::Date {
        self.definition.header.valid_until
    }

    /// The title in a language, or in Chinese.
    #[must_use]
    pub fn title(&self, language: &str) -> &str {
        self.definition.title.get(language)
    }

    /// Whether it is an example (示例).
    #[must_use]
    pub fn is_example(&self) -> bool {
        self.definition.example
    }

    /// The whole content, scoring keys included.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The canonical JSON: the bytes whose SHA-256 is the hash. Holds the scoring keys.
    #[must_use]
    pub fn canonical_json(&self) -> &str {
        &self.canonical
    }

    /// The items in the order of asking.
    pub fn items(&self) -> impl ExactSizeIterator<Item = &Item> {
        self.places.iter().map(|(s, i)| &self.definition.sections[*s].items[*i])
    }

    /// An item by id.
    #[must_use]
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.item_index(id).map(|at| self.item_at(at))
    }

    /// The place of an item in the order of asking.
    #[must_use]
    pub fn item_index(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// The analysis columns.
    #[must_use]
    pub fn classifications(&self) -> &[Classification] {
        &self.definition.classifications
    }

    pub(crate) fn item_at(&self, at: usize) -> &Item {
        let (s, i) = self.places[at];
        &self.definition.sections[s].items[i]
    }

    pub(crate) fn section_of(&self, at: usize) -> &Section {
        &self.definition.sections[self.places[at].0]
    }
}

/// JSON Schema of the questionnaire file, as editors and other programs use it.
#[must_use]
pub fn definition_schema() -> String {
    let schema = schemars::schema_for!(Definition);
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

fn unreadable(place: &str) -> Faults {
    let fault = Fault {
        place: place.to_owned(),
        line: None,
        pointer: String::new(),
        item: None,
        code: FaultCode::Syntax,
        message: "cannot be read".to_owned(),
    };
    Faults::of(vec![fault]).expect("one fault")
}
