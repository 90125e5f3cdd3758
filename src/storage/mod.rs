//! The only folder that knows SQL: one set of queries on SQLite and PostgreSQL.
//!
//! A [`Database`] is one of two connection pools, chosen by the scheme of its URL. The macros `reading!` and
//! `writing!` run the same diesel expression on whichever connection is there; diesel checks it once for each.
//! Rows leave in the order of their ids' bytes, times are epoch milliseconds handed in, and nothing is summed in SQL.

#[macro_use]
mod connection;
mod assignments;
mod attachments;
mod audit;
mod bulk;
mod bundles;
mod checkpoints;
mod contents;
mod copy;
mod deletions;
mod devices;
mod error;
mod events;
mod evidence;
mod firsts;
mod health;
mod holds;
mod identity;
mod inbox;
mod interviews;
mod judgements;
mod maps;
mod migrations;
mod notes;
mod people;
mod postgres;
mod progress;
mod quarantine;
mod questionnaires;
mod reach;
mod readings;
mod reconcile;
mod releases;
mod reserves;
mod retention;
mod review;
mod run_files;
mod runs;
mod schedules;
mod schema;
mod sessions;
mod sqlite;
mod states;
mod submissions;
mod survey_state;
mod surveys;
mod together;
mod tokens;
mod trusted;
mod url;

pub use assignments::{Assignment, CaseDraw, FieldCase, FieldChange};
pub use attachments::{Attachment, SealedPieces};
pub use audit::{Act, AuditEntry, AuditHead, Author, Outcome};
pub use bundles::RunBundle;
pub use checkpoints::{AuditCheckpoint, EntryFilter};
pub use connection::{Database, PoolSettings};
pub use contents::{ContentReader, PIECE_BYTES};
pub use copy::{CellKind, Cells, ColumnShape, EachRow, TableShape, Tables};
pub use deletions::{Deleted, Deletion};
pub use devices::{Device, DeviceReport, EnrolmentCode, Redeemed};
pub use error::StorageError;
pub use events::{AttemptOutcome, ContactAttempt, EventsKept, FieldEvent, NewEvent};
pub use evidence::ReceivedBody;
pub use health::LogState;
pub use holds::LegalHold;
pub use identity::{SealedCase, SealedContact, SealedField, SealedSurvey};
pub use inbox::InboxMessage;
pub use interviews::{Interview, JudgedBody, ResponseFilter, StoredBody, SubmissionVersion};
pub use judgements::{Judgement, WAITING_FOR_MASTER_DATA};
pub use maps::{MapHead, NewMap, StoredMap};
pub use notes::{NoteKeys, SealedNote, TakenNotes};
pub use people::{Person, RoleGrant};
pub use progress::{FieldedCase, PersonName, Pile, SentCount, Visit};
pub use quarantine::{Quarantined, QuarantinedBody, Taking};
pub use questionnaires::{Publication, StoredQuestionnaire};
pub use reach::Reach;
pub use reconcile::KeptDigest;
pub use releases::StoredRelease;
pub use reserves::{Released, ReserveRequest, Substitution};
pub use retention::{AttachmentLink, Held, LinkedAttachment, PlacedBody, RetentionJob};
pub use review::{ReviewAction, Stepped};
pub use run_files::{KeptFile, RunFile, RunFileHead};
pub use runs::{CANCELLED, NewRun, Run, RunState};
pub use schedules::{DueRun, Schedule};
pub use sessions::{Session, TriesLimit};
pub use states::{InterviewState, ItemComment, Level, ReviewRefusal, Reviewer, Seen, Step};
pub use submissions::{Arrival, Kept, Waiting};
pub use surveys::{FileKind, NewFile, SampleCase, StoredFile, Survey, SurveyFile};
pub use together::{Keeping, Together};
pub use tokens::ApiToken;
pub use url::{DatabaseUrl, DatabaseUrlError};

/// Rows a batch insert sends at once; SQLite takes 32,766 parameters and PostgreSQL 65,535 a statement.
const ROWS_PER_INSERT_MAX: usize = 1000;
