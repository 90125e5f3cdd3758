//! Which further cells are withheld so that none of the withheld ones can be computed: the fewest respondents' worth of
//! cells that protect all of them, found by integer programming.
//!
//! What protects a cell in one sum is a linear condition on the choice, so those are given to the solver as soon as a
//! choice breaks them. Where the sums of a crossing work together, a choice that leaves a cell unprotected is
//! grown as long as it does, and the solver must take one of the cells left over. Withholding more never narrows a
//! range, so neither kind of condition excludes a choice that protects: the last one is the cheapest there is.

use super::{
    Rules,
    audit::System,
    lattice::{Cell, Lattice, Line, Quantity, is_hidden},
    rules::{Decision, Reason},
};
use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOptions, Variable};
use std::collections::{BTreeMap, BTreeSet};

/// Choices looked at before the rest is closed greedily. Counts and not time, so that the same tables give the same choice.
const ROUNDS_MAX: usize = 120;
/// Branches of one choice.
const NODES_MAX: u64 = 20_000;
/// More cells to choose from are closed greedily: the tree of choices would be too large.
const CHOICES_MAX: usize = 700;

/// At least `least` of the terms must be taken, if `of` is.
#[derive(Debug, Clone, PartialEq)]
struct Condition {
    of: Option<usize>,
    terms: Vec<(usize, f64)>,
    least: f64,
}

/// The choice for one block.
pub(super) struct Choice<'a> {
    lattice: &'a Lattice,
    rules: &'a Rules,
    lines: Vec<&'a Line>,
    hidden: Vec<bool>,
    withheld: Vec<bool>,
    candidates: Vec<usize>,
    /// Which cells are candidates.
    may: Vec<bool>,
    members: Vec<usize>,
    conditions: Vec<Condition>,
    taken: BTreeSet<usize>,
    /// For cells whose range stays narrow even when the whole block is withheld, because their margins alone say so much: one
    /// respondent must stay open.
    least: Rules,
    narrowed: BTreeSet<usize>,
    /// Cells of which not even that stays open.
    exposed: BTreeSet<usize>,
}

/// What was chosen for a block.
pub(super) struct Chosen {
    /// Whether the choice is proven to be the cheapest.
    pub(super) proven: bool,
    /// Cells that stay exposed when the whole block is withheld.
    pub(super) exposed: BTreeSet<usize>,
}

/// Withholds what the block needs.
pub(super) fn complete(lattice: &Lattice, block: usize, decisions: &mut [Decision], rules: &Rules) -> Chosen {
    let mut choice = Choice::new(lattice, block, decisions, rules);
    choice.drop_the_unprotectable();
    let proven = choice.run();
    for &cell in &choice.taken {
        decisions[cell] = Decision::Withheld(Reason::Complementary);
    }
    Chosen { proven, exposed: choice.exposed }
}

impl<'a> Choice<'a> {
    fn new(lattice: &'a Lattice, block: usize, decisions: &[Decision], rules: &'a Rules) -> Self {
        let Lattice { cells, blocks } = lattice;
        let members = blocks[block].cells.clone();
        let mut may = vec![false; cells.len()];
        for &cell in &members {
            let it = &cells[cell];
            may[cell] = !decisions[cell].is_withheld() && it.n > 0 && !it.known && !it.implied;
        }
        let first = blocks[..usize::from(block > 0)].iter().flat_map(|block| &block.lines);
        Self {
            lattice,
            rules,
            lines: blocks[block].lines.iter().chain(first).collect(),
            hidden: cells.iter().zip(decisions).map(|(cell, decision)| is_hidden(cell, *decision)).collect(),
            withheld: decisions.iter().map(|decision| decision.is_withheld()).collect(),
            candidates: members.iter().copied().filter(|&cell| may[cell]).collect(),
            may,
            members,
            conditions: Vec::new(),
            taken: BTreeSet::new(),
            least: Rules { protection: 1.0, ..rules.clone() },
            narrowed: BTreeSet::new(),
            exposed: BTreeSet::new(),
        }
    }

