//! Survey statistics: design, weighting, estimates.

pub mod combine;
pub mod contrast;
pub mod data;
pub mod design;
pub mod distribution;
pub mod error;
pub mod expression;
pub mod interval;
pub mod linear_algebra;
pub mod plan;
pub mod presentation;
pub mod special;
pub mod verdict;

pub use data::DataTable;
pub use error::StatisticsError;
pub use plan::Plan;
