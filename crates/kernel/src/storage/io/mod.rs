//! The block layer: requests of the storage floor on their way to disks.
//!
//! A machine that wants something of a disk makes an `IoRequest`, gives its buffer
//! away with it, and gets both back as an `IoDone`. Requests of one asker that overlap
//! are the asker's to order: a scheduler knows nothing of what they mean.

pub mod bench;
pub mod model;
mod priority;
pub mod queue;
pub mod queues;
mod request;
pub mod schedulers;

pub use priority::Priority;
pub use queue::BlockQueue;
pub use queues::Queues;
pub use request::{IoDone, IoError, IoRequest, IoTag, Owner};

use crate::base::buffer::Buffer;
use crate::base::disk::DiskFacts;
use crate::base::time::Instant;

/// Where requests are put.
pub trait Submit {
    /// What the disk of that index can; `None` where there is none.
    fn facts(&self, disk: usize) -> Option<DiskFacts>;

    /// Requests that the disk's queue takes at the moment.
    fn space(&self, disk: usize) -> usize;

    /// Puts a request into its disk's queue. What is refused comes back at once.
    fn submit(&mut self, now: Instant, request: IoRequest) -> Result<(), (IoError, IoRequest)>;
}

/// Memory that disks reach.
pub trait Memory {
    /// For ever; `None` when there is no more.
    fn take_buffer(&mut self, bytes: usize) -> Option<Buffer>;

    /// For the next who takes some, where that is kept; else it is lost.
    fn give_back(&mut self, _: Buffer) {}
}
