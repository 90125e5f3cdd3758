//! The tables of a run: one row a cell, empty cells included.

use super::{
    IndicatorError, Label, SurveyInputs,
    files::Target,
    plan,
    results::{ResultRow, ResultTable, TargetVerdict},
    tables::{self, Variable},
    watch::Stage,
};
use crate::statistics::{
    EstimateRow, NotEstimable, Prepared,
    interval::{Interval, Proportion},
    verdict,
};
use std::collections::BTreeMap;

/// City, districts, groups, key groups, and districts by each group.
pub(super) fn tables(inputs: &SurveyInputs<'_>, prepared: &Prepared) -> Result<Vec<ResultTable>, IndicatorError> {
    let district = tables::district(inputs);
    let groups = tables::groups(inputs.questionnaire);
    // The city, the districts and the key groups besides two tables a group.
    let begin = |done: usize| inputs.options.watch.at(Stage::Estimating, done, 2 * groups.len() + 3);
    begin(0)?;
    let mut all = vec![city(inputs, prepared)?, crossing(inputs, prepared, &[&district])?];
    for group in &groups {
        begin(all.len())?;
        all.push(crossing(inputs, prepared, &[group])?);
    }
    let key_groups = key_groups(inputs, prepared)?;
    if !key_groups.rows.is_empty() {
        all.push(key_groups);
    }
    for group in &groups {
        begin(all.len())?;
        all.push(crossing(inputs, prepared, &[&district, group])?);
    }
    Ok(all)
}

fn city(inputs: &SurveyInputs<'_>, prepared: &Prepared) -> Result<ResultTable, IndicatorError> {
    let estimates = prepared.estimate(&plan::share_by(&[]))?.rows;
    let region = inputs.regions.root();
    let name = region.map_or_else(|| Label::same(&inputs.survey.place), |region| region.name.clone());
    let mut row = row_of(estimates.first(), BTreeMap::new(), vec![name]);
    judge(&mut row, &inputs.targets.targets, region.map(|region| region.code.as_str()));
    Ok(ResultTable {
        id: "city".to_owned(), by: Vec::new(), label: Label::new("全市", "Whole area"), rows: vec![row]
    })
}

fn crossing(
    inputs: &SurveyInputs<'_>,
    prepared: &Prepared,
    variables: &[&Variable],
) -> Result<ResultTable, IndicatorError> {
    let by: Vec<&str> = variables.iter().map(|variable| variable.column.as_str()).collect();
    let estimates = by_levels(prepared, &by)?;
    let rows = cells(variables).into_iter().map(|cell| {
        let levels: Vec<String> = cell.iter().map(|(level, _)| level.clone()).collect();
        let domain = by.iter().map(|&column| column.to_owned()).zip(levels.iter().cloned()).collect();
        let labels = cell.iter().map(|(_, label)| label.clone()).collect();
        let mut row = row_of(estimates.get(&levels), domain, labels);
        if by == ["district"] {
            judge(&mut row, &inputs.targets.targets, Some(&levels[0]));
        }
        row
    });
    Ok(ResultTable {
        id: by.join("_by_"),
        by: by.iter().map(|&column| column.to_owned()).collect(),
        label: crossed_label(variables),
        rows: rows.collect(),
    })
}

fn crossed_label(variables: &[&Variable]) -> Label {
    let join = |text: fn(&Variable) -> &str| variables.iter().map(|v| text(v)).collect::<Vec<_>>().join(" × ");
    Label { zh: join(|variable| &variable.label.zh), en: join(|variable| &variable.label.en) }
}

/// Every combination of levels, the first variable slowest.
fn cells<'a>(variables: &[&'a Variable]) -> Vec<Vec<&'a (String, Label)>> {
    variables.iter().fold(vec![Vec::new()], |cells, variable| {
        let longer = |cell: &Vec<&'a (String, Label)>| {
            let cell = cell.clone();
            variable.levels.iter().map(move |level| cell.iter().copied().chain([level]).collect()).collect::<Vec<_>>()
        };
        cells.iter().flat_map(longer).collect()
    })
}

