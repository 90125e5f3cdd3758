//! A whole analysis from plan to answer: what `scilit estimate` prints.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Answer, DataTable, Plan, Prepared, StatisticsError,
    estimate::number_json,
    plan::{EstimatorPlan, PreAdjustment},
    prepare,
    weighting::nonresponse::PreStep,
};

/// The answer to a plan, in the shape that plans promise: `design`, `rows`, and what the estimator and the weight
/// steps say beside them.
///
/// # Errors
/// As [`prepare`] and [`Prepared::estimate`]; [`StatisticsError::Plan`] for a plan without an estimator.
pub fn analyse(plan: &Plan, table: &DataTable, files: &BTreeMap<String, DataTable>) -> Result<Value, StatisticsError> {
    match estimator(plan)? {
        EstimatorPlan::FayHerriot(model) => {
            Ok(Value::Object(with_rows(Map::new(), &super::estimate::fay_herriot(model, table)?)))
        }
        _ => {
            let prepared = prepare(plan, table, files)?;
            Ok(answer(plan, &prepared, &estimates(plan, &prepared)?))
        }
    }
}

fn estimator(plan: &Plan) -> Result<&EstimatorPlan, StatisticsError> {
    plan.estimator.as_ref().ok_or_else(|| StatisticsError::plan("estimator", "the plan has none"))
}

/// What the plan's estimator finds in a prepared sample.
///
/// # Errors
/// As [`Prepared::estimate`]; [`StatisticsError::Plan`] for a plan without an estimator.
pub fn estimates(plan: &Plan, prepared: &Prepared) -> Result<Answer, StatisticsError> {
    prepared.estimate(estimator(plan)?)
}

/// The document that answers a plan.
pub fn answer(plan: &Plan, prepared: &Prepared, estimated: &Answer) -> Value {
    let mut answer = Map::new();
    for (step, made) in plan.pre_adjustments.iter().zip(prepared.pre_steps()) {
        add_pre_step(&mut answer, step, made);
    }
    answer.insert("design".to_owned(), design(prepared));
    if plan.expect_weights {
        answer.insert("weights".to_owned(), prepared.weights().iter().map(|w| number_json(*w)).collect());
    }
    Value::Object(with_rows(answer, estimated))
}

fn with_rows(mut answer: Map<String, Value>, estimated: &Answer) -> Map<String, Value> {
    answer.extend(estimated.extra.clone());
    answer.insert("rows".to_owned(), estimated.rows.iter().map(super::EstimateRow::json).collect());
    answer
}

fn design(prepared: &Prepared) -> Value {
    let summary = prepared.summary();
    let mut design = Map::new();
    design.insert("n".to_owned(), Value::from(summary.n));
    design.insert("sum_of_weights".to_owned(), number_json(summary.sum_of_weights));
    design.insert("df".to_owned(), number_json(summary.df));
    if let Some((replicates, scale, rscales)) = &summary.replicates {
        design.insert("replicates".to_owned(), Value::from(*replicates));
        design.insert("scale".to_owned(), number_json(*scale));
        let several: Value = rscales.iter().map(|r| number_json(*r)).collect();
        design.insert("rscales_unique".to_owned(), if rscales.len() == 1 { number_json(rscales[0]) } else { several });
    }
    design.insert("weight_min".to_owned(), number_json(summary.weight_min));
    design.insert("weight_max".to_owned(), number_json(summary.weight_max));
    design.insert("kish_deff".to_owned(), number_json(summary.kish_deff));
    Value::Object(design)
}

fn add_pre_step(answer: &mut Map<String, Value>, step: &PreAdjustment, made: &PreStep) {
    match step {
        PreAdjustment::NonresponseClass(plan) => {
            let factor = |line: &super::weighting::MarginLine| {
                let labels = line.category.split(" × ").map(Value::from);
                let mut cell: Map<String, Value> = plan.cells.iter().cloned().zip(labels).collect();
                cell.insert("factor".to_owned(), json!(line.factor));
                Value::Object(cell)
            };
            let factors = made.step.diagnostics.margins.iter().map(factor).collect();
            answer.insert("nonresponse_factors".to_owned(), factors);
        }
        PreAdjustment::NonresponsePropensity(_) => {
            let by_term: Map<String, Value> =
                made.coefficients.iter().map(|(term, value)| (term.clone(), json!(value))).collect();
            answer.insert("propensity_coefficients".to_owned(), Value::Object(by_term));
            answer.insert("propensity_range".to_owned(), json!(made.propensity_range));
        }
        _ => {}
    }
}
