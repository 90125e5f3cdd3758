//! What a statistics office does with a survey: the analysis plan, and the table of what it knows.

use serde_json::{Value, json};

use super::methods;
use crate::simulate::{SurveyColumns, Truth};
use crate::statistics::{DataTable, Plan};

/// Confidence level of the intervals.
pub(super) const LEVEL: f64 = 0.95;
const MARGINS: [&str; 5] = ["sex", "age_group", "education", "residence", "district"];

fn margins(truth: &Truth) -> Vec<Value> {
    let margin = |variable: &str| {
        let groups = truth.groups.iter().filter(|group| group.variable == variable);
        let cells: Vec<Value> =
            groups.map(|group| json!({ variable: group.level, "total": f64::from(group.persons) })).collect();
        json!({ "by": variable, "cells": cells })
    };
    MARGINS.into_iter().map(margin).collect()
}

/// The plan for the share in one kind of domain; `city` is everybody.
pub(super) fn plan(truth: &Truth, domain: &str) -> Plan {
    let by = if domain == "city" { Value::Null } else { Value::from(domain) };
    let plan = json!({
        "data": { "file": "survey.csv" },
        "pre_adjustments": [
            { "type": "base_weight", "probabilities": ["prob_psu", "prob_household"], "result": "w_base" },
            { "type": "nonresponse_class", "weight": "w_base", "status": "status", "respondent": "complete",
              "cells": ["district", "residence"], "result": "w_response", "drop_nonrespondents": true },
            { "type": "household", "weight": "w_response", "multiplier": "n_eligible", "result": "w_person" },
        ],
        "design": {
            "kind": "stages",
            "stages": [{ "unit": "psu", "stratum": "district", "population_units": null }],
            "weight": "w_person",
        },
        "adjustments": [{ "type": "calibrate", "distance": "raking", "margins": margins(truth) }],
        "variance": { "method": "taylor" },
        "estimator": { "type": "proportion", "variable": "literate", "by": by,
                       "ci": { "methods": methods(), "level": LEVEL } },
    });
    Plan::from_json(&plan.to_string()).expect("the plan is the same for every city but for its margins")
}

/// The rows that an office would have: traits and verdicts of respondents only.
pub(super) fn table(columns: &SurveyColumns) -> DataTable {
    let known = |values: &[&'static str]| -> Vec<Option<&'static str>> {
        values.iter().zip(&columns.responds).map(|(value, responds)| responds.then_some(*value)).collect()
    };
    let known_numbers = |values: &[f64]| -> Vec<f64> {
        let value = |(value, responds): (&f64, &bool)| if *responds { *value } else { f64::NAN };
        values.iter().zip(&columns.responds).map(value).collect()
    };
    let all = |values: &[&'static str]| values.iter().map(|value| Some(*value)).collect::<Vec<_>>();
    let status: Vec<_> = columns.responds.iter().map(|r| Some(if *r { "complete" } else { "nonresponse" })).collect();
    DataTable::new("survey.csv", columns.responds.len())
        .with_text("district", &all(&columns.district))
        .with_text("residence", &all(&columns.residence))
        .with_text("psu", &columns.psu.iter().map(Some).collect::<Vec<_>>())
        .with_text("status", &status)
        .with_numbers("prob_psu", columns.prob_psu.clone())
        .with_numbers("prob_household", columns.prob_household.clone())
        .with_numbers("n_eligible", known_numbers(&columns.n_eligible))
        .with_text("sex", &known(&columns.sex))
        .with_text("age_group", &known(&columns.age_group))
        .with_text("education", &known(&columns.education))
        .with_numbers("literate", known_numbers(&columns.literate))
}
