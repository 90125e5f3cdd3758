//! Pages with a cursor that goes down and begins a new page where there is no room.

use super::{
    Letters,
    parts::{Part, Role},
};
use crate::report::drawing::Shape;

/// A4, in points.
pub(super) const WIDTH: f64 = 595.28;
pub(super) const HEIGHT: f64 = 841.89;
pub(super) const LEFT: f64 = 56.0;
pub(super) const RIGHT: f64 = WIDTH - 56.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = HEIGHT - 62.0;

/// Something on a page.
pub(super) enum Mark {
    Shape(Shape),
    /// Words whose base line begins at the point.
    Words {
        x: f64,
        y: f64,
        look: Look,
        text: String,
    },
}

/// A place on a page, in a part of the report or in none.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) page: usize,
    pub(super) y: f64,
    pub(super) part: Option<usize>,
}

/// The marks of a page, each with the part that it belongs to; none for what only decorates.
pub(super) type Page = Vec<(Option<usize>, Mark)>;

pub(super) struct Paper<'a> {
    pub(super) letters: &'a Letters,
    pages: Vec<Page>,
    y: f64,
    parts: Vec<Part>,
    /// The parts that the cursor stands in, the innermost last; none within decoration.
    open: Vec<Option<usize>>,
}

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: [u8; 3],
}

impl Look {
    pub(super) const fn plain(size: f64, colour: [u8; 3]) -> Self {
        Self { size, bold: false, colour }
    }

    pub(super) const fn bold(size: f64, colour: [u8; 3]) -> Self {
        Self { size, bold: true, colour }
    }

    /// From one base line to the next.
    pub(super) fn leading(self) -> f64 {
        self.size * 1.55
    }
}

impl<'a> Paper<'a> {
    pub(super) fn new(letters: &'a Letters) -> Self {
        Self { letters, pages: vec![Vec::new()], y: TOP, parts: Vec::new(), open: Vec::new() }
    }

    pub(super) fn place(&self) -> Place {
        Place { page: self.pages.len() - 1, y: self.y, part: self.part_here() }
    }

    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    pub(super) fn finish(self) -> (Vec<Page>, Vec<Part>) {
        (self.pages, self.parts)
    }

    fn part_here(&self) -> Option<usize> {
        self.open.last().copied().flatten()
    }

    /// Sets a part of the report; within decoration there are none.
    pub(super) fn part<T>(&mut self, role: Role, set: impl FnOnce(&mut Self) -> T) -> T {
        if self.open.last() == Some(&None) {
            return set(self);
        }
        let within = self.part_here();
        self.parts.push(Part { role, within });
        self.open.push(Some(self.parts.len() - 1));
        let done = set(self);
        self.open.pop();
        done
    }

    /// Sets what stands there already, in other words or on an earlier page: it is not read aloud.
    pub(super) fn decoration(&mut self, set: impl FnOnce(&mut Self)) {
        self.open.push(None);
        set(self);
        self.open.pop();
    }

    /// Whether so much fits below the cursor.
    pub(super) fn has_room(&self, height: f64) -> bool {
        self.y + height <= BOTTOM
    }

    /// A new page unless so much fits; an empty page is never left behind.
    pub(super) fn make_room(&mut self, height: f64) {
        if !self.has_room(height) && self.y > TOP {
            self.turn();
        }
    }

    pub(super) fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    pub(super) fn down(&mut self, by: f64) {
        self.y += by;
    }

    pub(super) fn shape(&mut self, shape: Shape) {
        self.shape_on(self.pages.len() - 1, shape);
    }

    /// Lines and areas are decoration, but in a drawing.
    pub(super) fn shape_on(&mut self, page: usize, shape: Shape) {
        let part = self.part_here().filter(|&at| matches!(self.parts[at].role, Role::Drawing(_)));
        self.pages[page].push((part, Mark::Shape(shape)));
    }

    /// Words on the base line `below` the cursor.
    pub(super) fn words(&mut self, x: f64, below: f64, look: Look, text: &str) {
        let here = self.place();
        self.write_at(Place { y: here.y + below, ..here }, x, look, text);
    }

    pub(super) fn write_at(&mut self, Place { page, y, part }: Place, x: f64, look: Look, text: &str) {
        self.pages[page].push((part, Mark::Words { x, y, look, text: text.to_owned() }));
    }

    /// A paragraph from `left` to `right`, over pages if it must; the cursor stands below it. It is a part of its own
    /// unless it is set within one.
    pub(super) fn paragraph(&mut self, text: &str, look: Look, left: f64, right: f64) {
        if self.open.is_empty() {
            return self.part(Role::Paragraph, |paper| paper.paragraph(text, look, left, right));
        }
        for line in self.letters.lines(text, look.size, look.bold, right - left) {
            self.make_room(look.leading());
            self.words(left, look.size * 1.15, look, &line);
            self.down(look.leading());
        }
    }

    pub(super) fn rule(&mut self, from: f64, to: f64, width: f64, colour: [u8; 3]) {
        let y = self.y;
        self.shape(Shape::Line { ends: [from, y, to, y], colour, width, dashed: false });
    }

    pub(super) fn y(&self) -> f64 {
        self.y
    }
}
