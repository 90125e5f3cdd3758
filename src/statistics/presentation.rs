//! Whether a proportion may be published: the presentation standards for proportions of the US National Center for
//! Health Statistics, as flags beside each cell.

use serde::Serialize;

use super::{
    distribution::t_quantile,
    interval::{Interval, clopper_pearson},
};

/// The standards are written for 95 % intervals.
const LEVEL: f64 = 0.95;
/// A proportion on fewer effective respondents is not shown.
const EFFECTIVE_N_MIN: f64 = 30.0;
/// An interval this narrow is shown whatever its relative width.
const WIDTH_ALWAYS_SHOWN: f64 = 0.05;
/// An interval this wide is never shown.
const WIDTH_NEVER_SHOWN: f64 = 0.30;
/// Between the two, the width may be at most this multiple of the proportion.
const RELATIVE_WIDTH_MAX: f64 = 1.30;
/// Below this df the standards ask for a statistician's review.
const DF_REVIEW: f64 = 8.0;

/// One cell of a table: an estimated proportion and the counts behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The weighted proportion.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Respondents in the cell.
    pub n: u64,
    /// Respondents in the cell with the property.
    pub n_positive: u64,
    /// Degrees of freedom of the design in the cell.
    pub df: f64,
}

impl Cell {
    fn at_boundary(&self) -> bool {
        self.n_positive == 0 || self.n_positive == self.n
    }
}

/// The verdict of the presentation standards on one cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PresentationFlags {
    /// Effective sample size, at most the sample size.
    pub n_effective: f64,
    /// The Korn-Graubard interval with the effective sample size capped at n.
    pub interval: Interval,
    /// Its width; zero at a proportion of 0 or 1, as the standards have it.
    pub ci_width: f64,
    /// The width divided by the proportion; absent when the proportion is zero.
    pub relative_ci_width: Option<f64>,
    /// The proportion may be shown.
    pub publish: bool,
    /// Shown, but its complement 1 - p would need a footnote.
    pub footnote_complement: bool,
    /// Shown, but with so few degrees of freedom that a statistician should look.
    pub review_df: bool,
    /// Shown, but the estimate is 0 or 1, so a statistician should look.
    pub review_boundary: bool,
}

/// The Korn-Graubard interval with the df-adjusted effective sample size capped at n.
///
/// Defined everywhere: at 0 or 1 the effective sample size is n, and without degrees of freedom the interval is
/// [0, 1], since nothing is known about the variance.
///
/// **Shapes and units**: proportions; `level` in (0, 1).
///
/// **Errors**: none.
///
/// **Source**: Parker et al. 2017 (NCHS Series 2, No. 175); Korn and Graubard 1998. R's `svyciprop(method = "beta")`
/// is the same without the cap.
///
/// **Example**
/// ```
/// use scilit::statistics::presentation::{Cell, korn_graubard_capped};
/// let none = Cell { estimate: 0.0, standard_error: 0.0, n: 20, n_positive: 0, df: 5.0 };
/// let i = korn_graubard_capped(&none, 0.95);
/// assert_eq!(i.low, 0.0);
/// assert!((i.high - (1.0 - 0.025f64.powf(1.0 / 20.0))).abs() < 1e-12); // Clopper-Pearson at zero of twenty
/// ```
pub fn korn_graubard_capped(cell: &Cell, level: f64) -> Interval {
    let n = cell.n as f64;
    if cell.df.is_nan() || cell.df <= 0.0 || cell.n == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let estimate = match cell.n_positive {
        0 => 0.0,
        k if k == cell.n => 1.0,
        _ => cell.estimate,
    };
    let m = if cell.at_boundary() {
        n
    } else {
        let tail = (1.0 - level) / 2.0;
        let ratio = t_quantile(tail, n - 1.0) / t_quantile(tail, cell.df);
        capped(effective_n(cell) * ratio * ratio, n)
    };
    clopper_pearson(estimate, m, level)
}

fn effective_n(cell: &Cell) -> f64 {
    cell.estimate * (1.0 - cell.estimate) / (cell.standard_error * cell.standard_error)
}

/// At most `n`; without variance the effective sample size is infinite or undefined, and the cap is the answer.
fn capped(value: f64, n: f64) -> f64 {
    if value.is_nan() { n } else { value.min(n) }
}

