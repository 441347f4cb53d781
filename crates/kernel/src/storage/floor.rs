//! The storage floor: queues before the disks, and machines that use them.
//!
//! In a tick: `receive` takes what the disks answered, `step` gives it to its owners
//! and lets each go on, `send` gives the disks what has come together meanwhile.

use super::errands::Errands;
use super::files::Files;
use super::io::{IoDone, Memory, Owner, Queues};
use super::layout::{DiskState, Layouts};
use super::measure::Measure;
use crate::base::disk::{DiskOperation, Disks};
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::limits::{DISK_ERRAND_BYTES, DISK_ERRANDS_MAX, DISKS_MAX};
use alloc::boxed::Box;

pub struct Storage {
    pub queues: Queues,
    pub errands: Errands,
    pub files: Box<Files>,
    pub layouts: Box<Layouts>,
    pub measure: Measure,
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
            files: Files::boxed(),
            layouts: Box::new(Layouts::new(seed, memory)),
            measure: Measure::default(),
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
                        self.let_go_of(done.request.disk);
                    }
                    self.errands.on_done(now, done, &mut self.queues);
                }
                Owner::Load => others(done),
                Owner::File => self.files.on_done(now, done),
                Owner::Layout => self.layouts.on_done(now, done, &mut self.queues),
                Owner::Bench => self.measure.on_done(now, done),
                Owner::Log | Owner::Volume => {}
            }
        }
        self.layouts.step(now, &mut self.queues);
        self.measure.step(now, &mut self.queues);
        self.files.step(now, &mut self.queues);
    }

    /// Brings what is on the disks now to the machines that work there.
    pub fn mount(&mut self, memory: &mut dyn Memory) {
        let layouts = &self.layouts;
        let exchange =
            (0..DISKS_MAX).find_map(|disk| Some(layouts.state(disk).layout()?.exchange));
        match (self.files.region(), exchange) {
            (Some(mounted), _) if layouts.state(mounted.disk) == DiskState::Looking => {}
            (mounted, found) if mounted == found => {}
            (_, Some(found)) => self.files.mount(found, memory),
            (_, None) => self.files.unmount(),
        }
    }

    /// Somebody has changed the disk by hand: what is known of it is not so any more.
    fn let_go_of(&mut self, disk: usize) {
        if self.files.region().is_some_and(|region| region.disk == disk) {
            self.files.unmount();
        }
    }

    pub fn send(&mut self, now: Instant, disks: &mut dyn Disks) {
        self.queues.send(now, disks);
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let deadlines = [
            self.queues.next_deadline(now),
            self.files.next_deadline(now),
            self.measure.next_deadline(now),
        ];
        deadlines.into_iter().flatten().min()
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        self.queues.visit_usages(visit);
        visit(&self.errands.usage());
        self.files.visit_usages(visit);
        visit(&self.measure.usage());
    }
}
