//! Normal, t, beta, F and chi-squared distributions: lower tail, upper tail and quantile, R's argument order.
//!
//! Every function is defined as R defines it: an argument outside its range gives NaN, an infinite df is the limit.
//! Accuracy is checked against R to 1e-9 relative (case S57) and is about 1e-13 where it was compared with
//! 40-digit arithmetic. Upper tails are computed as tails, so a p-value of 1e-167 keeps its digits.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::special::{LogTails, log_beta_tails, log_gamma_tails, solve_log_concave};

/// Above this df a t quantile differs from the normal one by less than 1e-10 relative.
const DF_NORMAL_MIN: f64 = 1e11;

fn positive(value: f64) -> bool {
    value > 0.0
}

/// Lower tail of the standard normal distribution.
///
/// **Shapes and units**: `x` any number; a probability.
/// **Errors**: none.
/// **Source**: R `pnorm(x)`, through the complementary error function (`statrs` is good to 1e-10 only).
/// **Example**
/// ```
/// use scilit::statistics::distribution::normal_cdf;
/// assert_eq!(normal_cdf(0.0), 0.5);
/// ```
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// Upper tail of the standard normal distribution, P(Z > x).
///
/// **Shapes and units**: `x` any number; a probability.
/// **Errors**: none.
/// **Source**: R `pnorm(x, lower.tail = FALSE)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::normal_upper;
/// assert!((normal_upper(10.0) / 7.61985302416e-24 - 1.0).abs() < 1e-11);
/// ```
pub fn normal_upper(x: f64) -> f64 {
    normal_cdf(-x)
}

/// Quantile of the standard normal distribution.
///
/// **Shapes and units**: `p` in [0, 1]; 0 and 1 give the infinities.
/// **Errors**: none; NaN outside [0, 1].
/// **Source**: Abramowitz and Stegun 26.2.23 as a start, then Halley's steps; R `qnorm(p)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::normal_quantile;
/// assert!((normal_quantile(0.975) - 1.959963984540054).abs() < 1e-14);
/// ```
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    match p {
        0.5 => 0.0,
        p if p > 0.5 => -normal_quantile_below(1.0 - p),
        p => normal_quantile_below(p),
    }
}

fn normal_quantile_below(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let t = libm::sqrt(-2.0 * libm::log(p));
    let top = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let bottom = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut x = top / bottom - t;
    // The start is good to 4.5e-4 and each step cubes the error: three are enough for any p.
    for _ in 0..3 {
        let density = libm::exp(-0.5 * x * x) / libm::sqrt(2.0 * PI);
        if density <= 0.0 {
            break;
        }
        let r = (normal_cdf(x) - p) / density;
        x -= r / (1.0 + 0.5 * x * r);
    }
    x
}

/// Both log tails of t², the F(1, df) form: `lower` is P(|T| ≤ |t|), `upper` is P(|T| > |t|).
fn t_squared_tails(t: f64, df: f64) -> LogTails {
    // t² / (df + t²) and its complement, without overflow for huge t.
    let r = t / libm::sqrt(df);
    let (x, y) = if r.abs() < 1.0 {
        let s = r * r;
        (s / (1.0 + s), 1.0 / (1.0 + s))
    } else {
        let s = (1.0 / r) * (1.0 / r);
        (1.0 / (1.0 + s), s / (1.0 + s))
    };
    log_beta_tails(0.5, 0.5 * df, x, y)
}

/// Lower tail of Student's t distribution.
///
/// **Shapes and units**: `t` any number, `df > 0`, infinite df allowed; a probability.
/// **Errors**: none; NaN for df ≤ 0.
/// **Source**: R `pt(t, df)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::t_cdf;
/// assert!((t_cdf(1.0, 1.0) - 0.75).abs() < 1e-15); // Cauchy: 1/2 + arctan(1)/π
/// ```
pub fn t_cdf(t: f64, df: f64) -> f64 {
    if !positive(df) || t.is_nan() {
        return f64::NAN;
    }
    if df > DF_NORMAL_MIN {
        return normal_cdf(t);
    }
    let tails = t_squared_tails(t, df);
    if t <= 0.0 { 0.5 * libm::exp(tails.upper) } else { 0.5 + 0.5 * libm::exp(tails.lower) }
}

