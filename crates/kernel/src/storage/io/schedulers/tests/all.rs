//! Promises that hold for all twelve.

use super::*;
use crate::limits::{IO_REQUESTS_MAX, TENANTS_MAX};
use crate::storage::io::schedulers::Policy;
use std::collections::BTreeMap;

/// Requests of all kinds at random, and a disk that answers them at random.
struct World {
    prng: Prng,
    now: Instant,
    waiting: BTreeMap<u16, Waiting>,
    in_flight: Vec<Waiting>,
    head: u64,
}

const DEPTH: usize = 8;

impl World {
    fn new(seed: u64) -> Self {
        Self {
            prng: Prng::new(seed),
            now: Instant::ZERO,
            waiting: BTreeMap::new(),
            in_flight: Vec::new(),
            head: 0,
        }
    }

    fn request(&mut self, slot: u16) -> Waiting {
        let prng = &mut self.prng;
        let operations = [
            DiskOperation::Read,
            DiskOperation::Read,
            DiskOperation::Write,
            DiskOperation::Discard,
            DiskOperation::WriteZeroes,
        ];
        let wish = Duration::from_millis(prng.below(1_000));
        // Some lie beyond the end, where a disk that shrank might leave them.
        let sector = prng.below(DISK.sectors + 64);
        Waiting {
            slot: SlotIndex(slot),
            operation: operations[prng.below(operations.len() as u64) as usize],
            sector: if prng.one_in(4) { self.head } else { sector },
            sectors: 1 + prng.below(256),
            priority: Priority::new(prng.below(Priority::COUNT as u64) as usize).expect("below"),
            tenant: Tenant::new(prng.below(TENANTS_MAX as u64) as usize).expect("below"),
            arrived: self.now,
            deadline: prng.one_in(4).then(|| self.now + wish),
        }
    }

    fn disk(&self) -> DiskNow {
        let mut disk = DiskNow {
            head: self.head,
            depth: DEPTH,
            ..DISK
        };
        self.in_flight.iter().for_each(|it| sent(&mut disk, it));
        disk
    }

    fn add(&mut self, scheduler: &mut dyn Scheduler) {
        let slot = self.prng.below(IO_REQUESTS_MAX as u64) as u16;
        let is_sent = self.in_flight.iter().any(|sent| sent.slot.0 == slot);
        if !is_sent && !self.waiting.contains_key(&slot) {
            let waiting = self.request(slot);
            self.waiting.insert(slot, waiting);
            scheduler.add(self.now, waiting);
        }
    }

    /// Was it one that waits? From now on it does not.
    fn leaves(&mut self, left: Waiting) {
        let known = self.waiting.remove(&left.slot.0);
        assert_eq!(known, Some(left), "lost, doubled or changed");
    }

    fn pick(&mut self, scheduler: &mut dyn Scheduler) {
        match scheduler.next(self.now, self.disk()) {
            Some(picked) => {
                self.leaves(picked);
                self.head = picked.sector + picked.sectors;
                self.in_flight.push(picked);
            }
            None => {
                let deadline = scheduler.next_deadline();
                let is_later = deadline.is_none_or(|at| at > self.now);
                assert!(is_later, "it would be asked again at once");
                let goes_on = deadline.is_some() || !self.in_flight.is_empty();
                assert!(goes_on || self.waiting.is_empty(), "nothing goes on");
            }
        }
    }

    fn answer(&mut self, scheduler: &mut dyn Scheduler) {
        if !self.in_flight.is_empty() {
            let index = self.prng.below(self.in_flight.len() as u64) as usize;
            let sent = self.in_flight.swap_remove(index);
            let served = Duration::from_micros(self.prng.below(20_000));
            let finished = Finished {
                served,
                ..done(&sent)
            };
            scheduler.on_done(self.now, &finished);
        }
    }
}

