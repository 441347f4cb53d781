//! What a queue has counted, and what it shows.

use crate::base::disk::DiskOperation;
use crate::base::histogram::Histogram;
use crate::base::time::Duration;
use crate::storage::io::schedulers::Finished;

#[derive(Default)]
pub struct Counts {
    pub submitted: u64,
    pub done: u64,
    pub failed: u64,
    /// Not taken, for the queue was full.
    pub refused: u64,
    /// Requests that went along with a neighbour.
    pub merged: u64,
    /// Given to the disk.
    pub transfers: u64,
    pub retried: u64,
    /// Sent before others because they had waited too long.
    pub overdue: u64,
    /// Answers that nobody had asked for.
    pub answers_ignored: u64,
    pub high_water: usize,
    pub in_flight_high_water: usize,
    /// From a request's arrival to its answer.
    pub reads: Histogram,
    pub writes: Histogram,
    pub flushes: Histogram,
}

impl Counts {
    pub fn on_finished(&mut self, finished: &Finished) {
        let nanos = finished.waited.as_nanos() + finished.served.as_nanos();
        let taken = Duration::from_nanos(nanos);
        match finished.operation {
            DiskOperation::Read => self.reads.add(taken),
            DiskOperation::Flush => self.flushes.add(taken),
            _ => self.writes.add(taken),
        }
    }
}

pub struct QueueView<'a> {
    pub counts: &'a Counts,
    /// With the scheduler.
    pub waiting: usize,
    /// Waiting for bandwidth of their tenants.
    pub held_back: usize,
    pub in_flight: usize,
    pub depth: usize,
}
