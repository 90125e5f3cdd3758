//! Starting and stopping the server: open the database, catch up, listen.

use std::{
    net::{SocketAddr, TcpListener},
    sync::mpsc::channel,
    thread::{self, JoinHandle},
    time::Duration,
};

use actix_web::{
    HttpServer,
    dev::ServerHandle,
    http::KeepAlive,
    rt::{System, signal},
};

use super::{
    Clock, Config, Finding, Formats, Instruments, Keys, KeysError, Metrics, Passwords, Refusal, SealingKeys, Throttle,
    audit, disk,
    http::{self, Shared},
    jobs::{self, Engine, Notary, Runner, Watch},
    judge::{self, Rejudging},
    look,
    writer::{Desk, Writer},
};
use crate::storage::{Author, Database, StorageError};

/// A stopping server waits this long for requests to end.
const LAST_REQUESTS_SECONDS_MAX: u64 = 10;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The signing keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The key file of the vault cannot be used.
    #[error(transparent)]
    Vault(#[from] super::vault::KeyFileError),
    /// What was kept before could not be judged.
    #[error(transparent)]
    CatchUp(#[from] Refusal),
    /// Something a promise rests on is not as it must be; the log has the details.
    #[error("check what the server rests on: not as it must be: {0}")]
    SelfCheck(String),
    /// The address is taken, or not ours.
    #[error("listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The thread of the server could not be made.
    #[error("start the server: {0}")]
    Thread(String),
}

impl StartError {
    /// Whether the disk under the database failed.
    pub fn is_of_the_disk(&self) -> bool {
        matches!(self, Self::Storage(StorageError::Disk(_)) | Self::CatchUp(Refusal::Storage(StorageError::Disk(_))))
    }
}

/// A server that answers until it is stopped.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    database: Database,
    clock: Clock,
    notary: Notary,
    runner: Runner,
    watches: [Watch; 2],
    rejudging: Rejudging,
    writer: Writer,
    handle: ServerHandle,
    thread: JoinHandle<std::io::Result<()>>,
}

/// Starts the server with the indicator's own engine; see [`start_with`].
///
/// # Errors
/// When the database cannot be used or the address cannot be listened on; then nothing runs.
pub fn start(config: Config, clock: Clock) -> Result<RunningServer, StartError> {
    start_with(config, clock, jobs::indicator)
}

/// Opens and migrates the database, judges what a stopped server left unjudged, and answers on threads of its own;
/// `engine` computes its runs.
///
/// # Errors
/// When the database cannot be used or the address cannot be listened on; then nothing runs.
pub fn start_with(config: Config, clock: Clock, engine: Engine) -> Result<RunningServer, StartError> {
    let database = Database::open(&config.database_url, config.pool())?;
    for migration in audit::migrate(&database, &Author::system(), &clock)? {
        tracing::info!(migration, "migrated");
    }
    self_check(&database, &config, &clock)?;
    let (keys, is_new_key) = Keys::open(&config.key_dir, clock.now_ms())?;
    let sealing = SealingKeys::open(&config.key_dir, clock.now_ms())?;
    super::vault::check_key_file(&config.key_dir)?;
    let instruments = Instruments::default();
    let judged = judge::judge_waiting(&database, &instruments, &clock)?;
    tracing::info!(judged, backend = database.backend(), "caught up");
    let listen_error = |source| StartError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    audit::log_start(&database, &clock, &keys.signer().key_id(), is_new_key)?;
    let notary = Notary::start(database.clone(), config.database_url.clone(), keys.clone(), clock.clone())?;
    let runner = Runner::start(database.clone(), clock.clone(), engine, &notary)?;
    let schedules = jobs::schedules(database.clone(), clock.clone(), runner.clone())?;
    let watches = [schedules, jobs::keep(database.clone(), clock.clone(), config.retention)?];
    database.forget_old_tries(clock.now_ms())?;
    let rejudging = Rejudging::start(database.clone(), instruments.clone(), clock.clone());
    let metrics = Metrics::default();
    let desk = Desk { database: database.clone(), keys: keys.clone(), clock: clock.clone(), metrics: metrics.clone() };
    let writer = Writer::start(desk).map_err(|error| StartError::Thread(error.to_string()))?;
    let shared = Shared {
        throttle: Throttle::new(config.rates),
        metrics,
        writer: writer.clone(),
        imports: http::Imports::default(),
        formats: Formats::default(),
        passwords: Passwords::default(),
        database: database.clone(),
        notary: notary.clone(),
        runner: runner.clone(),
        config,
        clock: clock.clone(),
        keys,
        sealing,
        instruments,
    };
    let (handle, thread) = listen(shared, listener)?;
    tracing::info!(%address, "listening");
    Ok(RunningServer { address, database, clock, notary, runner, watches, rejudging, writer, handle, thread })
}

