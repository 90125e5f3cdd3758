//! Two waves of a survey over the same places: how their estimates move together.
//!
//! Notation: z_hj the linearized total of unit j of stratum h in one wave, z̄_h its mean over that wave's n_h units; a
//! unit is the same place in both waves when stratum and unit carry the same labels.

use std::collections::BTreeMap;

use super::{Prepared, StatisticsError, estimate::unit_totals, plan::Moment};

/// Linearized totals of one estimate by first-stage unit, and the strata they are in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UnitTotals {
    /// For each stratum's label, the total of each unit by its label; units without rows of the estimate have 0.
    pub strata: BTreeMap<String, BTreeMap<String, f64>>,
}

/// The covariance of one estimate in two waves, from the units that both have.
///
/// cov = Σ_h m_h / (m_h - 1) Σ_{j in both} (z_hj - z̄_h)(z'_hj - z̄'_h), m_h the units of stratum h that both waves
/// have; strata with fewer than two such units add nothing, which leaves the variance of a change on the large side.
/// With all units shared, V + V' - 2 cov is the linearized variance of the difference itself.
///
/// **Shapes and units**: squared units of the estimate.
///
/// **Errors**: none.
///
/// **Source**: Kish 1965, 12.4; Wood 2008, \"On the covariance between related Horvitz-Thompson estimators\"; with all
/// units shared it agrees with R `svycontrast` on one design of both waves.
///
/// **Example**
/// ```
/// use std::collections::BTreeMap;
/// use scilit::statistics::waves::{UnitTotals, covariance_between};
/// let of = |a: f64, b: f64| UnitTotals {
///     strata: BTreeMap::from([("h".to_owned(), BTreeMap::from([("1".to_owned(), a), ("2".to_owned(), b)]))]),
/// };
/// // 2/1 × (1·2 + (-1)·(-2))
/// assert_eq!(covariance_between(&of(1.0, -1.0), &of(2.0, -2.0)), 8.0);
/// ```
pub fn covariance_between(one: &UnitTotals, other: &UnitTotals) -> f64 {
    let mut sum = 0.0;
    for (stratum, units) in &one.strata {
        let Some(others) = other.strata.get(stratum) else { continue };
        let mean = |units: &BTreeMap<String, f64>| units.values().sum::<f64>() / units.len() as f64;
        let (centre, centre_other) = (mean(units), mean(others));
        let both = units.iter().filter_map(|(unit, z)| Some((z, others.get(unit)?)));
        let products: Vec<f64> = both.map(|(z, y)| (z - centre) * (y - centre_other)).collect();
        let shared = products.len() as f64;
        if shared > 1.0 {
            sum += shared / (shared - 1.0) * products.iter().sum::<f64>();
        }
    }
    sum
}

/// The linearized totals of a proportion in each domain, by the labels of its domain; `columns` name the stratum and
/// the first-stage unit.
///
/// **Shapes and units**: one [`UnitTotals`] a domain, in units of the proportion.
///
/// # Errors
/// A column that is not there; replicates, which have no linearized totals.
pub fn proportion_totals(
    prepared: &Prepared,
    plan: &Moment,
    columns: [&str; 2],
) -> Result<BTreeMap<Vec<String>, UnitTotals>, StatisticsError> {
    let [stratum, unit] = columns;
    let (strata, units) =
        (prepared.table().categories(stratum, "waves.stratum")?, prepared.table().categories(unit, "waves.unit")?);
    let mut labels: Vec<Option<(&str, &str)>> = vec![None; prepared.design().first().units()];
    for (row, &psu) in prepared.design().psu_of_row().iter().enumerate() {
        let label = |of: &'_ super::data::Categories| of.codes()[row] as usize;
        let (Some(h), Some(j)) = (strata.levels().get(label(&strata)), units.levels().get(label(&units))) else {
            continue;
        };
        labels[psu as usize] = Some((h, j));
    }
    let laid_out = |z: &[f64]| {
        let mut totals = UnitTotals::default();
        for ((stratum, unit), z) in labels.iter().zip(z).filter_map(|(label, z)| Some(((*label)?, z))) {
            totals.strata.entry(stratum.to_owned()).or_default().insert(unit.to_owned(), *z);
        }
        totals
    };
    Ok(unit_totals(prepared, plan)?.into_iter().map(|(domain, z)| (domain, laid_out(&z))).collect())
}
