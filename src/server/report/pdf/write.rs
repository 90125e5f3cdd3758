//! Pages of marks to the bytes of a PDF.

use krilla::{
    Document, SerializeSettings,
    color::rgb,
    destination::XyzDestination,
    geom::{PathBuilder, Point, Rect},
    metadata::Metadata,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::{Fill, Stroke, StrokeDash},
    surface::Surface,
    tagging::{Artifact, ArtifactType, ContentTag, Identifier},
    text::TextDirection,
};

use super::{
    Letters, ReportError,
    paper::{HEIGHT, LEFT, Mark, Page, WIDTH},
    parts::{self, Part},
};
use crate::report::{Report, drawing::Shape};

/// A circle of four curves is off by less than a thousandth of its radius.
const ROUND: f32 = 0.552_284_8;

pub(super) fn write(
    report: &Report,
    letters: &Letters,
    (pages, parts): (Vec<Page>, Vec<Part>),
    sections: &[super::Mark],
) -> Result<Vec<u8>, ReportError> {
    let mut document = Document::new_with(SerializeSettings::default());
    document.set_metadata(
        Metadata::new()
            .title(format!("{} · {}", report.title, report.subtitle))
            .description(report.summary.first().cloned().unwrap_or_default())
            .language(report.language.tag().to_owned())
            .creator(concat!("scilit ", env!("CARGO_PKG_VERSION")).to_owned())
            .document_id(format!("scilit/report/{}/{}", report.digest, report.language.tag())),
    );
    let mut outline = Outline::new();
    for section in sections {
        let place = XyzDestination::new(section.page, Point::from_xy(single(LEFT), single(section.y)));
        outline.push_child(OutlineNode::new(section.heading.clone(), place));
    }
    document.set_outline(outline);
    let size = PageSettings::from_wh(single(WIDTH), single(HEIGHT));
    let size = size.ok_or_else(|| ReportError::Setting("the paper has no size".to_owned()))?;
    let mut content = vec![Vec::new(); parts.len()];
    for marks in pages {
        let mut page = document.start_page_with(size.clone());
        let mut surface = page.surface();
        set_page(&mut surface, letters, &marks, &mut content);
        surface.finish();
        page.finish();
    }
    document.set_tag_tree(parts::tree(&parts, content, report.language.tag()));
    document.finish().map_err(|error| ReportError::Setting(format!("{error:?}")))
}

/// PDF has single precision; a page is far below what that can tell apart.
fn single(value: f64) -> f32 {
    value as f32
}

fn fill([red, green, blue]: [u8; 3]) -> Fill {
    Fill { paint: rgb::Color::new(red, green, blue).into(), ..Fill::default() }
}

fn stroke([red, green, blue]: [u8; 3], width: f64, dashed: bool) -> Stroke {
    let dash = dashed.then(|| StrokeDash { array: vec![4.0, 3.2], offset: 0.0 });
    Stroke { paint: rgb::Color::new(red, green, blue).into(), width: single(width), dash, ..Stroke::default() }
}

/// Sets the marks, those of one part together, and notes what was set for each part.
fn set_page(surface: &mut Surface<'_>, letters: &Letters, marks: &Page, content: &mut [Vec<Identifier>]) {
    for together in marks.chunk_by(|(one, _), (next, _)| one == next) {
        let part = together.first().and_then(|(part, _)| *part);
        let decoration = ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout));
        let identifier = surface.start_tagged(part.map_or(decoration, |_| ContentTag::Other));
        together.iter().for_each(|(_, mark)| set(surface, letters, mark));
        surface.end_tagged();
        if let Some(part) = part {
            content[part].push(identifier);
        }
    }
}

fn set(surface: &mut Surface<'_>, letters: &Letters, mark: &Mark) {
    match mark {
        Mark::Words { x, y, look, text } => {
            surface.set_fill(Some(fill(look.colour)));
            surface.set_stroke(None);
            let font = if look.bold { &letters.bold } else { &letters.regular };
            let from = Point::from_xy(single(*x), single(*y));
            surface.draw_text(from, font.clone(), single(look.size), text, false, TextDirection::LeftToRight);
        }
        Mark::Shape(shape) => draw(surface, shape),
    }
}

fn draw(surface: &mut Surface<'_>, shape: &Shape) {
    let mut path = PathBuilder::new();
    match shape {
        Shape::Area(place, colour) => {
            let [x, y, width, height] = place.map(single);
            surface.set_fill(Some(fill(*colour)));
            surface.set_stroke(None);
            Rect::from_xywh(x, y, width, height).into_iter().for_each(|rect| path.push_rect(rect));
        }
        Shape::Line { ends, colour, width, dashed } => {
            let [x1, y1, x2, y2] = ends.map(single);
            surface.set_fill(None);
            surface.set_stroke(Some(stroke(*colour, *width, *dashed)));
            path.move_to(x1, y1);
            path.line_to(x2, y2);
        }
        Shape::Dot { centre, radius, fill: inside, edge } => {
            surface.set_fill(Some(fill(*inside)));
            surface.set_stroke(Some(stroke(*edge, 0.8, false)));
            circle(&mut path, centre.map(single), single(*radius));
        }
        // Words of a drawing were measured and placed as words of the page.
        Shape::Words { .. } => {}
    }
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

fn circle(path: &mut PathBuilder, [x, y]: [f32; 2], r: f32) {
    let c = r * ROUND;
    path.move_to(x + r, y);
    path.cubic_to(x + r, y + c, x + c, y + r, x, y + r);
    path.cubic_to(x - c, y + r, x - r, y + c, x - r, y);
    path.cubic_to(x - r, y - c, x - c, y - r, x, y - r);
    path.cubic_to(x + c, y - r, x + r, y - c, x + r, y);
    path.close();
}
