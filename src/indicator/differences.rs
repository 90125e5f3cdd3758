//! Differences between the groups of a variable: 城镇 minus 农村, 男 minus 女, each pair of ages and of educations.

use super::{
    IndicatorError, Label, SurveyInputs, plan,
    results::{Compared, Difference, Level},
    tables::{self, Variable},
};
use crate::statistics::{
    EstimateRow, Prepared, Quantity,
    plan::{Coefficient, Columns, Contrast, ContrastOf, Contrasts, EstimatorPlan},
};

/// Every pair of groups of every variable, the first group of the reporting order first.
pub(super) fn between_groups(
    inputs: &SurveyInputs<'_>,
    prepared: &Prepared,
) -> Result<Vec<Difference>, IndicatorError> {
    let mut all = Vec::new();
    for variable in tables::groups(inputs.questionnaire) {
        all.extend(of_variable(&variable, prepared)?);
    }
    Ok(all)
}

fn of_variable(variable: &Variable, prepared: &Prepared) -> Result<Vec<Difference>, IndicatorError> {
    let present: Vec<bool> = presence(variable, prepared)?;
    let pairs: Vec<(usize, usize)> = pairs(variable.levels.len()).collect();
    let estimable: Vec<(usize, usize)> = pairs.iter().copied().filter(|&(i, j)| present[i] && present[j]).collect();
    let contrasts = estimable.iter().map(|&(i, j)| contrast(variable, i, j)).collect::<Vec<_>>();
    let mut rows = if contrasts.is_empty() {
        Vec::new()
    } else {
        let by = Columns::one(&variable.column);
        let asked = Contrasts { variable: plan::LITERATE.to_owned(), by, of: ContrastOf::Mean, contrasts };
        prepared.estimate(&EstimatorPlan::Contrasts(asked))?.rows
    }
    .into_iter();
    let difference = |&(i, j): &(usize, usize)| Difference {
        variable: variable.column.clone(),
        label: variable.label.clone(),
        first: level(variable, i),
        second: level(variable, j),
        of: if present[i] && present[j] {
            rows.next().as_ref().map_or_else(Compared::default, compared)
        } else {
            Compared { not_estimable: Some(nobody()), ..Compared::default() }
        },
    };
    Ok(pairs.iter().map(difference).collect())
}

/// Which levels somebody with a weight has.
fn presence(variable: &Variable, prepared: &Prepared) -> Result<Vec<bool>, IndicatorError> {
    let categories = prepared.table().categories(&variable.column, "the differences")?;
    let mut seen = vec![false; categories.levels().len()];
    for (&code, &weight) in categories.codes().iter().zip(prepared.weights()) {
        if let Some(seen) = seen.get_mut(code as usize) {
            *seen |= weight > 0.0;
        }
    }
    let found = |code: &str| categories.code_of(code).is_some_and(|at| seen[at as usize]);
    Ok(variable.levels.iter().map(|(code, _)| found(code)).collect())
}

fn pairs(levels: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..levels).flat_map(move |i| (i + 1..levels).map(move |j| (i, j)))
}

fn contrast(variable: &Variable, i: usize, j: usize) -> Contrast {
    let (first, second) = (&variable.levels[i].0, &variable.levels[j].0);
    let term = |key: &String, coefficient| Coefficient { key: key.clone(), coefficient };
    Contrast::Linear { name: format!("{first} - {second}"), coefficients: vec![term(first, 1.0), term(second, -1.0)] }
}

fn level(variable: &Variable, at: usize) -> Level {
    let (code, label) = &variable.levels[at];
    Level { code: code.clone(), label: label.clone() }
}

pub(super) fn nobody() -> Label {
    Label::new("其中一个群体在样本中没有人", "nobody of one of the groups is in the sample")
}

fn compared(row: &EstimateRow) -> Compared {
    let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
    let p_value = row.others.iter().find_map(|(name, value)| match value {
        Quantity::Number(number) if *name == "p_value" => Some(*number),
        _ => None,
    });
    Compared {
        estimate: finite(row.estimate),
        se: finite(row.se),
        df: finite(row.df),
        ci: row.interval("t").filter(|ends| ends.iter().all(|end| end.is_finite())),
        p_value: finite(p_value),
        not_estimable: row.not_estimable.map(super::estimates::reason),
    }
}
