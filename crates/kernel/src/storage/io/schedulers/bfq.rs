//! BFQ: sectors by weight, after the virtual time of B-WF2Q+.
//!
//! Each tenant's requests of each step of priority are one queue with a weight. A queue
//! is given the disk for a budget of sectors, at most for `TURN`; budget by weight is the
//! virtual time that its turn takes. Of those whose turn could have begun in an ideally
//! shared disk the one goes whose turn would end first there (eligible, earliest finish).
//! Classes go strictly in their order, but for what would starve.

use super::share::{ASKERS, Asker, Askers, CLASSES};
use super::{DiskNow, Finished, Scheduler, SlotIndex, Waiting};
use crate::base::disk::SECTOR_BYTES;
use crate::base::time::{Duration, Instant};
use crate::limits::IO_MERGED_BYTES_MAX;
use alloc::boxed::Box;
use alloc::vec;

/// Sectors of a budget: 256 KiB, and up to 8 MiB for who goes through the disk. Longer
/// turns of others would save no seeks.
const BUDGET_LEAST: u64 = 512;
const BUDGET_MOST: u64 = 16_384;
/// Who does not use up a budget in this time goes behind, and pays for what it had.
const TURN: Duration = Duration::from_millis(125);
/// What one request counts for at most: a discard of a whole disk moves nothing, and its
/// asker would wait until all others have had as much.
const CHARGE_MOST: u64 = (IO_MERGED_BYTES_MAX / SECTOR_BYTES) as u64;
/// Virtual time of one sector at weight one.
const UNIT: u64 = 1 << 12;

pub struct Bfq {
    askers: Askers,
    entities: Box<[Entity]>,
    /// Of each class.
    virtual_time: [u64; CLASSES],
    turn: Option<Turn>,
    idle_until: Option<Instant>,
}

/// What a queue is to the virtual time.
#[derive(Clone, Copy)]
struct Entity {
    /// Of the turn that it waits for; behind its last one when nothing waits.
    start: u64,
    finish: u64,
    budget: u64,
}

struct Turn {
    asker: Asker,
    served: u64,
    end: Instant,
}

impl Default for Bfq {
    fn default() -> Self {
        let entity = Entity {
            start: 0,
            finish: 0,
            budget: BUDGET_LEAST,
        };
        Self {
            askers: Askers::default(),
            entities: vec![entity; ASKERS].into(),
            virtual_time: [0; CLASSES],
            turn: None,
            idle_until: None,
        }
    }
}

const fn virtual_span(sectors: u64, weight: u64) -> u64 {
    sectors.saturating_mul(UNIT) / weight
}

impl Bfq {
    fn whose(&mut self, now: Instant, class: u16) -> Option<Asker> {
        if let Some(turn) = &self.turn {
            let asker = turn.asker;
            let is_over = now >= turn.end || turn.served >= self.entities[asker.index()].budget;
            let has = self.askers.has(asker);
            if !is_over && asker.class() <= class {
                if has {
                    return Some(asker);
                }
                self.idle_until = self.askers.idle_until(now, asker, turn.end);
                if self.idle_until.is_some() {
                    return None;
                }
            }
            self.end_turn(has);
        }
        let asker = self.earliest(class)?;
        self.turn = Some(Turn {
            asker,
            served: 0,
            end: now + TURN,
        });
        Some(asker)
    }

    /// It pays for what it had, and gets a budget that fits how it went.
    fn end_turn(&mut self, has_more: bool) {
        let Some(turn) = self.turn.take() else {
            return;
        };
        let asker = turn.asker;
        let class = asker.class();
        let others = self.askers.waiting(class).filter(|it| *it != asker);
        let weights = asker.weight() + others.map(Asker::weight).sum::<u64>();
        let virtual_time = &mut self.virtual_time[usize::from(class)];
        *virtual_time += virtual_span(turn.served, weights);
        let is_sequential = self.askers.is_sequential(asker);
        let entity = &mut self.entities[asker.index()];
        let is_used_up = turn.served >= entity.budget;
        entity.budget = match (is_sequential, is_used_up) {
            (true, true) => entity.budget * 2,
            (true, false) => turn.served,
            (false, _) => BUDGET_LEAST,
        }
        .clamp(BUDGET_LEAST, BUDGET_MOST);
        entity.finish = entity.start + virtual_span(turn.served, asker.weight());
        if has_more {
            self.enter(asker, None);
        }
    }

    /// Something waits, so a turn is waited for; not before `from`.
    fn enter(&mut self, asker: Asker, from: Option<u64>) {
        let entity = &mut self.entities[asker.index()];
        entity.start = entity.finish.max(from.unwrap_or_default());
        entity.finish = entity.start + virtual_span(entity.budget, asker.weight());
    }

    /// Of those that may begin the one that would end first.
    fn earliest(&mut self, class: u16) -> Option<Asker> {
        let entities = &self.entities;
        let entity = |asker: Asker| entities[asker.index()];
        let starts = self.askers.waiting(class).map(|asker| entity(asker).start);
        let virtual_time = &mut self.virtual_time[usize::from(class)];
        *virtual_time = (*virtual_time).max(starts.min()?);
        let now = *virtual_time;
        let may_begin = |asker: &Asker| entity(*asker).start <= now;
        let eligible = self.askers.waiting(class).filter(may_begin);
        eligible.min_by_key(|asker| entity(*asker).finish)
    }

