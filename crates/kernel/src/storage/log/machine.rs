//! The log itself: takes records, sends batches, says what is safe.

use super::area::{Area, LogSetup, Place};
use super::batch::Batch;
use super::control::Control;
use super::cutting::Cutting;
use super::flights::Flights;
use super::header::{FRAME_BYTES, HEADER_BYTES};
use super::index::Index;
use super::judgement::Damage;
use super::reader::Reader;
use super::recovery::Recovery;
use super::requests::Requests;
use super::rules::Rules;
use super::superblock::Superblock;
use super::view::Counters;
use super::walk::Walk;
use super::{Durable, LogError, LogId, Lsn};
use crate::base::buffer::Buffer;
use crate::base::disk::SECTOR_BYTES;
use crate::base::fixed::Vec;
use crate::base::time::{Duration, Instant};
use crate::limits::{LOG_BUFFERS_MAX, LOG_RECORD_BYTES_MAX};
use crate::storage::io::{IoError, Memory, Submit};

/// So long after the last batch was safe a superblock says so, for there may be no
/// later batch that does.
pub const SEAL_AFTER: Duration = Duration::from_millis(100);
/// A checkpoint is written at once when it frees such a part of the area.
const FREED_PART: u64 = 8;

pub struct Log {
    pub(super) id: LogId,
    pub(super) area: Area,
    pub(super) state: State,
    /// What is to be in the superblocks, and what is in both.
    pub(super) superblock: Superblock,
    pub(super) confirmed: Superblock,
    pub(super) requests: Requests,
    pub(super) buffers: Vec<Buffer, LOG_BUFFERS_MAX>,
    /// Memory of one sector.
    pub(super) block: Option<Buffer>,
    pub(super) filling: Option<Batch>,
    /// Where the next batch goes; its record's number is right even before a cut is done.
    pub(super) next: Place,
    /// Behind the last batch that is safe.
    pub(super) synced: Place,
    pub(super) flights: Flights,
    pub(super) control: Control,
    /// The record behind which all is to be given up, as long as that is not on the disk.
    pub(super) cut: Option<u64>,
    pub(super) cutting: Option<Cutting>,
    pub(super) recovery: Option<Recovery>,
    pub(super) reader: Option<Reader>,
    pub(super) index: Index,
    pub(super) counters: Counters,
    pub(super) has_cache: bool,
    /// When something last became safe.
    pub(super) progress_at: Instant,
    pub(super) is_update_wanted: bool,
    /// Of the log with this identity, batches below that number were safe when it failed.
    pub(super) proven: Option<(u64, u64)>,
    /// A sector that cannot be read is not taken for an empty one.
    pub(super) is_patient: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Recovering,
    Open,
    Damaged(Damage),
    Failed(LogError),
}

/// What was taken is given back when there is not enough.
fn take_memory(
    area: &Area,
    memory: &mut dyn Memory,
) -> Result<(Vec<Buffer, LOG_BUFFERS_MAX>, Buffer), LogError> {
    let mut buffers = Vec::new();
    let block = memory.take_buffer(SECTOR_BYTES);
    while !buffers.is_full() {
        match memory.take_buffer(area.batch_bytes()) {
            // The loop ends when the list is full.
            Some(buffer) => drop(buffers.push(buffer)),
            None => break,
        }
    }
    match block {
        Some(block) if buffers.is_full() => Ok((buffers, block)),
        block => {
            let all = block
                .into_iter()
                .chain(core::iter::from_fn(|| buffers.pop()));
            all.for_each(|buffer| memory.give_back(buffer));
            Err(LogError::NoMemory)
        }
    }
}

impl Log {
    /// Takes all the memory that it will ever use, and begins to read what is there.
    #[inline(never)]
    pub fn open(setup: &LogSetup, memory: &mut dyn Memory) -> Result<Self, LogError> {
        let area = setup.area()?;
        let index = Index::new()?;
        let (buffers, block) = take_memory(&area, memory)?;
        let nothing = Superblock::fresh(0, &area);
        Ok(Self {
            id: setup.id,
            area,
            state: State::Recovering,
            superblock: nothing,
            confirmed: nothing,
            requests: Requests::new(setup.id, area.region.disk),
            buffers,
            block: Some(block),
            filling: None,
            next: Place::FIRST,
            synced: Place::FIRST,
            flights: Flights::default(),
            control: Control::new(),
            cut: None,
            cutting: None,
            recovery: Some(Recovery::new()),
            reader: None,
            index,
            counters: Counters::default(),
            has_cache: true,
            progress_at: Instant::ZERO,
            is_update_wanted: false,
            proven: None,
            is_patient: false,
        })
    }

    /// Bytes of the longest record that it takes.
    pub fn record_bytes_max(&self) -> usize {
        let fits = self.area.batch_bytes() - HEADER_BYTES - FRAME_BYTES;
        fits.min(LOG_RECORD_BYTES_MAX)
    }

    /// Copies a record into the batch that is being filled. It is not safe before
    /// `durable` covers it.
    pub fn append(&mut self, record: &[u8]) -> Result<Lsn, LogError> {
        self.check_open()?;
        let bytes_max = self.record_bytes_max();
        if record.len() > bytes_max {
            let bytes = record.len();
            return Err(LogError::TooLong { bytes, bytes_max });
        }
        let lsn = self.next_lsn().0;
        let fits = |batch: &Batch| batch.sectors_with(record.len()) <= self.area.batch_sectors;
        if !self.filling.as_ref().is_none_or(fits) {
            self.counters.busy += 1;
            return Err(LogError::Busy);
        }
        self.check_space(record.len())?;
        if self.filling.is_none() {
            let Some(buffer) = self.buffers.pop() else {
                self.counters.busy += 1;
                return Err(LogError::Busy);
            };
            self.filling = Some(Batch::new(buffer, lsn));
        }
        if let Some(batch) = &mut self.filling {
            batch.push(record);
        }
        self.counters.records += 1;
        self.counters.record_bytes += record.len() as u64;
        Ok(Lsn(lsn))
    }

