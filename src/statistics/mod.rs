//! Survey statistics: design, weighting, estimates.

pub mod data;
pub mod design;
pub mod distribution;
pub mod error;
pub mod interval;
pub mod plan;
pub mod special;

pub use data::DataTable;
pub use error::StatisticsError;
pub use plan::Plan;
