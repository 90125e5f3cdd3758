//! The server: what it does with a request is here, how requests and answers look is in [`http`].
//!
//! `app` starts everything; `http` turns requests into calls and results into answers and is the only folder that
//! knows status codes; the files beside it are the calls; `jobs` computes runs on threads of its own.

pub mod accounts;
pub mod app;
pub mod audit;
mod clock;
mod config;
pub mod enrolment;
mod fault;
pub mod http;
mod identity;
mod instruments;
pub mod jobs;
mod keys;
mod passwords;
mod policy;
mod publish;
mod roles;
mod secrets;
mod submissions;
mod surveys;
pub mod tokens;

pub use accounts::AccountRefusal;
pub use app::{RunningServer, StartError, start, start_with};
pub use audit::migrate;
pub use clock::Clock;
pub use config::{Config, ConfigError, Settings};
pub use fault::{Fault, Refusal, Text};
pub use http::is_login_text;
pub use identity::{Credential, Known};
pub use instruments::Instruments;
pub use keys::{Keys, KeysError, PublicKey};
pub use passwords::Passwords;
pub use policy::{Access, Grant, Open};
pub use publish::publish;
pub use roles::{Actor, Role};
pub use submissions::{Received, judge_again, judge_waiting, receive};
pub use surveys::{NewSurvey, create_survey, put_file};
