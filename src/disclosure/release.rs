//! The public document of a run: its results with what is withheld taken out and what is shown made coarse.

use std::collections::BTreeMap;

use super::{
    Decision, Protection, Rules, RunCells, band,
    persons::{ReleaseFault, key_of},
    protect,
    rules::Reason,
};
use crate::indicator::{
    Label,
    results::{Change, Changes, Compared, ReleaseHead, ResultRow, Results},
};
use serde::{Deserialize, Serialize};

/// What a release had of a cell, kept beside it so that later ones can be held against it. It never leaves the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleasedCell {
    /// Respondents.
    pub n: u64,
    /// Literate respondents.
    pub literate: u64,
    /// Sum of their weights.
    pub weight: f64,
    /// Sum of the weights of the literate.
    pub literate_weight: f64,
    /// Whether it was shown.
    pub shown: bool,
    /// What became of it.
    pub decision: Decision,
}

/// A release: what everybody may read, and the cells behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// The public document.
    pub public: Results,
    /// Every cell of the tables by name.
    pub cells: BTreeMap<String, ReleasedCell>,
    /// Whether each block's choice is proven to withhold the fewest respondents.
    pub proven: Vec<bool>,
}

/// What of other runs is public already.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    /// Cells of the earlier releases of the same survey.
    pub same_survey: Vec<BTreeMap<String, ReleasedCell>>,
    /// The public document of the wave that the run is compared with.
    pub wave: Option<Results>,
}

/// Makes the release of a run from its results and its rows.
///
/// # Errors
/// Rows that cannot be read, or that are not those of the results.
pub fn release(results: &Results, rows: &[u8], earlier: &Earlier, rules: &Rules) -> Result<Release, ReleaseFault> {
    let cells = RunCells::of(results, rows, &earlier.same_survey)?;
    let Protection { decisions, proven, exposed } = protect(&cells.lattice, rules);
    if let Some(&cell) = exposed.first() {
        return Err(ReleaseFault::Exposed { cell: cells.lattice.cells[cell].key.clone() });
    }
    let of = |key: &str| cells.places.get(key).map(|&at| (&cells.lattice.cells[at], decisions[at]));
    let released: BTreeMap<String, ReleasedCell> = (cells.places.keys())
        .filter_map(|key| {
            let (cell, decision) = of(key)?;
            let &super::Cell { n, literate, weight, literate_weight, .. } = cell;
            let shown = !decision.is_withheld();
            Some((key.clone(), ReleasedCell { n, literate, weight, literate_weight, shown, decision }))
        })
        .collect();
    let public = Publisher { rules, cells: &released }.publish(results, earlier.wave.as_ref());
    Ok(Release { public, cells: released, proven })
}

struct Publisher<'a> {
    rules: &'a Rules,
    cells: &'a BTreeMap<String, ReleasedCell>,
}

