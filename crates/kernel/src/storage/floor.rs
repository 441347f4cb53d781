//! The storage floor: queues before the disks, and machines that use them.
//!
//! In a tick: `receive` takes what the disks answered, `step` gives it to its owners
//! and lets each go on, `send` gives the disks what has come together meanwhile.

use super::archive::Archive;
use super::errands::Errands;
use super::io::{IoDone, Memory, Owner, Queues};
use super::layout::Layouts;
use super::log::LogId;
use super::measure::Measure;
use crate::base::disk::{DiskOperation, Disks};
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::limits::{DISK_ERRAND_BYTES, DISK_ERRANDS_MAX};
use alloc::boxed::Box;

pub struct Storage {
    pub queues: Queues,
    pub errands: Errands,
    pub layouts: Box<Layouts>,
    pub measure: Measure,
    /// Where the audit trail and the kernel's messages are kept; who keeps them steps them.
    pub audit: Archive,
    pub messages: Archive,
}

/// May what the disk holds be another thing afterwards?
const fn changes(operation: DiskOperation) -> bool {
    !matches!(operation, DiskOperation::Read | DiskOperation::Flush)
}

impl Storage {
    #[inline(never)]
    pub fn new(seed: u64, memory: &mut dyn Memory) -> Self {
        let mut errands = Errands::default();
        for _ in 0..DISK_ERRANDS_MAX {
            if let Some(buffer) = memory.take_buffer(DISK_ERRAND_BYTES) {
                errands.add_buffer(buffer);
            }
        }
        Self {
            queues: Queues::default(),
            errands,
            layouts: Box::new(Layouts::new(seed, memory)),
            measure: Measure::default(),
            audit: Archive::new(LogId::AUDIT),
            messages: Archive::new(LogId::MESSAGES),
        }
    }

    pub fn receive(&mut self, now: Instant, disks: &mut dyn Disks) {
        self.queues.receive(now, disks);
    }

    /// Answers of owners on other floors go to `others`.
    pub fn step(&mut self, now: Instant, others: &mut dyn FnMut(IoDone)) {
        while let Some(done) = self.queues.take_done() {
            match done.request.tag.owner {
                Owner::Errand => {
                    if changes(done.request.operation) {
                        self.layouts.look_again(done.request.disk);
                    }
                    self.errands.on_done(now, done, &mut self.queues);
                }
                Owner::Load => others(done),
                Owner::Layout => self.layouts.on_done(now, done, &mut self.queues),
                Owner::Bench => self.measure.on_done(now, done),
                Owner::Log => self.on_log_done(now, done),
                Owner::Volume | Owner::File => {}
            }
        }
        self.layouts.step(now, &mut self.queues);
        self.measure.step(now, &mut self.queues);
    }

    fn on_log_done(&mut self, now: Instant, done: IoDone) {
        match LogId::of_tag(done.request.tag.number) {
            LogId::AUDIT => self.audit.on_done(now, done),
            LogId::MESSAGES => self.messages.on_done(now, done),
            _ => {}
        }
    }

    pub fn send(&mut self, now: Instant, disks: &mut dyn Disks) {
        self.queues.send(now, disks);
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let deadlines = [
            self.queues.next_deadline(now),
            self.measure.next_deadline(now),
            self.audit.next_deadline(),
            self.messages.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        self.queues.visit_usages(visit);
        visit(&self.errands.usage());
        visit(&self.measure.usage());
    }
}
