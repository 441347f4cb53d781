//! What those promise that share a disk among askers: CFQ and BFQ.

use super::*;
use crate::storage::io::schedulers::Policy;

const SHARING: [Policy; 2] = [Policy::Bfq, Policy::Cfq];

/// Goes through the disk in steps of 4 KiB, thinks so long after each answer, and has
/// nothing under way at the end, while somebody else waits far away.
fn after_a_run(policy: Policy, step: Waiting, thinks: u64) -> (Box<dyn Scheduler>, u64) {
    let mut scheduler = policy.scheduler();
    let mut now = 0;
    for place in 0..12 {
        now += thinks;
        let sector = place * 8;
        scheduler.add(at(now), Waiting { sector, ..step });
        let picked = scheduler.next(at(now), DISK).expect("it waits");
        scheduler.on_done(at(now), &done(&picked));
    }
    scheduler.add(at(now), read(9, 50_000));
    (scheduler, now)
}

#[test]
fn the_disk_is_kept_for_a_sequential_reader_for_a_moment_and_no_longer() {
    let step = reader(1, Priority::USUAL, 8);
    for policy in SHARING {
        let (mut scheduler, now) = after_a_run(policy, step, 1);
        assert_eq!(scheduler.next(at(now), DISK), None, "{}", policy.name());
        let until = scheduler.next_deadline().expect("it says how long");
        assert!(until > at(now) && until <= at(now + 8));
        let other = scheduler.next(until, DISK).map(|it| it.sector);
        assert_eq!((other, scheduler.next_deadline()), (Some(50_000), None));
    }
}

#[test]
fn it_is_kept_neither_for_a_writer_nor_for_who_thinks_for_long() {
    let step = reader(1, Priority::USUAL, 8);
    let writer = Waiting {
        operation: DiskOperation::Write,
        ..step
    };
    for policy in SHARING {
        for (step, thinks) in [(writer, 1), (step, 30)] {
            let (mut scheduler, now) = after_a_run(policy, step, thinks);
            let other = scheduler.next(at(now), DISK).map(|it| it.sector);
            assert_eq!(other, Some(50_000), "{}", policy.name());
        }
    }
}

#[test]
fn of_what_starves_one_pick_of_eight_goes_and_not_more() {
    for policy in SHARING {
        let mut scheduler = policy.scheduler();
        for slot in 0..100 {
            let low = Waiting {
                slot: SlotIndex(slot),
                ..reader(1, Priority::IDLE, 8)
            };
            scheduler.add(at(0), low);
            let high = Waiting {
                slot: SlotIndex(100 + slot),
                ..reader(2, Priority::URGENT, 8)
            };
            scheduler.add(at(0), high);
        }
        let picks = (0..80).filter_map(|_| scheduler.next(at(3_000), DISK));
        let low = picks.filter(|it| it.priority == Priority::IDLE).count();
        assert_eq!(low, 10, "{}", policy.name());
    }
}

/// How many of each asker's requests went in a row at most.
fn longest_runs(policy: Policy, readers: &[Waiting], takes: Duration, places: u64) -> Vec<u64> {
    let mut scheduler = policy.scheduler();
    let mut now = Instant::ZERO;
    let mut longest = vec![0; readers.len()];
    let mut next = vec![0; readers.len()];
    let (mut run, mut before) = (0, usize::MAX);
    let mut add = |scheduler: &mut dyn Scheduler, slot: u16, now: Instant| {
        let asker = usize::from(slot) / 16;
        next[asker] += 1;
        let again = Waiting {
            slot: SlotIndex(slot),
            sector: asker as u64 * 100_000 + next[asker] * places % 90_000,
            arrived: now,
            ..readers[asker]
        };
        scheduler.add(now, again);
    };
    for slot in 0..readers.len() as u16 * 16 {
        add(scheduler.as_mut(), slot, now);
    }
    for _ in 0..20_000 {
        let picked = scheduler.next(now, DISK).expect("all of them wait");
        let asker = usize::from(picked.slot.0) / 16;
        run = if asker == before { run + 1 } else { 1 };
        before = asker;
        longest[asker] = longest[asker].max(run);
        now = now + takes;
        scheduler.on_done(now, &done(&picked));
        add(scheduler.as_mut(), picked.slot.0, now);
    }
    longest
}

#[test]
fn bfq_lets_a_heavy_asker_not_run_ahead_of_its_share() {
    let mut readers = vec![reader(1, Priority::best_effort(0), 8)];
    readers.extend((2..6).map(|tenant| reader(tenant, Priority::best_effort(7), 8)));
    let takes = Duration::from_micros(200);
    // A budget is 64 of these; eight to one among four is two turns to one at most.
    let longest = longest_runs(Policy::Bfq, &readers, takes, 7_919);
    assert!(longest[0] <= 3 * 64, "{longest:?}");
}

#[test]
fn bfq_gives_longer_turns_to_who_goes_through_the_disk() {
    let readers = [1, 2].map(|tenant| reader(tenant, Priority::USUAL, 8));
    let takes = Duration::from_micros(50);
    let random = longest_runs(Policy::Bfq, &readers, takes, 7_919);
    let sequential = longest_runs(Policy::Bfq, &readers, takes, 8);
    assert!(random[1] <= 2 * 64, "{random:?}");
    assert!(sequential[1] >= 4 * 64, "{sequential:?}");
}

#[test]
fn bfq_ends_the_turn_of_a_slow_asker() {
    let readers = [1, 2].map(|tenant| reader(tenant, Priority::USUAL, 8));
    let takes = Duration::from_millis(10);
    let longest = longest_runs(Policy::Bfq, &readers, takes, 7_919);
    // 125 ms, though its budget is 64.
    assert!(longest.iter().all(|run| *run <= 26), "{longest:?}");
}

#[test]
fn cfq_takes_from_the_next_slice_what_the_last_one_overran() {
    let mut cfq = Policy::Cfq.scheduler();
    for slot in 0..40 {
        let one = Waiting {
            slot: SlotIndex(slot),
            ..reader(1 + slot % 2, Priority::USUAL, 8)
        };
        cfq.add(at(0), one);
    }
    // The first takes 160 ms of its 100; the second keeps to its own.
    let mut went = Vec::new();
    let mut millis = 0;
    while millis < 400 {
        let picked = cfq.next(at(millis), DISK).expect("all of them wait");
        let tenant = picked.tenant.index();
        millis += if went.is_empty() { 160 } else { 10 };
        cfq.on_done(at(millis), &done(&picked));
        went.push(tenant);
    }
    let first = went.iter().skip(1).filter(|tenant| **tenant == 1).count();
    assert_eq!(first, 4, "40 ms are left of its second slice: {went:?}");
}

#[test]
fn an_askers_own_requests_go_once_over_the_disk_before_it_begins_again() {
    for policy in SHARING {
        let mut scheduler = policy.scheduler();
        for (slot, sector) in [(0, 100), (1, 500), (2, 900)] {
            scheduler.add(at(0), read(slot, sector));
        }
        let mut picks = Vec::new();
        for slot in 10..14 {
            let picked = scheduler.next(at(1), DISK).expect("some wait");
            picks.push(picked.sector);
            scheduler.add(at(1), read(slot, 50));
        }
        assert_eq!(picks, [100, 500, 900, 50], "{}", policy.name());
    }
}
