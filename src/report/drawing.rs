//! A drawing as plain shapes: written as SVG here, and set into PDF by whoever writes that.

use std::fmt::Write as _;

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Shapes from back to front.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawing {
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// The size of all its words.
    pub text_size: f64,
    /// The shapes.
    pub shapes: Vec<Shape>,
}

/// Where words stand from their point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// They begin there.
    Start,
    /// They are centred on it.
    Middle,
    /// They end there.
    End,
}

/// One shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A filled rectangle: left, top, width, height.
    Area([f64; 4], Colour),
    /// A straight line from (x, y) to (x, y).
    Line {
        /// Both ends: x, y, x, y.
        ends: [f64; 4],
        /// Its colour.
        colour: Colour,
        /// Its width.
        width: f64,
        /// Whether it is broken.
        dashed: bool,
    },
    /// A circle with an edge.
    Dot {
        /// Its centre.
        centre: [f64; 2],
        /// Its radius.
        radius: f64,
        /// Inside.
        fill: Colour,
        /// Its edge.
        edge: Colour,
    },
    /// Words on one line.
    Words {
        /// The point on their base line.
        at: [f64; 2],
        /// How they stand to it.
        anchor: Anchor,
        /// Their colour.
        colour: Colour,
        /// The words.
        text: String,
    },
}

const FONT: &str = "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Source Han Sans SC',sans-serif";

impl Drawing {
    /// The drawing as one SVG element.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let [width, height] = [self.width, self.height].map(two);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"{FONT}\" font-size=\"{}\">",
            self.text_size
        );
        self.shapes.iter().for_each(|shape| shape.write(&mut out));
        out.push_str("</svg>");
        out
    }
}

impl Shape {
    fn write(&self, out: &mut String) {
        let written = match self {
            Self::Area(place, fill) => {
                let [x, y, width, height] = place.map(two);
                let fill = hex(*fill);
                write!(out, "<path d=\"M{x} {y}h{width}v{height}h-{width}z\" fill=\"{fill}\"/>")
            }
            Self::Line { ends, colour, width, dashed } => {
                let [x1, y1, x2, y2] = ends.map(two);
                let (stroke, dash) = (hex(*colour), if *dashed { " stroke-dasharray=\"5 4\"" } else { "" });
                write!(out, "<path d=\"M{x1} {y1}L{x2} {y2}\" stroke=\"{stroke}\" stroke-width=\"{width}\"{dash}/>")
            }
            Self::Dot { centre, radius, fill, edge } => {
                let [x, y] = centre.map(two);
                let (fill, edge) = (hex(*fill), hex(*edge));
                write!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{edge}\"/>")
            }
            Self::Words { at, anchor, colour, text } => {
                let [x, y] = at.map(two);
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                let (fill, text) = (hex(*colour), escape(text));
                write!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{text}</text>")
            }
        };
        written.expect("writing to a string does not fail");
    }
}

/// A hundredth of a unit is enough, and the same digits everywhere.
fn two(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_written_in_their_order_and_words_are_no_markup() {
        let words =
            Shape::Words { at: [1.005, 2.0], anchor: Anchor::End, colour: [0, 16, 255], text: "甲 <b>&".to_owned() };
        let area = Shape::Area([0.0, 0.0, 3.0, 4.0], [255, 255, 255]);
        let svg = Drawing { width: 10.0, height: 5.0, text_size: 12.0, shapes: vec![area, words] }.to_svg();
        assert!(svg.contains("<path d=\"M0 0h3v4h-3z\" fill=\"#ffffff\"/><text"), "{svg}");
        assert!(svg.contains("fill=\"#0010ff\">甲 &lt;b&gt;&amp;</text>"), "{svg}");
    }
}
