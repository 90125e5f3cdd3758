//! One resident and how their occupation follows from their traits.

use super::category::{AgeGroup, Education, Residence, Sex, levels};
use super::composition::Traits;
use super::stream::Stream;

levels! {
    /// 职业, with the codes of the shipped questionnaire.
    Occupation, "occupation" {
        /// 国家机关、事业单位负责人和公务员.
        Official = "official",
        /// 专业技术人员.
        Professional = "professional",
        /// 办事人员.
        Clerk = "clerk",
        /// 商业、服务业人员.
        Service = "service",
        /// 生产、运输工人.
        Worker = "worker",
        /// 农民.
        Farmer = "farmer",
        /// 学生.
        Student = "student",
        /// 离退休.
        Retired = "retired",
        /// 料理家务、待业和其他.
        Other = "other",
    }
}

levels! {
    /// The 重点人群 within 18 to 69; one person may belong to several or to none.
    KeyGroup, "key_group" {
        /// 农民.
        Farmer = "key_farmer",
        /// 产业工人.
        IndustrialWorker = "key_industrial_worker",
        /// 老年人: 60 and over.
        Older = "key_older",
        /// 领导干部和公务员.
        Official = "key_official",
    }
}

/// One resident aged 18 to 69.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Place of the household in [`City::households`](super::City::households).
    pub household: u32,
    /// Completed years.
    pub age: u8,
    /// 性别.
    pub sex: Sex,
    /// 受教育程度.
    pub education: Education,
    /// 职业.
    pub occupation: Occupation,
    /// Score in steps of 2.5 points, 0 to 40.
    pub score_steps: u8,
}

/// 70 points in steps of 2.5.
pub(super) const PASS_STEPS: u8 = 28;

impl Person {
    /// Points from 0 to 100.
    pub fn score(&self) -> f64 {
        f64::from(self.score_steps) * 2.5
    }

    /// Whether the score is 70 points or more.
    pub fn is_literate(&self) -> bool {
        self.score_steps >= PASS_STEPS
    }

    /// Age band.
    ///
    /// # Panics
    /// If the age was set outside 18 to 69.
    pub fn age_group(&self) -> AgeGroup {
        AgeGroup::of(self.age).expect("residents are 18 to 69")
    }

    /// Membership by [`KeyGroup::index`].
    pub fn key_groups(&self) -> [bool; 4] {
        [
            self.occupation == Occupation::Farmer,
            self.occupation == Occupation::Worker,
            self.age >= 60,
            self.occupation == Occupation::Official,
        ]
    }

    /// The traits that the literacy model knows.
    pub fn traits(&self, residence: Residence) -> Traits {
        Traits { sex: self.sex, age_group: self.age_group(), education: self.education, residence }
    }
}

/// Draws an occupation that fits age, schooling and place; round weights of our own.
pub(super) fn occupation_of(
    sex: Sex,
    age: u8,
    education: Education,
    residence: Residence,
    stream: &mut Stream,
) -> Occupation {
    if age <= 23 && education >= Education::Senior && stream.chance(0.55) {
        return Occupation::Student;
    }
    let retires_at = match (residence, sex) {
        (Residence::Rural, _) => 70,
        (Residence::Urban, Sex::Male) => 60,
        (Residence::Urban, Sex::Female) => 54,
    };
    if age >= retires_at && stream.chance(0.85) {
        return Occupation::Retired;
    }
    let weights = work_weights(education, residence);
    Occupation::ALL[stream.pick(&weights)]
}

/// Weights in the order of [`Occupation::ALL`].
fn work_weights(education: Education, residence: Residence) -> [f64; 9] {
    let mut weights = match education {
        Education::Primary => [0.0, 0.0, 0.0, 0.22, 0.30, 0.25, 0.0, 0.0, 0.23],
        Education::Junior => [0.005, 0.01, 0.02, 0.33, 0.33, 0.15, 0.0, 0.0, 0.155],
        Education::Senior => [0.02, 0.06, 0.12, 0.38, 0.24, 0.04, 0.0, 0.0, 0.14],
        Education::College => [0.06, 0.24, 0.24, 0.26, 0.10, 0.01, 0.0, 0.0, 0.09],
        Education::Bachelor => [0.12, 0.42, 0.22, 0.12, 0.04, 0.005, 0.0, 0.0, 0.075],
    };
    if residence == Residence::Rural {
        weights[Occupation::Farmer.index()] = weights[Occupation::Farmer.index()] * 4.0 + 0.1;
    }
    weights
}
