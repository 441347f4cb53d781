//! The superblock: where the log begins, its epoch, and what is safe.

use super::area::{Area, NUMBER_MAX, Place};
use super::bytes::{Emitter, u32_at, u64_at};
use crate::base::crc32c::crc32c;
use crate::base::disk::SECTOR_BYTES;

const MAGIC: &[u8; 8] = b"rayoslog";
const VERSION: u32 = 1;
/// Behind the numbers.
const PLACES_AT: usize = 72;
const CHECKED_BYTES: usize = PLACES_AT + 2 * Place::BYTES;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Superblock {
    pub identity: u64,
    /// Of two whole superblocks the one with the greater is true.
    pub generation: u64,
    pub epoch: u64,
    /// Sizes that the log was made with.
    pub sectors: u64,
    pub batch_sectors: u64,
    /// The oldest batch that is needed, and the oldest record of it.
    pub head: Place,
    pub keep_from: u64,
    /// Where the epoch began: all before is safe, and all at or behind it of other epochs void.
    pub fork: Place,
    /// Batches below that number were on the disk when this was written.
    pub synced: u64,
    /// Behind the last of them.
    pub synced_position: u64,
}

impl Superblock {
    pub const fn fresh(identity: u64, area: &Area) -> Self {
        Self {
            identity,
            generation: 1,
            epoch: 1,
            sectors: area.sectors,
            batch_sectors: area.batch_sectors,
            head: Place::FIRST,
            keep_from: 1,
            fork: Place::FIRST,
            synced: 1,
            synced_position: 0,
        }
    }

    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let checked = bytes.get(..CHECKED_BYTES)?;
        if !checked.starts_with(MAGIC) || u32_at(bytes, CHECKED_BYTES)? != crc32c(checked) {
            return None;
        }
        if u32_at(bytes, 8)? != VERSION {
            return None;
        }
        let superblock = Self {
            batch_sectors: u64::from(u32_at(bytes, 12)?),
            identity: u64_at(bytes, 16)?,
            generation: u64_at(bytes, 24)?,
            epoch: u64_at(bytes, 32)?,
            sectors: u64_at(bytes, 40)?,
            keep_from: u64_at(bytes, 48)?,
            synced: u64_at(bytes, 56)?,
            synced_position: u64_at(bytes, 64)?,
            head: Place::parse(bytes, PLACES_AT)?,
            fork: Place::parse(bytes, PLACES_AT + Place::BYTES)?,
        };
        let numbers = [
            superblock.generation,
            superblock.epoch,
            superblock.keep_from,
            superblock.synced,
            superblock.synced_position,
        ];
        numbers
            .into_iter()
            .all(|number| number < NUMBER_MAX)
            .then_some(superblock)
    }

    pub fn emit(&self, bytes: &mut [u8; SECTOR_BYTES]) {
        bytes.fill(0);
        let mut emitter = Emitter::new(bytes);
        emitter.put(MAGIC).u32(VERSION);
        emitter.u32(self.batch_sectors as u32).u64(self.identity);
        emitter.u64(self.generation).u64(self.epoch);
        emitter.u64(self.sectors).u64(self.keep_from);
        emitter.u64(self.synced).u64(self.synced_position);
        self.head.emit(&mut emitter);
        self.fork.emit(&mut emitter);
        let checksum = crc32c(emitter.written());
        emitter.u32(checksum);
    }

    /// All batches below that place are on the disk.
    pub const fn set_synced(&mut self, place: Place) {
        self.synced = place.number;
        self.synced_position = place.position;
    }

    /// Was it made for an area of that size?
    pub const fn fits(&self, area: &Area) -> bool {
        self.sectors == area.sectors && self.batch_sectors == area.batch_sectors
    }

    /// Do its places go together? A checksum does not vouch for who wrote it.
    pub const fn is_consistent(&self, area: &Area) -> bool {
        let (head, fork) = (&self.head, &self.fork);
        let is_in_order = match head.number == fork.number {
            true => head.position == fork.position && head.link == fork.link,
            false => (head.number < fork.number) == (head.position < fork.position),
        };
        let is_in_reach = fork.position <= head.position.saturating_add(area.sectors);
        let may_begin = area.begin(head.position) == head.position
            && area.begin(fork.position) == fork.position;
        is_in_order && is_in_reach && may_begin
    }
}
