//! Shortest seek time first: the request that is nearest to where the disk is.
//!
//! It is the greediest of all, and has no bound of its own on how long a far request
//! waits; the queue's bound holds for it.

use super::sorted::Sorted;
use super::table::Table;
use super::{DiskNow, Scheduler, SlotIndex, Waiting};
use crate::base::time::Instant;

#[derive(Default)]
pub struct Nearest {
    table: Table,
    by_sector: Sorted,
}

impl Scheduler for Nearest {
    fn add(&mut self, _: Instant, waiting: Waiting) {
        self.table.add(waiting);
        self.by_sector.insert(0, waiting.sector, waiting.slot);
    }

    fn next(&mut self, now: Instant, disk: DiskNow) -> Option<Waiting> {
        let above = self.by_sector.at_or_above(0, disk.head);
        let below = self.by_sector.below(0, disk.head);
        let distance = |found: &(u64, SlotIndex)| found.0.abs_diff(disk.head);
        // Of two that are equally near it is the one ahead, which the disk turns to anyway.
        let (_, slot) = above.into_iter().chain(below).min_by_key(distance)?;
        self.take(now, slot)
    }

    fn take(&mut self, _: Instant, slot: SlotIndex) -> Option<Waiting> {
        let (waiting, _) = self.table.remove(slot)?;
        self.by_sector.remove(0, waiting.sector, slot);
        Some(waiting)
    }

    fn drain(&mut self) -> Option<Waiting> {
        let slot = self.table.oldest()?;
        self.take(Instant::ZERO, slot)
    }

    fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{DISK, at, read};
    use super::*;
    use crate::base::prng::Prng;

    #[test]
    fn no_request_that_waits_is_nearer_than_the_one_that_is_picked() {
        let mut prng = Prng::new(3);
        let mut scheduler = Nearest::default();
        let mut waiting = Vec::new();
        for slot in 0..200 {
            let sector = prng.below(DISK.sectors);
            waiting.push(sector);
            scheduler.add(at(0), read(slot, sector));
        }
        let mut head = DISK.sectors / 2;
        while let Some(picked) = scheduler.next(at(1), DiskNow { head, ..DISK }) {
            let nearest = waiting.iter().map(|sector| sector.abs_diff(head)).min();
            assert_eq!(Some(picked.sector.abs_diff(head)), nearest);
            waiting.retain(|sector| *sector != picked.sector);
            head = picked.sector + picked.sectors;
        }
        assert!(waiting.is_empty());
    }
}
