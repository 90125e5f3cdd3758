//! Which tables a run makes, and the names of their cells.

use super::{Label, SurveyInputs, cases};
use crate::instrument::{
    questionnaire::{Classification, Questionnaire},
    text::Texts,
};

/// Prefix of overlapping key groups: columns of 0 and 1, one a group.
pub(super) const KEY_PREFIX: &str = "key_";
/// The table that holds one row a key group.
pub(super) const KEY_GROUP: &str = "key_group";

/// One variable with its categories in reporting order.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub(super) column: String,
    pub(super) label: Label,
    pub(super) levels: Vec<(String, Label)>,
}

/// A label from the texts of a questionnaire; Chinese stands in where there is no English.
pub(super) fn label_of(texts: &Texts) -> Label {
    Label::new(texts.get("zh-CN"), texts.get("en"))
}

/// The questionnaire's analysis columns that the sample does not give already.
pub(crate) fn classifications(questionnaire: &Questionnaire) -> impl Iterator<Item = &Classification> {
    questionnaire.classifications().iter().filter(|column| !cases::SAMPLE_COLUMNS.contains(&column.id.as_str()))
}

fn is_key_group(column: &Classification) -> bool {
    column.id.starts_with(KEY_PREFIX)
}

/// Districts by code (region lists sort by code, not by name).
pub(super) fn district(inputs: &SurveyInputs<'_>) -> Variable {
    let levels = cases::districts(inputs.sample).into_iter();
    Variable {
        column: "district".to_owned(),
        label: Label::new("区、县（市）", "District"),
        levels: levels.map(|code| (code.clone(), inputs.regions.name(&code))).collect(),
    }
}

/// Sex, age, education, residence and what else the questionnaire declares; key groups apart.
pub(super) fn groups(questionnaire: &Questionnaire) -> Vec<Variable> {
    let mut groups: Vec<Variable> =
        classifications(questionnaire).filter(|column| !is_key_group(column)).map(variable_of).collect();
    groups.push(Variable {
        column: "residence".to_owned(),
        label: Label::new("城乡", "Residence"),
        levels: vec![
            ("urban".to_owned(), Label::new("城镇", "Urban")),
            ("rural".to_owned(), Label::new("农村", "Rural")),
        ],
    });
    groups
}

/// The overlapping key groups: column of 0 and 1, code and name.
pub(super) fn key_groups(questionnaire: &Questionnaire) -> Vec<(String, String, Label)> {
    (classifications(questionnaire).filter(|column| is_key_group(column)))
        .map(|column| (column.id.clone(), column.id[KEY_PREFIX.len()..].to_owned(), label_of(&column.label)))
        .collect()
}

fn variable_of(column: &Classification) -> Variable {
    Variable {
        column: column.id.clone(),
        label: label_of(&column.label),
        levels: column.categories.iter().map(|level| (level.code.clone(), label_of(&level.label))).collect(),
    }
}
