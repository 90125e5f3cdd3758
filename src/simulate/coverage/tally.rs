//! Counts and moments over the surveys, added up one after the other in the order of the surveys.

use super::{DomainCoverage, MethodCoverage, methods};
use crate::simulate::Truth;
use crate::statistics::EstimateRow;

/// One level of the variable in one survey: the row with the share that the city really has.
struct Cell<'a> {
    row: Option<&'a EstimateRow>,
    truth: f64,
}

/// Levels with members in the city, each with its share.
fn levels(domain: &str, truth: &Truth) -> Vec<(&'static str, f64)> {
    let groups = truth.groups.iter().filter(|group| group.variable == domain);
    groups.filter_map(|group| Some((group.level, group.share()?))).collect()
}

fn row_of<'a>(rows: &'a [EstimateRow], domain: &str, level: &str) -> Option<&'a EstimateRow> {
    rows.iter().find(|row| domain == "city" || row.label(domain).as_deref() == Some(level))
}

/// The figures of one kind of domain; `surveys` holds the rows of each survey.
pub(super) fn domain(domain: &'static str, truth: &Truth, surveys: &[&[EstimateRow]]) -> DomainCoverage {
    let levels = levels(domain, truth);
    let surveys: Vec<Vec<Cell<'_>>> = surveys.iter().map(|rows| cells_of(rows, domain, &levels)).collect();
    let all = || surveys.iter().flatten().filter_map(|cell| cell.row);
    let moments: Vec<Moments> = (0..levels.len()).filter_map(|at| Moments::of_level(&surveys, at)).collect();
    let over_levels = |value: fn(&Moments) -> f64| mean(moments.iter().map(value));
    let (bias, spread) = (over_levels(|m| m.bias), over_levels(|m| m.spread));
    let stated = over_levels(|m| m.stated);
    DomainCoverage {
        domain,
        levels: levels.len(),
        mean_n: mean(all().filter_map(|row| row.n).map(|n| n as f64)),
        mean_df: mean(all().filter_map(|row| row.df)),
        bias,
        largest_bias: moments.iter().map(|m| m.bias).max_by(|a, b| a.abs().total_cmp(&b.abs())),
        spread,
        se_ratio: stated.zip(spread).filter(|(_, spread)| *spread > 0.0).map(|(stated, spread)| stated / spread),
        methods: methods().into_iter().map(|name| method(name, &surveys)).collect(),
    }
}

