//! `codebook.md`: what the columns of the persons' files and their codes mean, in Chinese and English.

use std::fmt::Write as _;

use crate::{
    export::formats::{Column, Dictionary, WORDS},
    indicator::{Label, SurveyInputs},
    instrument::{
        Item, ItemKind, Texts,
        questionnaire::{Choice, MissingKind},
    },
};

/// `persons` are the columns of the persons' file.
pub(crate) fn codebook(inputs: &SurveyInputs<'_>, persons: &[String]) -> Vec<u8> {
    let questionnaire = inputs.questionnaire;
    let dictionary = Dictionary::new(questionnaire, inputs.profile, inputs.regions);
    let columns: Vec<Column> = persons.iter().map(|name| dictionary.column(name)).collect();
    let mut out = String::new();
    let (title, title_en) = (questionnaire.title("zh-CN"), questionnaire.title("en"));
    line(&mut out, format_args!("# {title} / {title_en}\n"));
    line(&mut out, format_args!("`{}` {} · `{}`\n", questionnaire.id(), questionnaire.version(), questionnaire.hash()));
    line(&mut out, format_args!("## responses_weighted.csv\n\n| 列 column | 含义 | meaning |\n|---|---|---|"));
    for Column { name, label, .. } in &columns {
        line(&mut out, format_args!("| {name} | {} | {} |", cell(&label.zh), cell(&label.en)));
    }
    for column in columns.iter().filter(|column| !column.values.is_empty()) {
        line(&mut out, format_args!("\n### {}\n\n{}\n", column.name, of_label(&column.label)));
        column
            .values
            .iter()
            .for_each(|value| line(&mut out, format_args!("- `{}` {}", value.code, of_label(&value.label))));
    }
    line(
        &mut out,
        format_args!(
            "\n## answers.csv\n\n空 empty: 无回答 no answer. 多选以空格分隔 several codes: one blank between."
        ),
    );
    line(&mut out, format_args!("`selection_probability`: 户内入样概率 selection probability within the household.\n"));
    WORDS.iter().for_each(|(word, zh, en)| line(&mut out, format_args!("- `{word}` {zh} / {en}")));
    questionnaire.items().for_each(|item| describe(&mut out, item));
    out.into_bytes()
}

fn describe(out: &mut String, item: &Item) {
    line(out, format_args!("\n### {}\n\n{}\n\n`{}`", item.id, both(&item.text), item.kind.as_str()));
    if let Some(unit) = &item.unit {
        line(out, format_args!("{}", both(unit)));
    }
    if item.kind == ItemKind::Matrix {
        out.push('\n');
        item.rows.iter().for_each(|row| line(out, format_args!("- `{}.{}` {}", item.id, row.code, both(&row.label))));
    }
    if !item.options.is_empty() {
        out.push('\n');
        item.options
            .iter()
            .for_each(|Choice { code, label, .. }| line(out, format_args!("- `{code}` {}", both(label))));
    }
    if !item.missing.is_empty() {
        let kinds: Vec<String> =
            item.missing.iter().map(|kind: &MissingKind| format!("`:{}`", kind.as_str())).collect();
        line(out, format_args!("\n{}", kinds.join(" ")));
    }
}

/// A bar would end a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn of_label(Label { zh, en }: &Label) -> String {
    if zh == en { zh.clone() } else { format!("{zh} / {en}") }
}

/// Chinese, and English where it says something else. A line break would end a table row or a list item.
fn both(texts: &Texts) -> String {
    let (zh, en) = (texts.get("zh-CN"), texts.get("en"));
    let text = if zh == en { zh.to_owned() } else { format!("{zh} / {en}") };
    text.replace(['\n', '\r'], " ")
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string does not fail");
}
