//! The public table of a released run.

use super::{Cell, Table, to_csv};
use crate::indicator::results::{Compared, ResultRow, ResultTable, Results};
use std::iter::once;

/// What stands where a number is withheld.
pub const WITHHELD: &str = "✱";

/// The public table as CSV: one row a domain, a difference or a change, withheld ones with ✱ and the reason.
#[must_use]
pub fn public_indicator_csv(results: &Results) -> Vec<u8> {
    let targets = &results.targets;
    let fixed = [
        "table",
        "variable_1",
        "level_1",
        "label_1",
        "variable_2",
        "level_2",
        "label_2",
        "base",
        "population",
        "estimate",
        "ci_lower",
        "ci_upper",
        "p_value",
        "model_estimate",
        "model_ci_lower",
        "model_ci_upper",
        "flag",
        "withheld",
        "not_estimable",
    ];
    let verdicts = targets.iter().map(|target| format!("verdict_{}", target.id));
    let mut table =
        Table::new(fixed.map(str::to_owned).into_iter().chain(verdicts).chain(["profile", "rules"].map(str::to_owned)));
    let profile = format!("{} {}", results.profile.id, results.profile.version);
    let rules = results.release.as_ref().map_or("", |release| release.rules.as_str());
    let tail = || [Cell::from(profile.as_str()), Cell::from(rules)];
    for of in &results.tables {
        for row in &of.rows {
            let verdict = |id: &String| row.verdicts.iter().find(|verdict| verdict.target == *id);
            let verdicts = targets.iter().map(|target| Cell::text(verdict(&target.id).map(|of| of.verdict.code())));
            table.push(domain(of, row).into_iter().chain(estimate(row)).chain(verdicts).chain(tail()).collect());
        }
    }
    for row in compared(results) {
        let blank = targets.iter().map(|_| Cell::Missing);
        table.push(row.into_iter().chain(blank).chain(tail()).collect());
    }
    to_csv(&table)
}

fn domain(table: &ResultTable, row: &ResultRow) -> Vec<Cell> {
    let place = |at: usize| match table.by.get(at) {
        None => [Cell::Missing, Cell::Missing, Cell::Missing],
        Some(variable) => {
            let level = row.domain.get(variable).map(String::as_str);
            let label = row.labels.get(at).map(|label| label.zh.as_str());
            [variable.as_str().into(), Cell::text(level), Cell::text(label)]
        }
    };
    once(Cell::from(table.id.as_str())).chain(place(0)).chain(place(1)).collect()
}

fn estimate(row: &ResultRow) -> Vec<Cell> {
    if let Some(reason) = &row.withheld {
        let star = Cell::from(WITHHELD);
        let mut cells = vec![star.clone(), star.clone(), star.clone(), star.clone(), star];
        cells.extend(std::iter::repeat_n(Cell::Missing, 5));
        cells.extend([reason.as_str().into(), why(row.not_estimable.as_ref())]);
        return cells;
    }
    let model = row.model.as_ref();
    let mut cells = vec![Cell::text(row.base.as_deref())];
    cells
        .extend([row.population, row.estimate, row.ci.map(|ci| ci[0]), row.ci.map(|ci| ci[1]), None].map(Cell::number));
    let of_model = [model.map(|of| of.estimate), model.map(|of| of.ci[0]), model.map(|of| of.ci[1])];
    cells.extend(of_model.map(Cell::number));
    cells.extend([Cell::text(row.caution.then_some("仅供参考")), Cell::Missing, why(row.not_estimable.as_ref())]);
    cells
}

fn why(reason: Option<&crate::indicator::Label>) -> Cell {
    Cell::text(reason.map(|reason| reason.zh.as_str()))
}

/// Differences between groups and changes since the earlier wave.
fn compared(results: &Results) -> Vec<Vec<Cell>> {
    let difference = results.differences.iter().map(|of| {
        let level = |level: &crate::indicator::results::Level| {
            [of.variable.as_str().into(), level.code.as_str().into(), level.label.zh.as_str().into()]
        };
        let name = once(Cell::from(format!("difference_{}", of.variable).as_str()));
        name.chain(level(&of.first)).chain(level(&of.second)).chain(numbers(&of.of)).collect()
    });
    let change = results.changes.iter().flat_map(|changes| &changes.rows).map(|of| {
        let level = of.domain.iter().next();
        let label = of.labels.first().map(|label| label.zh.as_str());
        let place = [
            Cell::text(level.map(|(variable, _)| variable.as_str())),
            Cell::text(level.map(|(_, code)| code.as_str())),
        ];
        let name = once(Cell::from(format!("change_{}", of.table).as_str()));
        let rest = [Cell::text(label), Cell::Missing, Cell::Missing, Cell::Missing];
        name.chain(place).chain(rest).chain(numbers(&of.of)).collect()
    });
    difference.chain(change).collect()
}

fn numbers(of: &Compared) -> Vec<Cell> {
    let mut cells = vec![Cell::Missing, Cell::Missing];
    let hidden = of.not_estimable.as_ref().is_some_and(|reason| reason.zh.starts_with(WITHHELD));
    let found = [of.estimate, of.ci.map(|ci| ci[0]), of.ci.map(|ci| ci[1]), of.p_value];
    cells.extend(found.map(|number| if hidden { WITHHELD.into() } else { Cell::number(number) }));
    cells.extend(std::iter::repeat_n(Cell::Missing, 5));
    cells.push(why(of.not_estimable.as_ref()));
    cells
}
