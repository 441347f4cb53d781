//! A log on a disk that does what it says.

use super::bench::{BATCH, Bench, record, records};
use crate::base::disk::{DiskOperation, SECTOR_BYTES};
use crate::limits::LOG_BUFFERS_MAX;
use crate::storage::log::{LogError, LogStateView, Lsn, ReadEnd};

#[test]
fn what_was_appended_is_found_again_in_its_order() {
    let mut bench = Bench::new(200);
    bench.append_each(20);
    (21..=60).for_each(|number| assert_eq!(bench.append(&record(number)), number));
    bench.settle();
    assert!(bench.log.durable().covers(Lsn(60)) && !bench.log.durable().covers(Lsn(61)));
    let mut bench = bench.reopened();
    assert_eq!(bench.recovered, records(1..=60));
    assert_eq!(bench.append(b"more"), 61);
}

#[test]
fn nothing_is_durable_before_a_flush_was_answered() {
    let mut bench = Bench::new(200);
    let lsn = Lsn(bench.append(b"one"));
    assert!(!bench.log.durable().covers(lsn));
    bench.step();
    assert!(!bench.log.durable().covers(lsn));
    let write = bench.rig.answer().expect("a write");
    assert_eq!(write.request.operation, DiskOperation::Write);
    bench.log.on_done(bench.now, write);
    assert!(!bench.log.durable().covers(lsn), "it may be in the cache");
    bench.step();
    let flush = bench.rig.answer().expect("a flush");
    assert_eq!(flush.request.operation, DiskOperation::Flush);
    assert!(!bench.log.durable().covers(lsn));
    bench.log.on_done(bench.now, flush);
    assert!(bench.log.durable().covers(lsn));
}

#[test]
fn a_batch_is_safe_only_with_all_before_it() {
    let mut bench = Bench::new(200);
    for number in 1..=3 {
        bench.append(&record(number));
        bench.step();
    }
    assert_eq!(bench.rig.waiting.len(), 3);
    let mut first = bench.rig.waiting.pop_front();
    for _ in 0..20 {
        if let Some(done) = bench.rig.answer() {
            bench.log.on_done(bench.now, done);
        }
        bench.step();
    }
    assert_eq!(bench.log.durable().through(), Lsn(0));
    let first = bench.rig.carry_out(first.take().expect("it was sent"));
    bench.log.on_done(bench.now, first);
    bench.settle();
    assert_eq!(bench.log.durable().through(), Lsn(3));
}

#[test]
fn records_of_one_step_share_a_batch_and_a_flush() {
    let mut bench = Bench::new(200);
    bench.settle();
    (1..=50).for_each(|number| assert_eq!(bench.append(&record(number)), number));
    bench.settle();
    let counters = bench.log.view().counters;
    assert_eq!(
        (counters.records, counters.batches, counters.flushes),
        (50, 1, 1)
    );
}

#[test]
fn a_record_fills_a_batch_and_none_is_longer() {
    let mut bench = Bench::new(200);
    let bytes_max = bench.log.record_bytes_max();
    assert_eq!(bytes_max, BATCH as usize * SECTOR_BYTES - 76 - 8);
    let long = std::vec![7; bytes_max];
    bench.append(&long);
    bench.append(b"");
    let bytes = bytes_max + 1;
    assert_eq!(
        bench.log.append(&std::vec![7; bytes]),
        Err(LogError::TooLong { bytes, bytes_max })
    );
    bench.settle();
    let bench = bench.reopened();
    assert_eq!(bench.recovered, [(1, long), (2, std::vec![])]);
}

#[test]
fn a_full_log_refuses_until_a_checkpoint() {
    let mut bench = Bench::new(16 + 4 * BATCH);
    let mut last = 0;
    let error = loop {
        bench.settle();
        match bench.log.append(&record(last + 1)) {
            Ok(lsn) => last = lsn.0,
            Err(error) => break error,
        }
    };
    assert_eq!(error, LogError::Full);
    assert!(bench.log.view().counters.full > 0);
    bench.log.checkpoint(Lsn(last)).expect("it is there");
    assert_eq!(bench.append(&record(last + 1)), last + 1);
    bench.rest();
    let bench = bench.reopened();
    assert_eq!(bench.recovered, records(last..=last + 1));
}

