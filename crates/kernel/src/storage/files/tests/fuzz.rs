//! Volumes that somebody has damaged: every work ends, and none of them badly.

use super::super::Act;
use super::bench::{Bench, FIRST};
use crate::base::prng::Prng;
use crate::storage::fat::Kind;
use crate::storage::rig::Rig;
use std::format;
use std::vec::Vec;

const SEEDS: u64 = 10_000;

/// A volume with a bit of everything, and where its parts are.
struct Original {
    disk: Vec<u8>,
    sectors: u64,
    /// Sectors of the tables, and of the directories.
    tables: core::ops::Range<usize>,
    directories: core::ops::Range<usize>,
}

impl Original {
    fn new(kind: Kind) -> Self {
        let mut bench = Bench::new(kind);
        bench.run("sub", Act::MakeDirectory).unwrap();
        for count in 0..20 {
            bench
                .put(&format!("sub/a long name {count}"), "text")
                .unwrap();
        }
        bench.put("file", &"some text ".repeat(60)).unwrap();
        bench.receive("large", &[7; 20_000]).unwrap();
        let disk = bench.rig.disks[0].clone();
        let field = |at: usize| {
            let at = FIRST as usize * 512 + at;
            usize::from(u16::from_le_bytes([disk[at], disk[at + 1]]))
        };
        let (reserved, short) = (field(14), field(22));
        let table = if short == 0 { field(36) } else { short };
        let data = reserved + 2 * table;
        Self {
            sectors: bench.region.sectors,
            tables: reserved..data,
            // The root directory and the first clusters behind it.
            directories: data..data + 60,
            disk,
        }
    }

    fn damaged(&self, prng: &mut Prng) -> Vec<u8> {
        let mut disk = self.disk.clone();
        for _ in 0..1 + prng.below(6) {
            let within = |prng: &mut Prng, range: &core::ops::Range<usize>| {
                let sector = range.start as u64 + prng.below(range.len() as u64);
                (FIRST + sector) as usize * 512 + prng.below(512) as usize
            };
            // Where something stands, which is mostly at the beginning.
            let tables = self.tables.start..self.tables.start + 1;
            let at = match prng.below(5) {
                0 => FIRST as usize * 512 + prng.below(96) as usize,
                1 => within(prng, &self.tables),
                2 => within(prng, &tables),
                _ => within(prng, &self.directories),
            };
            match prng.below(4) {
                0 => disk[at] = prng.below(256) as u8,
                1 => disk[at] ^= 1 << prng.below(8),
                // A number that may be that of a cluster.
                2 => disk[at & !1..][..2].copy_from_slice(&(prng.below(80) as u16).to_le_bytes()),
                _ => {
                    let from = within(prng, &self.directories) & !31;
                    disk.copy_within(from..from + 32, at & !31);
                }
            }
        }
        disk
    }
}

fn use_it(bench: &mut Bench, prng: &mut Prng) {
    let text = || "more text\n".repeat(30).into();
    let acts = [
        ("", Act::List),
        ("sub", Act::List),
        ("file", Act::Show),
        ("sub/a long name 7", Act::Show),
        ("file", Act::Append { text: text() }),
        ("sub/a new name that is long", Act::Put { text: text() }),
        ("large", Act::Put { text: text() }),
        ("sub/another", Act::MakeDirectory),
        ("sub/a long name 3", Act::Remove),
        ("sub", Act::Remove),
        ("", Act::Measure),
    ];
    for (path, act) in acts {
        if !prng.one_in(4) {
            // Well or not: it ends, and says what there was.
            let _ = bench.run(path, act);
        }
    }
    if prng.one_in(2) {
        let _ = bench.receive("sub/received", &[9; 40_000]);
    }
    bench.settle();
    assert!(bench.is_idle());
}

fn fuzz(kind: Kind, seeds: core::ops::Range<u64>) {
    let original = Original::new(kind);
    for seed in seeds {
        let mut prng = Prng::new(seed);
        let mut rig = Rig::new(&[1]);
        rig.disks = [original.damaged(&mut prng)].into();
        let mut bench = Bench::on(rig, original.sectors);
        use_it(&mut bench, &mut prng);
    }
}

#[test]
fn damaged_fat12_ends_in_answers() {
    fuzz(Kind::Fat12, 0..SEEDS / 3);
}

#[test]
fn damaged_fat16_ends_in_answers() {
    fuzz(Kind::Fat16, SEEDS / 3..2 * SEEDS / 3);
}

#[test]
fn damaged_fat32_ends_in_answers() {
    fuzz(Kind::Fat32, 2 * SEEDS / 3..SEEDS + 1);
}