#[test]
fn no_request_is_lost_or_doubled_whatever_happens() {
    for policy in Policy::ALL {
        for seed in 0..20 {
            let mut world = World::new(seed);
            let mut scheduler = policy.scheduler();
            for _ in 0..3_000 {
                world.now = world.now + Duration::from_micros(world.prng.below(3_000));
                match world.prng.below(12) {
                    0..=4 => world.add(scheduler.as_mut()),
                    5..=7 if world.in_flight.len() < DEPTH => world.pick(scheduler.as_mut()),
                    8..=9 => world.answer(scheduler.as_mut()),
                    10 => {
                        let slot = SlotIndex(world.prng.below(IO_REQUESTS_MAX as u64) as u16);
                        let taken = scheduler.take(world.now, slot);
                        assert_eq!(taken.is_some(), world.waiting.contains_key(&slot.0));
                        if let Some(taken) = taken {
                            world.leaves(taken);
                            world.in_flight.push(taken);
                        }
                    }
                    11 if world.prng.one_in(50) => {
                        let other = Policy::ALL[world.prng.below(12) as usize];
                        let mut fresh = other.scheduler();
                        while let Some(waiting) = scheduler.drain() {
                            fresh.add(world.now, waiting);
                        }
                        scheduler = fresh;
                    }
                    _ => {}
                }
                assert_eq!(scheduler.len(), world.waiting.len(), "{}", policy.name());
            }
        }
    }
}

#[test]
fn what_is_drained_comes_in_the_order_of_arrival() {
    for policy in Policy::ALL {
        let mut scheduler = policy.scheduler();
        let mut prng = Prng::new(8);
        let slots = [40, 3, 200, 7, 90, 1];
        for slot in slots {
            scheduler.add(at(0), read(slot, prng.below(DISK.sectors)));
        }
        let drained = core::iter::from_fn(|| Some(scheduler.drain()?.slot.0));
        assert_eq!(drained.collect::<Vec<_>>(), slots, "{}", policy.name());
    }
}

/// The disk takes a request each millisecond and is always full; who comes is served
/// within a bound that is far below the run's length.
#[test]
fn nobody_starves_but_with_sstf() {
    for policy in Policy::ALL {
        if policy == Policy::Sstf {
            continue;
        }
        let mut world = World::new(99);
        let mut scheduler = policy.scheduler();
        let mut longest = Duration::ZERO;
        for millis in 0..60_000 {
            world.now = at(millis);
            while world.waiting.len() < 100 {
                world.add(scheduler.as_mut());
            }
            if let Some(picked) = scheduler.next(world.now, world.disk()) {
                world.leaves(picked);
                longest = longest.max(world.now.since(picked.arrived));
                world.head = picked.sector + picked.sectors;
                scheduler.on_done(world.now, &done(&picked));
            }
        }
        let waiting = world.waiting.values();
        let oldest = waiting.map(|it| world.now.since(it.arrived)).max();
        let longest = longest.max(oldest.unwrap_or_default());
        assert!(
            longest < Duration::from_secs(20),
            "{}: {longest}",
            policy.name()
        );
    }
}

#[test]
fn all_that_waits_is_served_once_nothing_more_comes() {
    for policy in Policy::ALL {
        let mut world = World::new(5);
        let mut scheduler = policy.scheduler();
        for _ in 0..IO_REQUESTS_MAX {
            world.add(scheduler.as_mut());
        }
        for _ in 0..100_000 {
            if world.waiting.is_empty() {
                break;
            }
            while world.in_flight.len() < DEPTH && !world.waiting.is_empty() {
                let before = world.in_flight.len();
                world.pick(scheduler.as_mut());
                if world.in_flight.len() == before {
                    break;
                }
            }
            world.now = world.now + Duration::from_micros(100);
            world.answer(scheduler.as_mut());
        }
        assert_eq!(scheduler.len(), 0, "{}", policy.name());
    }
}

#[test]
fn each_has_a_name_of_its_own_and_is_found_by_it() {
    for policy in Policy::ALL {
        assert_eq!(Policy::parse(policy.name()), Some(policy));
        assert!(!policy.about().is_empty());
        assert_eq!(policy.scheduler().merges(), policy != Policy::Fcfs);
    }
    assert_eq!(Policy::parse("cfqq"), None);
    assert_eq!(Policy::NAMES[3], "c-scan");
}
