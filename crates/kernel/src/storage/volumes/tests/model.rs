//! Volumes against a naive model: each is a map, a snapshot is a copy of one.

use super::super::*;
use super::audit::audit;
use super::world::World;
use crate::base::prng::Prng;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

const VOLUME_BLOCKS: u64 = 70_000;
/// Where blocks are written: about edges of leaves, and of the pages above.
const PLACES: [u64; 5] = [0, 240, 500, 63_490, 69_960];

/// Does random things to a world; says there what may be found after a power cut.
pub struct Model {
    pub prng: Prng,
    tag: u64,
    names: u64,
}

impl Model {
    pub fn new(seed: u64) -> Self {
        Self {
            prng: Prng::new(seed),
            tag: 0,
            names: 0,
        }
    }

    fn pick(&mut self, names: Vec<String>) -> Option<String> {
        let at = self.prng.below(names.len() as u64) as usize;
        names.into_iter().nth(at)
    }

    fn volume(&mut self, world: &World) -> Option<String> {
        self.pick(world.now_possible().volumes.keys().cloned().collect())
    }

    fn snapshot(&mut self, world: &World) -> Option<String> {
        self.pick(world.now_possible().snapshots.keys().cloned().collect())
    }

    fn name(&mut self, kind: &str) -> Name {
        self.names += 1;
        Name::cut_from(&format!("{kind}{}", self.names))
    }

    fn place(&mut self) -> u64 {
        PLACES[self.prng.below(PLACES.len() as u64) as usize] + self.prng.below(20)
    }

    /// Does something; `true` when it was possible.
    pub fn act(&mut self, world: &mut World) {
        match self.prng.below(24) {
            0 if world.now_possible().volumes.len() < 4 => self.create(world),
            0..=8 => self.write(world),
            9..=11 => self.read(world),
            12..=13 => self.discard(world),
            14..=15 => self.flush(world),
            16..=17 if world.now_possible().snapshots.len() < 6 => self.take_snapshot(world),
            18 if world.now_possible().volumes.len() < 4 => self.clone_it(world),
            19 => self.restore(world),
            20..=22 => self.delete(world),
            _ => world.settle(),
        }
    }

    fn create(&mut self, world: &mut World) {
        let name = self.name("v");
        world.may_become(|all| drop(all.volumes.insert(name.to_string(), Default::default())));
        assert_eq!(world.create(&name, VOLUME_BLOCKS), Ok(()));
        world.possible_is_sure();
    }

    fn write(&mut self, world: &mut World) {
        let Some(volume) = self.volume(world) else {
            return;
        };
        let (first, count) = (self.place(), 1 + self.prng.below(12));
        let tags: Vec<u64> = (0..count).map(|at| self.tag + at + 1).collect();
        self.tag += count;
        world.may_become(|all| {
            let contents = all.volumes.get_mut(&volume).expect("it is there");
            contents.extend((first..).zip(tags.iter().copied()));
        });
        let is_synced = self.prng.one_in(4);
        match world.write(&volume, first, &tags, is_synced) {
            Ok(()) if is_synced => world.possible_is_sure(),
            Ok(()) => {}
            Err(VolumeError::NoSpace) => world.is_withdrawn(),
            Err(error) => panic!("{error}"),
        }
    }

    fn read(&mut self, world: &mut World) {
        let Some(volume) = self.volume(world) else {
            return;
        };
        let (first, count) = (self.place(), 1 + self.prng.below(30));
        let count = count.min(VOLUME_BLOCKS - first);
        let contents = &world.now_possible().volumes[&volume];
        let of = |block| contents.get(&block).copied().unwrap_or(0);
        let expected: Vec<u64> = (first..first + count).map(of).collect();
        assert_eq!(world.read(&volume, first, count), Ok(expected));
    }

