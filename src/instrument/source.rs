//! Reads a TOML file so that every structural fault is found at once, and remembers the line of everything in it.
//!
//! serde stops at its first error. Here the offending entry is cut out of the parsed tree and the rest is read again,
//! until the rest is sound: each round records one fault, and the checks of meaning still run on what is left.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue, Deserializer, Error},
};

use super::faults::{Fault, FaultCode, Found};

/// A file with more faults than this is not a questionnaire; the rest would help nobody.
const FAULTS_MAX: usize = 500;

/// The line of every value of a file, by JSON pointer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    place: String,
    by_pointer: BTreeMap<String, usize>,
}

impl Lines {
    /// A document without lines, for instance canonical JSON.
    pub(crate) fn none(place: &str) -> Self {
        Self { place: place.to_owned(), by_pointer: BTreeMap::new() }
    }

    /// The line of a pointer, or of the nearest thing around it that the file has.
    pub(crate) fn line(&self, pointer: &str) -> Option<usize> {
        let mut at = pointer;
        loop {
            if let Some(line) = self.by_pointer.get(at) {
                return Some(*line);
            }
            at = &at[..at.rfind('/')?];
        }
    }

    /// Gives the findings of a check their places.
    pub(crate) fn locate(&self, found: Vec<Found>) -> Vec<Fault> {
        found
            .into_iter()
            .map(|Found { pointer, item, code, message }| Fault {
                place: self.place.clone(),
                line: self.line(&pointer),
                pointer,
                item,
                code,
                message,
            })
            .collect()
    }
}

/// What could be read of a file.
pub(crate) struct Read<T> {
    /// The document, without the entries that had structural faults; absent when nothing could be saved.
    pub(crate) document: Option<T>,
    pub(crate) lines: Lines,
    pub(crate) faults: Vec<Fault>,
    /// Ids of the tables that were cut out: rules that name them are not at fault.
    pub(crate) cut_ids: BTreeSet<String>,
}

/// Reads a TOML document with every structural fault.
pub(crate) fn read_toml<T: DeserializeOwned>(place: &str, source: &str) -> Read<T> {
    let (root, errors) = DeTable::parse_recoverable(source);
    let mut reader =
        Reader { place, source, faults: Vec::new(), cut_ids: BTreeSet::new(), cut_keys: BTreeSet::new(), root };
    for error in &errors {
        reader.record(error, FaultCode::Syntax, "", None);
    }
    let document = if errors.is_empty() { reader.read_pruning() } else { None };
    let mut lines = Lines::none(place);
    collect_lines(reader.root.get_ref(), &LineStarts::of(source), "", &mut lines.by_pointer);
    Read { document, lines, faults: reader.faults, cut_ids: reader.cut_ids }
}

struct Reader<'a> {
    place: &'a str,
    source: &'a str,
    root: Spanned<DeTable<'a>>,
    faults: Vec<Fault>,
    cut_ids: BTreeSet<String>,
    /// Start of the table and key of each entry that was cut: its absence is not a second fault.
    cut_keys: BTreeSet<(usize, String)>,
}

impl Reader<'_> {
    fn read_pruning<T: DeserializeOwned>(&mut self) -> Option<T> {
        while self.faults.len() < FAULTS_MAX {
            let error = match T::deserialize(Deserializer::from(self.root.clone())) {
                Ok(document) => return Some(document),
                Err(error) => error,
            };
            let span = error.span()?;
            let cut = cut_from_table(self.root.get_mut(), &span, &Around::default());
            if !self.follows_from_a_cut(&error, &span) {
                let (pointer, item) = cut.as_ref().map_or(("", None), |c| (c.pointer.as_str(), c.item.as_deref()));
                self.record(&error, FaultCode::Structure, pointer, item);
            }
            let cut = cut?;
            self.cut_ids.extend(cut.ids);
            self.cut_keys.insert((cut.table_start, cut.key));
        }
        None
    }

    fn follows_from_a_cut(&self, error: &Error, span: &Range<usize>) -> bool {
        let missing = error.message().strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        missing.is_some_and(|key| self.cut_keys.contains(&(span.start, key.to_owned())))
    }

    fn record(&mut self, error: &Error, code: FaultCode, pointer: &str, item: Option<&str>) {
        self.faults.push(Fault {
            place: self.place.to_owned(),
            line: error.span().map(|span| LineStarts::of(self.source).line(span.start)),
            pointer: pointer.to_owned(),
            item: item.map(str::to_owned),
            code,
            message: error.message().to_owned(),
        });
    }
}

/// Where the search stands: the pointer so far, the start of the table, and the item it lies in.
#[derive(Clone, Default)]
struct Around {
    pointer: String,
    table_start: usize,
    item: Option<String>,
}

struct Cut {
    pointer: String,
    table_start: usize,
    key: String,
    item: Option<String>,
    ids: Vec<String>,
}

