//! The score behind the indicator: its mean and those of its dimensions, the tiers, and its distribution.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    IndicatorError, Label, SurveyInputs,
    cases::CaseRecord,
    estimates, plan,
    results::{ResultRow, ResultTable},
    tables,
};
use crate::{
    instrument::{
        Questionnaire,
        scoring::{CutComparison, Points, ProfileDefinition, Score, ScoringProfile},
    },
    statistics::{
        DataTable, EstimateRow, Prepared,
        plan::{CiPlan, Columns, EstimatorPlan, IntervalMethod, Moment},
    },
};

/// Bands of the distribution, all as wide.
///
/// Ten: of 100 points each holds as many possible scores, whether an item gives 1, 2 or 2.5 of them.
const BANDS: u32 = 10;

/// The variable of the tiers' table.
const TIER: &str = "tier";
/// The variable of the distribution's table.
const BAND: &str = "score_band";
/// The score itself.
const SCORE: &str = "score";

/// What is known of the score. A profile without tiers or dimensions leaves those empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreSummary {
    /// The mean of the whole score.
    pub mean: Option<PointsMean>,
    /// The mean of each dimension, in the profile's order.
    pub dimensions: Vec<PointsMean>,
    /// The share that reaches each tier, from low to high; tiers are cumulative.
    pub tiers: ResultTable,
    /// The share in each band of the score.
    pub distribution: ResultTable,
}

/// A mean number of points. An absent number stays absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PointsMean {
    /// The dimension; `score` for the whole.
    pub code: String,
    /// Its name.
    pub label: Option<Label>,
    /// The points of a person who answers everything right.
    pub maximum: f64,
    /// Used responses.
    pub n: usize,
    /// The mean.
    pub estimate: Option<f64>,
    /// Standard error.
    pub se: Option<f64>,
    /// Degrees of freedom.
    pub df: Option<f64>,
    /// t interval at the method's level.
    pub ci: Option<[f64; 2]>,
    /// Why there is no mean or no interval.
    pub not_estimable: Option<Label>,
}

