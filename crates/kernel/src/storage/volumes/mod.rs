//! Volumes: named, checksummed, copied on write, over one pool of blocks.
//!
//! Nothing that is in use is ever written over. A transaction writes data and changed map
//! pages to free blocks, flushes, and has one record in the journal with the new roots; what
//! it replaced is free once the record is durable. So after a power cut there is exactly
//! what the last durable record says.
//!
//! Limits: `VOLUMES_MAX`, `VOLUME_SNAPSHOTS_MAX`, `VOLUME_REQUESTS_MAX` and those beside them.
//! Invariants: a block is free when nothing points to it, in memory and in the last durable
//! transaction; every byte that is read is checked against a checksum that stands elsewhere.

mod cache;
mod changes;
mod commit;
mod counts;
mod directory;
mod errand_reports;
pub mod errands;
mod error;
mod fetching;
mod header;
mod joining;
mod journal;
mod live;
mod making;
mod members;
mod mounting;
mod moving;
mod object_checks;
mod objects;
mod page;
mod pointer;
mod reaper;
mod request;
mod requests;
mod row;
mod scrub;
mod scrub_jobs;
mod serving;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod transfers;
mod tree;
mod view;
mod walk;

pub use changes::{Change, ChangeId};
pub use errands::Wish;
pub use error::{Damage, Failure, VolumeError, What};
pub use journal::{Journal, JournalError, Lsn};
pub use live::VolumeCounters;
pub use members::MemberState;
pub use mounting::{Place, Places};
pub use objects::{Key, ObjectAct};
pub use pointer::{BLOCK_BYTES, BLOCK_SECTORS};
pub use request::{Asker, VolumeDone, VolumeId, VolumeOperation, VolumeRequest};
pub use row::{Kind, Limits, Name, PoolRow, RowError, is_name};
pub use scrub::{Found, Mode, Progress};
pub use state::State;
pub use table::Table;
pub use view::{MemberView, PoolView, SnapshotView, VolumeView};

use crate::base::buffer::Buffer;
use crate::base::time::{Duration, Instant};
use crate::limits::VOLUMES_MAX;
use crate::storage::io::{IoDone, Submit};
use alloc::boxed::Box;
use alloc::vec::Vec;
use cache::Cache;
use changes::Changes;
use commit::{Commit, Open};
use counts::Counts;
use errands::Errands;
use live::Live;
use members::Members;
use mounting::Mounting;
use objects::Objects;
use reaper::Reaper;
use requests::Requests;
use scrub::Scrub;
use transfers::Transfers;

/// What was not made durable on somebody's wish is durable after so long.
pub const COMMIT_AFTER: Duration = Duration::from_secs(1);
/// How often a step looks whether what it did makes more possible.
const TURNS_MAX: usize = 16;

pub struct Volumes {
    phase: Phase,
    table: Table,
    members: Members,
    transfers: Transfers,
    cache: Cache,
    counts: Counts,
    live: Box<[Option<Live>]>,
    open: Open,
    commit: Commit,
    reaper: Reaper,
    changes: Changes,
    requests: Requests,
    scrub: Scrub,
    objects: Objects,
    errands: Errands,
    bounces: Vec<Buffer>,
    /// Trees of which a page is lost: while there is one, nothing is written.
    lost_pages: u64,
    /// Was something deleted of which a page was lost?
    is_recount_wanted: bool,
    /// Is it being unmounted?
    is_leaving: bool,
    now: Instant,
    /// Did the last step stop before it was through?
    is_behind: bool,
}

enum Phase {
    Unmounted,
    Mounting(Box<Mounting>),
    Ready,
    Failed(Failure),
}

impl Volumes {
    /// On the heap at once, for it is large.
    #[inline(never)]
    pub fn boxed() -> Box<Self> {
        Box::new(Self::new())
    }

    /// Without a pool.
    #[inline(never)]
    pub fn new() -> Self {
        let mut live = Vec::with_capacity(VOLUMES_MAX);
        live.resize_with(VOLUMES_MAX, || None);
        Self {
            phase: Phase::Unmounted,
            table: Table::new(),
            members: Members::new(),
            transfers: Transfers::new(),
            cache: Cache::new(),
            counts: Counts::new(),
            live: live.into_boxed_slice(),
            open: Open::new(),
            commit: Commit::new(),
            reaper: Reaper::new(),
            changes: Changes::new(),
            requests: Requests::new(),
            scrub: Scrub::new(),
            objects: Objects::new(),
            errands: Errands::new(),
            bounces: Vec::new(),
            lost_pages: 0,
            is_recount_wanted: false,
            is_leaving: false,
            now: Instant::ZERO,
            is_behind: false,
        }
    }

    /// A disk has answered.
    pub fn on_done(&mut self, done: IoDone) {
        self.transfers.on_done(done, &mut self.members);
    }

    /// Goes on with everything that can go on.
    pub fn step(&mut self, now: Instant, io: &mut dyn Submit, journal: &mut dyn Journal) {
        self.now = now;
        self.is_behind = false;
        for _ in 0..TURNS_MAX {
            let mut has_moved = self.take_ended() | self.take_own_done();
            has_moved |= match &self.phase {
                Phase::Unmounted => false,
                Phase::Mounting(_) => self.go_on_mounting(),
                Phase::Ready => self.work(io, journal),
                Phase::Failed(_) => self.give_everything_back() | self.maybe_forget(),
            };
            has_moved |= self.go_on_with_errands();
            has_moved |= self.transfers.pump(now, &mut self.members, io);
            if !has_moved {
                return;
            }
        }
        self.is_behind = true;
    }

