//! The two faces of a report: how wide signs are, and where a line may end.

use krilla::text::Font;
use ttf_parser::Face;
use unicode_linebreak::{BreakOpportunity, linebreaks};

use super::{ReportError, fonts::Fonts};

/// A face with its signs' widths.
pub(super) struct Letters {
    pub(super) regular: Font,
    pub(super) bold: Font,
    faces: [Face<'static>; 2],
}

impl Letters {
    pub(super) fn new(fonts: &'static Fonts) -> Result<Self, ReportError> {
        let cannot = || ReportError::Setting(format!("the font {} cannot be read", fonts.family));
        let (first, last) = fonts.faces.first().zip(fonts.faces.last()).ok_or_else(cannot)?;
        let font = |(bytes, index): &(Vec<u8>, u32)| Font::new(bytes.clone().into(), *index).ok_or_else(cannot);
        let face = |(bytes, index): &'static (Vec<u8>, u32)| Face::parse(bytes, *index).map_err(|_| cannot());
        Ok(Self { regular: font(first)?, bold: font(last)?, faces: [face(first)?, face(last)?] })
    }

    /// The width of a text on one line.
    pub(super) fn width(&self, text: &str, size: f64, bold: bool) -> f64 {
        let face = &self.faces[usize::from(bold)];
        let em = f64::from(face.units_per_em());
        let advance = |sign: char| {
            let glyph = face.glyph_index(sign).unwrap_or_default();
            f64::from(face.glyph_hor_advance(glyph).unwrap_or(0)) / em
        };
        text.chars().map(advance).sum::<f64>() * size
    }

    /// The width of the longest part of a text that no line may end in.
    pub(super) fn longest_piece(&self, text: &str, size: f64, bold: bool) -> f64 {
        let mut from = 0;
        let piece = |(to, _): (usize, BreakOpportunity)| {
            let piece = text[from..to].trim_end();
            from = to;
            self.width(piece, size, bold)
        };
        linebreaks(text).map(piece).fold(0.0, f64::max)
    }

    /// The lines of a text, none wider than asked for; what has no place to break is broken anywhere.
    pub(super) fn lines(&self, text: &str, size: f64, bold: bool, width: f64) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut from = 0;
        for (to, opportunity) in linebreaks(text) {
            let piece = &text[from..to];
            let fits = self.width(&format!("{line}{}", piece.trim_end()), size, bold) <= width;
            if !fits && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            self.add(&mut lines, &mut line, piece, (size, bold, width));
            if opportunity == BreakOpportunity::Mandatory && to < text.len() {
                lines.push(std::mem::take(&mut line));
            }
            from = to;
        }
        lines.push(line);
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }

    fn add(&self, lines: &mut Vec<String>, line: &mut String, piece: &str, (size, bold, width): (f64, bool, f64)) {
        for sign in piece.chars() {
            let longer = format!("{line}{sign}");
            if !sign.is_whitespace() && !line.is_empty() && self.width(&longer, size, bold) > width {
                lines.push(std::mem::take(line));
            }
            line.push(sign);
        }
    }
}
