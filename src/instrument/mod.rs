//! The instrument: questionnaire, response, scoring.
//!
//! A questionnaire file becomes a checked, immutable [`Questionnaire`] (every fault of the file at once, or none); the
//! bytes of a tablet become a [`Submission`] and, held against the questionnaire, a [`Response`] (again all faults at
//! once); a [`ScoringProfile`] turns responses into [`Outcome`]s. Nothing here reads a clock, a file or a network.

mod canonical;
mod disposition;
mod draw;
pub mod expression;
pub mod faults;
pub mod questionnaire;
pub mod response;
pub mod scoring;
mod selection;
mod source;
pub mod strict_json;
pub mod text;

pub use disposition::{DISPOSITIONS, Disposition, DispositionGroup, NOT_ATTEMPTED};
pub use draw::{DRAW_ALGORITHM, Draw};
pub use expression::Expression;
pub use faults::{Fault, FaultCode, Faults};
pub use questionnaire::{
    Category, Check, Choice, Classification, Definition, Dimension, Header, Item, ItemKind, MissingKind, Questionnaire,
    Row, Scheme, Section, Severity, definition_schema,
};
pub use response::{
    Answer, Given, ItemFault, ItemFaultCode, Message, Notice, Response, Selection, Sign, Submission, can_carry,
    coded_columns,
};
pub use scoring::{
    DimensionScore, Incomparable, NotScoredReason, Outcome, Points, Score, ScoringProfile, Tier, score_all,
};
pub use selection::{KISH_TABLES, KishTable, Precommitted, SelectionMethod};
pub use text::Texts;
