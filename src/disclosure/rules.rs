//! The rules of a release: one set of thresholds with a version, and what they make of a cell.

use crate::indicator::Label;
use serde::{Deserialize, Serialize};

/// Thresholds of the public tables. Every release names the set it was made by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Name and version of the set.
    pub version: String,
    /// Fewest respondents of a cell that is shown.
    pub base_min: u64,
    /// Below so many respondents a cell is 仅供参考.
    pub base_steady: u64,
    /// From this relative standard error on a cell is 仅供参考.
    pub relative_error_max: f64,
    /// Largest share of a cell's weight that one primary unit may have.
    pub unit_share_max: f64,
    /// Fewest literate respondents, and fewest others: with fewer the share is the answer of known persons.
    pub side_min: u64,
    /// Below so many respondents a share of 0 or 1 tells the answer of each of them.
    pub unanimous_base_min: u64,
    /// Fewest respondents by which a cell may differ from what an earlier release of the same survey showed of it.
    pub change_min: u64,
    /// How wide the range of a withheld total must stay, in respondents of the cell's mean weight.
    pub protection: f64,
    /// Persons to which weighted totals are rounded.
    pub total_unit: f64,
    /// Decimals of a share: three are one decimal of a percentage.
    pub share_decimals: i32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            version: "scilit/disclosure/1".to_owned(),
            base_min: 30,
            base_steady: 60,
            relative_error_max: 0.30,
            unit_share_max: 0.85,
            side_min: 5,
            unanimous_base_min: 60,
            change_min: 10,
            protection: 5.0,
            total_unit: 100.0,
            share_decimals: 3,
        }
    }
}

/// Lower ends of the bands in which bases are told.
const BANDS: [u64; 4] = [30, 60, 100, 200];

/// The band of a base: exact bases beside percentages would tell the numerators.
#[must_use]
pub fn band(n: u64) -> String {
    let at = BANDS.partition_point(|from| *from <= n);
    match (at, BANDS.get(at)) {
        (0, _) => format!("0-{}", BANDS[0] - 1),
        (at, Some(next)) => format!("{}-{}", BANDS[at - 1], next - 1),
        (at, None) => format!("{}+", BANDS[at - 1]),
    }
}

/// Why a cell is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Too few respondents.
    Base,
    /// One primary unit supplies nearly all of it.
    Dominance,
    /// Everybody or nobody of few respondents is literate.
    Unanimous,
    /// Too few literate respondents, or too few others.
    Side,
    /// It differs from an earlier release by few respondents.
    Differencing,
    /// Another withheld cell could be computed from it.
    Complementary,
}

impl Reason {
    /// The code of files and programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Dominance => "dominance",
            Self::Unanimous => "unanimous",
            Self::Side => "side",
            Self::Differencing => "differencing",
            Self::Complementary => "complementary",
        }
    }

    /// What readers see. It says nothing that narrows the cell down beyond its rule.
    #[must_use]
    pub fn label(self) -> Label {
        match self {
            Self::Base => Label::new("✱ 样本量不足，不公布", "✱ withheld: too few respondents"),
            Self::Dominance => Label::new("✱ 集中于个别村（居），不公布", "✱ withheld: nearly all from one place"),
            Self::Unanimous | Self::Side => {
                Label::new("✱ 可能识别个人，不公布", "✱ withheld: could tell of single persons")
            }
            Self::Differencing => {
                Label::new("✱ 与已公布数据相减可推知个人，不公布", "✱ withheld: could be told from an earlier release")
            }
            Self::Complementary => Label::new("✱ 为保护相关单元格，不公布", "✱ withheld to protect another cell"),
        }
    }
}

/// What becomes of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum Decision {
    /// Shown.
    Shown,
    /// Shown as 仅供参考.
    Caution,
    /// Not shown.
    Withheld(Reason),
}

impl Decision {
    /// Whether the cell is not shown.
    #[must_use]
    pub fn is_withheld(self) -> bool {
        matches!(self, Self::Withheld(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_told_as_its_band() {
        let told: Vec<String> = [0, 29, 30, 59, 60, 99, 100, 199, 200, 5000].map(band).to_vec();
        let bands = ["0-29", "0-29", "30-59", "30-59", "60-99", "60-99", "100-199", "100-199", "200+", "200+"]
            .map(str::to_owned);
        assert_eq!(told, bands);
    }
}