    /// Is there room in the area in front of what is needed?
    fn check_space(&mut self, record_bytes: usize) -> Result<(), LogError> {
        let least = (HEADER_BYTES + FRAME_BYTES + record_bytes).div_ceil(SECTOR_BYTES) as u64;
        let filling = self.filling.as_ref();
        let sectors = filling.map_or(least, |batch| batch.sectors_with(record_bytes));
        let end = self.next.position + sectors;
        if end.saturating_sub(self.confirmed.head.position) <= self.area.sectors {
            return Ok(());
        }
        // What was given up by a checkpoint is free once both superblocks say so.
        if self.superblock.head.position > self.confirmed.head.position {
            self.is_update_wanted = true;
            self.counters.busy += 1;
            return Err(LogError::Busy);
        }
        // What is behind the cut is free once it is done.
        if self.cut.is_some() {
            self.counters.busy += 1;
            return Err(LogError::Busy);
        }
        self.counters.full += 1;
        Err(LogError::Full)
    }

    pub(super) const fn check_open(&self) -> Result<(), LogError> {
        match self.state {
            State::Open => Ok(()),
            State::Recovering => Err(LogError::Recovering),
            State::Damaged(_) => Err(LogError::Damaged),
            State::Failed(error) => Err(error),
        }
    }

    /// The number that the next record gets.
    pub fn next_lsn(&self) -> Lsn {
        Lsn(self.filling.as_ref().map_or(self.next.lsn, Batch::next_lsn))
    }

    /// The oldest record that is kept.
    pub const fn first_lsn(&self) -> Lsn {
        Lsn(self.superblock.keep_from)
    }

    /// What a power cut leaves.
    pub fn durable(&self) -> Durable {
        // What a recovery has read may be in the disk's cache only.
        let is_known = match self.state {
            State::Open => true,
            State::Failed(_) => self.recovery.is_none(),
            State::Recovering | State::Damaged(_) => false,
        };
        let safe = if is_known { self.synced.lsn - 1 } else { 0 };
        Durable {
            through: safe.min(self.cut.unwrap_or(u64::MAX)),
        }
    }

    /// Records before that one are not needed any more; their space is used again.
    pub fn checkpoint(&mut self, keep_from: Lsn) -> Result<(), LogError> {
        self.check_open()?;
        if keep_from > self.next_lsn() {
            return Err(LogError::OutOfRange);
        }
        if keep_from.0 <= self.superblock.keep_from {
            return Ok(());
        }
        self.superblock.keep_from = keep_from.0;
        let is_all = keep_from.0 >= self.next.lsn && self.cut.is_none();
        let head = match is_all {
            true => Some(self.next),
            // What is behind a cut is void: the log never begins there.
            false => self
                .index
                .find(keep_from.0.min(self.cut.unwrap_or(u64::MAX - 1) + 1)),
        };
        if let Some(head) = head.filter(|head| head.number > self.superblock.head.number) {
            self.superblock.head = head;
            self.index.drop_before(head.number);
        }
        let freed = self.superblock.head.position - self.confirmed.head.position;
        self.is_update_wanted |= freed >= self.area.sectors / FREED_PART;
        Ok(())
    }

    /// Has a superblock say what is safe now, as before the power goes.
    pub const fn seal(&mut self) {
        self.is_update_wanted = true;
    }

    /// Does what can be done now. While it recovers, `recovered` gets old records in
    /// their order; they count once it is open.
    pub fn step(
        &mut self,
        now: Instant,
        io: &mut dyn Submit,
        recovered: &mut dyn FnMut(Lsn, &[u8]),
    ) {
        self.requests.is_refused = false;
        match io.facts(self.area.region.disk) {
            Some(facts) => {
                self.has_cache = facts.has_write_cache;
                if facts.transfer_bytes_max < self.area.batch_bytes() {
                    self.fail(LogError::TransferTooSmall);
                }
            }
            None => self.fail(LogError::Disk(IoError::NoDisk)),
        }
        match self.state {
            State::Recovering => self.step_recovery(now, io, recovered),
            State::Open => {
                self.step_cutting(now, io);
                self.step_reader(now, io);
                self.send(now, io);
                self.maybe_update(now);
            }
            State::Failed(LogError::Damaged) => self.maybe_update(now),
            State::Damaged(_) | State::Failed(_) => return,
        }
        self.step_control(now, io);
    }

    pub(super) const fn rules(&self) -> Rules {
        Rules::of(self.area, &self.superblock)
    }

    pub(super) fn fail(&mut self, error: LogError) {
        if !matches!(self.state, State::Failed(_)) {
            self.state = State::Failed(error);
        }
    }

    pub(super) fn fail_if(&mut self, error: Option<IoError>) {
        if let Some(error) = error {
            self.fail(LogError::Disk(error));
        }
    }

    pub(super) fn give_back(&mut self, buffer: Buffer) {
        let kept = self.buffers.push(buffer);
        crate::invariant!(kept.is_ok(), "a log has more buffers than it was given");
    }

    pub(super) fn buffers_back(&mut self, buffer: Option<Buffer>) {
        if let Some(buffer) = buffer {
            self.give_back(buffer);
        }
    }

    pub(super) fn take_back(&mut self, walk: Walk) {
        for buffer in walk.into_buffers() {
            self.buffers_back(buffer);
        }
    }
}
