//! Where instrument and statistics meet: set-up files, tables by district and group, targets and verdicts.
//!
//! [`compute`] is the whole room in one function: it scores the responses, joins them to their cases, weights and
//! estimates them by the [plan](plan::analysis_plan), and compares districts and city with their targets.

mod areas;
mod cases;
mod compute;
mod differences;
mod estimates;
pub mod files;
mod items;
mod label;
mod options;
pub mod plan;
mod rates;
pub mod results;
mod rows;
mod scores;
pub mod series;
mod tables;
mod watch;
mod waves;
mod weights;

pub use cases::{CaseRecord, response_pseudonym};
pub use compute::{Indicator, IndicatorError, RowIds, SurveyInputs, analysis_columns, compute};
pub use label::Label;
pub use options::{EarlierWave, RunOptions, SampleRelation, VarianceChoice};
pub use rates::count_outcomes;
pub(crate) use scores::band_of;
pub use watch::{Stage, Watcher};
pub use weights::step_name;
