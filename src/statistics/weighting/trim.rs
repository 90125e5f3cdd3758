//! Trimming: weights are clipped to bounds, and what was clipped is shared among those that were not.

use crate::statistics::StatisticsError;

/// Passes after which strict trimming gives up: each pass clips at least one more weight, and in practice a handful do.
const PASSES_MAX: usize = 1000;

/// Clips to [lower, upper] and adds the excess in equal parts to the weights that were not clipped; strict repeats
/// until all are inside. Rows without weight stay without.
///
/// **Source**: R `survey::trimWeights` (4.2 and later).
///
/// # Errors
/// [`StatisticsError::Weighting`] when no weight is left to take the excess.
///
/// ```
/// use scilit::statistics::weighting::trim::trim;
/// let (weights, passes) = trim(&[1.0, 2.0, 9.0], 0.0, 6.0, false).unwrap();
/// assert_eq!((weights, passes), (vec![2.5, 3.5, 6.0], 1));
/// ```
pub fn trim(weights: &[f64], lower: f64, upper: f64, strict: bool) -> Result<(Vec<f64>, usize), StatisticsError> {
    let mut trimmed = weights.to_vec();
    let mut clipped = vec![false; weights.len()];
    for pass in 1..=PASSES_MAX {
        // A negative weight of a linear calibration is outside; 0 is no weight.
        let outside = |w: f64| w != 0.0 && (w < lower || w > upper);
        if !trimmed.iter().any(|&w| outside(w)) {
            return Ok((trimmed, pass - 1));
        }
        let mut excess = 0.0;
        for (weight, clipped) in trimmed.iter_mut().zip(&mut clipped).filter(|(w, _)| outside(**w)) {
            let inside = weight.clamp(lower, upper);
            excess += *weight - inside;
            *weight = inside;
            *clipped = true;
        }
        let free = |w: f64, clipped: bool| w != 0.0 && !clipped;
        let takers = trimmed.iter().zip(&clipped).filter(|(w, c)| free(**w, **c)).count();
        if takers == 0 {
            let reason = format!("no weight between {lower} and {upper} is left to take what was clipped");
            return Err(StatisticsError::weighting("trim", reason));
        }
        for (weight, &clipped) in trimmed.iter_mut().zip(&clipped) {
            if free(*weight, clipped) {
                *weight += excess / takers as f64;
            }
        }
        if trimmed.iter().any(|w| *w < 0.0) {
            return Err(StatisticsError::weighting("trim", "the shared excess makes a weight negative"));
        }
        if !strict {
            return Ok((trimmed, pass));
        }
    }
    Err(StatisticsError::weighting("trim", format!("weights are still outside after {PASSES_MAX} passes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_weights_is_kept_and_strict_leaves_all_inside() {
        let weights = [1.0, 4.0, 5.0, 7.5, 12.0];
        let (strict, _) = trim(&weights, 2.0, 8.0, true).expect("weights");
        assert!((strict.iter().sum::<f64>() - weights.iter().sum::<f64>()).abs() < 1e-12);
        assert!(strict.iter().all(|w| (2.0..=8.0).contains(w)), "{strict:?}");
        let (once, _) = trim(&weights, 2.0, 8.0, false).expect("weights");
        assert!(once.iter().any(|w| *w > 8.0), "{once:?}");
    }

    #[test]
    fn bounds_that_clip_every_weight_are_refused() {
        assert!(trim(&[1.0, 9.0], 2.0, 3.0, true).is_err());
        assert!(trim(&[5.0, 9.0], 0.0, 0.0, false).is_err());
    }

    #[test]
    fn a_row_without_weight_gets_none() {
        assert_eq!(trim(&[0.0, 2.0, 9.0], 1.0, 6.0, false).expect("weights").0[0], 0.0);
    }
}
