//! Variances from joint inclusion probabilities.

use super::taylor::LeafValues;
use crate::statistics::design::Design;

/// Σ_ij c_ij z_i z_j (Horvitz and Thompson) or -½ Σ_ij c_ij (z_i - z_j)² (Yates and Grundy), with
/// c_ij = (pi_ij - pi_i pi_j) / pi_ij.
pub(super) fn covariance(design: &Design, coefficients: &[f64], yates_grundy: bool, z: LeafValues<'_>) -> Vec<f64> {
    let (n, k) = (design.leaves(), z.columns);
    let mut full = vec![0.0; n * k];
    for (&leaf, value) in z.leaves.iter().zip(z.values.chunks_exact(k)) {
        full[leaf as usize * k..(leaf as usize + 1) * k].copy_from_slice(value);
    }
    // Leaves are the rows here, sorted by unit; the coefficients follow the rows.
    let mut row_of_leaf = vec![0; n];
    design.leaf_of_row().iter().enumerate().for_each(|(row, &leaf)| row_of_leaf[leaf as usize] = row);
    let mut sum = vec![0.0; k * k];
    for i in 0..n {
        for j in 0..n {
            let c = coefficients[row_of_leaf[i] * n + row_of_leaf[j]];
            let (a, b) = (&full[i * k..(i + 1) * k], &full[j * k..(j + 1) * k]);
            for p in 0..k {
                for q in 0..k {
                    sum[p * k + q] +=
                        if yates_grundy { -0.5 * c * (a[p] - b[p]) * (a[q] - b[q]) } else { c * a[p] * b[q] };
                }
            }
        }
    }
    sum
}
