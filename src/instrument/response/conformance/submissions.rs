//! Submissions of every questionnaire: mostly sound, with a fault or two of every kind.

use serde_json::{Value, json};

use super::Dice;
use crate::instrument::{
    Item, ItemKind, Questionnaire, Submission,
    questionnaire::{MissingKind, View},
    response::accept::Acceptance,
};

/// Values that fit few items, or none.
fn odd(dice: &mut Dice) -> Value {
    let odd = [
        json!(""),
        json!("  \u{3000}"),
        json!("\u{85}"),
        json!("\u{feff}"),
        json!("𠮷𠮷𠮷"),
        json!("𠮷·𠮷𠮷"),
        json!("2025-02-29"),
        json!("2024-02-29"),
        json!("0000-01-01"),
        json!("2025-3-08"),
        json!("２０２５"),
        json!(17),
        json!(18.5),
        json!(-2.5),
        json!(1e15),
        json!(1e16),
        json!(9_007_199_254_740_993_u64),
        json!([]),
        json!(["x", "x"]),
        json!(["x", "9"]),
        json!(["y", "x"]),
        json!(true),
        json!({"r": "x"}),
        json!({"s": "x", "__proto__": "x"}),
        json!({"constructor": "x"}),
        json!({"r": "x", "s": "没有这个代码的很长的一个词没有这个代码的很长的一个词没有这个代码的很长的一个词没有这个"}),
    ];
    dice.pick(&odd).clone()
}

fn sound(dice: &mut Dice, item: &Item) -> Value {
    let code = |dice: &mut Dice| json!(dice.pick(&item.options).code);
    match item.kind {
        ItemKind::SingleChoice | ItemKind::TrueFalse => code(dice),
        ItemKind::MultipleChoice => {
            let max = item.choices_max.map_or(3, |max| max.min(3) as usize);
            let plain = item.options.iter().filter(|option| !option.exclusive).rev();
            let some: Vec<_> = plain.filter(|_| dice.odds(1, 2)).map(|option| json!(option.code)).take(max).collect();
            if some.is_empty() { json!([item.options[0].code]) } else { json!(some) }
        }
        ItemKind::Number => {
            let (min, max) = (item.min.unwrap_or(0.0), item.max.unwrap_or(100.0));
            let step = f64::from(u32::try_from(dice.below(100)).expect("small"));
            let number = min + (max - min) * step / 100.0;
            json!(if item.integer { libm::ceil(number) } else { number })
        }
        ItemKind::Text => json!(*dice.pick(&["男", "a", "𠮷", "好·"])),
        ItemKind::Date => json!(*dice.pick(&["2024-02-29", "2025-03-08", "2025-12-31"])),
        ItemKind::Matrix => item.rows.iter().map(|row| (row.code.clone(), code(dice))).collect::<Value>(),
    }
}

fn answers(dice: &mut Dice, questionnaire: &Questionnaire, faulty: bool) -> Vec<Value> {
    let mut answers = Vec::new();
    for item in questionnaire.items() {
        let given = match dice.below(if faulty { 20 } else { 400 }) {
            0 => continue,
            1 => json!({"i": item.id, "m": dice.pick(&MissingKind::ALL).as_str()}),
            2 => json!({"i": item.id, "v": odd(dice)}),
            _ if !item.missing.is_empty() && dice.odds(1, 8) => {
                json!({"i": item.id, "m": dice.pick(&item.missing).as_str()})
            }
            _ => json!({"i": item.id, "v": sound(dice, item)}),
        };
        answers.push(given);
    }
    if faulty && dice.odds(1, 5) && !answers.is_empty() {
        let twice = dice.pick(&answers).clone();
        answers.push(twice);
    }
    if faulty && dice.odds(1, 8) {
        answers.push(json!({"i": "没有", "v": 1}));
    }
    answers
}

/// How the person was drawn: sound for the most part.
fn household(dice: &mut Dice, body: &mut Value, faulty: bool) {
    let n = 1 + dice.below(8);
    let method = *dice.pick(&["uniform", "kish", "next-birthday"]);
    let no = 1 + dice.below(n.min(6)) + if faulty && dice.odds(1, 10) { 3 } else { 0 };
    let prob = match (method, n, no) {
        ("kish", 5, 3 | 5) => 0.25,
        ("kish", 5, _) => 1.0 / 6.0,
        ("kish", 7.., _) => 1.0 / 6.0,
        _ if faulty && dice.odds(1, 6) => 0.75,
        _ => 1.0 / f64::from(u32::try_from(n).expect("small")),
    };
    body["selection"] = json!({"method": method, "n_eligible": n, "selected_no": no, "prob": prob});
    let listed = if faulty && dice.odds(1, 6) { n + 1 } else { n };
    let person = |no: usize| json!({"no": no + 1, "sex": "female", "age": if faulty && dice.odds(1, 12) { 70 } else { 30 }, "eligible": true});
    body["roster"] = (0..listed).map(person).collect();
}