/// Upper tail of Student's t distribution, P(T > t).
///
/// **Shapes and units**: as [`t_cdf`].
/// **Errors**: none; NaN for df ≤ 0.
/// **Source**: R `pt(t, df, lower.tail = FALSE)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::t_upper;
/// assert!((t_upper(1.0, 1.0) - 0.25).abs() < 1e-15);
/// ```
pub fn t_upper(t: f64, df: f64) -> f64 {
    t_cdf(-t, df)
}

/// Two-sided p-value of a t statistic, P(|T| > |t|).
///
/// **Shapes and units**: as [`t_cdf`].
/// **Errors**: none; NaN for df ≤ 0.
/// **Source**: R `2 * pt(-abs(t), df)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::t_two_sided;
/// assert!((t_two_sided(-1.0, 1.0) - 0.5).abs() < 1e-15);
/// ```
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    2.0 * t_cdf(-t.abs(), df)
}

/// Quantile of Student's t distribution.
///
/// **Shapes and units**: `p` in [0, 1], `df > 0`, infinite df allowed.
/// **Errors**: none; NaN outside the ranges.
/// **Source**: the F(1, df) quantile, solved on the logit scale; R `qt(p, df)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::t_quantile;
/// assert!((t_quantile(0.75, 1.0) - 1.0).abs() < 1e-14);
/// ```
pub fn t_quantile(p: f64, df: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || !positive(df) {
        return f64::NAN;
    }
    if df > DF_NORMAL_MIN {
        return normal_quantile(p);
    }
    if p > 0.5 {
        return -t_quantile(1.0 - p, df);
    }
    let (inside, outside) = (1.0 - 2.0 * p, 2.0 * p);
    let start = t_near_normal(-normal_quantile(p), df).map(|t| 2.0 * libm::log(t) - libm::log(df));
    let u = logit_beta_quantile(inside, outside, 0.5, 0.5 * df, start);
    0.0 - libm::sqrt(df) * libm::exp(0.5 * u)
}

/// A t quantile from the normal one `x`, good to some 1e-4 at 10 df and 1e-9 at 100: two of Newton's steps are left where
/// a start that knows nothing takes ten. None where the series would not be near.
///
/// **Source**: Abramowitz and Stegun 26.7.5.
fn t_near_normal(x: f64, df: f64) -> Option<f64> {
    if !(x > 0.0 && x * x < df) {
        return None;
    }
    let x2 = x * x;
    let g1 = x * (x2 + 1.0) / 4.0;
    let g2 = x * ((5.0 * x2 + 16.0) * x2 + 3.0) / 96.0;
    let g3 = x * (((3.0 * x2 + 19.0) * x2 + 17.0) * x2 - 15.0) / 384.0;
    let g4 = x * ((((79.0 * x2 + 776.0) * x2 + 1482.0) * x2 - 1920.0) * x2 - 945.0) / 92160.0;
    Some(x + (g1 + (g2 + (g3 + g4 / df) / df) / df) / df).filter(|t| *t > 0.0)
}

/// The beta quantile as its logit, from both tail probabilities (`lower + upper = 1`).
///
/// On the logit scale the beta density is log-concave, so both tails are, and Newton's method cannot go astray. It begins
/// at `start` where one is known.
fn logit_beta_quantile(lower: f64, upper: f64, a: f64, b: f64, start: Option<f64>) -> f64 {
    if lower > upper {
        return -logit_beta_quantile(upper, lower, b, a, start.map(|u| -u));
    }
    if lower <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let at = |u: f64| {
        // Below e^-600 the tail is the power a·e^(au) to the last bit, while x itself would underflow.
        let (u, below) = (u.max(-600.0), (u + 600.0).min(0.0));
        let x = if u < 0.0 { libm::exp(u) / (1.0 + libm::exp(u)) } else { 1.0 / (1.0 + libm::exp(-u)) };
        let y = if u > 0.0 { libm::exp(-u) / (1.0 + libm::exp(-u)) } else { 1.0 / (1.0 + libm::exp(u)) };
        let tails = log_beta_tails(a, b, x, y);
        (tails.lower + a * below, libm::exp(tails.prefactor - tails.lower))
    };
    // The mean of logit(X) is near ln(a / b); its spread is near sqrt(1/a + 1/b).
    let rough = || libm::log(a / b) + normal_quantile(lower).max(-6.0) * libm::sqrt(1.0 / a + 1.0 / b);
    solve_log_concave(start.unwrap_or_else(rough), libm::log(lower), at)
}

