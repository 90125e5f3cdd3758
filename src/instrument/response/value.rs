//! One submitted value, held against the type, the options and the bounds of its item.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Given,
    faults::{ItemFaultCode, Message},
};
use crate::instrument::questionnaire::{Item, ItemKind, is_day};

/// Numbers beyond this are not exact as doubles.
const NUMBER_MAX: f64 = 1e15;

/// What is wrong with a value.
pub(super) type Wrong = (ItemFaultCode, Message);

/// The value in the type of its item.
pub(super) fn read(item: &Item, value: &Value) -> Result<Given, Wrong> {
    match item.kind {
        ItemKind::SingleChoice | ItemKind::TrueFalse => option_code(item, value).map(Given::Choice),
        ItemKind::MultipleChoice => option_codes(item, value).map(Given::Choices),
        ItemKind::Number => number(item, value).map(Given::Number),
        ItemKind::Text => text(item, value).map(Given::Text),
        ItemKind::Date => date(item, value).map(Given::Date),
        ItemKind::Matrix => matrix(item, value).map(Given::Matrix),
    }
}

fn wrong_type<T>(zh: &str, en: &str) -> Result<T, Wrong> {
    Err((ItemFaultCode::WrongType, Message::new(format!("应为{zh}"), format!("expected {en}"))))
}

fn out_of_range<T>(zh: impl Into<String>, en: impl Into<String>) -> Result<T, Wrong> {
    Err((ItemFaultCode::OutOfRange, Message::new(zh, en)))
}

fn option_code(item: &Item, value: &Value) -> Result<String, Wrong> {
    let Some(code) = value.as_str() else {
        return wrong_type("一个选项代码", "one option code");
    };
    if item.options.iter().any(|option| option.code == code) {
        return Ok(code.to_owned());
    }
    let shown: String = code.chars().take(40).collect();
    let message = Message::new(format!("没有代码为“{shown}”的选项"), format!("there is no option \"{shown}\""));
    Err((ItemFaultCode::ImpossibleCode, message))
}

fn option_codes(item: &Item, value: &Value) -> Result<Vec<String>, Wrong> {
    let Some(list) = value.as_array() else {
        return wrong_type("选项代码的列表", "a list of option codes");
    };
    let mut chosen = BTreeSet::new();
    for value in list {
        let code = option_code(item, value)?;
        if chosen.contains(&code) {
            let message = Message::new(format!("选项“{code}”重复"), format!("the option \"{code}\" stands twice"));
            return Err((ItemFaultCode::ImpossibleCode, message));
        }
        chosen.insert(code);
    }
    let exclusive = item.options.iter().find(|option| option.exclusive && chosen.contains(&option.code));
    if let Some(option) = exclusive.filter(|_| chosen.len() > 1) {
        let zh = format!("选项“{}”不能与其他选项同选", option.code);
        let en = format!("the option \"{}\" excludes the others", option.code);
        return Err((ItemFaultCode::ImpossibleCode, Message::new(zh, en)));
    }
    let min = item.choices_min.unwrap_or(1) as usize;
    let max = item.choices_max.map_or(item.options.len(), |max| max as usize);
    if !(min..=max).contains(&chosen.len()) {
        return out_of_range(format!("应选 {min} 至 {max} 项"), format!("choose {min} to {max} options"));
    }
    Ok(item.options.iter().filter(|option| chosen.contains(&option.code)).map(|option| option.code.clone()).collect())
}

fn number(item: &Item, value: &Value) -> Result<f64, Wrong> {
    let Some(number) = value.as_f64().filter(|number| number.is_finite()) else {
        return wrong_type("数字", "a number");
    };
    if item.integer && number.fract() != 0.0 {
        return wrong_type("整数", "a whole number");
    }
    let (min, max) = (item.min.unwrap_or(-NUMBER_MAX), item.max.unwrap_or(NUMBER_MAX));
    if !(min..=max).contains(&number) {
        return out_of_range(format!("应在 {min} 至 {max} 之间"), format!("must be between {min} and {max}"));
    }
    // `+ 0.0` turns a negative zero into zero.
    Ok(number + 0.0)
}

fn text(item: &Item, value: &Value) -> Result<String, Wrong> {
    let Some(text) = value.as_str() else {
        return wrong_type("文本", "a text");
    };
    let max = item.length_max.map_or(usize::MAX, |max| max as usize);
    if text.trim().is_empty() || text.chars().count() > max {
        return out_of_range(format!("应为 1 至 {max} 个字"), format!("must have 1 to {max} characters"));
    }
    Ok(text.to_owned())
}

fn date(item: &Item, value: &Value) -> Result<String, Wrong> {
    let Some(day) = value.as_str().filter(|day| is_day(day)) else {
        return wrong_type("形如 2025-03-08 的日期", "a day as YYYY-MM-DD");
    };
    // Days in this form sort as texts.
    let (min, max) = (item.date_min.map(|d| d.to_string()), item.date_max.map(|d| d.to_string()));
    if min.as_deref().is_some_and(|min| day < min) || max.as_deref().is_some_and(|max| day > max) {
        let (min, max) = (min.unwrap_or_default(), max.unwrap_or_default());
        return out_of_range(format!("应在 {min} 至 {max} 之间"), format!("must be between {min} and {max}"));
    }
    Ok(day.to_owned())
}

fn matrix(item: &Item, value: &Value) -> Result<BTreeMap<String, String>, Wrong> {
    let Some(fields) = value.as_object() else {
        return wrong_type("以行代码为键的对象", "an object by row code");
    };
    let mut rows = BTreeMap::new();
    for (row, value) in fields {
        if !item.rows.iter().any(|r| r.code == *row) {
            let shown: String = row.chars().take(40).collect();
            let message = Message::new(format!("没有代码为“{shown}”的行"), format!("there is no row \"{shown}\""));
            return Err((ItemFaultCode::ImpossibleCode, message));
        }
        rows.insert(row.clone(), option_code(item, value)?);
    }
    let left_out = item.rows.iter().find(|row| !rows.contains_key(&row.code));
    if let Some(row) = left_out.filter(|_| item.required) {
        let message =
            Message::new(format!("第“{}”行没有回答", row.code), format!("row \"{}\" has no answer", row.code));
        return Err((ItemFaultCode::RequiredMissing, message));
    }
    Ok(rows)
}
