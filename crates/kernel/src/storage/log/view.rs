//! What is to be seen of a log.

use super::area::LogSetup;
use super::machine::{Log, State};
use super::{Damage, LogError, LogId, Lsn};
use crate::base::metric::Usage;
use crate::limits::{LOG_BATCHES_MAX, LOG_INDEX_MAX};
use crate::storage::region::Region;

/// Since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    pub records: u64,
    pub record_bytes: u64,
    pub batches: u64,
    pub sectors: u64,
    pub flushes: u64,
    /// Times that both superblocks were written.
    pub superblocks: u64,
    /// Times that the newest records were given up.
    pub cuts: u64,
    /// Appends that were refused as all of the area is needed, and as buffers were away.
    pub full: u64,
    pub busy: u64,
    /// Records that made room for newer ones.
    pub given_up: u64,
    pub records_recovered: u64,
    /// What was on its way when the power went.
    pub batches_dropped: u64,
    pub records_dropped: u64,
    pub superblocks_bad: u64,
    pub unreadable_sectors: u64,
    pub losses_accepted: u64,
    pub damaged_reads: u64,
    /// Times that it was read anew as its disk had failed.
    pub reopened: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogView {
    pub id: LogId,
    pub region: Region,
    pub state: LogStateView,
    /// The oldest record that is kept, the next one, and the newest that is safe; unknown
    /// before the log was read.
    pub first: Lsn,
    pub next: Lsn,
    pub durable: Lsn,
    pub used_sectors: u64,
    pub area_sectors: u64,
    pub epoch: u64,
    pub batches_in_flight: usize,
    pub requests_in_flight: usize,
    pub answers_ignored: u64,
    pub counters: Counters,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogStateView {
    Recovering,
    Open,
    Damaged(Damage),
    Failed(LogError),
}

impl LogStateView {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Recovering => "recovering",
            Self::Open => "open",
            Self::Damaged(_) => "damaged",
            Self::Failed(_) => "failed",
        }
    }
}

impl Log {
    pub fn view(&self) -> LogView {
        let state = match self.state {
            State::Recovering => LogStateView::Recovering,
            State::Open => LogStateView::Open,
            State::Damaged(damage) => LogStateView::Damaged(damage),
            State::Failed(error) => LogStateView::Failed(error),
        };
        let end = self.next.position;
        LogView {
            id: self.id,
            region: self.area.region,
            state,
            first: self.first_lsn(),
            next: self.next_lsn(),
            durable: self.durable().through(),
            used_sectors: end.saturating_sub(self.confirmed.head.position),
            area_sectors: self.area.sectors,
            epoch: self.superblock.epoch,
            batches_in_flight: self.flights.len(),
            requests_in_flight: self.requests.in_flight(),
            answers_ignored: self.requests.answers_ignored,
            counters: self.counters,
        }
    }

    /// The random number that it got when it was made; known once it was read.
    pub const fn identity(&self) -> u64 {
        self.superblock.identity
    }

    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    pub const fn is_recovering(&self) -> bool {
        matches!(self.state, State::Recovering)
    }

    /// Has the disk nothing of it? Then it may be dropped.
    pub fn is_idle(&self) -> bool {
        self.requests.is_empty()
    }

    /// Bytes of memory that disks reach, for each log of that size.
    pub const fn memory_bytes(setup: &LogSetup) -> usize {
        crate::limits::LOG_BUFFERS_MAX * setup.batch_bytes + crate::base::disk::SECTOR_BYTES
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        let batches = self.flights.len() as u64;
        visit(&Usage::of("LOG_BATCHES_MAX", LOG_BATCHES_MAX).used(batches));
        let places = self.index.len() as u64;
        visit(&Usage::of("LOG_INDEX_MAX", LOG_INDEX_MAX).used(places));
    }
}
