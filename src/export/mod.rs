//! Tables to files, one file a format. A table is laid out once ([`Table`]); a format only writes it.

pub mod bundle;
mod csv;
pub mod formats;
mod public;
mod run_files;
mod score_files;
mod table;
pub mod trail;

pub use csv::to_csv;
pub use public::{WITHHELD, public_indicator_csv};
pub use run_files::{
    INDICATOR_FILE, ITEMS_FILE, NamedFile, PERSONS_FILE, PLAN_FILE, RESPONSE_RATES_FILE, RESULTS_FILE, SCORES_FILE,
    WEIGHTS_LOG_FILE, run_files,
};
pub use table::{Cell, Table};