impl Publisher<'_> {
    fn publish(&self, results: &Results, wave: Option<&Results>) -> Results {
        let mut public = results.clone();
        for table in &mut public.tables {
            let keys: Vec<String> = table.rows.iter().map(|row| key_of(table, row)).collect();
            for (row, key) in table.rows.iter_mut().zip(&keys) {
                self.row(row, key);
            }
        }
        for difference in &mut public.differences {
            let of = |level: &str| self.reason(&format!("{}/{level}", difference.variable));
            let reason = of(&difference.first.code).or_else(|| of(&difference.second.code));
            self.compared(&mut difference.of, reason);
        }
        public.changes = (public.changes.take()).and_then(|changes| self.changes(changes, wave));
        public.response_rates.retain(|row| row.district.is_none());
        self.summary(&mut public);
        let withheld = self.cells.values().filter(|cell| !cell.shown).count();
        public.release = Some(ReleaseHead {
            rules: self.rules.version.clone(),
            cells: self.cells.len(),
            withheld,
            percent_decimals: self.rules.share_decimals - 2,
        });
        public
    }

    fn reason(&self, key: &str) -> Option<Reason> {
        match self.cells.get(key).map(|cell| cell.decision) {
            Some(Decision::Withheld(reason)) => Some(reason),
            _ => None,
        }
    }

    fn row(&self, row: &mut ResultRow, key: &str) {
        let Some(cell) = self.cells.get(key) else { return };
        let (domain, labels) = (std::mem::take(&mut row.domain), std::mem::take(&mut row.labels));
        if let Decision::Withheld(reason) = cell.decision {
            let (withheld, why) = (Some(reason.code().to_owned()), Some(reason.label()));
            *row = ResultRow { domain, labels, withheld, not_estimable: why, ..ResultRow::default() };
            return;
        }
        let share = |value: Option<f64>| value.map(|value| self.share(value));
        let both = |ends: Option<[f64; 2]>| ends.map(|ends| ends.map(|end| self.share(end)));
        let mut verdicts = std::mem::take(&mut row.verdicts);
        for verdict in &mut verdicts {
            verdict.probability_met = verdict.probability_met.map(|p| rounded(p, 2));
        }
        *row = ResultRow {
            domain,
            labels,
            base: Some(band(cell.n)),
            caution: cell.decision == Decision::Caution,
            population: row.population.map(|persons| self.total(persons)),
            estimate: share(row.estimate),
            se: share(row.se),
            df: row.df,
            ci: both(row.ci),
            verdicts,
            not_estimable: row.not_estimable.take(),
            model: row.model.take().map(|mut model| {
                model.estimate = self.share(model.estimate);
                model.rmse = self.share(model.rmse);
                model.ci = model.ci.map(|end| self.share(end));
                model.synthetic = self.share(model.synthetic);
                model.model_share = rounded(model.model_share, 2);
                model
            }),
            ..ResultRow::default()
        };
    }

    /// A difference with a withheld share would give it away; one of two shown shares says no more than they do.
    fn compared(&self, of: &mut Compared, reason: Option<Reason>) {
        if let Some(reason) = reason {
            *of = Compared { not_estimable: Some(reason.label()), ..Compared::default() };
            return;
        }
        let share = |value: Option<f64>| value.map(|value| self.share(value));
        of.estimate = share(of.estimate);
        of.se = share(of.se);
        of.ci = of.ci.map(|ends| ends.map(|end| self.share(end)));
        of.p_value = of.p_value.map(|p| rounded(p, 3));
    }

    /// Changes since a wave that is not public would publish it; a change from a share that it withholds, too.
    fn changes(&self, mut changes: Changes, wave: Option<&Results>) -> Option<Changes> {
        let wave = wave.filter(|wave| wave.input_digest == changes.input_digest)?;
        for row in &mut changes.rows {
            let earlier = wave.tables.iter().find(|table| table.id == row.table);
            let earlier = earlier.and_then(|table| table.rows.iter().find(|of| of.domain == row.domain));
            let hidden_then = earlier.is_none_or(|of| of.withheld.is_some()).then_some(Reason::Complementary);
            let levels = row.domain.values().cloned();
            let key = std::iter::once(row.table.clone()).chain(levels).collect::<Vec<_>>().join("/");
            self.change(row, self.reason(&key).or(hidden_then), earlier.and_then(|of| of.estimate));
        }
        Some(changes)
    }

    fn change(&self, row: &mut Change, reason: Option<Reason>, earlier: Option<f64>) {
        self.compared(&mut row.of, reason);
        row.earlier = earlier.filter(|_| reason.is_none());
        row.later = row.later.filter(|_| reason.is_none()).map(|share| self.share(share));
    }

    /// What is told of sample and weights: the size of the whole, and no number of few persons.
    fn summary(&self, public: &mut Results) {
        let all: usize = public.sample.not_used.values().sum();
        public.sample.not_used = BTreeMap::from([("all".to_owned(), all)]);
        public.weights.steps.clear();
        // No rule is made for tiers, dimensions and items yet; what has no rule does not leave.
        public.scores = Default::default();
        public.items.clear();
        public.weights.sum = self.total(public.weights.sum);
        public.weights.kish_deff = rounded(public.weights.kish_deff, 2);
        public.weights.effective_n = rounded(public.weights.effective_n, 0);
        public.small_area.benchmark_factor = None;
        public.small_area.between_variance = public.small_area.between_variance.map(|variance| rounded(variance, 4));
        if public.small_area.not_fitted.is_some() {
            public.small_area.not_fitted = Some(Label::new("未拟合", "not fitted"));
        }
    }

    fn share(&self, value: f64) -> f64 {
        rounded(value, self.rules.share_decimals)
    }

    fn total(&self, persons: f64) -> f64 {
        (persons / self.rules.total_unit).round_ties_even() * self.rules.total_unit
    }
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = (0..decimals).fold(1.0, |scale, _| scale * 10.0);
    (value * scale).round_ties_even() / scale
}
