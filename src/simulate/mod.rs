//! A synthetic city and surveys drawn from it.
//!
//! [`City::generate`] makes a finite population whose literate shares follow published gradients (`docs/simulation.md`
//! tells how closely), and [`DrawnSurvey::draw`] takes a stratified multi-stage sample of it. Everything is 示例数据: names of districts are real, nothing else is.

mod answers;
mod category;
mod city;
mod composition;
pub mod coverage;
mod error;
mod gauss;
mod household;
mod literacy;
mod person;
mod place;
mod published;
mod stream;
mod survey;
mod truth;

pub use category::{AgeGroup, Education, Residence, Sex};
pub use city::{City, CityParameters, Household, Psu};
pub use composition::Traits;
pub use error::SimulateError;
pub use person::{Activity, KeyGroup, Person};
pub use place::{CITY_CODE, CITY_NAME, DISTRICTS, District, Ring};
pub use published::{AGE_2023, EDUCATION_2023, Gradients, OVERALL_2023, RESIDENCE_2023, SEX_2023, Shares, TIERS_2024};
pub use survey::{DrawnAttempt, DrawnCase, DrawnSurvey, SurveyColumns, SurveyDesign};
pub use truth::{Group, Truth};
