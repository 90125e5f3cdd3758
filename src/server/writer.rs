//! One writer for all submissions: what waits is written in one transaction and shares one wait for the disk.
//!
//! Nobody waits for company: the writer takes whatever is there as soon as it is free, so a lonely submission is written
//! at once, and under load the next batch gathers while this one is on its way to the disk.

use std::{
    collections::VecDeque,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use actix_web::{
    rt::time::{Instant, timeout},
    web::Bytes,
};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot::{self, Receiver, Sender};

use super::{Clock, Keys, Metrics, disk};
use crate::storage::{Arrival, Author, Database, InterviewState, Judgement, Keeping, Kept, StorageError, Together};

/// Arrivals, and likewise judgements, in one transaction at most.
const BATCH_MAX: usize = 64;

/// Arrivals that may wait, and their bytes. More would be memory that a flood can take.
const WAITING_MAX: usize = 1024;
const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A request waits this long for the writer; then its client is told to come again. What is written all the same gets
/// its receipt then.
const ANSWER_WAIT_MAX: Duration = Duration::from_millis(2500);

/// An arrival on its way to the writer.
#[derive(Debug, Clone)]
pub struct Arriving {
    /// The id the device made.
    pub id: String,
    /// The revision.
    pub rev: i32,
    /// SHA-256 of the bytes, checked.
    pub sha256: String,
    /// The bytes.
    pub body: Bytes,
    /// By the server's clock.
    pub received_at_ms: i64,
    /// From whom.
    pub by: Author,
    /// Whether they stood revoked.
    pub revoked: bool,
}

impl Arriving {
    fn keeping<'a>(&'a self, judgement: Option<&'a Judgement>) -> Keeping<'a> {
        let Self { id, rev, sha256, body, received_at_ms, by, revoked } = self;
        let (rev, received_at_ms, revoked) = (*rev, *received_at_ms, *revoked);
        let (content_type, received_from) = ("application/json", by.id.as_str());
        let arrival = Arrival { id, rev, sha256, body, content_type, received_at_ms, received_from, revoked };
        Keeping { arrival, by, judgement }
    }
}

/// Bytes that wait for the writer, with the judgement that may be written down with them.
#[derive(Debug)]
struct Bringing {
    arriving: Arriving,
    judgement: Option<Judgement>,
}

impl Bringing {
    /// What it holds of the memory.
    fn size(&self) -> usize {
        let judged = match &self.judgement {
            Some(Judgement::Good { answers, .. }) => answers.len(),
            Some(Judgement::Quarantine { detail, .. }) => detail.len(),
            None => 0,
        };
        self.arriving.body.len() + judged
    }
}

/// How bytes are kept, and where they stand when they were judged with their keeping.
pub type KeptAndJudged = (Kept, Option<InterviewState>);

type Told<T> = Result<T, StorageError>;
type Ask<Q, A> = (Q, Sender<Told<A>>);

/// An answer that is still to come.
#[derive(Debug)]
pub struct Pending<T> {
    told: Result<Receiver<Told<T>>, StorageError>,
    since: Instant,
}

impl<T> Pending<T> {
    fn new(told: Result<Receiver<Told<T>>, StorageError>) -> Self {
        Self { told, since: Instant::now() }
    }

    /// The answer, when it is there. The wait counts from the asking.
    ///
    /// # Errors
    /// What the database refused; `Unavailable` when the writer is overloaded, too slow or stopped.
    pub async fn answer(self) -> Result<T, StorageError> {
        let left = ANSWER_WAIT_MAX.saturating_sub(self.since.elapsed());
        match timeout(left, self.told?).await {
            Ok(Ok(told)) => told,
            Ok(Err(_)) => Err(stopped()),
            Err(_) => Err(StorageError::Unavailable("the writer did not get through in time".to_owned())),
        }
    }
}

fn stopped() -> StorageError {
    StorageError::Unavailable("the writer has stopped".to_owned())
}

#[derive(Default)]
struct Queue {
    arrivals: VecDeque<Ask<Bringing, KeptAndJudged>>,
    bytes: usize,
    // Bounded by the arrivals that were kept: each request in flight has one at most.
    judgements: VecDeque<Ask<(i64, Judgement), InterviewState>>,
    closed: bool,
}

#[derive(Default)]
struct Batch {
    arrivals: Vec<Ask<Bringing, KeptAndJudged>>,
    judgements: Vec<Ask<(i64, Judgement), InterviewState>>,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.arrivals.is_empty() && self.judgements.is_empty()
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.arrivals.len() < WAITING_MAX && self.bytes + bytes <= WAITING_BYTES_MAX
    }

    fn take(&mut self, count_max: usize) -> Batch {
        let arrivals: Vec<_> = self.arrivals.drain(..self.arrivals.len().min(count_max)).collect();
        self.bytes -= arrivals.iter().map(|(bringing, _)| bringing.size()).sum::<usize>();
        Batch { arrivals, judgements: self.judgements.drain(..self.judgements.len().min(count_max)).collect() }
    }
}

