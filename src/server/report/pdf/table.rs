//! Tables: columns as wide as they need, rows that are never torn, the head again on each page.

use super::{
    INK, Letters, RULE,
    paper::{LEFT, Look, Paper, RIGHT},
    parts::Role,
};
use crate::report::{Column, ReportTable};

const PAD: f64 = 4.0;
const HEAD_LINES: f64 = 2.0;
/// A head of so many signs stays on one line.
const HEAD_SIGNS: f64 = 5.0;
/// A word that is longer may be torn.
const PIECE_MAX: f64 = 110.0;

struct Setting {
    /// The left edge of each column, and the right one of the last.
    edges: Vec<f64>,
    size: f64,
}

/// Sets the table; the cursor stands below it.
pub(super) fn set(paper: &mut Paper<'_>, table: &ReportTable) {
    let size = if table.columns.len() > 6 { 7.5 } else { 8.5 };
    let setting = Setting { edges: edges(paper.letters, table, size), size };
    paper.down(6.0);
    let caption = Look::bold(9.5, INK);
    // Caption, head and two rows at least stay together.
    paper.make_room(caption.leading() + setting.leading() * (HEAD_LINES + 4.0));
    paper.part(Role::Table, |paper| {
        paper.part(Role::Caption, |paper| paper.paragraph(&table.caption, caption, LEFT, RIGHT));
        paper.part(Role::TableHead, |paper| head(paper, table, &setting));
        paper.part(Role::TableBody, |paper| body(paper, table, &setting));
    });
    paper.down(8.0);
}

fn body(paper: &mut Paper<'_>, table: &ReportTable, setting: &Setting) {
    for row in &table.rows {
        let cells = setting.wrapped(paper.letters, row, false);
        if !paper.has_room(setting.height(&cells)) {
            paper.turn();
            paper.decoration(|paper| head(paper, table, setting));
        }
        setting.row(paper, &table.columns, &cells, false);
        paper.rule(LEFT, RIGHT, 0.5, RULE);
    }
}

fn head(paper: &mut Paper<'_>, table: &ReportTable, setting: &Setting) {
    let heads: Vec<String> = table.columns.iter().map(|column| column.head.clone()).collect();
    let cells = setting.wrapped(paper.letters, &heads, true);
    paper.rule(LEFT, RIGHT, 0.9, INK);
    setting.row(paper, &table.columns, &cells, true);
    paper.rule(LEFT, RIGHT, 0.6, INK);
}

impl Setting {
    fn leading(&self) -> f64 {
        self.size * 1.35
    }

    fn wrapped(&self, letters: &Letters, cells: &[String], bold: bool) -> Vec<Vec<String>> {
        let lines = |(at, cell): (usize, &String)| {
            letters.lines(cell, self.size, bold, self.edges[at + 1] - self.edges[at] - 2.0 * PAD + 0.01)
        };
        cells.iter().enumerate().map(lines).collect()
    }

    fn height(&self, cells: &[Vec<String>]) -> f64 {
        cells.iter().map(Vec::len).max().unwrap_or(1) as f64 * self.leading() + 2.0 * PAD * 0.8
    }

    fn row(&self, paper: &mut Paper<'_>, columns: &[Column], cells: &[Vec<String>], is_head: bool) {
        paper.part(Role::Row, |paper| {
            for (at, lines) in cells.iter().enumerate() {
                let role = match (is_head, at) {
                    (true, _) => Role::ColumnName,
                    (false, 0) if !columns[0].number => Role::RowName,
                    _ => Role::Cell,
                };
                paper.part(role, |paper| self.cell(paper, columns, (at, lines), is_head));
            }
        });
        paper.down(self.height(cells));
    }

    fn cell(&self, paper: &mut Paper<'_>, columns: &[Column], (at, lines): (usize, &Vec<String>), is_head: bool) {
        let look = Look { size: self.size, bold: is_head, colour: INK };
        for (line, text) in lines.iter().enumerate() {
            let x = if columns[at].number {
                self.edges[at + 1] - PAD - paper.letters.width(text, self.size, is_head)
            } else {
                self.edges[at] + PAD
            };
            paper.words(x, PAD * 0.8 + self.size + self.leading() * line as f64, look, text);
        }
    }
}

/// Numbers never break; words share what is left, and who needs less than an equal part gets what they need.
fn edges(letters: &Letters, table: &ReportTable, size: f64) -> Vec<f64> {
    let columns = table.columns.iter().enumerate();
    let wishes: Vec<Wish> = columns.map(|(at, column)| wish(letters, table, (at, column), size)).collect();
    let mut widths: Vec<f64> = wishes.iter().map(|wish| wish.whole).collect();
    let (numbers, mut open): (Vec<usize>, Vec<usize>) = (0..widths.len()).partition(|at| table.columns[*at].number);
    let mut left = RIGHT - LEFT - numbers.iter().map(|at| widths[*at]).sum::<f64>();
    while !open.is_empty() {
        let part = left / open.len() as f64;
        let is_settled = |at: &usize| wishes[*at].whole <= part || wishes[*at].piece >= part;
        let (settled, others): (Vec<usize>, Vec<usize>) = open.iter().partition(|at| is_settled(at));
        if settled.is_empty() {
            others.iter().for_each(|at| widths[*at] = part);
            break;
        }
        settled.iter().filter(|at| wishes[**at].whole > part).for_each(|at| widths[*at] = wishes[*at].piece);
        left -= settled.iter().map(|at| widths[*at]).sum::<f64>();
        open = others;
    }
    fill_line(&mut widths, &table.columns);
    let mut edges = vec![LEFT];
    for width in widths {
        edges.push(edges[edges.len() - 1] + width);
    }
    edges
}

/// What is left over goes to the words; a table of numbers alone, or one whose numbers leave no room, is stretched or
/// pressed into the line.
fn fill_line(widths: &mut [f64], columns: &[Column]) {
    let (line, whole) = (RIGHT - LEFT, widths.iter().sum::<f64>());
    let words: f64 = widths.iter().zip(columns).filter(|(_, column)| !column.number).map(|(width, _)| width).sum();
    let (factor, only_words) =
        if whole < line && words > 0.0 { ((words + line - whole) / words, true) } else { (line / whole, false) };
    for (width, column) in widths.iter_mut().zip(columns) {
        if !(only_words && column.number) {
            *width *= factor;
        }
    }
}

/// What a column would like.
struct Wish {
    /// Nothing breaks but a long head.
    whole: f64,
    /// No word is torn.
    piece: f64,
}

fn wish(letters: &Letters, table: &ReportTable, (at, column): (usize, &Column), size: f64) -> Wish {
    let around = 2.0 * PAD + 0.5;
    let cells = || table.rows.iter().map(|row| row[at].as_str());
    let head = letters.width(&column.head, size, true);
    let piece = cells().map(|cell| letters.longest_piece(cell, size, false));
    let piece = piece.fold(letters.longest_piece(&column.head, size, true), f64::max).min(PIECE_MAX);
    let may_break = column.number && head > HEAD_SIGNS * size;
    let head = if may_break { (head / HEAD_LINES + size).max(piece) } else { head };
    let whole = cells().map(|cell| letters.width(cell, size, false)).fold(head, f64::max);
    Wish { whole: whole + around, piece: piece + around }
}
