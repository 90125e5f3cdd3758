//! Interval charts: points with whiskers, lines of the whole and of targets, a light band behind what cannot be told
//! from the whole.

use super::{
    drawing::{Anchor, Colour, Drawing, Shape},
    format,
};

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

const WHITE: Colour = [0xff; 3];
const INK: Colour = [0x17, 0x20, 0x2a];
const INK_2: Colour = [0x4a, 0x56, 0x63];
const ACCENT: Colour = [0x1d, 0x5f, 0xa6];
const CAUTION: Colour = [0x7a, 0x52, 0x00];
const CAUTION_LINE: Colour = [0xb0, 0x7c, 0x10];
const BAND: Colour = [0xe3, 0xeb, 0xf4];
const GRID: Colour = [0xd5, 0xdb, 0xe2];

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
pub(super) fn draw(chart: &Chart<'_>) -> Drawing {
    let names = chart.rows.iter().map(|row| measure(&row.name)).fold(0.0, f64::max).min(WIDTH * 0.4);
    let top = 6.0 + LINE_LABEL * chart.lines.len() as f64;
    let bottom = top + ROW * chart.rows.len() as f64;
    let plot = Plot { left: names + GAP, right: WIDTH - VALUE - GAP, top, bottom, end: chart.end };
    let middle = |at: usize| top + ROW * (at as f64 + 0.5);
    let mut shapes = Vec::new();
    for (at, _) in chart.rows.iter().enumerate().filter(|(_, row)| row.banded) {
        shapes.push(Shape::Area([0.0, middle(at) - ROW / 2.0, WIDTH, ROW], BAND));
    }
    grid(&mut shapes, &plot);
    lines(&mut shapes, &plot, chart.lines);
    for (at, row) in chart.rows.iter().enumerate() {
        whisker(&mut shapes, &plot, row, middle(at));
    }
    Drawing { width: WIDTH, height: bottom + AXIS, text_size: TEXT, shapes }
}

fn line(ends: [f64; 4], colour: Colour, width: f64) -> Shape {
    Shape::Line { ends, colour, width, dashed: false }
}

fn words(text: &str, at: [f64; 2], anchor: Anchor, colour: Colour) -> Shape {
    Shape::Words { at, anchor, colour, text: text.to_owned() }
}

fn grid(shapes: &mut Vec<Shape>, plot: &Plot) {
    let step = step(plot.end);
    let marks = (plot.end / step).round() as u32;
    for mark in 0..=marks {
        let share = step * f64::from(mark);
        let x = plot.x(share);
        shapes.push(line([x, plot.top, x, plot.bottom], GRID, 1.0));
        let label = format!("{}%", format::fixed(share * 100.0, 0));
        shapes.push(words(&label, [x, plot.bottom + 18.0], Anchor::Middle, INK_2));
    }
}

/// The leftmost label stands highest, so that no other line runs through it; near the right edge labels turn left.
fn lines(shapes: &mut Vec<Shape>, plot: &Plot, lines: &[ChartLine]) {
    let mut sorted: Vec<&ChartLine> = lines.iter().collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    for (at, mark) in sorted.into_iter().enumerate() {
        let x = plot.x(mark.value.min(plot.end));
        let top = 4.0 + LINE_LABEL * at as f64;
        let (colour, ink) = if mark.is_target { (CAUTION_LINE, CAUTION) } else { (INK, INK) };
        shapes.push(Shape::Line { ends: [x, top, x, plot.bottom], colour, width: 1.5, dashed: mark.is_target });
        let turned = x + measure(&mark.label) + 8.0 > WIDTH;
        let (x, anchor) = if turned { (x - 6.0, Anchor::End) } else { (x + 6.0, Anchor::Start) };
        shapes.push(words(&mark.label, [x, top + TEXT], anchor, ink));
    }
}

fn whisker(shapes: &mut Vec<Shape>, plot: &Plot, row: &ChartRow, y: f64) {
    let base = y + TEXT * 0.36;
    shapes.push(words(&row.name, [4.0, base], Anchor::Start, INK));
    shapes.push(words(&format::share(row.estimate), [WIDTH - 4.0, base], Anchor::End, INK));
    let Some(estimate) = row.estimate else { return };
    let colour = if row.banded { INK_2 } else { ACCENT };
    let centre = [plot.x(estimate), y];
    let Some(ci) = row.ci else {
        // A share without an interval: a hollow point says that nothing is known about its error.
        shapes.push(Shape::Dot { centre, radius: 4.0, fill: WHITE, edge: colour });
        return;
    };
    let [low, high] = ci.map(|end| plot.x(end.clamp(0.0, plot.end)));
    shapes.push(line([low, y, high, y], colour, 1.8));
    shapes.extend([low, high].map(|x| line([x, y - 4.0, x, y + 4.0], colour, 1.8)));
    shapes.push(Shape::Dot { centre, radius: 4.0, fill: colour, edge: WHITE });
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
        let svg = draw(&Chart { rows: &rows, lines: &[], end: 0.2 }).to_svg();
        assert!(svg.contains("fill=\"#ffffff\" stroke=") && svg.contains("甲 &lt;乙&gt;"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 1, "nothing is drawn for what is not known");
        assert!(svg.contains(">–</text>"));
    }
}
