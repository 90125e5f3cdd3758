//! Runs in the background: one at a time, on a thread and a rayon pool of their own, with their state in the database.

mod engine;
mod inputs;
mod keeper;
mod notary;
mod progress;
mod request;
mod schedule;
mod watch;

pub use engine::indicator;
pub use inputs::{EarlierFiles, RunInputs};
pub use keeper::keep;
pub use notary::Notary;
pub use progress::{Progress, RunStage};
pub use request::{EarlierRun, Include, RunRequest};
pub use schedule::{Times, schedules};
pub use watch::Watch;

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
    storage::{Author, Database, DueRun, NewRun, RunFile, RunState, StorageError},
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
/// It tells where it stands, and ends where it is told that nobody waits any more.
pub type Engine = fn(&RunInputs, &Progress) -> Result<Vec<NamedFile>, RunFailure>;

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
    current: Current,
}

/// The run being computed and its standing.
type Current = Arc<Mutex<Option<(String, Progress)>>>;

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
        let current = Current::default();
        let desk = Desk { database: database.clone(), clock: clock.clone(), engine, current: Arc::clone(&current) };
        let notary = notary.clone();
        let thread = thread::Builder::new().name("runs".to_owned()).spawn(move || {
            work(&desk, &runs, &notary);
            let _ = ended.send(());
        });
        let thread = thread.map_err(|error| StorageError::Unavailable(error.to_string()))?;
        let (queue, thread) = (Arc::new(Mutex::new(Some(queue))), Arc::new(Mutex::new(Some((thread, end)))));
        Ok(Self { database, clock, queue, thread, current })
    }

    /// Queues a run of the survey and returns its id.
    ///
    /// # Errors
    /// `QueueFull` when too many wait.
    pub fn queue(&self, survey_id: &str, by: &Author, request: &RunRequest) -> Result<String, Refusal> {
        self.add(survey_id, by, request, None)
    }

    /// Queues a run that a schedule asks for.
    ///
    /// # Errors
    /// `QueueFull` when too many wait; `Refused` when somebody else looked at the schedule meanwhile.
    pub fn queue_due(&self, survey_id: &str, request: &RunRequest, due: &DueRun) -> Result<String, Refusal> {
        self.add(survey_id, &Author::system(), request, Some(due))
    }

    /// The standing of a run that is being computed here.
    #[must_use]
    pub fn progress(&self, run_id: &str) -> Option<Progress> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|(id, _)| id == run_id).map(|(_, progress)| progress.clone())
    }

    /// Ends a run that waits, or lets the one that is being computed end at its next step; `false` where it is neither.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn cancel(&self, run_id: &str, by: &Author) -> Result<bool, Refusal> {
        let progress = self.progress(run_id);
        let was = self.database.cancel_run(run_id, by, self.clock.now_ms())?;
        if was == Some(RunState::Running) {
            // It may have begun since the look above.
            let Some(progress) = progress.or_else(|| self.progress(run_id)) else { return Ok(false) };
            progress.cancel();
        }
        Ok(was.is_some())
    }

    fn add(&self, survey_id: &str, by: &Author, request: &RunRequest, due: Option<&DueRun>) -> Result<String, Refusal> {
        let id = queue(&self.database, &self.clock, survey_id, by, request, due)?;
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

fn queue(
    database: &Database,
    clock: &Clock,
    survey_id: &str,
    by: &Author,
    request: &RunRequest,
    due: Option<&DueRun>,
) -> Result<String, Refusal> {
    let id = clock.uuid().to_string();
    let (created_at_ms, state) = (clock.now_ms(), RunState::Queued.name());
    let request = &request.to_json();
    let run = NewRun { id: &id, survey_id, engine: ENGINE, requested_by: &by.id, created_at_ms, state, request };
    database.queue_run(run, WAITING_MAX, by, due)?;
    Ok(id)
}

/// Computes a run here and now, for the command line; `told` is handed its standing before it begins.
///
/// # Errors
/// `QueueFull` when too many wait; whatever the database refused.
pub fn compute_now(
    database: &Database,
    clock: &Clock,
    notary: &Notary,
    survey_id: &str,
    by: &Author,
    request: &RunRequest,
    progress: &Progress,
) -> Result<String, Refusal> {
    let id = queue(database, clock, survey_id, by, request, None)?;
    let (database, clock) = (database.clone(), clock.clone());
    let desk = Desk { database, clock, engine: indicator, current: Current::default() };
    sign_around_a_run(notary);
    one_run(&desk, &id, progress)?;
    sign_around_a_run(notary);
    Ok(id)
}

/// What computing a run needs.
struct Desk {
    database: Database,
    clock: Clock,
    engine: Engine,
    current: Current,
}

/// One processor stays free for answering requests.
fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1)
}

fn work(desk: &Desk, runs: &Receiver<String>, notary: &Notary) {
    let pool = match rayon::ThreadPoolBuilder::new().num_threads(threads()).build() {
        Ok(pool) => pool,
        Err(error) => return tracing::error!(%error, "no threads for runs"),
    };
    while let Ok(id) = runs.recv() {
        sign_around_a_run(notary);
        let progress = Progress::default();
        let now = |current| *desk.current.lock().unwrap_or_else(PoisonError::into_inner) = current;
        // Known before it begins, so that whoever finds it running can cancel it.
        now(Some((id.clone(), progress.clone())));
        let ended = pool.install(|| one_run(desk, &id, &progress));
        now(None);
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

fn one_run(desk: &Desk, id: &str, progress: &Progress) -> Result<(), StorageError> {
    let Desk { database, clock, engine, .. } = desk;
    if !database.begin_run(id, clock.now_ms())? {
        return Ok(());
    }
    let computed = catch_unwind(AssertUnwindSafe(|| {
        let inputs = RunInputs::read(database, id)?;
        let files = engine(&inputs, progress)?;
        // The last moment: what is published below is published.
        progress.enter(RunStage::Writing)?;
        Ok((inputs.digests(), files))
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
