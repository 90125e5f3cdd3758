//! Small dense linear algebra with one fixed order of operations.
//!
//! `nalgebra` holds the matrices, but its products of more than five rows go through kernels that use fused
//! multiply-add where the processor has it, so their last bits depend on the machine. The loops here do not: every
//! sum runs in index order. Sizes are those of models and margins (tens to a few hundred columns).

use nalgebra::{DMatrix, DVector};

/// R's relative tolerance of `qr()` for a column to count as independent of those before it.
pub const RANK_TOLERANCE: f64 = 1e-5;

/// Why a system of equations cannot be solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinearAlgebraError {
    /// The matrix is not positive definite from this column on: it depends on the columns before it.
    #[error("column {0} depends on the columns before it")]
    Singular(usize),
    /// Shapes that do not fit.
    #[error("a matrix of {rows} × {columns} where {wanted_rows} × {wanted_columns} was needed")]
    Shape {
        /// Rows given.
        rows: usize,
        /// Columns given.
        columns: usize,
        /// Rows needed.
        wanted_rows: usize,
        /// Columns needed.
        wanted_columns: usize,
    },
}

/// The product `A B`, each element summed in index order.
///
/// **Shapes and units**: `A` m × k, `B` k × n; m × n.
///
/// **Errors**: none; shapes that do not fit panic, as `nalgebra` does.
///
/// **Source**: the definition.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::linear_algebra::product;
/// assert_eq!(product(&DMatrix::from_row_slice(1, 2, &[1.0, 2.0]), &DMatrix::from_row_slice(2, 1, &[3.0, 4.0])), DMatrix::from_row_slice(1, 1, &[11.0]));
/// ```
pub fn product(a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    assert_eq!(a.ncols(), b.nrows(), "shapes of a product");
    DMatrix::from_fn(a.nrows(), b.ncols(), |i, j| (0..a.ncols()).fold(0.0, |s, k| s + a[(i, k)] * b[(k, j)]))
}

/// The quadratic form `A V Aᵀ`, exactly symmetric.
///
/// **Shapes and units**: `A` m × k, `V` k × k symmetric; m × m.
///
/// **Errors**: none; shapes that do not fit panic.
///
/// **Source**: the definition.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::linear_algebra::sandwich;
/// let difference = sandwich(&DMatrix::from_row_slice(1, 2, &[1.0, -1.0]), &DMatrix::from_row_slice(2, 2, &[4.0, 1.0, 1.0, 9.0]));
/// assert_eq!(difference, DMatrix::from_row_slice(1, 1, &[11.0])); // 4 + 9 - 2·1
/// ```
pub fn sandwich(a: &DMatrix<f64>, v: &DMatrix<f64>) -> DMatrix<f64> {
    let half = product(a, v);
    let mut out = DMatrix::zeros(a.nrows(), a.nrows());
    for i in 0..a.nrows() {
        for j in 0..=i {
            let s = (0..v.ncols()).fold(0.0, |s, k| s + half[(i, k)] * a[(j, k)]);
            out[(i, j)] = s;
            out[(j, i)] = s;
        }
    }
    out
}

/// The Cholesky factor L of a positive definite matrix, `L Lᵀ = A`.
///
/// A pivot that falls below `1e-12` of its diagonal element counts as zero: with doubles no more than three or four
/// digits of it would be left.
///
/// **Shapes and units**: `A` n × n symmetric, its lower triangle is read; L n × n lower triangular.
///
/// **Errors**: [`LinearAlgebraError::Singular`] with the first dependent column, [`LinearAlgebraError::Shape`].
///
/// **Source**: Golub and Van Loan 2013, 4.2.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::linear_algebra::cholesky;
/// assert_eq!(cholesky(&DMatrix::from_row_slice(2, 2, &[4.0, 2.0, 2.0, 10.0])).unwrap(), DMatrix::from_row_slice(2, 2, &[2.0, 0.0, 1.0, 3.0]));
/// ```
pub fn cholesky(a: &DMatrix<f64>) -> Result<DMatrix<f64>, LinearAlgebraError> {
    let n = a.nrows();
    require_square(a, n)?;
    let mut l = DMatrix::zeros(n, n);
    for j in 0..n {
        for i in j..n {
            let s = (0..j).fold(a[(i, j)], |s, k| s - l[(i, k)] * l[(j, k)]);
            if i == j {
                if s.is_nan() || s <= 1e-12 * a[(j, j)] {
                    return Err(LinearAlgebraError::Singular(j));
                }
                l[(j, j)] = s.sqrt();
            } else {
                l[(i, j)] = s / l[(j, j)];
            }
        }
    }
    Ok(l)
}

