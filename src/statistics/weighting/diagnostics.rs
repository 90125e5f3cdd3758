//! What each weight step did, in numbers that a reviewer asks for.

use rayon::prelude::*;
use serde::Serialize;

use crate::statistics::data::MISSING;

/// One weight step: its factor for each row and the weight after it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightStep {
    /// The step's type in the plan, such as `nonresponse_class` or `rake`; the first is `design`.
    pub name: String,
    /// w / d for each row; 0 where the step gives the weight away, NaN where there was no weight.
    #[serde(skip)]
    pub factors: Vec<f64>,
    /// The weight after the step, for each row of the table that was read.
    #[serde(skip)]
    pub weights: Vec<f64>,
    /// The step's diagnostics.
    pub diagnostics: StepDiagnostics,
}

/// The diagnostics of a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StepDiagnostics {
    /// Rows with a positive weight after the step.
    pub n: usize,
    /// The sum of weights after it.
    pub sum: f64,
    /// The smallest positive weight.
    pub weight_min: f64,
    /// The largest weight.
    pub weight_max: f64,
    /// Factors of rows that keep a weight: minimum, 5 %, 25 %, 50 %, 75 %, 95 %, maximum.
    pub factor_quantiles: [f64; 7],
    /// Kish's design effect of the weights, 1 + CV².
    pub kish_deff: f64,
    /// n / Kish's design effect.
    pub effective_n: f64,
    /// Passes that an iterative step made.
    pub passes: usize,
    /// The largest relative difference between a total asked for and the weighted sample total.
    pub worst_residual: Option<f64>,
    /// Each margin category before and after, or each class with its factor.
    pub margins: Vec<MarginLine>,
    /// What a reader should know, such as cells of a standard that no respondent is in.
    pub notes: Vec<String>,
}

/// A margin's category, or a weighting class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarginLine {
    /// The columns, joined by ` × `.
    pub margin: String,
    /// The labels, joined by ` × `.
    pub category: String,
    /// Respondents in it.
    pub n: usize,
    /// The total asked for, where there is one.
    pub target: Option<f64>,
    /// The weighted total before the step.
    pub before: f64,
    /// The weighted total after it.
    pub after: f64,
    /// The class's common factor, where there is one.
    pub factor: Option<f64>,
}

/// Kish's design effect of unequal weights: n Σw² / (Σw)² over the weights that are not 0.
///
/// **Source**: Kish 1965; 1 + CV²(w).
///
/// ```
/// assert_eq!(scilit::statistics::weighting::kish_deff(&[1.0, 1.0, 0.0]), 1.0);
/// assert_eq!(scilit::statistics::weighting::kish_deff(&[1.0, 3.0]), 1.25);
/// ```
pub fn kish_deff(weights: &[f64]) -> f64 {
    weight_sums(weights).kish_deff()
}

/// What one pass over weights sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::statistics) struct WeightSums {
    /// How many are not 0.
    n: f64,
    /// The sum of their squares.
    squares: f64,
    /// Their sum.
    pub sum: f64,
    /// The smallest of all.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl WeightSums {
    pub fn kish_deff(&self) -> f64 {
        self.n * self.squares / (self.sum * self.sum)
    }
}

/// Sums the weights in chunks, folded in order, so that the sums do not depend on the threads.
pub(in crate::statistics) fn weight_sums(weights: &[f64]) -> WeightSums {
    let none = WeightSums { n: 0.0, squares: 0.0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };
    let add = |of: WeightSums, w: &f64| WeightSums {
        n: of.n + f64::from(u8::from(*w != 0.0)),
        squares: of.squares + w * w,
        sum: of.sum + w,
        min: if *w < of.min { *w } else { of.min },
        max: if *w > of.max { *w } else { of.max },
    };
    let parts: Vec<WeightSums> = weights.par_chunks(super::CHUNK).map(|chunk| chunk.iter().fold(none, add)).collect();
    let join = |a: WeightSums, b: WeightSums| WeightSums {
        n: a.n + b.n,
        squares: a.squares + b.squares,
        sum: a.sum + b.sum,
        min: a.min.min(b.min),
        max: a.max.max(b.max),
    };
    parts.into_iter().fold(none, join)
}

impl WeightStep {
    /// Compares the weights before and after a step.
    pub fn new(name: impl Into<String>, before: &[f64], after: Vec<f64>) -> Self {
        let factors: Vec<f64> = before.iter().zip(&after).map(|(d, w)| w / d).collect();
        let diagnostics = StepDiagnostics::of(&factors, &after, quantiles);
        Self { name: name.into(), factors, weights: after, diagnostics }
    }

    /// The same where the factor depends on a cell alone: `cells` holds each cell's rows and its weights before and
    /// after, so that order statistics are found among cells.
    pub(super) fn of_cells(name: &str, before: &[f64], after: Vec<f64>, cells: &CellSums) -> Self {
        let factors: Vec<f64> = before.iter().zip(&after).map(|(d, w)| w / d).collect();
        let diagnostics = StepDiagnostics::of(&factors, &after, |_, _| cells.factor_quantiles());
        Self { name: name.to_owned(), factors, weights: after, diagnostics }
    }
}

