//! The charts of districts, groups and the score, each titled by what it shows.

use super::{At, Block, format};
use crate::{
    indicator::results::{ResultRow, ResultTable},
    report::{
        Language,
        chart::{Chart, ChartLine, ChartRow, axis_end, draw},
        document::Figure,
        summary,
    },
};

/// More rows than this do not fit on a page beside anything else.
const ROWS_MAX: usize = 30;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Above,
    Below,
    Unclear,
    Unknown,
}

/// Against the whole's estimate by the interval alone, as the pages do; it is no test of the difference.
fn standing(row: &ResultRow, whole: Option<f64>) -> Standing {
    match (row.ci, whole) {
        (None, _) => Standing::Unknown,
        (Some([low, _]), Some(whole)) if low > whole => Standing::Above,
        (Some([_, high]), Some(whole)) if high < whole => Standing::Below,
        _ => Standing::Unclear,
    }
}

/// The districts by rank, in as many charts as pages need.
pub(super) fn districts(at: &At<'_>, of: &ResultTable) -> Vec<Block> {
    let whole = summary::whole(at.results).and_then(|row| row.estimate);
    let mut ranked: Vec<&ResultRow> = of.rows.iter().collect();
    // The rows are in the order of their codes, and the sort keeps it among equals.
    ranked.sort_by(|a, b| b.estimate.unwrap_or(-1.0).total_cmp(&a.estimate.unwrap_or(-1.0)));
    let finding = district_finding(at, &of.rows, whole);
    let rows: Vec<ChartRow> = ranked.iter().map(|row| chart_row(at, row, Some(whole))).collect();
    let n = of.rows.iter().filter_map(|row| row.n).sum();
    charts(at, &rows, &finding, n, axis(at, &of.rows))
}

/// The groups of one variable; all charts of groups share their axis.
pub(super) fn group(at: &At<'_>, of: &ResultTable, beside: &[&ResultTable]) -> Vec<Block> {
    let rows: Vec<ChartRow> = of.rows.iter().map(|row| chart_row(at, row, None)).collect();
    // Key groups overlap, so that their sizes do not add up to the sample.
    let n = if of.id == "key_group" { at.results.sample.used } else { of.rows.iter().filter_map(|row| row.n).sum() };
    let all: Vec<ResultRow> = beside.iter().flat_map(|table| table.rows.iter().cloned()).collect();
    charts(at, &rows, &group_finding(at, of), n, axis(at, &all))
}

/// Shares of all, such as tiers or bands, without the lines of whole and targets.
pub(super) fn plain(at: &At<'_>, of: &ResultTable, finding: &str) -> Vec<Block> {
    let rows: Vec<ChartRow> = of.rows.iter().map(|row| chart_row(at, row, None)).collect();
    let end = axis_end(of.rows.iter().filter_map(right_end));
    vec![figure(at, &rows, &[], finding.to_owned(), at.results.sample.used, end)]
}

fn right_end(row: &ResultRow) -> Option<f64> {
    row.ci.map(|ci| ci[1]).or(row.estimate)
}

fn axis(at: &At<'_>, rows: &[ResultRow]) -> f64 {
    axis_end(rows.iter().filter_map(right_end).chain(lines(at).into_iter().map(|line| line.value)))
}

fn chart_row(at: &At<'_>, row: &ResultRow, whole: Option<Option<f64>>) -> ChartRow {
    let banded = whole.is_some_and(|whole| standing(row, whole) == Standing::Unclear);
    ChartRow { name: at.row_name(row), estimate: row.estimate, ci: row.ci, banded }
}

