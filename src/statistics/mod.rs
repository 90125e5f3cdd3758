//! Survey statistics: design, weighting, estimates.

pub mod data;
pub mod error;
pub mod plan;

pub use data::DataTable;
pub use error::StatisticsError;
pub use plan::Plan;
