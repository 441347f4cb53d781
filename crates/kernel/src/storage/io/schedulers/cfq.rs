//! CFQ: slices of the disk's time, as long as the asker is heavy.
//!
//! Each tenant's requests of each step of priority are one queue. Queues of a class take
//! turns; a slice is 25 ms for each unit of weight. Who overran it has that much less the
//! next time, who was interrupted by a higher class goes on with the rest. Within a slice
//! requests go by place, and the disk waits a moment for a sequential reader's next one.

use super::share::{ASKERS, Asker, Askers, CLASSES};
use super::{DiskNow, Finished, Scheduler, SlotIndex, Waiting};
use crate::base::time::{Duration, Instant};
use alloc::boxed::Box;
use alloc::vec;

/// For one unit of weight: 100 ms at the usual priority, as in Linux.
const SLICE: Duration = Duration::from_millis(25);

pub struct Cfq {
    askers: Askers,
    turn: Option<Turn>,
    /// Who had the last turn of each class.
    last: [Option<Asker>; CLASSES],
    /// What each has beyond its next slice, in nanoseconds; below 0 what it overran.
    credit: Box<[i64]>,
    /// Until when the disk is kept for whose turn it is.
    idle_until: Option<Instant>,
}

struct Turn {
    asker: Asker,
    end: Instant,
    /// When it had the disk last.
    seen: Instant,
}

impl Default for Cfq {
    fn default() -> Self {
        Self {
            askers: Askers::default(),
            turn: None,
            last: [None; CLASSES],
            credit: vec![0; ASKERS].into(),
            idle_until: None,
        }
    }
}

impl Cfq {
    /// Whose request goes now; `None` while the disk is kept for somebody.
    fn whose(&mut self, now: Instant, class: u16) -> Option<Asker> {
        if let Some(turn) = self.turn.take() {
            let asker = turn.asker;
            if now >= turn.end {
                self.credit[asker.index()] = -(turn.seen.since(turn.end).as_nanos() as i64);
            } else if asker.class() > class {
                self.interrupt(now, &turn);
            } else {
                let has = self.askers.has(asker);
                if !has {
                    self.idle_until = self.askers.idle_until(now, asker, turn.end);
                }
                if has || self.idle_until.is_some() {
                    self.turn = Some(turn);
                    return has.then_some(asker);
                }
            }
        }
        self.begin_turn(now, class)
    }

    /// It goes on when its class has the disk again.
    fn interrupt(&mut self, now: Instant, turn: &Turn) {
        let asker = turn.asker;
        self.credit[asker.index()] = turn.end.since(now).as_nanos() as i64 - slice(asker);
        self.last[usize::from(asker.class())] = asker.0.checked_sub(1).map(Asker);
    }

    fn begin_turn(&mut self, now: Instant, class: u16) -> Option<Asker> {
        let last = self.last[usize::from(class)];
        let mut asker = self.askers.next_of_class(class, last)?;
        // Who overran by more than a slice is passed over, and has paid for one with it.
        for _ in 0..ASKERS {
            self.last[usize::from(class)] = Some(asker);
            let credit = core::mem::take(&mut self.credit[asker.index()]);
            if let Ok(nanos @ 1..) = u64::try_from(credit + slice(asker)) {
                let end = now + Duration::from_nanos(nanos);
                let seen = now;
                self.turn = Some(Turn { asker, end, seen });
                break;
            }
            self.credit[asker.index()] = credit + slice(asker);
            asker = self.askers.next_of_class(class, Some(asker))?;
        }
        Some(asker)
    }
}

const fn slice(asker: Asker) -> i64 {
    SLICE.as_nanos() as i64 * asker.weight() as i64
}

impl Scheduler for Cfq {
    fn add(&mut self, now: Instant, waiting: Waiting) {
        self.askers.add(now, waiting);
    }

    fn next(&mut self, now: Instant, disk: DiskNow) -> Option<Waiting> {
        self.idle_until = None;
        self.askers.heal(disk);
        let class = self.askers.class()?;
        let slot = match self.askers.starved(now, class) {
            Some(slot) => slot,
            None => {
                let asker = self.whose(now, class)?;
                self.askers.pick(asker)?
            }
        };
        self.take(now, slot)
    }

    fn take(&mut self, _: Instant, slot: SlotIndex) -> Option<Waiting> {
        self.askers.take(slot).map(|(_, waiting)| waiting)
    }

    fn drain(&mut self) -> Option<Waiting> {
        self.askers.drain()
    }

    fn on_done(&mut self, now: Instant, finished: &Finished) {
        self.askers.on_done(now, finished);
        let asker = Asker::of(finished.tenant, finished.priority);
        if let Some(turn) = self.turn.as_mut().filter(|turn| turn.asker == asker) {
            turn.seen = now;
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.idle_until
    }

    fn len(&self) -> usize {
        self.askers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{DISK, at, reader, served};
    use super::*;
    use crate::storage::io::Priority;

    #[test]
    fn time_is_shared_by_weight_whatever_a_request_takes() {
        // Requests of one take four times as long as those of the other.
        let readers = [
            reader(1, Priority::best_effort(2), 8),
            reader(2, Priority::best_effort(6), 32),
        ];
        let takes = |asker: usize| Duration::from_micros([1_000, 4_000][asker]);
        let (_, times) = served(&mut Cfq::default(), &readers, takes, 40_000);
        let share = times[0].as_nanos() as f64 / times[1].as_nanos() as f64;
        assert!((2.85..3.15).contains(&share), "6 to 2: {share}");
    }

    #[test]
    fn a_slice_that_a_higher_class_interrupts_goes_on_afterwards() {
        let mut cfq = Cfq::default();
        let of = |slot, tenant, priority| Waiting {
            slot: SlotIndex(slot),
            ..reader(tenant, priority, 8)
        };
        for slot in 0..20 {
            cfq.add(at(0), of(slot, 1 + slot % 2, Priority::USUAL));
        }
        let tenant = |picked: Option<Waiting>| picked.map(|it| it.tenant.index());
        assert_eq!(tenant(cfq.next(at(0), DISK)), Some(1));
        cfq.add(at(10), of(30, 3, Priority::URGENT));
        assert_eq!(tenant(cfq.next(at(10), DISK)), Some(3));
        assert_eq!(tenant(cfq.next(at(20), DISK)), Some(1));
        assert_eq!(tenant(cfq.next(at(109), DISK)), Some(1));
        assert_eq!(tenant(cfq.next(at(110), DISK)), Some(2));
    }
}