fn lines(at: &At<'_>) -> Vec<ChartLine> {
    let own = at.results.targets.iter().filter(|target| Some(&target.region) == at.results.survey.region.as_ref());
    let target = |target: &crate::indicator::files::Target| ChartLine {
        value: target.value,
        label: at.language.say(&target.label).to_owned(),
        is_target: true,
    };
    let whole = summary::whole(at.results).and_then(|row| row.estimate).map(|value| {
        let share = format::share(Some(value));
        let label = match at.language {
            Language::Chinese => format!("全市 {share}"),
            Language::English => format!("Whole {share}"),
        };
        ChartLine { value, label, is_target: false }
    });
    whole.into_iter().chain(own.map(target)).collect()
}

fn charts(at: &At<'_>, rows: &[ChartRow], finding: &str, n: usize, end: f64) -> Vec<Block> {
    let parts = rows.len().div_ceil(ROWS_MAX);
    let title =
        |part: usize| if parts > 1 { format!("{finding}（{}/{parts}）", part + 1) } else { finding.to_owned() };
    let chart = |(part, rows): (usize, &[ChartRow])| figure(at, rows, &lines(at), title(part), n, end);
    rows.chunks(ROWS_MAX).enumerate().map(chart).collect()
}

fn figure(at: &At<'_>, rows: &[ChartRow], lines: &[ChartLine], title: String, n: usize, end: f64) -> Block {
    let alternative = match at.language {
        Language::Chinese => format!("点线图：{title}。数值见表。"),
        Language::English => format!("Chart of points with intervals: {title}. The numbers stand in the table."),
    };
    let drawing = draw(&Chart { rows, lines, end });
    Block::Figure(Figure { title, basis: at.basis(n), alternative, drawing })
}

fn district_finding(at: &At<'_>, rows: &[ResultRow], whole: Option<f64>) -> String {
    let tally = |of: Standing| rows.iter().filter(|row| standing(row, whole) == of).count();
    let total = rows.len();
    if total > 0 && tally(Standing::Unclear) == total {
        return match at.language {
            Language::Chinese => format!("{total}个区、县（市）与全市都分不出高低"),
            Language::English => format!("None of the {total} districts can be told from the whole"),
        };
    }
    let told = [
        (Standing::Above, "个高于全市", "above the whole"),
        (Standing::Below, "个低于全市", "below it"),
        (Standing::Unclear, "个与全市分不出高低", "cannot be told from it"),
        (Standing::Unknown, "个没有区间可比", "without an interval"),
    ];
    let part = |(of, zh, en): &(Standing, &str, &str)| match (tally(*of), at.language) {
        (0, _) => None,
        (n, Language::Chinese) => Some(format!("{n}{zh}")),
        (n, Language::English) => Some(format!("{n} {en}")),
    };
    let parts: Vec<String> = told.iter().filter_map(part).collect();
    match at.language {
        Language::Chinese => format!("{total}个区、县（市）中，{}", parts.join("，")),
        Language::English => format!("Of {total} districts, {}", parts.join(", ")),
    }
}

fn group_finding(at: &At<'_>, of: &ResultTable) -> String {
    let known = of.rows.iter().filter_map(|row| Some((row, row.estimate?, row.ci?)));
    let high = known.clone().reduce(|a, b| if b.1 > a.1 { b } else { a });
    let low = known.reduce(|a, b| if b.1 < a.1 { b } else { a });
    let label = at.language.say(&of.label);
    let (Some(high), Some(low)) = (high, low) else {
        return match at.language {
            Language::Chinese => format!("{label}：有估计值的群体不足两个，不作比较"),
            Language::English => format!("{label}: fewer than two groups have an estimate"),
        };
    };
    let (first, second) = (at.row_name(high.0), at.row_name(low.0));
    let (top, bottom, gap) = (format::share(Some(high.1)), format::share(Some(low.1)), format::points(high.1 - low.1));
    match at.language {
        Language::Chinese => format!("{label}：{first}最高（{top}），{second}最低（{bottom}），相差{gap}个百分点"),
        Language::English => {
            format!("{label}: highest {first} ({top}), lowest {second} ({bottom}), {gap} percentage points apart")
        }
    }
}