fn key_groups(inputs: &SurveyInputs<'_>, prepared: &Prepared) -> Result<ResultTable, IndicatorError> {
    let mut rows = Vec::new();
    for (column, code, label) in tables::key_groups(inputs.questionnaire) {
        let estimates = by_levels(prepared, &[&column])?;
        let domain = BTreeMap::from([(tables::KEY_GROUP.to_owned(), code)]);
        rows.push(row_of(estimates.get(&vec!["1".to_owned()]), domain, vec![label]));
    }
    Ok(ResultTable {
        id: tables::KEY_GROUP.to_owned(),
        by: vec![tables::KEY_GROUP.to_owned()],
        label: Label::new("重点人群", "Key groups"),
        rows,
    })
}

fn by_levels(prepared: &Prepared, by: &[&str]) -> Result<BTreeMap<Vec<String>, EstimateRow>, IndicatorError> {
    let rows = prepared.estimate(&plan::share_by(by))?.rows;
    Ok(rows.into_iter().map(|row| (row.domain.iter().map(|(_, level)| level.label()).collect(), row)).collect())
}

fn row_of(estimate: Option<&EstimateRow>, domain: BTreeMap<String, String>, labels: Vec<Label>) -> ResultRow {
    row_by(estimate, "logit", domain, labels)
}

/// A row whose interval is by this method.
pub(super) fn row_by(
    estimate: Option<&EstimateRow>,
    interval: &str,
    domain: BTreeMap<String, String>,
    labels: Vec<Label>,
) -> ResultRow {
    let Some(estimate) = estimate else {
        let why = Label::new("样本中没有这一群体的人", "nobody of this group is in the sample");
        return ResultRow { domain, labels, n: Some(0), not_estimable: Some(why), ..ResultRow::default() };
    };
    let n = estimate.n.unwrap_or(0);
    let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
    let deff = finite(estimate.deff_wr);
    ResultRow {
        domain,
        labels,
        n: Some(n),
        population: finite(estimate.n_hat),
        estimate: finite(estimate.estimate),
        se: finite(estimate.se),
        df: finite(estimate.df),
        ci: estimate.interval(interval).filter(|ends| ends.iter().all(|end| end.is_finite())),
        deff,
        effective_n: deff.filter(|deff| *deff > 0.0).map(|deff| n as f64 / deff),
        not_estimable: estimate.not_estimable.map(reason),
        verdicts: Vec::new(),
        ..ResultRow::default()
    }
}

pub(super) fn reason(reason: NotEstimable) -> Label {
    let zh = match reason {
        NotEstimable::EmptyDomain => "样本中没有这一群体的人",
        NotEstimable::NoDegreesOfFreedom => "自由度为 0：每层只有一个初级单元，不能估计误差",
        NotEstimable::Boundary => "样本中的比例为 0 或 1，不能给出区间",
        NotEstimable::ZeroVariance => "估计的方差为 0，不能给出区间",
        NotEstimable::ZeroDenominator => "分母为 0",
        NotEstimable::LonelyPsu => "某一层在这一群体中只有一个初级单元，不能估计误差",
    };
    Label::new(zh, &reason.to_string())
}

fn judge(row: &mut ResultRow, targets: &[Target], region: Option<&str>) {
    let (Some([low, high]), Some(estimate), Some(standard_error), Some(df), Some(n)) =
        (row.ci, row.estimate, row.se, row.df, row.n)
    else {
        return;
    };
    let share = Proportion { estimate, standard_error, df, n: n as f64, logit_standard_error: None };
    let of_region = targets.iter().filter(|target| Some(target.region.as_str()) == region);
    row.verdicts = of_region
        .map(|target| {
            let said = verdict::judge(&share, Some(Interval { low, high }), target.value);
            TargetVerdict { target: target.id.clone(), verdict: said.verdict, probability_met: said.probability_met }
        })
        .collect();
}