    fn discard(&mut self, world: &mut World) {
        let Some(volume) = self.volume(world) else {
            return;
        };
        // Within one leaf, for more than that is not one step.
        let first = self.place();
        let end = (first / 252 + 1) * 252;
        let count = (1 + self.prng.below(40))
            .min(end - first)
            .min(VOLUME_BLOCKS - first);
        world.may_become(|all| {
            let contents = all.volumes.get_mut(&volume).expect("it is there");
            contents.retain(|block, _| !(first..first + count).contains(block));
        });
        let discard = VolumeOperation::Discard;
        assert_eq!(world.plain(&volume, discard, first, count), Ok(()));
    }

    fn flush(&mut self, world: &mut World) {
        let Some(volume) = self.volume(world) else {
            return;
        };
        assert_eq!(world.flush(&volume), Ok(()));
        world.possible_is_sure();
    }

    fn take_snapshot(&mut self, world: &mut World) {
        let Some(volume) = self.volume(world) else {
            return;
        };
        let name = self.name("s");
        let copy = world.now_possible().volumes[&volume].clone();
        world.may_become(|all| drop(all.snapshots.insert(name.to_string(), copy)));
        let change = Change::Snapshot {
            volume: Name::cut_from(&volume),
            name,
        };
        assert_eq!(world.change(change), Ok(()));
        world.possible_is_sure();
    }

    fn clone_it(&mut self, world: &mut World) {
        let Some(snapshot) = self.snapshot(world) else {
            return;
        };
        let name = self.name("v");
        let copy = world.now_possible().snapshots[&snapshot].clone();
        world.may_become(|all| drop(all.volumes.insert(name.to_string(), copy)));
        let change = Change::Clone {
            snapshot: Name::cut_from(&snapshot),
            name,
        };
        assert_eq!(world.change(change), Ok(()));
        world.possible_is_sure();
    }

    fn restore(&mut self, world: &mut World) {
        let (Some(volume), Some(snapshot)) = (self.volume(world), self.snapshot(world)) else {
            return;
        };
        let copy = world.now_possible().snapshots[&snapshot].clone();
        world.may_become(|all| drop(all.volumes.insert(volume.clone(), copy)));
        let change = Change::Restore {
            volume: Name::cut_from(&volume),
            snapshot: Name::cut_from(&snapshot),
        };
        match world.change(change) {
            Ok(()) => world.possible_is_sure(),
            Err(error) => {
                assert_eq!(error, VolumeError::OfAnotherVolume);
                world.is_withdrawn();
            }
        }
    }

    fn delete(&mut self, world: &mut World) {
        let found = match self.prng.one_in(3) {
            true => self.volume(world),
            false => self.snapshot(world),
        };
        let Some(name) = found else { return };
        world.may_become(|all| {
            all.volumes.remove(&name);
            all.snapshots.remove(&name);
        });
        let name = Name::cut_from(&name);
        assert_eq!(world.change(Change::Delete { name }), Ok(()));
        world.possible_is_sure();
    }
}

#[test]
fn a_long_random_life_with_power_cuts_and_remounts_is_that_of_the_model() {
    for seed in 0..40 {
        // A small pool is full now and then.
        let mut world = World::new(seed, if seed % 3 == 0 { 330 } else { 1024 }, 1);
        world.disks.transfer_bytes_max = if seed % 2 == 0 { 1 << 20 } else { 16 << 10 };
        let mut model = Model::new(seed);
        for _ in 0..12 {
            for _ in 0..25 {
                model.act(&mut world);
            }
            match model.prng.below(3) {
                0 => world.settle(),
                1 => {
                    for _ in 0..model.prng.below(12) {
                        world.happen();
                    }
                    world = world.cut();
                }
                _ => {
                    world.volumes.unmount();
                    world.settle();
                    assert!(!world.volumes.is_mounted());
                    world.possible_is_sure();
                    world.mount();
                    world.settle();
                }
            }
            let found = audit(&world, 0);
            world.check(&found);
            world.possible = [found].into();
        }
    }
}
