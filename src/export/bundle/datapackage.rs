//! `datapackage.json`: the tables of a run for programs (Frictionless Data Package, version 1).

use serde_json::{Value, json};

use super::ANSWERS_FILE;
use crate::{
    evidence::sha256_hex,
    export::{Cell, Table, run_files::pretty},
    indicator::SurveyInputs,
    instrument::coded_columns,
};

/// A table's file with the types of its columns.
pub(crate) struct Resource<'a> {
    pub(crate) name: &'static str,
    pub(crate) bytes: &'a [u8],
    pub(crate) fields: Vec<(String, &'static str)>,
}

impl<'a> Resource<'a> {
    /// The types are those of the table's cells.
    pub(crate) fn of_table(name: &'static str, bytes: &'a [u8], table: &Table) -> Self {
        let kind = |at: usize| {
            let mut kinds = table.rows.iter().filter_map(|row| match &row[at] {
                Cell::Missing => None,
                Cell::Text(_) => Some("string"),
                Cell::Integer(_) => Some("integer"),
                Cell::Number(_) => Some("number"),
            });
            kinds.next().unwrap_or("string")
        };
        let fields = table.columns.iter().enumerate().map(|(at, column)| (column.clone(), kind(at))).collect();
        Self { name, bytes, fields }
    }

    /// Codes, but for the person's selection probability.
    pub(crate) fn of_answers(bytes: &'a [u8], inputs: &SurveyInputs<'_>) -> Self {
        let codes = coded_columns(inputs.questionnaire).into_iter().map(|column| (column, "string"));
        let head = [("id".to_owned(), "string"), ("selection_probability".to_owned(), "number")];
        Self { name: ANSWERS_FILE, bytes, fields: head.into_iter().chain(codes).collect() }
    }

    fn to_json(&self) -> Value {
        let fields: Vec<Value> = self.fields.iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect();
        json!({
            "name": self.name.trim_end_matches(".csv"),
            "path": self.name,
            "profile": "tabular-data-resource",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "bytes": self.bytes.len(),
            "hash": format!("sha256:{}", sha256_hex(self.bytes)),
            "schema": {"fields": fields, "missingValues": [""]},
        })
    }
}

pub(crate) fn datapackage(inputs: &SurveyInputs<'_>, resources: &[Resource<'_>]) -> Vec<u8> {
    let package = json!({
        "profile": "tabular-data-package",
        "name": inputs.survey.code.to_lowercase(),
        "title": inputs.survey.title,
        "keywords": ["公民科学素质", "civic scientific literacy"],
        "resources": resources.iter().map(Resource::to_json).collect::<Vec<_>>(),
    });
    pretty(&package)
}
