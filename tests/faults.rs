//! The promises of the ingest under faults: killed processes, a database that is away, frozen, locked or full, a stop
//! under load, replies that never arrive. Each story has a control that shows it can fail.
//!
//! `FAULT_CYCLES` sets the number of cycles of the long stories; the default suits every change, the nightly number is 100.

#![cfg(target_os = "linux")]

#[path = "support/mod.rs"]
mod support;

#[path = "faults/away.rs"]
mod away;
#[path = "faults/crashed_runs.rs"]
mod crashed_runs;
#[path = "faults/downloads.rs"]
mod downloads;
#[path = "faults/full.rs"]
mod full;
#[path = "faults/io.rs"]
mod io;
#[path = "faults/killed.rs"]
mod killed;
#[path = "faults/once.rs"]
mod once;
#[path = "faults/stopped.rs"]
mod stopped;

fn cycles(short: u32) -> u32 {
    let number = std::env::var("FAULT_CYCLES").ok().map(|number| number.parse().expect("a number"));
    number.unwrap_or(short)
}