fn require_square(a: &DMatrix<f64>, n: usize) -> Result<(), LinearAlgebraError> {
    if a.ncols() == n && a.nrows() == n {
        return Ok(());
    }
    Err(LinearAlgebraError::Shape { rows: a.nrows(), columns: a.ncols(), wanted_rows: n, wanted_columns: n })
}

/// Solves `L x = b` for a lower triangular L.
pub(super) fn solve_lower(l: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    let mut x = b.clone();
    for c in 0..b.ncols() {
        for i in 0..l.nrows() {
            let s = (0..i).fold(x[(i, c)], |s, k| s - l[(i, k)] * x[(k, c)]);
            x[(i, c)] = s / l[(i, i)];
        }
    }
    x
}

/// Solves `Lᵀ x = b` for a lower triangular L.
fn solve_upper(l: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    let mut x = b.clone();
    for c in 0..b.ncols() {
        for i in (0..l.nrows()).rev() {
            let s = (i + 1..l.nrows()).fold(x[(i, c)], |s, k| s - l[(k, i)] * x[(k, c)]);
            x[(i, c)] = s / l[(i, i)];
        }
    }
    x
}

/// Solves `A X = B` for a positive definite A.
///
/// **Shapes and units**: `A` n × n symmetric, `B` n × m; `X` n × m.
///
/// **Errors**: [`LinearAlgebraError::Singular`] with the first dependent column, [`LinearAlgebraError::Shape`].
///
/// **Source**: Golub and Van Loan 2013, 4.2.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::linear_algebra::solve_positive_definite;
/// let x = solve_positive_definite(&DMatrix::from_row_slice(2, 2, &[2.0, 0.0, 0.0, 4.0]), &DMatrix::from_row_slice(2, 1, &[1.0, 1.0])).unwrap();
/// assert!((x - DMatrix::from_row_slice(2, 1, &[0.5, 0.25])).abs().max() < 1e-15);
/// ```
pub fn solve_positive_definite(a: &DMatrix<f64>, b: &DMatrix<f64>) -> Result<DMatrix<f64>, LinearAlgebraError> {
    let l = cholesky(a)?;
    if b.nrows() != a.nrows() {
        let (rows, columns) = b.shape();
        return Err(LinearAlgebraError::Shape { rows, columns, wanted_rows: a.nrows(), wanted_columns: columns });
    }
    Ok(solve_upper(&l, &solve_lower(&l, b)))
}

/// The inverse of a positive definite matrix, exactly symmetric.
///
/// **Shapes and units**: n × n symmetric; n × n.
///
/// **Errors**: as [`solve_positive_definite`].
///
/// **Source**: Golub and Van Loan 2013, 4.2.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::linear_algebra::inverse_positive_definite;
/// let inverse = inverse_positive_definite(&DMatrix::from_row_slice(2, 2, &[2.0, 0.0, 0.0, 4.0])).unwrap();
/// assert!((inverse - DMatrix::from_row_slice(2, 2, &[0.5, 0.0, 0.0, 0.25])).abs().max() < 1e-15);
/// ```
pub fn inverse_positive_definite(a: &DMatrix<f64>) -> Result<DMatrix<f64>, LinearAlgebraError> {
    let inverse = solve_positive_definite(a, &DMatrix::identity(a.nrows(), a.nrows()))?;
    Ok(DMatrix::from_fn(a.nrows(), a.nrows(), |i, j| inverse[(i.max(j), i.min(j))]))
}

/// The columns that are linearly independent of the columns before them, in order.
///
/// A column is dropped when its part orthogonal to the columns kept so far is shorter than `tolerance` times the
/// column: R's rule in `qr(x, tol = )`. Their number is the rank.
///
/// **Shapes and units**: rows × columns; `tolerance` relative, [`RANK_TOLERANCE`] for replicate weights as R has it.
///
/// **Errors**: none; a column of zeros is never independent.
///
/// **Source**: R `qr(x, tol)$pivot[seq_len(rank)]` (LINPACK `dqrdc2`), here by Gram-Schmidt done twice.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::linear_algebra::{RANK_TOLERANCE, independent_columns};
/// let x = DMatrix::from_row_slice(2, 3, &[1.0, 2.0, 0.0, 1.0, 2.0, 1.0]);
/// assert_eq!(independent_columns(&x, RANK_TOLERANCE), [0, 2]); // the second is twice the first
/// ```
pub fn independent_columns(x: &DMatrix<f64>, tolerance: f64) -> Vec<usize> {
    let mut kept = Vec::new();
    let mut basis: Vec<DVector<f64>> = Vec::new();
    for j in 0..x.ncols() {
        if basis.len() == x.nrows() {
            break;
        }
        let mut rest = x.column(j).into_owned();
        let length = norm(&rest);
        for _ in 0..2 {
            for q in &basis {
                let along = dot(q, &rest);
                rest.zip_apply(q, |r, q| *r -= along * q);
            }
        }
        let left = norm(&rest);
        if length > 0.0 && left >= tolerance * length {
            basis.push(rest / left);
            kept.push(j);
        }
    }
    kept
}

