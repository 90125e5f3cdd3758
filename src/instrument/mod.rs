//! The instrument: questionnaire, response, scoring.
