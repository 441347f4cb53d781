//! Where batches lie: places that only grow, in an area that is a circle.

use super::bytes::{Emitter, u32_at, u64_at};
use super::{LogError, LogId};
use crate::base::disk::SECTOR_BYTES;
use crate::limits::{LOG_BATCH_BYTES, LOG_SMALL_BATCH_BYTES};
use crate::storage::region::Region;

/// Each superblock has these to itself, so that no physical sector of 4 KiB holds two.
pub const SUPERBLOCK_SECTORS: u64 = 8;
/// Behind both superblocks.
const AREA_FIRST: u64 = 2 * SUPERBLOCK_SECTORS;
/// Batches of full length that an area takes at least.
const BATCHES_MIN: u64 = 4;
/// Batches of full length behind which superblocks are written. Recovery reads twice as many
/// behind the end, one after the other, which is what a boot waits for.
const BATCHES_A_SEAL: u64 = 64;
/// Numbers of batches, records and positions beyond are taken for nonsense: nobody
/// writes as much, and sums of them do not overflow.
pub const NUMBER_MAX: u64 = 1 << 60;

/// Which log it is, where, and how much it writes at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogSetup {
    pub id: LogId,
    pub region: Region,
    /// Whole sectors; also of the buffers, of which there are a few.
    pub batch_bytes: usize,
}

/// What is fixed for the life of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Area {
    pub region: Region,
    pub sectors: u64,
    /// Of the longest batch.
    pub batch_sectors: u64,
}

/// Where a batch begins, with what must be true of it there.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Place {
    /// Of the batch, from 1 on.
    pub number: u64,
    /// In sectors since the log was made.
    pub position: u64,
    /// Of its first record.
    pub lsn: u64,
    /// The checksum of the batch before.
    pub link: u32,
}

impl LogSetup {
    /// For records of up to `LOG_RECORD_BYTES_MAX`.
    pub const fn large(id: LogId, region: Region) -> Self {
        Self {
            id,
            region,
            batch_bytes: LOG_BATCH_BYTES,
        }
    }

    /// For records of a few hundred bytes.
    pub const fn small(id: LogId, region: Region) -> Self {
        Self {
            id,
            region,
            batch_bytes: LOG_SMALL_BATCH_BYTES,
        }
    }

    pub(super) fn area(&self) -> Result<Area, LogError> {
        let batch_sectors = (self.batch_bytes / SECTOR_BYTES) as u64;
        let sectors = self.region.sectors.saturating_sub(AREA_FIRST);
        let is_usable = batch_sectors > 0 && sectors >= BATCHES_MIN * batch_sectors;
        match is_usable && sectors < NUMBER_MAX {
            true => Ok(Area {
                region: self.region,
                sectors,
                batch_sectors,
            }),
            false => Err(LogError::RegionTooSmall),
        }
    }
}

impl Area {
    pub const fn superblock(&self, slot: usize) -> u64 {
        self.region.first + slot as u64 * SUPERBLOCK_SECTORS
    }

    /// Where a position is on the disk.
    pub const fn sector(&self, position: u64) -> u64 {
        self.region.first + AREA_FIRST + position % self.sectors
    }

    /// Sectors from a position to the end of the circle.
    pub const fn run(&self, position: u64) -> u64 {
        self.sectors - position % self.sectors
    }

    /// Where the next batch may begin: one never begins where the longest would not fit.
    pub const fn begin(&self, position: u64) -> u64 {
        match self.run(position) < self.batch_sectors {
            true => position + self.run(position),
            false => position,
        }
    }

    /// After so many sectors a superblock says what is safe though nothing rests.
    pub const fn seal_sectors(&self) -> u64 {
        BATCHES_A_SEAL * self.batch_sectors
    }

    /// No batch ends farther behind what both superblocks call safe, so that recovery knows
    /// how far it has to look.
    pub const fn reach_sectors(&self) -> u64 {
        2 * self.seal_sectors()
    }

    pub const fn batch_bytes(&self) -> usize {
        self.batch_sectors as usize * SECTOR_BYTES
    }
}

impl Place {
    pub const BYTES: usize = 28;
    pub const FIRST: Self = Self {
        number: 1,
        position: 0,
        lsn: 1,
        link: 0,
    };

    pub fn parse(bytes: &[u8], at: usize) -> Option<Self> {
        let place = Self {
            number: u64_at(bytes, at)?,
            position: u64_at(bytes, at + 8)?,
            lsn: u64_at(bytes, at + 16)?,
            link: u32_at(bytes, at + 24)?,
        };
        let is_sane = |number: u64| number < NUMBER_MAX;
        let numbers = [place.number, place.position, place.lsn];
        (numbers.into_iter().all(is_sane) && place.number > 0 && place.lsn > 0).then_some(place)
    }

    pub fn emit(&self, emitter: &mut Emitter<'_>) {
        emitter.u64(self.number).u64(self.position);
        emitter.u64(self.lsn).u32(self.link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_begins_where_the_longest_one_fits() {
        let region = Region {
            disk: 0,
            first: 1000,
            sectors: 16 + 40,
        };
        let setup = LogSetup {
            id: LogId(0),
            region,
            batch_bytes: 8 * SECTOR_BYTES,
        };
        let area = setup.area().expect("it is large enough");
        assert_eq!(
            (area.begin(32), area.begin(33), area.begin(39)),
            (32, 40, 40)
        );
        assert_eq!((area.begin(40), area.begin(72 + 1)), (40, 80));
        assert_eq!(
            (area.sector(0), area.sector(40), area.sector(41)),
            (1016, 1016, 1017)
        );
        let small = LogSetup {
            region: region.part(0, 47).expect("a part"),
            ..setup
        };
        assert_eq!(small.area(), Err(LogError::RegionTooSmall));
    }
}
