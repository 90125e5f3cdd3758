//! The 18 区, 县 and 县级市 whose names and codes the synthetic city borrows.
//!
//! Names and GB/T 2260 codes are real. Sizes, urban shares and literacy effects are round numbers of our own making,
//! in a plausible order: nothing here is a figure about the real districts, and every output says 示例数据.

use super::gauss::{expit, logit};
use super::published::{Shares, bisect};

/// Code of the city itself, the parent of its districts.
pub const CITY_CODE: &str = "230100";
/// Name of the city, marked as an example.
pub const CITY_NAME: &str = "哈尔滨市（示例数据）";

/// How far a district is from the centre; education and literacy follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ring {
    /// Built-up districts.
    Core,
    /// Districts at the edge.
    Edge,
    /// Counties and county-level cities.
    County,
}

/// One 区, 县 or 县级市.
#[derive(Debug, Clone, PartialEq)]
pub struct District {
    /// 6-digit GB/T 2260 code.
    pub code: &'static str,
    /// Chinese name.
    pub name_zh: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// How far from the centre.
    pub ring: Ring,
    /// Relative size in the synthetic city, percent.
    pub(super) size: f64,
    /// Urban share before the shift that makes the districts mix to the city's urban share.
    urban_start: f64,
    /// Effect on the log odds of being literate, beside the person's own traits.
    pub(super) effect: f64,
}

const fn district(
    code: &'static str,
    names: (&'static str, &'static str),
    ring: Ring,
    size: f64,
    urban_start: f64,
    effect: f64,
) -> District {
    District { code, name_zh: names.0, name_en: names.1, ring, size, urban_start, effect }
}

/// The districts in the order of their codes. Sizes sum to 100.
pub const DISTRICTS: [District; 18] = [
    district("230102", ("道里区", "Daoli District"), Ring::Core, 10.0, 0.90, 0.25),
    district("230103", ("南岗区", "Nangang District"), Ring::Core, 13.0, 0.96, 0.40),
    district("230104", ("道外区", "Daowai District"), Ring::Core, 9.5, 0.88, 0.05),
    district("230108", ("平房区", "Pingfang District"), Ring::Core, 3.0, 0.94, 0.10),
    district("230109", ("松北区", "Songbei District"), Ring::Core, 4.5, 0.75, 0.30),
    district("230110", ("香坊区", "Xiangfang District"), Ring::Core, 10.0, 0.93, 0.20),
    district("230111", ("呼兰区", "Hulan District"), Ring::Edge, 7.0, 0.55, 0.00),
    district("230112", ("阿城区", "Acheng District"), Ring::Edge, 5.0, 0.52, -0.05),
    district("230113", ("双城区", "Shuangcheng District"), Ring::Edge, 6.5, 0.36, -0.10),
    district("230123", ("依兰县", "Yilan County"), Ring::County, 2.5, 0.36, -0.20),
    district("230124", ("方正县", "Fangzheng County"), Ring::County, 2.0, 0.40, -0.15),
    district("230125", ("宾县", "Binxian County"), Ring::County, 5.0, 0.28, -0.25),
    district("230126", ("巴彦县", "Bayan County"), Ring::County, 4.5, 0.24, -0.30),
    district("230127", ("木兰县", "Mulan County"), Ring::County, 2.0, 0.32, -0.25),
    district("230128", ("通河县", "Tonghe County"), Ring::County, 2.0, 0.38, -0.20),
    district("230129", ("延寿县", "Yanshou County"), Ring::County, 2.0, 0.33, -0.30),
    district("230183", ("尚志市", "Shangzhi City"), Ring::County, 5.0, 0.45, -0.10),
    district("230184", ("五常市", "Wuchang City"), Ring::County, 6.5, 0.33, -0.15),
];

/// Share of each district in the city's population.
pub(super) fn district_shares() -> [f64; 18] {
    let total: f64 = DISTRICTS.iter().map(|district| district.size).sum();
    std::array::from_fn(|at| DISTRICTS[at].size / total)
}

/// Urban share of each district: the starting shares moved by one constant on the logit scale, so that the districts
/// mix to the city's urban share.
pub(super) fn urban_shares(shares: &Shares) -> [f64; 18] {
    let sizes = district_shares();
    let at =
        |shift: f64| -> [f64; 18] { std::array::from_fn(|place| expit(logit(DISTRICTS[place].urban_start) + shift)) };
    let shift = bisect(-10.0, 10.0, |shift| super::published::mix(&sizes, &at(shift)) - shares.residence[0]);
    at(shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn districts_stand_in_the_order_of_their_codes_and_sum_to_the_city() {
        assert!(DISTRICTS.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!((DISTRICTS.iter().map(|d| d.size).sum::<f64>() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn urban_shares_mix_to_the_city_and_stay_inside_the_unit_interval() {
        let shares = Shares::implied();
        let urban = urban_shares(&shares);
        assert!(urban.iter().all(|share| (0.05..0.995).contains(share)), "{urban:?}");
        let mixed = super::super::published::mix(&district_shares(), &urban);
        assert!((mixed - shares.residence[0]).abs() < 1e-12);
    }
}
