//! The form a tablet gets: everything it needs to ask and check, nothing that tells a right answer.

use serde_json::{Value, json};

use super::{
    Questionnaire,
    definition::{Choice, Definition, ItemKind},
};
use crate::instrument::canonical::to_canonical_json;

/// Fields of an item that never leave the server.
const SECRET_ITEM_FIELDS: [&str; 4] = ["key", "points", "dimensions", "benchmarks"];
/// Parts of a questionnaire that a tablet has no use for.
const SERVER_FIELDS: [&str; 2] = ["schemes", "classifications"];

impl Questionnaire {
    /// The form as canonical JSON, with the hash of its questionnaire and without keys, points and dimensions.
    #[must_use]
    pub fn form_json(&self) -> String {
        let mut form = serde_json::to_value(self.definition()).expect("a definition is JSON");
        let fields = form.as_object_mut().expect("a definition is an object");
        for name in SERVER_FIELDS {
            fields.remove(name);
        }
        fields.insert("hash".to_owned(), json!(self.hash()));
        for section in fields.get_mut("sections").and_then(Value::as_array_mut).into_iter().flatten() {
            for item in section.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
                let item = item.as_object_mut().expect("an item is an object");
                for name in SECRET_ITEM_FIELDS {
                    item.remove(name);
                }
            }
        }
        to_canonical_json(&form)
    }
}

/// Gives each true/false item without options of its own the usual two, so that nothing later treats it apart.
///
/// Only in the declared languages of which this file knows the words; the check names what is still missing.
pub(super) fn add_true_false_options(definition: &mut Definition) {
    let languages = definition.languages.clone();
    let choice = |code: &str, words: [(&str, &str); 2]| Choice {
        code: code.to_owned(),
        label: words.into_iter().filter(|(language, _)| languages.iter().any(|l| l == language)).collect(),
        exclusive: false,
    };
    for item in definition.sections.iter_mut().flat_map(|section| &mut section.items) {
        if item.kind == ItemKind::TrueFalse && item.options.is_empty() {
            item.options = vec![
                choice("true", [("zh-CN", "对"), ("en", "True")]),
                choice("false", [("zh-CN", "错"), ("en", "False")]),
            ];
        }
    }
}
