//! What a queue promises, whatever its disk does.

mod flushes;
mod wakes;

use super::*;
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskRequest, DiskView, SECTOR_BYTES};
use crate::base::prng::Prng;
use crate::storage::io::schedulers::{FirstCome, Policy};
use crate::storage::io::{IoTag, Owner, Priority};
use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

const SECTORS: u64 = 4096;

/// A disk that answers when it is told to, and fails where it is told to.
struct Slow {
    sectors: Vec<u8>,
    waiting: VecDeque<DiskRequest>,
    done: VecDeque<DiskDone>,
    requests_max: usize,
    /// Every request that touches one of these fails.
    bad: Vec<u64>,
    /// Answers nothing more than `Gone`.
    is_reset: bool,
    /// Takes nothing, and says so.
    refuses: Option<DiskError>,
    has_write_cache: bool,
    starts: u32,
    /// Requests by operation, first sector and sectors, as they came.
    seen: Vec<(DiskOperation, u64, u64)>,
}

impl Slow {
    fn new() -> Self {
        Self {
            sectors: vec![0; SECTORS as usize * SECTOR_BYTES],
            waiting: VecDeque::new(),
            done: VecDeque::new(),
            requests_max: 64,
            bad: Vec::new(),
            is_reset: false,
            refuses: None,
            has_write_cache: true,
            starts: 1,
            seen: Vec::new(),
        }
    }

    fn answer(&mut self, index: usize) {
        let Some(mut request) = self.waiting.remove(index) else {
            return;
        };
        let result = match self.is_reset {
            true => Err(DiskError::Gone),
            false => self.carry_out(&mut request),
        };
        self.done.push_back(DiskDone { request, result });
    }

    fn carry_out(&mut self, request: &mut DiskRequest) -> Result<(), DiskError> {
        let span = request.sector..request.sector + request.sectors;
        if self.bad.iter().any(|bad| span.contains(bad)) {
            let sector = request.sector;
            return Err(DiskError::Device { sector });
        }
        let mut at = request.sector as usize * SECTOR_BYTES;
        let total = request.sectors as usize * SECTOR_BYTES;
        match request.operation {
            DiskOperation::Write => request.data.visit(total, &mut |buffer, bytes| {
                self.sectors[at..at + bytes].copy_from_slice(&buffer.bytes()[..bytes]);
                at += bytes;
            }),
            DiskOperation::Read => request.data.visit_mut(total, &mut |bytes| {
                bytes.copy_from_slice(&self.sectors[at..at + bytes.len()]);
                at += bytes.len();
            }),
            _ => {}
        }
        Ok(())
    }
}

impl Disk for Slow {
    fn facts(&self) -> DiskFacts {
        DiskFacts {
            name: "disk0",
            sectors: SECTORS,
            is_read_only: false,
            has_write_cache: self.has_write_cache,
            can_discard: true,
            can_write_zeroes: true,
            requests_max: self.requests_max,
            pieces_max: 64,
            transfer_bytes_max: 1 << 20,
            starts: self.starts,
        }
    }

    fn submit(&mut self, request: DiskRequest) -> Result<(), (DiskError, DiskRequest)> {
        if self.waiting.len() >= self.requests_max {
            return Err((DiskError::Busy, request));
        }
        if let Some(error) = self.refuses {
            return Err((error, request));
        }
        if request.sector + request.sectors > SECTORS {
            let sector = request.sector;
            return Err((DiskError::OutOfRange { sector }, request));
        }
        self.seen
            .push((request.operation, request.sector, request.sectors));
        self.waiting.push_back(request);
        Ok(())
    }

    fn kick(&mut self) {}

    fn completed(&mut self) -> Option<DiskDone> {
        self.done.pop_front()
    }

    fn view(&self) -> DiskView {
        DiskView::default()
    }
}

fn queue() -> BlockQueue {
    BlockQueue::new(Policy::Noop.scheduler())
}

fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

fn request(operation: DiskOperation, number: u64, sector: u64, sectors: u64) -> IoRequest {
    let has_data = matches!(operation, DiskOperation::Read | DiskOperation::Write);
    let bytes = sectors as usize * SECTOR_BYTES;
    let data = has_data.then(|| Buffer::new(vec![number as u8; bytes].leak(), 0));
    IoRequest {
        disk: 0,
        tag: IoTag {
            owner: Owner::Bench,
            number,
        },
        operation,
        sector,
        sectors,
        data,
        priority: Priority::USUAL,
        deadline: None,
        tenant: Tenant::KERNEL,
    }
}

fn flush(owner: Owner) -> IoRequest {
    let mut flush = request(DiskOperation::Flush, 99, 0, 0);
    flush.tag.owner = owner;
    flush
}

