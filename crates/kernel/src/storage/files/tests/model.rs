//! Any commands in any order, next to a model that has no clusters.

use super::super::Act;
use super::bench::{Bench, noise};
use super::checker::check;
use crate::base::prng::Prng;
use crate::storage::fat::Kind;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

/// Names of all lengths that there can be, and some that share a short one.
fn name(prng: &mut Prng) -> String {
    let number = prng.below(12);
    match prng.below(6) {
        0 => format!("F{number}"),
        1 => format!("file number {number}.text"),
        2 => format!("same beginning {number}.txt"),
        3 => "long".repeat(number as usize + 1),
        4 => "ö".repeat(13 * (number as usize + 1)),
        _ => "n".repeat(189) + &format!("{number:06}"),
    }
}

struct Side {
    bench: Bench,
    model: BTreeMap<String, Vec<u8>>,
    prng: Prng,
    /// Commands for which there was no room.
    refused: usize,
}

impl Side {
    fn path(&mut self) -> String {
        let name = name(&mut self.prng);
        match self.prng.below(3) {
            0 => format!("dir/{name}"),
            1 => format!("dir/a directory in it/{name}"),
            _ => name,
        }
    }

    fn turn(&mut self) {
        let path = self.path();
        match self.prng.below(12) {
            0..=3 => {
                let text = "t".repeat(self.prng.below(900) as usize);
                match self.bench.put(&path, &text) {
                    Ok(_) => drop(self.model.insert(path, text.into_bytes())),
                    Err(error) => self.on_refused(&error),
                }
            }
            4..=6 => {
                let text = "a".repeat(self.prng.below(1000) as usize);
                match self.bench.append(&path, &text) {
                    Ok(_) => self
                        .model
                        .entry(path)
                        .or_default()
                        .extend_from_slice(text.as_bytes()),
                    Err(error) => self.on_refused(&error),
                }
            }
            7 => {
                let bytes = noise(self.prng.below(150_000) as usize);
                match self.bench.receive(&path, &bytes) {
                    Ok(_) => drop(self.model.insert(path, bytes)),
                    Err(error) => self.on_refused(&error),
                }
            }
            _ => {
                let removed = self.bench.run(&path, Act::Remove);
                assert_eq!(
                    removed.is_ok(),
                    self.model.remove(&path).is_some(),
                    "{path}"
                );
            }
        }
    }

    fn on_refused(&mut self, error: &str) {
        assert!(error.contains("the disk is full"), "{error}");
        self.refused += 1;
    }

    fn compare(&mut self) {
        let free = self.bench.free();
        let contents = check(self.bench.volume()).expect("the volume keeps the rules");
        assert_eq!((contents.lost, contents.trailing), (0, 0));
        assert!(contents.are_tables_alike);
        let files = contents.files.into_iter();
        let files: BTreeMap<_, _> = files.filter(|(path, _)| !path.ends_with('/')).collect();
        assert!(
            files == self.model,
            "{:?} {:?}",
            files.keys(),
            self.model.keys()
        );
        let region = self.bench.region;
        let info = self.hint();
        if self.prng.one_in(8) {
            self.bench.files.mount(region, &mut self.bench.rig);
            assert_eq!(self.bench.free(), free);
        }
        assert!(info.is_none_or(|info| info == free), "{info:?} {free}");
    }

    /// What FAT32 notes of free clusters.
    fn hint(&self) -> Option<u64> {
        let volume = self.bench.volume();
        let hint = u32::from_le_bytes(volume[512 + 488..512 + 492].try_into().unwrap());
        let is_wide = volume[22] == 0 && volume[23] == 0;
        is_wide.then_some(hint.into())
    }
}

/// Says how often there was no room.
fn run(kind: Kind, seed: u64) -> usize {
    let mut side = Side {
        bench: Bench::new(kind),
        model: BTreeMap::new(),
        prng: Prng::new(seed),
        refused: 0,
    };
    for path in ["dir", "dir/a directory in it"] {
        side.bench.run(path, Act::MakeDirectory).unwrap();
    }
    for turn in 0..400 {
        side.turn();
        if turn % 5 == 0 {
            side.compare();
        }
    }
    side.compare();
    side.refused
}

#[test]
fn any_commands_in_any_order_leave_what_they_say() {
    for kind in [Kind::Fat12, Kind::Fat16, Kind::Fat32] {
        let refused: usize = (0..10).map(|seed| run(kind, seed)).sum();
        // FAT16 has more room than all of them want.
        assert_eq!(refused > 0, kind != Kind::Fat16, "{refused}");
    }
}
