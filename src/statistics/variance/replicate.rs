//! Replicate weights and the variance of replicate estimates.
//!
//! V = scale Σ_r rscale_r (θ_r - c)², c the mean of the replicates or, with `mse`, the full-sample estimate.

use std::{ops::Range, sync::Arc};

use super::super::{
    StatisticsError,
    weighting::{calibrate::Dense, rake::CellFactors},
};

/// Multipliers of the weight, one a unit and replicate, with the factors of the variance.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicateFactors {
    /// The unit of each row.
    pub unit_of_row: Arc<Vec<u32>>,
    /// For each replicate, one multiplier a unit.
    pub multipliers: Multipliers,
    /// The common factor.
    pub scale: f64,
    /// One factor a replicate.
    pub rscales: Vec<f64>,
    /// Deviations from the full-sample estimate.
    pub mse: bool,
    /// Where degrees of freedom come from.
    pub df: DfRule,
}

/// One multiplier a unit and replicate.
#[derive(Debug, Clone, PartialEq)]
pub enum Multipliers {
    /// As numbers, replicate by replicate.
    Table(Vec<Vec<f64>>),
    /// By how often a unit was drawn, for a bootstrap: an eighth of the memory.
    Drawn {
        /// For each replicate, how often each unit was drawn.
        times: Vec<Vec<u8>>,
        /// The multiplier of a unit that was not drawn, and what every draw adds, by unit.
        steps: Vec<(f64, f64)>,
    },
}

impl Multipliers {
    /// The multiplier of a unit in a replicate.
    pub fn get(&self, replicate: usize, unit: usize) -> f64 {
        match self {
            Self::Table(of) => of[replicate][unit],
            Self::Drawn { times, steps } => {
                let (undrawn, draw) = steps[unit];
                undrawn + draw * f64::from(times[replicate][unit])
            }
        }
    }

    /// How many units there are; none without a replicate.
    pub fn units(&self) -> usize {
        match self {
            Self::Table(of) => of.first().map_or(0, Vec::len),
            Self::Drawn { steps, .. } => steps.len(),
        }
    }

    /// The multipliers of a unit in some replicates.
    pub(crate) fn of_unit(&self, unit: usize, replicates: Range<usize>, into: &mut [f64]) {
        match self {
            Self::Table(of) => into.iter_mut().zip(&of[replicates]).for_each(|(into, of)| *into = of[unit]),
            Self::Drawn { times, steps } => {
                let (undrawn, draw) = steps[unit];
                let multiplier = |times: &Vec<u8>| undrawn + draw * f64::from(times[unit]);
                into.iter_mut().zip(&times[replicates]).for_each(|(into, times)| *into = multiplier(times));
            }
        }
    }
}

/// Where the degrees of freedom of replicates come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DfRule {
    /// The rank of the replicate weights on the domain's rows, minus 1 (R's rule).
    Rank,
    /// First-stage units minus strata with rows of the domain: for replicates that the engine draws.
    Design,
    /// Stated by the producer for the whole sample; domains go by rank.
    Stated(f64),
}

/// What adjustments made of the replicates' weights.
#[derive(Debug, Clone, PartialEq)]
pub enum AdjustedReplicates {
    /// Nothing: the multipliers say it all.
    Unchanged,
    /// A factor for each cell and replicate.
    Cells {
        /// The cell of each row; rows without weight have none.
        cell_of_row: Arc<Vec<u32>>,
        /// The factors, replicate by replicate.
        factors: Vec<CellFactors>,
        /// The matrix that products of factors refer to.
        dense: Option<Arc<Dense>>,
        /// The weights' sum by cell in each replicate, where it is small beside the rows.
        weights: Option<Vec<Vec<f64>>>,
    },
    /// A weight for each row and replicate.
    Rows(Vec<Vec<f64>>),
}

/// Final replicate weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Replicates {
    /// How they were made.
    pub factors: ReplicateFactors,
    /// The full sample's weights that the multipliers multiply.
    pub base: Arc<Vec<f64>>,
    /// What adjustments made of them.
    pub adjusted: AdjustedReplicates,
}

