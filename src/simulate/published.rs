//! The published figures that the city reproduces, and the shares that make them agree with one another.
//!
//! Rates are shares in (0, 1). The 2023 release prints a literate share for every level of four variables and 14.14 %
//! overall. Four one-way tables can only hold together if each of them mixes to the same overall share, so the
//! population shares below are derived from that condition.

use super::gauss::{expit, logit};

/// The 2023 national share of literate residents aged 18 to 69.
pub const OVERALL_2023: f64 = 0.1414;
/// 2023 rates of men and women.
pub const SEX_2023: [f64; 2] = [0.1566, 0.1253];
/// 2023 rates of urban and rural residents.
pub const RESIDENCE_2023: [f64; 2] = [0.1725, 0.0916];
/// 2023 rates of the ages 18–29, 30–39, 40–49, 50–59, 60–69.
pub const AGE_2023: [f64; 5] = [0.2572, 0.1900, 0.1323, 0.0852, 0.0445];
/// 2023 rates by education, from 小学及以下 to 大学本科及以上.
pub const EDUCATION_2023: [f64; 5] = [0.0291, 0.0780, 0.1768, 0.2517, 0.4399];
/// 2024 shares with at least 55 and at least 85 of 100 points (the tiers are cumulative; 15.37 % had 70 or more).
pub const TIERS_2024: [f64; 2] = [0.4407, 0.0230];

/// Round starting shares of the five age bands, ours: published age shares for 18 to 69 are not needed, because the
/// condition that the rates mix to the overall share moves them by less than a point anyway.
const AGE_START: [f64; 5] = [0.185, 0.215, 0.205, 0.235, 0.160];
/// Round starting shares of the five education levels, ours, for the same reason.
const EDUCATION_START: [f64; 5] = [0.22, 0.37, 0.19, 0.12, 0.10];

/// The rates that one wave of the city has, by variable, and its tiers.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// Share of literate persons in the whole city.
    pub overall: f64,
    /// By [`Sex`](super::Sex).
    pub sex: [f64; 2],
    /// By [`AgeGroup`](super::AgeGroup).
    pub age_group: [f64; 5],
    /// By [`Education`](super::Education).
    pub education: [f64; 5],
    /// By [`Residence`](super::Residence).
    pub residence: [f64; 2],
    /// Shares with at least 55 and at least 85 points.
    pub tiers: [f64; 2],
}

impl Gradients {
    /// The published rates of 2023 with the tiers of 2024.
    pub fn published() -> Self {
        Self {
            overall: OVERALL_2023,
            sex: SEX_2023,
            age_group: AGE_2023,
            education: EDUCATION_2023,
            residence: RESIDENCE_2023,
            tiers: TIERS_2024,
        }
    }

    /// The same pattern at another overall share, with the urban–rural gap scaled on the logit scale.
    ///
    /// Each variable's rates move by one constant on the logit scale, chosen so that they mix to `overall`.
    pub fn at(overall: f64, residence_gap: f64, shares: &Shares) -> Self {
        let published = Self::published();
        let shift = logit(overall) - logit(published.overall);
        Self {
            overall,
            sex: moved(published.sex, &shares.sex, 1.0, overall),
            age_group: moved(published.age_group, &shares.age_group, 1.0, overall),
            education: moved(published.education, &shares.education, 1.0, overall),
            residence: moved(published.residence, &shares.residence, residence_gap, overall),
            tiers: published.tiers.map(|tier| expit(logit(tier) + shift)),
        }
    }

    /// The same rates, moved by the trifle that makes them agree over a population whose shares are whole persons.
    pub(super) fn over(&self, shares: &Shares) -> Self {
        Self {
            overall: self.overall,
            sex: moved(self.sex, &shares.sex, 1.0, self.overall),
            age_group: moved(self.age_group, &shares.age_group, 1.0, self.overall),
            education: moved(self.education, &shares.education, 1.0, self.overall),
            residence: moved(self.residence, &shares.residence, 1.0, self.overall),
            tiers: self.tiers,
        }
    }
}

