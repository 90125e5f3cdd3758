//! Cells and the sums that tie them: a total is the sum of its parts, and whoever knows all but one knows that one.

use super::{
    Rules,
    rules::{Decision, Reason},
};

/// One cell of the tables of a run, with what the rules look at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// Table and levels, for people and for later releases.
    pub key: String,
    /// Respondents.
    pub n: u64,
    /// Literate respondents.
    pub literate: u64,
    /// Sum of their weights: estimated persons.
    pub weight: f64,
    /// Sum of the weights of the literate: estimated literate persons.
    pub literate_weight: f64,
    /// Largest share of the weight that one primary unit has.
    pub unit_share: f64,
    /// Relative standard error of the share.
    pub relative_error: Option<f64>,
    /// It stands in no table but follows from two that do: all who are not in a key group.
    pub implied: bool,
    /// An earlier release of this survey showed it with the same respondents.
    pub known: bool,
    /// What an earlier release of this survey showed of it: literate persons and others. Respondents are added, so that the
    /// cell has at least those.
    pub earlier: [f64; 2],
    /// The fewest respondents, not zero, by which an earlier release of this survey differs from it.
    pub changed: Option<u64>,
    /// Whether those that were added to an earlier release are all literate or all not, and how many they are at the most.
    pub changed_alike: Option<u64>,
}

impl Cell {
    /// Persons that one respondent stands for.
    #[must_use]
    pub fn unit(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.weight / self.n as f64 }
    }

    /// Holds the cell against what an earlier release of the same survey showed of it.
    pub fn compare(&mut self, [n, literate]: [u64; 2], [weight, literate_weight]: [f64; 2]) {
        let (added, literates) = (self.n.abs_diff(n), self.literate.abs_diff(literate));
        let changed = added.max(literates);
        if changed == 0 {
            self.known = true;
        } else {
            self.changed = Some(self.changed.map_or(changed, |least| least.min(changed)));
        }
        if changed > 0 && (literates == 0 || literates >= added) {
            self.changed_alike = Some(self.changed_alike.map_or(changed, |least| least.min(changed)));
        }
        let others = self.weight - self.literate_weight;
        self.earlier = [
            self.earlier[0].max(literate_weight.min(self.literate_weight)),
            self.earlier[1].max((weight - literate_weight).min(others)),
        ];
    }

    /// What the cell's own numbers say.
    #[must_use]
    pub fn decide(&self, rules: &Rules) -> Decision {
        let side = self.literate.min(self.n.saturating_sub(self.literate));
        let reason = if self.n < rules.base_min {
            Some(Reason::Base)
        } else if self.implied {
            None
        } else if self.unit_share > rules.unit_share_max {
            Some(Reason::Dominance)
        } else if side == 0 && self.n < rules.unanimous_base_min {
            Some(Reason::Unanimous)
        } else if side > 0 && side < rules.side_min {
            Some(Reason::Side)
        } else if self.changed.is_some_and(|changed| changed < rules.change_min)
            || self.changed_alike.is_some_and(|changed| changed < rules.unanimous_base_min)
        {
            Some(Reason::Differencing)
        } else {
            None
        };
        let unsteady =
            self.n < rules.base_steady || self.relative_error.is_none_or(|error| !(error < rules.relative_error_max));
        match reason {
            Some(reason) => Decision::Withheld(reason),
            None if unsteady => Decision::Caution,
            None => Decision::Shown,
        }
    }
}

/// A total and its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The total.
    pub parent: usize,
    /// The parts, which together are all of it but for constants that anybody may know.
    pub children: Vec<usize>,
}

/// Cells that are decided together, and the sums among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// The cells that may be withheld here.
    pub cells: Vec<usize>,
    /// Sums of them.
    pub lines: Vec<Line>,
}

/// Every cell of a run. The first block holds the tables of one variable under the whole; each further one a crossing of
/// two, whose margins the first block has decided.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lattice {
    /// The cells.
    pub cells: Vec<Cell>,
    /// The blocks, in the order in which they are decided.
    pub blocks: Vec<Block>,
}

/// What an attacker wants to know of a withheld cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Estimated persons.
    Persons,
    /// Estimated literate persons, by somebody who knows the persons of every cell (margins of a census are public).
    Literate,
}

impl Quantity {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Persons, Self::Literate];

    /// Its value in a cell, beyond what an earlier release showed.
    #[must_use]
    pub fn of(self, cell: &Cell) -> f64 {
        let [literate, others] = cell.earlier;
        let shown = match self {
            Self::Persons => cell.weight - literate - others,
            Self::Literate => cell.literate_weight - literate,
        };
        shown.max(0.0)
    }

    /// The most that can be, as the attacker knows.
    #[must_use]
    pub fn cap(self, cell: &Cell) -> f64 {
        match self {
            Self::Persons => f64::INFINITY,
            Self::Literate => Self::Persons.of(cell),
        }
    }

    /// How wide its range must stay.
    #[must_use]
    pub fn needed(self, cell: &Cell, rules: &Rules) -> f64 {
        let wide = rules.protection * cell.unit();
        // What few persons were added to a known number, or can be literate, spans no more than themselves.
        let is_open = self == Self::Persons && cell.earlier == [0.0; 2];
        if is_open { wide } else { wide.min(Self::Persons.of(cell)) }
    }
}

/// Whether an attacker must solve for the cell: it is withheld or stands in no table, is not empty, and is not known from an
/// earlier release.
///
/// Who lives where is often known, so an empty cell is taken as known to be empty.
#[must_use]
pub fn is_hidden(cell: &Cell, decision: Decision) -> bool {
    (decision.is_withheld() || cell.implied) && cell.n > 0 && !cell.known
}
