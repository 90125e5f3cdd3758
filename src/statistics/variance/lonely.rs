//! Strata with one unit: what they add to a variance is a decision, not a computation.

use crate::statistics::plan::{LonelyPolicy, VariancePlan};

/// The policy with its reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LonelyRule {
    /// What a lonely unit adds.
    pub policy: LonelyPolicy,
    /// Also where the domain, not the design, leaves one unit.
    pub in_domains: bool,
}

impl From<&VariancePlan> for LonelyRule {
    fn from(plan: &VariancePlan) -> Self {
        Self { policy: plan.lonely_psu, in_domains: plan.adjust_domain_lonely }
    }
}

/// How one stratum enters the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Deviations from the stratum's own mean.
    OwnMean,
    /// Deviations from the mean unit total over all strata of the estimate.
    GrandMean,
    /// Nothing.
    Nothing,
    /// What the others add on average.
    Average,
    /// The estimate is refused.
    Refuse,
}

impl LonelyRule {
    /// The share of a stratum with `sampled` units in the design, `present` of them in the estimate.
    ///
    /// **Source**: R `survey::onestrat`, version 4.2 and later.
    pub(super) fn share(self, sampled: usize, present: usize) -> Share {
        let lonely_in_domain = self.in_domains && present == 1;
        match self.policy {
            LonelyPolicy::Adjust if sampled == 1 || lonely_in_domain => Share::GrandMean,
            LonelyPolicy::Average if sampled == 1 || lonely_in_domain => Share::Average,
            LonelyPolicy::Fail if sampled == 1 => Share::Refuse,
            LonelyPolicy::Certainty | LonelyPolicy::Remove if sampled == 1 => Share::Nothing,
            _ => Share::OwnMean,
        }
    }
}
