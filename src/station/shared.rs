//! What all sites of a running station share.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::floor::Options;
use super::job_file::LoadedJob;
use crate::records::Records;

/// Job, records, and whether the station goes on.
pub struct Shared<'s> {
    /// The job.
    pub job: &'s LoadedJob,
    /// How the station was started.
    pub options: &'s Options,
    records: Mutex<Records>,
    ending: AtomicBool,
    cancelled: AtomicBool,
    begun: AtomicU32,
    newest_time: Mutex<Timestamp>,
}

impl<'s> Shared<'s> {
    /// Nothing has begun yet.
    pub fn new(job: &'s LoadedJob, options: &'s Options, records: Records) -> Self {
        Shared {
            job,
            options,
            records: Mutex::new(records),
            ending: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            begun: AtomicU32::new(0),
            newest_time: Mutex::new(Timestamp::UNIX_EPOCH),
        }
    }

    /// A site's clock shows this.
    pub fn saw_time(&self, at: Timestamp) {
        let mut newest = self.time();
        *newest = at.max(*newest);
    }

    /// The newest time that a site's clock has shown: the station as a whole has none of its own.
    pub fn newest_time(&self) -> Timestamp {
        *self.time()
    }

    fn time(&self) -> MutexGuard<'_, Timestamp> {
        let time = self.newest_time.lock();
        time.unwrap_or_else(PoisonError::into_inner)
    }

    /// The records, for one short step. A site that panicked with them in hand has taken its attempt's verdict with it;
    /// for all others they say themselves whether they can be written.
    pub fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No site begins anything more.
    pub fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }

    /// Whether the station ends.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// What is under way ends where a board can be left safely.
    pub fn cancel(&self) {
        self.end();
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// Whether what is under way shall end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Whether one more attempt may begin; it is counted then. The last one that was asked for ends the station.
    pub fn may_begin(&self) -> bool {
        if self.is_ending() {
            return false;
        }
        let Some(units) = self.options.units else {
            return true;
        };
        let counted = self
            .begun
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |begun| {
                (begun < units).then_some(begun + 1)
            });
        if counted.is_ok_and(|before| before + 1 < units) {
            return true;
        }
        self.end();
        counted.is_ok()
    }
}
