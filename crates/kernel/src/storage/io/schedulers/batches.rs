//! Reads and writes in batches by place, and a list by expiry.
//!
//! What Deadline and MQ-Deadline have in common, after the Linux schedulers of those
//! names: reads go first, writes are passed over `WRITES_STARVED` times at most, and a
//! batch begins with the request that has expired if one has.

use super::sorted::Sorted;
use super::table::Table;
use super::{SlotIndex, Waiting};
use crate::base::disk::DiskOperation;
use crate::base::time::{Duration, Instant};

/// By when a request is wanted that says nothing itself.
pub(super) const READ_EXPIRY: Duration = Duration::from_millis(500);
pub(super) const WRITE_EXPIRY: Duration = Duration::from_secs(5);
/// Requests that go by place before expiry is looked at again.
pub(super) const BATCH_REQUESTS: u32 = 16;
/// Batches of reads while writes wait.
pub(super) const WRITES_STARVED: u32 = 2;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    Read,
    Write,
}

impl Direction {
    /// Whatever changes the disk counts as a write.
    pub const fn of(operation: DiskOperation) -> Self {
        match operation {
            DiskOperation::Read => Self::Read,
            _ => Self::Write,
        }
    }
}

#[derive(Default)]
pub(super) struct Batches {
    by_sector: Sorted,
    by_expiry: Sorted,
    /// Which requests go now, and how many of them went.
    batch: Option<(Direction, u32)>,
    /// Where the next read and the next write is sought.
    places: [u64; 2],
    starved: u32,
}

impl Batches {
    pub fn add(&mut self, waiting: &Waiting) {
        let (group, expiry) = keys(waiting);
        self.by_sector.insert(group, waiting.sector, waiting.slot);
        self.by_expiry
            .insert(group, expiry.as_nanos(), waiting.slot);
    }

    pub fn remove(&mut self, waiting: &Waiting) {
        let (group, expiry) = keys(waiting);
        self.by_sector.remove(group, waiting.sector, waiting.slot);
        self.by_expiry
            .remove(group, expiry.as_nanos(), waiting.slot);
    }

    pub fn has(&self, direction: Direction) -> bool {
        self.by_sector.has(direction as u16)
    }

    /// The slot that goes next; the caller removes it. Writes may be out of the question.
    pub fn pick(&mut self, now: Instant, may_write: bool, table: &Table) -> Option<SlotIndex> {
        let may = |direction| direction == Direction::Read || may_write;
        if let Some((direction, went)) = self.batch
            && went < BATCH_REQUESTS
            && may(direction)
            && let Some((sector, slot)) = self.ahead(direction)
        {
            return Some(self.go(direction, sector, slot, went + 1));
        }
        let has = [Direction::Read, Direction::Write].map(|it| may(it) && self.has(it));
        let direction = match has {
            [false, false] => return None,
            [true, false] => Direction::Read,
            [false, true] => Direction::Write,
            [true, true] if self.starved < WRITES_STARVED => Direction::Read,
            [true, true] => Direction::Write,
        };
        self.starved = match (direction, self.has(Direction::Write)) {
            (Direction::Read, true) => self.starved.saturating_add(1),
            _ => 0,
        };
        let (sector, slot) = self.first_of_batch(now, direction, table)?;
        Some(self.go(direction, sector, slot, 1))
    }

    fn ahead(&self, direction: Direction) -> Option<(u64, SlotIndex)> {
        let group = direction as u16;
        self.by_sector
            .at_or_above(group, self.places[direction as usize])
    }

    /// What has expired longest, else what lies behind the batch before.
    fn first_of_batch(
        &self,
        now: Instant,
        direction: Direction,
        table: &Table,
    ) -> Option<(u64, SlotIndex)> {
        let (expiry, slot) = self.by_expiry.first(direction as u16)?;
        if expiry <= now.as_nanos() {
            let sector = table.get(slot)?.sector;
            return Some((sector, slot));
        }
        self.ahead(direction)
            .or_else(|| self.by_sector.first(direction as u16))
    }

    fn go(&mut self, direction: Direction, sector: u64, slot: SlotIndex, went: u32) -> SlotIndex {
        self.batch = Some((direction, went));
        self.places[direction as usize] = sector;
        slot
    }
}

/// Its group, and by when it is wanted: its own wish counts when it is earlier.
fn keys(waiting: &Waiting) -> (u16, Instant) {
    let direction = Direction::of(waiting.operation);
    let after = match direction {
        Direction::Read => READ_EXPIRY,
        Direction::Write => WRITE_EXPIRY,
    };
    let usual = waiting.arrived + after;
    let expiry = waiting.deadline.map_or(usual, |wish| wish.min(usual));
    (direction as u16, expiry)
}