impl Replicates {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.factors.rscales.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The weight of a row in a replicate.
    pub fn weight(&self, replicate: usize, row: usize) -> f64 {
        let multiplied =
            || self.base[row] * self.factors.multipliers.get(replicate, self.factors.unit_of_row[row] as usize);
        match &self.adjusted {
            AdjustedReplicates::Rows(weights) => weights[replicate][row],
            AdjustedReplicates::Unchanged => multiplied(),
            AdjustedReplicates::Cells { cell_of_row, factors, dense, .. } => {
                let factor = factors[replicate].get(dense.as_deref(), cell_of_row[row]);
                factor.map_or(0.0, |factor| factor * multiplied())
            }
        }
    }

    /// The variance of one estimate's replicates; those in which it does not exist are left out.
    ///
    /// **Errors** and **Source**: as [`Replicates::covariance`].
    pub fn variance(&self, values: &[f64], full: f64) -> Result<f64, StatisticsError> {
        let usable = || values.iter().zip(&self.factors.rscales).filter(|(value, _)| value.is_finite());
        let (mut sum, mut centred) = (0.0, 0usize);
        for (value, _) in usable().filter(|(_, rscale)| **rscale > 0.0) {
            sum += value;
            centred += 1;
        }
        if centred == 0 {
            return Err(StatisticsError::estimate("a variance", "no replicate has an estimate"));
        }
        let centre = if self.factors.mse { full } else { sum / centred as f64 };
        let share = |(value, rscale): (&f64, &f64)| self.factors.scale * rscale * (value - centre) * (value - centre);
        Ok(usable().map(share).sum())
    }

    /// The covariance of replicate estimates, row by row. `values` holds one vector of estimates a replicate;
    /// replicates in which an estimate does not exist are left out.
    ///
    /// **Errors**: [`StatisticsError::Estimate`] when no replicate has an estimate.
    ///
    /// **Source**: Wolter 2007; R `survey::svrVar`.
    pub fn covariance(&self, values: &[Vec<f64>], full: &[f64]) -> Result<Vec<f64>, StatisticsError> {
        let k = full.len();
        let usable: Vec<usize> = (0..values.len()).filter(|&r| values[r].iter().all(|v| v.is_finite())).collect();
        let centred: Vec<usize> = usable.iter().copied().filter(|&r| self.factors.rscales[r] > 0.0).collect();
        if centred.is_empty() {
            return Err(StatisticsError::estimate("a variance", "no replicate has an estimate"));
        }
        let centre = if self.factors.mse {
            full.to_vec()
        } else {
            let mean = |at: usize| centred.iter().map(|&r| values[r][at]).sum::<f64>() / centred.len() as f64;
            (0..k).map(mean).collect()
        };
        let mut sum = vec![0.0; k * k];
        for r in usable {
            let factor = self.factors.scale * self.factors.rscales[r];
            for i in 0..k {
                let deviation = factor * (values[r][i] - centre[i]);
                for j in 0..k {
                    sum[i * k + j] += deviation * (values[r][j] - centre[j]);
                }
            }
        }
        Ok(sum)
    }

    /// The rank of the replicate weights on some rows, minus 1.
    ///
    /// Columns are taken in order; one counts when more than 1e-5 of its length is left after those before it.
    ///
    /// **Source**: R `survey::degf`, a pivoted QR with tolerance 1e-5. Lengths are compared through the cross
    /// products, where 1e-5 becomes 1e-10, still far above rounding.
    pub fn rank_df(&self, rows: &[usize]) -> f64 {
        let replicates = self.len();
        let vectors = self.distinct_rows(rows);
        let mut gram = vec![0.0; replicates * replicates];
        for (vector, times) in &vectors {
            for i in 0..replicates {
                let value = vector[i] * times;
                gram[i * replicates..=i * replicates + i].iter_mut().zip(vector).for_each(|(g, v)| *g += value * v);
            }
        }
        rank(&mut gram, replicates) as f64 - 1.0
    }

