//! A response as cells of a table: codes and numbers, one column an item or a row of a matrix, no free text.
//!
//! Whoever scores and classifies the cells again comes to the same result as from the response itself, except for a
//! rule that compares what somebody wrote in their own words, which never leaves.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::{Answer, Given, Response, Selection, value};
use crate::instrument::questionnaire::{Item, ItemKind, MissingKind, Questionnaire};

/// Begins every cell that is no value; no code can begin with it.
const NO_VALUE: char = ':';
/// An answer in the person's own words.
const TEXT: &str = ":text";
/// A multiple choice of which nothing was chosen.
const NOTHING_CHOSEN: &str = ":none";
/// An answer to an item that the other answers make irrelevant.
const IRRELEVANT: &str = ":irrelevant";

/// Names of the columns, in the order of asking: the item's id, or `item.row` for each row of a matrix.
#[must_use]
pub fn coded_columns(questionnaire: &Questionnaire) -> Vec<String> {
    let names = |item: &Item| match item.kind {
        ItemKind::Matrix => item.rows.iter().map(|row| format!("{}.{}", item.id, row.code)).collect(),
        _ => vec![item.id.clone()],
    };
    questionnaire.items().flat_map(names).collect()
}

impl Response {
    /// The cells, one a column of [`coded_columns`]; empty where there is no answer.
    #[must_use]
    pub fn coded(&self, questionnaire: &Questionnaire) -> Vec<String> {
        let mut cells = Vec::new();
        for (at, item) in questionnaire.items().enumerate() {
            let answer = self.answers.get(at).and_then(Option::as_ref);
            match item.kind {
                ItemKind::Matrix => cells.extend(item.rows.iter().map(|row| cell(answer, Some(&row.code)))),
                _ => cells.push(cell(answer, None)),
            }
        }
        cells
    }

    /// A response from its cells, with what weighting needs of it.
    ///
    /// # Errors
    /// The first cell that no response of this questionnaire has, with its item.
    pub fn from_coded(
        questionnaire: &Questionnaire,
        case: &str,
        probability: Option<f64>,
        cells: &[&str],
    ) -> Result<Self, String> {
        let mut rest = cells.iter().copied();
        let mut answers = Vec::with_capacity(questionnaire.items().len());
        for item in questionnaire.items() {
            let width = if item.kind == ItemKind::Matrix { item.rows.len() } else { 1 };
            let cells: Vec<&str> = rest.by_ref().take(width).collect();
            if cells.len() < width {
                return Err(format!("{}: its cells are missing", item.id));
            }
            answers.push(answer(item, &cells).map_err(|what| format!("{}: {what}", item.id))?);
        }
        let drawn = |prob| Selection { method: String::new(), n_eligible: 0, selected_no: 0, prob };
        Ok(Self {
            id: Uuid::nil(),
            rev: 1,
            case: case.to_owned(),
            questionnaire: questionnaire.hash().to_owned(),
            selection: probability.map(drawn),
            roster: Vec::new(),
            timing: None,
            notices: Vec::new(),
            answers,
        })
    }
}

fn cell(answer: Option<&Answer>, row: Option<&str>) -> String {
    let Some(answer) = answer else { return String::new() };
    if !answer.active {
        return IRRELEVANT.to_owned();
    }
    match &answer.given {
        Given::Choice(code) | Given::Date(code) => code.clone(),
        Given::Choices(codes) if codes.is_empty() => NOTHING_CHOSEN.to_owned(),
        Given::Choices(codes) => codes.join(" "),
        Given::Number(number) => number.to_string(),
        Given::Text(_) => TEXT.to_owned(),
        Given::Matrix(rows) => row.and_then(|row| rows.get(row)).cloned().unwrap_or_default(),
        Given::Missing(kind) => format!("{NO_VALUE}{}", kind.as_str()),
    }
}

fn answer(item: &Item, cells: &[&str]) -> Result<Option<Answer>, String> {
    let first = cells.first().copied().unwrap_or_default();
    if cells.iter().all(|cell| cell.is_empty()) {
        return Ok(None);
    }
    let of = |given, active| Ok(Some(Answer { given, active, n_changes: None, shown_ms: None }));
    if let Some(word) = first.strip_prefix(NO_VALUE) {
        if cells.iter().any(|cell| *cell != first) {
            return Err(format!("only some rows are `{first}`"));
        }
        return match (first, item.kind, MissingKind::parse(word)) {
            // Never looked at: what is irrelevant is not there.
            (IRRELEVANT, _, _) => of(Given::Missing(MissingKind::NotApplicable), false),
            (TEXT, ItemKind::Text, _) => of(Given::Text(String::new()), true),
            (NOTHING_CHOSEN, ItemKind::MultipleChoice, _) => of(Given::Choices(Vec::new()), true),
            (_, _, Some(kind)) => of(Given::Missing(kind), true),
            _ => Err(format!("`{first}` is no word for a missing value of it")),
        };
    }
    let value = match item.kind {
        ItemKind::Number => {
            let number = first.parse::<f64>().ok().filter(|number| number.to_string() == first);
            Value::from(number.ok_or_else(|| format!("`{first}` is not how a number is written"))?)
        }
        ItemKind::MultipleChoice => first.split(' ').collect::<Vec<_>>().into(),
        ItemKind::Matrix => {
            let rows = item.rows.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
            let rows: BTreeMap<&str, &str> = rows.map(|(row, cell)| (row.code.as_str(), *cell)).collect();
            serde_json::to_value(rows).map_err(|error| error.to_string())?
        }
        ItemKind::Text => return Err(format!("`{first}`: words of a person have no place here")),
        ItemKind::SingleChoice | ItemKind::TrueFalse | ItemKind::Date => Value::from(first),
    };
    let given = value::read(item, &value).map_err(|(_, message)| message.en)?;
    of(given, true)
}
