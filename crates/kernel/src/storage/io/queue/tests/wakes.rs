//! Nothing is forgotten while a disk is idle, and nothing wakes in vain.

use super::*;
use crate::storage::io::schedulers::{Finished, Waiting};

#[test]
fn what_a_disk_refuses_is_told_at_once() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    let beyond = request(DiskOperation::Read, 1, SECTORS, 1);
    queue.submit(at(0), beyond).unwrap();
    queue.step(at(0), Some(&mut disk));
    // No answer of the disk will cause a tick.
    assert_eq!(queue.next_deadline(at(0)), Some(at(0)));
    let done = queue.take_done().unwrap();
    let error = DiskError::OutOfRange { sector: SECTORS };
    assert_eq!(done.result, Err(IoError::Disk(error)));
    assert_eq!(queue.next_deadline(at(0)), None);
}

#[test]
fn without_a_disk_nothing_is_due() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    let tenant = Tenant::new(1).unwrap();
    queue.limits_mut().set(at(0), tenant, Some(1));
    for number in 0..3 {
        let mut read = request(DiskOperation::Read, number, 0, 2048);
        read.tenant = tenant;
        queue.submit(at(0), read).unwrap();
    }
    disk.refuses = Some(DiskError::Busy);
    queue.step(at(1), Some(&mut disk));
    queue.step(at(2), None);
    while queue.take_done().is_some() {}
    assert_eq!(queue.next_deadline(at(9)), None);
    queue.limits_mut().set(at(10), tenant, Some(2));
    queue.step(at(10), None);
    assert_eq!(queue.next_deadline(at(10)), None);
}

#[test]
fn a_disk_that_is_being_reset_is_asked_again_when_it_is_up() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    disk.refuses = Some(DiskError::Gone);
    queue
        .submit(at(0), request(DiskOperation::Read, 1, 8, 8))
        .unwrap();
    for millis in 0..500 {
        queue.step(at(millis), Some(&mut disk));
        let next = queue.next_deadline(at(millis)).expect("it is asked again");
        assert!(next > at(millis) && next <= at(millis + 1));
    }
    disk.refuses = None;
    assert_eq!(settle(&mut queue, &mut disk, at(500))[0].result, Ok(()));
}

#[test]
fn a_neighbour_beyond_the_end_does_not_take_others_along() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    for (number, sector) in [(1, SECTORS - 8), (2, SECTORS)] {
        let read = request(DiskOperation::Read, number, sector, 8);
        queue.submit(at(0), read).unwrap();
    }
    let mut ended = settle(&mut queue, &mut disk, at(1));
    ended.sort_by_key(|done| done.request.tag.number);
    let error = DiskError::OutOfRange { sector: SECTORS };
    assert_eq!(ended[0].result, Ok(()));
    assert_eq!(ended[1].result, Err(IoError::Disk(error)));
}

#[test]
fn what_cannot_be_counted_is_refused_at_the_door() {
    let mut queue = queue();
    let mut read = request(DiskOperation::Read, 1, 0, 8);
    read.sector = u64::MAX;
    let (error, _) = queue.submit(at(0), read).unwrap_err();
    let sector = u64::MAX;
    assert_eq!(error, IoError::Disk(DiskError::OutOfRange { sector }));
}

#[test]
fn reads_and_writes_side_by_side_do_not_become_one() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    let (read, write) = (DiskOperation::Read, DiskOperation::Write);
    for (number, operation) in [(0, read), (1, write), (2, read), (3, write)] {
        let one = request(operation, number, number * 8, 8);
        queue.submit(at(0), one).unwrap();
    }
    assert_eq!(settle(&mut queue, &mut disk, at(1)).len(), 4);
    let expected = [(read, 0, 8), (write, 8, 8), (read, 16, 8), (write, 24, 8)];
    assert_eq!(disk.seen, expected);
}