    /// A cell that its sums tell even when all others are withheld (the only one of its district) hides nothing.
    fn drop_the_unprotectable(&mut self) {
        let hidden: Vec<bool> = (0..self.hidden.len()).map(|at| self.hidden[at] || self.may[at]).collect();
        let system = System::new(&self.lattice.cells, self.lines.iter().copied(), hidden);
        let wide = |at: usize| Quantity::BOTH.iter().all(|quantity| system.is_wide(at, *quantity, self.rules));
        let (kept, dropped): (Vec<usize>, Vec<usize>) = self.candidates.iter().partition(|&&at| wide(at));
        self.candidates = kept;
        for at in dropped {
            self.may[at] = false;
        }
    }

    fn run(&mut self) -> bool {
        let mut proven = self.candidates.len() <= CHOICES_MAX;
        for round in 0.. {
            let mut broken = self.broken_lines();
            if broken.is_empty() {
                broken = self.broken_ranges();
            }
            if broken.is_empty() {
                break;
            }
            self.conditions.extend(broken.clone());
            let solved = if proven && round < ROUNDS_MAX { self.cheapest() } else { None };
            match solved {
                Some((taken, is_proven)) => {
                    self.taken = taken;
                    proven &= is_proven;
                }
                None => {
                    proven = false;
                    self.close(&broken);
                }
            }
        }
        proven
    }

    fn is_taken(&self, cell: usize) -> bool {
        self.hidden[cell] || self.taken.contains(&cell)
    }

    /// Whether the cell must be protected: what stands in no table needs it only where the rules withhold it.
    fn is_protected(&self, cell: usize) -> bool {
        self.taken.contains(&cell) || (self.hidden[cell] && self.withheld[cell])
    }

    /// What one sum demands of the others in it, for each cell that would be withheld.
    fn broken_lines(&self) -> Vec<Condition> {
        let mut broken = Vec::new();
        for line in self.lines.iter().filter(|line| !self.withheld[line.parent]) {
            for &cell in line.children.iter().filter(|&&cell| self.is_protected(cell)) {
                broken.extend(self.demands(cell).into_iter().filter_map(|demand| self.breaks(cell, line, &demand)));
            }
        }
        broken
    }

    /// The range of the cell in a sum with the hidden total S is from S less what the others can be, to S or the cell's
    /// cap: each difference of an upper and a lower end must be wide enough.
    fn demands(&self, cell: usize) -> Vec<Demand> {
        let cells = &self.lattice.cells;
        let needed = |quantity: Quantity| quantity.needed(&cells[cell], self.rules);
        let demand = |own: fn(&Cell) -> f64, least, of: fn(&Cell) -> f64| Demand { own: own(&cells[cell]), least, of };
        let (persons, literate) = (needed(Quantity::Persons), needed(Quantity::Literate));
        let below: fn(&Cell) -> f64 = |cell| Quantity::Literate.of(cell);
        let above: fn(&Cell) -> f64 = |cell| Quantity::Literate.cap(cell) - Quantity::Literate.of(cell);
        vec![
            demand(|_| 0.0, 1.0, |_| 1.0),
            demand(|cell| Quantity::Persons.of(cell), persons, |cell| Quantity::Persons.of(cell)),
            demand(below, literate, below),
            demand(above, literate, above),
            demand(|_| 0.0, literate, |cell| Quantity::Literate.cap(cell)),
        ]
    }

    fn breaks(&self, cell: usize, line: &Line, demand: &Demand) -> Option<Condition> {
        let rest = || line.children.iter().copied().filter(|&at| at != cell);
        let worth = |at: usize| (demand.of)(&self.lattice.cells[at]);
        let fixed: f64 = demand.own + rest().filter(|&at| self.hidden[at]).map(worth).sum::<f64>();
        let terms: Vec<(usize, f64)> = rest().filter(|&at| self.may[at]).map(|at| (at, worth(at))).collect();
        let reach: f64 = terms.iter().map(|(_, worth)| worth).sum();
        // Where all of the sum together are not enough, all of it is what can be done.
        let least = (demand.least - fixed).min(reach * (1.0 - 1e-9));
        let have: f64 = terms.iter().filter(|(at, _)| self.taken.contains(at)).map(|(_, worth)| worth).sum();
        if least <= demand.least * 1e-9 || have >= least * (1.0 - 1e-9) {
            return None;
        }
        let terms = terms.into_iter().map(|(at, worth)| (at, (worth / least).min(1.0))).collect();
        Some(Condition { of: self.condition_on(cell), terms, least: 1.0 - 1e-9 })
    }

