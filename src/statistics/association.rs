//! Tests of independence in a weighted two-way table: the Rao-Scott and Wald families.
//!
//! Notation: cells are listed row by row, cell (i, j) of an r × c table at `i * c + j`. `P` the weighted cell shares,
//! `V` their design covariance, `n` the rows of the design, `ν` its df, `E` the shares expected under independence.
//! Pearson's `X² = n Σ (P−E)²/E`. Let the columns of `C` span the interactions (zero row and column sums) and
//! `G = diag(1/P)`; the generalised design effects are the eigenvalues δ of `(Cᵀ G C / n)⁻¹ Cᵀ G V G C`.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{
    distribution::{chi_squared_upper, f_upper},
    linear_algebra::{cholesky, product, sandwich, solve_lower, symmetric_eigenvalues},
    quadratic_form::{exact_upper, saddlepoint_upper},
};

/// One of the tests of independence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Statistic {
    /// Rao-Scott second order, referred to an F distribution.
    F,
    /// Rao-Scott first order, referred to a chi-squared distribution.
    Chisq,
    /// Wald on the residuals from independence.
    Wald,
    /// Wald with its denominator df adjusted.
    #[serde(rename = "adjWald")]
    AdjWald,
    /// Pearson's X² against its exact asymptotic distribution.
    #[serde(rename = "lincom")]
    Lincom,
    /// The same by a saddlepoint approximation.
    #[serde(rename = "saddlepoint")]
    Saddlepoint,
}

/// Why a test of independence cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssociationError {
    /// A table needs two rows and two columns at least.
    #[error("a test of independence needs two categories of each variable, the table is {rows} × {columns}")]
    TooSmall {
        /// Rows of the table.
        rows: usize,
        /// Columns of the table.
        columns: usize,
    },
    /// Shares or covariance of another size than the table.
    #[error("a table of {cells} cells with {given} shares or totals and a covariance of {covariance}")]
    Shape {
        /// Cells of the table.
        cells: usize,
        /// Numbers given.
        given: usize,
        /// Size of the covariance as text.
        covariance: String,
    },
    /// A row or column without weight, or a number that is not finite.
    #[error("a row or column of the table is empty or not a number")]
    EmptyMargin,
    /// The covariance of the interaction is singular: fewer clusters than it has dimensions.
    #[error("the covariance of the interaction is singular")]
    Singular,
    /// No degrees of freedom in the denominator.
    #[error("the design has too few degrees of freedom for this test")]
    NoDegreesOfFreedom,
}

/// A test's statistic, p-value and the parameters of its reference distribution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IndependenceTest {
    /// The statistic.
    pub value: f64,
    /// P(statistic or more | independence).
    pub p_value: f64,
    /// Degrees of freedom of the reference distribution; empty for `lincom` and `saddlepoint`.
    pub parameters: Vec<f64>,
}

/// The weighted table with the covariances its tests need.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedTable<'a> {
    /// Categories of the first variable.
    pub rows: usize,
    /// Categories of the second variable.
    pub columns: usize,
    /// Weighted cell shares, adding to one, row by row.
    pub shares: &'a [f64],
    /// Design covariance of the shares, in the same order.
    pub share_covariance: &'a DMatrix<f64>,
    /// Weighted cell totals, row by row.
    pub totals: &'a [f64],
    /// Design covariance of the totals, in the same order; the Wald tests use it.
    pub total_covariance: &'a DMatrix<f64>,
    /// Rows of the design (respondents).
    pub n: f64,
    /// Degrees of freedom of the design.
    pub df: f64,
}

/// The covariance of cell shares, by linearization from the covariance of the cell totals.
///
/// **Shapes and units**: `totals` one a cell; the covariance square in the same order.
///
/// **Errors**: none; shapes that do not fit panic.
///
/// **Source**: a share is a ratio of totals; agrees with `vcov(svymean(~interaction(a, b)))` of a Taylor design. With
/// replicates take the covariance of the replicated shares instead.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::association::share_covariance;
/// let v = share_covariance(&[10.0, 10.0], &DMatrix::from_row_slice(2, 2, &[4.0, 0.0, 0.0, 4.0]));
/// assert!((v[(0, 0)] - 0.005).abs() < 1e-15 && (v[(0, 1)] + 0.005).abs() < 1e-15);
/// ```
pub fn share_covariance(totals: &[f64], covariance: &DMatrix<f64>) -> DMatrix<f64> {
    let sum = totals.iter().fold(0.0, |s, t| s + t);
    let k = totals.len();
    let jacobian = DMatrix::from_fn(k, k, |i, j| (f64::from(u8::from(i == j)) - totals[i] / sum) / sum);
    sandwich(&jacobian, covariance)
}

