//! What differs between two bodies of an interview, item by item.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Fields in which two revisions differ by nature.
const NOT_COMPARED: [&str; 4] = ["answers", "id", "rev", "parent_rev"];

/// One difference; null stands for what is not there.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// The item, when an answer differs.
    pub item: Option<String>,
    /// The field of the body, when something else does.
    pub field: Option<String>,
    /// The earlier value.
    #[schema(value_type = Object)]
    pub before: Value,
    /// The later value.
    #[schema(value_type = Object)]
    pub after: Value,
}

/// The differences in the order of the items' ids, then of the fields' names; `None` when a body is not readable.
pub fn differences(before: &[u8], after: &[u8]) -> Option<Vec<Difference>> {
    let (before, after): (Value, Value) = (serde_json::from_slice(before).ok()?, serde_json::from_slice(after).ok()?);
    let items = changed(&answers(&before), &answers(&after));
    let fields = changed(&fields(&before)?, &fields(&after)?);
    let item = |(item, before, after)| Difference { item: Some(item), field: None, before, after };
    let field = |(field, before, after)| Difference { item: None, field: Some(field), before, after };
    Some(items.into_iter().map(item).chain(fields.into_iter().map(field)).collect())
}

fn changed(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<(String, Value, Value)> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |of: &BTreeMap<String, Value>, name: &String| of.get(name).cloned().unwrap_or_default();
    let both = names.into_iter().map(|name| (name.clone(), value(before, name), value(after, name)));
    both.filter(|(_, before, after)| before != after).collect()
}

/// What was answered, by item: the value or the kind of missing, and not how long it took.
fn answers(body: &Value) -> BTreeMap<String, Value> {
    let list = body.get("answers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let answer = |answer: &Value| {
        let given = ["v", "m"].into_iter().filter_map(|name| Some((name.to_owned(), answer.get(name)?.clone())));
        Some((answer.get("i")?.as_str()?.to_owned(), Value::Object(given.collect())))
    };
    list.iter().filter_map(answer).collect()
}

fn fields(body: &Value) -> Option<BTreeMap<String, Value>> {
    let kept = body.as_object()?.iter().filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str()));
    Some(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Difference, differences};

    #[test]
    fn an_answer_changed_added_and_withdrawn_and_a_changed_note_are_all_named_and_a_new_revision_is_not() {
        let before = json!({"rev": 1, "note": "", "answers": [{"i": "b", "v": 1, "ms": 5}, {"i": "a", "v": "x"}]});
        let after = json!({"rev": 2, "note": "n", "answers": [{"i": "b", "m": "refused"}, {"i": "c", "v": 2}]});
        let found = differences(before.to_string().as_bytes(), after.to_string().as_bytes()).expect("readable");
        let item = |item: &str, before, after| Difference { item: Some(item.to_owned()), field: None, before, after };
        let note = Difference { item: None, field: Some("note".to_owned()), before: json!(""), after: json!("n") };
        let expected = [
            item("a", json!({"v": "x"}), json!(null)),
            item("b", json!({"v": 1}), json!({"m": "refused"})),
            item("c", json!(null), json!({"v": 2})),
            note,
        ];
        assert_eq!(found, expected);
        assert_eq!(differences(b"{", b"{}"), None);
    }
}
