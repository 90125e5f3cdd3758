//! Runs: one computation each, with its inputs by digest and its files.

use diesel::prelude::*;

use serde_json::json;

use super::{Act, Author, Database, DueRun, Outcome, RunFile, StorageError, audit::Appends, schema::*};
use crate::evidence::sha256_hex;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Waits for its turn.
    Queued,
    /// Is being computed.
    Running,
    /// Done; its files are there.
    Succeeded,
    /// Could not be done; `error` says why.
    Failed,
}

impl RunState {
    /// The state's name in tables and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// A run as it is asked for.
#[derive(Debug, Clone, Copy, Insertable)]
#[diesel(table_name = run)]
pub struct NewRun<'a> {
    /// UUIDv7.
    pub id: &'a str,
    /// The survey.
    pub survey_id: &'a str,
    /// Name and version of the program that will compute it.
    pub engine: &'a str,
    /// Who asked.
    pub requested_by: &'a str,
    /// When.
    pub created_at_ms: i64,
    /// `queued`.
    pub state: &'a str,
    /// What it is asked beyond its survey, as JSON.
    pub request: &'a str,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = run)]
pub struct Run {
    /// UUIDv7.
    pub id: String,
    /// The survey.
    pub survey_id: String,
    /// Its state's name.
    pub state: String,
    /// The inputs by digest, as JSON, once it has begun.
    pub inputs: Option<String>,
    /// Name and version of the program that computed it.
    pub engine: String,
    /// Who asked.
    pub requested_by: String,
    /// When it was asked for.
    pub created_at_ms: i64,
    /// When it began.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub finished_at_ms: Option<i64>,
    /// The failure's code.
    pub error_code: Option<String>,
    /// The failure in words.
    pub error: Option<String>,
    /// What it was asked beyond its survey, as JSON.
    pub request: String,
}

/// The code under which a run that was not wanted any more stays visible. Its state is `failed`: it made nothing.
pub const CANCELLED: &str = "cancelled";
const CANCELLED_TEXT: &str = "it was cancelled";

impl Run {
    /// The state as people see it: a failure that somebody asked for is none.
    #[must_use]
    pub fn shown_state(&self) -> &str {
        if self.error_code.as_deref() == Some(CANCELLED) { CANCELLED } else { &self.state }
    }
}

fn object(id: &str) -> String {
    format!("run/{id}")
}

fn failed(id: &str, code: &str, now_ms: i64) -> Act {
    Act::done(&Author::system(), now_ms, "run.finish", object(id), json!({ "error": code })).ended(Outcome::Failed)
}

impl Database {
    /// Queues a run unless `waiting_max` of the survey wait already; one that a schedule asks for marks it as looked at.
    ///
    /// # Errors
    /// `QueueFull` when they do.
    pub fn queue_run(
        &self,
        new: NewRun<'_>,
        waiting_max: i64,
        by: &Author,
        due: Option<&DueRun>,
    ) -> Result<(), StorageError> {
        writing!(self, c => {
            diesel::update(survey::table.find(new.survey_id)).set(survey::id.eq(survey::id)).execute(c)?;
            let waiting = run::table.filter(run::survey_id.eq(new.survey_id).and(run::state.eq(RunState::Queued.name())));
            let waiting: i64 = waiting.count().get_result(c)?;
            if waiting >= waiting_max {
                return Err(StorageError::QueueFull(waiting));
            }
            diesel::insert_into(run::table).values(new).execute(c)?;
            let mut detail = json!({ "survey": new.survey_id, "engine": new.engine, "request": new.request });
            if let Some(due) = due {
                // Whoever looked first starts the run; another who looked at the same time finds the mark moved.
                let schedule = survey_schedule::table.filter(
                    survey_schedule::survey_id.eq(new.survey_id).and(survey_schedule::looked_at_ms.eq(due.looked_at_ms)),
                );
                let moved = diesel::update(schedule).set(survey_schedule::looked_at_ms.eq(due.now_ms)).execute(c)?;
                if moved == 0 {
                    return Err(StorageError::Refused("the schedule was looked at meanwhile".to_owned()));
                }
                detail["schedule"] = due.cron.clone().into();
            }
            c.append(&[Act::done(by, new.created_at_ms, "run.create", object(new.id), detail)])?;
            Ok(())
        })
    }

    /// Takes a queued run; `false` when it is not queued (any more).
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn begin_run(&self, id: &str, now_ms: i64) -> Result<bool, StorageError> {
        let queued = run::table.filter(run::id.eq(id).and(run::state.eq(RunState::Queued.name())));
        writing!(self, c => {
            let begun = diesel::update(queued)
                .set((run::state.eq(RunState::Running.name()), run::started_at_ms.eq(now_ms)))
                .execute(c)? == 1;
            if begun {
                c.append(&[Act::done(&Author::system(), now_ms, "run.begin", object(id), json!({}))])?;
            }
            Ok(begun)
        })
    }