/// Applies the presentation standards to one cell.
///
/// Shown if at least 30 effective respondents stand behind it and its interval is at most 5 points wide, or less
/// than 30 points and at most 130 % of the proportion.
///
/// **Shapes and units**: proportions, not percent; the interval has level 95 %.
///
/// **Errors**: none.
///
/// **Source**: Parker et al. 2017 (NCHS Series 2, No. 175).
///
/// **Example**
/// ```
/// use scilit::statistics::presentation::{Cell, presentation_flags};
/// let cell = Cell { estimate: 0.5, standard_error: 0.02, n: 1000, n_positive: 480, df: 60.0 };
/// assert!(presentation_flags(&cell).publish);
/// let few = Cell { n: 25, n_positive: 12, ..cell };
/// assert!(!presentation_flags(&few).publish);
/// ```
pub fn presentation_flags(cell: &Cell) -> PresentationFlags {
    let interval = korn_graubard_capped(cell, LEVEL);
    let n = cell.n as f64;
    let (n_effective, ci_width) =
        if cell.at_boundary() { (n, 0.0) } else { (capped(effective_n(cell), n), interval.width()) };
    let relative = if cell.estimate > 0.0 { Some(ci_width / cell.estimate) } else { None };
    let publish = n_effective >= EFFECTIVE_N_MIN
        && (ci_width <= WIDTH_ALWAYS_SHOWN
            || (ci_width < WIDTH_NEVER_SHOWN && relative.is_some_and(|r| r <= RELATIVE_WIDTH_MAX)));
    PresentationFlags {
        n_effective,
        interval,
        ci_width,
        relative_ci_width: relative,
        publish,
        footnote_complement: publish
            && ci_width > WIDTH_ALWAYS_SHOWN
            && ci_width / (1.0 - cell.estimate) > RELATIVE_WIDTH_MAX,
        review_df: publish && cell.df < DF_REVIEW,
        review_boundary: publish && cell.at_boundary(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn cell(row: &Value) -> Cell {
        let number = |key: &str| row[key].as_f64().unwrap();
        let n = row["n"].as_u64().unwrap();
        let n_positive = match number("estimate") {
            p if p < 1e-12 => 0,
            p if p > 1.0 - 1e-12 => n,
            _ => 1,
        };
        Cell { estimate: number("estimate"), standard_error: number("se"), n, n_positive, df: number("df") }
    }

    /// R 4.2.2, survey 4.5: 180 district × age cells of survey A (S53).
    #[test]
    fn every_cell_of_the_reference_is_met() {
        let case: Value = serde_json::from_str(include_str!("../../tests/golden/cases/S53.json")).unwrap();
        let rows = case["expected"]["rows"].as_array().unwrap();
        let mut shown = 0;
        for row in rows {
            let flags = presentation_flags(&cell(row));
            let ends = &row["ci"]["korn_graubard_capped"];
            for (got, want) in [
                (flags.interval.low, ends[0].as_f64().unwrap()),
                (flags.interval.high, ends[1].as_f64().unwrap()),
                (flags.n_effective, row["n_effective"].as_f64().unwrap()),
                (flags.ci_width, row["ci_width"].as_f64().unwrap()),
            ] {
                assert!((got - want).abs() <= 1e-9 * want.abs().max(1e-6), "{row}: {got} against {want}");
            }
            for (name, flag) in [
                ("publish", flags.publish),
                ("footnote_complement", flags.footnote_complement),
                ("review_df", flags.review_df),
                ("review_boundary", flags.review_boundary),
            ] {
                assert_eq!(flag, row[name].as_bool().unwrap(), "{name} of {row}");
            }
            shown += usize::from(flags.publish);
        }
        assert_eq!((rows.len(), shown), (180, 9));
    }

    #[test]
    fn without_degrees_of_freedom_nothing_is_known() {
        for n_positive in [0, 3, 9] {
            let cell = Cell { estimate: n_positive as f64 / 9.0, standard_error: 0.0, n: 9, n_positive, df: 0.0 };
            assert_eq!(korn_graubard_capped(&cell, 0.95), Interval { low: 0.0, high: 1.0 });
        }
    }

    #[test]
    fn an_empty_cell_is_never_published() {
        let empty = Cell { estimate: f64::NAN, standard_error: f64::NAN, n: 0, n_positive: 0, df: 0.0 };
        assert!(!presentation_flags(&empty).publish);
    }
}
