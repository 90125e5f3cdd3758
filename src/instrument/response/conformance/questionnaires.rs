//! The shipped questionnaires, and made-up ones whose rules name one another in long chains.

use serde_json::{Value, json};

use super::Dice;
use crate::instrument::{Definition, Questionnaire, canonical::to_canonical_json};

const SHIPPED: [(&str, &str); 3] = [
    ("benchmark-50", include_str!("../../../../questionnaires/benchmark-50.toml")),
    ("csl-demo", include_str!("../../../../questionnaires/csl-demo.toml")),
    ("youth-demo", include_str!("../../../../questionnaires/youth-demo.toml")),
];
const MADE_UP: usize = 40;

pub(super) fn all(dice: &mut Dice) -> Vec<Questionnaire> {
    let shipped = SHIPPED.iter().map(|(name, source)| Questionnaire::from_toml(name, source).expect("a sound file"));
    shipped.chain((0..MADE_UP).map(|number| made_up(dice, number))).collect()
}

/// The form a tablet gets, with the analysis columns, which it can compute and does not get.
pub(super) fn form(questionnaire: &Questionnaire) -> Value {
    let mut form: Value = serde_json::from_str(&questionnaire.form_json()).expect("JSON");
    form["classifications"] = json!(questionnaire.classifications());
    form
}

fn made_up(dice: &mut Dice, number: usize) -> Questionnaire {
    let mut known: Vec<Value> = Vec::new();
    let sections: Vec<Value> = (0..3).map(|s| section(dice, s, &mut known)).collect();
    let columns = json!([{"id": "column", "label": {"zh-CN": "列"}, "categories": [
        {"code": "x", "label": {"zh-CN": "甲"}, "when": rule(dice, &known, 0)},
        {"code": "y", "label": {"zh-CN": "乙"}, "when": rule(dice, &known, 0)},
    ]}]);
    let definition = json!({
        "format": 1, "id": format!("made-up-{number}"), "version": "1", "languages": ["zh-CN"],
        "title": {"zh-CN": "题"}, "sections": sections, "classifications": columns,
        "header": {"form_number": "1", "issued_by": {"zh-CN": "示例"}, "approval_number": "1", "valid_until": "2030-12-31"},
    });
    let definition: Definition = serde_json::from_value(definition).expect("a definition");
    Questionnaire::from_canonical_json(&to_canonical_json(&definition)).unwrap_or_else(|faults| panic!("{faults}"))
}

fn section(dice: &mut Dice, number: usize, known: &mut Vec<Value>) -> Value {
    let relevant_when = (number > 0 && dice.odds(1, 2)).then(|| rule(dice, known, 0));
    let items: Vec<Value> = (0..=dice.below(4)).map(|_| item(dice, known)).collect();
    let mut section = json!({"id": format!("s{number}"), "title": {"zh-CN": "节"}, "items": items});
    if let Some(rule) = relevant_when {
        section["relevant_when"] = json!(rule);
    }
    section
}

fn item(dice: &mut Dice, known: &mut Vec<Value>) -> Value {
    let id = format!("i{}", known.len());
    let kinds = ["single_choice", "multiple_choice", "number", "text", "date", "matrix", "true_false"];
    let kind = *dice.pick(&kinds);
    let mut item = json!({"id": id, "type": kind, "text": {"zh-CN": "问"}, "required": dice.odds(3, 4)});
    let codes = ["x", "y", "z", "9"];
    let option = |code: &str| json!({"code": code, "label": {"zh-CN": code}});
    match kind {
        "true_false" => item["options"] = json!([option("true"), option("false")]),
        "multiple_choice" => {
            item["options"] = codes.iter().map(|code| option(code)).collect();
            item["options"][3]["exclusive"] = json!(true);
            item["choices_max"] = json!(1 + dice.below(4));
        }
        "number" => {
            (item["min"], item["max"]) = (json!(-2.5), json!(60));
            item["integer"] = json!(dice.odds(1, 2));
        }
        "text" => item["length_max"] = json!(3),
        "date" => (item["date_min"], item["date_max"]) = (json!("2024-02-29"), json!("2025-12-31")),
        _ => item["options"] = codes.iter().map(|code| option(code)).collect(),
    }
    if kind == "matrix" {
        item["rows"] = json!([{"code": "r", "label": {"zh-CN": "行"}}, {"code": "s", "label": {"zh-CN": "行"}}]);
    }
    let missing = ["dont_know", "refused", "not_applicable"];
    item["missing"] = missing.iter().filter(|_| dice.odds(1, 2)).map(|kind| json!(kind)).collect();
    if !known.is_empty() && dice.odds(1, 2) {
        item["relevant_when"] = json!(rule(dice, known, 0));
    }
    known.push(item.clone());
    if dice.odds(1, 2) {
        let severity = *dice.pick(&["soft", "hard"]);
        item["checks"] =
            json!([{"severity": severity, "fails_when": rule(dice, known, 0), "message": {"zh-CN": "核实"}}]);
    }
    item
}

/// A rule over known items whose types fit.
fn rule(dice: &mut Dice, known: &[Value], depth: usize) -> String {
    let inner = |dice: &mut Dice| rule(dice, known, depth + 1);
    match dice.below(if depth < 2 { 8 } else { 5 }) {
        5 => format!("all({}, {})", inner(dice), inner(dice)),
        6 => format!("any({}, {})", inner(dice), inner(dice)),
        7 => format!("not({})", inner(dice)),
        0 => format!("answered({})", dice.pick(known)["id"].as_str().expect("an id")),
        1 => format!("missing({})", dice.pick(known)["id"].as_str().expect("an id")),
        _ => comparison(dice, known),
    }
}

fn comparison(dice: &mut Dice, known: &[Value]) -> String {
    let item = dice.pick(known);
    let id = item["id"].as_str().expect("an id");
    let sign = *dice.pick(&["==", "!=", "<", "<=", ">", ">="]);
    let equal = *dice.pick(&["==", "!="]);
    let code = *dice.pick(&["x", "y", "z"]);
    match item["type"].as_str().expect("a type") {
        "single_choice" => format!("{id} in [\"{code}\", \"9\"]"),
        "true_false" => format!("{id} {equal} true"),
        "multiple_choice" if dice.odds(1, 2) => format!("count({id}) {sign} {}", dice.below(4)),
        "multiple_choice" => format!("includes({id}, \"{code}\")"),
        "number" => format!("{id} {sign} {}", dice.pick(&["0", "-2.5", "18", "18.5", "60"])),
        "text" => format!("{id} {equal} \"{}\"", dice.pick(&["男", "a", "𠮷"])),
        "date" => format!("{id} {sign} \"{}\"", dice.pick(&["2024-02-29", "2025-03-08"])),
        _ => format!("{id}.{} {equal} \"{code}\"", dice.pick(&["r", "s"])),
    }
}