impl WeightedTable<'_> {
    fn check(&self) -> Result<(), AssociationError> {
        let cells = self.rows * self.columns;
        if self.rows < 2 || self.columns < 2 {
            return Err(AssociationError::TooSmall { rows: self.rows, columns: self.columns });
        }
        for (values, v) in [(self.shares, self.share_covariance), (self.totals, self.total_covariance)] {
            if values.len() != cells || v.shape() != (cells, cells) {
                let covariance = format!("{} × {}", v.nrows(), v.ncols());
                return Err(AssociationError::Shape { cells, given: values.len(), covariance });
            }
            if values.iter().chain(v.iter()).any(|x| !x.is_finite()) {
                return Err(AssociationError::EmptyMargin);
            }
        }
        let (rows, columns) = self.margins(self.shares);
        if rows.iter().chain(&columns).any(|m| *m <= 0.0) {
            return Err(AssociationError::EmptyMargin);
        }
        Ok(())
    }

    /// Row and column sums of values in cell order.
    fn margins(&self, values: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let c = self.columns;
        let row = |i: usize| (0..c).fold(0.0, |s, j| s + values[i * c + j]);
        let column = |j: usize| (0..self.rows).fold(0.0, |s, i| s + values[i * c + j]);
        ((0..self.rows).map(row).collect(), (0..c).map(column).collect())
    }

    /// Pearson's X² on the shares scaled to n rows.
    fn pearson(&self) -> f64 {
        let (rows, columns) = self.margins(self.shares);
        let total = rows.iter().fold(0.0, |s, r| s + r);
        let mut x2 = 0.0;
        for (i, r) in rows.iter().enumerate() {
            for (j, c) in columns.iter().enumerate() {
                let expected = r * c / (total * total);
                let gap = self.shares[i * self.columns + j] / total - expected;
                x2 += gap * gap / expected;
            }
        }
        self.n * x2
    }

    /// The interaction contrasts (e_i − e_0) ⊗ (e_j − e_0), one a row.
    fn interactions(&self) -> DMatrix<f64> {
        let (r, c) = (self.rows, self.columns);
        let along = |level: usize, at: usize| match at {
            a if a == level => 1.0,
            0 => -1.0,
            _ => 0.0,
        };
        DMatrix::from_fn((r - 1) * (c - 1), r * c, |k, cell| {
            along(k / (c - 1) + 1, cell / c) * along(k % (c - 1) + 1, cell % c)
        })
    }

    /// The generalised design effects δ, largest first.
    fn design_effects(&self) -> Result<Vec<f64>, AssociationError> {
        let inverse = |share: f64| if share > 0.0 { 1.0 / share } else { 0.0 };
        let c = self.interactions();
        let weighted = DMatrix::from_fn(c.nrows(), c.ncols(), |k, cell| c[(k, cell)] * inverse(self.shares[cell]));
        let srs = product(&weighted, &c.transpose()) / self.n;
        let root = cholesky(&srs).map_err(|_| AssociationError::Singular)?;
        let design = sandwich(&weighted, self.share_covariance);
        let half = solve_lower(&root, &design);
        let whole = solve_lower(&root, &half.transpose());
        let symmetric = (&whole + whole.transpose()) * 0.5;
        Ok(symmetric_eigenvalues(&symmetric).into_iter().map(|d| d.max(0.0)).collect())
    }

    /// The Wald statistic of the residuals from independence on the totals, as a chi-squared.
    fn wald(&self) -> Result<f64, AssociationError> {
        let c = self.columns;
        let (rows, columns) = self.margins(self.totals);
        let total = rows.iter().fold(0.0, |s, r| s + r);
        let used: Vec<(usize, usize)> = (1..self.rows).flat_map(|i| (1..c).map(move |j| (i, j))).collect();
        let jacobian = DMatrix::from_fn(used.len(), self.rows * c, |k, cell| {
            let (i, j) = used[k];
            let is = |yes: bool| f64::from(u8::from(yes));
            is(cell == i * c + j) - is(cell / c == i) * columns[j] / total - is(cell % c == j) * rows[i] / total
                + rows[i] * columns[j] / (total * total)
        });
        let residual = DMatrix::from_fn(used.len(), 1, |k, _| {
            let (i, j) = used[k];
            self.totals[i * c + j] - rows[i] * columns[j] / total
        });
        let v = sandwich(&jacobian, self.total_covariance);
        let root = cholesky(&v).map_err(|_| AssociationError::Singular)?;
        Ok(solve_lower(&root, &residual).iter().fold(0.0, |s, u| s + u * u))
    }
}

