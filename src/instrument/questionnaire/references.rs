//! Checks what the rules of a questionnaire name: items that exist and are asked earlier, codes that items have,
//! comparisons that make sense, no circles.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{Definition, Item, ItemKind, Section};
use crate::instrument::{
    expression::{Comparison, Expression, Literal, Node, Reference, Term},
    faults::{FaultCode, Findings},
};

/// The items a rule can name, and which of them each item's relevance looks at.
pub(super) struct Scope<'a> {
    definition: &'a Definition,
    cut_ids: &'a BTreeSet<String>,
    items: BTreeMap<&'a str, (usize, &'a Item)>,
    looks_at: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(definition: &'a Definition, cut_ids: &'a BTreeSet<String>) -> Self {
        let mut scope = Self { definition, cut_ids, items: BTreeMap::new(), looks_at: BTreeMap::new() };
        let all = definition.sections.iter().flat_map(|section| section.items.iter().map(move |item| (section, item)));
        for (at, (section, item)) in all.enumerate() {
            scope.items.entry(&item.id).or_insert((at, item));
            let rules = section.relevant_when.iter().chain(&item.relevant_when);
            scope.looks_at.entry(&item.id).or_default().extend(rules.flat_map(Expression::items));
        }
        scope
    }

    /// Whether the relevance of `from` depends on `to`, through any number of items.
    fn depends(&self, from: &str, to: &str) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(id) = open.pop() {
            if id == to {
                return true;
            }
            if let Some(next) = self.looks_at.get(id)
                && seen.insert(id)
            {
                open.extend(next);
            }
        }
        false
    }
}

/// Checks every rule of the questionnaire.
pub(super) fn check(scope: &Scope<'_>, findings: &mut Findings) {
    let mut at = 0;
    for (s, section) in scope.definition.sections.iter().enumerate() {
        let here = format!("/sections/{s}");
        let first = section.items.first().map(|item| item.id.as_str());
        if let Some(rule) = &section.relevant_when {
            Rule::new(scope, findings, format!("{here}/relevant_when"), first, Some(at)).check(rule);
        }
        if section.shuffle_items {
            shuffled(section, &here, findings);
        }
        for (i, item) in section.items.iter().enumerate() {
            let here = format!("{here}/items/{i}");
            if let Some(rule) = &item.relevant_when {
                Rule::new(scope, findings, format!("{here}/relevant_when"), Some(&item.id), Some(at)).check(rule);
            }
            at += 1;
            for (c, check) in item.checks.iter().enumerate() {
                let pointer = format!("{here}/checks/{c}/fails_when");
                Rule::new(scope, findings, pointer, Some(&item.id), Some(at)).check(&check.fails_when);
            }
        }
    }
    for (i, column) in scope.definition.classifications.iter().enumerate() {
        for (j, category) in column.categories.iter().enumerate() {
            let pointer = format!("/classifications/{i}/categories/{j}/when");
            Rule::new(scope, findings, pointer, None, None).check(&category.when);
        }
    }
}

/// In a shuffled section no item may look at another one of it, which may come later.
fn shuffled(section: &Section, here: &str, findings: &mut Findings) {
    let here_too: BTreeSet<&str> = section.items.iter().map(|item| item.id.as_str()).collect();
    for (i, item) in section.items.iter().enumerate() {
        let rules = item.relevant_when.iter().chain(item.checks.iter().map(|check| &check.fails_when));
        for other in rules.flat_map(Expression::items).filter(|id| *id != item.id && here_too.contains(id)) {
            let message = format!("{other} may be asked later: the section's items are shuffled");
            findings.add(&format!("{here}/items/{i}"), Some(&item.id), FaultCode::ForwardReference, message);
        }
    }
}

/// One rule under check.
struct Rule<'a> {
    scope: &'a Scope<'a>,
    findings: &'a mut Findings,
    pointer: String,
    owner: Option<&'a str>,
    /// Only items before this place may be named.
    before: Option<usize>,
}

