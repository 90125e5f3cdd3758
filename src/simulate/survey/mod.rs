//! Surveys drawn from a city: design, draw, nonresponse, and what a survey hands on.

mod attempts;
mod body;
mod columns;
mod design;
mod draw;
mod files;
mod nonresponse;
mod schedule;
mod submissions;

pub use attempts::DrawnAttempt;
pub use columns::SurveyColumns;
pub use design::SurveyDesign;
pub use draw::{DrawnCase, DrawnSurvey};
