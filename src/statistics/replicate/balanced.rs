//! Balanced replicates from Hadamard matrices: half samples, Fay's variant, successive differences.

use super::{PLACE, factors, ranges};
use crate::statistics::{
    StatisticsError,
    design::Design,
    plan::ReplicatesPlan,
    variance::replicate::{DfRule, Multipliers, ReplicateFactors},
};

/// Orders up to which a Hadamard matrix is looked for.
const ORDER_MAX: usize = 4096;

/// Replicates of successive differences when the plan does not say how many.
const DIFFERENCES_DEFAULT: usize = 160;

/// A Hadamard matrix of the smallest order that is at least `order` and that doubling and Paley's two constructions
/// reach: entries ±1, rows orthogonal, the first row and column all 1. None above 4096.
///
/// **Source**: Paley 1933.
///
/// ```
/// let h = scilit::statistics::replicate::hadamard(9).unwrap();
/// assert_eq!(h.len(), 12);
/// let product: i32 = h[3].iter().zip(&h[7]).map(|(a, b)| i32::from(a * b)).sum();
/// assert_eq!(product, 0);
/// ```
pub fn hadamard(order: usize) -> Option<Vec<Vec<i8>>> {
    (order.max(1)..=ORDER_MAX).find_map(of_order).map(normalised)
}

fn of_order(n: usize) -> Option<Vec<Vec<i8>>> {
    match n {
        1 => Some(vec![vec![1]]),
        2 => Some(vec![vec![1, 1], vec![1, -1]]),
        n if !n.is_multiple_of(4) => None,
        n if is_prime(n - 1) => Some(paley_one(n - 1)),
        n if is_prime(n / 2 - 1) && (n / 2 - 1) % 4 == 1 => Some(paley_two(n / 2 - 1)),
        n => of_order(n / 2).map(|half| doubled(&half)),
    }
}

fn is_prime(n: usize) -> bool {
    n > 1 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

fn doubled(half: &[Vec<i8>]) -> Vec<Vec<i8>> {
    let upper = half.iter().map(|row| row.iter().chain(row).copied().collect());
    let lower = half.iter().map(|row| row.iter().copied().chain(row.iter().map(|v| -v)).collect());
    upper.chain(lower).collect()
}

/// The quadratic character modulo a prime: 1 for squares, -1 for others, 0 for 0.
fn character(q: usize) -> Vec<i8> {
    let mut of = vec![-1; q];
    (1..q).for_each(|x| of[x * x % q] = 1);
    of[0] = 0;
    of
}

/// The bordered matrix S with S S' = q I: symmetric for q = 1 mod 4, skew for q = 3 mod 4.
fn conference(q: usize) -> Vec<Vec<i8>> {
    let of = character(q);
    let corner = if q % 4 == 3 { -1 } else { 1 };
    let mut rows = vec![std::iter::once(0).chain(std::iter::repeat_n(1, q)).collect::<Vec<i8>>()];
    rows.extend((0..q).map(|i| std::iter::once(corner).chain((0..q).map(|j| of[(i + q - j) % q])).collect()));
    rows
}

/// Order q + 1 for a prime q = 3 mod 4.
fn paley_one(q: usize) -> Vec<Vec<i8>> {
    let mut matrix = conference(q);
    (0..=q).for_each(|i| matrix[i][i] += 1);
    matrix
}

/// Order 2(q + 1) for a prime q = 1 mod 4.
fn paley_two(q: usize) -> Vec<Vec<i8>> {
    let block = |value: i8, row: usize| match (value, row) {
        (0, 0) => [1, -1],
        (0, _) => [-1, -1],
        (v, 0) => [v, v],
        (v, _) => [v, -v],
    };
    let rows = conference(q);
    rows.iter().flat_map(|row| [0, 1].map(|half| row.iter().flat_map(|&v| block(v, half)).collect())).collect()
}

/// Makes the first row and the first column all 1 by changing signs of columns and rows.
fn normalised(mut matrix: Vec<Vec<i8>>) -> Vec<Vec<i8>> {
    let first = matrix[0].clone();
    for row in &mut matrix {
        row.iter_mut().zip(&first).for_each(|(value, sign)| *value *= sign);
        let sign = row[0];
        row.iter_mut().for_each(|value| *value *= sign);
    }
    matrix
}

/// Half samples of two units a stratum: multipliers 2-ρ and ρ, scale 1/(R(1-ρ)²).
///
/// **Source**: McCarthy 1966; Fay 1989; R `survey::brrweights`.
pub(super) fn halves(plan: &ReplicatesPlan, design: &Design, rho: f64) -> Result<ReplicateFactors, StatisticsError> {
    let strata = &design.first().strata;
    if let Some(other) = strata.iter().find(|stratum| stratum.sampled != 2) {
        return Err(StatisticsError::design(format!(
            "balanced replicates need two units a stratum; stratum {} has {}",
            other.label, other.sampled
        )));
    }
    let matrix = hadamard(strata.len() + 1)
        .ok_or_else(|| StatisticsError::design(format!("{} strata are too many to balance", strata.len())))?;
    let replicates = matrix.len();
    let one = |row: &Vec<i8>| {
        let side = |stratum: usize| if row[stratum + 1] == 1 { [2.0 - rho, rho] } else { [rho, 2.0 - rho] };
        (0..strata.len()).flat_map(side).collect()
    };
    let all = matrix.iter().map(one).collect();
    let scale = 1.0 / (replicates as f64 * (1.0 - rho) * (1.0 - rho));
    Ok(factors(plan, design, Multipliers::Table(all), scale, vec![1.0; replicates], DfRule::Rank))
}

/// Successive differences of the units in the order of stratum and id: 1 + 2^-1.5 (h_a - h_b), scale 4/R.
///
/// **Source**: Fay and Train 1995.
pub(super) fn successive_differences(
    plan: &ReplicatesPlan,
    design: &Design,
) -> Result<ReplicateFactors, StatisticsError> {
    let units = ranges(design).last().map_or(0, |range| range.end);
    if units < 2 {
        return Err(StatisticsError::design("successive differences need at least two units"));
    }
    let wanted = plan.replicates.unwrap_or_else(|| (units + 2).min(DIFFERENCES_DEFAULT));
    if wanted < 4 {
        return Err(StatisticsError::plan(PLACE, "successive differences have at least 4 replicates"));
    }
    let matrix = hadamard(wanted).ok_or_else(|| StatisticsError::plan(PLACE, "too many replicates"))?;
    let replicates = matrix.len();
    let half = 0.5 * std::f64::consts::FRAC_1_SQRT_2;
    // The all-ones row is left out; rows repeat when there are more units than rows.
    let row = |unit: usize| &matrix[unit % (replicates - 1) + 1];
    let multiplier = |unit: usize, r: usize| 1.0 + half * f64::from(row(unit)[r]) - half * f64::from(row(unit + 1)[r]);
    let all = (0..replicates).map(|r| (0..units).map(|unit| multiplier(unit, r)).collect()).collect();
    Ok(factors(plan, design, Multipliers::Table(all), 4.0 / replicates as f64, vec![1.0; replicates], DfRule::Design))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_reached_is_a_hadamard_matrix() {
        for order in [1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 36, 60, 76, 104] {
            let matrix = of_order(order).map(normalised).expect("a matrix");
            for (i, a) in matrix.iter().enumerate() {
                assert_eq!((a.len(), a[0], matrix[0][i]), (order, 1, 1));
                for b in &matrix[..i] {
                    assert_eq!(a.iter().zip(b).map(|(x, y)| i32::from(x * y)).sum::<i32>(), 0, "order {order}");
                }
            }
        }
    }
}
