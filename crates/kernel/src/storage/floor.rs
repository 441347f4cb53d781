//! The storage floor: queues before the disks, and machines that use them.
//!
//! In a tick: `receive` takes what the disks answered, `step` gives it to its owners
//! and lets each go on, `send` gives the disks what has come together meanwhile.

use super::errands::Errands;
use super::files::Files;
use super::home::{Change, Home, drafts};
use super::io::bench::Bench;
use super::io::{IoDone, Memory, Owner, Queues};
use super::layout::{Content, DiskState, Layouts};
use super::log::{LogId, Lsn};
use super::measure::Measure;
use super::pool::Pool;
use super::shelf::Shelf;
use super::volumes::Volumes;
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
    pub bench: Bench,
    pub home: Home,
    pub volumes: Box<Volumes>,
    pub pool: Box<Pool>,
    /// That of a pool that is made anew.
    pool_id: u64,
    shelf: Shelf,
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
            layouts: Box::new(Layouts::new(seed, drafts, memory)),
            measure: Measure::default(),
            bench: Bench::default(),
            home: Home::None,
            volumes: Volumes::boxed(),
            pool: Box::default(),
            pool_id: seed,
            shelf: Shelf::default(),
        }
    }

    pub fn receive(&mut self, now: Instant, disks: &mut dyn Disks) {
        self.queues.receive(now, disks);
    }

    /// Answers of owners on other floors go to `others`, and what was in a log when its
    /// disk was taken into use to `recovered`.
    pub fn step(
        &mut self,
        now: Instant,
        memory: &mut dyn Memory,
        others: &mut dyn FnMut(IoDone),
        recovered: &mut dyn FnMut(LogId, Lsn, &[u8]),
    ) {
        while let Some(done) = self.queues.take_done() {
            match done.request.tag.owner {
                Owner::Errand => {
                    if changes(done.request.operation) {
                        self.layouts.look_again(done.request.disk);
                    }
                    self.errands.on_done(now, done, &mut self.queues);
                }
                Owner::Load => others(done),
                Owner::File => self.files.on_done(now, done),
                Owner::Layout => self.layouts.on_done(now, done, &mut self.queues),
                Owner::Bench => self.measure.on_done(now, done),
                Owner::Log if LogId::of_tag(done.request.tag.number).disk().is_some() => {
                    self.pool.on_done(now, done);
                }
                Owner::Log => {
                    if let Some(logs) = self.home.any_logs_mut() {
                        logs.on_done(now, done);
                    }
                }
                Owner::Volume => self.volumes.on_done(done),
            }
        }
        self.layouts.step(now, &mut self.queues);
        let layouts = &self.layouts;
        let is_blank = |disk| layouts.state(disk) == DiskState::Known(Content::Blank);
        self.measure.step(now, &mut self.queues, &is_blank);
        self.mind_home(now, memory);
        self.files.step(now, &mut self.queues);
        if let Some(logs) = self.home.logs_mut() {
            logs.step(now, &mut self.queues, recovered);
            logs.reopen_failed(now);
        }
        self.step_pool(now, memory);
        // What was closed meanwhile makes room for the next in the same tick.
        self.mind_home(now, memory);
    }

    /// The volumes, and the disks that they are on.
    fn step_pool(&mut self, now: Instant, memory: &mut dyn Memory) {
        let (pool, volumes, queues) = (&mut *self.pool, &mut *self.volumes, &mut self.queues);
        pool.step(now, &self.layouts, &mut self.shelf, memory, queues);
        let home = self.home.layout().map(|layout| layout.pool.disk);
        pool.mind(now, volumes, &self.layouts, (home, self.pool_id), memory);
        volumes.step(now, queues, pool);
        pool.send(now, queues);
    }

    /// Brings the disk that is in use to the machines that work there.
    fn mind_home(&mut self, now: Instant, memory: &mut dyn Memory) {
        let shelf = &mut self.shelf;
        match self.home.step(now, &self.layouts, shelf, memory) {
            Some(Change::Opened(layout)) => self.files.mount(layout.exchange, memory),
            Some(Change::Closed) => self.files.unmount(),
            None => {}
        }
    }

    /// Is a disk about to be in use? What is wanted of it may wait a little.
    pub fn is_preparing(&self) -> bool {
        match &self.home {
            Home::None => {
                let mut states = (0..DISKS_MAX).map(|disk| self.layouts.state(disk));
                states.any(|state| {
                    matches!(state, DiskState::Looking | DiskState::Formatting)
                        || state.layout().is_some()
                })
            }
            Home::Closing(_) => true,
            Home::Failed { .. } => false,
            Home::InUse { logs, .. } => {
                let is_read = logs.all().iter().all(|(_, log)| !log.is_recovering());
                let has_pool = self.volumes.is_mounted() || !self.pool.is_preparing();
                let is_ready = has_pool && !self.volumes.is_mounting() && !self.files.is_mounting();
                !(is_read && is_ready)
            }
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
            self.bench.next_deadline(now),
            self.volumes.next_deadline(),
            self.pool.next_deadline(),
            self.home.next_deadline(),
            self.layouts.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        self.queues.visit_usages(visit);
        visit(&self.errands.usage());
        self.files.visit_usages(visit);
        visit(&self.measure.usage());
        self.volumes.visit_usages(visit);
        self.pool.visit_usages(visit);
        visit(&self.shelf.usage());
        if let Some(logs) = self.home.logs() {
            logs.visit_usages(visit);
        }
    }
}