/// Population shares by variable, in the order of the categories.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    /// By sex.
    pub sex: [f64; 2],
    /// By age band.
    pub age_group: [f64; 5],
    /// By education.
    pub education: [f64; 5],
    /// By residence.
    pub residence: [f64; 2],
}

impl Shares {
    /// The shares under which all four published tables mix to 14.14 %.
    ///
    /// With two levels the share is given: (14.14 − 12.53) / (15.66 − 12.53) = .514377 for men and
    /// (14.14 − 9.16) / (17.25 − 9.16) = .615575 for urban residents. With five levels the round starting shares are
    /// tilted exponentially in the rate, the smallest change in the sense of relative entropy.
    pub fn implied() -> Self {
        Self {
            sex: two_shares(SEX_2023),
            age_group: tilted(AGE_START, AGE_2023),
            education: tilted(EDUCATION_START, EDUCATION_2023),
            residence: two_shares(RESIDENCE_2023),
        }
    }
}

fn two_shares(rates: [f64; 2]) -> [f64; 2] {
    let first = (OVERALL_2023 - rates[1]) / (rates[0] - rates[1]);
    [first, 1.0 - first]
}

/// Shares in proportion to `start · exp(tilt · rate)` with the tilt at which the rates mix to the overall share.
fn tilted(start: [f64; 5], rates: [f64; 5]) -> [f64; 5] {
    let at = |tilt: f64| {
        let raw: [f64; 5] = std::array::from_fn(|level| start[level] * libm::exp(tilt * rates[level]));
        let total: f64 = raw.iter().sum();
        raw.map(|share| share / total)
    };
    at(bisect(-50.0, 50.0, |tilt| mix(&at(tilt), &rates) - OVERALL_2023))
}

/// Rates moved to another overall share: `expit(gap · logit(rate) + shift)`.
fn moved<const N: usize>(rates: [f64; N], shares: &[f64; N], gap: f64, overall: f64) -> [f64; N] {
    let at = |shift: f64| rates.map(|rate| expit(gap * logit(rate) + shift));
    at(bisect(-20.0, 20.0, |shift| mix(shares, &at(shift)) - overall))
}

pub(super) fn mix(shares: &[f64], rates: &[f64]) -> f64 {
    shares.iter().zip(rates).map(|(share, rate)| share * rate).sum()
}

/// The root of an increasing function. 100 halvings bring any bracket used here below one unit in the last place.
pub(super) fn bisect(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if f(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_implied_shares_mix_every_published_table_to_the_overall_share() {
        let (shares, rates) = (Shares::implied(), Gradients::published());
        for mixed in [
            mix(&shares.sex, &rates.sex),
            mix(&shares.age_group, &rates.age_group),
            mix(&shares.education, &rates.education),
            mix(&shares.residence, &rates.residence),
        ] {
            assert!((mixed - OVERALL_2023).abs() < 1e-12, "{mixed}");
        }
    }

    #[test]
    fn the_implied_shares_round_to_the_published_margins() {
        let shares = Shares::implied();
        assert!((shares.sex[0] - 0.514).abs() < 5e-4);
        assert!((shares.residence[0] - 0.616).abs() < 5e-4);
        for (share, start) in shares.age_group.iter().zip(AGE_START) {
            assert!((share - start).abs() < 0.01);
        }
        for (share, start) in shares.education.iter().zip(EDUCATION_START) {
            assert!((share - start).abs() < 0.01, "{shares:?}");
        }
    }

    #[test]
    fn another_wave_keeps_the_pattern_and_reaches_its_own_level() {
        let shares = Shares::implied();
        let wave = Gradients::at(0.155, 0.8, &shares);
        assert!((mix(&shares.residence, &wave.residence) - 0.155).abs() < 1e-12);
        let gap = |rates: [f64; 2]| logit(rates[0]) - logit(rates[1]);
        assert!((gap(wave.residence) / gap(RESIDENCE_2023) - 0.8).abs() < 1e-9);
        let same = Gradients::at(OVERALL_2023, 1.0, &shares);
        assert!((same.education[4] - EDUCATION_2023[4]).abs() < 1e-12);
    }
}
