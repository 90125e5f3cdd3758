//! Survey statistics: design, weighting, estimates.
