//! MQ-Deadline: Deadline once for each class of priority.
//!
//! Urgent goes first, then real time, then best effort, then idle. A request of a lower
//! class that has waited for `AGING` goes before all, so none starves. Writes use a
//! part of the disk's depth only, so that a read finds a place in the disk at once.

use super::batches::{Batches, Direction};
use super::sorted::Sorted;
use super::table::Table;
use super::{DiskNow, IoKind, Scheduler, SlotIndex, Waiting};
use crate::base::time::{Duration, Instant};
use crate::storage::io::Priority;
use crate::storage::io::queue::WAIT_MAX;

/// Linux has 10 seconds (`prio_aging_expire`); here the queue's own bound of 5 seconds
/// would come first, and knows no classes.
const AGING: Duration = Duration::from_secs(2);
const _: () = assert!(AGING.as_nanos() < WAIT_MAX.as_nanos());
const CLASSES: usize = Priority::CLASSES.len();

#[derive(Default)]
pub struct MqDeadline {
    table: Table,
    classes: [Batches; CLASSES],
    /// A class a group.
    by_arrival: Sorted,
}

const fn class_of(waiting: &Waiting) -> usize {
    waiting.priority.class_index()
}

/// The disk may have writes for three quarters of its depth at the same time.
fn may_write(disk: DiskNow) -> bool {
    let writes = disk.at_disk[IoKind::Write as usize] + disk.at_disk[IoKind::Other as usize];
    writes < (disk.depth * 3 / 4).max(1)
}

impl MqDeadline {
    /// The oldest of a lower class, when it has waited too long.
    fn aged(&self, now: Instant, may_write: bool) -> Option<SlotIndex> {
        let oldest = (1..CLASSES as u16).filter_map(|class| self.by_arrival.first(class));
        let (arrived, slot) = oldest.min()?;
        let waiting = self.table.get(slot)?;
        let may_go = may_write || Direction::of(waiting.operation) == Direction::Read;
        let is_aged = now.since(Instant::from_nanos(arrived)) >= AGING;
        (may_go && is_aged).then_some(slot)
    }
}

impl Scheduler for MqDeadline {
    fn add(&mut self, _: Instant, waiting: Waiting) {
        self.table.add(waiting);
        let class = class_of(&waiting);
        self.classes[class].add(&waiting);
        let arrived = waiting.arrived.as_nanos();
        self.by_arrival.insert(class as u16, arrived, waiting.slot);
    }

    fn next(&mut self, now: Instant, disk: DiskNow) -> Option<Waiting> {
        let may_write = may_write(disk);
        let slot = match self.aged(now, may_write) {
            Some(slot) => slot,
            None => {
                let table = &self.table;
                let pick = |class: &mut Batches| class.pick(now, may_write, table);
                self.classes.iter_mut().find_map(pick)?
            }
        };
        self.take(now, slot)
    }

    fn take(&mut self, _: Instant, slot: SlotIndex) -> Option<Waiting> {
        let (waiting, _) = self.table.remove(slot)?;
        let class = class_of(&waiting);
        self.classes[class].remove(&waiting);
        let arrived = waiting.arrived.as_nanos();
        self.by_arrival.remove(class as u16, arrived, slot);
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
    use super::super::tests::{DISK, at, read, sent, write};
    use super::*;
    use crate::base::disk::DiskOperation;

    fn of(priority: Priority, slot: u16) -> Waiting {
        Waiting {
            priority,
            ..read(slot, 1_000 - u64::from(slot))
        }
    }

    #[test]
    fn classes_go_in_their_order_whatever_came_first() {
        let mut scheduler = MqDeadline::default();
        let steps = [
            Priority::IDLE,
            Priority::USUAL,
            Priority::real_time(7),
            Priority::URGENT,
        ];
        for (slot, step) in steps.into_iter().enumerate() {
            // The more urgent, the farther away.
            let sector = slot as u64 * 100;
            let request = of(step, slot as u16);
            scheduler.add(at(0), Waiting { sector, ..request });
        }
        let picks: Vec<_> =
            core::iter::from_fn(|| Some(scheduler.next(at(1), DISK)?.priority.class())).collect();
        let expected = ["urgent", "real-time", "best-effort", "idle"];
        assert_eq!(picks, expected);
    }

    #[test]
    fn who_has_waited_two_seconds_goes_before_higher_classes() {
        let mut scheduler = MqDeadline::default();
        scheduler.add(at(0), of(Priority::IDLE, 0));
        let arrived = at(1_000);
        for slot in 1..100 {
            let request = of(Priority::real_time(0), slot);
            scheduler.add(arrived, Waiting { arrived, ..request });
        }
        let class = |picked: Option<Waiting>| picked.map(|it| it.priority.class());
        assert_eq!(class(scheduler.next(at(1_999), DISK)), Some("real-time"));
        assert_eq!(class(scheduler.next(at(2_000), DISK)), Some("idle"));
        assert_eq!(class(scheduler.next(at(2_000), DISK)), Some("real-time"));
    }

    #[test]
    fn writes_leave_a_part_of_the_depth_to_reads() {
        let mut scheduler = MqDeadline::default();
        let mut disk = DiskNow { depth: 8, ..DISK };
        for slot in 0..20 {
            scheduler.add(at(0), write(slot, u64::from(slot)));
        }
        while let Some(picked) = scheduler.next(at(0), disk) {
            sent(&mut disk, &picked);
        }
        assert_eq!((disk.in_flight, scheduler.next_deadline()), (6, None));
        scheduler.add(at(0), read(30, 5));
        let picked = scheduler.next(at(0), disk).expect("a read goes");
        assert_eq!(picked.operation, DiskOperation::Read);
        disk.at_disk[IoKind::Write as usize] -= 1;
        assert!(scheduler.next(at(1), disk).is_some());
    }
}