/// Cuts the deepest entry whose key or value has exactly this span.
fn cut_from_table(table: &mut DeTable<'_>, span: &Range<usize>, around: &Around) -> Option<Cut> {
    for (key, value) in table.iter_mut() {
        let inside = Around { pointer: format!("{}/{}", around.pointer, escape(key.get_ref())), ..around.clone() };
        if let Some(cut) = cut_from_value(value, span, &inside) {
            return Some(cut);
        }
    }
    let (key, value) = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span)?;
    let name = key.get_ref().to_string();
    let cut = Cut {
        pointer: format!("{}/{}", around.pointer, escape(&name)),
        table_start: around.table_start,
        item: around.item.clone(),
        ids: ids_below(value.get_ref()),
        key: name.clone(),
    };
    table.remove(name.as_str());
    Some(cut)
}

fn cut_from_value(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>, around: &Around) -> Option<Cut> {
    let table_start = value.span().start;
    match value.get_mut() {
        DeValue::Table(table) => {
            let item = id_of(table).or_else(|| around.item.clone());
            cut_from_table(table, span, &Around { table_start, item, ..around.clone() })
        }
        DeValue::Array(elements) => {
            for (i, element) in elements.iter_mut().enumerate() {
                let inside = Around { pointer: format!("{}/{i}", around.pointer), ..around.clone() };
                if let Some(cut) = cut_from_value(element, span, &inside) {
                    return Some(cut);
                }
            }
            let i = elements.iter().position(|element| element.span() == *span)?;
            let mut rest: Vec<_> = std::mem::replace(elements, DeArray::new()).into_iter().collect();
            let element = rest.remove(i);
            *elements = rest.into_iter().collect();
            Some(Cut {
                pointer: format!("{}/{i}", around.pointer),
                table_start,
                key: i.to_string(),
                item: ids_below(element.get_ref()).first().cloned().or_else(|| around.item.clone()),
                ids: ids_below(element.get_ref()),
            })
        }
        _ => None,
    }
}

fn id_of(table: &DeTable<'_>) -> Option<String> {
    table.get("id").and_then(|id| id.get_ref().as_str()).map(str::to_owned)
}

fn ids_below(value: &DeValue<'_>) -> Vec<String> {
    match value {
        DeValue::Table(table) => {
            id_of(table).into_iter().chain(table.values().flat_map(|v| ids_below(v.get_ref()))).collect()
        }
        DeValue::Array(elements) => elements.iter().flat_map(|v| ids_below(v.get_ref())).collect(),
        _ => Vec::new(),
    }
}

fn collect_lines(table: &DeTable<'_>, starts: &LineStarts, pointer: &str, lines: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let inside = format!("{pointer}/{}", escape(key.get_ref()));
        lines.insert(inside.clone(), starts.line(key.span().start));
        collect_value_lines(value, starts, &inside, lines);
    }
}

fn collect_value_lines(
    value: &Spanned<DeValue<'_>>,
    starts: &LineStarts,
    pointer: &str,
    lines: &mut BTreeMap<String, usize>,
) {
    match value.get_ref() {
        DeValue::Table(table) => collect_lines(table, starts, pointer, lines),
        DeValue::Array(elements) => {
            for (i, element) in elements.iter().enumerate() {
                let inside = format!("{pointer}/{i}");
                lines.insert(inside.clone(), starts.line(element.span().start));
                collect_value_lines(element, starts, &inside, lines);
            }
        }
        _ => {}
    }
}

/// One step of a JSON pointer.
pub(crate) fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// The offset at which each line begins.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn of(source: &str) -> Self {
        Self(std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line of an offset, counted from 1.
    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        items: Vec<Thing>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        id: String,
        points: u8,
        #[serde(default)]
        codes: Vec<String>,
    }

    fn lines_and_messages(source: &str) -> Vec<(usize, String)> {
        let read = read_toml::<File>("a.toml", source);
        read.faults.iter().map(|f| (f.line.expect("a line"), f.message.clone())).collect()
    }

    #[test]
    fn every_structural_fault_is_found_in_one_reading() {
        let source = "[[items]]\nid = \"a\"\npoints = 1\ncolour = 2\n\n[[items]]\nid = 7\npoints = 1\n\n\
                      [[items]]\nid = \"c\"\n\n[[items]]\nid = \"d\"\npoints = \"x\"\ncodes = [\"u\", 5, \"v\", 6]\n";
        let mut found = lines_and_messages(source);
        found.sort();
        let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [4, 7, 10, 15, 16, 16], "{found:?}");
    }

    #[test]
    fn what_is_sound_is_kept_and_the_ids_of_the_rest_are_remembered() {
        let read = read_toml::<File>("a.toml", "[[items]]\nid = \"a\"\n[[items]]\nid = \"b\"\npoints = 2\n");
        let items = read.document.expect("the rest of the file").items;
        assert_eq!((items.len(), items[0].id.as_str(), items[0].points, items[0].codes.len()), (1, "b", 2, 0));
        assert!(read.cut_ids.contains("a"));
        assert_eq!(read.faults[0].item.as_deref(), Some("a"));
    }

    #[test]
    fn syntax_errors_have_their_line() {
        let found = lines_and_messages("[[items]]\nid = \nids = 'x\n");
        assert_eq!(found[0].0, 2, "{found:?}");
    }
}