impl StepDiagnostics {
    fn of(factors: &[f64], weights: &[f64], factor_quantiles: impl Fn(&[f64], &[f64]) -> [f64; 7]) -> Self {
        let (mut n, mut sum, mut positive_sum, mut squares) = (0usize, 0.0, 0.0, 0.0);
        let (mut weight_min, mut weight_max) = (f64::INFINITY, 0.0f64);
        for &weight in weights {
            let counts = weight != 0.0;
            n += usize::from(counts);
            sum += weight;
            let kept = if counts { weight } else { 0.0 };
            positive_sum += kept;
            squares += kept * kept;
            weight_min = if counts { weight_min.min(weight) } else { weight_min };
            weight_max = weight_max.max(weight);
        }
        let deff = n as f64 * squares / (positive_sum * positive_sum);
        Self {
            n,
            sum,
            weight_min,
            weight_max,
            factor_quantiles: factor_quantiles(factors, weights),
            kish_deff: deff,
            effective_n: n as f64 / deff,
            ..Self::default()
        }
    }

    /// Takes in the margins of a step and with them the worst residual.
    #[must_use]
    pub fn with_margins(mut self, margins: Vec<MarginLine>) -> Self {
        let off = |line: &MarginLine| line.target.map(|target| (line.after - target).abs() / target.abs().max(1e-300));
        let worst = margins.iter().filter(|line| line.target != Some(0.0)).filter_map(off).fold(None, worst_of);
        self.worst_residual = worst;
        self.margins = margins;
        self
    }
}

fn worst_of(worst: Option<f64>, off: f64) -> Option<f64> {
    Some(worst.map_or(off, |w: f64| w.max(off)))
}

/// The order statistics at 0, 5, 25, 50, 75, 95 and 100 %: the smallest factor whose share of rows reaches it.
fn quantiles(factors: &[f64], weights: &[f64]) -> [f64; 7] {
    let mut kept: Vec<f64> = factors.iter().zip(weights).filter(|(_, w)| **w != 0.0).map(|(g, _)| *g).collect();
    if kept.is_empty() {
        return [f64::NAN; 7];
    }
    let places = SHARES.map(|p| place(p, kept.len()));
    let mut found = [f64::NAN; 7];
    select(&mut kept, 0, &places, &mut found);
    found
}

const SHARES: [f64; 7] = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0];

fn place(share: f64, n: usize) -> usize {
    ((share * n as f64).ceil() as usize).saturating_sub(1).min(n - 1)
}

/// Order statistics from the middle outwards: each is then looked for in what is left on its side.
fn select(values: &mut [f64], offset: usize, places: &[usize], found: &mut [f64]) {
    let middle = places.len() / 2;
    let Some(&at) = places.get(middle) else { return };
    let (below, value, above) = values.select_nth_unstable_by(at - offset, f64::total_cmp);
    let value = *value;
    found[middle] = value;
    // Two shares of a small sample may be the same row.
    let first = places.iter().position(|place| *place == at).unwrap_or(middle);
    let last = places.iter().rposition(|place| *place == at).unwrap_or(middle);
    found[first..=last].fill(value);
    select(below, offset, &places[..first], &mut found[..first]);
    select(above, at + 1, &places[last + 1..], &mut found[last + 1..]);
}

/// Rows that keep a weight, and weights before and after a step, by cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CellSums {
    pub rows: Vec<usize>,
    pub before: Vec<f64>,
    pub after: Vec<f64>,
}

impl CellSums {
    pub fn new(cell_of_row: &[u32], cells: usize, before: &[f64], after: &[f64]) -> Self {
        let mut of = Self { rows: vec![0; cells], before: vec![0.0; cells], after: vec![0.0; cells] };
        for ((&cell, d), w) in cell_of_row.iter().zip(before).zip(after).filter(|((cell, _), _)| **cell != MISSING) {
            let cell = cell as usize;
            of.rows[cell] += usize::from(*w != 0.0);
            of.before[cell] += d;
            of.after[cell] += w;
        }
        of
    }

    fn factor_quantiles(&self) -> [f64; 7] {
        let n = self.rows.iter().sum();
        if n == 0 {
            return [f64::NAN; 7];
        }
        let mut cells: Vec<(f64, usize)> =
            (0..self.rows.len()).map(|cell| (self.after[cell] / self.before[cell], self.rows[cell])).collect();
        cells.retain(|(_, rows)| *rows > 0);
        cells.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut ends = cells.iter().scan(0, |end, (factor, rows)| {
            *end += rows;
            Some((*end, *factor))
        });
        let mut reached = (0, f64::NAN);
        SHARES.map(|p| {
            let at = place(p, n);
            while reached.0 <= at {
                reached = ends.next().unwrap_or((usize::MAX, f64::NAN));
            }
            reached.1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_statistics_are_those_of_sorted_values() {
        for n in [1usize, 2, 3, 7, 20, 101] {
            let values: Vec<f64> = (0..n).map(|at| (at * 37 % 101) as f64).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            assert_eq!(quantiles(&values, &vec![1.0; n]), SHARES.map(|p| sorted[place(p, n)]), "{n}");
        }
    }

    #[test]
    fn order_statistics_of_cells_are_those_of_their_rows() {
        let cell_of_row = [1, 0, 1, 2, 1, MISSING];
        let (before, after) = ([1.0, 1.0, 1.0, 1.0, 1.0, 0.0], [2.0, 0.5, 2.0, 3.0, 2.0, 0.0]);
        let cells = CellSums::new(&cell_of_row, 3, &before, &after);
        assert_eq!(cells.factor_quantiles(), quantiles(&after, &after));
        assert_eq!(cells.rows, [1, 3, 1]);
    }
}
