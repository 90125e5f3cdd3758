//! The reporting categories of the indicator, with the codes that the shipped questionnaires use.

/// An enum whose variants are the levels of one analysis variable, in reporting order.
macro_rules! levels {
    ($(#[$doc:meta])* $name:ident, $variable:literal { $($(#[$level_doc:meta])* $level:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$level_doc])* $level),+ }

        impl $name {
            /// The analysis variable that these are the levels of.
            pub const VARIABLE: &str = $variable;
            /// Every level in reporting order.
            pub const ALL: &[Self] = &[$(Self::$level),+];

            /// The stable code that answers and tables carry.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$level => $code),+ }
            }

            /// The place of the level in [`Self::ALL`].
            pub const fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(super) use levels;

levels! {
    /// 性别.
    Sex, "sex" {
        /// 男.
        Male = "male",
        /// 女.
        Female = "female",
    }
}

levels! {
    /// Age in completed years at the interview, in the five published bands.
    AgeGroup, "age_group" {
        /// 18 to 29.
        From18To29 = "18-29",
        /// 30 to 39.
        From30To39 = "30-39",
        /// 40 to 49.
        From40To49 = "40-49",
        /// 50 to 59.
        From50To59 = "50-59",
        /// 60 to 69.
        From60To69 = "60-69",
    }
}

levels! {
    /// 受教育程度.
    Education, "education" {
        /// 小学及以下.
        Primary = "primary",
        /// 初中.
        Junior = "junior",
        /// 高中(中专、技校).
        Senior = "senior",
        /// 大学专科.
        College = "college",
        /// 大学本科及以上.
        Bachelor = "bachelor",
    }
}

levels! {
    /// 城镇 or 农村, a property of the 居/村委会 and so of the sample, never asked.
    Residence, "residence" {
        /// 城镇.
        Urban = "urban",
        /// 农村.
        Rural = "rural",
    }
}

impl AgeGroup {
    /// The youngest age of the band and the number of years in it.
    pub(super) const fn span(self) -> (u8, u8) {
        match self {
            Self::From18To29 => (18, 12),
            Self::From30To39 => (30, 10),
            Self::From40To49 => (40, 10),
            Self::From50To59 => (50, 10),
            Self::From60To69 => (60, 10),
        }
    }

    /// The band of an age in completed years; ages outside 18 to 69 have none.
    pub const fn of(age: u8) -> Option<Self> {
        match age {
            18..=29 => Some(Self::From18To29),
            30..=39 => Some(Self::From30To39),
            40..=49 => Some(Self::From40To49),
            50..=59 => Some(Self::From50To59),
            60..=69 => Some(Self::From60To69),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_age_of_a_span_is_in_its_band() {
        for band in AgeGroup::ALL {
            let (youngest, years) = band.span();
            for age in youngest..youngest + years {
                assert_eq!(AgeGroup::of(age), Some(*band));
            }
        }
        assert_eq!((AgeGroup::of(17), AgeGroup::of(70)), (None, None));
    }
}
