//! The attacker: sums with the shown numbers put in, brought to echelon form in exact fractions, and bounds passed through
//! both the sums as they are and the reduced ones until nothing moves.

use crate::city::City;
use scilit::disclosure::{Decision, Quantity};

/// What the attacker can say of a cell.
pub enum Knowledge {
    /// It lies in a range of less than one respondent.
    Narrow,
    /// It does not.
    Wide,
}

pub struct Attacker<'a> {
    city: &'a City,
    low: Vec<f64>,
    high: Vec<f64>,
    quantity: Quantity,
}

type Row = (Vec<i128>, i128);

impl<'a> Attacker<'a> {
    pub fn new(city: &'a City, decisions: &[Decision], quantity: Quantity) -> Self {
        let cells = &city.lattice.cells;
        let unknown: Vec<bool> = (cells.iter().zip(decisions))
            .map(|(cell, decision)| decision.is_withheld() && cell.n > 0 && !cell.known)
            .collect();
        let value = |at: usize| quantity.of(&cells[at]).round() as i128;
        let mut rows: Vec<Row> = Vec::new();
        for line in city.lattice.blocks.iter().flat_map(|block| &block.lines) {
            let mut row = vec![0; cells.len()];
            let mut right = 0;
            for (at, sign) in line.children.iter().map(|&at| (at, 1)).chain([(line.parent, -1)]) {
                // Known numbers go to the right side, where those of hidden cells are added back: the sum of all is zero.
                if unknown[at] {
                    row[at] += sign;
                    right += sign * value(at);
                }
            }
            if row.iter().any(|&factor| factor != 0) {
                rows.push((row, right));
            }
        }
        let mut all = rows.clone();
        all.extend(echelon(rows));
        let cap = |at: usize| if unknown[at] { quantity.cap(&cells[at]) } else { quantity.of(&cells[at]) };
        let mut attacker = Self {
            city,
            low: (0..cells.len()).map(|at| if unknown[at] { 0.0 } else { quantity.of(&cells[at]) }).collect(),
            high: (0..cells.len()).map(cap).collect(),
            quantity,
        };
        attacker.propagate(&all);
        attacker
    }

    pub fn says(&self, cell: usize) -> Knowledge {
        let it = &self.city.lattice.cells[cell];
        let room = if self.quantity == Quantity::Persons && it.earlier != [0.0; 2] {
            Quantity::Persons.of(it)
        } else {
            f64::MAX
        };
        let respondent = it.unit().min(room) * (1.0 - 1e-6);
        if self.high[cell] - self.low[cell] < respondent { Knowledge::Narrow } else { Knowledge::Wide }
    }

    fn propagate(&mut self, rows: &[Row]) {
        for _ in 0..50 {
            let mut moved = false;
            for (factors, right) in rows {
                let members: Vec<(usize, f64)> = (factors.iter().enumerate())
                    .filter(|(_, factor)| **factor != 0)
                    .map(|(at, factor)| (at, *factor as f64))
                    .collect();
                for &(at, factor) in &members {
                    let (mut least, mut most) = (*right as f64, *right as f64);
                    for &(other, of) in members.iter().filter(|(other, _)| *other != at) {
                        let (small, large) = (of * self.low[other], of * self.high[other]);
                        least -= small.max(large);
                        most -= small.min(large);
                    }
                    let (one, other) = (least / factor, most / factor);
                    let (low, high) = (one.min(other), one.max(other));
                    if low > self.low[at] + 0.5 {
                        self.low[at] = low;
                        moved = true;
                    }
                    if high < self.high[at] - 0.5 {
                        self.high[at] = high;
                        moved = true;
                    }
                }
            }
            if !moved {
                break;
            }
        }
    }
}

/// Reduced echelon form without fractions: each row divided by what its factors share.
fn echelon(mut rows: Vec<Row>) -> Vec<Row> {
    let width = rows.first().map_or(0, |row| row.0.len());
    let mut done = 0;
    for column in 0..width {
        let Some(pivot) = (done..rows.len()).find(|&at| rows[at].0[column] != 0) else { continue };
        rows.swap(done, pivot);
        let (factors, right) = rows[done].clone();
        for (at, row) in rows.iter_mut().enumerate() {
            let (own, of_pivot) = (row.0[column], factors[column]);
            if at == done || own == 0 {
                continue;
            }
            for (mine, theirs) in row.0.iter_mut().zip(&factors) {
                *mine = *mine * of_pivot - theirs * own;
            }
            row.1 = row.1 * of_pivot - right * own;
            let shared = row.0.iter().fold(row.1, |shared, &factor| common(shared, factor));
            if shared > 1 {
                row.0.iter_mut().for_each(|factor| *factor /= shared);
                row.1 /= shared;
            }
        }
        done += 1;
    }
    rows.truncate(done);
    rows
}

fn common(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { common(b, a % b) }
}
