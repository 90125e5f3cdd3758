//! Survey statistics: design, weighting, estimates.

pub mod data;
pub mod design;
pub mod distribution;
pub mod error;
pub mod interval;
pub mod model_matrix;
pub mod plan;
pub mod replicate;
pub mod special;
pub mod variance;
pub mod weighting;

pub use data::DataTable;
pub use error::StatisticsError;
pub use plan::Plan;