/// Tests the independence of the two variables of a weighted table.
///
/// **Shapes and units**: see [`WeightedTable`].
///
/// **Errors**: [`AssociationError::TooSmall`], [`AssociationError::Shape`], [`AssociationError::EmptyMargin`],
/// [`AssociationError::Singular`], [`AssociationError::NoDegreesOfFreedom`].
///
/// **Source**: Rao and Scott 1981, 1984; Koch, Freeman and Freeman 1975 (Wald); R `svychisq(statistic = )`. `lincom` is
/// integrated to ten digits, where R stops at an absolute 1e-7.
///
/// **Example**
/// ```
/// use nalgebra::DMatrix;
/// use scilit::statistics::association::*;
/// let totals = [30.0, 20.0, 20.0, 30.0];
/// let shares = [0.3, 0.2, 0.2, 0.3];
/// // Independent Poisson cells: the design effect is one and F is Pearson's 100 · 4 · 0.05² / 0.25 = 4.
/// let v = DMatrix::from_diagonal(&nalgebra::DVector::from_row_slice(&totals));
/// let s = share_covariance(&totals, &v);
/// let table = WeightedTable { rows: 2, columns: 2, shares: &shares, share_covariance: &s, totals: &totals,
///     total_covariance: &v, n: 100.0, df: 60.0 };
/// assert!((independence(&table, Statistic::F).unwrap().value - 4.0).abs() < 1e-12);
/// ```
pub fn independence(table: &WeightedTable<'_>, statistic: Statistic) -> Result<IndependenceTest, AssociationError> {
    table.check()?;
    if table.df.is_nan() || table.df <= 0.0 {
        return Err(AssociationError::NoDegreesOfFreedom);
    }
    match statistic {
        Statistic::Wald | Statistic::AdjWald => wald_test(table, statistic),
        _ => rao_scott_test(table, statistic),
    }
}

fn wald_test(table: &WeightedTable<'_>, statistic: Statistic) -> Result<IndependenceTest, AssociationError> {
    let k = ((table.rows - 1) * (table.columns - 1)) as f64;
    let (scale, df2) = match statistic {
        Statistic::Wald => (1.0 / k, table.df),
        _ => ((table.df - k + 1.0) / (k * table.df), table.df - k + 1.0),
    };
    if df2 <= 0.0 {
        return Err(AssociationError::NoDegreesOfFreedom);
    }
    let value = table.wald()? * scale;
    Ok(IndependenceTest { value, p_value: f_upper(value, k, df2), parameters: vec![k, df2] })
}

