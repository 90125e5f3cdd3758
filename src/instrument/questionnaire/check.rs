//! The whole-file check: every fault of meaning, none left for later.

use std::collections::BTreeSet;

use super::{
    definition::{Definition, Item, ItemKind, Section},
    references::{self, Scope},
};
use crate::instrument::{
    expression::is_reserved,
    faults::{FaultCode, Findings, Found},
    source::escape,
    text::{MAIN_LANGUAGE, Texts, is_language_tag},
};

/// The file format this program reads.
const FORMAT: u32 = 1;
/// Numbers up to here are exact as doubles and print without an exponent in every language.
const NUMBER_MAX: f64 = 1e15;
/// The longest text an answer may have.
const LENGTH_MAX: u32 = 4000;
/// The 基准 have 26 entries.
const BENCHMARKS: u8 = 26;

/// Checks a definition. Ids in `cut_ids` exist in the file but could not be read.
pub(super) fn check(definition: &Definition, cut_ids: &BTreeSet<String>) -> Vec<Found> {
    let mut checker = Checker { definition, findings: Findings::default(), item: None };
    checker.head();
    checker.schemes();
    checker.sections();
    checker.classifications();
    references::check(&Scope::new(definition, cut_ids), &mut checker.findings);
    checker.findings.into_vec()
}

/// Whether a word can name an item, a row or a column: a letter, then letters, digits, `_` and `-`, at most 40.
pub(crate) fn is_identifier(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && is_code(word) && !word.contains('.') && !is_reserved(word)
}