/// Lower tail of the beta distribution.
///
/// **Shapes and units**: `x` in [0, 1], shapes `a, b > 0`; a probability.
/// **Errors**: none; NaN for shapes that are not positive.
/// **Source**: R `pbeta(x, a, b)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::beta_cdf;
/// assert!((beta_cdf(0.5, 2.0, 1.0) - 0.25).abs() < 1e-15); // x²
/// ```
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if !(positive(a) && positive(b)) || x.is_nan() {
        return f64::NAN;
    }
    libm::exp(log_beta_tails(a, b, x, 1.0 - x).lower)
}

/// Quantile of the beta distribution.
///
/// **Shapes and units**: `p` in [0, 1], shapes `a, b > 0`; a number in [0, 1].
/// **Errors**: none; NaN outside the ranges.
/// **Source**: Newton's method on the logit scale; R `qbeta(p, a, b)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::beta_quantile;
/// assert!((beta_quantile(0.25, 2.0, 1.0) - 0.5).abs() < 1e-15);
/// ```
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || !(positive(a) && positive(b)) {
        return f64::NAN;
    }
    1.0 / (1.0 + libm::exp(-logit_beta_quantile(p, 1.0 - p, a, b, None)))
}

fn f_tails(f: f64, df1: f64, df2: f64) -> LogTails {
    if df2 == f64::INFINITY {
        return log_gamma_tails(0.5 * df1, 0.5 * df1 * f);
    }
    let (n, d) = (df1 * f.max(0.0), df2);
    log_beta_tails(0.5 * df1, 0.5 * df2, n / (n + d), d / (n + d))
}

/// Lower tail of the F distribution.
///
/// **Shapes and units**: `f ≥ 0`, `df1, df2 > 0`, df2 may be infinite; a probability.
/// **Errors**: none; NaN for df that are not positive.
/// **Source**: R `pf(f, df1, df2)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::f_cdf;
/// assert!((f_cdf(1.0, 2.0, 2.0) - 0.5).abs() < 1e-15); // f / (1 + f)
/// ```
pub fn f_cdf(f: f64, df1: f64, df2: f64) -> f64 {
    if !(positive(df1) && positive(df2)) || f.is_nan() {
        return f64::NAN;
    }
    libm::exp(f_tails(f, df1, df2).lower)
}

/// Upper tail of the F distribution, P(X > f).
///
/// **Shapes and units**: as [`f_cdf`].
/// **Errors**: none; NaN for df that are not positive.
/// **Source**: R `pf(f, df1, df2, lower.tail = FALSE)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::f_upper;
/// assert!((f_upper(3.0, 2.0, 2.0) - 0.25).abs() < 1e-15);
/// ```
pub fn f_upper(f: f64, df1: f64, df2: f64) -> f64 {
    if !(positive(df1) && positive(df2)) || f.is_nan() {
        return f64::NAN;
    }
    libm::exp(f_tails(f, df1, df2).upper)
}

/// Quantile of the F distribution.
///
/// **Shapes and units**: `p` in [0, 1], `df1, df2 > 0`, df2 may be infinite.
/// **Errors**: none; NaN outside the ranges.
/// **Source**: R `qf(p, df1, df2)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::f_quantile;
/// assert!((f_quantile(0.75, 2.0, 2.0) - 3.0).abs() < 1e-13);
/// ```
pub fn f_quantile(p: f64, df1: f64, df2: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || !(positive(df1) && positive(df2)) {
        return f64::NAN;
    }
    if df2 == f64::INFINITY {
        return chi_squared_quantile(p, df1) / df1;
    }
    df2 / df1 * libm::exp(logit_beta_quantile(p, 1.0 - p, 0.5 * df1, 0.5 * df2, None))
}

/// Lower tail of the chi-squared distribution.
///
/// **Shapes and units**: `x ≥ 0`, `df > 0`; a probability.
/// **Errors**: none; NaN for df ≤ 0.
/// **Source**: R `pchisq(x, df)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::chi_squared_cdf;
/// assert!((chi_squared_cdf(2.0, 2.0) - (1.0 - (-1.0f64).exp())).abs() < 1e-15);
/// ```
pub fn chi_squared_cdf(x: f64, df: f64) -> f64 {
    if !positive(df) || x.is_nan() {
        return f64::NAN;
    }
    libm::exp(log_gamma_tails(0.5 * df, 0.5 * x).lower)
}

