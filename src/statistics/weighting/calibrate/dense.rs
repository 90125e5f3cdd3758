//! Raking on a dense matrix of cells: the longest margin against the crossing of the others.
//!
//! A raked weight is d a_r b_c, with a factor for each category r of the longest margin and one for each combination
//! c of the others. A pass is then two products of the matrix with a vector, on contiguous memory, and work on the
//! short vector of combinations; walking a list of cells margin by margin costs twenty times as much.

use super::Controls;
use crate::statistics::design::compress;

/// Passes before Newton's method takes over: raking gains a digit or more a pass unless margins almost repeat each
/// other, and then Newton is the better way.
const PASSES_MAX: usize = 200;

/// The misfit to reach; sums over some thousand cells round at 1e-15.
const MISFIT_AIM: f64 = 2e-14;

/// The largest misfit that counts as met when rounding keeps the aim away.
const MISFIT_MAX: f64 = 1e-12;

/// Where each unit of the controls lies in the matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    rows: usize,
    columns: usize,
    row_of_unit: Vec<u32>,
    column_of_unit: Vec<u32>,
    row_totals: Vec<f64>,
    /// For each other margin: the category of each column, and the totals.
    others: Vec<(Vec<u32>, Vec<f64>)>,
    /// Which margin is the longest.
    long: usize,
}

/// The factors of rows and columns, from which the next fit may start.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseFactors {
    rows: Vec<f64>,
    columns: Vec<f64>,
}

impl Dense {
    /// Lays the controls out; none with numeric variables or when most of the matrix would be empty.
    pub fn new(controls: &Controls) -> Option<Self> {
        if !controls.numbers.is_empty() || controls.margins.is_empty() {
            return None;
        }
        let long =
            (0..controls.margins.len()).max_by_key(|&at| (controls.margins[at].totals.len(), usize::MAX - at))?;
        let mut offset = 0;
        let (mut short, mut span) = (vec![0u64; controls.units], 1u64);
        let mut categories = Vec::with_capacity(controls.margins.len());
        for (at, margin) in controls.margins.iter().enumerate() {
            let many = margin.totals.len();
            let of: Vec<u32> = controls.columns[at].iter().map(|column| column - offset).collect();
            if at != long {
                span = span.checked_mul(many as u64).filter(|span| *span < u64::MAX / 2)?;
                short.iter_mut().zip(&of).for_each(|(key, &code)| *key = *key * many as u64 + u64::from(code));
            }
            offset += many as u32;
            categories.push(of);
        }
        let (column_of_unit, found) = compress(&short, span);
        let (rows, columns) = (controls.margins[long].totals.len(), found.len());
        if rows * columns > 16 * controls.units + 4096 {
            return None;
        }
        let other = |at: usize| {
            let mut of_column = vec![0; columns];
            categories[at].iter().zip(&column_of_unit).for_each(|(&code, &c)| of_column[c as usize] = code);
            (of_column, controls.margins[at].totals.clone())
        };
        let others = (0..controls.margins.len()).filter(|&at| at != long).map(other).collect();
        let row_of_unit = std::mem::take(&mut categories[long]);
        let row_totals = controls.margins[long].totals.clone();
        Some(Self { rows, columns, row_of_unit, column_of_unit, row_totals, others, long })
    }

    fn matrix(&self, sums: &[f64]) -> Vec<f64> {
        let mut matrix = vec![0.0; self.rows * self.columns];
        for ((&row, &column), sum) in self.row_of_unit.iter().zip(&self.column_of_unit).zip(sums) {
            matrix[row as usize * self.columns + column as usize] += sum;
        }
        matrix
    }

    fn ones(&self) -> DenseFactors {
        DenseFactors { rows: vec![1.0; self.rows], columns: vec![1.0; self.columns] }
    }

    /// A fit that goes margin by margin.
    pub(in crate::statistics::weighting) fn fit(&self, sums: &[f64]) -> Fit<'_> {
        let matrix = self.matrix(sums);
        let mut column_sums = vec![0.0; self.columns];
        for row in matrix.chunks_exact(self.columns) {
            column_sums.iter_mut().zip(row).for_each(|(sum, d)| *sum += d);
        }
        Fit { dense: self, matrix, factors: self.ones(), column_sums }
    }

    /// Fits the factors to sums of weights by unit; none when the passes do not converge.
    pub fn solve(&self, sums: &[f64], start: Option<&DenseFactors>) -> Option<(DenseFactors, usize)> {
        let matrix = self.matrix(sums);
        let mut factors = start.cloned().unwrap_or_else(|| self.ones());
        let mut column_sums = vec![0.0; self.columns];
        let mut best = f64::INFINITY;
        for pass in 1..=PASSES_MAX {
            let misfit = self.pass(&matrix, &mut factors, &mut column_sums)?;
            if misfit <= MISFIT_AIM || (misfit <= MISFIT_MAX && misfit >= best) {
                return Some((factors, pass));
            }
            best = best.min(misfit);
        }
        None
    }

    /// One pass over all margins; the worst misfit that it met.
    fn pass(&self, matrix: &[f64], factors: &mut DenseFactors, column_sums: &mut [f64]) -> Option<f64> {
        let mut worst = 0.0f64;
        column_sums.fill(0.0);
        for ((row, a), &total) in matrix.chunks_exact(self.columns).zip(&mut factors.rows).zip(&self.row_totals) {
            let reached = dot(row, &factors.columns);
            worst = worst.max(misfit(*a * reached, total)?);
            *a = total / reached;
            column_sums.iter_mut().zip(row).for_each(|(sum, d)| *sum += *a * d);
        }
        // The short margins are fitted twice: that costs nothing beside the matrix and halves the passes.
        for repeat in 0..2 {
            for (category, totals) in &self.others {
                let found = fit_short(category, totals, column_sums, &mut factors.columns)?;
                if repeat == 0 {
                    worst = worst.max(found);
                }
            }
        }
        Some(worst)
    }

    /// a_r b_c of a unit.
    pub fn of_unit(&self, factors: &DenseFactors, unit: u32) -> Option<f64> {
        let row = *self.row_of_unit.get(unit as usize)?;
        Some(factors.rows[row as usize] * factors.columns[self.column_of_unit[unit as usize] as usize])
    }

    /// a_r b_c of each unit.
    pub fn of_units(&self, factors: &DenseFactors) -> Vec<f64> {
        let of = |(&row, &column): (&u32, &u32)| factors.rows[row as usize] * factors.columns[column as usize];
        self.row_of_unit.iter().zip(&self.column_of_unit).map(of).collect()
    }
}

