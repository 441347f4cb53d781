//! What a fresh log is: two superblocks. The rest is of another log.

use super::area::{Area, SUPERBLOCK_SECTORS};
use super::superblock::Superblock;
use super::{Log, LogError, LogSetup};
use crate::base::disk::SECTOR_BYTES;
use crate::storage::layout::Draft;

pub struct LogDraft {
    superblock: Superblock,
    slot: u64,
}

impl LogDraft {
    /// `identity` is random, so that the remains of other logs are told apart.
    pub fn new(setup: &LogSetup, identity: u64) -> Result<Self, LogError> {
        Ok(Self::of(&setup.area()?, identity))
    }

    const fn of(area: &Area, identity: u64) -> Self {
        Self {
            superblock: Superblock::fresh(identity, area),
            slot: 0,
        }
    }
}

impl Draft for LogDraft {
    fn next(&mut self, buffer: &mut [u8]) -> Option<(u64, u64)> {
        let sector = buffer.first_chunk_mut::<SECTOR_BYTES>()?;
        let slot = (self.slot < 2).then_some(self.slot)?;
        self.superblock.emit(sector);
        self.slot += 1;
        self.superblock.generation += 1;
        Some((slot * SUPERBLOCK_SECTORS, 1))
    }
}

impl Log {
    /// The sectors of a new log, by their places on the disk.
    pub fn format(
        setup: &LogSetup,
        identity: u64,
        write: &mut dyn FnMut(u64, &[u8; SECTOR_BYTES]),
    ) -> Result<(), LogError> {
        let mut draft = LogDraft::new(setup, identity)?;
        let mut sector = [0; SECTOR_BYTES];
        while let Some((first, _)) = draft.next(&mut sector) {
            write(setup.region.first + first, &sector);
        }
        Ok(())
    }
}