    /// A cell that the rules withhold is protected in any case; a chosen one only if it is chosen.
    fn condition_on(&self, cell: usize) -> Option<usize> {
        (!self.hidden[cell]).then_some(cell)
    }

    /// What the sums together demand.
    fn broken_ranges(&mut self) -> Vec<Condition> {
        let hidden: Vec<bool> = (0..self.hidden.len()).map(|at| self.is_taken(at)).collect();
        let mut system = System::new(&self.lattice.cells, self.lines.iter().copied(), hidden);
        let of_block: Vec<usize> = self.members.iter().copied().filter(|&at| self.is_protected(at)).collect();
        let (mut broken, mut again) = (Vec::new(), false);
        for cell in of_block {
            let rules = if self.narrowed.contains(&cell) { &self.least } else { self.rules };
            let narrow =
                |system: &System<'_>| Quantity::BOTH.iter().any(|quantity| !system.is_wide(cell, *quantity, rules));
            if self.exposed.contains(&cell) || !narrow(&system) {
                continue;
            }
            let mut left = Vec::new();
            let mut order: Vec<usize> = self.candidates.iter().copied().filter(|at| !self.taken.contains(at)).collect();
            order.sort_by_key(|&at| (self.lattice.cells[at].n, at));
            let mut grown = Vec::new();
            for at in order {
                system.hide(at, true);
                if narrow(&system) {
                    grown.push(at);
                } else {
                    system.hide(at, false);
                    left.push(at);
                }
            }
            for at in grown {
                system.hide(at, false);
            }
            if left.is_empty() {
                // Asked again with less; then given up.
                if !self.narrowed.insert(cell) {
                    self.exposed.insert(cell);
                }
                again = true;
            } else {
                let terms = left.into_iter().map(|at| (at, 1.0)).collect();
                broken.push(Condition { of: self.condition_on(cell), terms, least: 1.0 });
            }
        }
        if broken.is_empty() && again { self.broken_ranges() } else { broken }
    }

    /// The cheapest choice that keeps every condition so far, and whether it is proven to be.
    fn cheapest(&self) -> Option<(BTreeSet<usize>, bool)> {
        let mut problem = Problem::new(OptimizationDirection::Minimize);
        let variables: BTreeMap<usize, Variable> =
            (self.candidates.iter()).map(|&at| (at, problem.add_binary_var(self.lattice.cells[at].n as f64))).collect();
        for Condition { of, terms, least } in &self.conditions {
            let mut all: Vec<(Variable, f64)> = terms.iter().map(|(at, worth)| (variables[at], *worth)).collect();
            let right = of.map_or(*least, |cell| {
                all.push((variables[&cell], -least));
                0.0
            });
            problem.add_constraint(all, ComparisonOp::Ge, right);
        }
        let mut options = SolveOptions::default();
        options.node_limit = Some(NODES_MAX);
        let outcome = problem.solve_with(options).ok()?;
        let is_proven = outcome.is_optimal();
        let solution = outcome.into_solution().ok()?;
        let taken = variables.iter().filter(|(_, variable)| solution.var_value(**variable) > 0.5);
        Some((taken.map(|(&at, _)| at).collect(), is_proven))
    }

    /// Takes the smallest cells of each broken condition until it holds.
    fn close(&mut self, broken: &[Condition]) {
        for Condition { terms, least, .. } in broken {
            let mut order: Vec<&(usize, f64)> = terms.iter().collect();
            order.sort_by_key(|(at, _)| (self.lattice.cells[*at].n, *at));
            let mut have: f64 = terms.iter().filter(|(at, _)| self.taken.contains(at)).map(|(_, worth)| worth).sum();
            for (at, worth) in order {
                if have >= *least {
                    break;
                }
                if self.taken.insert(*at) {
                    have += worth;
                }
            }
        }
    }
}

/// What the others of a sum must add to the cell's own.
struct Demand {
    own: f64,
    least: f64,
    of: fn(&Cell) -> f64,
}
