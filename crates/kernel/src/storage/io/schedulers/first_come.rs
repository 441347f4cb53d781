//! First come, first served: the order of arrival.

use super::sorted::Sorted;
use super::table::Table;
use super::{DiskNow, Scheduler, SlotIndex, Waiting};
use crate::base::time::Instant;

/// FCFS is the order to the letter, so nothing goes to the disk with another; NOOP
/// leaves the order alone too, but lets neighbours be merged.
pub struct FirstCome {
    merges: bool,
    table: Table,
    by_arrival: Sorted,
}

impl FirstCome {
    pub fn fcfs() -> Self {
        Self::new(false)
    }

    pub fn noop() -> Self {
        Self::new(true)
    }

    fn new(merges: bool) -> Self {
        Self {
            merges,
            table: Table::default(),
            by_arrival: Sorted::default(),
        }
    }
}

impl Default for FirstCome {
    fn default() -> Self {
        Self::fcfs()
    }
}

impl Scheduler for FirstCome {
    fn add(&mut self, _: Instant, waiting: Waiting) {
        let arrival = self.table.add(waiting);
        self.by_arrival.insert(0, arrival, waiting.slot);
    }

    fn next(&mut self, now: Instant, _: DiskNow) -> Option<Waiting> {
        let (_, slot) = self.by_arrival.first(0)?;
        self.take(now, slot)
    }

    fn take(&mut self, _: Instant, slot: SlotIndex) -> Option<Waiting> {
        let (waiting, arrival) = self.table.remove(slot)?;
        self.by_arrival.remove(0, arrival, slot);
        Some(waiting)
    }

    fn drain(&mut self) -> Option<Waiting> {
        let (_, slot) = self.by_arrival.first(0)?;
        self.take(Instant::ZERO, slot)
    }

    fn merges(&self) -> bool {
        self.merges
    }

    fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{DISK, at, read};
    use super::*;

    #[test]
    fn the_order_is_that_of_arrival_wherever_the_sectors_are() {
        for mut scheduler in [FirstCome::fcfs(), FirstCome::noop()] {
            for (slot, sector) in [(7, 900), (2, 10), (5, 500)] {
                scheduler.add(at(0), read(slot, sector));
            }
            let order: Vec<_> =
                core::iter::from_fn(|| Some(scheduler.next(at(1), DISK)?.sector)).collect();
            assert_eq!(order, [900, 10, 500]);
        }
        assert!(!FirstCome::fcfs().merges() && FirstCome::noop().merges());
    }
}
