//! The server: what it does with a request is here, how requests and answers look is in [`http`].
//!
//! `app` starts everything; `http` turns requests into calls and results into answers and is the only folder that
//! knows status codes; the files beside it are the calls; `jobs` computes runs on threads of its own.

pub mod accounts;
pub mod app;
pub mod archive;
mod assignments;
pub mod audit;
pub mod bundles;
mod changes;
mod clock;
mod config;
mod diff;
mod disk;
pub mod enrolment;
mod events;
mod fault;
mod health;
pub mod http;
mod identity;
mod instruments;
pub mod jobs;
mod judge;
mod keys;
mod metrics;
mod passwords;
mod policy;
mod publish;
mod rates;
mod review;
mod roles;
mod secrets;
mod submissions;
mod surveys;
pub mod tokens;
pub mod vault;
mod writer;

pub use accounts::AccountRefusal;
pub use app::{RunningServer, StartError, start, start_with};
pub use assignments::{NewAssignment, assign, may_see_case};
pub use audit::migrate;
pub use changes::{Change, Changes, HeldCase, changes};
pub use clock::Clock;
pub use config::{Config, ConfigError, LogFormat, Settings};
pub use diff::{Difference, differences};
pub use disk::EXIT_DISK;
pub use events::{EventsTaken, take_events};
pub use fault::{Fault, Refusal, Text};
pub use health::{Disk, Finding, Health, look};
pub use http::is_login_text;
pub use identity::{Credential, Known};
pub use instruments::Instruments;
pub use judge::{judge_again, judge_due, judge_waiting, notices_of};
pub use keys::{Keys, KeysError, PublicKey, put_private_file};
pub use metrics::Metrics;
pub use passwords::Passwords;
pub use policy::{Access, Grant, Open};
pub use publish::publish;
pub use rates::{Purpose, Rate, Rates, Throttle};
pub use review::{review, review_many, take_body};
pub use roles::{Actor, Role};
pub use submissions::Received;
pub use surveys::{NewSurvey, create_survey, put_file};
pub use writer::{Arriving, KeptAndJudged, Pending, Writer};
