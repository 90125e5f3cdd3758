//! Survey statistics: design, weighting, estimates.
//!
//! | step | where |
//! |---|---|
//! | a table of columns | [`data`] |
//! | one document that describes an analysis | [`plan`] |
//! | strata, units, population counts | [`design`] |
//! | base weight, nonresponse, post-stratification, raking, calibration, trimming | [`weighting`] |
//! | jackknife, balanced, bootstrap and given replicates | [`replicate`] |
//! | everything that estimates share, done once | [`prepare()`] |
//! | linearized and replicate variances | [`variance`] |
//! | proportions, means, totals, ratios, quantiles, contrasts, tests, models by domain | [`estimate`] |
//! | a plan and its answer in one call | [`analyse()`] |
//! | two waves over the same places | [`waves`] |
//! | leaf formulas: intervals, tests, regression, small areas | the other rooms |

pub mod allocation;
pub mod analyse;
pub mod association;
pub mod combine;
pub mod contrast;
pub mod data;
pub mod design;
pub mod distribution;
pub mod error;
pub mod estimate;
pub mod expression;
pub mod interval;
pub mod linear_algebra;
pub mod model_matrix;
pub mod plan;
pub mod prepare;
pub mod presentation;
pub mod quadratic_form;
pub mod regression;
pub mod replicate;
pub mod response_rates;
pub mod sample_size;
pub mod sampling;
pub mod small_area;
pub mod special;
pub mod variance;
pub mod variance_function;
pub mod verdict;
pub mod waves;
pub mod weighting;

pub use analyse::{analyse, answer, estimates};
pub use data::DataTable;
pub use error::StatisticsError;
pub use estimate::{Answer, DomainValue, EstimateRow, NotEstimable, Quantity};
pub use plan::Plan;
pub use prepare::{Prepared, prepare};
