//! Areas that were changed: no panic, and no record that was not appended.

use super::bench::{BATCH, Bench, FIRST};
use crate::base::crc32c::crc32c;
use crate::base::disk::SECTOR_BYTES;
use crate::base::prng::Prng;
use crate::storage::log::{LogStateView, Lsn};
use crate::storage::rig::Rig;
use std::collections::BTreeSet;
use std::vec::Vec;

const SECTORS: u64 = 16 + 8 * BATCH + 1;

/// A log with a life, and everything that was ever appended to it.
fn lived(seed: u64) -> (Vec<u8>, BTreeSet<(u64, Vec<u8>)>) {
    let mut prng = Prng::new(seed);
    let mut bench = Bench::new(SECTORS);
    let mut known = BTreeSet::new();
    for _ in 0..60 {
        let mut bytes = std::vec![0; prng.below(900) as usize];
        prng.fill(&mut bytes);
        match bench.log.append(&bytes) {
            Ok(lsn) => drop(known.insert((lsn.0, bytes))),
            Err(_) => {
                let keep = bench.log.next_lsn().0.saturating_sub(2).max(1);
                bench.log.checkpoint(Lsn(keep)).expect("it is in the log");
            }
        }
        if prng.one_in(2) {
            bench.settle();
        }
        if prng.one_in(12) {
            let keep = bench.log.next_lsn().0 - 1;
            let keep = keep.saturating_sub(prng.below(3));
            // What was given up by a checkpoint is refused.
            let _ = bench.log.truncate(Lsn(keep));
        }
        if prng.one_in(15) {
            bench.rest();
            bench = bench.reopened();
        }
    }
    bench.settle();
    (core::mem::take(&mut bench.rig.disks[0]), known)
}

/// Changes bytes, moves sectors, and sometimes makes the checksums right again.
fn mutate(prng: &mut Prng, disk: &mut [u8]) {
    let first = FIRST as usize * SECTOR_BYTES;
    let region = &mut disk[first..first + SECTORS as usize * SECTOR_BYTES];
    for _ in 0..1 + prng.below(4) {
        let sector = prng.below(SECTORS) as usize * SECTOR_BYTES;
        let sector = if prng.one_in(4) {
            sector % (16 * SECTOR_BYTES)
        } else {
            sector
        };
        match prng.below(5) {
            0 => region[sector..sector + SECTOR_BYTES].fill(0),
            1 => {
                let from = prng.below(SECTORS) as usize * SECTOR_BYTES;
                region.copy_within(from..from + SECTOR_BYTES, sector);
            }
            2 => region[sector + prng.below(SECTOR_BYTES as u64) as usize] ^= 1 << prng.below(8),
            3 => {
                let at = sector + prng.below(120) as usize;
                let field = prng.next_u64() >> prng.below(64);
                region[at..at + 8].copy_from_slice(&field.to_le_bytes());
            }
            _ => reseal(prng, &mut region[sector..sector + SECTOR_BYTES]),
        }
    }
}

/// A field of a header is another, and its checksum fits.
fn reseal(prng: &mut Prng, sector: &mut [u8]) {
    let checked = match &sector[..8] {
        b"rayosbat" => 72,
        b"rayoslog" => 128,
        _ => return,
    };
    let at = 8 + 4 * prng.below(checked as u64 / 4 - 2) as usize;
    let field = (prng.next_u64() >> prng.below(64)) as u32;
    let old = u32::from_le_bytes([sector[at], sector[at + 1], sector[at + 2], sector[at + 3]]);
    let field = match prng.below(3) {
        0 => old.wrapping_add(1),
        1 => old.wrapping_sub(1),
        _ => field,
    };
    sector[at..at + 4].copy_from_slice(&field.to_le_bytes());
    let checksum = crc32c(&sector[..checked]);
    sector[checked..checked + 4].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn a_changed_area_gives_no_record_that_was_never_appended() {
    let lives: Vec<_> = (0..20).map(lived).collect();
    let mut states = [0; 4];
    for seed in 0..12_000 {
        let mut prng = Prng::new(seed);
        let (disk, known) = &lives[prng.below(20) as usize];
        let mut disk = disk.clone();
        mutate(&mut prng, &mut disk);
        let rig = Rig {
            disks: std::vec![disk],
            ..Rig::default()
        };
        let mut bench = Bench::on(rig, SECTORS);
        bench.settle();
        for record in &bench.recovered {
            assert!(
                known.contains(record),
                "seed {seed}: {} was invented",
                record.0
            );
        }
        assert!(
            bench.recovered.is_sorted_by_key(|(lsn, _)| *lsn),
            "seed {seed}"
        );
        states[match bench.state() {
            LogStateView::Recovering => panic!("seed {seed}: it never ends"),
            LogStateView::Open => 0,
            LogStateView::Damaged(_) => 1,
            LogStateView::Failed(_) => 2,
        }] += 1;
        live_on(seed, bench);
    }
    // All three are reached, or the mutations are too weak.
    assert!(states[..3].iter().all(|count| *count > 50), "{states:?}");
}

/// Whatever it was, it can be used afterwards without a panic.
fn live_on(seed: u64, mut bench: Bench) {
    let _ = bench.log.accept_loss();
    bench.settle();
    if bench.state() != LogStateView::Open {
        return;
    }
    let before = bench.recovered.len();
    let mut appended = Vec::new();
    for number in 0..3 {
        if let Ok(lsn) = bench.log.append(&[number; 100]) {
            appended.push((lsn.0, std::vec![number; 100]));
        }
        bench.settle();
    }
    if !appended.is_empty() && bench.state() == LogStateView::Open {
        let bench = bench.reopened();
        assert!(
            bench.recovered.ends_with(&appended),
            "seed {seed}: {before} before, {:?}",
            bench.state()
        );
    }
}