/// Lets the disk answer everything, in order, and takes the answers.
fn settle(queue: &mut BlockQueue, disk: &mut Slow, now: Instant) -> Vec<IoDone> {
    let mut ended = Vec::new();
    for _ in 0..10_000 {
        queue.step(now, Some(disk));
        disk.answer(0);
        while let Some(done) = disk.completed() {
            queue.on_done(now, done);
        }
        ended.extend(core::iter::from_fn(|| queue.take_done()));
        if queue.slots.used() == 0 {
            break;
        }
    }
    ended
}

#[test]
fn neighbours_go_as_one_and_each_gets_its_own_back() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    for (number, sector) in [(1, 16), (2, 8), (3, 24), (4, 100)] {
        let write = request(DiskOperation::Write, number, sector, 8);
        queue.submit(at(0), write).unwrap();
    }
    let ended = settle(&mut queue, &mut disk, at(1));
    let writes = [
        (DiskOperation::Write, 8, 24),
        (DiskOperation::Write, 100, 8),
    ];
    assert_eq!(disk.seen, writes);
    for done in &ended {
        let first = done.request.data.as_ref().unwrap().bytes()[0];
        assert_eq!(
            (u64::from(first), done.result),
            (done.request.tag.number, Ok(()))
        );
        let place = done.request.sector as usize * SECTOR_BYTES;
        assert!(
            disk.sectors[place..place + 8 * SECTOR_BYTES]
                .iter()
                .all(|byte| *byte == first)
        );
    }
    assert_eq!((ended.len(), queue.view().counts.merged), (4, 2));
}

#[test]
fn a_transfer_grows_to_a_mebibyte_and_no_further() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    for number in 0..24 {
        let read = request(DiskOperation::Read, number, number * 128, 128);
        queue.submit(at(0), read).unwrap();
    }
    settle(&mut queue, &mut disk, at(1));
    let sectors: Vec<u64> = disk.seen.iter().map(|(_, _, sectors)| *sectors).collect();
    assert_eq!(sectors, [2048, 1024]);
}

#[test]
fn a_failed_transfer_is_tried_in_parts_until_the_bad_sector_is_known() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    disk.bad.push(17);
    for number in 0..4 {
        let read = request(DiskOperation::Read, number, number * 8, 8);
        queue.submit(at(0), read).unwrap();
    }
    let mut ended = settle(&mut queue, &mut disk, at(1));
    ended.sort_by_key(|done| done.request.tag.number);
    let results: Vec<_> = ended.iter().map(|done| done.result).collect();
    let error = Err(IoError::Disk(DiskError::Device { sector: 16 }));
    assert_eq!(results, [Ok(()), Ok(()), error, Ok(())]);
    let tries = disk
        .seen
        .iter()
        .filter(|(_, sector, _)| *sector == 16)
        .count();
    assert_eq!(tries, usize::from(TRIES_MAX));
}

#[test]
fn without_its_disk_everything_ends_and_a_full_queue_refuses() {
    let mut queue = queue();
    for number in 0..IO_REQUESTS_MAX as u64 {
        queue
            .submit(at(0), request(DiskOperation::Write, number, number, 1))
            .unwrap();
    }
    let (error, _) = queue.submit(at(0), flush(Owner::Log)).unwrap_err();
    assert_eq!((error, queue.usage().refused), (IoError::Full, Some(1)));
    queue.step(at(0), None);
    let ended: Vec<_> = core::iter::from_fn(|| queue.take_done()).collect();
    let gone = Err(IoError::Disk(DiskError::Gone));
    assert!(ended.iter().all(|done| done.result == gone));
    assert_eq!(
        (ended.len(), queue.space()),
        (IO_REQUESTS_MAX, IO_REQUESTS_MAX)
    );
}

#[test]
fn a_tenant_over_its_bandwidth_waits_and_others_do_not() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    let tenant = Tenant::new(2).unwrap();
    queue.limits_mut().set(at(0), tenant, Some(1 << 20));
    let read = |number: u64, tenant| {
        let mut read = request(DiskOperation::Read, number, number * 1024, 1024);
        read.tenant = tenant;
        read
    };
    // Half a mebibyte each: two at once, then one each half second.
    for number in 0..4 {
        queue.submit(at(0), read(number, tenant)).unwrap();
    }
    queue.submit(at(0), read(0, Tenant::KERNEL)).unwrap();
    queue.step(at(0), Some(&mut disk));
    assert_eq!(
        (queue.view().held_back, disk.seen.len()),
        (2, 2),
        "{:?}",
        disk.seen
    );
    let due = queue.limits.next_deadline().unwrap();
    queue.step(at(499), Some(&mut disk));
    assert_eq!(queue.view().held_back, 2);
    queue.step(due.max(at(500)), Some(&mut disk));
    assert_eq!(queue.view().held_back, 1);
    queue.limits_mut().set(at(501), tenant, None);
    assert_eq!(settle(&mut queue, &mut disk, at(502)).len(), 5);
}

