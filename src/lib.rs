//! # scilit: from a household interview to an indicator that anyone can recompute
//!
//! A [questionnaire](instrument) is published once and never changes; tablets fetch it without its keys and submit
//! raw bytes that the [server] stores whatever its judgement of them ([storage]). Accepted bytes become
//! [responses](instrument::response), responses become [scores](instrument::scoring), scores meet the sample design
//! and become [weighted estimates](statistics), estimates meet targets, districts and groups in the
//! [indicator], and the indicator leaves as [files](export) from which an outsider can recompute it.
//!
//! | step | room |
//! |---|---|
//! | read, check and publish a questionnaire; draw a case's order and its person; check a response; score it | [`instrument`] |
//! | design, weights, replicates, estimates, intervals, plans | [`statistics`] |
//! | tables by district and group, their differences and changes, small areas, targets, verdicts | [`indicator`] |
//! | which cells may leave, which are withheld; the de-identified file | [`disclosure`] |
//! | digests, signed receipts, the audit log's tree and proofs | [`evidence`] |
//! | tables to files; a run's bundle and its verification | [`export`] |
//! | a run's report as sentences, tables and charts in two languages | [`report`] |
//! | a synthetic city with its surveys, for the demo, load and coverage | [`simulate`] |
//! | the only folder that knows SQL | `storage` |
//! | people, devices, assignments and the policy of routes; judgement and review; the vault, and what is kept until when; HTTP; background runs | `server` |
//! | one file a command | `cli` |
//!
//! The first seven are pure: no clock, no files, no network, no database. `cargo check --no-default-features --lib`
//! builds them alone. `docs/architecture.md` has the dependency rule, and `tests/architecture.rs` checks it.

pub mod disclosure;
pub mod evidence;
pub mod export;
pub mod indicator;
pub mod instrument;
pub mod report;
pub mod simulate;
pub mod statistics;

#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod storage;
