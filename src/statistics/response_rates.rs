//! Outcome rates of the AAPOR's Standard Definitions, from the counts of the final dispositions.

use serde::{Deserialize, Serialize};

/// Cases by final disposition; the names are the letters of the Standard Definitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeCounts {
    /// I: complete interviews.
    pub complete: u64,
    /// P: partial interviews.
    pub partial: u64,
    /// R: refusals and break-offs.
    pub refusal: u64,
    /// NC: nobody reached.
    pub non_contact: u64,
    /// O: other eligible cases without an interview.
    pub other: u64,
    /// UH: not known whether there is a household.
    pub unknown_household: u64,
    /// UO: a household, and not known whether anybody is eligible.
    pub unknown_other: u64,
    /// Not eligible.
    pub not_eligible: u64,
}

/// The rates. One whose denominator is 0 is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRates {
    /// The share of the unknown cases that is taken as eligible.
    pub e: Option<f64>,
    /// Response rate 1: every unknown case counts as eligible.
    pub rr1: Option<f64>,
    /// Response rate 3: `e` of the unknown cases count as eligible.
    pub rr3: Option<f64>,
    /// Cooperation rate 1.
    pub coop1: Option<f64>,
    /// Refusal rate 1.
    pub ref1: Option<f64>,
    /// Contact rate 1.
    pub con1: Option<f64>,
}

impl OutcomeCounts {
    /// Cases whose eligibility is known and given: I + P + R + NC + O.
    #[must_use]
    pub fn eligible(&self) -> u64 {
        self.complete + self.partial + self.refusal + self.non_contact + self.other
    }

    /// UH + UO.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.unknown_household + self.unknown_other
    }

    /// The rates.
    ///
    /// `e` by proportional allocation (the CASRO method): the share of the eligible among the cases of known
    /// eligibility, `(I + P + R + NC + O) / (I + P + R + NC + O + not eligible)`.
    ///
    /// - RR1 = I / ((I + P) + (R + NC + O) + (UH + UO))
    /// - RR3 = I / ((I + P) + (R + NC + O) + e (UH + UO))
    /// - COOP1 = I / ((I + P) + R + O)
    /// - REF1 = R / ((I + P) + (R + NC + O) + (UH + UO))
    /// - CON1 = ((I + P) + R + O) / ((I + P) + R + O + NC + (UH + UO))
    #[must_use]
    pub fn rates(&self) -> OutcomeRates {
        let (eligible, unknown) = (self.eligible(), self.unknown());
        let reached = eligible - self.non_contact;
        let e = share(self.eligible() as f64, (eligible + self.not_eligible) as f64);
        // Without an unknown case RR3 needs no `e`.
        let allocated = if unknown == 0 { Some(0.0) } else { e.map(|e| e * unknown as f64) };
        let all = (eligible + unknown) as f64;
        OutcomeRates {
            e,
            rr1: share(self.complete as f64, all),
            rr3: allocated.and_then(|unknown| share(self.complete as f64, eligible as f64 + unknown)),
            coop1: share(self.complete as f64, reached as f64),
            ref1: share(self.refusal as f64, all),
            con1: share(reached as f64, all),
        }
    }
}

fn share(part: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| part / of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_standard_definitions() {
        let counts = OutcomeCounts {
            complete: 60,
            partial: 2,
            refusal: 10,
            non_contact: 5,
            other: 3,
            unknown_household: 8,
            unknown_other: 2,
            not_eligible: 20,
        };
        let rates = counts.rates();
        assert_eq!(rates.e, Some(0.8));
        assert_eq!(rates.rr1, Some(60.0 / 90.0));
        assert_eq!(rates.rr3, Some(60.0 / 88.0));
        assert_eq!(rates.coop1, Some(60.0 / 75.0));
        assert_eq!(rates.ref1, Some(10.0 / 90.0));
        assert_eq!(rates.con1, Some(75.0 / 90.0));
    }

    #[test]
    fn what_has_no_denominator_is_absent() {
        assert_eq!(OutcomeCounts::default().rates(), OutcomeRates::default());
        let unknown = OutcomeCounts { unknown_household: 4, ..OutcomeCounts::default() }.rates();
        assert_eq!((unknown.e, unknown.rr3, unknown.coop1), (None, None, None), "nothing says how many are eligible");
        assert_eq!((unknown.rr1, unknown.con1), (Some(0.0), Some(0.0)));
        let vacant = OutcomeCounts { not_eligible: 4, ..OutcomeCounts::default() }.rates();
        assert_eq!((vacant.e, vacant.rr1, vacant.rr3), (Some(0.0), None, None));
    }
}