struct Inner {
    queue: Mutex<Queue>,
    filled: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The writer. Cloning shares it.
#[derive(Clone)]
pub struct Writer(Arc<Inner>);

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts its thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(desk: Desk) -> std::io::Result<Self> {
        let (queue, filled, thread) = (Mutex::default(), Condvar::new(), Mutex::default());
        let writer = Self(Arc::new(Inner { queue, filled, thread }));
        let inner = Arc::clone(&writer.0);
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(move || inner.work(&desk))?;
        *writer.0.thread.lock() = Some(thread);
        Ok(writer)
    }

    /// Has an arrival kept, and judged if it is known what it is. The order of the calls is the order of arrival.
    pub fn keep(&self, arriving: Arriving, judgement: Option<Judgement>) -> Pending<KeptAndJudged> {
        let bringing = Bringing { arriving, judgement };
        let size = bringing.size();
        let mut queue = self.0.queue.lock();
        if queue.closed {
            return Pending::new(Err(stopped()));
        }
        if !queue.has_room(size) {
            return Pending::new(Err(StorageError::Unavailable("too many submissions wait to be written".to_owned())));
        }
        queue.bytes += size;
        let (tell, told) = oneshot::channel();
        queue.arrivals.push_back((bringing, tell));
        self.0.filled.notify_one();
        Pending::new(Ok(told))
    }

    /// Has a judgement on kept bytes written down.
    pub fn judge(&self, server_seq: i64, judgement: Judgement) -> Pending<InterviewState> {
        let mut queue = self.0.queue.lock();
        if queue.closed {
            return Pending::new(Err(stopped()));
        }
        let (tell, told) = oneshot::channel();
        queue.judgements.push_back(((server_seq, judgement), tell));
        self.0.filled.notify_one();
        Pending::new(Ok(told))
    }

