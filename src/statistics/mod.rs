//! Survey statistics: design, weighting, estimates.

pub mod distribution;
pub mod interval;
pub mod special;