/// What a side of a comparison is.
#[derive(Clone, Copy)]
enum Kind<'a> {
    Code(&'a Item),
    Number,
    Date,
    Text,
    Constant(&'a Literal),
    /// Already at fault; silent from here.
    Unknown,
}

impl<'a> Rule<'a> {
    fn new(
        scope: &'a Scope<'a>,
        findings: &'a mut Findings,
        pointer: String,
        owner: Option<&'a str>,
        before: Option<usize>,
    ) -> Self {
        Self { scope, findings, pointer, owner, before }
    }

    fn fault(&mut self, code: FaultCode, message: impl Into<String>) {
        self.findings.add(&self.pointer, self.owner, code, message);
    }

    fn check(mut self, rule: &'a Expression) {
        self.node(rule.node());
    }

    fn node(&mut self, node: &'a Node) {
        match node {
            Node::All { of } | Node::Any { of } => of.iter().for_each(|part| self.node(part)),
            Node::Not { of } => self.node(of),
            Node::Answered { item } => {
                self.item(item);
            }
            Node::Missing { item, .. } => {
                self.item(item);
                if item.row.is_some() {
                    self.fault(FaultCode::Expression, format!("{item}: a matrix is missing as a whole, not by row"));
                }
            }
            Node::Compare { left, how, right } => {
                let (left, right) = (self.kind(left), self.kind(right));
                self.compare(left, *how, right);
            }
            Node::In { left, values } => {
                let left = self.kind(left);
                for value in values {
                    self.compare(left, Comparison::Equal, Kind::Constant(value));
                }
            }
            Node::Includes { item, code } => self.includes(item, code),
        }
    }

    /// The item a reference names, after every check of the name itself.
    fn item(&mut self, reference: &Reference) -> Option<&'a Item> {
        let Some((at, item)) = self.scope.items.get(reference.id.as_str()).copied() else {
            if !self.scope.cut_ids.contains(&reference.id) {
                self.fault(FaultCode::UnknownItem, format!("there is no item \"{}\"", reference.id));
            }
            return None;
        };
        if self.before.is_some_and(|before| at >= before) {
            self.looks_ahead(&reference.id);
        }
        match &reference.row {
            Some(row) if item.kind != ItemKind::Matrix => {
                self.fault(FaultCode::Expression, format!("{} is not a matrix and has no row \"{row}\"", item.id));
            }
            Some(row) if !item.rows.iter().any(|r| r.code == *row) => {
                self.fault(FaultCode::UnknownCode, format!("{} has no row \"{row}\"", item.id));
            }
            _ => return Some(item),
        }
        None
    }

    fn looks_ahead(&mut self, id: &str) {
        match self.owner {
            Some(owner) if self.pointer.ends_with("relevant_when") && self.scope.depends(id, owner) => {
                let message =
                    format!("a circle: \"{owner}\" is relevant by \"{id}\", which is relevant by \"{owner}\"");
                self.fault(FaultCode::Cycle, message);
            }
            _ => self.fault(FaultCode::ForwardReference, format!("\"{id}\" is asked later than this rule is needed")),
        }
    }

    fn kind(&mut self, term: &'a Term) -> Kind<'a> {
        match term {
            Term::Value(constant) => Kind::Constant(constant),
            Term::Count(reference) => {
                match self.item(reference) {
                    Some(item) if item.kind != ItemKind::MultipleChoice => {
                        let message = format!("count({reference}) needs a multiple-choice item");
                        self.fault(FaultCode::Expression, message);
                        return Kind::Unknown;
                    }
                    Some(_) => {}
                    None => return Kind::Unknown,
                }
                Kind::Number
            }
            Term::Item(reference) => self.item(reference).map_or(Kind::Unknown, |item| self.kind_of(reference, item)),
        }
    }

    fn kind_of(&mut self, reference: &Reference, item: &'a Item) -> Kind<'a> {
        match item.kind {
            ItemKind::SingleChoice | ItemKind::TrueFalse => Kind::Code(item),
            ItemKind::Matrix if reference.row.is_some() => Kind::Code(item),
            ItemKind::Number => Kind::Number,
            ItemKind::Text => Kind::Text,
            ItemKind::Date => Kind::Date,
            ItemKind::MultipleChoice => {
                let message = format!("{reference} has several codes: use includes(...) or count(...)");
                self.fault(FaultCode::Expression, message);
                Kind::Unknown
            }
            ItemKind::Matrix => {
                self.fault(FaultCode::Expression, format!("{reference} is a matrix: name a row, {reference}.row"));
                Kind::Unknown
            }
        }
    }

    fn compare(&mut self, left: Kind<'a>, how: Comparison, right: Kind<'a>) {
        use Kind::{Code, Constant, Date, Number, Text, Unknown};
        use Literal::{Bool, Number as Figure, Text as Words};
        match (left, right) {
            (Unknown, _) | (_, Unknown) => {}
            (Number, Number | Constant(Figure(_))) | (Constant(Figure(_)), Number) | (Date, Date) => {}
            (Date, Constant(Words(day))) | (Constant(Words(day)), Date) => {
                if !is_day(day) {
                    self.fault(FaultCode::Expression, format!("\"{day}\" is not a day as YYYY-MM-DD"));
                }
            }
            (Code(item), Constant(Words(code))) | (Constant(Words(code)), Code(item)) => {
                self.unordered(how);
                self.option(item, code);
            }
            (Code(item), Constant(Bool(value))) | (Constant(Bool(value)), Code(item)) => {
                self.unordered(how);
                self.option(item, if *value { "true" } else { "false" });
            }
            (Code(_), Code(_)) | (Text, Text | Constant(Words(_))) | (Constant(Words(_)), Text) => self.unordered(how),
            (Constant(_), Constant(_)) => self.fault(FaultCode::Expression, "compares two constants"),
            _ => self.fault(FaultCode::Expression, "compares things of different types"),
        }
    }

    fn unordered(&mut self, how: Comparison) {
        if how.needs_order() {
            self.fault(FaultCode::Expression, format!("codes and texts have no order: {} is not possible", how.sign()));
        }
    }

    fn option(&mut self, item: &Item, code: &str) {
        if !item.options.iter().any(|option| option.code == code) {
            self.fault(FaultCode::UnknownCode, format!("{} has no option \"{code}\"", item.id));
        }
    }

    fn includes(&mut self, reference: &Reference, code: &str) {
        match self.item(reference) {
            Some(item) if item.kind == ItemKind::MultipleChoice => self.option(item, code),
            Some(_) => {
                self.fault(FaultCode::Expression, format!("includes({reference}, …) needs a multiple-choice item"));
            }
            None => {}
        }
    }
}

/// Whether a text is a day of the calendar, written `YYYY-MM-DD`.
pub(crate) fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok_and(|day| day.to_string() == text)
}
