//! The signer of checkpoints: it signs only what it has read back from the database.
//!
//! A root is signed after every entry was read again through a connection of its own, hashed again, and found to be
//! what the log's head and every earlier checkpoint say. When it is not, nothing is ever signed again before a person
//! has looked: the log is then evidence of something, and a signature would cover it up.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    evidence::{Checkpoint, LogCheck, LogFault},
    server::{
        Clock, Keys,
        audit::{AuditError, read_log, voucher},
        disk,
    },
    storage::{AuditCheckpoint, Database, DatabaseUrl, PoolSettings, StorageError},
};

/// How often new entries are signed while nobody asks for it.
const EVERY: Duration = Duration::from_secs(30);

/// The thread, and what ends it when it is dropped.
type Worker = (JoinHandle<()>, Sender<()>);

/// Signs checkpoints on a thread of its own and on demand. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Notary {
    desk: Arc<Desk>,
    thread: Arc<Mutex<Option<Worker>>>,
}

#[derive(Debug)]
struct Desk {
    database: Database,
    url: DatabaseUrl,
    keys: Keys,
    clock: Clock,
    read: Mutex<LogCheck>,
    fault: OnceLock<LogFault>,
}

impl Notary {
    /// Starts the thread; the first look at the whole log is taken there, not here.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn start(database: Database, url: DatabaseUrl, keys: Keys, clock: Clock) -> Result<Self, StorageError> {
        let (read, fault) = (Mutex::default(), OnceLock::new());
        let desk = Arc::new(Desk { database, url, keys, clock, read, fault });
        let (stop, stopped) = channel();
        let worker = Arc::clone(&desk);
        let thread = thread::Builder::new().name("notary".to_owned()).spawn(move || work(&worker, &stopped));
        let thread = thread.map_err(|error| StorageError::Unavailable(error.to_string()))?;
        Ok(Self { desk, thread: Arc::new(Mutex::new(Some((thread, stop)))) })
    }

    /// Signs now, unless the newest checkpoint covers everything; the newest checkpoint.
    ///
    /// # Errors
    /// `Fault` when the log is not what it was, now or at an earlier look; then nothing is signed.
    pub fn sign_now(&self) -> Result<Option<AuditCheckpoint>, AuditError> {
        self.desk.sign()
    }

    /// What is wrong with the log, once something is.
    pub fn fault(&self) -> Option<&LogFault> {
        self.desk.fault.get()
    }

    /// Ends the thread and signs what there is left to sign.
    pub fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((thread, stop)) = thread {
            drop(stop);
            let _ = thread.join();
        }
        self.desk.sign_and_tell();
    }
}

fn work(desk: &Desk, stopped: &Receiver<()>) {
    desk.sign_and_tell();
    while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        desk.sign_and_tell();
    }
}

impl Desk {
    fn sign_and_tell(&self) {
        match self.sign() {
            Ok(_) => {}
            Err(AuditError::Fault(fault)) => {
                tracing::error!(%fault, zh = fault.zh(), seq = fault.seq(), "the audit log is broken: nothing is signed any more");
            }
            Err(AuditError::Storage(error)) => {
                disk::end_if_failed(&error);
                tracing::warn!(%error, "no checkpoint could be signed yet");
            }
        }
    }

    fn sign(&self) -> Result<Option<AuditCheckpoint>, AuditError> {
        // Held to the end: two looks at once would each read the same entries.
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = self.fault.get() {
            return Err(fault.clone().into());
        }
        let newest = self.database.newest_checkpoint()?;
        let head = self.database.audit_head()?;
        let is_signed = newest.as_ref().is_some_and(|newest| newest.size == head.size);
        if is_signed && i64::try_from(read.tree().size()) == Ok(head.size) {
            return Ok(newest);
        }
        let checked = self.read_back(&read).map_err(|error| self.remember(error))?;
        let checkpoint = Checkpoint { size: checked.tree().size(), root: checked.tree().root() };
        *read = checked;
        if checkpoint.size > 0 {
            self.database.add_checkpoint(&self.note(checkpoint))?;
        }
        Ok(self.database.newest_checkpoint()?)
    }

    /// Reads on from where the last look ended, through a connection that wrote nothing.
    fn read_back(&self, read: &LogCheck) -> Result<LogCheck, AuditError> {
        let settings = PoolSettings { connections_max: 1, ..PoolSettings::default() };
        let fresh = Database::open(&self.url, settings)?;
        let mut check = read.clone();
        let size = i64::try_from(check.tree().size()).unwrap_or(i64::MAX);
        check.expect(fresh.checkpoints_beyond(size)?.iter().filter_map(voucher));
        read_log(&fresh, &mut check)?;
        Ok(check)
    }

    fn remember(&self, error: AuditError) -> AuditError {
        if let AuditError::Fault(fault) = &error {
            let _ = self.fault.set(fault.clone());
        }
        error
    }

    fn note(&self, checkpoint: Checkpoint) -> AuditCheckpoint {
        AuditCheckpoint {
            size: i64::try_from(checkpoint.size).unwrap_or(i64::MAX),
            root: checkpoint.root.to_vec(),
            note: checkpoint.signed(self.keys.signer()),
            at_ms: self.clock.now_ms(),
        }
    }
}
