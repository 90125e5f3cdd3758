//! The HTTP API from outside, the same on every database.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod bad_input;
mod bad_inputs;
mod contract;
mod fuzz;
mod hygiene;
mod limits;
mod questionnaires;
mod recovery;
mod runs;
mod submissions;
mod surveys;
