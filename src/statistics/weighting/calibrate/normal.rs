//! The normal matrix Σ v_u x_u x_u', factored once; columns that others imply are left out.

use rayon::prelude::*;

use super::Controls;

/// A column counts as implied by those before it when less than this share of its own size is left. Categories of
/// a margin are implied exactly (up to rounding, 1e-15 a term); independent ones keep far more.
const INDEPENDENT: f64 = 1e-11;

/// A scaled Cholesky factor of the normal matrix over the columns that are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Normal {
    columns: usize,
    kept: Vec<usize>,
    /// 1 / sqrt of the diagonal, so that margins and large numbers are of one size.
    scale: Vec<f64>,
    /// The lower triangle over kept columns, row by row.
    factor: Vec<f64>,
}

impl Normal {
    /// Builds and factors Σ v_u x_u x_u'.
    pub fn new(controls: &Controls, values: &[f64]) -> Self {
        let columns = controls.totals.len();
        let matrix = cross_products(controls, values);
        let scale = (0..columns).map(|at| matrix[at * columns + at]);
        let scale: Vec<f64> = scale.map(|d| if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 }).collect();
        let (mut kept, mut rows): (Vec<usize>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        for at in (0..columns).filter(|&at| scale[at] > 0.0) {
            let mut row: Vec<f64> = Vec::with_capacity(kept.len() + 1);
            for (j, &other) in kept.iter().enumerate() {
                let product = matrix[at * columns + other] * scale[at] * scale[other];
                let done: f64 = row.iter().zip(&rows[j]).map(|(a, b)| a * b).sum();
                row.push((product - done) / rows[j][j]);
            }
            let left = 1.0 - row.iter().map(|r| r * r).sum::<f64>();
            if left > INDEPENDENT {
                row.push(left.sqrt());
                rows.push(row);
                kept.push(at);
            }
        }
        Self { columns, kept, scale, factor: rows.concat() }
    }

    /// The inverse, row by row; rows and columns that are left out are 0.
    pub fn inverse(&self) -> Vec<f64> {
        let column = |at: usize| {
            let mut right = vec![0.0; self.columns];
            right[at] = 1.0;
            self.solve(&right)
        };
        let all: Vec<Vec<f64>> = (0..self.columns).into_par_iter().map(column).collect();
        // The matrix is symmetric: its columns are its rows.
        all.concat()
    }

    /// Solves for one right-hand side; left-out columns get 0.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = self.kept.iter().map(|&at| right[at] * self.scale[at]).collect();
        let row = |i: usize| &self.factor[i * (i + 1) / 2..(i + 1) * (i + 2) / 2];
        // What is 0 up to some place stays so: a column of the inverse begins at its own.
        let first = x.iter().position(|x| *x != 0.0).unwrap_or(x.len());
        for i in first..x.len() {
            let done: f64 = row(i)[first..i].iter().zip(&x[first..]).map(|(l, x)| l * x).sum();
            x[i] = (x[i] - done) / row(i)[i];
        }
        for i in (0..x.len()).rev() {
            x[i] /= row(i)[i];
            let value = x[i];
            x[..i].iter_mut().zip(row(i)).for_each(|(x, l)| *x -= l * value);
        }
        let mut full = vec![0.0; self.columns];
        for (&at, value) in self.kept.iter().zip(x) {
            full[at] = value * self.scale[at];
        }
        full
    }
}

fn cross_products(controls: &Controls, values: &[f64]) -> Vec<f64> {
    let columns = controls.totals.len();
    let mut matrix = vec![0.0; columns * columns];
    for (at, first) in controls.columns.iter().enumerate() {
        for second in &controls.columns[at..] {
            for ((&i, &j), value) in first.iter().zip(second).zip(values) {
                matrix[i.max(j) as usize * columns + i.min(j) as usize] += value;
            }
        }
    }
    let first = columns - controls.numbers.len();
    for (k, numbers) in controls.numbers.iter().enumerate() {
        let row = (first + k) * columns;
        for column in &controls.columns {
            for ((&at, x), value) in column.iter().zip(numbers).zip(values) {
                matrix[row + at as usize] += x * value;
            }
        }
        for (l, others) in controls.numbers.iter().enumerate().take(k + 1) {
            matrix[row + first + l] = numbers.iter().zip(others).zip(values).map(|((x, y), v)| x * y * v).sum();
        }
    }
    matrix
}
