//! Transactions: one is open and takes changes, one is on its way to the disk.
//!
//! Invariants: pages are written and flushed before their record is appended; what a
//! transaction gives up is free only when its record is durable.

use super::error::Failure;
use super::journal::{Journal, JournalError, Lsn};
use super::page::LEVELS_MAX;
use super::row::{Record, Row};
use super::transfers::{Purpose, Wish};
use super::tree::{GivenUp, seal};
use super::{COMMIT_AFTER, Volumes};
use crate::base::crc32c::crc32c;
use crate::base::disk::DiskOperation;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::limits::VOLUME_FREED_MAX;
use crate::storage::io::Priority;
use alloc::boxed::Box;

/// Rows that say anew whether their volumes are whole, in one transaction; others wait.
const DAMAGED_ROWS_MAX: usize = 8;

/// The transaction that takes changes.
pub struct Open {
    pub generation: u64,
    pub given_up: GivenUp,
    /// When its first change was made.
    pub since: Option<Instant>,
    /// Does somebody wait for it to be durable?
    pub is_wanted: bool,
    /// Has the row of the pool changed?
    pub is_pool_changed: bool,
}

/// The transaction that is on its way.
pub struct Commit {
    stage: Stage,
    generation: u64,
    given_up: GivenUp,
    /// Here while nobody fills it.
    record: Option<Box<Record>>,
    /// Pages that are being written.
    writing: usize,
    began: Instant,
    /// The last one that is durable.
    pub durable: u64,
    pub count: u64,
    /// From the seal to the durable record, all together and the longest.
    pub took: Duration,
    pub took_max: Duration,
    /// Where the table that is being appended begins.
    table: Option<Lsn>,
    table_rows: usize,
    pub checkpoints: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    Pages,
    Flushing,
    Record,
    Journal(Lsn),
    GivingUp,
    /// The whole table goes into the journal.
    Table,
    TableDurable(Lsn),
}

impl Open {
    pub fn new() -> Self {
        Self {
            generation: 1,
            given_up: GivenUp::new(),
            since: None,
            is_wanted: false,
            is_pool_changed: false,
        }
    }

    /// Begins anew, at a mount.
    pub fn reset(&mut self) {
        self.given_up.clear();
        self.since = None;
        self.is_wanted = false;
        self.is_pool_changed = false;
    }

    pub fn has_changes(&self) -> bool {
        self.since.is_some()
    }

    /// Something was changed.
    pub fn touch(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.since.map(|since| since + COMMIT_AFTER)
    }
}

impl Commit {
    pub fn new() -> Self {
        Self {
            stage: Stage::Idle,
            generation: 0,
            given_up: GivenUp::new(),
            record: Some(Box::new(Record::new(0))),
            writing: 0,
            began: Instant::ZERO,
            durable: 0,
            count: 0,
            took: Duration::ZERO,
            took_max: Duration::ZERO,
            table: None,
            table_rows: 0,
            checkpoints: 0,
        }
    }

    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Begins anew, at a mount.
    pub fn reset(&mut self, generation: u64) {
        self.stage = Stage::Idle;
        self.given_up.clear();
        self.writing = 0;
        self.durable = generation;
        self.table = None;
    }

    fn bytes(&self) -> &[u8] {
        self.record.as_ref().map_or(&[], |record| record.bytes())
    }

    /// The transaction on its way, if there is one.
    pub fn generation(&self) -> Option<u64> {
        let is_under_way = !matches!(
            self.stage,
            Stage::Idle | Stage::GivingUp | Stage::Table | Stage::TableDurable(_)
        );
        is_under_way.then_some(self.generation)
    }
}

impl Volumes {
    /// Closes the open transaction, if it is time for that.
    pub(super) fn maybe_seal(&mut self) -> bool {
        if !self.commit.is_idle() {
            return false;
        }
        let is_due = self.open.next_deadline().is_some_and(|at| at <= self.now);
        let is_large = self.open.given_up.blocks.len() > VOLUME_FREED_MAX / 2;
        let has_work = self.open.has_changes() && (self.open.is_wanted || is_due || is_large);
        if !has_work && !self.has_changes_to_make() {
            return false;
        }
        self.seal();
        true
    }

