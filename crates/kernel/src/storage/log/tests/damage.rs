//! A log on a disk that did not keep what it was given.

use super::bench::{Bench, FIRST, record, records};
use crate::base::disk::SECTOR_BYTES;
use crate::storage::log::{DamagedPart, LogError, LogStateView, Lsn};

fn damage(bench: &Bench) -> crate::storage::log::Damage {
    match bench.state() {
        LogStateView::Damaged(damage) => damage,
        state => panic!("it is {state:?}"),
    }
}

#[test]
fn the_rest_of_a_torn_batch_is_dropped() {
    let mut bench = Bench::new(200);
    bench.append_each(3);
    bench.rest();
    let long = std::vec![9; 1500];
    bench.append(&long);
    bench.step();
    // The write was carried out in part, and the power went before a flush.
    let write = bench.rig.waiting.pop_front().expect("a write");
    let data = write.data.expect("it has bytes");
    bench
        .sector_mut(3)
        .copy_from_slice(&data.bytes()[..SECTOR_BYTES]);
    let mut bench = bench.reopened();
    assert_eq!(bench.state(), LogStateView::Open);
    assert_eq!(bench.recovered, records(1..=3));
    let counters = bench.log.view().counters;
    assert_eq!((counters.batches_dropped, counters.records_dropped), (1, 1));
    bench.append_each(1);
    let bench = bench.reopened();
    assert_eq!(bench.recovered, records(1..=4));
}

#[test]
fn a_batch_that_arrived_behind_a_lost_one_is_dropped() {
    let mut bench = Bench::new(200);
    bench.append_each(3);
    for number in 4..=6 {
        bench.append(&record(number));
        bench.step();
    }
    // Of three that were on their way, the last two arrived.
    bench.rig.waiting.pop_front();
    for _ in 0..2 {
        let request = bench.rig.waiting.pop_front().expect("a write");
        bench.rig.carry_out(request);
    }
    let mut bench = bench.reopened();
    assert_eq!(bench.recovered, records(1..=3));
    assert_eq!(bench.log.view().counters.batches_dropped, 2);
    bench.append_each(1);
    let bench = bench.reopened();
    assert_eq!(
        bench.recovered,
        records(1..=4),
        "what was dropped stays dropped"
    );
}

#[test]
fn damage_of_what_was_acknowledged_is_found_and_named() {
    let mut bench = Bench::new(200);
    bench.append_each(9);
    bench.sector_mut(4)[90] ^= 1;
    let mut bench = bench.reopened();
    let found = damage(&bench);
    assert_eq!(
        (found.part, found.lsn, found.batch),
        (DamagedPart::Records, Lsn(5), 5)
    );
    assert_eq!(found.sector, FIRST + 16 + 4);
    assert_eq!(found.later_batches, 4);
    assert!(found.bytes.is_some());
    assert_eq!(bench.recovered, records(1..=4), "what is whole comes out");
    assert_eq!(bench.log.append(b"x"), Err(LogError::Damaged));
    assert_eq!(bench.log.durable().through(), Lsn(0));
    // It stays damaged until somebody accepts it.
    bench = bench.reopened();
    assert_eq!(damage(&bench), found);
    bench.log.accept_loss().expect("there is a loss");
    bench.settle();
    assert_eq!(bench.append(b"another 5"), 5);
    bench.settle();
    let mut bench = bench.reopened();
    assert_eq!(bench.recovered.len(), 5);
    assert_eq!(bench.log.accept_loss(), Err(LogError::NotDamaged));
}

#[test]
fn a_header_that_is_gone_is_a_loss_when_a_later_batch_says_so() {
    let mut bench = Bench::new(200);
    bench.append_each(9);
    bench.sector_mut(2).fill(0);
    let bench = bench.reopened();
    let found = damage(&bench);
    assert_eq!((found.part, found.lsn), (DamagedPart::Header, Lsn(3)));
    assert_eq!(bench.recovered, records(1..=2));
}

#[test]
fn damage_of_the_last_batch_is_found_once_it_was_sealed() {
    let mut bench = Bench::new(200);
    bench.append_each(3);
    bench.rest();
    bench.sector_mut(2).fill(0);
    let bench = bench.reopened();
    assert_eq!(damage(&bench).lsn, Lsn(3));
}

#[test]
fn damage_of_the_last_batch_before_its_seal_looks_like_a_power_cut() {
    // The window that docs/storage-log.md names.
    let mut bench = Bench::new(200);
    bench.append_each(3);
    bench.sector_mut(2).fill(0);
    let bench = bench.reopened();
    assert_eq!(bench.state(), LogStateView::Open);
    assert_eq!(bench.recovered, records(1..=2));
}

#[test]
fn a_write_that_went_elsewhere_is_found_by_its_place() {
    let mut bench = Bench::new(200);
    bench.append_each(6);
    let misdirected = bench.sector_mut(5).to_vec();
    bench.sector_mut(5).fill(0);
    bench.sector_mut(2).copy_from_slice(&misdirected);
    bench.append_each(2);
    let bench = bench.reopened();
    assert_eq!(damage(&bench).lsn, Lsn(3));
    assert_eq!(bench.recovered, records(1..=2));
}

