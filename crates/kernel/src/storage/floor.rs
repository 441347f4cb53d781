//! The storage floor: the queues before the disks, and the machines that use them.
//!
//! In a tick: `receive` takes what the disks answered, `step` gives it to its owners
//! and lets each go on, `send` gives the disks what has come together meanwhile.

use super::errands::Errands;
use super::files::Files;
use super::io::{IoDone, Memory, Owner, Queues};
use crate::base::disk::Disks;
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::limits::{DISK_ERRAND_BYTES, DISK_ERRANDS_MAX};
use alloc::boxed::Box;

pub struct Storage {
    pub queues: Queues,
    pub errands: Errands,
    pub files: Box<Files>,
}

impl Storage {
    #[inline(never)]
    pub fn new(memory: &mut dyn Memory) -> Self {
        let mut errands = Errands::default();
        for _ in 0..DISK_ERRANDS_MAX {
            if let Some(buffer) = memory.take_buffer(DISK_ERRAND_BYTES) {
                errands.add_buffer(buffer);
            }
        }
        Self {
            queues: Queues::default(),
            errands,
            files: Files::boxed(),
        }
    }

    pub fn receive(&mut self, now: Instant, disks: &mut dyn Disks) {
        self.queues.receive(now, disks);
    }

    /// Answers of owners on other floors go to `others`.
    pub fn step(&mut self, now: Instant, others: &mut dyn FnMut(IoDone)) {
        while let Some(done) = self.queues.take_done() {
            match done.request.tag.owner {
                Owner::Errand => self.errands.on_done(now, done, &mut self.queues),
                Owner::Load => others(done),
                Owner::File => self.files.on_done(now, done),
                Owner::Layout | Owner::Log | Owner::Volume | Owner::Bench => {}
            }
        }
        self.files.step(now, &mut self.queues);
    }

    pub fn send(&mut self, now: Instant, disks: &mut dyn Disks) {
        self.queues.send(now, disks);
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let deadlines = [
            self.queues.next_deadline(now),
            self.files.next_deadline(now),
        ];
        deadlines.into_iter().flatten().min()
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        self.queues.visit_usages(visit);
        visit(&self.errands.usage());
        self.files.visit_usages(visit);
    }
}
