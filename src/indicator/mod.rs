//! Where instrument and statistics meet: set-up files, tables by district and group, targets and verdicts.

pub mod files;
mod label;
pub mod plan;
pub mod results;

pub use label::Label;
