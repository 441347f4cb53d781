//! The queues of all disks: requests to the right one, answers to owners.

use super::queue::BlockQueue;
use super::schedulers::{FirstCome, Scheduler};
use super::{IoDone, IoError, IoRequest, Submit};
use crate::base::disk::{DiskFacts, Disks};
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::limits::DISKS_MAX;
use alloc::boxed::Box;

#[derive(Default)]
pub struct Queues {
    /// By the disk's place; made when there is a disk for the first time.
    queues: [Option<Box<BlockQueue>>; DISKS_MAX],
    /// Of the disks that are there now.
    facts: [Option<DiskFacts>; DISKS_MAX],
}

impl Queues {
    /// Takes what the disks have answered, and notes which disks there are.
    pub fn receive(&mut self, now: Instant, disks: &mut dyn Disks) {
        for (index, (queue, facts)) in self.queues.iter_mut().zip(&mut self.facts).enumerate() {
            let Some(disk) = disks.disk(index) else {
                *facts = None;
                continue;
            };
            let queue = queue.get_or_insert_with(|| Box::new(BlockQueue::new(usual_scheduler())));
            while let Some(done) = disk.completed() {
                queue.on_done(now, done);
            }
            // One that was unplugged is there until its last answers are taken.
            *facts = Some(disk.facts()).filter(|facts| facts.requests_max > 0);
        }
    }

    /// Gives to each disk what it takes.
    pub fn send(&mut self, now: Instant, disks: &mut dyn Disks) {
        for (index, queue) in self.queues.iter_mut().enumerate() {
            if let Some(queue) = queue {
                let is_there = self.facts[index].is_some();
                queue.step(now, disks.disk(index).filter(|_| is_there));
            }
        }
    }

    /// The next request that has ended, of any disk.
    pub fn take_done(&mut self) -> Option<IoDone> {
        let mut queues = self.queues.iter_mut().flatten();
        queues.find_map(|queue| queue.take_done())
    }

    pub fn queue(&self, disk: usize) -> Option<&BlockQueue> {
        self.queues.get(disk)?.as_deref()
    }

    pub fn queue_mut(&mut self, disk: usize) -> Option<&mut BlockQueue> {
        self.queues.get_mut(disk)?.as_deref_mut()
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let queues = self.queues.iter().flatten();
        queues.filter_map(|queue| queue.next_deadline(now)).min()
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        for queue in self.queues.iter().flatten() {
            visit(&queue.usage());
        }
    }
}

/// What a disk gets that nobody has chosen one for.
fn usual_scheduler() -> Box<dyn Scheduler> {
    Box::new(FirstCome::default())
}

impl Submit for Queues {
    fn facts(&self, disk: usize) -> Option<DiskFacts> {
        *self.facts.get(disk)?
    }

    fn space(&self, disk: usize) -> usize {
        match self.facts(disk) {
            Some(_) => self.queue(disk).map_or(0, BlockQueue::space),
            None => 0,
        }
    }

    fn submit(&mut self, now: Instant, request: IoRequest) -> Result<(), (IoError, IoRequest)> {
        if self.facts(request.disk).is_none() {
            return Err((IoError::NoDisk, request));
        }
        match self.queue_mut(request.disk) {
            Some(queue) => queue.submit(now, request),
            None => Err((IoError::NoDisk, request)),
        }
    }
}
