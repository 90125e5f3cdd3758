//! Smoothing of direct variances before they enter an area model.
//!
//! The direct variance of a district on six PSUs is itself a noisy estimate, and zero where nobody or everybody is
//! literate; an area model that takes it as known would trust exactly the wrong districts. A generalised variance
//! function replaces it by what districts of that size and level have on average.

use super::small_area::SmallAreaError;

/// The direct estimate of a proportion in one area with what its smoothed variance needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectArea {
    /// The direct proportion.
    pub estimate: f64,
    /// Its direct variance; zero or NaN where the data give none.
    pub variance: f64,
    /// Respondents in the area.
    pub n: f64,
}

impl DirectArea {
    fn usable(&self) -> bool {
        self.variance > 0.0 && self.variance.is_finite() && self.n > 0.0 && self.estimate.is_finite()
    }
}

fn check(areas: &[DirectArea], needed: usize) -> Result<(), SmallAreaError> {
    if let Some(area) = areas.iter().position(|a| !(a.n > 0.0 && a.n.is_finite())) {
        return Err(SmallAreaError::Value { area, what: "the number of respondents", value: areas[area].n });
    }
    let usable = areas.iter().filter(|a| a.usable()).count();
    if usable < needed { Err(SmallAreaError::TooFewVariances { needed, usable }) } else { Ok(()) }
}

/// Smooths variances of proportions by one design effect for all areas: `ψ_d = deff · p̄ (1 − p̄) / n_d`.
///
/// p̄ is the mean of the direct proportions weighted by n, and deff the one that reproduces the sum of the direct
/// variances over the areas that have one. The variance then depends on n alone, so an area's luck in its own
/// proportion cannot buy it precision.
///
/// **Shapes and units**: proportions and their variances; one smoothed variance an area, also where there was none.
///
/// **Errors**: [`SmallAreaError::TooFewVariances`] without any usable variance, [`SmallAreaError::Value`] for an area
/// without respondents.
///
/// **Source**: Wolter 2007, 7.2; Rao and Molina 2015, 4.2.
///
/// **Example**
/// ```
/// use scilit::statistics::variance_function::{DirectArea, pooled_design_effect};
/// let area = |n| DirectArea { estimate: 0.5, variance: 0.5 / n, n };
/// let smoothed = pooled_design_effect(&[area(50.0), area(100.0)]).unwrap();
/// assert!((smoothed[0] - 0.01).abs() < 1e-15 && (smoothed[1] - 0.005).abs() < 1e-15); // deff 2
/// ```
pub fn pooled_design_effect(areas: &[DirectArea]) -> Result<Vec<f64>, SmallAreaError> {
    check(areas, 1)?;
    let n = areas.iter().fold(0.0, |s, a| s + a.n);
    let p = areas.iter().fold(0.0, |s, a| s + a.n * a.estimate) / n;
    let usable = || areas.iter().filter(|a| a.usable());
    let observed = usable().fold(0.0, |s, a| s + a.variance);
    let simple = usable().fold(0.0, |s, a| s + p * (1.0 - p) / a.n);
    if simple <= 0.0 {
        return Err(SmallAreaError::TooFewVariances { needed: 1, usable: 0 });
    }
    Ok(areas.iter().map(|a| observed / simple * p * (1.0 - p) / a.n).collect())
}

/// Smooths variances by the regression `ln ψ = a + b ln n` over the areas that have a variance.
///
/// The fitted curve is scaled so that it reproduces the sum of the direct variances it was fitted to, which undoes the
/// bias of taking the exponential of a mean logarithm.
///
/// **Shapes and units**: as [`pooled_design_effect`].
///
/// **Errors**: [`SmallAreaError::TooFewVariances`] with fewer than three usable variances, [`SmallAreaError::Value`].
/// Where all areas have the same n, the slope is zero.
///
/// **Source**: Wolter 2007, 7.2 to 7.4; Dick 1995.
///
/// **Example**
/// ```
/// use scilit::statistics::variance_function::{DirectArea, log_linear};
/// let area = |n: f64| DirectArea { estimate: 0.2, variance: 3.0 / n, n };
/// let smoothed = log_linear(&[area(10.0), area(20.0), area(90.0)]).unwrap();
/// assert!((smoothed[2] - 3.0 / 90.0).abs() < 1e-12); // exactly on the curve
/// ```
pub fn log_linear(areas: &[DirectArea]) -> Result<Vec<f64>, SmallAreaError> {
    check(areas, 3)?;
    let points: Vec<(f64, f64)> =
        areas.iter().filter(|a| a.usable()).map(|a| (libm::log(a.n), libm::log(a.variance))).collect();
    let k = points.len() as f64;
    let x = points.iter().fold(0.0, |s, p| s + p.0) / k;
    let y = points.iter().fold(0.0, |s, p| s + p.1) / k;
    let xx = points.iter().fold(0.0, |s, p| s + (p.0 - x) * (p.0 - x));
    let xy = points.iter().fold(0.0, |s, p| s + (p.0 - x) * (p.1 - y));
    let slope = if xx > 1e-12 * k { xy / xx } else { 0.0 };
    let curve = |n: f64| libm::exp(y + slope * (libm::log(n) - x));
    let observed = areas.iter().filter(|a| a.usable()).fold(0.0, |s, a| s + a.variance);
    let fitted = areas.iter().filter(|a| a.usable()).fold(0.0, |s, a| s + curve(a.n));
    Ok(areas.iter().map(|a| observed / fitted * curve(a.n)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: DirectArea = DirectArea { estimate: 0.0, variance: 0.0, n: 30.0 };

    fn area(estimate: f64, variance: f64, n: f64) -> DirectArea {
        DirectArea { estimate, variance, n }
    }

    #[test]
    fn an_area_without_a_variance_borrows_one() {
        let areas = [area(0.2, 0.004, 60.0), area(0.3, 0.006, 60.0), area(0.1, 0.002, 90.0), NOBODY];
        for smooth in [pooled_design_effect, log_linear] {
            let smoothed = smooth(&areas).unwrap();
            assert!(smoothed.iter().all(|v| *v > 0.0));
            assert_eq!(smoothed[0], smoothed[1], "the same size has the same variance");
            let sum: f64 = smoothed[..3].iter().sum();
            assert!((sum - 0.012).abs() < 1e-12, "the sum of the direct variances is kept");
        }
    }

    #[test]
    fn too_few_variances_are_an_error() {
        let fault = |r: Result<_, SmallAreaError>| r.unwrap_err();
        assert!(matches!(fault(pooled_design_effect(&[NOBODY])), SmallAreaError::TooFewVariances { usable: 0, .. }));
        let two = [area(0.2, 0.004, 60.0), area(0.3, 0.006, 60.0)];
        assert!(matches!(fault(log_linear(&two)), SmallAreaError::TooFewVariances { needed: 3, usable: 2 }));
        assert!(matches!(fault(log_linear(&[area(0.2, 0.1, 0.0)])), SmallAreaError::Value { area: 0, .. }));
    }
}