    fn work(&mut self, io: &mut dyn Submit, journal: &mut dyn Journal) -> bool {
        let mut has_moved = self.go_on_committing(journal);
        has_moved |= self.maybe_seal();
        has_moved |= self.serve(io);
        has_moved |= self.reap();
        has_moved |= self.go_on_scrubbing();
        self.bury_the_deleted();
        has_moved | self.maybe_count_anew() | self.maybe_leave()
    }

    /// Looks at the answers to the requests of its own machines. Was there one?
    fn take_own_done(&mut self) -> bool {
        let mut has_moved = false;
        while let Some(done) = self.requests.own_done.pop() {
            has_moved = true;
            match done.request.asker {
                Asker::Objects => self.on_object_io(done),
                _ => self.on_errand_io(done),
            }
        }
        has_moved
    }

    /// Is everything on the disk, and nothing on its way?
    fn is_quiet(&self) -> bool {
        let is_still = self.commit.is_idle()
            && self.reaper.is_idle()
            && self.scrub.is_idle()
            && self.transfers.is_idle();
        is_still && !self.open.has_changes() && !self.has_changes_to_make()
    }

    fn maybe_count_anew(&mut self) -> bool {
        let is_time = self.is_recount_wanted && self.is_quiet();
        if is_time {
            self.is_recount_wanted = false;
            self.count_anew();
        }
        is_time
    }

    /// Takes no more requests, has everything durable, and forgets the pool.
    pub fn unmount(&mut self) {
        self.is_leaving = true;
        self.open.is_wanted = true;
    }

    fn maybe_leave(&mut self) -> bool {
        let is_time = self.is_leaving && self.is_quiet() && self.requests.is_empty();
        if is_time {
            self.forget_pool();
        }
        is_time
    }

    /// The disk is gone or was laid out anew: whoever waits is told, and the pool forgotten.
    pub fn give_up_pool(&mut self) {
        if self.is_mounted() {
            self.is_leaving = true;
            self.phase = Phase::Failed(Failure::NoMember);
        } else {
            // A journal may have told of it already.
            self.forget_pool();
        }
    }

    fn maybe_forget(&mut self) -> bool {
        let is_time = self.is_leaving && self.transfers.is_idle() && self.requests.is_empty();
        if is_time {
            self.forget_pool();
        }
        is_time
    }

    fn forget_pool(&mut self) {
        self.is_leaving = false;
        self.is_recount_wanted = false;
        self.phase = Phase::Unmounted;
        self.table = Table::new();
        self.cache.clear();
        self.open.reset();
        self.commit.reset(0);
        self.scrub.reset();
        self.live.iter_mut().for_each(|live| *live = None);
    }

    pub const fn is_mounted(&self) -> bool {
        !matches!(self.phase, Phase::Unmounted)
    }

    pub const fn is_mounting(&self) -> bool {
        matches!(self.phase, Phase::Mounting(_))
    }

    pub const fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    /// When it wants the next step though nothing happens.
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.is_behind {
            return Some(self.now);
        }
        let is_ready = self.is_ready();
        let can_seal = is_ready && self.commit.is_idle();
        let deadlines = [
            self.transfers.next_deadline(),
            self.open.next_deadline().filter(|_| can_seal),
            self.requests.next_deadline().filter(|_| is_ready),
            self.scrub_deadline().filter(|_| self.is_calm()),
            self.errand_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Why nothing can be asked for; `Ok` when it can.
    fn readiness(&self) -> Result<(), VolumeError> {
        match &self.phase {
            Phase::Ready if self.is_leaving => Err(VolumeError::NotMounted),
            Phase::Unmounted => Err(VolumeError::NotMounted),
            Phase::Mounting(_) => Err(VolumeError::Mounting),
            Phase::Ready => Ok(()),
            Phase::Failed(failure) => Err(VolumeError::PoolFailed(*failure)),
        }
    }

    fn fail(&mut self, failure: Failure) {
        if !matches!(self.phase, Phase::Failed(_)) {
            self.phase = Phase::Failed(failure);
        }
    }

    pub fn volume_named(&self, name: &str) -> Result<VolumeId, VolumeError> {
        self.readiness()?;
        let (slot, row) = self.table.volume_named(name).ok_or(VolumeError::NoVolume)?;
        Ok(VolumeId { slot, id: row.id })
    }
}

#[cfg(test)]
impl Volumes {
    /// All memory that it has, for the next one.
    fn into_buffers(mut self) -> Vec<Buffer> {
        let mut buffers = core::mem::take(&mut self.bounces);
        buffers.extend(self.cache.into_buffers());
        buffers.extend(self.counts.into_buffers());
        buffers.extend(self.transfers.into_buffers());
        let requests = self.requests.slots.iter_mut().flatten();
        buffers.extend(requests.filter_map(|running| running.request.data.take()));
        while let Some(done) = self
            .requests
            .done
            .pop()
            .or_else(|| self.requests.own_done.pop())
        {
            buffers.extend(done.request.data);
        }
        buffers.extend(self.objects.into_buffers());
        buffers.extend(self.errands.into_buffers());
        buffers
    }
}

impl Default for Volumes {
    fn default() -> Self {
        Self::new()
    }
}
