//! What a visit can come to: the outcome codes of the AAPOR's Standard Definitions for interviews at home.

/// One outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disposition {
    /// Its code.
    pub code: &'static str,
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

const fn of(code: &'static str, zh: &'static str, en: &'static str) -> Disposition {
    Disposition { code, zh, en }
}

/// Every outcome, in the order of the codes.
pub const DISPOSITIONS: [Disposition; 24] = [
    of("1.1", "完成", "Completed"),
    of("1.2", "部分完成", "Partly completed"),
    of("2.11", "拒访", "Refused"),
    of("2.111", "户级拒访", "Household refused"),
    of("2.112", "被选者拒访", "Selected person refused"),
    of("2.12", "中途终止", "Broken off"),
    of("2.20", "未接触到被选者", "Selected person not reached"),
    of("2.23", "无法进入楼院", "No access to the building"),
    of("2.24", "无人在家", "Nobody at home"),
    of("2.25", "被选者外出或不便", "Selected person away or unavailable"),
    of("2.31", "被选者死亡", "Selected person died"),
    of("2.32", "身心原因不能受访", "Physically or mentally unable"),
    of("2.33", "语言不通", "No common language"),
    of("2.36", "其他未完成", "Other non-interview"),
    of("3.17", "不安全、不可达", "Unsafe or out of reach"),
    of("3.18", "找不到地址", "Address not found"),
    of("3.20", "不知有无合格者", "Unknown whether anybody is eligible"),
    of("3.21", "未完成筛选", "Screening not completed"),
    of("3.90", "其他资格未知", "Other, eligibility unknown"),
    of("4.10", "样本外", "Outside the sample"),
    of("4.50", "非住宅", "Not a residence"),
    of("4.60", "空置住宅", "Vacant residence"),
    of("4.70", "没有合格对象", "Nobody eligible"),
    of("4.80", "配额已满", "Quota filled"),
];

impl Disposition {
    /// The outcome with this code.
    #[must_use]
    pub fn with_code(code: &str) -> Option<&'static Self> {
        DISPOSITIONS.iter().find(|one| one.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_found() {
        for one in &DISPOSITIONS {
            assert_eq!(Disposition::with_code(one.code), Some(one));
        }
        assert_eq!(Disposition::with_code("9.9"), None);
    }
}
