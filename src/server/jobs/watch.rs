//! A thread that looks at something every now and then until it is told to stop.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::storage::StorageError;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(2);

type Worker = (JoinHandle<()>, Sender<()>);

/// The thread. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Watch(Arc<Mutex<Option<Worker>>>);

impl Watch {
    /// Starts it; it looks at once, and every two seconds from then on.
    ///
    /// # Errors
    /// When there is no thread.
    pub(super) fn start(name: &str, mut look: impl FnMut() + Send + 'static) -> Result<Self, StorageError> {
        let (stop, stopped) = channel();
        let work = move || {
            loop {
                look();
                if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
        let thread = thread.map_err(|error| StorageError::Unavailable(error.to_string()))?;
        Ok(Self(Arc::new(Mutex::new(Some((thread, stop))))))
    }

    /// Ends the thread.
    pub fn stop(&self) {
        let thread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((thread, stop)) = thread {
            drop(stop);
            let _ = thread.join();
        }
    }
}
