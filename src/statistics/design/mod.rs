//! The sample design as integers: which unit of each stage a row belongs to, and how many units there were.
//!
//! Notation of this room: stage s has strata h (within one unit of the stage before), n_h units sampled out of N_h,
//! f_h = n_h / N_h. A *leaf* is a unit of the last stage that variances look at: without an fpc at a stage, the
//! units of that stage are ultimate clusters and later stages are ignored.

mod build;
mod crossing;
mod units;

use std::sync::Arc;

pub use build::build;
pub(crate) use crossing::{CHUNK, KeyColumn, compress, few, fill_keys, number_keys, partners};
pub use crossing::{Crossing, cross};

/// What a stratum is: units drawn independently of other strata.
#[derive(Debug, Clone, PartialEq)]
pub struct Stratum {
    /// Its label, for messages.
    pub label: String,
    /// Units sampled.
    pub sampled: usize,
    /// Units in the population; none is no finite population correction.
    pub population: Option<f64>,
}

impl Stratum {
    /// 1 - f: the share of units that were not drawn; 1 without a population count.
    pub fn unsampled_share(&self) -> f64 {
        self.population.map_or(1.0, |population| (population - self.sampled as f64) / population)
    }
}

/// One stage of selection; units are numbered in the order of parent unit, stratum, id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StageUnits {
    /// The strata, in order.
    pub strata: Vec<Stratum>,
    /// The stratum of each unit.
    pub stratum_of_unit: Vec<u32>,
    /// The unit of each row.
    pub unit_of_row: Arc<Vec<u32>>,
    /// Any stratum has a population count.
    pub has_fpc: bool,
}

impl StageUnits {
    /// How many units were sampled.
    pub fn units(&self) -> usize {
        self.stratum_of_unit.len()
    }
}

/// How unequal probabilities enter the variance of a one-stage design.
#[derive(Debug, Clone, PartialEq)]
pub enum Probabilities {
    /// Not at all: the stages' counts say everything.
    None,
    /// 1 - pi of each first-stage unit (Brewer).
    Brewer(Vec<f64>),
    /// (pi_ij - pi_i pi_j) / pi_ij for all pairs of rows, row by row, and the form.
    Joint {
        /// The coefficients.
        coefficients: Vec<f64>,
        /// Yates and Grundy's form, else Horvitz and Thompson's.
        yates_grundy: bool,
    },
}

/// A sample design bound to the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// Rows of the table.
    pub rows: usize,
    /// The stages that the variance looks at, at least one.
    pub stages: Vec<StageUnits>,
    /// For each stage, the unit that contains each leaf.
    pub unit_of_leaf: Vec<Vec<u32>>,
    /// Unequal probabilities.
    pub probabilities: Probabilities,
    /// The weight that the design declares for each row.
    pub weights: Arc<Vec<f64>>,
}

impl Design {
    /// The leaf of each row.
    pub fn leaf_of_row(&self) -> &[u32] {
        &self.stages[self.stages.len() - 1].unit_of_row
    }

    /// How many leaves there are.
    pub fn leaves(&self) -> usize {
        self.stages[self.stages.len() - 1].units()
    }

    /// The first-stage unit of each row.
    pub fn psu_of_row(&self) -> &[u32] {
        &self.stages[0].unit_of_row
    }

    /// The first stage.
    pub fn first(&self) -> &StageUnits {
        &self.stages[0]
    }

    /// First-stage units minus strata among ascending leaves.
    pub(crate) fn degrees_of_freedom_of(&self, leaves: &[u32]) -> f64 {
        let (first, of_leaf) = (self.first(), &self.unit_of_leaf[0]);
        let (mut units, mut strata) = (0, 0);
        let (mut unit, mut stratum) = (None, None);
        for &leaf in leaves {
            let of = of_leaf[leaf as usize];
            if unit.replace(of) == Some(of) {
                continue;
            }
            units += 1;
            let of = first.stratum_of_unit[of as usize];
            strata += usize::from(stratum.replace(of) != Some(of));
        }
        units as f64 - strata as f64
    }

    /// First-stage units minus strata of the whole sample: every unit and every stratum has a row.
    pub fn all_degrees_of_freedom(&self) -> f64 {
        self.first().units() as f64 - self.first().strata.len() as f64
    }

    /// First-stage units minus strata among the rows that `counts`.
    ///
    /// **Source**: R `survey::degf`.
    pub fn degrees_of_freedom(&self, counts: impl Fn(usize) -> bool) -> f64 {
        let first = self.first();
        let mut psus = vec![false; first.units()];
        for (row, &psu) in first.unit_of_row.iter().enumerate() {
            if !psus[psu as usize] && counts(row) {
                psus[psu as usize] = true;
            }
        }
        df_of(first, &psus)
    }
}

/// Units marked minus strata that hold one of them.
pub(crate) fn df_of(first: &StageUnits, psus: &[bool]) -> f64 {
    let mut strata = vec![false; first.strata.len()];
    let mut units = 0;
    for (psu, _) in psus.iter().enumerate().filter(|(_, marked)| **marked) {
        units += 1;
        strata[first.stratum_of_unit[psu] as usize] = true;
    }
    units as f64 - strata.iter().filter(|&&s| s).count() as f64
}