fn cells_of<'a>(rows: &'a [EstimateRow], domain: &str, levels: &[(&'static str, f64)]) -> Vec<Cell<'a>> {
    levels.iter().map(|(level, truth)| Cell { row: row_of(rows, domain, level), truth: *truth }).collect()
}

/// The estimates of one level over the surveys.
struct Moments {
    bias: f64,
    spread: f64,
    stated: f64,
}

impl Moments {
    fn of_level(surveys: &[Vec<Cell<'_>>], at: usize) -> Option<Self> {
        let rows = || surveys.iter().filter_map(|cells| cells[at].row);
        let estimates: Vec<f64> = rows().filter_map(|row| row.estimate).collect();
        let centre = mean(estimates.iter().copied())?;
        let squares: f64 = estimates.iter().map(|estimate| (estimate - centre) * (estimate - centre)).sum();
        let spread = (estimates.len() > 1).then(|| (squares / (estimates.len() - 1) as f64).sqrt())?;
        // At 0 and 1 the stated error is 0: it counts, because the estimate counts in the spread.
        let stated = mean(rows().filter(|row| row.estimate.is_some()).map(|row| row.se.unwrap_or(0.0)))?;
        Some(Self { bias: centre - surveys[0][at].truth, spread, stated })
    }
}

/// What one survey's intervals did.
#[derive(Default)]
struct Count {
    intervals: usize,
    below: usize,
    above: usize,
    width: f64,
}

impl Count {
    fn of(cells: &[Cell<'_>], name: &str) -> Self {
        let mut count = Self::default();
        for cell in cells {
            let ends =
                cell.row.and_then(|row| row.interval(name)).filter(|ends| ends.iter().all(|end| end.is_finite()));
            if let Some([low, high]) = ends {
                count.intervals += 1;
                count.below += usize::from(cell.truth < low);
                count.above += usize::from(cell.truth > high);
                count.width += high - low;
            }
        }
        count
    }

    fn held(&self) -> usize {
        self.intervals - self.below - self.above
    }
}

fn method(name: &'static str, surveys: &[Vec<Cell<'_>>]) -> MethodCoverage {
    let counts: Vec<Count> = surveys.iter().map(|cells| Count::of(cells, name)).collect();
    let sum = |value: fn(&Count) -> usize| counts.iter().map(value).sum::<usize>();
    let intervals = sum(|count| count.intervals);
    let cells: usize = surveys.iter().map(Vec::len).sum();
    let share = |count: usize| (intervals > 0).then(|| count as f64 / intervals as f64);
    let coverage = share(sum(Count::held));
    MethodCoverage {
        method: name,
        intervals,
        coverage,
        coverage_se: coverage.map(|coverage| monte_carlo_error(&counts, coverage, intervals)),
        truth_below: share(sum(|count| count.below)),
        truth_above: share(sum(|count| count.above)),
        mean_width: (intervals > 0).then(|| counts.iter().map(|count| count.width).sum::<f64>() / intervals as f64),
        not_estimable: (cells - intervals) as f64 / cells as f64,
    }
}

/// Standard error of a ratio over independent surveys: levels of one survey share its luck and are not independent.
fn monte_carlo_error(counts: &[Count], coverage: f64, intervals: usize) -> f64 {
    let surveys = counts.len() as f64;
    let residual = |count: &Count| count.held() as f64 - coverage * count.intervals as f64;
    let squares: f64 = counts.iter().map(|count| residual(count) * residual(count)).sum();
    (surveys / (surveys - 1.0) * squares).sqrt() / intervals as f64
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(estimate: f64, ends: Option<[f64; 2]>) -> EstimateRow {
        let ci = ends.map(|ends| ("logit", ends)).into_iter().collect();
        EstimateRow { estimate: Some(estimate), se: Some(0.1), ci, ..EstimateRow::default() }
    }

    fn cells(rows: &[EstimateRow]) -> Vec<Cell<'_>> {
        rows.iter().map(|row| Cell { row: Some(row), truth: 0.3 }).collect()
    }

    #[test]
    fn intervals_below_above_and_missing_are_told_apart() {
        let one = [row(0.3, Some([0.2, 0.4])), row(0.1, Some([0.0, 0.2]))];
        let two = [row(0.5, Some([0.4, 0.6])), row(0.0, None)];
        let told = method("logit", &[cells(&one), cells(&two)]);
        assert_eq!(told.intervals, 3);
        assert_eq!(told.coverage, Some(1.0 / 3.0));
        assert_eq!((told.truth_below, told.truth_above), (Some(1.0 / 3.0), Some(1.0 / 3.0)));
        assert_eq!(told.not_estimable, 0.25);
        assert!((told.mean_width.unwrap() - 0.2).abs() < 1e-12);
        // Residuals 1 - 2/3 and 0 - 1/3: sqrt(2 · 2/9) / 3.
        assert!((told.coverage_se.unwrap() - (4.0f64 / 9.0).sqrt() / 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_spread_is_the_standard_deviation_of_the_estimates() {
        let (one, two) = ([row(0.2, None)], [row(0.5, None)]);
        let moments = Moments::of_level(&[cells(&one), cells(&two)], 0).unwrap();
        assert!((moments.bias - 0.05).abs() < 1e-12);
        assert!((moments.spread - 0.045f64.sqrt()).abs() < 1e-12);
        assert_eq!(moments.stated, 0.1);
    }

    #[test]
    fn without_an_interval_there_is_no_coverage_to_tell() {
        let none = [row(0.0, None)];
        let told = method("beta", &[cells(&none), cells(&none)]);
        assert_eq!((told.intervals, told.coverage, told.not_estimable), (0, None, 1.0));
    }
}