/// Its bandwidth is what it waits for, not the disk: it has no claim to go first then.
#[test]
fn who_was_held_back_for_long_is_not_overdue_for_that() {
    let mut queue = BlockQueue::new(Policy::MqDeadline.scheduler());
    let mut disk = Slow::new();
    queue.set_depth(1);
    let tenant = Tenant::new(1).unwrap();
    queue.limits_mut().set(at(0), tenant, Some(128 << 10));
    for number in 0..3 {
        let mut read = request(DiskOperation::Read, number, 64 + number * 1100, 1024);
        read.tenant = tenant;
        queue.submit(at(0), read).unwrap();
    }
    // The first two are in the burst; half a mebibyte more is there after four seconds.
    assert_eq!(queue.view().held_back, 1);
    queue.step(at(0), Some(&mut disk));
    disk.answer(0);
    queue.on_done(at(1), disk.done.pop_front().unwrap());
    queue.step(at(1), Some(&mut disk));
    disk.answer(0);
    queue.on_done(at(2), disk.done.pop_front().unwrap());
    let late = at(6_000);
    let mut urgent = request(DiskOperation::Read, 9, 8, 8);
    urgent.priority = Priority::URGENT;
    queue.submit(late, urgent).unwrap();
    queue.step(late, Some(&mut disk));
    assert_eq!(disk.seen.last(), Some(&(DiskOperation::Read, 8, 8)));
    assert_eq!(queue.view().counts.overdue, 0);
}

#[test]
fn a_tenant_that_finds_the_queue_full_pays_nothing_and_owes_nothing() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    let tenant = Tenant::new(1).unwrap();
    queue.limits_mut().set(at(0), tenant, Some(1 << 20));
    for number in 0..IO_REQUESTS_MAX as u64 {
        let read = request(DiskOperation::Read, number, number * 2, 1);
        queue.submit(at(0), read).unwrap();
    }
    let read = || {
        let mut read = request(DiskOperation::Read, 999, 0, 2048);
        read.tenant = tenant;
        read
    };
    for _ in 0..3 {
        assert!(queue.submit(at(0), read()).is_err());
    }
    settle(&mut queue, &mut disk, at(0));
    queue.submit(at(0), read()).unwrap();
    assert_eq!(queue.view().held_back, 0);
}

/// Notes what it was told of the requests that a disk answered.
#[derive(Default)]
struct Notes(FirstCome, Vec<Finished>);

impl Scheduler for Notes {
    fn add(&mut self, now: Instant, waiting: Waiting) {
        self.0.add(now, waiting);
    }

    fn next(&mut self, now: Instant, disk: DiskNow) -> Option<Waiting> {
        assert_eq!(disk.at_disk.iter().sum::<usize>(), disk.in_flight);
        self.0.next(now, disk)
    }

    fn take(&mut self, now: Instant, slot: SlotIndex) -> Option<Waiting> {
        self.0.take(now, slot)
    }

    fn drain(&mut self) -> Option<Waiting> {
        self.0.drain()
    }

    fn on_done(&mut self, _: Instant, finished: &Finished) {
        assert!(finished.served < Duration::from_secs(1), "{finished:?}");
        self.1.push(*finished);
    }