    /// Writes what waits, then ends the thread.
    pub(super) fn stop(&self) {
        self.0.queue.lock().closed = true;
        self.0.filled.notify_all();
        if let Some(thread) = self.0.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

/// What the writer works with.
pub(super) struct Desk {
    pub(super) database: Database,
    pub(super) keys: Keys,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
}

impl Inner {
    fn work(&self, desk: &Desk) {
        while let Some(batch) = self.next() {
            if let Err(error) = desk.write(batch) {
                self.turn_away(&error);
            }
        }
    }

    /// The next batch, once there is one; `None` when nothing more will come.
    fn next(&self) -> Option<Batch> {
        let mut queue = self.queue.lock();
        while queue.is_empty() {
            if queue.closed {
                return None;
            }
            self.filled.wait(&mut queue);
        }
        Some(queue.take(BATCH_MAX))
    }

    /// Whoever waited behind a batch that found the database away or full is told so at once: a wait of their own after
    /// that one would outlast the client's patience.
    fn turn_away(&self, error: &StorageError) {
        let all = self.queue.lock().take(usize::MAX);
        all.refuse(error);
    }
}

impl Batch {
    fn refuse(self, error: &StorageError) {
        for (_, tell) in self.arrivals {
            let _ = tell.send(Err(again(error)));
        }
        for (_, tell) in self.judgements {
            let _ = tell.send(Err(again(error)));
        }
    }

    fn tell(self, done: Together) {
        for ((_, tell), told) in self.arrivals.into_iter().zip(done.kept.into_iter().zip(done.states)) {
            let _ = tell.send(Ok(told));
        }
        for ((_, tell), state) in self.judgements.into_iter().zip(done.judged) {
            let _ = tell.send(Ok(state));
        }
    }

    fn is_single(&self) -> bool {
        self.arrivals.len() + self.judgements.len() <= 1
    }

    /// Each item as a batch of its own.
    fn split(self) -> impl Iterator<Item = Self> {
        let arrivals = self.arrivals.into_iter().map(|ask| Self { arrivals: vec![ask], judgements: Vec::new() });
        arrivals.chain(self.judgements.into_iter().map(|ask| Self { arrivals: Vec::new(), judgements: vec![ask] }))
    }
}

impl Desk {
    /// Writes a batch and answers it. When the database refuses it for what is in it, each item is written by itself, so
    /// that a bad one fails alone. Nobody has an answer before the commit that holds their item.
    ///
    /// # Errors
    /// What concerns everybody who waits: the database is away or full. The batch has its answers then, too.
    fn write(&self, batch: Batch) -> Result<(), StorageError> {
        match self.transaction(&batch) {
            Ok(done) => {
                self.metrics.add("scilit_writer_batches_total", 1);
                self.metrics
                    .add("scilit_writer_kept_total", done.kept.iter().filter(|kept| !kept.replay).count() as u64);
                let judged = done.judged.len() + done.states.iter().flatten().count();
                self.metrics.add("scilit_writer_judged_total", judged as u64);
                batch.tell(done);
                Ok(())
            }
            Err(error) if is_for_everyone(&error) => {
                tracing::warn!(%error, "the writer could not write");
                batch.refuse(&error);
                Err(error)
            }
            Err(error) if batch.is_single() => {
                tracing::error!(%error, "the database refused a submission");
                batch.refuse(&error);
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "a batch was refused; its items are written one by one");
                self.write_each(batch)
            }
        }
    }

    fn write_each(&self, batch: Batch) -> Result<(), StorageError> {
        let mut away = None;
        for single in batch.split() {
            match &away {
                None => away = self.write(single).err(),
                Some(error) => single.refuse(error),
            }
        }
        away.map_or(Ok(()), Err)
    }

    fn transaction(&self, batch: &Batch) -> Result<Together, StorageError> {
        let arrivals: Vec<Keeping<'_>> = batch
            .arrivals
            .iter()
            .map(|(Bringing { arriving, judgement }, _)| arriving.keeping(judgement.as_ref()))
            .collect();
        let judgements: Vec<(i64, &Judgement)> =
            batch.judgements.iter().map(|((server_seq, judgement), _)| (*server_seq, judgement)).collect();
        let done = self.database.write_together(&arrivals, &judgements, self.keys.signer(), self.clock.now_ms());
        done.inspect_err(disk::end_if_failed)
    }
}

fn is_for_everyone(error: &StorageError) -> bool {
    matches!(error, StorageError::Unavailable(_) | StorageError::Full)
}

/// The same error for one more who waits.
fn again(error: &StorageError) -> StorageError {
    match error {
        StorageError::Unavailable(message) => StorageError::Unavailable(message.clone()),
        StorageError::Full => StorageError::Full,
        StorageError::BrokenLog(message) => StorageError::BrokenLog(message.clone()),
        StorageError::Random(message) => StorageError::Random(message.clone()),
        other => StorageError::Refused(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arriving(bytes: usize) -> Arriving {
        let by = Author { id: "t".to_owned(), role: "surveyor".to_owned() };
        let (id, sha256, body) = ("i".to_owned(), "d".to_owned(), Bytes::from(vec![0; bytes]));
        Arriving { id, rev: 1, sha256, body, received_at_ms: 1, by, revoked: false }
    }

    /// A writer whose thread never comes.
    fn idle() -> Writer {
        let (queue, filled, thread) = (Mutex::default(), Condvar::new(), Mutex::default());
        Writer(Arc::new(Inner { queue, filled, thread }))
    }

    fn is_turned_away<T>(pending: &Pending<T>) -> bool {
        matches!(pending.told, Err(StorageError::Unavailable(_)))
    }

    #[test]
    fn the_queue_is_bounded_by_count_and_by_bytes_and_has_room_again_when_a_batch_is_taken() {
        let writer = idle();
        let waiting: Vec<_> = (0..WAITING_MAX).map(|_| writer.keep(arriving(1), None)).collect();
        assert!(!waiting.iter().any(is_turned_away));
        assert!(is_turned_away(&writer.keep(arriving(1), None)), "one too many");
        assert_eq!(writer.0.queue.lock().take(BATCH_MAX).arrivals.len(), BATCH_MAX);
        assert!(!is_turned_away(&writer.keep(arriving(1), None)));

        let writer = idle();
        let large = WAITING_BYTES_MAX / 4;
        let waiting: Vec<_> = (0..4).map(|_| writer.keep(arriving(large), None)).collect();
        assert!(!waiting.iter().any(is_turned_away));
        assert!(is_turned_away(&writer.keep(arriving(1), None)), "no room for a byte");
        drop(writer.0.queue.lock().take(1));
        assert!(!is_turned_away(&writer.keep(arriving(large), None)));
    }

    #[test]
    fn a_stopped_writer_takes_nothing_and_whoever_waits_behind_a_failure_is_told_its_reason() {
        let writer = idle();
        let mut waits = writer.keep(arriving(1), None);
        writer.0.turn_away(&StorageError::Full);
        let told = waits.told.as_mut().map(|told| told.try_recv());
        assert!(matches!(told, Ok(Ok(Err(StorageError::Full)))), "{told:?}");
        writer.stop();
        assert!(is_turned_away(&writer.keep(arriving(1), None)));
    }
}
