//! Title, contents, paragraphs, facts, charts and the lines at head and foot.

use std::num::NonZeroU16;

use super::{
    CAUTION, COMMANDS, INK, Mark, QUIET, RULE, SUMMARY,
    paper::{HEIGHT, LEFT, Look, Paper, Place, RIGHT},
    parts::Role,
};
use crate::report::{
    Block, Figure, Report,
    drawing::{Anchor, Drawing, Shape},
};

const TEXT: Look = Look::plain(10.0, INK);
const SMALL: Look = Look::plain(8.5, QUIET);
const FOOT: Look = Look::plain(8.0, QUIET);

/// Levels of the title and of a section's heading.
const TITLE: NonZeroU16 = NonZeroU16::MIN;
const SECTION: NonZeroU16 = NonZeroU16::MIN.saturating_add(1);

/// Title, marks and summary: what the reader with two minutes sees.
pub(super) fn title(paper: &mut Paper<'_>, report: &Report) {
    let title = Role::Heading(TITLE, report.title.clone());
    paper.part(title, |paper| paper.paragraph(&report.title, Look::bold(20.0, INK), LEFT, RIGHT));
    paper.paragraph(&report.subtitle, Look::plain(12.0, QUIET), LEFT, RIGHT);
    paper.down(2.0);
    paper.paragraph(&report.marks.join("    "), Look::bold(10.0, CAUTION), LEFT, RIGHT);
    paper.down(8.0);
    let lead = Look::bold(13.0, INK);
    let width = RIGHT - LEFT - 24.0;
    let height = |text: &String, look: Look| {
        paper.letters.lines(text, look.size, look.bold, width).len() as f64 * look.leading()
    };
    let Some((first, others)) = report.summary.split_first() else { return };
    let whole = height(first, lead) + others.iter().map(|text| height(text, TEXT) + 3.0).sum::<f64>() + 22.0;
    let top = paper.y();
    paper.shape(Shape::Area([LEFT, top, RIGHT - LEFT, whole], SUMMARY));
    paper.down(10.0);
    paper.paragraph(first, lead, LEFT + 12.0, RIGHT - 12.0);
    for sentence in others {
        paper.down(3.0);
        paper.paragraph(sentence, TEXT, LEFT + 12.0, RIGHT - 12.0);
    }
    paper.down(26.0);
}

/// The contents, whose page numbers are known at the end only: where they go.
pub(super) fn contents(paper: &mut Paper<'_>, report: &Report) -> Vec<Place> {
    let heading = Role::Heading(SECTION, report.contents.clone());
    paper.part(heading, |paper| paper.paragraph(&report.contents, Look::bold(11.0, INK), LEFT, RIGHT));
    let line = |paper: &mut Paper<'_>, (at, section): (usize, &crate::report::Section)| {
        paper.part(Role::ContentsEntry, |paper| {
            paper.make_room(TEXT.leading());
            paper.words(LEFT, 11.5, TEXT, &format!("{}  {}", at + 1, section.heading));
            let here = paper.place();
            paper.down(TEXT.leading());
            Place { y: here.y + 11.5, ..here }
        })
    };
    paper.part(Role::Contents, |paper| report.sections.iter().enumerate().map(|section| line(paper, section)).collect())
}

/// A section's heading; never the last line of a page.
pub(super) fn heading(paper: &mut Paper<'_>, text: &str) -> Mark {
    paper.down(18.0);
    paper.make_room(110.0);
    let Place { page, y, .. } = paper.place();
    let heading = Role::Heading(SECTION, text.to_owned());
    paper.part(heading, |paper| paper.paragraph(text, Look::bold(13.5, INK), LEFT, RIGHT));
    paper.down(4.0);
    Mark { heading: text.to_owned(), page, y }
}

/// A block that is neither a table nor the code.
pub(super) fn set(paper: &mut Paper<'_>, block: &Block) {
    match block {
        Block::Text(text) => paper.paragraph(text, TEXT, LEFT, RIGHT),
        Block::Note(text) => paper.paragraph(text, SMALL, LEFT, RIGHT),
        Block::List(lines) => paper.part(Role::List, |paper| lines.iter().for_each(|line| item(paper, line))),
        Block::Facts(facts) => facts.iter().for_each(|(name, value)| fact(paper, name, value)),
        Block::Figure(figure) => chart(paper, figure),
        Block::Commands(lines) => commands(paper, lines),
        Block::Table(_) | Block::Code(_) => {}
    }
    paper.down(5.0);
}

fn item(paper: &mut Paper<'_>, text: &str) {
    paper.part(Role::Item, |paper| {
        paper.make_room(TEXT.leading());
        paper.part(Role::ItemMark, |paper| paper.words(LEFT, 11.5, TEXT, "•"));
        paper.part(Role::ItemBody, |paper| paper.paragraph(text, TEXT, LEFT + 14.0, RIGHT));
    });
}

