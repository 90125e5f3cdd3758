//! `scores.csv` and `items.csv`: the score behind the indicator, and the items behind the score.

use super::{Cell, Table};
use crate::indicator::results::{PointsMean, ResultTable, Results};

/// Mean score, dimensions, tiers and distribution.
pub(super) fn scores(results: &Results) -> Table {
    let mut table = Table::new([
        "table",
        "level",
        "label",
        "maximum",
        "n",
        "estimate",
        "se",
        "df",
        "ci_lower",
        "ci_upper",
        "not_estimable",
        "profile",
    ]);
    let profile = profile(results);
    let scores = &results.scores;
    let whole = scores.mean.iter().map(|mean| ("score", mean));
    for (kind, mean) in whole.chain(scores.dimensions.iter().map(|mean| ("dimension", mean))) {
        table.push(mean_cells(kind, mean, &profile));
    }
    for of in [&scores.tiers, &scores.distribution] {
        share_cells(of, &profile).into_iter().for_each(|cells| table.push(cells));
    }
    table
}

fn profile(results: &Results) -> String {
    format!("{} {}", results.profile.id, results.profile.version)
}

fn mean_cells(kind: &str, mean: &PointsMean, profile: &str) -> Vec<Cell> {
    let label = mean.label.as_ref().map(|label| label.zh.as_str());
    let mut cells = vec![kind.into(), mean.code.as_str().into(), Cell::text(label)];
    cells.extend([Cell::Number(mean.maximum), mean.n.into()]);
    let (lower, upper) = (mean.ci.map(|ci| ci[0]), mean.ci.map(|ci| ci[1]));
    cells.extend([mean.estimate, mean.se, mean.df, lower, upper].map(Cell::number));
    cells.extend([Cell::text(mean.not_estimable.as_ref().map(|why| why.en.as_str())), profile.into()]);
    cells
}

fn share_cells(of: &ResultTable, profile: &str) -> Vec<Vec<Cell>> {
    let row = |row: &crate::indicator::results::ResultRow| {
        let level = row.domain.values().next().map(String::as_str);
        let label = row.labels.first().map(|label| label.zh.as_str());
        let mut cells = vec![
            of.id.as_str().into(),
            Cell::text(level),
            Cell::text(label),
            Cell::Missing,
            row.n.map_or(Cell::Missing, Cell::from),
        ];
        let (lower, upper) = (row.ci.map(|ci| ci[0]), row.ci.map(|ci| ci[1]));
        cells.extend([row.estimate, row.se, row.df, lower, upper].map(Cell::number));
        cells.extend([Cell::text(row.not_estimable.as_ref().map(|why| why.en.as_str())), profile.into()]);
        cells
    };
    of.rows.iter().map(row).collect()
}

/// One row an item that counts. The right answer is in no column.
pub(super) fn items(results: &Results) -> Table {
    let mut table = Table::new([
        "number",
        "item",
        "text",
        "dimension",
        "dimension_label",
        "n",
        "right",
        "dont_know",
        "refused",
        "discrimination",
        "profile",
    ]);
    let profile = profile(results);
    for item in &results.items {
        let mut cells = vec![item.number.into(), item.item.as_str().into()];
        cells.push(Cell::text(item.text.as_ref().map(|text| text.zh.as_str())));
        cells.push(Cell::text(item.dimension.as_deref()));
        cells.push(Cell::text(item.dimension_label.as_ref().map(|label| label.zh.as_str())));
        cells.push(item.n.into());
        cells.extend([item.right, item.dont_know, item.refused, item.discrimination].map(Cell::number));
        cells.push(profile.as_str().into());
        table.push(cells);
    }
    table
}
