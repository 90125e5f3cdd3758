//! What may leave a run: which cells of its tables are shown, which are 仅供参考, and which are withheld so that nobody's
//! answer can be inferred; and the de-identified file.
//!
//! [`Lattice`] is all cells with the sums that tie them. The [rules](Rules) decide each cell by its own numbers, then
//! [`protect`] withholds as few respondents' worth of further cells as keep the others from being computed.
//! `docs/disclosure.md` has the rules with an example.

mod audit;
mod complement;
mod lattice;
mod microdata;
mod persons;
mod protect;
mod release;
mod rules;

pub use lattice::{Block, Cell, Lattice, Line, Quantity};
pub use microdata::{K, KEYS, MICRODATA_FILE, MICRODATA_TRANSFORM, deidentified};
pub use persons::{ReleaseFault, RunCells, key_of};
pub use protect::{Protection, protect};
pub use release::{Earlier, Release, ReleasedCell, release};
pub use rules::{Decision, Reason, Rules, band};
