//! Which batches belong to the log, and which are remains.

use super::area::{Area, Place};
use super::header::Header;
use super::superblock::Superblock;

#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub area: Area,
    pub identity: u64,
    pub epoch: u64,
    pub fork: Place,
}

impl Rules {
    pub const fn of(area: Area, superblock: &Superblock) -> Self {
        Self {
            area,
            identity: superblock.identity,
            epoch: superblock.epoch,
            fork: superblock.fork,
        }
    }

    /// Is that batch the one that is expected there? `before` is the one in front of it.
    pub fn fits(&self, header: &Header, at: &Place, before: Option<&Header>) -> bool {
        let is_here = header.number == at.number
            && header.position == at.position
            && header.link == at.link
            && header.identity == self.identity
            && header.sectors() <= self.area.batch_sectors;
        let is_of_its_time = match header.number >= self.fork.number {
            true => header.epoch == self.epoch,
            false => header.epoch < self.epoch,
        };
        // One of a later epoch may give numbers of the one before out again.
        let goes_on = header.lsn == at.lsn
            || before.is_some_and(|before| {
                header.epoch > before.epoch && (before.lsn..at.lsn).contains(&header.lsn)
            });
        let is_in_order = before.is_none_or(|before| header.epoch >= before.epoch);
        is_here && is_of_its_time && goes_on && is_in_order
    }

    /// Was it given up when the epoch began?
    pub const fn is_void(&self, header: &Header) -> bool {
        header.number >= self.fork.number && header.epoch < self.epoch
    }
}