fn rao_scott_test(table: &WeightedTable<'_>, statistic: Statistic) -> Result<IndependenceTest, AssociationError> {
    let effects = table.design_effects()?;
    let k = effects.len() as f64;
    let trace = effects.iter().fold(0.0, |s, d| s + d);
    let squares = effects.iter().fold(0.0, |s, d| s + d * d);
    if trace <= 0.0 {
        return Err(AssociationError::Singular);
    }
    let x2 = table.pearson();
    let test = |value, p_value, parameters| IndependenceTest { value, p_value, parameters };
    Ok(match statistic {
        Statistic::F => {
            let (f, d) = (x2 / trace, trace * trace / squares);
            test(f, f_upper(f, d, d * table.df), vec![d, d * table.df])
        }
        Statistic::Chisq => {
            // As R prints it: the statistic is X² itself, the p-value that of X² over the mean design effect.
            test(x2, chi_squared_upper(x2 / (trace / k), k), vec![k])
        }
        // R gives the denominator the df of the second-order test, d ν.
        Statistic::Lincom => test(x2, exact_upper(x2, &effects, trace * trace / squares * table.df), Vec::new()),
        _ => test(x2, saddlepoint_upper(x2, &effects, trace * trace / squares * table.df), Vec::new()),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    /// Cell totals of survey A with their ultimate-cluster covariance.
    fn cells(first: &str, second: &str) -> (usize, usize, Vec<f64>, DMatrix<f64>) {
        let text = include_str!("../../tests/golden/data/litA.csv");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|r| r.unwrap()).collect();
        let levels = |name: &str| {
            let distinct: std::collections::BTreeSet<&str> = rows.iter().map(|r| r[name].as_str()).collect();
            distinct.into_iter().collect::<Vec<_>>()
        };
        let (a, b) = (levels(first), levels(second));
        let k = a.len() * b.len();
        let mut psus: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
        for row in &rows {
            let i = a.iter().position(|l| *l == row[first]).unwrap();
            let j = b.iter().position(|l| *l == row[second]).unwrap();
            let total = psus.entry((&row["stratum"], &row["psu_id"])).or_insert_with(|| vec![0.0; k]);
            total[i * b.len() + j] += row["w_design"].parse::<f64>().unwrap();
        }
        let mut strata: BTreeMap<&str, Vec<&Vec<f64>>> = BTreeMap::new();
        for ((stratum, _), total) in &psus {
            strata.entry(stratum).or_default().push(total);
        }
        let totals = (0..k).map(|c| psus.values().map(|t| t[c]).sum()).collect();
        let mut v = DMatrix::zeros(k, k);
        for psus in strata.values() {
            let n = psus.len() as f64;
            let mean: Vec<f64> = (0..k).map(|c| psus.iter().map(|t| t[c]).sum::<f64>() / n).collect();
            for t in psus {
                for x in 0..k {
                    for y in 0..k {
                        v[(x, y)] += n / (n - 1.0) * (t[x] - mean[x]) * (t[y] - mean[y]);
                    }
                }
            }
        }
        (a.len(), b.len(), totals, v)
    }

    fn agree_with(text: &str) {
        let case: Value = serde_json::from_str(text).unwrap();
        let names = case["case"]["estimator"]["variables"].as_array().unwrap();
        let (rows, columns, totals, v) = cells(names[0].as_str().unwrap(), names[1].as_str().unwrap());
        let sum: f64 = totals.iter().sum();
        let shares: Vec<f64> = totals.iter().map(|t| t / sum).collect();
        let s = share_covariance(&totals, &v);
        let table = WeightedTable {
            rows,
            columns,
            shares: &shares,
            share_covariance: &s,
            totals: &totals,
            total_covariance: &v,
            n: 6048.0,
            df: 180.0,
        };
        for row in case["expected"]["rows"].as_array().unwrap() {
            let statistic: Statistic = serde_json::from_value(row["domain"]["statistic"].clone()).unwrap();
            let got = independence(&table, statistic).unwrap();
            let want = |key: &str| row[key].as_f64().unwrap();
            assert!((got.value / want("value") - 1.0).abs() < 1e-9, "{row} {got:?}");
            // R's lincom stops at 1e-7 absolute, its saddlepoint at 1e-8 of the root.
            let (relative, absolute) = match statistic {
                Statistic::Lincom => (0.0, 1e-7),
                Statistic::Saddlepoint => (1e-7, 0.0),
                _ => (1e-8, 0.0),
            };
            let gap = (got.p_value - want("p_value")).abs();
            assert!(gap <= relative * want("p_value") + absolute, "{row} {got:?}");
            let parameters: Vec<f64> = row
                .get("parameters")
                .into_iter()
                .flat_map(|p| p.as_array().unwrap())
                .map(|p| p.as_f64().unwrap())
                .collect();
            assert_eq!(parameters.len(), got.parameters.len());
            assert!(parameters.iter().zip(&got.parameters).all(|(w, g)| (g / w - 1.0).abs() < 1e-9), "{row} {got:?}");
        }
    }

    /// R 4.2.2, survey 4.5: `svychisq` with each of its six statistics (S47, S47b).
    #[test]
    fn every_test_of_r_is_met() {
        agree_with(include_str!("../../tests/golden/cases/S47.json"));
        agree_with(include_str!("../../tests/golden/cases/S47b.json"));
    }

    fn table<'a>(shares: &'a [f64], v: &'a DMatrix<f64>, df: f64) -> WeightedTable<'a> {
        WeightedTable {
            rows: 2,
            columns: shares.len() / 2,
            shares,
            share_covariance: v,
            totals: shares,
            total_covariance: v,
            n: 50.0,
            df,
        }
    }

    #[test]
    fn an_independent_table_has_a_p_value_of_one() {
        let v = DMatrix::identity(4, 4);
        let test = independence(&table(&[0.25; 4], &v, 30.0), Statistic::F).unwrap();
        assert_eq!((test.value, test.p_value), (0.0, 1.0));
    }

    #[test]
    fn tables_that_cannot_be_tested_are_refused() {
        let (v, zero) = (DMatrix::identity(4, 4), DMatrix::zeros(4, 4));
        let fault =
            |shares: &[f64], v: &DMatrix<f64>, df| independence(&table(shares, v, df), Statistic::F).unwrap_err();
        assert!(matches!(fault(&[0.5, 0.5], &DMatrix::identity(2, 2), 9.0), AssociationError::TooSmall { .. }));
        assert!(matches!(fault(&[0.25; 4], &DMatrix::identity(3, 3), 9.0), AssociationError::Shape { .. }));
        assert_eq!(fault(&[0.5, 0.5, 0.0, 0.0], &v, 9.0), AssociationError::EmptyMargin);
        assert_eq!(fault(&[0.25; 4], &zero, 9.0), AssociationError::Singular);
        assert_eq!(fault(&[0.25; 4], &v, 0.0), AssociationError::NoDegreesOfFreedom);
    }
}
