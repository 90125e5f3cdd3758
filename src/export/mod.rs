//! Tables to files, one file a format. A table is laid out once ([`Table`]); a format only writes it.

mod csv;
mod table;

pub use csv::to_csv;
pub use table::{Cell, Table};