fn fact(paper: &mut Paper<'_>, name: &str, value: &str) {
    let look = Look::plain(9.0, INK);
    paper.make_room(2.0 * look.leading());
    paper.part(Role::Paragraph, |paper| {
        paper.words(LEFT, look.size * 1.15, Look::plain(9.0, QUIET), name);
        paper.paragraph(value, look, LEFT + 150.0, RIGHT);
    });
}

fn commands(paper: &mut Paper<'_>, lines: &[String]) {
    let look = Look::plain(9.0, INK);
    let height = lines.len() as f64 * look.leading() + 12.0;
    paper.down(4.0);
    paper.make_room(height);
    let top = paper.y();
    paper.shape(Shape::Area([LEFT, top, RIGHT - LEFT, height], COMMANDS));
    paper.down(6.0);
    lines.iter().for_each(|line| paper.paragraph(line, look, LEFT + 8.0, RIGHT - 8.0));
    paper.down(6.0);
}

fn chart(paper: &mut Paper<'_>, figure: &Figure) {
    let title = Look::bold(9.5, INK);
    let scale = (RIGHT - LEFT) / figure.drawing.width;
    let lines = paper.letters.lines(&figure.title, title.size, true, RIGHT - LEFT).len() as f64;
    paper.down(6.0);
    paper.make_room(figure.drawing.height * scale + lines * title.leading() + SMALL.leading() + 8.0);
    paper.paragraph(&figure.title, title, LEFT, RIGHT);
    paper.paragraph(&figure.basis, SMALL, LEFT, RIGHT);
    paper.part(Role::Drawing(figure.alternative.clone()), |paper| draw(paper, &figure.drawing, scale));
    paper.down(8.0);
}

/// The QR code with its line.
pub(super) fn code(paper: &mut Paper<'_>, drawing: &Drawing, text: &str) {
    let side = 100.0;
    paper.make_room(side + 2.0 * SMALL.leading());
    paper.part(Role::Drawing(text.to_owned()), |paper| draw(paper, drawing, side / drawing.width));
    paper.paragraph(text, SMALL, LEFT, RIGHT);
}

/// A drawing at the cursor, which then stands below it.
fn draw(paper: &mut Paper<'_>, drawing: &Drawing, scale: f64) {
    let top = paper.y();
    let (x, y) = (|at: f64| LEFT + at * scale, |at: f64| top + at * scale);
    for shape in &drawing.shapes {
        match shape {
            Shape::Area([left, above, width, height], fill) => {
                paper.shape(Shape::Area([x(*left), y(*above), width * scale, height * scale], *fill));
            }
            Shape::Line { ends: [x1, y1, x2, y2], colour, width, dashed } => {
                let ends = [x(*x1), y(*y1), x(*x2), y(*y2)];
                paper.shape(Shape::Line { ends, colour: *colour, width: width * scale, dashed: *dashed });
            }
            Shape::Dot { centre: [across, below], radius, fill, edge } => {
                let centre = [x(*across), y(*below)];
                paper.shape(Shape::Dot { centre, radius: radius * scale, fill: *fill, edge: *edge });
            }
            Shape::Words { at: [across, below], anchor, colour, text } => {
                let size = drawing.text_size * scale;
                let width = paper.letters.width(text, size, false);
                let from = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => width / 2.0,
                    Anchor::End => width,
                };
                paper.words(x(*across) - from, below * scale, Look::plain(size, *colour), text);
            }
        }
    }
    paper.down(drawing.height * scale);
}

/// On each page: what it is of and whether it may change; the digest and the page's number.
pub(super) fn heads_and_feet(paper: &mut Paper<'_>, report: &Report) {
    let pages = paper.pages();
    let head = Look { colour: if report.interim { CAUTION } else { QUIET }, ..FOOT };
    let marks = report.marks.join(" · ");
    let digest = format!("SHA-256 {}…", report.digest.get(..16).unwrap_or_default());
    for page in 0..pages {
        let number = match report.language {
            crate::report::Language::Chinese => format!("第 {} 页，共 {pages} 页", page + 1),
            crate::report::Language::English => format!("Page {} of {pages}", page + 1),
        };
        let right = |text: &str| RIGHT - paper.letters.width(text, FOOT.size, false);
        let (marks_at, number_at) = (right(&marks), right(&number));
        let top = Place { page, y: 44.0, part: None };
        let foot = Place { y: HEIGHT - 36.0, ..top };
        paper.write_at(top, LEFT, head, &report.running_head);
        paper.write_at(top, marks_at, head, &marks);
        paper.write_at(foot, LEFT, FOOT, &digest);
        paper.write_at(foot, number_at, FOOT, &number);
        paper.shape_on(page, Shape::Line { ends: [LEFT, 50.0, RIGHT, 50.0], colour: RULE, width: 0.5, dashed: false });
    }
}
