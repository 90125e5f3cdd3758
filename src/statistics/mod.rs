//! Survey statistics: design, weighting, estimates.

pub mod association;
pub mod combine;
pub mod contrast;
pub mod distribution;
pub mod expression;
pub mod interval;
pub mod linear_algebra;
pub mod presentation;
pub mod quadratic_form;
pub mod regression;
pub mod small_area;
pub mod special;
pub mod variance_function;
pub mod verdict;
