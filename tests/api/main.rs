//! The HTTP API from outside, the same on every database.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod assignments;
mod attachments;
mod audit;
mod bad_input;
mod bad_inputs;
mod bundles;
mod cases;
mod contract;
mod desk;
mod devices;
mod formats;
mod fuzz;
mod hygiene;
mod limits;
mod maps;
mod packages;
mod packing;
mod people;
mod questionnaires;
mod recovery;
mod releases;
mod reports;
mod reserves;
mod retention;
mod returned;
mod review;
mod runs;
mod schedules;
mod scoring_keys;
mod sealed;
mod sign_in;
mod submissions;
mod surveys;
mod sync;
mod trail;