    fn seal(&mut self) {
        let generation = self.open.generation;
        self.table.begin(generation);
        let Some(mut record) = self.commit.record.take() else {
            return;
        };
        record.begin(generation);
        self.seal_pages();
        if self.open.is_pool_changed
            && let Some(pool) = self.pool_row()
        {
            self.put_row(&mut record, Row::Pool(pool));
        }
        let mut damaged_left = DAMAGED_ROWS_MAX;
        for slot in 0..self.live.len() {
            self.seal_volume(slot, &mut record, &mut damaged_left);
        }
        self.make_changes(generation, &mut record);
        self.commit.record = Some(record);
        core::mem::swap(&mut self.commit.given_up, &mut self.open.given_up);
        self.open.generation = generation + 1;
        self.open.since = None;
        self.open.is_wanted = false;
        self.open.is_pool_changed = false;
        self.commit.generation = generation;
        self.commit.began = self.now;
        self.commit.stage = Stage::Pages;
        self.maybe_take_hold();
    }

    fn seal_pages(&mut self) {
        for level in 0..LEVELS_MAX {
            while let Some((frame, volume)) = {
                let mut dirty = self.cache.dirty_at(level);
                dirty.next()
            } {
                let crc = crc32c(self.cache.bytes(frame));
                match self.live[volume].as_mut() {
                    Some(live) => {
                        seal(&mut self.cache, frame, crc, &mut live.tree, live.levels);
                    }
                    // Nobody has it any more; it is written and given up like others.
                    None => drop(self.cache.seal(frame, crc)),
                }
            }
        }
    }

    fn seal_volume(&mut self, slot: usize, record: &mut Record, damaged_left: &mut usize) {
        let Some(live) = self.live[slot].as_mut() else {
            return;
        };
        let (id, tree, is_damaged) = (live.id, live.tree, live.is_damaged);
        let is_changed = core::mem::take(&mut live.is_changed);
        let Some(row) = self.table.volume(slot).filter(|row| row.id == id) else {
            return;
        };
        if row.is_damaged != is_damaged && *damaged_left > 0 {
            *damaged_left -= 1;
            let mut row = row.clone();
            row.is_damaged = is_damaged;
            row.tree = tree;
            self.put_row(record, Row::Volume(slot, row));
        } else if is_changed {
            self.put_row(record, Row::Tree(slot, id, tree));
        }
    }

    /// Puts a row of our own into the table and the record. There is room: see `has_room_for`.
    pub(super) fn put_row(&mut self, record: &mut Record, row: Row) {
        let is_kept = record.push(&row).is_ok();
        let result = self.table.apply(row);
        crate::invariant!(
            is_kept && result.is_ok(),
            "a row of the volumes does not fit: {result:?}"
        );
    }

    pub(super) fn go_on_committing(&mut self, journal: &mut dyn Journal) -> bool {
        let lost = journal.take_lost();
        self.drop_members(lost);
        let is_alone = lost != 0 && self.members.healthy().next().is_none();
        if journal.has_failed() || is_alone {
            self.fail(Failure::Journal);
            return true;
        }
        let before = self.commit.stage;
        match before {
            Stage::Idle => {
                if journal.wants_checkpoint() {
                    self.commit.stage = Stage::Table;
                    self.commit.table_rows = 0;
                    self.commit.table = None;
                }
            }
            Stage::Pages => self.write_pages(),
            Stage::Flushing => {}
            Stage::Record => match self.append_transaction(journal) {
                Ok(lsn) => self.commit.stage = Stage::Journal(lsn),
                Err(JournalError::Full) => {}
                Err(JournalError::Failed) => self.fail(Failure::Journal),
            },
            Stage::Journal(lsn) => match self.missed_unsaid() {
                0 if journal.is_durable(lsn) => self.become_durable(),
                0 => {}
                missed => self.say_missed(missed, journal),
            },
            Stage::GivingUp => self.give_up(),
            Stage::Table => self.append_table(journal),
            Stage::TableDurable(last) => {
                if journal.is_durable(last) {
                    if let Some(first) = self.commit.table {
                        journal.checkpoint(first);
                    }
                    self.commit.checkpoints += 1;
                    self.commit.stage = Stage::Idle;
                }
            }
        }
        self.commit.stage != before
    }

    fn write_pages(&mut self) {
        while self.transfers.space() > 0
            && let Some(frame) = self.cache.next_sealed()
            && let Some((pointer, buffer)) = self.cache.begin_writing(frame)
        {
            self.commit.writing += 1;
            let wish = Wish {
                purpose: Purpose::PageOut(frame),
                operation: DiskOperation::Write,
                block: pointer.block,
                blocks: 1,
                priority: Priority::URGENT,
                tenant: Tenant::KERNEL,
                deadline: None,
            };
            self.transfers.start(wish, Some(buffer), &self.members);
        }
        let is_written = self.commit.writing == 0 && self.cache.next_sealed().is_none();
        if is_written && self.transfers.space() > 0 {
            self.commit.stage = Stage::Flushing;
            let wish = Wish {
                purpose: Purpose::Flush,
                operation: DiskOperation::Flush,
                block: 0,
                blocks: 0,
                priority: Priority::URGENT,
                tenant: Tenant::KERNEL,
                deadline: None,
            };
            self.transfers.start(wish, None, &self.members);
        }
    }

