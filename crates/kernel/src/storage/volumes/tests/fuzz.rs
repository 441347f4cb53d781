//! Metadata that somebody damaged or forged: typed errors, no panic, and an end.

use super::super::row::{Record, Row};
use super::super::table::{RootOf, Table};
use super::super::*;
use super::world::{FIRST, MemoryJournal, World};
use crate::base::crc32c::crc32c;
use crate::base::prng::Prng;
use std::vec::Vec;

fn name(text: &str) -> Name {
    Name::cut_from(text)
}

/// A world with volumes, snapshots and a clone, at rest.
fn furnished() -> World {
    let mut world = World::new(1, 256, 1);
    world.journal.checkpoint_every = 0;
    assert_eq!(world.create("db", 70_000), Ok(()));
    assert_eq!(world.write("db", 250, &[1, 2, 3, 4], true), Ok(()));
    let change = Change::Snapshot {
        volume: name("db"),
        name: name("monday"),
    };
    assert_eq!(world.change(change), Ok(()));
    assert_eq!(world.write("db", 64_000, &[5, 6], true), Ok(()));
    let change = Change::Clone {
        snapshot: name("monday"),
        name: name("copy"),
    };
    assert_eq!(world.change(change), Ok(()));
    assert_eq!(world.write("copy", 250, &[7], true), Ok(()));
    world.settle();
    world
}

fn mutate(bytes: &mut Vec<u8>, prng: &mut Prng) {
    for _ in 0..1 + prng.below(4) {
        let at = prng.below(bytes.len().max(1) as u64) as usize;
        match prng.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.push(prng.next_u64() as u8),
            2 => bytes.insert(at.min(bytes.len()), prng.next_u64() as u8),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << prng.below(8);
                }
            }
        }
    }
}

#[test]
fn ten_thousand_damaged_journals_give_errors_and_no_panic() {
    let records: Vec<Vec<u8>> = furnished()
        .journal
        .records
        .into_iter()
        .map(|(_, it)| it)
        .collect();
    let mut refused = 0;
    for seed in 0..10_000 {
        let mut prng = Prng::new(seed);
        let mut table = Table::new();
        let victim = prng.below(records.len() as u64) as usize;
        for (index, record) in records.iter().enumerate() {
            let mut record = record.clone();
            if index == victim {
                mutate(&mut record, &mut prng);
            }
            if table.replay(&record).is_err() {
                refused += 1;
                break;
            }
        }
    }
    assert!(refused > 5_000, "{refused} were noticed");
}

/// The world after somebody forged a page of a map, with good checksums all the way up.
struct Forger<'a> {
    bytes: &'a mut [u8],
    prng: &'a mut Prng,
}

impl Forger<'_> {
    fn page(&mut self, block: u32) -> &mut [u8] {
        let at = (FIRST + u64::from(block) * BLOCK_SECTORS) as usize * 512;
        &mut self.bytes[at..at + BLOCK_BYTES]
    }

    /// Forges one page on a random path; gives the pointer with its new checksum.
    fn forge(&mut self, pointer: pointer::Pointer, level: u8, root: u32) -> pointer::Pointer {
        let page = self.page(pointer.block).to_vec();
        let used: Vec<usize> = (0..page::ENTRIES)
            .filter(|index| !page::entry(&page, *index).is_none())
            .collect();
        let mut page = page;
        let goes_down = level > 0 && !self.prng.one_in(2);
        if let Some(index) = used.get(self.prng.below(used.len() as u64) as usize)
            && goes_down
        {
            let below = self.forge(page::entry(&page, *index), level - 1, root);
            page::set_entry(&mut page, *index, &below);
        } else {
            self.scribble(&mut page, &used, pointer, root);
        }
        let crc = crc32c(&page);
        self.page(pointer.block).copy_from_slice(&page);
        pointer::Pointer { crc, ..pointer }
    }

    fn scribble(&mut self, page: &mut [u8], used: &[usize], own: pointer::Pointer, root: u32) {
        let at = self.prng.below(page::ENTRIES as u64) as usize;
        let from = used.first().copied().unwrap_or(0);
        let entry = page::entry(page, from);
        match self.prng.below(7) {
            // A circle, to itself or to the root.
            0 => page::set_entry(page, at, &own),
            1 => page::set_entry(
                page,
                at,
                &pointer::Pointer {
                    block: root,
                    ..entry
                },
            ),
            // The same block twice, or very often.
            2 => page::set_entry(page, at, &entry),
            3 => (0..page::ENTRIES).for_each(|index| page::set_entry(page, index, &entry)),
            // Somewhere else.
            4 => {
                let block = self.prng.below(300) as u32;
                page::set_entry(page, at, &pointer::Pointer { block, ..entry });
            }
            5 => {
                let byte = self.prng.below(page.len() as u64) as usize;
                page[byte] ^= 1 << self.prng.below(8);
            }
            _ => self.prng.fill(page),
        }
    }
}