/// Picks the youngest as long as there is one: the worst for whoever waits.
#[derive(Default)]
struct LastCome(FirstCome);

impl Scheduler for LastCome {
    fn add(&mut self, now: Instant, waiting: crate::storage::io::schedulers::Waiting) {
        self.0.add(now, waiting);
    }

    fn next(
        &mut self,
        now: Instant,
        disk: DiskNow,
    ) -> Option<crate::storage::io::schedulers::Waiting> {
        let mut all: Vec<_> = core::iter::from_fn(|| self.0.next(now, disk)).collect();
        let last = all.pop();
        all.into_iter().for_each(|each| self.0.add(now, each));
        last
    }

    fn take(
        &mut self,
        now: Instant,
        slot: SlotIndex,
    ) -> Option<crate::storage::io::schedulers::Waiting> {
        self.0.take(now, slot)
    }

    fn drain(&mut self) -> Option<crate::storage::io::schedulers::Waiting> {
        self.0.drain()
    }

    fn merges(&self) -> bool {
        false
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

#[test]
fn nobody_waits_longer_than_the_bound_whatever_the_scheduler_likes() {
    let mut queue = BlockQueue::new(Box::new(LastCome::default()));
    let mut disk = Slow::new();
    queue.set_depth(1);
    queue
        .submit(at(0), request(DiskOperation::Read, 0, 0, 1))
        .unwrap();
    queue
        .submit(at(0), request(DiskOperation::Read, 1, 9, 1))
        .unwrap();
    let mut first_ended_at = None;
    for step in 1..1000 {
        let now = at(step * 10);
        queue
            .submit(now, request(DiskOperation::Read, step + 1, step, 1))
            .unwrap();
        queue.step(now, Some(&mut disk));
        disk.answer(0);
        while let Some(done) = disk.completed() {
            queue.on_done(now, done);
        }
        while let Some(done) = queue.take_done() {
            if done.request.tag.number == 0 {
                first_ended_at = Some(now);
            }
        }
    }
    let ended_at = first_ended_at.expect("it ended");
    assert!(ended_at >= at(0) + WAIT_MAX && ended_at <= at(200) + WAIT_MAX);
    assert!(queue.view().counts.overdue >= 1);
}

#[test]
fn what_was_taken_comes_back_once_through_errors_resets_and_switches() {
    for seed in 0..200 {
        let mut prng = Prng::new(seed);
        let policy = Policy::ALL[seed as usize % 12];
        let mut queue = BlockQueue::new(policy.scheduler());
        let mut disk = Slow::new();
        disk.requests_max = 1 + prng.below(8) as usize;
        disk.bad = (0..4).map(|_| prng.below(256)).collect();
        let mut out = std::collections::BTreeSet::new();
        let mut number = 0;
        for step in 0..600 {
            let now = at(step);
            for _ in 0..prng.below(4) {
                let operation = [
                    DiskOperation::Read,
                    DiskOperation::Write,
                    DiskOperation::Flush,
                    DiskOperation::Discard,
                ][prng.below(4) as usize];
                let (sector, sectors) = match operation {
                    DiskOperation::Flush => (0, 0),
                    _ => (prng.below(260), 1 + prng.below(8)),
                };
                number += 1;
                let tried = queue.submit(now, request(operation, number, sector, sectors));
                if tried.is_ok() {
                    out.insert(number);
                }
            }
            disk.is_reset = prng.one_in(20);
            match prng.one_in(100) {
                true => queue.step(now, None),
                false => queue.step(now, Some(&mut disk)),
            }
            if prng.one_in(50) {
                let policy = Policy::ALL[prng.below(12) as usize];
                queue.set_scheduler(now, policy.scheduler());
            }
            if prng.one_in(50) {
                queue.set_depth(1 + prng.below(64) as usize);
            }
            disk.refuses = prng.one_in(20).then_some(DiskError::Gone);
            disk.starts += u32::from(prng.one_in(100));
            for _ in 0..prng.below(6) {
                let count = disk.waiting.len() as u64;
                if count > 0 {
                    disk.answer(prng.below(count) as usize);
                }
            }
            while let Some(done) = disk.completed() {
                queue.on_done(now, done);
            }
            while let Some(done) = queue.take_done() {
                assert!(out.remove(&done.request.tag.number), "seed {seed}");
                let is_transfer = matches!(
                    done.request.operation,
                    DiskOperation::Read | DiskOperation::Write
                );
                assert_eq!(done.request.data.is_some(), is_transfer, "seed {seed}");
            }
        }
        disk.is_reset = false;
        disk.refuses = None;
        for done in settle(&mut queue, &mut disk, at(700)) {
            assert!(out.remove(&done.request.tag.number), "seed {seed}");
        }
        assert!(out.is_empty(), "seed {seed}: {out:?}");
        assert_eq!(queue.space(), IO_REQUESTS_MAX);
    }
}
