//! Variances: of linearized totals by the design's stages, or of replicate estimates.
//!
//! Notation: z_i is a row's linearized value with its weight in it, t_hj the total of z over unit j of stratum h.

pub mod joint;
pub mod lonely;
pub mod replicate;
pub mod taylor;
pub(crate) mod unit_sums;

pub use lonely::LonelyRule;
pub use replicate::{ReplicateFactors, Replicates};
pub use taylor::covariance;