fn body(dice: &mut Dice, questionnaire: &Questionnaire) -> Value {
    let faulty = dice.odds(1, 2);
    let hash = if faulty && dice.odds(1, 40) { "0".repeat(64) } else { questionnaire.hash().to_owned() };
    let mut body = json!({
        "schema": 1, "id": "0198c0de-0000-7000-8000-000000000001", "rev": 1, "case": "000123", "instrument": hash,
        "consent": {"given": !(faulty && dice.odds(1, 20))}, "answers": answers(dice, questionnaire, faulty),
    });
    if dice.odds(1, 2) {
        household(dice, &mut body, faulty);
    }
    if faulty && dice.odds(1, 20) {
        body["order_shown"] = json!(["没有"]);
    }
    body
}

/// Cases `{form, body, faults, notices, relevant, active, columns}` that name their form by its place.
pub(super) fn cases(dice: &mut Dice, forms: &[Questionnaire]) -> Vec<Value> {
    let per_form = |at: usize| if at < 3 { 60 } else { 20 };
    let mut cases = Vec::new();
    for (at, questionnaire) in forms.iter().enumerate() {
        for _ in 0..per_form(at) {
            let body = body(dice, questionnaire);
            cases.push(judged(at, questionnaire, &body));
        }
    }
    cases.extend(forms.iter().enumerate().flat_map(|(at, questionnaire)| calendar(at, questionnaire)));
    cases
}

/// Days at the edges of the calendar: of the years that end a century only every fourth has a 29th of February.
const DAYS: [&str; 8] =
    ["1900-02-28", "1900-02-29", "2000-02-29", "2000-02-30", "2100-02-28", "2100-02-29", "2400-02-29", "1999-04-31"];

/// Each such day as the only answer to the form's first question for a day, if it has one.
fn calendar(at: usize, questionnaire: &Questionnaire) -> Vec<Value> {
    let item = questionnaire.items().find(|item| item.kind == ItemKind::Date);
    let case = |item: &Item, day: &str| {
        let answers = json!([{"i": item.id, "v": day}]);
        let body = json!({
            "schema": 1, "id": "0198c0de-0000-7000-8000-000000000001", "rev": 1, "case": "000123",
            "instrument": questionnaire.hash(), "consent": {"given": true}, "answers": answers,
        });
        judged(at, questionnaire, &body)
    };
    item.map(|item| DAYS.iter().map(|day| case(item, day)).collect()).unwrap_or_default()
}

fn judged(at: usize, questionnaire: &Questionnaire, body: &Value) -> Value {
    let submission = Submission::parse(body.to_string().as_bytes()).unwrap_or_else(|faults| panic!("{faults:?}"));
    let refusal = super::super::Response::accept(questionnaire, &submission).err();
    if submission.instrument != questionnaire.hash() {
        return json!({"form": at, "body": body, "faults": faults(&refusal.expect("a refusal"))});
    }
    let (acceptance, notices) = Acceptance::of(questionnaire, &submission);
    assert_eq!(refusal.unwrap_or_default(), acceptance.faults, "the refusal tells every fault");
    let view = View { questionnaire, answers: &acceptance.answers, relevant: &acceptance.relevant };
    let bits =
        |flags: &mut dyn Iterator<Item = bool>| flags.map(|flag| if flag { '1' } else { '0' }).collect::<String>();
    let active = |answer: &Option<super::super::Answer>| answer.as_ref().is_some_and(|answer| answer.active);
    let notices: Vec<_> =
        notices.iter().map(|notice| json!([notice.item, notice.check, notice.message.zh, notice.message.en])).collect();
    json!({
        "form": at, "body": body, "faults": faults(&acceptance.faults), "notices": notices,
        "relevant": bits(&mut acceptance.relevant.iter().copied()),
        "active": bits(&mut acceptance.answers.iter().map(active)),
        "columns": questionnaire.classify_view(&view),
    })
}

fn faults(faults: &[super::super::ItemFault]) -> Vec<Value> {
    let one = |f: &super::super::ItemFault| json!([f.pointer, f.item, f.code, f.message.zh, f.message.en]);
    faults.iter().map(one).collect()
}
