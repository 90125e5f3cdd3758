//! Interval charts as SVG: points with whiskers, lines of the whole and of targets, a light band behind what cannot be
//! told from the whole. Plain shapes and no style sheet, so that it looks the same in HTML and in PDF.

use std::fmt::Write as _;

use super::format;

/// One row.
pub(super) struct ChartRow {
    pub name: String,
    pub estimate: Option<f64>,
    pub ci: Option<[f64; 2]>,
    /// Cannot be told from the whole.
    pub banded: bool,
}

/// A line across all rows.
pub(super) struct ChartLine {
    pub value: f64,
    pub label: String,
    /// Dashed and ochre; else plain and dark.
    pub is_target: bool,
}

/// What is drawn.
pub(super) struct Chart<'a> {
    pub rows: &'a [ChartRow],
    pub lines: &'a [ChartLine],
    /// The right end of the axis, a share; of several charts beside each other the same.
    pub end: f64,
}

const WIDTH: f64 = 680.0;
const ROW: f64 = 24.0;
const LINE_LABEL: f64 = 18.0;
const AXIS: f64 = 34.0;
const TEXT: f64 = 12.0;
const VALUE: f64 = 62.0;
const GAP: f64 = 10.0;

const INK: &str = "#17202a";
const INK_2: &str = "#4a5663";
const ACCENT: &str = "#1d5fa6";
const CAUTION: &str = "#7a5200";
const CAUTION_LINE: &str = "#b07c10";
const BAND: &str = "#e3ebf4";
const GRID: &str = "#d5dbe2";
const FONT: &str = "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Source Han Sans SC',sans-serif";

/// The right end of an axis that holds these shares: a multiple of its step.
pub(super) fn axis_end(shares: impl Iterator<Item = f64>) -> f64 {
    let highest = shares.fold(0.05_f64, f64::max);
    let step = step(highest);
    ((highest / step).ceil() * step).min(1.0)
}

fn step(highest: f64) -> f64 {
    match highest {
        high if high <= 0.1 => 0.02,
        high if high <= 0.3 => 0.05,
        high if high <= 0.6 => 0.1,
        _ => 0.2,
    }
}

/// About as wide as the text will be: a Chinese sign is a square, a Latin one a little more than half.
fn measure(text: &str) -> f64 {
    text.chars().map(|sign| if u32::from(sign) > 0x2e7f { TEXT } else { TEXT * 0.56 }).sum()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

struct Plot {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    end: f64,
}

impl Plot {
    fn x(&self, share: f64) -> f64 {
        self.left + share / self.end * (self.right - self.left)
    }
}

/// Draws the chart.
pub(super) fn draw(chart: &Chart<'_>) -> String {
    let names = chart.rows.iter().map(|row| measure(&row.name)).fold(0.0, f64::max).min(WIDTH * 0.4);
    let top = 6.0 + LINE_LABEL * chart.lines.len() as f64;
    let bottom = top + ROW * chart.rows.len() as f64;
    let plot = Plot { left: names + GAP, right: WIDTH - VALUE - GAP, top, bottom, end: chart.end };
    let height = bottom + AXIS;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"{FONT}\" font-size=\"{TEXT}\">"
    );
    grid(&mut out, &plot);
    for (at, row) in chart.rows.iter().enumerate().filter(|(_, row)| row.banded) {
        let y = top + ROW * at as f64;
        let _ = write!(out, "<rect x=\"0\" y=\"{y}\" width=\"{WIDTH}\" height=\"{ROW}\" fill=\"{BAND}\"/>");
        let _ = row;
    }
    lines(&mut out, &plot, chart.lines);
    for (at, row) in chart.rows.iter().enumerate() {
        whisker(&mut out, &plot, row, top + ROW * (at as f64 + 0.5));
    }
    out.push_str("</svg>");
    out
}