/// Everything that a person could try with what is there.
fn try_everything(world: &mut World) {
    for volume in ["db", "copy"] {
        for block in [0, 250, 252, 63_999] {
            // Whether it works does not matter here, only that it ends.
            let _ = world.plain(volume, VolumeOperation::Read, block, 3);
        }
        let _ = world.write(volume, 251, &[9, 9], true);
        let _ = world.plain(volume, VolumeOperation::Discard, 0, 70_000);
        let _ = world.flush(volume);
    }
    for what in ["monday", "db", "copy"] {
        let _ = world.change(Change::Delete { name: name(what) });
    }
    world.settle();
}

#[test]
fn a_forged_map_gives_errors_and_no_panic_and_no_endless_walk() {
    let world = furnished();
    let table = &world.volumes.table;
    let (images, generation) = (world.disks.images.clone(), table.generation());
    let rows: Vec<Row> = table.rows().collect();
    let mut spare = Vec::new();
    for seed in 0..1_500 {
        let mut prng = Prng::new(seed);
        let mut images = images.clone();
        let mut rows = rows.clone();
        let victim = 1 + prng.below(rows.len() as u64 - 1) as usize;
        let (tree, levels) = match &mut rows[victim] {
            Row::Volume(_, row) => (&mut row.tree, page::levels_for(row.blocks)),
            Row::Snapshot(_, row) => (&mut row.tree, page::levels_for(row.blocks)),
            row => panic!("{row:?} has no tree"),
        };
        let mut forger = Forger {
            bytes: &mut images[0].bytes,
            prng: &mut prng,
        };
        let level = levels.expect("it has levels") - 1;
        tree.root = forger.forge(tree.root, level, tree.root.block);
        let mut record = Record::new(generation);
        rows.iter()
            .for_each(|row| assert_eq!(record.push(row), Ok(())));
        let journal = MemoryJournal {
            records: [(1, record.bytes().to_vec())].into(),
            durable: 1,
            next: 1,
            checkpoint_every: 0,
        };
        let mut forged = World::with(images, journal, prng, spare);
        forged.mount();
        forged.settle();
        try_everything(&mut forged);
        spare = forged.into_memory();
    }
}

#[test]
fn ten_thousand_damaged_pages_are_refused_or_walked_to_an_end() {
    let world = furnished();
    let (tree, levels) = world
        .volumes
        .table
        .tree(RootOf::Volume(0))
        .expect("it is there");
    let at = (FIRST + u64::from(tree.root.block) * BLOCK_SECTORS) as usize * 512;
    let good = &world.disks.images[0].bytes[at..at + BLOCK_BYTES];
    for seed in 0..10_000 {
        let mut prng = Prng::new(seed);
        let mut page = good.to_vec();
        for _ in 0..1 + prng.below(8) {
            let most = if prng.one_in(2) { 80 } else { 4096 };
            let at = prng.below(most) as usize;
            page[at] ^= 1 << prng.below(8);
        }
        let place = page::Place::root(levels);
        let refused = page::check(&page, place, &tree.root, 256);
        assert!(refused.is_err(), "{seed} has the checksum of another page");
        let pointer = pointer::Pointer {
            crc: crc32c(&page),
            ..tree.root
        };
        if page::check(&page, place, &pointer, 256).is_ok() {
            for index in 0..page::ENTRIES {
                let entry = page::entry(&page, index);
                assert!(entry.block < 256 && entry.birth <= pointer.birth);
            }
        }
    }
}
