//! A measurement ends, and writes nowhere but to a disk that is blank.

use super::*;
use crate::base::disk::DiskFacts;
use crate::base::operation::Operations;
use crate::limits::IO_REQUESTS_MAX;
use crate::storage::rig::Rig;
use std::string::String;

const SECTORS: u64 = 16_384;

/// A disk that can go, and whose queue others can fill.
struct Bed {
    rig: Rig,
    is_gone: bool,
    is_full: bool,
}

impl Submit for Bed {
    fn facts(&self, disk: usize) -> Option<DiskFacts> {
        self.rig.facts(disk).filter(|_| !self.is_gone)
    }

    fn space(&self, disk: usize) -> usize {
        match self.is_gone || self.is_full {
            true => 0,
            false => self.rig.space(disk),
        }
    }

    fn submit(&mut self, now: Instant, request: IoRequest) -> Result<(), (IoError, IoRequest)> {
        match (self.is_gone, self.is_full) {
            (true, _) => Err((IoError::NoDisk, request)),
            (_, true) => Err((IoError::Full, request)),
            _ => self.rig.submit(now, request),
        }
    }
}

struct World {
    bed: Bed,
    measure: Measure,
    id: OperationId,
    now: Instant,
    is_blank: bool,
}

impl World {
    fn new(load: &'static str, depth: usize) -> Self {
        let mut rig = Rig::new(&[SECTORS]);
        let mut measure = Measure::default();
        let limit = Duration::from_secs(1);
        let id = Operations::default().open(Instant::ZERO, limit).unwrap();
        let wish = Wish {
            disk: 0,
            seconds: 1,
            load: Some(load),
            depth: Some(depth),
        };
        let memory = &mut Rig::default();
        measure.start(id, wish, true, &rig, memory).unwrap();
        rig.done.clear();
        let bed = Bed {
            rig,
            is_gone: false,
            is_full: false,
        };
        Self {
            bed,
            measure,
            id,
            now: Instant::from_nanos(1_000_000),
            is_blank: true,
        }
    }

    fn step(&mut self) {
        self.now = self.now + Duration::from_millis(1);
        let is_blank = self.is_blank;
        self.measure.step(self.now, &mut self.bed, &|_| is_blank);
    }

    /// The disk answers its oldest request.
    fn answer(&mut self) {
        if let Some(done) = self.bed.rig.answer() {
            self.measure.on_done(self.now, done);
        }
    }

    /// What it says once it has ended; `None` as long as it has not.
    fn report(&mut self) -> Option<Result<(), String>> {
        let mut report = Report::new();
        let is_there = self.measure.maybe_answer(self.id, &mut report);
        is_there.then(|| report.error().map_or(Ok(()), |error| Err(error.into())))
    }

    fn run(&mut self) -> Result<(), String> {
        for _ in 0..2_000 {
            self.step();
            self.answer();
            if let Some(report) = self.report() {
                return report;
            }
        }
        panic!("it never ends");
    }
}

#[test]
fn a_blank_disk_is_written_to_and_its_edges_are_not() {
    for (load, depth) in [
        ("write-4k", 1),
        ("randwrite-128k", DEPTH),
        ("sync-write-4k", 1),
    ] {
        let mut world = World::new(load, depth);
        assert_eq!(world.run(), Ok(()));
        let mut writes = world.bed.rig.done.iter();
        let inside = EDGE_SECTORS..=SECTORS - EDGE_SECTORS;
        assert!(writes.all(|(operation, first, sectors)| {
            *operation == DiskOperation::Flush
                || inside.contains(first) && inside.contains(&(first + sectors))
        }));
    }
}

const DEPTH: usize = MEASURE_DEPTH_MAX;

#[test]
fn a_disk_that_is_laid_out_meanwhile_is_not_written_to_any_more() {
    for depth in [1, DEPTH] {
        let mut world = World::new("write-4k", depth);
        for _ in 0..10 {
            world.step();
            world.answer();
        }
        world.is_blank = false;
        let on_their_way = world.bed.rig.waiting.len();
        let before = world.bed.rig.done.len();
        let error = world.run().unwrap_err();
        assert!(error.contains("written to meanwhile"), "{error}");
        assert_eq!(world.bed.rig.done.len(), before + on_their_way);
    }
}

#[test]
fn a_disk_that_goes_between_two_requests_ends_the_measurement() {
    for load in ["read-4k", "sync-write-4k"] {
        let mut world = World::new(load, 1);
        world.step();
        world.answer();
        world.bed.is_gone = true;
        let error = world.run().unwrap_err();
        assert!(error.contains("unplugged"), "{error}");
    }
}

#[test]
fn a_full_queue_is_waited_for_by_a_flush_too() {
    let mut world = World::new("sync-write-4k", 1);
    world.step();
    world.answer();
    world.bed.is_full = true;
    for _ in 0..10 {
        world.step();
        assert_eq!(world.report(), None);
    }
    world.bed.is_full = false;
    assert_eq!(world.run(), Ok(()));
    assert_eq!(world.bed.space(0), IO_REQUESTS_MAX);
}

#[test]
fn who_goes_away_leaves_no_request_behind() {
    for answers in 0..6 {
        let mut world = World::new("sync-write-4k", 1);
        world.step();
        (0..answers).for_each(|_| {
            world.answer();
            world.step();
        });
        world.measure.forget(world.id);
        for _ in 0..4 {
            world.step();
            world.answer();
        }
        assert!(world.measure.run.is_none() && world.bed.rig.waiting.is_empty());
        assert!(world.measure.buffers.is_full());
    }
}
