//! The columns of `answers.csv`: items with their options, and the words for an answer that is none.

use super::{Column, ColumnKind, ValueLabel, dictionary::label};
use crate::{
    indicator::Label,
    instrument::{Choice, Item, ItemKind, MissingKind, Questionnaire},
};

/// Words of `answers.csv` that are no codes of an option.
pub(in crate::export) const WORDS: [(&str, &str, &str); 8] = [
    (":dont_know", "不知道", "does not know"),
    (":refused", "拒答", "refused"),
    (":not_applicable", "不适用", "not applicable"),
    (":not_asked", "未问", "not asked"),
    (":not_reached", "中止未达", "the interview ended before it"),
    (":irrelevant", "按跳转不应作答", "answered although routing passes over it"),
    (":text", "有文字回答（内容不外传）", "answered in words, which are not given out"),
    (":none", "未选任何项", "no option was chosen"),
];

/// What the interview brings about, whatever the item allows.
const OF_THE_INTERVIEW: [&str; 3] = [":not_asked", ":not_reached", ":irrelevant"];

/// The columns in the order of the file.
pub(super) fn answers(questionnaire: &Questionnaire) -> Vec<Column> {
    let id = Column::new("id", Label::new("匿名编号", "pseudonymous id"), ColumnKind::Text);
    let probability = Label::new("户内入样概率", "selection probability within the household");
    let head = [id, Column::new("selection_probability", probability, ColumnKind::Number)];
    head.into_iter().chain(questionnaire.items().flat_map(columns)).collect()
}

fn columns(item: &Item) -> Vec<Column> {
    if item.kind != ItemKind::Matrix {
        return vec![column(item, item.id.clone(), label(&item.text))];
    }
    let of_row = |row: &crate::instrument::Row| {
        let (item_label, row_label) = (label(&item.text), label(&row.label));
        let joined = |item: &str, row: &str| format!("{item} — {row}");
        let label = Label { zh: joined(&item_label.zh, &row_label.zh), en: joined(&item_label.en, &row_label.en) };
        column(item, format!("{}.{}", item.id, row.code), label)
    };
    item.rows.iter().map(of_row).collect()
}

fn column(item: &Item, name: String, label_of: Label) -> Column {
    let kind = match item.kind {
        ItemKind::SingleChoice | ItemKind::TrueFalse | ItemKind::Matrix => ColumnKind::Category,
        // Its missing answers stand in it as words.
        ItemKind::Number => ColumnKind::Number,
        ItemKind::MultipleChoice | ItemKind::Text | ItemKind::Date => ColumnKind::Text,
    };
    let option = |choice: &Choice| ValueLabel { code: choice.code.clone(), label: label(&choice.label) };
    let mut column = Column::new(&name, label_of, kind).with(item.options.iter().map(option));
    let allowed: Vec<String> = item.missing.iter().map(|kind: &MissingKind| format!(":{}", kind.as_str())).collect();
    let of_kind = match item.kind {
        ItemKind::Text => ":text",
        ItemKind::MultipleChoice => ":none",
        _ => "",
    };
    let is_possible =
        |word: &str| word == of_kind || OF_THE_INTERVIEW.contains(&word) || allowed.iter().any(|one| one == word);
    let words = WORDS.iter().filter(|(word, ..)| is_possible(word));
    column.missing.extend(words.map(|(word, zh, en)| ValueLabel::new(word, zh, en)));
    column
}
