//! What an attacker can still say of a withheld cell: the range of its total under every number that is shown.
//!
//! The attacker is taken to know the shown totals exactly. What is shown is rounded, so that the true range is wider.

use super::{
    Rules,
    lattice::{Cell, Line, Quantity},
};
use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};
use std::collections::BTreeMap;

/// Share of a width that arithmetic may lose.
const TOLERANCE: f64 = 1e-6;

/// Sums of cells, some of which are hidden.
pub(super) struct System<'a> {
    cells: &'a [Cell],
    lines: Vec<&'a Line>,
    hidden: Vec<bool>,
    /// Lines of each cell, and whether it is their total.
    lines_of: Vec<Vec<(usize, bool)>>,
    /// The cell in which two lines cross.
    crossings: BTreeMap<(usize, usize), usize>,
}

impl<'a> System<'a> {
    pub(super) fn new(cells: &'a [Cell], lines: impl Iterator<Item = &'a Line>, hidden: Vec<bool>) -> Self {
        let lines: Vec<&Line> = lines.collect();
        let mut lines_of = vec![Vec::new(); cells.len()];
        for (at, line) in lines.iter().enumerate() {
            lines_of[line.parent].push((at, true));
            for &child in &line.children {
                lines_of[child].push((at, false));
            }
        }
        let mut crossings = BTreeMap::new();
        for (cell, lines) in lines_of.iter().enumerate() {
            if let [(one, false), (other, false)] = lines[..] {
                crossings.insert((one, other), cell);
                crossings.insert((other, one), cell);
            }
        }
        Self { cells, lines, hidden, lines_of, crossings }
    }

    pub(super) fn hide(&mut self, cell: usize, hidden: bool) {
        self.hidden[cell] = hidden;
    }

    /// Whether the range of the cell is as wide as it must be.
    pub(super) fn is_wide(&self, cell: usize, quantity: Quantity, rules: &Rules) -> bool {
        let needed = quantity.needed(&self.cells[cell], rules) * (1.0 - TOLERANCE);
        if needed <= 0.0 || self.moves(cell, quantity, needed) >= needed {
            return true;
        }
        self.range(cell, quantity).is_some_and(|[low, high]| high - low >= needed)
    }

    /// The range by linear programming; none when the solver gives up.
    pub(super) fn range(&self, cell: usize, quantity: Quantity) -> Option<[f64; 2]> {
        let end = |direction| self.solve(cell, quantity, direction);
        Some([end(OptimizationDirection::Minimize)?, end(OptimizationDirection::Maximize)?])
    }

    fn solve(&self, cell: usize, quantity: Quantity, direction: OptimizationDirection) -> Option<f64> {
        let scale = self.cells[cell].unit().max(f64::MIN_POSITIVE);
        let (members, lines) = self.component(cell);
        let mut problem = Problem::new(direction);
        let variables: BTreeMap<usize, Variable> = (members.iter())
            .map(|&member| {
                let cap = quantity.cap(&self.cells[member]) / scale;
                (member, problem.add_var(f64::from(u8::from(member == cell)), (0.0, cap)))
            })
            .collect();
        for line in lines {
            let line = self.lines[line];
            let mut sum = 0.0;
            let mut terms = Vec::new();
            let signed = line.children.iter().map(|&child| (child, 1.0)).chain([(line.parent, -1.0)]);
            for (member, sign) in signed.filter(|(member, _)| self.hidden[*member]) {
                sum += sign * quantity.of(&self.cells[member]) / scale;
                terms.push((variables[&member], sign));
            }
            problem.add_constraint(terms, ComparisonOp::Eq, sum);
        }
        match problem.solve() {
            Ok(outcome) => outcome.solution().map(|solution| solution.objective() * scale),
            Err(microlp::Error::Unbounded) if direction == OptimizationDirection::Maximize => Some(f64::INFINITY),
            Err(_) => None,
        }
    }

    /// The hidden cells that sums tie to the cell, and those sums.
    fn component(&self, cell: usize) -> (Vec<usize>, Vec<usize>) {
        let mut is_member = vec![false; self.cells.len()];
        let mut is_line = vec![false; self.lines.len()];
        is_member[cell] = true;
        let mut open = vec![cell];
        while let Some(member) = open.pop() {
            for &(at, _) in &self.lines_of[member] {
                if std::mem::replace(&mut is_line[at], true) {
                    continue;
                }
                for &other in self.lines[at].children.iter().chain([&self.lines[at].parent]) {
                    if self.hidden[other] && !std::mem::replace(&mut is_member[other], true) {
                        open.push(other);
                    }
                }
            }
        }
        let set = |flags: Vec<bool>| (0..flags.len()).filter(|&at| flags[at]).collect();
        (set(is_member), set(is_line))
    }

    /// How far the cell can move up and down, as far as exchanges over rectangles of hidden cells show; it stops when that
    /// is enough. What moves here is possible, so that the range is at least this wide: most cells need no solver.
    fn moves(&self, cell: usize, quantity: Quantity, needed: f64) -> f64 {
        let [(row, false), (column, false)] = self.lines_of[cell][..] else { return 0.0 };
        let value = |at: usize| quantity.of(&self.cells[at]);
        let space = |at: usize| (quantity.cap(&self.cells[at]) - value(at)).max(0.0);
        let up = self.exchange(cell, [row, column], space(cell).min(needed), &value, &space);
        if up >= needed {
            return up;
        }
        up + self.exchange(cell, [row, column], value(cell).min(needed - up), &space, &value)
    }

    /// How much of `wanted` the cell can take from its row and column while the fourth corner gives back.
    fn exchange(
        &self,
        cell: usize,
        [row, column]: [usize; 2],
        wanted: f64,
        gives: &dyn Fn(usize) -> f64,
        takes: &dyn Fn(usize) -> f64,
    ) -> f64 {
        let hidden = |line: usize| -> Vec<usize> {
            self.lines[line].children.iter().copied().filter(|&at| at != cell && self.hidden[at]).collect()
        };
        let other_line = |at: usize, line: usize| match self.lines_of[at][..] {
            [(one, false), (other, false)] => Some(if one == line { other } else { one }),
            _ => None,
        };
        let (beside, below) = (hidden(row), hidden(column));
        let mut left: Vec<f64> = below.iter().map(|&at| gives(at)).collect();
        let mut moved = 0.0;
        for &a in &beside {
            let mut left_of_a = gives(a);
            for (b, left_of_b) in below.iter().zip(&mut left) {
                if moved >= wanted || left_of_a <= 0.0 {
                    break;
                }
                let corner = other_line(*b, column).zip(other_line(a, row));
                let corner = corner.and_then(|lines| self.crossings.get(&lines)).filter(|&&at| self.hidden[at]);
                let Some(&corner) = corner else { continue };
                let amount = left_of_a.min(*left_of_b).min(takes(corner)).min(wanted - moved);
                left_of_a -= amount;
                *left_of_b -= amount;
                moved += amount;
            }
        }
        moved
    }
}
