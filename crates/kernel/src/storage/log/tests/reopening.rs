//! A log whose disk failed for a while is read anew.

use super::bench::{BATCH, Bench, record, records, setup};
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskOperation};
use crate::storage::io::{IoDone, IoError, Memory};
use crate::storage::log::{DamagedPart, Log, LogError, LogStateView, Lsn};
use crate::storage::rig::Rig;
use std::vec::Vec;

const SECTORS: u64 = 200;

/// Five safe records, and a sixth that the disk would not write.
fn failed() -> Bench {
    let mut bench = Bench::new(SECTORS);
    bench.append_each(5);
    bench.rig.bad_sectors = (0..SECTORS).collect();
    bench.append(&record(6));
    bench.settle();
    assert_eq!(bench.state().name(), "failed");
    bench.recovered.clear();
    bench
}

fn reopen(bench: &mut Bench, is_patient: bool) {
    bench.log.reopen(is_patient);
    bench.settle();
}

#[test]
fn what_was_safe_is_found_again_and_the_log_goes_on() {
    let mut bench = failed();
    assert_eq!(bench.log.durable().through(), Lsn(5));
    for round in 1..=20 {
        // As long as the disk is bad it fails again, and loses no memory.
        reopen(&mut bench, true);
        assert!(bench.log.may_reopen(), "round {round}");
    }
    bench.rig.bad_sectors.clear();
    bench.recovered.clear();
    reopen(&mut bench, true);
    assert_eq!(bench.state(), LogStateView::Open);
    assert_eq!(bench.recovered, records(1..=5));
    assert_eq!(bench.append(&record(6)), 6);
    bench.append_each(20);
    assert_eq!(bench.log.view().counters.reopened, 21);
    assert_eq!(bench.reopened().recovered, records(1..=26));
}

#[test]
fn what_was_safe_and_is_gone_is_a_loss_though_no_seal_says_so() {
    let mut bench = failed();
    bench.rig.bad_sectors.clear();
    bench.sector_mut(4).fill(0);
    reopen(&mut bench, false);
    let LogStateView::Damaged(damage) = bench.state() else {
        panic!("it is {:?}", bench.state());
    };
    assert_eq!((damage.part, damage.lsn), (DamagedPart::Header, Lsn(5)));
    // Nobody asks for it any more once it was accepted.
    bench.log.accept_loss().expect("it is damaged");
    bench.settle();
    assert_eq!(bench.append(&record(5)), 5);
}

#[test]
fn a_sector_that_cannot_be_read_is_not_an_empty_one_as_long_as_there_is_patience() {
    let mut bench = failed();
    let fifth = super::bench::FIRST + 16 + 4;
    bench.rig.bad_sectors = std::vec![fifth];
    reopen(&mut bench, true);
    assert_eq!(bench.state().name(), "failed");
    reopen(&mut bench, false);
    assert_eq!(bench.state().name(), "damaged");
}

#[test]
fn superblocks_that_cannot_be_read_are_a_failure_of_the_disk_and_not_no_log() {
    let mut bench = Bench::new(SECTORS);
    bench.append_each(3);
    bench.rig.bad_sectors = (0..SECTORS).collect();
    let mut bench = bench.reopened();
    assert!(bench.log.may_reopen(), "{:?}", bench.state());
    bench.rig.bad_sectors.clear();
    reopen(&mut bench, true);
    assert_eq!(bench.recovered, records(1..=3));
}

#[test]
fn a_recovery_whose_flush_failed_calls_nothing_safe() {
    let mut bench = Bench::new(SECTORS);
    bench.append_each(3);
    let rig = Rig {
        disks: bench.rig.disks,
        ..Rig::default()
    };
    let mut bench = Bench::on(rig, SECTORS);
    let flush = loop {
        bench.step();
        let request = bench.rig.waiting.pop_front().expect("it reads on");
        match request.operation {
            DiskOperation::Flush => break request,
            _ => {
                let done = bench.rig.carry_out(request);
                bench.log.on_done(bench.now, done);
            }
        }
    };
    let result = Err(IoError::Disk(DiskError::Gone));
    let request = flush;
    bench.log.on_done(bench.now, IoDone { request, result });
    assert_eq!(bench.state().name(), "failed");
    assert_eq!(bench.recovered, records(1..=3));
    assert_eq!(bench.log.durable().through(), Lsn(0));
}

/// Memory that runs out.
struct Scarce {
    left: usize,
    back: Vec<Buffer>,
}

impl Memory for Scarce {
    fn take_buffer(&mut self, bytes: usize) -> Option<Buffer> {
        self.left = self.left.checked_sub(1)?;
        Rig::default().take_buffer(bytes)
    }

    fn give_back(&mut self, buffer: Buffer) {
        self.back.push(buffer);
    }
}

#[test]
fn a_log_that_finds_too_little_memory_gives_back_what_it_took() {
    let area = setup(SECTORS);
    for left in 0..=crate::limits::LOG_BUFFERS_MAX {
        let back = Vec::new();
        let mut memory = Scarce { left, back };
        let opened = Log::open(&area, &mut memory);
        assert_eq!(opened.err(), Some(LogError::NoMemory));
        assert_eq!(memory.back.len(), left);
    }
}

#[test]
fn a_log_never_begins_behind_a_cut() {
    for is_begun in [false, true] {
        let mut bench = Bench::new(16 + 30 * BATCH);
        bench.append_each(30);
        bench.log.truncate(Lsn(10)).expect("it is in the log");
        if is_begun {
            bench.step();
        }
        for number in 11..=20 {
            assert_eq!(bench.append(&record(number)), number);
        }
        // Record 20 is in no batch yet; what has its number on the disk is void.
        bench.log.checkpoint(Lsn(20)).expect("it was appended");
        bench.rest();
        bench.append_each(5);
        bench.rest();
        let bench = bench.reopened();
        assert_eq!(bench.recovered, records(20..=25), "begun: {is_begun}");
    }
}

#[test]
fn a_cut_that_cannot_read_what_it_cuts_fails_the_log_and_is_not_asked_for_ever() {
    let mut bench = Bench::new(SECTORS);
    bench.append_each(10);
    bench.rig.bad_sectors = (0..SECTORS).collect();
    bench.log.truncate(Lsn(4)).expect("it is in the log");
    bench.settle();
    assert_eq!(bench.state().name(), "failed");
    assert_eq!(bench.log.durable().through(), Lsn(4));
    bench.rig.bad_sectors.clear();
    bench.recovered.clear();
    reopen(&mut bench, true);
    // The cut was never on the disk.
    assert_eq!(bench.recovered, records(1..=10));
}