    /// Sectors that went to the disk, in its turn or along with a neighbour.
    fn charge(&mut self, asker: Asker, sectors: u64) {
        if let Some(turn) = self.turn.as_mut().filter(|turn| turn.asker == asker) {
            turn.served += sectors;
            return;
        }
        let span = virtual_span(sectors, asker.weight());
        let entity = &mut self.entities[asker.index()];
        entity.start += span;
        entity.finish += span;
    }
}

impl Scheduler for Bfq {
    fn add(&mut self, now: Instant, waiting: Waiting) {
        let asker = Asker::of(waiting.tenant, waiting.priority);
        let is_idle = !self.askers.has(asker);
        let is_its_turn = self.turn.as_ref().is_some_and(|turn| turn.asker == asker);
        self.askers.add(now, waiting);
        if is_idle && !is_its_turn {
            let virtual_time = self.virtual_time[usize::from(asker.class())];
            self.enter(asker, Some(virtual_time));
        }
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
        let (asker, waiting) = self.askers.take(slot)?;
        self.charge(asker, waiting.sectors.min(CHARGE_MOST));
        Some(waiting)
    }

    fn drain(&mut self) -> Option<Waiting> {
        self.askers.drain()
    }

    fn on_done(&mut self, now: Instant, finished: &Finished) {
        self.askers.on_done(now, finished);
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
    use super::super::tests::{DISK, at, done, read, reader, served};
    use super::*;
    use crate::base::disk::DiskOperation;
    use crate::base::tenant::Tenant;
    use crate::storage::io::Priority;

    /// Long enough that one budget more or less is far below what is allowed.
    #[test]
    fn sectors_are_shared_by_weight_whatever_the_size_of_requests() {
        let readers = [
            reader(1, Priority::best_effort(0), 8),
            reader(2, Priority::best_effort(4), 64),
            reader(3, Priority::best_effort(7), 24),
        ];
        let takes = |_| Duration::from_micros(300);
        let (sectors, _) = served(&mut Bfq::default(), &readers, takes, 120_000);
        let total: u64 = sectors.iter().sum();
        for (sectors, weight) in sectors.iter().zip([8.0, 4.0, 1.0]) {
            let error = (*sectors as f64 / total as f64) / (weight / 13.0) - 1.0;
            assert!(error.abs() < 0.05, "{sectors} of {total} at {weight}");
        }
    }

    #[test]
    fn who_slept_has_saved_up_nothing() {
        let mut bfq = Bfq::default();
        let (busy, sleeper) = (reader(1, Priority::USUAL, 8), reader(2, Priority::USUAL, 8));
        let takes = |_| Duration::from_micros(500);
        served(&mut bfq, &[busy], takes, 10_000);
        while bfq.drain().is_some() {}
        let (sectors, _) = served(&mut bfq, &[busy, sleeper], takes, 20_000);
        let share = sectors[1] as f64 / (sectors[0] + sectors[1]) as f64;
        assert!((0.475..0.525).contains(&share), "{share}");
    }

    #[test]
    fn who_discards_a_disk_waits_for_no_more_than_for_a_mebibyte() {
        let mut bfq = Bfq::default();
        let discard = Waiting {
            operation: DiskOperation::Discard,
            sectors: u64::from(u32::MAX),
            ..read(200, 0)
        };
        bfq.add(at(0), discard);
        assert_eq!(bfq.next(at(0), DISK), Some(discard));
        bfq.on_done(at(0), &done(&discard));
        bfq.add(at(0), read(200, 0));
        for slot in 0..100 {
            bfq.add(
                at(0),
                Waiting {
                    slot: SlotIndex(slot),
                    ..reader(1, Priority::USUAL, 8)
                },
            );
        }
        let picks = (0..600).filter_map(|_| {
            let picked = bfq.next(at(1), DISK)?;
            bfq.on_done(at(1), &done(&picked));
            bfq.add(at(1), picked);
            Some(picked.tenant)
        });
        assert!(picks.into_iter().any(|tenant| tenant == Tenant::KERNEL));
    }

    #[test]
    fn a_class_goes_before_a_lower_one_which_starves_not() {
        let readers = [
            reader(1, Priority::real_time(7), 8),
            reader(2, Priority::best_effort(0), 8),
        ];
        let takes = |_| Duration::from_millis(2);
        let (sectors, _) = served(&mut Bfq::default(), &readers, takes, 4_000);
        let share = sectors[1] as f64 / sectors[0] as f64;
        assert!((0.01..0.15).contains(&share), "{share}");
    }

    #[test]
    fn the_disk_is_kept_for_a_sequential_reader_for_a_moment() {
        let mut bfq = Bfq::default();
        let next = |sector| Waiting {
            tenant: reader(1, Priority::USUAL, 8).tenant,
            ..read(0, sector)
        };
        for step in 0..8 {
            bfq.add(at(step), next(step * 8));
            let picked = bfq.next(at(step), DISK).expect("it waits");
            bfq.on_done(at(step), &done(&picked));
        }
        bfq.add(at(8), read(9, 50_000));
        assert_eq!(bfq.next(at(8), DISK), None);
        let until = bfq.next_deadline().expect("it says how long");
        assert!(until > at(8) && until <= at(15));
        // It comes back in time.
        bfq.add(at(9), next(64));
        assert_eq!(bfq.next(at(9), DISK).map(|it| it.sector), Some(64));
        bfq.on_done(at(9), &done(&next(64)));
        // And then it does not.
        assert_eq!(bfq.next(at(10), DISK), None);
        let late = bfq.next_deadline().expect("it says how long");
        assert_eq!(bfq.next(late, DISK).map(|it| it.sector), Some(50_000));
    }
}