#[test]
fn the_log_goes_round_many_times() {
    let mut bench = Bench::new(16 + 5 * BATCH + 3);
    for number in 1..=500 {
        let length = 1 + (number as usize * 37) % 1500;
        let mut bytes = record(number);
        bytes.resize(length.max(bytes.len()), number as u8);
        bench.append(&bytes);
        bench.settle();
        let keep = number.saturating_sub(2).max(1);
        bench.log.checkpoint(Lsn(keep)).expect("it is in the log");
        if number % 7 == 0 {
            bench.rest();
            bench = bench.reopened();
            let numbers: std::vec::Vec<u64> = bench.recovered.iter().map(|(lsn, _)| *lsn).collect();
            assert_eq!(numbers, (keep..=number).collect::<std::vec::Vec<_>>());
        }
    }
}

#[test]
fn what_was_truncated_never_comes_back() {
    let mut bench = Bench::new(400);
    bench.append_each(10);
    (11..=14).for_each(|number| assert_eq!(bench.append(&record(number)), number));
    bench.append_each(10);
    // In the middle of a batch, which is followed by others.
    bench.log.truncate(Lsn(12)).expect("it is in the log");
    assert_eq!(bench.log.next_lsn(), Lsn(13));
    assert!(!bench.log.durable().covers(Lsn(13)));
    assert_eq!(bench.append(b"another 13"), 13);
    bench.settle();
    assert!(bench.log.durable().covers(Lsn(13)));
    let mut expected = records(1..=12);
    expected.push((13, b"another 13".to_vec()));
    let mut bench = bench.reopened();
    assert_eq!(bench.recovered, expected);
    // Batches of the same length lie where the old ones did, and still lead to nothing old.
    bench.log.truncate(Lsn(5)).expect("it is in the log");
    bench.settle();
    let mut bench = bench.reopened();
    assert_eq!(bench.recovered, records(1..=5));
    bench.append(b"another 6");
    bench.settle();
    let bench = bench.reopened();
    assert_eq!(bench.recovered.len(), 6);
    assert_eq!(bench.recovered[5].1, b"another 6");
}

#[test]
fn records_that_were_not_sent_are_truncated_in_memory() {
    let mut bench = Bench::new(200);
    (1..=5).for_each(|number| assert_eq!(bench.append(&record(number)), number));
    bench.log.truncate(Lsn(3)).expect("it is in the batch");
    assert_eq!(bench.append(b"another 4"), 4);
    bench.settle();
    assert_eq!(bench.log.view().counters.cuts, 0);
    let bench = bench.reopened();
    assert_eq!(bench.recovered.len(), 4);
    assert_eq!(bench.recovered[3].1, b"another 4");
}

#[test]
fn several_cuts_in_a_row_keep_what_all_of_them_keep() {
    let mut bench = Bench::new(400);
    bench.append_each(12);
    bench.log.truncate(Lsn(9)).expect("it is in the log");
    bench.append(b"lost");
    bench.step();
    bench.log.truncate(Lsn(4)).expect("it is in the log");
    bench.append(b"another 5");
    assert_eq!(bench.log.truncate(Lsn(6)), Err(LogError::OutOfRange));
    bench.settle();
    let bench = bench.reopened();
    let mut expected = records(1..=4);
    expected.push((5, b"another 5".to_vec()));
    assert_eq!(bench.recovered, expected);
}

#[test]
fn old_records_are_read_back() {
    let mut bench = Bench::new(600);
    (1..=20).for_each(|number| assert_eq!(bench.append(&record(number)), number));
    bench.append_each(200);
    bench.log.truncate(Lsn(150)).expect("it is in the log");
    bench.append_each(50);
    bench.log.checkpoint(Lsn(30)).expect("it is in the log");
    let (read, end) = bench.read_all(40, u64::MAX);
    assert_eq!(read, records(40..=200));
    assert_eq!(end, ReadEnd::Through(Lsn(201)));
    let (read, end) = bench.read_all(149, 152);
    assert_eq!(
        (read, end),
        (records(149..=152), ReadEnd::Through(Lsn(153)))
    );
    assert_eq!(bench.log.read(Lsn(29), Lsn(40)), Err(LogError::OutOfRange));
    let (read, _) = bench.read_all(201, 300);
    assert!(read.is_empty());
}

