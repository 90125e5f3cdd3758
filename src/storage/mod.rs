//! The only folder that knows SQL: one set of queries on SQLite and PostgreSQL.
//!
//! A [`Database`] is one of two connection pools, chosen by the scheme of its URL. The macros `reading!` and
//! `writing!` run the same diesel expression on whichever connection is there; diesel checks it once for each.
//! Rows leave in the order of their ids' bytes, times are epoch milliseconds handed in, and nothing is summed in SQL.

#[macro_use]
mod connection;
mod audit;
mod checkpoints;
mod devices;
mod error;
mod interviews;
mod migrations;
mod people;
mod postgres;
mod questionnaires;
mod reach;
mod runs;
mod schema;
mod sessions;
mod sqlite;
mod submissions;
mod surveys;
mod tokens;
mod url;

pub use audit::{Act, AuditEntry, AuditHead, Author, Outcome};
pub use checkpoints::{AuditCheckpoint, EntryFilter};
pub use connection::{Database, PoolSettings};
pub use devices::{Device, DeviceReport, EnrolmentCode, Redeemed};
pub use error::StorageError;
pub use interviews::{Interview, InterviewState, JudgedBody, Judgement, Quarantined, SubmissionVersion};
pub use people::{Person, RoleGrant};
pub use questionnaires::{Publication, StoredQuestionnaire};
pub use reach::Reach;
pub use runs::{NewRun, Run, RunFile, RunFileHead, RunState};
pub use sessions::{Session, TriesLimit};
pub use submissions::{Arrival, Kept, Waiting};
pub use surveys::{FileKind, NewFile, SampleCase, StoredFile, Survey, SurveyFile};
pub use tokens::ApiToken;
pub use url::{DatabaseUrl, DatabaseUrlError};

/// Rows a batch insert sends at once; SQLite takes 32,766 parameters and PostgreSQL 65,535 a statement.
const ROWS_PER_INSERT_MAX: usize = 1000;
