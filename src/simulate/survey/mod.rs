//! Surveys drawn from a city: design, draw, nonresponse, and what a survey hands on.

mod columns;
mod design;
mod draw;
mod files;
mod nonresponse;

pub use columns::SurveyColumns;
pub use design::SurveyDesign;
pub use draw::{DrawnCase, DrawnSurvey};
