//! Estimates from a prepared sample: values, standard errors, degrees of freedom, intervals, design effects.
//!
//! Notation: a domain is a set of rows, θ a ratio of two weighted totals in it (a mean has the count of persons
//! below the line) or a total; z_i = w_i (y_i - θ x_i) / Σ w x is its linearized value.

mod answer;
pub(super) mod by_column;
pub(super) mod calibrated;
mod contrast;
mod domains;
mod glm;
mod independence;
mod leaf_sums;
mod moment;
mod moments;
mod plausible;
mod quantile;
mod ratio;
mod replicate_totals;
mod small_area;
pub(super) mod t_quantiles;
mod table;

pub use answer::{Answer, DomainValue, EstimateRow, NotEstimable, Quantity, number_json};
pub use domains::Domains;
pub(super) use moment::unit_totals;
pub use small_area::fay_herriot;

use super::{Prepared, StatisticsError, plan::EstimatorPlan};

impl Prepared {
    /// Estimates what a plan asks for; may be called any number of times.
    ///
    /// **Errors**: a column that is not there or does not hold what the estimator needs; a variance that the
    /// lonely-PSU policy refuses; a `where` that nobody fulfils. A cell that cannot be estimated is a row with its reason, not an error.
    pub fn estimate(&self, plan: &EstimatorPlan) -> Result<Answer, StatisticsError> {
        if self.selects_nobody() {
            return Err(StatisticsError::estimate("the domain of `where`", "nobody is in it"));
        }
        self.estimate_rows(plan).map_err(|error| error.on_rows(self.rows_in_file()))
    }

    fn estimate_rows(&self, plan: &EstimatorPlan) -> Result<Answer, StatisticsError> {
        match plan {
            EstimatorPlan::Proportion(m) => moment::estimate(self, m, moment::Kind::Proportion),
            EstimatorPlan::Mean(m) => moment::estimate(self, m, moment::Kind::Mean),
            EstimatorPlan::Total(m) => moment::estimate(self, m, moment::Kind::Total),
            EstimatorPlan::Ratio(r) => ratio::ratio(self, r),
            EstimatorPlan::CategoryShares(s) => ratio::category_shares(self, s),
            EstimatorPlan::Quantile(q) => quantile::estimate(self, q),
            EstimatorPlan::CrossTable(t) => table::cross_table(self, t),
            EstimatorPlan::Contrasts(c) => contrast::estimate(self, c),
            EstimatorPlan::TTest(t) => contrast::t_test(self, t),
            EstimatorPlan::PlausibleValues(p) => plausible::estimate(self, p),
            EstimatorPlan::PresentationFlags(p) => plausible::flags(self, p),
            EstimatorPlan::Glm(g) => glm::estimate(self, g),
            EstimatorPlan::IndependenceTest(t) => independence::estimate(self, t),
            EstimatorPlan::FayHerriot(_) => {
                Err(StatisticsError::plan("estimator", "fay_herriot works on a table of areas, not on a sample"))
            }
        }
    }
}
