//! The HTTP API from outside, the same on every database.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod bad_input;
mod contract;
mod questionnaires;
mod recovery;
mod review;
mod runs;
mod submissions;
mod surveys;
