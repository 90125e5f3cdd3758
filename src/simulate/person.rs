//! One resident and how their occupation follows from their traits.

use super::category::{AgeGroup, Education, Residence, Sex, levels};
use super::composition::Traits;
use super::stream::Stream;

levels! {
    /// What a resident does: an occupation for those who work, a status for the others.
    Activity, "activity" {
        /// 领导干部和公务员.
        Official = "official",
        /// 专业技术人员.
        Professional = "professional",
        /// 办事人员.
        Clerical = "clerical",
        /// 商业、服务业人员.
        Service = "service",
        /// 农民.
        Farmer = "farmer",
        /// 产业工人.
        IndustrialWorker = "industrial_worker",
        /// 其他职业.
        OtherOccupation = "other",
        /// 在校学生.
        Student = "student",
        /// 离退休.
        Retired = "retired",
        /// 料理家务.
        Homemaker = "homemaker",
        /// 暂时没有工作.
        NotWorking = "not_working",
    }
}

impl Activity {
    /// Whether it is an occupation.
    pub fn is_work(self) -> bool {
        self <= Self::OtherOccupation
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
    /// Occupation or status.
    pub activity: Activity,
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
            self.activity == Activity::Farmer,
            self.activity == Activity::IndustrialWorker,
            self.age >= 60,
            self.activity == Activity::Official,
        ]
    }

    /// The traits that the literacy model knows.
    pub fn traits(&self, residence: Residence) -> Traits {
        Traits { sex: self.sex, age_group: self.age_group(), education: self.education, residence }
    }
}

/// Draws what a person does, to fit age, schooling and place; round weights of our own.
pub(super) fn activity_of(
    sex: Sex,
    age: u8,
    education: Education,
    residence: Residence,
    stream: &mut Stream,
) -> Activity {
    let studies = match (age, education) {
        (18..=22, Education::College | Education::Bachelor) => 0.92,
        (18..=19, Education::Senior) => 0.50,
        (23..=25, Education::Bachelor) => 0.30,
        _ => 0.0,
    };
    if stream.chance(studies) {
        return Activity::Student;
    }
    let retires_at = match (residence, sex) {
        (Residence::Rural, _) => 70,
        (Residence::Urban, Sex::Male) => 60,
        (Residence::Urban, Sex::Female) => 54,
    };
    if age >= retires_at && stream.chance(0.85) {
        return Activity::Retired;
    }
    Activity::ALL[stream.pick(&weights(sex, education, residence))]
}

/// Weights in the order of [`Activity::ALL`].
fn weights(sex: Sex, education: Education, residence: Residence) -> [f64; 11] {
    let mut weights = match education {
        Education::Primary => [0.0, 0.0, 0.0, 0.22, 0.20, 0.30, 0.05, 0.0, 0.0, 0.13, 0.10],
        Education::Junior => [0.005, 0.01, 0.02, 0.33, 0.12, 0.33, 0.04, 0.0, 0.0, 0.08, 0.065],
        Education::Senior => [0.02, 0.06, 0.12, 0.38, 0.03, 0.24, 0.03, 0.0, 0.0, 0.06, 0.06],
        Education::College => [0.06, 0.24, 0.24, 0.26, 0.01, 0.10, 0.02, 0.0, 0.0, 0.03, 0.04],
        Education::Bachelor => [0.12, 0.42, 0.22, 0.12, 0.005, 0.04, 0.02, 0.0, 0.0, 0.02, 0.035],
    };
    let (farmer, homemaker) = (Activity::Farmer.index(), Activity::Homemaker.index());
    if residence == Residence::Rural {
        weights[farmer] = weights[farmer] * 4.0 + 0.1;
    }
    weights[homemaker] *= if sex == Sex::Female { 1.6 } else { 0.3 };
    weights
}
