//! The weights of a run in summary: each step, and how far each of its classes and margins was moved.

use serde::{Deserialize, Serialize};

use super::{
    Label, SurveyInputs, plan,
    results::Level,
    tables::{self, Variable},
};
use crate::statistics::{
    Prepared,
    weighting::{MarginLine, WeightStep},
};

/// The final weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightSummary {
    /// Sum.
    pub sum: f64,
    /// Kish's design effect: 1 + CV².
    pub kish_deff: f64,
    /// Used responses over Kish's design effect.
    pub effective_n: f64,
    /// Each step in order.
    pub steps: Vec<WeightStepSummary>,
}

/// One weighting step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightStepSummary {
    /// Identifier: `base`, `nonresponse`, `persons`, `rake`.
    pub id: String,
    /// Name.
    pub label: Label,
    /// Units with a positive weight after it.
    pub n: usize,
    /// Sum of the weights after it.
    pub sum: f64,
    /// Smallest weight after it.
    pub min: f64,
    /// Largest weight after it.
    pub max: f64,
    /// Kish's design effect after it.
    pub kish_deff: f64,
    /// Its weighting classes, or the margins that it raked to.
    #[serde(default)]
    pub margins: Vec<WeightMargin>,
}

/// A class or a margin's category, before and after a weighting step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightMargin {
    /// The column.
    pub variable: String,
    /// Its name.
    pub label: Label,
    /// The category.
    pub level: Level,
    /// Respondents in it.
    pub n: usize,
    /// Sum of their weights before the step.
    pub before: f64,
    /// Sum of their weights after it.
    pub after: f64,
    /// The sum asked for, where there is one.
    pub target: Option<f64>,
    /// `after` over `before`.
    pub factor: Option<f64>,
}

/// Sum, Kish's design effect, and each step with its classes and margins.
pub(super) fn summary(inputs: &SurveyInputs<'_>, prepared: &Prepared) -> WeightSummary {
    let mut known = tables::groups(inputs.questionnaire);
    known.push(tables::district(inputs));
    let steps: Vec<_> = prepared.steps().iter().map(|step| step_summary(inputs, &known, step)).collect();
    let last = prepared.steps().last().map(|step| step.diagnostics.clone()).unwrap_or_default();
    WeightSummary { sum: last.sum, kish_deff: last.kish_deff, effective_n: last.effective_n, steps }
}

/// Margins in the order of reporting: raking takes them by code.
fn in_order(known: &[Variable], mut margins: Vec<WeightMargin>) -> Vec<WeightMargin> {
    let place = |margin: &WeightMargin| {
        let variable = known.iter().find(|variable| variable.column == margin.variable)?;
        variable.levels.iter().position(|(code, _)| *code == margin.level.code)
    };
    margins.chunk_by_mut(|a, b| a.variable == b.variable).for_each(|of| of.sort_by_key(|margin| place(margin)));
    margins
}

fn step_summary(inputs: &SurveyInputs<'_>, known: &[Variable], step: &WeightStep) -> WeightStepSummary {
    let (id, label) = step_name(&step.name);
    let about = &step.diagnostics;
    WeightStepSummary {
        id: id.to_owned(),
        label,
        n: about.n,
        sum: about.sum,
        min: about.weight_min,
        max: about.weight_max,
        kish_deff: about.kish_deff,
        margins: in_order(known, about.margins.iter().map(|line| margin(inputs, known, line)).collect()),
    }
}

fn margin(inputs: &SurveyInputs<'_>, known: &[Variable], line: &MarginLine) -> WeightMargin {
    let variable = known.iter().find(|variable| variable.column == line.margin);
    let label = match variable {
        Some(variable) => variable.label.clone(),
        None if line.margin == plan::WEIGHTING_CLASS => Label::new("权数调整组", "Weighting class"),
        None => Label::same(&line.margin),
    };
    let level = match variable.and_then(|variable| variable.levels.iter().find(|(code, _)| *code == line.category)) {
        Some((_, label)) => label.clone(),
        None if line.margin == plan::WEIGHTING_CLASS => class_name(inputs, known, &line.category),
        None => Label::same(&line.category),
    };
    WeightMargin {
        variable: line.margin.clone(),
        label,
        level: Level { code: line.category.clone(), label: level },
        n: line.n,
        before: line.before,
        after: line.after,
        target: line.target,
        factor: line.factor.or_else(|| (line.before > 0.0).then(|| line.after / line.before)),
    }
}

/// The name of a class: its district, and its residence unless the class takes in the whole district.
fn class_name(inputs: &SurveyInputs<'_>, known: &[Variable], class: &str) -> Label {
    let Some((district, residence)) = class.split_once('/') else { return inputs.regions.name(class) };
    let place = inputs.regions.name(district);
    let residences = known.iter().find(|variable| variable.column == "residence");
    let found = residences.and_then(|of| of.levels.iter().find(|(code, _)| code == residence));
    let kind = found.map_or_else(|| Label::same(residence), |(_, label)| label.clone());
    Label { zh: format!("{} · {}", place.zh, kind.zh), en: format!("{} · {}", place.en, kind.en) }
}

/// The identifier and the name that people see of a step of the plan.
#[must_use]
pub fn step_name(step: &str) -> (&str, Label) {
    match step {
        "base_weight" => ("base", Label::new("基础权数", "Base weight")),
        "unknown_eligibility" => ("eligibility", Label::new("资格未知户的分配", "Unknown eligibility")),
        "nonresponse_class" => ("nonresponse", Label::new("无应答调整", "Nonresponse adjustment")),
        "household" => ("persons", Label::new("户内抽选", "Within-household selection")),
        "calibrate" => ("rake", Label::new("边际校准", "Raking to margins")),
        other => (other, Label::same(other)),
    }
}
