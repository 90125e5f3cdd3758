//! The server: what it does with a request is here, how requests and answers look is in [`http`].
//!
//! `app` starts everything; `http` turns requests into calls and results into answers and is the only folder that
//! knows status codes; the files beside it are the calls; `jobs` computes runs on threads of its own.

pub mod app;
mod clock;
mod config;
mod fault;
pub mod http;
mod instruments;
pub mod jobs;
mod keys;
mod publish;
mod roles;
mod submissions;
mod surveys;
pub mod tokens;

pub use app::{RunningServer, StartError, start, start_with};
pub use clock::Clock;
pub use config::{Config, ConfigError, Settings};
pub use fault::{Fault, Refusal, Text};
pub use instruments::Instruments;
pub use keys::{Keys, KeysError, PublicKey};
pub use publish::publish;
pub use roles::{Actor, Role};
pub use submissions::{Received, judge_again, judge_waiting, receive};
pub use surveys::{NewSurvey, create_survey, put_file};