#[test]
fn a_read_ends_when_the_log_is_truncated() {
    let mut bench = Bench::new(600);
    bench.append_each(30);
    bench.log.read(Lsn(1), Lsn(30)).expect("a read");
    assert_eq!(bench.log.read(Lsn(1), Lsn(30)), Err(LogError::Reading));
    bench.log.truncate(Lsn(7)).expect("it is in the log");
    bench.settle();
    assert_eq!(bench.log.take_read(&mut |_, _| {}), Some(ReadEnd::Cut));
    assert_eq!(bench.log.view().next, Lsn(8));
}

#[test]
fn a_read_whose_records_were_given_up_says_so_and_finds_no_damage() {
    let mut bench = Bench::new(16 + 5 * BATCH);
    bench.append_each(10);
    bench.log.read(Lsn(1), Lsn(10)).expect("a read");
    let mut got = 0;
    bench.settle();
    assert_eq!(bench.log.take_read(&mut |_, _| got += 1), None);
    for number in 11..=60 {
        bench.append(&record(number));
        bench.settle();
        let keep = Lsn(number - 1);
        bench.log.checkpoint(keep).expect("it is in the log");
    }
    let end = bench.log.take_read(&mut |_, _| {});
    assert_eq!((end, got < 10), (Some(ReadEnd::Gone), true));
}

#[test]
fn no_batch_lies_farther_from_what_is_said_to_be_safe_than_recovery_looks() {
    let superblocks = super::bench::FIRST..super::bench::FIRST + 16;
    let mut bench = Bench::new(40_000);
    let long = std::vec![7; bench.log.record_bytes_max()];
    // The disk does not come to write the superblocks.
    let mut held = std::vec![];
    let mut refused = 0;
    while refused < 20 {
        refused = match bench.log.append(&long) {
            Ok(_) => 0,
            Err(error) => {
                assert_eq!(error, LogError::Busy);
                refused + 1
            }
        };
        bench.step();
        while let Some(request) = bench.rig.waiting.pop_front() {
            if superblocks.contains(&request.sector) {
                held.push(request);
                continue;
            }
            let done = bench.rig.carry_out(request);
            bench.log.on_done(bench.now, done);
        }
    }
    let written = bench.log.view().counters.sectors;
    let reach = bench.log.area.reach_sectors();
    assert!((reach - 2 * BATCH..=reach).contains(&written), "{written}");
    bench.rig.waiting.extend(held);
    bench.append(&long);
    bench.settle();
    assert!(bench.log.is_safe());
}

#[test]
fn a_read_that_was_not_sent_yet_says_at_once_that_it_has_ended() {
    let mut bench = Bench::new(600);
    bench.append_each(30);
    bench.log.read(Lsn(1), Lsn(30)).expect("a read");
    assert!(!bench.log.is_read_ready());
    bench.log.truncate(Lsn(7)).expect("it is in the log");
    assert!(bench.log.is_read_ready());
    assert_eq!(bench.log.take_read(&mut |_, _| {}), Some(ReadEnd::Cut));
    bench.settle();
    bench.log.read(Lsn(1), Lsn(7)).expect("a read");
    bench.rig.disks.clear();
    bench.step();
    assert!(bench.log.has_failed() && bench.log.is_read_ready());
    let end = bench.log.take_read(&mut |_, _| {});
    assert!(matches!(end, Some(ReadEnd::Failed(_))), "{end:?}");
}

#[test]
fn a_full_log_is_not_called_full_while_a_truncation_makes_room() {
    let mut bench = Bench::new(16 + 4 * BATCH);
    let mut last = 0;
    while let Ok(lsn) = bench.log.append(&record(last + 1)) {
        last = lsn.0;
        bench.settle();
    }
    assert_eq!(bench.log.append(b"more"), Err(LogError::Full));
    bench.log.truncate(Lsn(2)).expect("it is in the log");
    assert_eq!(bench.log.append(b"more"), Err(LogError::Busy));
    assert_eq!(bench.append(b"another 3"), 3);
}