    /// Rows of the replicate-weight matrix with their squared size; without adjustments one a unit.
    fn distinct_rows(&self, rows: &[usize]) -> Vec<(Vec<f64>, f64)> {
        let replicates = self.len();
        if self.adjusted != AdjustedReplicates::Unchanged {
            return rows.iter().map(|&row| ((0..replicates).map(|r| self.weight(r, row)).collect(), 1.0)).collect();
        }
        let units = self.factors.multipliers.units();
        let mut squares = vec![0.0; units];
        rows.iter().for_each(|&row| squares[self.factors.unit_of_row[row] as usize] += self.base[row] * self.base[row]);
        let vector = |unit: usize| (0..replicates).map(|r| self.factors.multipliers.get(r, unit)).collect();
        (0..units).filter(|&unit| squares[unit] > 0.0).map(|unit| (vector(unit), squares[unit])).collect()
    }
}

/// The rank by Cholesky with skipped columns; the lower triangle of `gram` is overwritten.
fn rank(gram: &mut [f64], n: usize) -> usize {
    let mut kept: Vec<usize> = Vec::new();
    for at in 0..n {
        let own = gram[at * n + at];
        let mut left = own;
        for (j, &other) in kept.iter().enumerate() {
            let mut value = gram[at * n + other];
            for &earlier in &kept[..j] {
                value -= gram[at * n + earlier] * gram[other * n + earlier];
            }
            value /= gram[other * n + other];
            gram[at * n + other] = value;
            left -= value * value;
        }
        if own > 0.0 && left > 1e-10 * own {
            gram[at * n + at] = left.sqrt();
            kept.push(at);
        }
    }
    kept.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jackknife(units: usize) -> Replicates {
        let n = units as f64;
        let multiplier = |r: usize, j: usize| if r == j { 0.0 } else { n / (n - 1.0) };
        let factors = ReplicateFactors {
            unit_of_row: Arc::new((0..units as u32).collect()),
            multipliers: Multipliers::Table(
                (0..units).map(|r| (0..units).map(|j| multiplier(r, j)).collect()).collect(),
            ),
            scale: (n - 1.0) / n,
            rscales: vec![1.0; units],
            mse: false,
            df: DfRule::Rank,
        };
        Replicates { factors, base: Arc::new(vec![1.0; units]), adjusted: AdjustedReplicates::Unchanged }
    }

    #[test]
    fn the_jackknife_of_a_mean_is_the_textbook_variance() {
        let values = [1.0, 2.0, 6.0];
        let replicates = jackknife(3);
        let mean = |r: usize| {
            let w = |i: usize| replicates.weight(r, i);
            vec![(0..3).map(|i| w(i) * values[i]).sum::<f64>() / (0..3).map(w).sum::<f64>()]
        };
        let means: Vec<Vec<f64>> = (0..3).map(mean).collect();
        // s²/n with s² = (4 + 1 + 9) / 2
        assert!((replicates.covariance(&means, &[3.0]).expect("a variance")[0] - 7.0 / 3.0).abs() < 1e-14);
    }

    #[test]
    fn the_rank_of_a_jackknife_gives_units_minus_one() {
        assert_eq!(jackknife(7).rank_df(&(0..7).collect::<Vec<_>>()), 6.0);
        assert_eq!(jackknife(7).rank_df(&[0, 1, 2]), 2.0);
    }

    #[test]
    fn a_replicate_without_an_estimate_is_left_out() {
        let replicates = jackknife(3);
        let with = replicates.covariance(&[vec![1.0], vec![f64::NAN], vec![3.0]], &[2.0]).expect("a variance");
        assert!((with[0] - 2.0 / 3.0 * 2.0).abs() < 1e-14);
        assert!(replicates.covariance(&[vec![f64::NAN]], &[2.0]).is_err());
    }
}