fn grid(out: &mut String, plot: &Plot) {
    let step = step(plot.end);
    let marks = (plot.end / step).round() as u32;
    for mark in 0..=marks {
        let share = step * f64::from(mark);
        let x = two(plot.x(share));
        let (top, bottom) = (plot.top, plot.bottom);
        let _ = write!(out, "<path d=\"M{x} {top}V{bottom}\" stroke=\"{GRID}\" stroke-width=\"1\"/>");
        text(out, &format!("{}%", format::fixed(share * 100.0, 0)), plot.x(share), bottom + 18.0, "middle", INK_2);
    }
}

/// The leftmost label stands highest, so that no other line runs through it; near the right edge labels turn left.
fn lines(out: &mut String, plot: &Plot, lines: &[ChartLine]) {
    let mut sorted: Vec<&ChartLine> = lines.iter().collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    for (at, line) in sorted.into_iter().enumerate() {
        let x = plot.x(line.value.min(plot.end));
        let top = 4.0 + LINE_LABEL * at as f64;
        let (stroke, dash) = if line.is_target { (CAUTION_LINE, " stroke-dasharray=\"5 4\"") } else { (INK, "") };
        let _ = write!(
            out,
            "<path d=\"M{} {top}V{}\" stroke=\"{stroke}\" stroke-width=\"1.5\"{dash}/>",
            two(x),
            plot.bottom
        );
        let turned = x + measure(&line.label) + 8.0 > WIDTH;
        let (x, anchor) = if turned { (x - 6.0, "end") } else { (x + 6.0, "start") };
        text(out, &line.label, x, top + TEXT, anchor, if line.is_target { CAUTION } else { INK });
    }
}

fn whisker(out: &mut String, plot: &Plot, row: &ChartRow, y: f64) {
    let middle = y + TEXT * 0.36;
    text(out, &row.name, 4.0, middle, "start", INK);
    text(out, &format::share(row.estimate), WIDTH - 4.0, middle, "end", INK);
    let Some(estimate) = row.estimate else { return };
    let colour = if row.banded { INK_2 } else { ACCENT };
    let x = two(plot.x(estimate));
    let Some(ci) = row.ci else {
        // A share without an interval: a hollow point says that nothing is known about its error.
        let _ = write!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"#ffffff\" stroke=\"{colour}\"/>");
        return;
    };
    let [low, high] = ci.map(|end| two(plot.x(end.clamp(0.0, plot.end))));
    let (above, below) = (y - 4.0, y + 4.0);
    let _ = write!(
        out,
        "<path d=\"M{low} {y}H{high}M{low} {above}V{below}M{high} {above}V{below}\" stroke=\"{colour}\" stroke-width=\"1.8\" fill=\"none\"/>"
    );
    let _ = write!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"{colour}\" stroke=\"#ffffff\"/>");
}

fn text(out: &mut String, words: &str, x: f64, y: f64, anchor: &str, fill: &str) {
    let (x, y, words) = (two(x), two(y), escape(words));
    let _ = write!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{words}</text>");
}

/// A hundredth of a pixel is enough, and the same digits everywhere.
fn two(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_mark_that_holds_everything() {
        assert!((axis_end([0.123, 0.2].into_iter()) - 0.2).abs() < 1e-12);
        assert!((axis_end([0.31].into_iter()) - 0.4).abs() < 1e-12);
        assert!(axis_end([0.99].into_iter()) <= 1.0);
        assert!(axis_end(std::iter::empty()) > 0.0);
    }

    #[test]
    fn a_row_without_an_interval_is_a_hollow_point_and_words_are_escaped() {
        let rows = [
            ChartRow { name: "甲 <乙>".to_owned(), estimate: Some(0.0), ci: None, banded: false },
            ChartRow { name: "丙".to_owned(), estimate: None, ci: None, banded: false },
        ];
        let svg = draw(&Chart { rows: &rows, lines: &[], end: 0.2 });
        assert!(svg.contains("fill=\"#ffffff\" stroke=") && svg.contains("甲 &lt;乙&gt;"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 1, "nothing is drawn for what is not known");
        assert!(svg.contains(">–</text>"));
    }
}