    /// It would always like to be asked.
    fn next_deadline(&self) -> Option<Instant> {
        Some(Instant::ZERO)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

#[test]
fn a_scheduler_learns_the_truth_of_times_and_of_what_is_at_the_disk() {
    let mut queue = BlockQueue::new(Box::new(Notes::default()));
    let mut disk = Slow::new();
    let hours = 3_600_000;
    for number in 0..40 {
        let operation = match number % 3 {
            0 => DiskOperation::Read,
            1 => DiskOperation::Write,
            _ => DiskOperation::Discard,
        };
        // Some lie beyond the end, and are refused.
        let one = request(operation, number, SECTORS - 30 + number, 1);
        queue.submit(at(hours), one).unwrap();
    }
    assert_eq!(settle(&mut queue, &mut disk, at(hours)).len(), 40);
    assert_eq!(queue.at_disk, [0; IoKind::COUNT]);
}

/// Neighbours that go as one are one to the disk, so they use up one place.
#[test]
fn merged_writes_leave_room_for_more_writes() {
    for policy in [Policy::MqDeadline, Policy::Kyber] {
        let (mut queue, mut disk) = (BlockQueue::new(policy.scheduler()), Slow::new());
        queue.set_depth(8);
        for number in 0..64 {
            // Four runs of sixteen each.
            let sector = number / 16 * 512 + number % 16;
            let write = request(DiskOperation::Write, number, sector, 1);
            queue.submit(at(0), write).unwrap();
        }
        queue.step(at(0), Some(&mut disk));
        assert_eq!(queue.view().in_flight, 4, "{}", policy.name());
    }
}

#[test]
fn classes_that_wait_are_counted() {
    let mut queue = queue();
    for (number, priority) in [Priority::URGENT, Priority::IDLE, Priority::IDLE]
        .into_iter()
        .enumerate()
    {
        let mut read = request(DiskOperation::Read, number as u64, 0, 1);
        read.priority = priority;
        queue.submit(at(0), read).unwrap();
    }
    queue.submit(at(0), flush(Owner::Log)).unwrap();
    let view = queue.view();
    assert_eq!(
        (view.waiting_by_class, view.waiting_to_flush),
        ([1, 0, 0, 2], 1)
    );
}

/// What fails next is its own sector, so a neighbour that comes later does not join it.
#[test]
fn nobody_joins_a_request_that_has_failed() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    disk.bad.push(9);
    let read = |number, sector| request(DiskOperation::Read, number, sector, 8);
    queue.submit(at(0), read(1, 8)).unwrap();
    queue.step(at(0), Some(&mut disk));
    queue.submit(at(0), read(2, 0)).unwrap();
    disk.answer(0);
    let failed = disk.completed().unwrap();
    queue.on_done(at(0), failed);
    assert_eq!(settle(&mut queue, &mut disk, at(1)).len(), 2);
    assert!(disk.seen.iter().all(|(_, _, sectors)| *sectors == 8));
}

#[test]
fn a_full_disk_wakes_nobody_whatever_the_scheduler_would_like() {
    let mut queue = BlockQueue::new(Box::new(Notes::default()));
    let mut disk = Slow::new();
    queue.set_depth(1);
    for number in 0..2 {
        let read = request(DiskOperation::Read, number, number * 100, 1);
        queue.submit(at(1), read).unwrap();
    }
    queue.step(at(1), Some(&mut disk));
    assert_eq!(queue.view().in_flight, 1);
    assert!(queue.next_deadline(at(1)).is_some_and(|next| next > at(1)));
}

#[test]
fn a_tenants_own_requests_do_not_overtake_each_other_at_its_limit() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    let tenant = Tenant::new(1).unwrap();
    queue.limits_mut().set(at(0), tenant, Some(1 << 20));
    for (number, sectors) in [(0, 1024), (1, 2048), (2, 8), (3, 8)] {
        let mut read = request(DiskOperation::Read, number, 64, sectors);
        read.tenant = tenant;
        queue.submit(at(0), read).unwrap();
    }
    queue.step(at(0), Some(&mut disk));
    assert_eq!(queue.view().held_back, 3, "the small ones would fit");
    let mut ended: Vec<u64> = Vec::new();
    let mut now = at(0);
    while ended.len() < 4 {
        queue.step(now, Some(&mut disk));
        disk.answer(0);
        while let Some(done) = disk.completed() {
            queue.on_done(now, done);
        }
        ended.extend(core::iter::from_fn(|| queue.take_done()).map(|it| it.request.tag.number));
        // Nothing else would cause a tick.
        match queue.next_deadline(now).filter(|next| *next > now) {
            Some(next) => now = next,
            None => assert!(
                ended.len() == 4 || !disk.waiting.is_empty(),
                "it is forgotten"
            ),
        }
    }
    assert_eq!(ended, [0, 1, 2, 3]);
    assert!(now >= at(500) && now <= at(700), "{now:?}");
}