/// Upper tail of the chi-squared distribution, P(X > x).
///
/// **Shapes and units**: as [`chi_squared_cdf`].
/// **Errors**: none; NaN for df ≤ 0.
/// **Source**: R `pchisq(x, df, lower.tail = FALSE)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::chi_squared_upper;
/// assert!((chi_squared_upper(2.0, 2.0) - (-1.0f64).exp()).abs() < 1e-15);
/// ```
pub fn chi_squared_upper(x: f64, df: f64) -> f64 {
    if !positive(df) || x.is_nan() {
        return f64::NAN;
    }
    libm::exp(log_gamma_tails(0.5 * df, 0.5 * x).upper)
}

/// Quantile of the chi-squared distribution.
///
/// **Shapes and units**: `p` in [0, 1], `df > 0`.
/// **Errors**: none; NaN outside the ranges.
/// **Source**: Newton's method on the logarithmic scale, where the gamma density is log-concave; R `qchisq(p, df)`.
/// **Example**
/// ```
/// use scilit::statistics::distribution::chi_squared_quantile;
/// assert!((chi_squared_quantile(0.5, 2.0) - 2.0 * 2.0f64.ln()).abs() < 1e-14);
/// ```
pub fn chi_squared_quantile(p: f64, df: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || !positive(df) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return if p == 0.0 { 0.0 } else { f64::INFINITY };
    }
    let a = 0.5 * df;
    let start = libm::log(a) + normal_quantile(p).clamp(-6.0, 6.0) / libm::sqrt(a);
    let u = if p <= 0.5 {
        solve_log_concave(start, libm::log(p), |u| {
            let tails = log_gamma_tails(a, libm::exp(u));
            (tails.lower, libm::exp(tails.prefactor - tails.lower))
        })
    } else {
        -solve_log_concave(-start, libm::log(1.0 - p), |v| {
            let tails = log_gamma_tails(a, libm::exp(-v));
            (tails.upper, libm::exp(tails.prefactor - tails.upper))
        })
    };
    2.0 * libm::exp(u)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn call(function: &str, a: f64, b: f64, c: f64) -> f64 {
        match function {
            "qt" => t_quantile(a, b),
            "pt" => t_cdf(a, b),
            "qbeta" => beta_quantile(a, b, c),
            "pf" => f_cdf(a, b, c),
            "pchisq" => chi_squared_cdf(a, b),
            "qchisq" => chi_squared_quantile(a, b),
            "qnorm" => normal_quantile(a),
            other => panic!("the table asks for {other}"),
        }
    }

    /// R 4.2.2: `do.call(fn, list(a, b, c))` over the rows of special_functions.csv.
    #[test]
    fn the_table_of_r_is_met_to_nine_digits() {
        let case: Value = serde_json::from_str(include_str!("../../tests/golden/cases/S57.json")).unwrap();
        let expected = case["expected"]["rows"].as_array().unwrap();
        let mut reader =
            csv::Reader::from_reader(include_str!("../../tests/golden/data/special_functions.csv").as_bytes());
        let mut rows = 0;
        for (record, row) in reader.records().zip(expected) {
            let record = record.unwrap();
            let number = |i: usize| record[i].parse().unwrap_or(f64::NAN);
            let (got, want) = (call(&record[0], number(1), number(2), number(3)), row["value"].as_f64().unwrap());
            // R stops at 5.6e-309 where the true quantile, 1e-367, is below the smallest number.
            assert!((got - want).abs() <= 1e-9 * want.abs() + 1e-300, "{record:?}: {got} against {want}");
            rows += 1;
        }
        assert_eq!(rows, 190);
    }

    /// SciPy and mpmath at 40 digits; the last rows are where a t from log-gamma differences goes wrong.
    #[test]
    fn extreme_arguments_keep_their_digits() {
        for (got, want) in [
            (t_cdf(-1.96, 1e6), 0.024_998_033_792_634_893),
            (t_cdf(-2.5, 2e4), 0.006_213_637_065_997_113),
            (t_cdf(-40.0, 30.0), 6.863_022_597_203_201e-28),
            (t_cdf(-0.001, 7.0), 0.499_615_008_622_499_4),
            (t_cdf(-5.0, 1e8), 2.866_520_550_633_643e-7),
            (t_quantile(0.025, 1e6), -1.959_966_356_814_107),
            (t_quantile(0.025, 10_001.0), -1.960_201_216_164_641),
            (t_quantile(1e-7, 12.0), -10.551_069_260_342_634),
            (t_quantile(0.49, 3.5), -0.026_902_352_906_549_554),
            (f_upper(194.240_841_532_006, 3.800_690_544_680_31, 684.124_298_042_455), 2.041_244_863_076_222_6e-107),
            (chi_squared_upper(777.0, 4.0), 7.363_787_418_715_823e-167),
            (chi_squared_upper(1000.0, 900.0), 0.010_994_608_942_135_848),
            (beta_cdf(0.37, 1e6, 1.7e6), 0.103_777_650_597_887_17),
            (beta_cdf(0.25, 0.01, 40.0), 0.999_999_990_312_436_4),
            (normal_upper(30.0), 4.906_713_927_148_187e-198),
            (normal_quantile(1e-300), -37.047_096_299_361_2),
            (beta_quantile(0.025, 0.3, 58.0), 5.525_832_786_837_276e-8),
            (beta_quantile(0.975, 584.944_078_06, 1_439.844_921_94), 0.308_823_316_456_188_13),
            (beta_quantile(1e-6, 2.0, 100_000.0), 1.414_873_577_119_765e-8),
        ] {
            assert!((got / want - 1.0).abs() < 1e-11, "{got} against {want}");
        }
    }

    #[test]
    fn arguments_outside_their_range_give_nan() {
        assert!(t_quantile(0.5, 0.0).is_nan() && t_quantile(1.5, 3.0).is_nan() && t_cdf(f64::NAN, 3.0).is_nan());
        assert!(beta_quantile(0.5, -1.0, 2.0).is_nan() && f_upper(1.0, 0.0, 2.0).is_nan());
        assert!(chi_squared_quantile(-0.1, 2.0).is_nan() && normal_quantile(2.0).is_nan());
    }

    #[test]
    fn the_ends_of_the_probability_scale_are_the_ends_of_the_support() {
        assert_eq!((t_quantile(0.0, 5.0), t_quantile(1.0, 5.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!((beta_quantile(0.0, 2.0, 3.0), beta_quantile(1.0, 2.0, 3.0)), (0.0, 1.0));
        assert_eq!((f_quantile(0.0, 2.0, 3.0), chi_squared_quantile(1.0, 3.0)), (0.0, f64::INFINITY));
    }

    proptest! {
        #[test]
        fn a_t_quantile_undoes_the_cdf(p in 1e-6..0.999_999f64, df in 0.5..1e5f64) {
            prop_assert!((t_cdf(t_quantile(p, df), df) - p).abs() < 1e-12 * p.max(1e-3));
        }

        #[test]
        fn a_beta_quantile_undoes_the_cdf(p in 1e-6..0.999_999f64, a in 0.05..3000.0f64, b in 0.05..3000.0f64) {
            let x = beta_quantile(p, a, b);
            prop_assume!(x > 1e-300 && x < 1.0 - 1e-6); // nearer to 1 the number x itself has too few digits
            prop_assert!((beta_cdf(x, a, b) - p).abs() < 1e-9 * p);
        }

        #[test]
        fn an_f_quantile_undoes_the_cdf(p in 1e-6..0.999_999f64, df1 in 0.5..300.0f64, df2 in 0.5..1e5f64) {
            prop_assert!((f_cdf(f_quantile(p, df1, df2), df1, df2) - p).abs() < 1e-10 * p);
        }

        #[test]
        fn a_chi_squared_quantile_undoes_the_cdf(p in 1e-6..0.999_999f64, df in 0.5..1e5f64) {
            prop_assert!((chi_squared_cdf(chi_squared_quantile(p, df), df) - p).abs() < 1e-10 * p);
        }

        #[test]
        fn a_normal_quantile_undoes_the_cdf(p in 1e-300..1.0f64) {
            prop_assert!((normal_cdf(normal_quantile(p)) / p - 1.0).abs() < 1e-12);
        }

        #[test]
        fn t_squared_is_f(t in 0.001..50.0f64, df in 1.0..1e4f64) {
            prop_assume!(t_two_sided(t, df) > 1e-290);
            prop_assert!((t_two_sided(t, df) / f_upper(t * t, 1.0, df) - 1.0).abs() < 1e-11);
        }
    }
}
