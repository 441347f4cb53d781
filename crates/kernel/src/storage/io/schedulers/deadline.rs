//! Deadline: by place as long as nobody has waited too long.
//!
//! A read is wanted 500 ms after it came and a write 5 s after, or when it says so
//! itself and that is earlier. Sixteen requests at a time go by place; then what has
//! expired goes first. Reads pass writes twice at most.

use super::batches::Batches;
use super::table::Table;
use super::{DiskNow, Scheduler, SlotIndex, Waiting};
use crate::base::time::Instant;

#[derive(Default)]
pub struct Deadline {
    table: Table,
    batches: Batches,
}

impl Scheduler for Deadline {
    fn add(&mut self, _: Instant, waiting: Waiting) {
        self.table.add(waiting);
        self.batches.add(&waiting);
    }

    fn next(&mut self, now: Instant, _: DiskNow) -> Option<Waiting> {
        let slot = self.batches.pick(now, true, &self.table)?;
        self.take(now, slot)
    }

    fn take(&mut self, _: Instant, slot: SlotIndex) -> Option<Waiting> {
        let (waiting, _) = self.table.remove(slot)?;
        self.batches.remove(&waiting);
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
    use super::super::batches::{BATCH_REQUESTS, READ_EXPIRY, WRITES_STARVED};
    use super::super::tests::{DISK, at, order, read, write};
    use super::*;
    use crate::base::disk::DiskOperation;
    use crate::base::prng::Prng;
    use crate::base::time::Duration;

    #[test]
    fn what_has_expired_goes_before_what_is_near() {
        let mut scheduler = Deadline::default();
        scheduler.add(at(0), read(0, 900_000));
        for slot in 1..100 {
            scheduler.add(at(1), read(slot, u64::from(slot) * 10));
        }
        let late = at(0) + READ_EXPIRY;
        let picked = scheduler.next(late, DISK).expect("some wait");
        assert_eq!(picked.sector, 900_000);
    }

    #[test]
    fn an_own_deadline_counts_when_it_is_earlier() {
        let mut scheduler = Deadline::default();
        let wish = Waiting {
            deadline: Some(at(20)),
            ..read(0, 900_000)
        };
        scheduler.add(at(0), wish);
        scheduler.add(at(0), read(1, 10));
        scheduler.add(at(0), read(2, 20));
        assert_eq!(scheduler.next(at(19), DISK).map(|it| it.sector), Some(10));
        // A batch is not left for it; behind the batch it is the first.
        for slot in 10..40 {
            scheduler.add(at(19), read(slot, u64::from(slot) * 10));
        }
        let picks = order(&mut scheduler, DISK);
        let place = picks.iter().position(|sector| *sector == 900_000);
        assert_eq!(place, Some(BATCH_REQUESTS as usize - 1));
    }

    #[test]
    fn reads_pass_writes_so_many_batches_and_no_more() {
        let mut scheduler = Deadline::default();
        for slot in 0..100 {
            scheduler.add(at(0), read(slot, u64::from(slot)));
            scheduler.add(at(0), write(100 + slot, u64::from(slot)));
        }
        let picks = (0..60).map(|_| scheduler.next(at(1), DISK).expect("some wait"));
        let is_write: Vec<_> = picks
            .map(|picked| picked.operation == DiskOperation::Write)
            .collect();
        let reads = (BATCH_REQUESTS * WRITES_STARVED) as usize;
        let writes = is_write.iter().position(|is_write| *is_write);
        assert_eq!(writes, Some(reads));
        let batch = &is_write[reads..reads + BATCH_REQUESTS as usize];
        assert!(batch.iter().all(|is_write| *is_write));
        assert!(!is_write[reads + BATCH_REQUESTS as usize]);
    }

    /// A request a millisecond comes and goes, so that whoever has expired is behind a
    /// batch of each kind and behind what expired before it.
    #[test]
    fn nobody_waits_much_longer_than_until_it_expires() {
        let mut prng = Prng::new(5);
        let mut scheduler = Deadline::default();
        let mut free: Vec<u16> = (0..200).collect();
        for millis in 0..60_000 {
            if let Some(slot) = free.pop() {
                let sector = prng.below(DISK.sectors);
                let request = match prng.one_in(2) {
                    true => read(slot, sector),
                    false => write(slot, sector),
                };
                let arrived = at(millis);
                scheduler.add(arrived, Waiting { arrived, ..request });
            }
            if millis >= 150 {
                let picked = scheduler.next(at(millis), DISK).expect("some wait");
                free.push(picked.slot.0);
                let most = match picked.operation {
                    DiskOperation::Read => Duration::from_millis(700),
                    _ => Duration::from_millis(5_200),
                };
                assert!(at(millis).since(picked.arrived) < most);
            }
        }
    }
}
