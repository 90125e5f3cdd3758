//! From the cells to the decisions: first each by its own numbers, then block by block what protects them.

use std::collections::BTreeSet;

use super::{
    Rules,
    audit::System,
    complement,
    lattice::{Lattice, Quantity, is_hidden},
    rules::{Decision, Reason},
};

/// What became of each cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Protection {
    /// One a cell.
    pub decisions: Vec<Decision>,
    /// Whether the choice for each block is proven to withhold the fewest respondents.
    pub proven: Vec<bool>,
    /// Withheld cells that the shown ones tell nevertheless, because the whole tells them: nothing may be released then.
    pub exposed: Vec<usize>,
}

/// Decides every cell.
///
/// Where a crossing that is withheld as a whole leaves a cell exposed, its margins tell it: the smaller of them is withheld,
/// too, and everything is decided again.
#[must_use]
pub fn protect(lattice: &Lattice, rules: &Rules) -> Protection {
    let mut forced = BTreeSet::new();
    loop {
        let (protection, exposed) = once(lattice, rules, &forced);
        let margins = exposed.iter().filter_map(|&(block, cell)| {
            let lines = lattice.blocks[block].lines.iter().filter(|line| block > 0 && line.children.contains(&cell));
            let shown = lines.map(|line| line.parent).filter(|&at| !protection.decisions[at].is_withheld());
            shown.min_by_key(|&at| (lattice.cells[at].n, at))
        });
        let before = forced.len();
        let margins: Vec<usize> = margins.collect();
        forced.extend(margins);
        if forced.len() == before {
            return protection;
        }
    }
}

type Exposed = Vec<(usize, usize)>;

fn once(lattice: &Lattice, rules: &Rules, forced: &BTreeSet<usize>) -> (Protection, Exposed) {
    let mut decisions: Vec<Decision> = lattice.cells.iter().map(|cell| cell.decide(rules)).collect();
    for &cell in forced {
        withhold(&mut decisions[cell]);
    }
    let (mut proven, mut exposed) = (Vec::new(), Vec::new());
    for block in 0..lattice.blocks.len() {
        if block > 0 {
            below_withheld(lattice, block, &mut decisions);
        }
        let chosen = complement::complete(lattice, block, &mut decisions, rules);
        proven.push(chosen.proven);
        exposed.extend(chosen.exposed.into_iter().map(|cell| (block, cell)));
        if block > 0 && !margins_stay_wide(lattice, block, &decisions, rules) {
            // What a crossing says of its margins beyond the margins' own table is said by its shown cells.
            for &cell in &lattice.blocks[block].cells {
                withhold(&mut decisions[cell]);
            }
        }
    }
    let cells = exposed.iter().map(|(_, cell)| *cell).collect();
    (Protection { decisions, proven, exposed: cells }, exposed)
}

fn withhold(decision: &mut Decision) {
    if !decision.is_withheld() {
        *decision = Decision::Withheld(Reason::Complementary);
    }
}

/// The parts of a withheld total would add up to it.
fn below_withheld(lattice: &Lattice, block: usize, decisions: &mut [Decision]) {
    for line in &lattice.blocks[block].lines {
        if decisions[line.parent].is_withheld() {
            for &child in &line.children {
                withhold(&mut decisions[child]);
            }
        }
    }
}

/// Whether the withheld margins are as hidden beside this crossing as their own table leaves them.
fn margins_stay_wide(lattice: &Lattice, block: usize, decisions: &[Decision], rules: &Rules) -> bool {
    let cells = &lattice.cells;
    let hidden: Vec<bool> = cells.iter().zip(decisions).map(|(cell, decision)| is_hidden(cell, *decision)).collect();
    let lines = |blocks: &'_ [usize]| -> Vec<_> { blocks.iter().flat_map(|&at| &lattice.blocks[at].lines).collect() };
    let alone = System::new(cells, lines(&[0]).into_iter(), hidden.clone());
    let beside = System::new(cells, lines(&[0, block]).into_iter(), hidden.clone());
    let mut margins = lattice.blocks[block].lines.iter().map(|line| line.parent).filter(|&parent| hidden[parent]);
    margins.all(|margin| {
        let stays =
            |quantity: &Quantity| beside.is_wide(margin, *quantity, rules) || !alone.is_wide(margin, *quantity, rules);
        Quantity::BOTH.iter().all(stays)
    })
}
