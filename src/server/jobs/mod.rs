//! Runs in the background: one at a time, on a thread and a rayon pool of their own, with their state in the database.

mod engine;
mod inputs;
mod notary;
mod request;

pub use engine::indicator;
pub use inputs::{EarlierFiles, RunInputs};
pub use notary::Notary;
pub use request::{EarlierRun, Include, RunRequest};

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{Clock, Refusal, disk};
use crate::{
    evidence::sha256_hex,
    storage::{Author, Database, NewRun, RunFile, RunState, StorageError},
};

/// Runs of one survey that may wait besides the one being computed.
const WAITING_MAX: i64 = 4;

/// How long a stopping server waits for the run being computed; after that it fails as interrupted at the next start.
const LAST_RUN_WAIT_MAX: Duration = Duration::from_secs(10);

/// How often the end of a run is tried to be written, and the pause between two tries.
const WRITE_TRIES_MAX: u32 = 10;
const WRITE_PAUSE: Duration = Duration::from_millis(500);

/// Name and version of the program, as runs record it.
pub const ENGINE: &str = concat!("scilit ", env!("CARGO_PKG_VERSION"));

/// One file of a run: name, media type, bytes.
pub type NamedFile = (String, &'static str, Vec<u8>);

/// What computes a run: a plain function of its inputs. `results.json` is one of the files it makes.
pub type Engine = fn(&RunInputs) -> Result<Vec<NamedFile>, RunFailure>;

/// Why a run made nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RunFailure {
    /// A stable code for programs.
    pub code: String,
    /// What stood in the way, for a person.
    pub message: String,
}

/// The thread of the runs, and how it says that it has ended.
type Worker = (JoinHandle<()>, Receiver<()>);

/// Takes runs and computes them one after the other. Cloning shares the queue.
#[derive(Debug, Clone)]
pub struct Runner {
    database: Database,
    clock: Clock,
    queue: Arc<Mutex<Option<Sender<String>>>>,
    thread: Arc<Mutex<Option<Worker>>>,
}

impl Runner {
    /// Starts the thread, fails the runs a stopped server left running, and takes up the queued ones.
    ///
    /// # Errors
    /// When the database cannot say what was left.
    pub fn start(database: Database, clock: Clock, engine: Engine, notary: &Notary) -> Result<Self, StorageError> {
        let left = database.recover_runs(clock.now_ms())?;
        let (queue, runs) = channel();
        for id in left {
            // The receiver is still here, so this cannot fail.
            let _ = queue.send(id);
        }
        let (ended, end) = channel();
        let worker = (database.clone(), clock.clone(), notary.clone());
        let thread = thread::Builder::new().name("runs".to_owned()).spawn(move || {
            work(&worker.0, &worker.1, engine, &runs, &worker.2);
            let _ = ended.send(());
        });
        let thread = thread.map_err(|error| StorageError::Unavailable(error.to_string()))?;
        let (queue, thread) = (Arc::new(Mutex::new(Some(queue))), Arc::new(Mutex::new(Some((thread, end)))));
        Ok(Self { database, clock, queue, thread })
    }

    /// Queues a run of the survey and returns its id.
    ///
    /// # Errors
    /// `QueueFull` when too many wait.
    pub fn queue(&self, survey_id: &str, by: &Author, request: &RunRequest) -> Result<String, Refusal> {
        let id = self.clock.uuid().to_string();
        let (created_at_ms, state) = (self.clock.now_ms(), RunState::Queued.name());
        let request = &request.to_json();
        let run = NewRun { id: &id, survey_id, engine: ENGINE, requested_by: &by.id, created_at_ms, state, request };
        self.database.queue_run(run, WAITING_MAX, by)?;
        if let Some(queue) = &*self.queue.lock().unwrap_or_else(PoisonError::into_inner) {
            // If the thread is gone, the run stays queued and the next start takes it up.
            let _ = queue.send(id.clone());
        }
        Ok(id)
    }

    /// Ends the thread after the run being computed, if that ends soon.
    pub fn stop(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((thread, end)) = thread
            && end.recv_timeout(LAST_RUN_WAIT_MAX).is_ok()
        {
            let _ = thread.join();
        }
    }
}

/// One processor stays free for answering requests.
fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1)
}

fn work(database: &Database, clock: &Clock, engine: Engine, runs: &Receiver<String>, notary: &Notary) {
    let pool = match rayon::ThreadPoolBuilder::new().num_threads(threads()).build() {
        Ok(pool) => pool,
        Err(error) => return tracing::error!(%error, "no threads for runs"),
    };
    while let Ok(id) = runs.recv() {
        sign_around_a_run(notary);
        let ended = pool.install(|| one_run(database, clock, engine, &id));
        if let Err(error) = ended {
            disk::end_if_failed(&error);
            tracing::error!(%error, run = id, "the end of a run could not be written");
        }
        sign_around_a_run(notary);
    }
}

/// What a run reads and what it makes is covered by a checkpoint from before and from after it. A run is computed even
/// when none can be signed: `/readyz` and the log of the server say so, and its proof will be missing.
fn sign_around_a_run(notary: &Notary) {
    if let Err(error) = notary.sign_now() {
        tracing::warn!(%error, "no checkpoint could be signed around a run");
    }
}

fn one_run(database: &Database, clock: &Clock, engine: Engine, id: &str) -> Result<(), StorageError> {
    if !database.begin_run(id, clock.now_ms())? {
        return Ok(());
    }
    let computed = catch_unwind(AssertUnwindSafe(|| {
        let inputs = RunInputs::read(database, id)?;
        Ok((inputs.digests(), engine(&inputs)?))
    }));
    let computed = computed.unwrap_or_else(|_| {
        Err(RunFailure { code: "internal".to_owned(), message: "the computation ended unexpectedly".to_owned() })
    });
    match computed {
        Ok((inputs, files)) => {
            let file = |(name, content_type, content): NamedFile| RunFile {
                run_id: id.to_owned(),
                name,
                content_type: content_type.to_owned(),
                sha256: sha256_hex(&content),
                content,
            };
            let files: Vec<RunFile> = files.into_iter().map(file).collect();
            patiently(|| database.succeed_run(id, &inputs, &files, clock.now_ms()))
        }
        Err(failure) => {
            tracing::warn!(run = id, code = failure.code, "a run failed");
            patiently(|| database.fail_run(id, &failure.code, &failure.message, clock.now_ms()))
        }
    }
}

/// Tries again while the database is away or busy: what took minutes to compute must not be lost to a short wait.
fn patiently(write: impl Fn() -> Result<(), StorageError>) -> Result<(), StorageError> {
    for _ in 1..WRITE_TRIES_MAX {
        match write() {
            Err(StorageError::Unavailable(_)) => thread::sleep(WRITE_PAUSE),
            other => return other,
        }
    }
    write()
}
