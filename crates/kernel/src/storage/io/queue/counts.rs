//! What a queue has counted, and what it shows.

use crate::base::disk::DiskOperation;
use crate::base::histogram::Histogram;
use crate::base::time::Duration;
use crate::storage::io::Priority;

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
    pub fn on_answered(&mut self, operation: DiskOperation, taken: Duration) {
        match operation {
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
    /// The same by class of priority: `Priority::CLASSES`.
    pub waiting_by_class: [usize; Priority::CLASSES.len()],
    /// Flushes that wait for the one that is with the disk.
    pub waiting_to_flush: usize,
    /// Waiting for bandwidth of their tenants.
    pub held_back: usize,
    pub in_flight: usize,
    pub depth: usize,
}