/// Looks at what the promises rest on, says what was found, and refuses to start when something is not as it must be.
fn self_check(database: &Database, config: &Config, clock: &Clock) -> Result<(), StartError> {
    let health = look(database, config, clock)?;
    for Finding { what, found, holds } in &health.findings {
        tracing::info!(what, found, holds, "self-check");
    }
    for warning in config.warnings() {
        tracing::warn!(warning, "self-check");
    }
    if health.is_good() { Ok(()) } else { Err(StartError::SelfCheck(health.complaints())) }
}

fn listen(
    shared: Shared,
    listener: TcpListener,
) -> Result<(ServerHandle, JoinHandle<std::io::Result<()>>), StartError> {
    let (ready, started) = channel();
    let run = move || {
        System::new().block_on(async move {
            let connections_max = connections_per_worker(&shared.config);
            // It counts for the first request on a connection only; see docs/operations.md for the ones after it.
            let head_time_max = shared.config.head_time_max;
            let (workers, keep_alive) = (shared.config.workers, keep_alive(shared.config.keep_alive));
            let server = HttpServer::new(move || http::app(shared.clone()))
                .workers(workers)
                .keep_alive(keep_alive)
                .client_request_timeout(head_time_max)
                .max_connections(connections_max)
                .shutdown_timeout(LAST_REQUESTS_SECONDS_MAX)
                .disable_signals()
                .listen(listener)?
                .run();
            let _ = ready.send(server.handle());
            server.await
        })
    };
    let thread = thread::Builder::new().name("http".to_owned()).spawn(run);
    let thread = thread.map_err(|error| StartError::Thread(error.to_string()))?;
    let handle = started.recv().map_err(|_| StartError::Thread("it ended at once".to_owned()))?;
    Ok((handle, thread))
}

/// The server counts the connections of each thread by itself.
fn connections_per_worker(config: &Config) -> usize {
    config.connections_max.div_ceil(config.workers.max(1))
}

fn keep_alive(time: Duration) -> KeepAlive {
    if time.is_zero() { KeepAlive::Disabled } else { KeepAlive::Timeout(time) }
}

impl RunningServer {
    /// Where it listens; the port is the real one when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The signer of its audit log's checkpoints.
    pub fn notary(&self) -> &Notary {
        &self.notary
    }

    /// Lets requests and the run being computed end, then stops.
    pub fn stop(self) {
        System::new().block_on(self.handle.stop(true));
        self.writer.stop();
        self.watches.iter().for_each(Watch::stop);
        self.runner.stop();
        self.rejudging.stop();
        if let Ok(Err(error)) = self.thread.join() {
            tracing::error!(%error, "the server ended with an error");
        }
        if let Err(error) = audit::log_stop(&self.database, &self.clock) {
            disk::end_if_failed(&error);
            tracing::error!(%error, "the stop could not be logged");
        }
        self.notary.stop();
    }

    /// Answers until the process is asked to end (SIGINT or SIGTERM), then stops.
    ///
    /// # Errors
    /// When the process cannot listen for signals; the server is stopped then, too.
    pub fn stop_at_signal(self) -> std::io::Result<()> {
        let waited = System::new().block_on(a_signal());
        tracing::info!("stopping");
        self.stop();
        waited
    }
}

async fn a_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        let mut interrupt = signal::unix::signal(signal::unix::SignalKind::interrupt())?;
        std::future::poll_fn(|context| match (terminate.poll_recv(context), interrupt.poll_recv(context)) {
            (std::task::Poll::Pending, std::task::Poll::Pending) => std::task::Poll::Pending,
            _ => std::task::Poll::Ready(()),
        })
        .await;
        Ok(())
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await
}