fn dot(a: &DVector<f64>, b: &DVector<f64>) -> f64 {
    a.iter().zip(b.iter()).fold(0.0, |s, (a, b)| s + a * b)
}

fn norm(a: &DVector<f64>) -> f64 {
    dot(a, a).sqrt()
}

/// The rank of a matrix by R's rule: the number of its [`independent_columns`].
///
/// **Shapes and units**: as [`independent_columns`].
///
/// **Errors**: none.
///
/// **Source**: R `qr(x, tol)$rank`; `degf()` of a replicate design is this rank minus one, tolerance 1e-5.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::linear_algebra::{RANK_TOLERANCE, rank};
/// assert_eq!(rank(&DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 2.0, 4.0]), RANK_TOLERANCE), 1);
/// ```
pub fn rank(x: &DMatrix<f64>, tolerance: f64) -> usize {
    independent_columns(x, tolerance).len()
}

/// The eigenvalues of a symmetric matrix, largest first, by Jacobi's rotations in a fixed order.
///
/// **Shapes and units**: n × n symmetric.
///
/// **Errors**: none.
///
/// **Source**: Golub and Van Loan 2013, 8.5; R `eigen(x, symmetric = TRUE, only.values = TRUE)`.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::linear_algebra::symmetric_eigenvalues;
/// let values = symmetric_eigenvalues(&DMatrix::from_row_slice(2, 2, &[2.0, 1.0, 1.0, 2.0]));
/// assert!((values[0] - 3.0).abs() < 1e-14 && (values[1] - 1.0).abs() < 1e-14);
/// ```
pub fn symmetric_eigenvalues(a: &DMatrix<f64>) -> Vec<f64> {
    let n = a.nrows();
    let mut m = a.clone();
    // Convergence is quadratic: a dozen sweeps do for any size met here, a hundred is out of reach.
    for _ in 0..100 {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).fold(0.0, |s, ij| s + m[ij] * m[ij]);
        let on: f64 = (0..n).fold(0.0, |s, i| s + m[(i, i)] * m[(i, i)]);
        if off <= 1e-32 * on || off == 0.0 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut m, p, q);
            }
        }
    }
    let mut values: Vec<f64> = (0..n).map(|i| m[(i, i)]).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

fn rotate(m: &mut DMatrix<f64>, p: usize, q: usize) {
    if m[(p, q)] == 0.0 {
        return;
    }
    let theta = (m[(q, q)] - m[(p, p)]) / (2.0 * m[(p, q)]);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..m.nrows() {
        let (kp, kq) = (m[(k, p)], m[(k, q)]);
        m[(k, p)] = c * kp - s * kq;
        m[(k, q)] = s * kp + c * kq;
    }
    for k in 0..m.nrows() {
        let (pk, qk) = (m[(p, k)], m[(q, k)]);
        m[(p, k)] = c * pk - s * qk;
        m[(q, k)] = s * pk + c * qk;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_dependent_column_is_named() {
        let a = DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 2.0, 4.0]);
        assert_eq!(cholesky(&a), Err(LinearAlgebraError::Singular(1)));
    }

    #[test]
    fn margins_that_share_a_total_lose_one_column_each() {
        // Dummies of two factors of two levels: four columns, rank three.
        let x = DMatrix::from_row_slice(4, 4, &[1., 0., 1., 0., 1., 0., 0., 1., 0., 1., 1., 0., 0., 1., 0., 1.]);
        assert_eq!(independent_columns(&x, RANK_TOLERANCE), [0, 1, 2]);
    }

    #[test]
    fn a_diagonal_matrix_is_its_own_spectrum() {
        assert_eq!(symmetric_eigenvalues(&DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, 5.0])), [5.0, 1.0]);
    }

    proptest! {
        #[test]
        fn a_solution_satisfies_its_system(values in prop::collection::vec(-1.0..1.0f64, 25)) {
            let x = DMatrix::from_vec(5, 5, values);
            let a = product(&x, &x.transpose()) + DMatrix::identity(5, 5);
            let inverse = inverse_positive_definite(&a).unwrap();
            prop_assert!((product(&a, &inverse) - DMatrix::identity(5, 5)).abs().max() < 1e-11);
        }

        #[test]
        fn eigenvalues_add_to_the_trace(values in prop::collection::vec(-1.0..1.0f64, 36)) {
            let x = DMatrix::from_vec(6, 6, values);
            let a = product(&x, &x.transpose());
            let sum: f64 = symmetric_eigenvalues(&a).iter().sum();
            prop_assert!((sum - a.trace()).abs() < 1e-12 * a.trace());
        }
    }
}
