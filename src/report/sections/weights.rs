//! The weights: each step, and the margins before and after raking.

use super::{At, Section, format, table};
use crate::indicator::results::{WeightMargin, WeightStepSummary};

/// Steps and margins.
pub(super) fn weights(at: &At<'_>) -> Section {
    let weights = &at.results.weights;
    let columns = vec![
        at.name("步骤", "Step"),
        at.number("个案数", "n"),
        at.number("权数合计", "Sum"),
        at.number("最小", "Smallest"),
        at.number("最大", "Largest"),
        at.number("不等权设计效应", "Kish's deff"),
    ];
    let step = |step: &WeightStepSummary| {
        vec![
            at.language.say(&step.label).to_owned(),
            format::count(step.n),
            format::decimal(Some(step.sum), 1),
            format::decimal(Some(step.min), 2),
            format::decimal(Some(step.max), 2),
            format::decimal(Some(step.kish_deff), 2),
        ]
    };
    let steps = weights.steps.iter().map(step).collect();
    let mut blocks = vec![table("weight_steps", at.pick("加权步骤", "Weighting steps"), columns, steps)];
    if let Some(rake) = weights.steps.iter().find(|step| step.id == "rake" && !step.margins.is_empty()) {
        let columns = vec![
            at.name("变量", "Variable"),
            at.name("类别", "Category"),
            at.number("样本量", "n"),
            at.number("校准前", "Before"),
            at.number("目标总数", "Target"),
            at.number("校准后", "After"),
            at.number("系数", "Factor"),
        ];
        let rows = rake.margins.iter().map(|line| margin(at, line)).collect();
        blocks.push(table("margins", at.pick("人口边际校准前后", "Margins before and after raking"), columns, rows));
    }
    at.section("weights", "权数诊断", "Weights", blocks)
}

fn margin(at: &At<'_>, line: &WeightMargin) -> Vec<String> {
    vec![
        at.language.say(&line.label).to_owned(),
        at.language.say(&line.level.label).to_owned(),
        format::count(line.n),
        format::decimal(Some(line.before), 0),
        format::decimal(line.target, 0),
        format::decimal(Some(line.after), 0),
        format::decimal(line.factor, 3),
    ]
}
