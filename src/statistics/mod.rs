//! Survey statistics: design, weighting, estimates.

pub mod combine;
pub mod distribution;
pub mod interval;
pub mod linear_algebra;
pub mod presentation;
pub mod special;