    /// Ends a run with its files: all of them and the state, or nothing.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn succeed_run(&self, id: &str, inputs: &str, files: &[RunFile], now_ms: i64) -> Result<(), StorageError> {
        // The bytes first and on their own: a transaction with all of them would keep submissions waiting. Until the
        // one below names them, nobody sees them, and another try finds them there.
        for file in files {
            self.keep_content(&file.sha256, &mut file.content.as_slice())?;
        }
        writing!(self, c => {
            let running = run::table.filter(run::id.eq(id).and(run::state.eq(RunState::Running.name())));
            let ended = diesel::update(running)
                .set((
                    run::state.eq(RunState::Succeeded.name()),
                    run::inputs.eq(inputs),
                    run::finished_at_ms.eq(now_ms),
                ))
                .execute(c)?;
            if ended == 0 {
                return Err(StorageError::Refused(format!("end run {id}: it is not running any more")));
            }
            for file in files {
                diesel::insert_into(run_file::table).values(file.row()).execute(c)?;
            }
            let names = files.iter().map(|file| (file.name.clone(), file.sha256.clone().into()));
            let files: serde_json::Map<_, _> = names.collect();
            let detail = json!({ "inputs_sha256": sha256_hex(inputs.as_bytes()), "files": files });
            c.append(&[Act::done(&Author::system(), now_ms, "run.finish", object(id), detail)])?;
            Ok(())
        })
    }

    /// Ends a run with its failure.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn fail_run(&self, id: &str, code: &str, error: &str, now_ms: i64) -> Result<(), StorageError> {
        writing!(self, c => {
            diesel::update(run::table.find(id))
                .set((
                    run::state.eq(RunState::Failed.name()),
                    run::finished_at_ms.eq(now_ms),
                    run::error_code.eq(code),
                    run::error.eq(error),
                ))
                .execute(c)?;
            c.append(&[failed(id, code, now_ms)])?;
            Ok(())
        })
    }

    /// Logs that a run is not wanted any more, and ends it if it still waits for its turn; one that is being computed
    /// is ended by whoever computes it. The state it was in, or none where it had ended.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn cancel_run(&self, id: &str, by: &Author, now_ms: i64) -> Result<Option<RunState>, StorageError> {
        writing!(self, c => {
            let queued = run::table.filter(run::id.eq(id).and(run::state.eq(RunState::Queued.name())));
            let ended = diesel::update(queued)
                .set((
                    run::state.eq(RunState::Failed.name()),
                    run::finished_at_ms.eq(now_ms),
                    run::error_code.eq(CANCELLED),
                    run::error.eq(CANCELLED_TEXT),
                ))
                .execute(c)?;
            let state: Option<String> = run::table.find(id).select(run::state).first(c).optional()?;
            let is_running = state.as_deref() == Some(RunState::Running.name());
            if ended == 0 && !is_running {
                return Ok(None);
            }
            let asked = Act::done(by, now_ms, "run.cancel", object(id), json!({ "running": is_running }));
            if is_running {
                c.append(&[asked])?;
                return Ok(Some(RunState::Running));
            }
            c.append(&[asked, failed(id, CANCELLED, now_ms)])?;
            Ok(Some(RunState::Queued))
        })
    }

    /// Fails every run a stopped server left running, and names the ones still queued in the order of their making.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn recover_runs(&self, now_ms: i64) -> Result<Vec<String>, StorageError> {
        writing!(self, c => {
            let mut interrupted: Vec<String> = diesel::update(run::table.filter(run::state.eq(RunState::Running.name())))
                .set((
                    run::state.eq(RunState::Failed.name()),
                    run::finished_at_ms.eq(now_ms),
                    run::error_code.eq("interrupted"),
                    run::error.eq("the server stopped during the run"),
                ))
                .returning(run::id)
                .get_results(c)?;
            interrupted.sort();
            let queued = run::table.filter(run::state.eq(RunState::Queued.name())).order(run::id).select(run::id).load(c)?;
            if !interrupted.is_empty() {
                let acts: Vec<Act> = interrupted.iter().map(|id| failed(id, "interrupted", now_ms)).collect();
                c.append(&acts)?;
            }
            Ok(queued)
        })
    }

    /// The run with this id.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn run(&self, id: &str) -> Result<Option<Run>, StorageError> {
        Ok(reading!(self, c => run::table.find(id).select(Run::as_select()).first(c).optional())?)
    }

    /// Up to `rows_max` runs before the id, the latest first.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn runs(&self, before: &str, rows_max: i64) -> Result<Vec<Run>, StorageError> {
        Ok(reading!(self, c => run::table
            .filter(run::id.lt(before))
            .order(run::id.desc())
            .limit(rows_max)
            .select(Run::as_select())
            .load(c))?)
    }

    /// The latest run that succeeded.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn latest_succeeded_run(&self) -> Result<Option<Run>, StorageError> {
        Ok(reading!(self, c => run::table
            .filter(run::state.eq(RunState::Succeeded.name()))
            .order(run::id.desc())
            .select(Run::as_select())
            .first(c)
            .optional())?)
    }
}