/// Iterative proportional fitting on the matrix: factors so far, and the columns' sums under the rows' factors.
pub(in crate::statistics::weighting) struct Fit<'a> {
    dense: &'a Dense,
    matrix: Vec<f64>,
    factors: DenseFactors,
    column_sums: Vec<f64>,
}

impl Fit<'_> {
    pub fn factors(&self) -> &DenseFactors {
        &self.factors
    }

    pub fn into_factors(self) -> DenseFactors {
        self.factors
    }

    /// Fits one margin, by its place among the controls.
    ///
    /// # Errors
    /// The category that has no weight.
    pub fn margin(&mut self, at: usize) -> Result<(), usize> {
        match at.cmp(&self.dense.long) {
            std::cmp::Ordering::Equal => self.long(),
            std::cmp::Ordering::Less => self.short(at),
            std::cmp::Ordering::Greater => self.short(at - 1),
        }
    }

    /// What the categories of a margin have reached: a walk over a list of cells, margin by margin, would wait for each
    /// sum before it takes the next cell.
    pub fn reached(&self, at: usize) -> Vec<f64> {
        let DenseFactors { rows, columns } = &self.factors;
        let short = |other: usize| {
            let (category, totals) = &self.dense.others[other];
            short_sums(category, totals.len(), &self.column_sums, columns)
        };
        match at.cmp(&self.dense.long) {
            std::cmp::Ordering::Equal => {
                let of_rows = self.matrix.chunks_exact(self.dense.columns).zip(rows);
                of_rows.map(|(row, a)| a * dot(row, columns)).collect()
            }
            std::cmp::Ordering::Less => short(at),
            std::cmp::Ordering::Greater => short(at - 1),
        }
    }

    fn long(&mut self) -> Result<(), usize> {
        self.column_sums.fill(0.0);
        let DenseFactors { rows, columns } = &mut self.factors;
        let of_rows = self.matrix.chunks_exact(self.dense.columns).zip(rows).zip(&self.dense.row_totals);
        for (category, ((row, a), total)) in of_rows.enumerate() {
            let reached = dot(row, columns);
            if reached.is_nan() || reached <= 0.0 {
                return Err(category);
            }
            *a = total / reached;
            self.column_sums.iter_mut().zip(row).for_each(|(sum, d)| *sum += *a * d);
        }
        Ok(())
    }

    fn short(&mut self, other: usize) -> Result<(), usize> {
        let (category, totals) = &self.dense.others[other];
        let sums = short_sums(category, totals.len(), &self.column_sums, &self.factors.columns);
        let mut factors = sums;
        for (at, (factor, total)) in factors.iter_mut().zip(totals).enumerate() {
            if factor.is_nan() || *factor <= 0.0 {
                return Err(at);
            }
            *factor = total / *factor;
        }
        category.iter().zip(&mut self.factors.columns).for_each(|(&code, b)| *b *= factors[code as usize]);
        Ok(())
    }

    /// Whether no cell of the table differs from that of earlier factors by `limit` or more.
    pub fn changed_less(&self, before: &DenseFactors, limit: f64) -> bool {
        let rows = self.matrix.chunks_exact(self.dense.columns).zip(&self.factors.rows).zip(&before.rows);
        for ((row, a), a_before) in rows {
            let cells = row.iter().zip(&self.factors.columns).zip(&before.columns);
            let most = cells.fold(0.0f64, |most, ((d, b), b_before)| {
                let change = (d * (a * b - a_before * b_before)).abs();
                if change > most { change } else { most }
            });
            if !(most < limit) {
                return false;
            }
        }
        true
    }
}

fn short_sums(category: &[u32], many: usize, column_sums: &[f64], factors: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; many];
    for ((&code, d), b) in category.iter().zip(column_sums).zip(factors) {
        sums[code as usize] += d * b;
    }
    sums
}

/// The relative misfit; none when a category with a total has no weight.
fn misfit(reached: f64, total: f64) -> Option<f64> {
    (reached > 0.0 && reached.is_finite()).then(|| (reached - total).abs() / total)
}

fn fit_short(category: &[u32], totals: &[f64], column_sums: &[f64], factors: &mut [f64]) -> Option<f64> {
    let mut sums = short_sums(category, totals.len(), column_sums, factors);
    let mut worst = 0.0f64;
    for (sum, total) in sums.iter_mut().zip(totals) {
        worst = worst.max(misfit(*sum, *total)?);
        *sum = total / *sum;
    }
    category.iter().zip(factors).for_each(|(&code, b)| *b *= sums[code as usize]);
    Some(worst)
}

/// A dot product in eight fixed lanes: fast, and the same on every machine.
pub(in crate::statistics) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (wide_a, wide_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = wide_a.remainder().iter().zip(wide_b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in wide_a.zip(wide_b) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f64>() + rest
}