#[test]
fn a_failed_write_fails_the_log_and_says_where() {
    let mut bench = Bench::new(200);
    bench.append_each(2);
    bench.rig.bad_sectors.push(super::bench::FIRST + 16 + 2);
    bench.append(b"lost");
    bench.settle();
    assert_eq!(bench.state().name(), "failed");
    assert!(bench.log.durable().covers(Lsn(2)) && !bench.log.durable().covers(Lsn(3)));
    let error = bench.log.append(b"more").expect_err("it has failed");
    assert!(std::format!("{error}").contains("sector 25"), "{error}");
}

#[test]
fn a_disk_without_a_cache_needs_no_flush() {
    let mut bench = Bench::new(200);
    bench.rig.has_no_cache = true;
    bench.append_each(3);
    assert!(bench.log.durable().covers(Lsn(3)));
    assert_eq!(bench.log.view().counters.flushes, 0);
}

#[test]
fn a_region_without_a_log_is_none() {
    let rig = crate::storage::rig::Rig::new(&[300]);
    let mut bench = Bench::on(rig, 200);
    bench.settle();
    assert_eq!(bench.state(), LogStateView::Failed(LogError::NotFormatted));
    assert_eq!(bench.log.append(b"x"), Err(LogError::NotFormatted));
    let bench = Bench::new(200);
    let mut rig = bench.rig;
    rig.disks[0].resize(400 * SECTOR_BYTES, 0);
    let mut bench = Bench::on(rig, 300);
    bench.settle();
    assert_eq!(bench.state(), LogStateView::Failed(LogError::OtherSizes));
}

#[test]
fn a_log_that_is_closed_gives_back_all_memory_whatever_it_was_at() {
    let closed = |bench: Bench| {
        let mut count = 0;
        bench.log.close(&mut |_| count += 1);
        count
    };
    let all = closed(Bench::new(200));
    assert_eq!(all, LOG_BUFFERS_MAX + 1);
    let mut filling = Bench::new(200);
    filling.append(b"not sent");
    assert_eq!(closed(filling), all);
    // In the middle of recovery, of reading and of a truncation, between two answers.
    for steps in 0..12 {
        let mut full = Bench::new(200);
        full.append_each(30);
        let go = |bench: &mut Bench| {
            for _ in 0..steps {
                bench.step();
                while let Some(done) = bench.rig.answer() {
                    bench.log.on_done(bench.now, done);
                }
            }
        };
        let mut reading = full.reopened();
        reading.log.read(Lsn(2), Lsn(29)).expect("a read");
        go(&mut reading);
        assert_eq!(closed(reading), all, "reading, {steps}");
        let mut cutting = Bench::new(200);
        cutting.append_each(30);
        cutting.log.truncate(Lsn(7)).expect("a cut");
        go(&mut cutting);
        assert_eq!(closed(cutting), all, "cutting, {steps}");
        let mut written = Bench::new(200);
        written.append_each(30);
        let mut recovering = Bench::on(written.rig, 200);
        go(&mut recovering);
        assert_eq!(closed(recovering), all, "recovering, {steps}");
    }
}

#[test]
fn a_log_of_the_newest_gives_up_its_oldest_and_never_stays_full() {
    let mut bench = Bench::new(16 + 4 * BATCH);
    let mut number = 1;
    while number <= 500 {
        match bench.log.append_newest(&record(number)) {
            Ok(lsn) => {
                assert_eq!(lsn, Lsn(number));
                number += 1;
            }
            Err(error) => assert_eq!(error, LogError::Busy),
        }
        bench.settle();
    }
    assert!(bench.log.view().counters.given_up > 400);
    let bench = bench.reopened();
    let (first, _) = bench.recovered[0];
    assert!(first > 400 && first < 500);
    assert_eq!(bench.recovered, records(first..=500));
}