/// The rows with the columns that these estimates need. No name of a questionnaire's column has a slash.
pub(super) fn with_columns(table: DataTable, profile: &ScoringProfile, records: &[CaseRecord<'_>]) -> DataTable {
    let definition = profile.definition();
    let mut table = table.with_numbers(SCORE, numbers(records, |score| score.points.as_f64()));
    for (at, dimension) in definition.dimensions.iter().enumerate() {
        let points = numbers(records, |score| score.dimensions.get(at).map_or(f64::NAN, |d| d.points.as_f64()));
        table = table.with_numbers(column(SCORE, &dimension.code), points);
    }
    for tier in &definition.tiers {
        let reaches = |score: &Score| f64::from(definition.comparison.reaches(score.points, tier.cut));
        table = table.with_numbers(column(TIER, &tier.code), numbers(records, reaches));
    }
    for band in 0..BANDS {
        let is_in = |score: &Score| f64::from(band_of(score.points, definition.maximum) == band);
        table = table.with_numbers(column(BAND, &band.to_string()), numbers(records, is_in));
    }
    table
}

fn numbers(records: &[CaseRecord<'_>], of: impl Fn(&Score) -> f64) -> Vec<f64> {
    let score = |record: &CaseRecord<'_>| {
        let score = record.outcome.as_ref().filter(|_| record.is_used()).and_then(|outcome| outcome.score());
        score.map_or(f64::NAN, &of)
    };
    records.iter().map(score).collect()
}

fn column(kind: &str, code: &str) -> String {
    format!("{kind}/{code}")
}

/// The last band holds the maximum, too.
pub(crate) fn band_of(points: Points, maximum: Points) -> u32 {
    let (points, maximum) = (u64::from(points.hundredths()), u64::from(maximum.hundredths()));
    u32::try_from(points * u64::from(BANDS) / maximum).unwrap_or(BANDS).min(BANDS - 1)
}

/// Estimates the means and shares.
pub(super) fn summary(inputs: &SurveyInputs<'_>, prepared: &Prepared) -> Result<ScoreSummary, IndicatorError> {
    let definition = inputs.profile.definition();
    let whole = Label::new("总分", "Total score");
    let mut dimensions = Vec::new();
    for dimension in &definition.dimensions {
        let label = dimension_label(inputs.questionnaire, definition, &dimension.code);
        let points = mean(prepared, &column(SCORE, &dimension.code), &dimension.code, label, dimension.maximum)?;
        dimensions.push(points);
    }
    Ok(ScoreSummary {
        mean: Some(mean(prepared, SCORE, SCORE, whole, definition.maximum)?),
        dimensions,
        tiers: tiers(prepared, definition)?,
        distribution: distribution(prepared, definition.maximum)?,
    })
}

/// The name of a dimension of the profile, as the questionnaire's scheme has it.
pub(super) fn dimension_label(questionnaire: &Questionnaire, profile: &ProfileDefinition, code: &str) -> Label {
    let schemes = &questionnaire.definition().schemes;
    let scheme = schemes.iter().find(|scheme| Some(&scheme.id) == profile.scheme.as_ref());
    let dimension = scheme.and_then(|scheme| scheme.dimensions.iter().find(|dimension| dimension.code == code));
    dimension.map_or_else(|| Label::same(code), |dimension| tables::label_of(&dimension.label))
}

fn mean(
    prepared: &Prepared,
    column: &str,
    code: &str,
    label: Label,
    maximum: Points,
) -> Result<PointsMean, IndicatorError> {
    let ci = Some(CiPlan { methods: vec![IntervalMethod::T], level: plan::LEVEL, df: None });
    let asked = Moment { variable: column.to_owned(), by: Columns::default(), ci, deff: false };
    let rows = prepared.estimate(&EstimatorPlan::Mean(asked))?.rows;
    let row = estimates::row_by(rows.first(), "t", BTreeMap::new(), Vec::new());
    let ResultRow { n, estimate, se, df, ci, not_estimable, .. } = row;
    let n = n.unwrap_or(0);
    let (code, maximum) = (code.to_owned(), maximum.as_f64());
    Ok(PointsMean { code, label: Some(label), maximum, n, estimate, se, df, ci, not_estimable })
}

fn tiers(prepared: &Prepared, profile: &ProfileDefinition) -> Result<ResultTable, IndicatorError> {
    let mut rows = Vec::new();
    for tier in &profile.tiers {
        let (name, cut) = (tables::label_of(&tier.label), tier.cut);
        let label = match profile.comparison {
            CutComparison::AtLeast => Label {
                zh: format!("{}（{cut} 分及以上）", name.zh),
                en: format!("{} ({cut} points or more)", name.en),
            },
            CutComparison::Above => Label {
                zh: format!("{}（高于 {cut} 分）", name.zh),
                en: format!("{} (above {cut} points)", name.en),
            },
        };
        rows.push(share(prepared, TIER, &tier.code, label)?);
    }
    Ok(table_of(TIER, Label::new("素质层级（累计）", "Tiers (cumulative)"), rows))
}

fn distribution(prepared: &Prepared, maximum: Points) -> Result<ResultTable, IndicatorError> {
    let edge = |band: u32| maximum.as_f64() * f64::from(band) / f64::from(BANDS);
    let mut rows = Vec::new();
    for band in 0..BANDS {
        let (from, to) = (edge(band), edge(band + 1));
        let label = if band + 1 < BANDS {
            Label { zh: format!("{from} 至不满 {to} 分"), en: format!("{from} to below {to}") }
        } else {
            Label { zh: format!("{from} 至 {to} 分"), en: format!("{from} to {to}") }
        };
        rows.push(share(prepared, BAND, &band.to_string(), label)?);
    }
    Ok(table_of(BAND, Label::new("得分分布", "Distribution of the score"), rows))
}

fn share(prepared: &Prepared, kind: &str, code: &str, label: Label) -> Result<ResultRow, IndicatorError> {
    let asked = Moment { variable: column(kind, code), ..plan::share_moment(&[]) };
    let rows: Vec<EstimateRow> = prepared.estimate(&EstimatorPlan::Proportion(asked))?.rows;
    let domain = BTreeMap::from([(kind.to_owned(), code.to_owned())]);
    Ok(estimates::row_by(rows.first(), "logit", domain, vec![label]))
}

fn table_of(variable: &str, label: Label, rows: Vec<ResultRow>) -> ResultTable {
    ResultTable { id: variable.to_owned(), by: vec![variable.to_owned()], label, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_on_an_edge_belongs_to_the_band_that_begins_there_and_the_maximum_to_the_last() {
        let maximum = Points::from_hundredths(10_000);
        let band = |hundredths| band_of(Points::from_hundredths(hundredths), maximum);
        assert_eq!([0, 999, 1_000, 6_999, 7_000, 9_999, 10_000].map(band), [0, 0, 1, 6, 7, 9, 9]);
    }
}
