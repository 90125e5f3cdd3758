//! A report as PDF, set by hand: paper with a cursor, blocks from top to bottom, tables that go on over pages.

mod blocks;
mod letters;
mod paper;
mod parts;
mod table;
mod write;

use super::{ReportError, fonts, qr};
use crate::report::{Block, Report};

use letters::Letters;
use paper::{Look, Paper, RIGHT};

const INK: [u8; 3] = [0x17, 0x20, 0x2a];
const QUIET: [u8; 3] = [0x4a, 0x56, 0x63];
const CAUTION: [u8; 3] = [0x7a, 0x52, 0x00];
const RULE: [u8; 3] = [0xd5, 0xdb, 0xe2];
const SUMMARY: [u8; 3] = [0xe4, 0xee, 0xfa];
const COMMANDS: [u8; 3] = [0xee, 0xf1, 0xf5];

/// A section's place, for the contents and the bookmarks.
struct Mark {
    heading: String,
    page: usize,
    y: f64,
}

/// Sets the report. No clock is read: the same report and fonts give the same bytes.
pub(super) fn pdf(report: &Report) -> Result<Vec<u8>, ReportError> {
    let letters = Letters::new(fonts::chinese()?)?;
    let mut paper = Paper::new(&letters);
    let code = qr::code(&report.code)?;
    blocks::title(&mut paper, report);
    let contents = blocks::contents(&mut paper, report);
    let mut marks = Vec::new();
    for (at, section) in report.sections.iter().enumerate() {
        let heading = format!("{}  {}", at + 1, section.heading);
        marks.push(blocks::heading(&mut paper, &heading));
        for block in &section.blocks {
            match block {
                Block::Table(table) => table::set(&mut paper, table),
                Block::Code(text) => blocks::code(&mut paper, &code, text),
                other => blocks::set(&mut paper, other),
            }
        }
    }
    for (place, mark) in contents.iter().zip(&marks) {
        let number = (mark.page + 1).to_string();
        paper.write_at(*place, RIGHT - letters.width(&number, 10.0, false), Look::plain(10.0, INK), &number);
    }
    blocks::heads_and_feet(&mut paper, report);
    write::write(report, &letters, paper.finish(), &marks)
}
