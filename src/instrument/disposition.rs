//! What a visit and a case can come to: the codes of the AAPOR's Standard Definitions for interviews at home.

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

/// Final disposition of a case that nobody tells anything of; no outcome of a visit.
pub const NOT_ATTEMPTED: Disposition = of("3.11", "未尝试", "Not attempted");

const COMPLETED: &str = "1.1";
const PARTLY_COMPLETED: &str = "1.2";
const OTHER: &str = "2.36";

/// What the codes are counted as: the letters of the AAPOR's formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DispositionGroup {
    /// I, 1.1: a complete interview.
    Interview,
    /// P, 1.2: a partial interview.
    Partial,
    /// R, 2.1: refused or broken off.
    Refusal,
    /// NC, 2.2: nobody reached.
    NonContact,
    /// O, 2.3: reached and eligible, and no interview for another reason.
    Other,
    /// UH, 3.1: not known whether there is a household.
    UnknownHousehold,
    /// UO, 3.2 and 3.9: a household, and not known whether anybody is eligible.
    UnknownOther,
    /// 4: not eligible.
    NotEligible,
}

impl DispositionGroup {
    /// Whether it is not known that somebody could have been interviewed.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::UnknownHousehold | Self::UnknownOther)
    }
}

impl Disposition {
    /// The outcome of a visit with this code.
    #[must_use]
    pub fn with_code(code: &str) -> Option<&'static Self> {
        DISPOSITIONS.iter().find(|one| one.code == code)
    }

    /// The disposition of a case with this code: an outcome, or [`NOT_ATTEMPTED`].
    #[must_use]
    pub fn of_case(code: &str) -> Option<&'static Self> {
        Self::with_code(code).or((code == NOT_ATTEMPTED.code).then_some(&NOT_ATTEMPTED))
    }

    /// What it is counted as.
    #[must_use]
    pub fn group(&self) -> DispositionGroup {
        match self.code.as_bytes() {
            [b'1', _, b'1', ..] => DispositionGroup::Interview,
            [b'1', ..] => DispositionGroup::Partial,
            [b'2', _, b'1', ..] => DispositionGroup::Refusal,
            [b'2', _, b'2', ..] => DispositionGroup::NonContact,
            [b'2', ..] => DispositionGroup::Other,
            [b'3', _, b'1', ..] => DispositionGroup::UnknownHousehold,
            [b'3', ..] => DispositionGroup::UnknownOther,
            _ => DispositionGroup::NotEligible,
        }
    }

    /// How much it tells: whoever spoke with somebody, or saw that nobody lives there, knows more than who found
    /// nobody at home, and that one more than who could not find out whether there is a home.
    fn tells(&self) -> u8 {
        match self.group() {
            DispositionGroup::NonContact => 1,
            DispositionGroup::UnknownHousehold | DispositionGroup::UnknownOther => 0,
            _ => 2,
        }
    }

    /// What the attempts of a case came to, given in the order of their times: the last of those that tell the most.
    /// A refusal stays one when nobody is at home the next time, and an interview at the third visit ends it.
    #[must_use]
    pub fn of_attempts<'a>(outcomes: impl IntoIterator<Item = &'a str>) -> Option<&'static Self> {
        // Of equals `max_by_key` takes the last.
        outcomes.into_iter().filter_map(Self::with_code).max_by_key(|outcome| outcome.tells())
    }

    /// The final disposition of a case, from what its attempts came to and whether an interview of it counts. An
    /// attempt that says `1.1` without an interview that counts says that there was an eligible person, no more.
    #[must_use]
    pub fn final_of(attempts: Option<&'static Self>, is_interviewed: bool) -> &'static Self {
        let known = |code| Self::with_code(code).unwrap_or(&NOT_ATTEMPTED);
        let is_partial = attempts.is_some_and(|outcome| outcome.code == PARTLY_COMPLETED);
        match (is_interviewed, attempts) {
            (true, _) if is_partial => known(PARTLY_COMPLETED),
            (true, _) => known(COMPLETED),
            (false, Some(told)) if told.code == COMPLETED || is_partial => known(OTHER),
            (false, Some(told)) => told,
            (false, None) => &NOT_ATTEMPTED,
        }
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
        assert_eq!(Disposition::with_code("3.11"), None, "nobody tells of a visit that there was none");
        assert_eq!(Disposition::of_case("3.11"), Some(&NOT_ATTEMPTED));
    }

    #[test]
    fn groups_are_those_of_the_formulas() {
        use DispositionGroup::*;
        let group = |code| Disposition::of_case(code).expect("a code").group();
        assert_eq!((group("1.1"), group("1.2")), (Interview, Partial));
        assert_eq!(
            (group("2.111"), group("2.12"), group("2.25"), group("2.31")),
            (Refusal, Refusal, NonContact, Other)
        );
        assert_eq!(
            (group("3.11"), group("3.18"), group("3.21"), group("3.90")),
            (UnknownHousehold, UnknownHousehold, UnknownOther, UnknownOther)
        );
        assert_eq!((group("4.10"), group("4.80")), (NotEligible, NotEligible));
    }

    #[test]
    fn the_last_of_what_tells_the_most_is_final() {
        let last = |outcomes: &[&str]| Disposition::of_attempts(outcomes.iter().copied()).map(|one| one.code);
        assert_eq!(last(&[]), None);
        assert_eq!(last(&["2.24", "2.11", "2.24"]), Some("2.11"), "a refusal stays one");
        assert_eq!(last(&["2.11", "2.24", "1.1"]), Some("1.1"), "a refusal that was turned");
        assert_eq!(last(&["2.24", "3.18"]), Some("2.24"), "an address that was found once");
        assert_eq!(last(&["3.18", "2.24", "4.60"]), Some("4.60"), "nobody at home because nobody lives there");
        assert_eq!(last(&["3.17", "3.18"]), Some("3.18"));
        assert_eq!(last(&["nonsense"]), None);
    }

    #[test]
    fn an_interview_counts_only_where_there_is_one() {
        let of =
            |attempts: &str, interviewed| Disposition::final_of(Disposition::with_code(attempts), interviewed).code;
        assert_eq!((of("2.11", true), of("1.2", true), of("", true)), ("1.1", "1.2", "1.1"));
        assert_eq!(
            (of("1.1", false), of("1.2", false), of("2.24", false), of("", false)),
            ("2.36", "2.36", "2.24", "3.11")
        );
        // Read back from a file, where the final one stands, it is the same again.
        for one in &DISPOSITIONS {
            for interviewed in [true, false] {
                let last = Disposition::final_of(Some(one), interviewed);
                assert_eq!(Disposition::final_of(Some(last), interviewed), last);
            }
        }
    }
}
