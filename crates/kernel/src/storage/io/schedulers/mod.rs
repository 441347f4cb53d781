//! I/O schedulers: which of the requests that wait goes to the disk next.
//!
//! A scheduler sees places and times, never data. The queue owns the requests, merges
//! neighbours when one of them is picked, and moves all that wait to another scheduler
//! when it is switched.

mod batches;
mod bfq;
mod cfq;
mod deadline;
mod first_come;
mod idling;
mod kyber;
mod mq_deadline;
mod nearest;
mod policy;
mod rescue;
mod share;
mod sorted;
mod sweep;
mod table;
#[cfg(test)]
mod tests;

pub use bfq::Bfq;
pub use cfq::Cfq;
pub use deadline::Deadline;
pub use first_come::FirstCome;
pub use kyber::{ADAPTED_AFTER, Kyber};
pub use mq_deadline::MqDeadline;
pub use nearest::Nearest;
pub use policy::Policy;
pub use sweep::Sweep;

use super::Priority;
use crate::base::disk::DiskOperation;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};

/// Where a request stands in its queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SlotIndex(pub u16);

/// What a scheduler knows of a request that waits: reads, writes, discards and zeroes.
/// Flushes are never scheduled; they go to the disk at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub slot: SlotIndex,
    pub operation: DiskOperation,
    pub sector: u64,
    pub sectors: u64,
    pub priority: Priority,
    pub tenant: Tenant,
    pub arrived: Instant,
    pub deadline: Option<Instant>,
}

/// What the queue knows of its disk when it asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiskNow {
    /// Behind the last sector that the disk was sent to.
    pub head: u64,
    /// Of the whole disk.
    pub sectors: u64,
    /// Transfers that it works on, flushes too, and how many it may.
    pub in_flight: usize,
    pub depth: usize,
    /// Of those in flight, by `IoKind`; a flush is none of them.
    pub at_disk: [usize; IoKind::COUNT],
}

/// What is told apart where a disk's depth is shared out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IoKind {
    Read,
    Write,
    /// Changes the disk without moving data: discards, zeroes.
    Other,
}

impl IoKind {
    pub const COUNT: usize = 3;

    pub const fn of(operation: DiskOperation) -> Self {
        match operation {
            DiskOperation::Read => Self::Read,
            DiskOperation::Write => Self::Write,
            _ => Self::Other,
        }
    }
}

/// A request that the disk has answered, well or not; there is one for each that was
/// picked or taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Finished {
    pub operation: DiskOperation,
    pub sectors: u64,
    pub priority: Priority,
    pub tenant: Tenant,
    /// From its arrival until it went to the disk, and from then until the answer.
    pub waited: Duration,
    pub served: Duration,
}

pub trait Scheduler {
    /// Takes a request in. There is always room: it has as many places as the queue.
    fn add(&mut self, now: Instant, waiting: Waiting);

    /// Picks the request that goes to the disk now and forgets it. `None` also while it
    /// would rather wait for a better one; then `next_deadline` says how long.
    fn next(&mut self, now: Instant, disk: DiskNow) -> Option<Waiting>;

    /// Forgets a request that goes to the disk with a neighbour that was picked.
    fn take(&mut self, now: Instant, slot: SlotIndex) -> Option<Waiting>;

    /// Gives up the request that arrived first, for another scheduler to have.
    fn drain(&mut self) -> Option<Waiting>;

    /// May neighbours of a request that was picked go with it?
    fn merges(&self) -> bool {
        true
    }

    /// Learns from an answer.
    fn on_done(&mut self, _now: Instant, _finished: &Finished) {}

    /// When it wants to be asked again though nothing has arrived or was answered.
    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