/// Whether a word can be a code: ASCII letters, digits, `_`, `-` and `.`, at most 40.
pub(crate) fn is_code(word: &str) -> bool {
    (1..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

struct Checker<'a> {
    definition: &'a Definition,
    findings: Findings,
    item: Option<&'a str>,
}

impl<'a> Checker<'a> {
    fn fault(&mut self, pointer: &str, code: FaultCode, message: impl Into<String>) {
        self.findings.add(pointer, self.item, code, message);
    }

    fn head(&mut self) {
        let definition = self.definition;
        if definition.format != FORMAT {
            self.fault("/format", FaultCode::Range, format!("format {} is unknown: write {FORMAT}", definition.format));
        }
        self.identifier("/id", &definition.id);
        self.code("/version", &definition.version);
        self.languages();
        self.text("/title", &definition.title);
        let header = &definition.header;
        self.text("/header/issued_by", &header.issued_by);
        self.optional_text("/header/approved_by", header.approved_by.as_ref());
        for (name, word) in [("form_number", &header.form_number), ("approval_number", &header.approval_number)] {
            if word.trim().is_empty() {
                self.fault(&format!("/header/{name}"), FaultCode::Structure, format!("{name} is empty"));
            }
        }
        if definition.sections.is_empty() {
            self.fault("/sections", FaultCode::Structure, "there is no section");
        }
    }

    fn languages(&mut self) {
        let languages = &self.definition.languages;
        if !languages.iter().any(|language| language == MAIN_LANGUAGE) {
            self.fault("/languages", FaultCode::Language, format!("{MAIN_LANGUAGE} must be among the languages"));
        }
        for (i, language) in languages.iter().enumerate() {
            let pointer = format!("/languages/{i}");
            if !is_language_tag(language) {
                self.fault(&pointer, FaultCode::Language, format!("\"{language}\" is not a language tag"));
            }
            if languages[..i].contains(language) {
                self.fault(&pointer, FaultCode::DuplicateCode, format!("language \"{language}\" stands twice"));
            }
        }
    }

    fn schemes(&mut self) {
        let schemes = &self.definition.schemes;
        self.distinct("/schemes", "id", FaultCode::DuplicateId, schemes.iter().map(|s| s.id.as_str()));
        for (i, scheme) in schemes.iter().enumerate() {
            let at = format!("/schemes/{i}");
            self.identifier(&format!("{at}/id"), &scheme.id);
            self.text(&format!("{at}/label"), &scheme.label);
            let list = format!("{at}/dimensions");
            self.distinct(&list, "code", FaultCode::DuplicateCode, scheme.dimensions.iter().map(|d| d.code.as_str()));
            for (j, dimension) in scheme.dimensions.iter().enumerate() {
                self.identifier(&format!("{list}/{j}/code"), &dimension.code);
                self.text(&format!("{list}/{j}/label"), &dimension.label);
            }
        }
    }

    fn sections(&mut self) {
        let sections = &self.definition.sections;
        self.distinct("/sections", "id", FaultCode::DuplicateId, sections.iter().map(|s| s.id.as_str()));
        let mut seen = BTreeSet::new();
        for (s, section) in sections.iter().enumerate() {
            self.section(&format!("/sections/{s}"), section);
            for (i, item) in section.items.iter().enumerate() {
                let pointer = format!("/sections/{s}/items/{i}");
                self.item = Some(&item.id);
                if !seen.insert(item.id.as_str()) {
                    let message = format!("id \"{}\" is already used by an earlier item", item.id);
                    self.fault(&format!("{pointer}/id"), FaultCode::DuplicateId, message);
                }
                self.item(&pointer, item);
                self.item = None;
            }
        }
    }

    fn section(&mut self, at: &str, section: &Section) {
        self.identifier(&format!("{at}/id"), &section.id);
        self.text(&format!("{at}/title"), &section.title);
        self.optional_text(&format!("{at}/introduction"), section.introduction.as_ref());
        self.optional_text(&format!("{at}/interviewer_note"), section.interviewer_note.as_ref());
        if section.items.is_empty() {
            self.fault(&format!("{at}/items"), FaultCode::Structure, format!("section {} has no item", section.id));
        }
    }

    fn item(&mut self, at: &str, item: &Item) {
        self.identifier(&format!("{at}/id"), &item.id);
        self.text(&format!("{at}/text"), &item.text);
        self.optional_text(&format!("{at}/interviewer_note"), item.interviewer_note.as_ref());
        self.optional_text(&format!("{at}/unit"), item.unit.as_ref());
        let missing = item.missing.iter().map(|kind| kind.as_str());
        self.distinct(&format!("{at}/missing"), "", FaultCode::DuplicateCode, missing);
        for (i, check) in item.checks.iter().enumerate() {
            self.text(&format!("{at}/checks/{i}/message"), &check.message);
        }
        self.fields_of_type(at, item);
        self.options(at, item);
        self.rows(at, item);
        self.ranges(at, item);
        self.scoring(at, item);
    }

    fn fields_of_type(&mut self, at: &str, item: &Item) {
        use ItemKind::{Date, Matrix, MultipleChoice, Number, SingleChoice, Text, TrueFalse};
        let choices = [SingleChoice, TrueFalse, MultipleChoice];
        let given: [(&str, bool, &[ItemKind]); 14] = [
            ("options", !item.options.is_empty(), &[SingleChoice, TrueFalse, MultipleChoice, Matrix]),
            ("shuffle_options", item.shuffle_options, &[SingleChoice, MultipleChoice]),
            ("rows", !item.rows.is_empty(), &[Matrix]),
            ("choices_min", item.choices_min.is_some(), &[MultipleChoice]),
            ("choices_max", item.choices_max.is_some(), &[MultipleChoice]),
            ("min", item.min.is_some(), &[Number]),
            ("max", item.max.is_some(), &[Number]),
            ("integer", item.integer, &[Number]),
            ("unit", item.unit.is_some(), &[Number]),
            ("length_max", item.length_max.is_some(), &[Text]),
            ("date_min", item.date_min.is_some(), &[Date]),
            ("date_max", item.date_max.is_some(), &[Date]),
            ("key", !item.key.is_empty(), &choices),
            ("points", item.points.is_some(), &choices),
        ];
        for (name, there, kinds) in given {
            if there && !kinds.contains(&item.kind) {
                let message = format!("\"{name}\" has no meaning for type {}", item.kind.as_str());
                self.fault(&format!("{at}/{name}"), FaultCode::NotForThisType, message);
            }
        }
        if item.kind == Text && item.length_max.is_none() {
            self.fault(at, FaultCode::Structure, "a text item needs \"length_max\"");
        }
    }

    fn options(&mut self, at: &str, item: &Item) {
        if !item.kind.has_options() {
            return;
        }
        let list = format!("{at}/options");
        if item.options.len() < 2 {
            self.fault(&list, FaultCode::Options, "at least two options are needed");
        }
        self.distinct(&list, "code", FaultCode::DuplicateCode, item.options.iter().map(|o| o.code.as_str()));
        for (i, option) in item.options.iter().enumerate() {
            self.code(&format!("{list}/{i}/code"), &option.code);
            self.text(&format!("{list}/{i}/label"), &option.label);
            if option.exclusive && item.kind != ItemKind::MultipleChoice {
                let message = "\"exclusive\" has a meaning in a multiple choice only";
                self.fault(&format!("{list}/{i}/exclusive"), FaultCode::NotForThisType, message);
            }
            if item.kind == ItemKind::TrueFalse && !matches!(option.code.as_str(), "true" | "false") {
                let message = format!("\"{}\": the options of true/false are \"true\" and \"false\"", option.code);
                self.fault(&format!("{list}/{i}/code"), FaultCode::Options, message);
            }
        }
    }

    fn rows(&mut self, at: &str, item: &Item) {
        if item.kind != ItemKind::Matrix {
            return;
        }
        let list = format!("{at}/rows");
        if item.rows.is_empty() {
            self.fault(&list, FaultCode::Options, "a matrix needs rows");
        }
        self.distinct(&list, "code", FaultCode::DuplicateCode, item.rows.iter().map(|r| r.code.as_str()));
        for (i, row) in item.rows.iter().enumerate() {
            self.identifier(&format!("{list}/{i}/code"), &row.code);
            self.text(&format!("{list}/{i}/label"), &row.label);
        }
    }

    fn ranges(&mut self, at: &str, item: &Item) {
        for (name, number) in [("min", item.min), ("max", item.max)] {
            if number.is_some_and(|x| !x.is_finite() || x.abs() > NUMBER_MAX || (x != 0.0 && x.abs() < 1e-6)) {
                let message = format!("{name} must be a number between -1e15 and 1e15, not closer to zero than 1e-6");
                self.fault(&format!("{at}/{name}"), FaultCode::Range, message);
            }
        }
        if let (Some(min), Some(max)) = (item.min, item.max)
            && min > max
        {
            self.fault(&format!("{at}/min"), FaultCode::Range, format!("min {min} is above max {max}"));
        }
        if let (Some(min), Some(max)) = (item.date_min, item.date_max)
            && min > max
        {
            self.fault(&format!("{at}/date_min"), FaultCode::Range, format!("date_min {min} is after date_max {max}"));
        }
        if item.length_max.is_some_and(|length| !(1..=LENGTH_MAX).contains(&length)) {
            self.fault(&format!("{at}/length_max"), FaultCode::Range, format!("length_max must be 1 to {LENGTH_MAX}"));
        }
        let options = u32::try_from(item.options.len()).unwrap_or(u32::MAX);
        let (min, max) = (item.choices_min.unwrap_or(1), item.choices_max.unwrap_or(options));
        if item.kind == ItemKind::MultipleChoice && !(1 <= min && min <= max && max <= options) {
            let message = format!("choices_min {min} and choices_max {max} do not fit {options} options");
            self.fault(at, FaultCode::Range, message);
        }
    }

    fn scoring(&mut self, at: &str, item: &Item) {
        self.distinct(&format!("{at}/key"), "", FaultCode::DuplicateCode, item.key.iter().map(String::as_str));
        for (i, code) in item.key.iter().enumerate() {
            if !item.options.iter().any(|option| option.code == *code) {
                let message = format!("the key \"{code}\" is not an option of the item");
                self.fault(&format!("{at}/key/{i}"), FaultCode::Key, message);
            }
        }
        match item.points {
            None if item.is_scored() => self.fault(at, FaultCode::Key, "a key without points"),
            Some(_) if !item.is_scored() => {
                self.fault(&format!("{at}/points"), FaultCode::Key, "points without a key");
            }
            Some(points) if points.hundredths() == 0 => {
                self.fault(&format!("{at}/points"), FaultCode::Range, "points must be above 0");
            }
            _ => {}
        }
        if item.is_scored() && item.kind != ItemKind::MultipleChoice && item.key.len() == item.options.len() {
            self.fault(&format!("{at}/key"), FaultCode::Key, "the key names every option: no answer could be wrong");
        }
        self.dimensions(at, item);
    }

    fn dimensions(&mut self, at: &str, item: &Item) {
        for (scheme, dimension) in &item.dimensions {
            let declared = self.definition.schemes.iter().find(|s| s.id == *scheme);
            let message = match declared {
                None => format!("no scheme \"{scheme}\" is declared"),
                Some(s) if !s.dimensions.iter().any(|d| d.code == *dimension) => {
                    format!("scheme \"{scheme}\" has no dimension \"{dimension}\"")
                }
                Some(_) => continue,
            };
            self.fault(&format!("{at}/dimensions/{}", escape(scheme)), FaultCode::UnknownDimension, message);
        }
        for (i, number) in item.benchmarks.iter().enumerate() {
            let pointer = format!("{at}/benchmarks/{i}");
            if !(1..=BENCHMARKS).contains(number) {
                self.fault(&pointer, FaultCode::Range, format!("benchmark {number} is not one of 1 to {BENCHMARKS}"));
            }
            if item.benchmarks[..i].contains(number) {
                self.fault(&pointer, FaultCode::DuplicateCode, format!("benchmark {number} stands twice"));
            }
        }
    }

    fn classifications(&mut self) {
        let columns = &self.definition.classifications;
        self.distinct("/classifications", "id", FaultCode::DuplicateId, columns.iter().map(|c| c.id.as_str()));
        for (i, column) in columns.iter().enumerate() {
            let at = format!("/classifications/{i}");
            self.identifier(&format!("{at}/id"), &column.id);
            self.text(&format!("{at}/label"), &column.label);
            let list = format!("{at}/categories");
            if column.categories.len() < 2 {
                self.fault(&list, FaultCode::Options, "at least two categories are needed");
            }
            self.distinct(&list, "code", FaultCode::DuplicateCode, column.categories.iter().map(|c| c.code.as_str()));
            for (j, category) in column.categories.iter().enumerate() {
                self.code(&format!("{list}/{j}/code"), &category.code);
                self.text(&format!("{list}/{j}/label"), &category.label);
            }
        }
    }

    fn distinct<'b>(&mut self, list: &str, field: &str, code: FaultCode, words: impl Iterator<Item = &'b str>) {
        let mut seen = BTreeSet::new();
        for (i, word) in words.enumerate() {
            if !seen.insert(word) {
                let pointer = if field.is_empty() { format!("{list}/{i}") } else { format!("{list}/{i}/{field}") };
                self.fault(&pointer, code, format!("\"{word}\" stands twice in this list"));
            }
        }
    }

    fn identifier(&mut self, pointer: &str, word: &str) {
        if !is_identifier(word) {
            let message = format!(
                "\"{word}\" cannot be an id: a letter, then letters, digits, _ and -, at most 40, and no word of the rules"
            );
            self.fault(pointer, FaultCode::BadIdentifier, message);
        }
    }

    fn code(&mut self, pointer: &str, word: &str) {
        if !is_code(word) {
            let message = format!("\"{word}\" cannot be a code: ASCII letters, digits, _ - and ., at most 40");
            self.fault(pointer, FaultCode::BadIdentifier, message);
        }
    }

    fn optional_text(&mut self, pointer: &str, text: Option<&Texts>) {
        if let Some(text) = text {
            self.text(pointer, text);
        }
    }

    fn text(&mut self, pointer: &str, text: &Texts) {
        let languages = &self.definition.languages;
        for language in languages.iter().filter(|language| is_language_tag(language) && !text.has(language)) {
            self.fault(pointer, FaultCode::Language, format!("the text in {language} is missing"));
        }
        if !text.has(MAIN_LANGUAGE) && !languages.iter().any(|l| l == MAIN_LANGUAGE) {
            self.fault(pointer, FaultCode::Language, format!("the text in {MAIN_LANGUAGE} is missing"));
        }
        for (language, words) in text.iter() {
            let at = format!("{pointer}/{}", escape(language));
            if !languages.iter().any(|declared| declared == language) {
                self.fault(&at, FaultCode::Language, format!("\"{language}\" is not one of the declared languages"));
            }
            if words.trim().is_empty() {
                self.fault(&at, FaultCode::Language, format!("the text in {language} is empty"));
            }
            if words.chars().any(|c| c.is_control() && c != '\n') {
                self.fault(&at, FaultCode::Language, format!("the text in {language} has a control character"));
            }
        }
    }
}