    pub(super) fn on_page_written(&mut self) {
        self.commit.writing -= 1;
    }

    pub(super) fn on_flushed(&mut self) {
        if self.commit.stage == Stage::Flushing {
            self.commit.stage = Stage::Record;
        }
    }

    fn become_durable(&mut self) {
        self.commit.durable = self.commit.generation;
        self.commit.count += 1;
        let took = self.now.since(self.commit.began);
        self.commit.took =
            Duration::from_nanos(self.commit.took.as_nanos().saturating_add(took.as_nanos()));
        self.commit.took_max = self.commit.took_max.max(took);
        self.commit.stage = Stage::GivingUp;
        self.on_durable_changes(self.commit.durable);
    }

    fn give_up(&mut self) {
        while let Some(block) = self.commit.given_up.blocks.pop() {
            self.counts.lower(block);
        }
        while let Some(tree) = self.commit.given_up.trees.last() {
            if !self.reaper.take(*tree, &mut self.counts) {
                return;
            }
            self.commit.given_up.trees.pop();
        }
        self.commit.stage = Stage::Idle;
    }

    fn append_transaction(&mut self, journal: &mut dyn Journal) -> Result<Lsn, JournalError> {
        // What it has written, and a member has not got, is known by now. There is room, for
        // each change left more than it needs.
        let missed = self.missed_unsaid();
        if missed != 0
            && let Some(mut record) = self.commit.record.take()
        {
            self.table.miss(missed);
            if let Some(pool) = self.table.pool().cloned() {
                self.put_row(&mut record, Row::Pool(pool));
            }
            self.commit.record = Some(record);
        }
        journal.append(self.commit.bytes())
    }

    /// A member that failed meanwhile is called stale before anybody is answered: what is
    /// promised then need not be on its disk, and so nobody may take it for whole later.
    fn say_missed(&mut self, missed: u8, journal: &mut dyn Journal) {
        let (Some(mut record), Some(mut pool)) =
            (self.commit.record.take(), self.table.pool().cloned())
        else {
            return;
        };
        pool.stale |= missed;
        record.begin(self.commit.generation);
        // An empty record takes a row.
        let _ = record.push(&Row::Pool(pool));
        match journal.append(record.bytes()) {
            Ok(lsn) => {
                self.table.miss(missed);
                self.commit.stage = Stage::Journal(lsn);
            }
            Err(JournalError::Full) => {}
            Err(JournalError::Failed) => self.fail(Failure::Journal),
        }
        self.commit.record = Some(record);
    }

    /// Says the whole table, so that the journal can forget what was before.
    fn append_table(&mut self, journal: &mut dyn Journal) {
        let Some(mut record) = self.commit.record.take() else {
            return;
        };
        self.append_rows(&mut record, journal);
        self.commit.record = Some(record);
    }

    fn append_rows(&mut self, record: &mut Record, journal: &mut dyn Journal) {
        loop {
            record.begin(self.table.generation());
            // There is room for these in each: a row that fits is far from filling it.
            let first = match self.commit.table {
                None => Row::Anew,
                Some(_) => Row::More,
            };
            let _ = record.push(&first);
            let rows = self.table.rows().skip(self.commit.table_rows);
            let has_room = |record: &Record| record.has_room();
            let taken = rows
                .take_while(|row| has_room(record) && record.push(row).is_ok())
                .count();
            let is_last = self.commit.table_rows + taken == self.table.rows().count();
            if is_last {
                let _ = record.push(&Row::Whole);
            }
            if self.commit.table.is_none() {
                journal.begin_table();
            }
            match journal.append(record.bytes()) {
                Ok(lsn) => {
                    self.commit.table.get_or_insert(lsn);
                    self.commit.table_rows += taken;
                    if is_last {
                        self.commit.stage = Stage::TableDurable(lsn);
                        return;
                    }
                }
                Err(JournalError::Full) => return,
                Err(JournalError::Failed) => {
                    self.fail(Failure::Journal);
                    return;
                }
            }
        }
    }

    pub(super) fn is_giving_up(&self) -> bool {
        !self.commit.given_up.is_empty() || !self.open.given_up.is_empty()
    }
}