#[test]
fn a_lost_write_over_an_older_round_is_found() {
    let mut bench = Bench::new(16 + 20);
    for number in 1..=30 {
        let before = bench.sector_mut((number - 1) % 17).to_vec();
        bench.append_each(1);
        let keep = Lsn(number.saturating_sub(3).max(1));
        bench.log.checkpoint(keep).expect("it is in the log");
        bench.rest();
        if number == 29 {
            bench.sector_mut((number - 1) % 17).copy_from_slice(&before);
        }
    }
    let bench = bench.reopened();
    assert_eq!(damage(&bench).lsn, Lsn(29));
    assert_eq!(bench.recovered, records(27..=28));
}

#[test]
fn a_batch_of_a_given_up_epoch_under_a_lost_write_is_found() {
    let mut bench = Bench::new(200);
    bench.append_each(6);
    let old = bench.sector_mut(3).to_vec();
    bench.log.truncate(Lsn(3)).expect("it is in the log");
    for _ in 0..5 {
        bench.append(b"another");
        bench.settle();
    }
    bench.rest();
    // The disk said that it wrote the first of these, and did not.
    bench.sector_mut(3).copy_from_slice(&old);
    let bench = bench.reopened();
    let found = damage(&bench);
    assert_eq!(found.lsn, Lsn(4));
    assert_eq!(bench.recovered, records(1..=3));
    // The next opening's epoch, too, takes it for what it is.
    let bench = bench.reopened();
    assert_eq!(damage(&bench), found);
}

#[test]
fn either_superblock_is_enough() {
    for slot in 0..2 {
        let mut bench = Bench::new(200);
        bench.append_each(6);
        bench.log.checkpoint(Lsn(3)).expect("it is in the log");
        bench.rest();
        let at = (FIRST + slot * 8) as usize * SECTOR_BYTES;
        bench.rig.disks[0][at + 40] ^= 4;
        let bench = bench.reopened();
        assert_eq!(bench.recovered, records(3..=6));
        assert_eq!(bench.log.view().counters.superblocks_bad, 1);
        let bench = bench.reopened();
        assert_eq!(
            bench.log.view().counters.superblocks_bad,
            0,
            "it was repaired"
        );
    }
}

#[test]
fn superblocks_that_are_older_than_the_batches_are_a_loss() {
    let mut bench = Bench::new(200);
    bench.append_each(6);
    bench.settle();
    let at = FIRST as usize * SECTOR_BYTES;
    let old = bench.rig.disks[0][at..at + 16 * SECTOR_BYTES].to_vec();
    bench.log.truncate(Lsn(3)).expect("it is in the log");
    bench.append_each(4);
    bench.rig.disks[0][at..at + 16 * SECTOR_BYTES].copy_from_slice(&old);
    let bench = bench.reopened();
    assert_eq!(damage(&bench).part, DamagedPart::Superblock);
}

#[test]
fn a_sector_that_cannot_be_read_is_damage_only_where_something_was() {
    let mut bench = Bench::new(200);
    bench.append_each(6);
    bench.rig.bad_sectors.push(FIRST + 16 + 9);
    let mut bench = bench.reopened();
    assert_eq!(bench.recovered, records(1..=6));
    assert!(bench.log.view().counters.unreadable_sectors > 0);
    bench.append_each(1);
    bench.rig.bad_sectors = std::vec![FIRST + 16 + 3];
    let bench = bench.reopened();
    let found = damage(&bench);
    assert_eq!((found.sector, found.lsn), (FIRST + 16 + 3, Lsn(4)));
    assert_eq!(bench.recovered, records(1..=3));
}

#[test]
fn the_remains_of_another_log_are_not_its_own() {
    let mut bench = Bench::new(200);
    bench.append_each(8);
    let rig = core::mem::take(&mut bench.rig);
    let mut disks = rig.disks;
    let disk = &mut disks[0];
    crate::storage::log::Log::format(&super::bench::setup(200), 99, &mut |sector, bytes| {
        disk[sector as usize * SECTOR_BYTES..][..SECTOR_BYTES].copy_from_slice(bytes);
    })
    .expect("the region is large enough");
    bench.rig.disks = disks;
    let bench = bench.reopened();
    assert_eq!(bench.state(), LogStateView::Open);
    assert!(bench.recovered.is_empty());
}

#[test]
fn a_cut_that_finds_damage_comes_to_rest_though_its_disk_goes() {
    let mut bench = Bench::new(200);
    bench.append_each(10);
    bench.sector_mut(3).fill(0);
    bench.log.truncate(Lsn(4)).expect("it is in the log");
    for _ in 0..100 {
        if bench.state() == LogStateView::Open {
            bench.step();
            let done = bench.rig.answer();
            done.into_iter()
                .for_each(|done| bench.log.on_done(bench.now, done));
        }
    }
    assert_eq!(bench.state(), LogStateView::Failed(LogError::Damaged));
    bench.rig.disks.clear();
    bench.rig.waiting.clear();
    bench.settle();
}
