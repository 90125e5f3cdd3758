//! The HTTP API from outside, the same on every database.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod audit;
mod bad_input;
mod contract;
mod devices;
mod people;
mod questionnaires;
mod recovery;
mod runs;
mod sign_in;
mod submissions;
mod surveys;
