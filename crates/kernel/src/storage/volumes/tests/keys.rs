//! Values by key, and power cuts while they change.

use super::super::objects::{ObjectAct, Value};
use super::super::*;
use super::world::World;
use crate::base::prng::Prng;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

impl World {
    fn object(
        &mut self,
        key: &str,
        act: ObjectAct,
        bytes: &[u8],
    ) -> Result<(Value, Vec<u8>), VolumeError> {
        let volume = self.volumes.volume_named("bag")?;
        let mut data = self.buffer();
        data.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        let key = Key::cut_from(key);
        if let Err((error, data)) = self.volumes.start_object(7, volume, key, act, Some(data)) {
            self.data.extend(data);
            return Err(error);
        }
        self.step();
        for _ in 0..100_000 {
            if let Some((running, result)) = self.volumes.next_object() {
                let data = running.data.expect("it comes back");
                let value = result.map(|value| (value, data.bytes()[..value.moved].to_vec()));
                self.data.push(data);
                return value;
            }
            assert!(self.happen(), "nothing happens and there is no answer");
        }
        panic!("there is no answer");
    }

    fn put(&mut self, key: &str, bytes: &[u8]) -> Result<(), VolumeError> {
        let act = ObjectAct::Put {
            offset: 0,
            bytes: bytes.len(),
            is_last: true,
        };
        self.object(key, act, bytes).map(drop)
    }

    fn get(&mut self, key: &str) -> Result<Vec<u8>, VolumeError> {
        let (value, bytes) = self.object(key, ObjectAct::Get { offset: 0 }, &[])?;
        assert_eq!(value.bytes, bytes.len() as u64);
        Ok(bytes)
    }

    fn keys(&mut self) -> Vec<String> {
        self.object("", ObjectAct::List, &[])
            .expect("it can be listed");
        let listing = self.volumes.listing();
        listing
            .keys
            .iter()
            .map(|(key, _)| String::from(key.as_str()))
            .collect()
    }
}

fn world(blocks: u64) -> World {
    let mut world = World::new(1, 1024, 1);
    let change = Change::Create {
        name: Name::cut_from("bag"),
        kind: Kind::Object,
        bytes: blocks * BLOCK_BYTES as u64,
    };
    assert_eq!(world.change(change), Ok(()));
    world
}

#[test]
fn what_was_put_is_there_until_it_is_removed_and_its_blocks_come_back() {
    let mut world = world(600);
    world.settle();
    let before = world.volumes.counts.used();
    assert_eq!(world.get("a"), Err(VolumeError::NoObject));
    assert_eq!(world.put("a/b", b"hello"), Ok(()));
    assert_eq!(world.put("empty", b""), Ok(()));
    assert_eq!(world.put("large", &[9; 100_000]), Ok(()));
    let mut world = world.cut();
    assert_eq!(world.get("a/b"), Ok(b"hello".to_vec()));
    assert_eq!(world.get("empty"), Ok(Vec::new()));
    assert_eq!(world.get("large"), Ok([9; 100_000].to_vec()));
    assert_eq!(world.keys(), ["a/b", "empty", "large"]);
    assert_eq!(world.put("a/b", b"world"), Ok(()));
    assert_eq!(world.get("a/b"), Ok(b"world".to_vec()));
    for key in ["a/b", "empty", "large"] {
        assert_eq!(world.object(key, ObjectAct::Remove, &[]).map(drop), Ok(()));
    }
    assert_eq!(
        world.object("a/b", ObjectAct::Remove, &[]).map(drop),
        Err(VolumeError::NoObject)
    );
    assert!(world.keys().is_empty());
    world.settle();
    // Blocks of the directory stay, with their map: at most one a key, of 960.
    assert!(world.volumes.counts.used() - before < 12);
}

#[test]
fn a_value_in_parts_is_there_when_its_last_part_is() {
    let mut world = world(600);
    assert_eq!(world.put("film", b"old"), Ok(()));
    let part = [3; 64 << 10];
    for index in 0..5 {
        let act = ObjectAct::Put {
            offset: index * part.len() as u64,
            bytes: part.len(),
            is_last: index == 4,
        };
        assert_eq!(world.get("film"), Ok(b"old".to_vec()));
        assert_eq!(world.object("film", act, &part).map(drop), Ok(()));
    }
    let last = ObjectAct::Get {
        offset: 4 * part.len() as u64,
    };
    let (value, bytes) = world.object("film", last, &[]).expect("it is there");
    assert_eq!((value.bytes, bytes), (5 * part.len() as u64, part.to_vec()));
}

#[test]
fn a_volume_with_keys_holds_no_more_than_its_size() {
    let mut world = world(40);
    assert_eq!(world.put("a", &[1; 100_000]), Ok(()));
    assert_eq!(world.put("b", &[1; 100_000]), Err(VolumeError::VolumeFull));
    assert_eq!(world.keys(), ["a"]);
    assert_eq!(world.object("a", ObjectAct::Remove, &[]).map(drop), Ok(()));
    assert_eq!(world.put("b", &[1; 100_000]), Ok(()));
    let out = world.read("bag", 0, 1);
    assert!(matches!(out, Err(VolumeError::NotOfKind { .. })));
}

#[test]
fn wherever_the_power_goes_a_key_has_its_old_value_or_its_new_one() {
    let mut world = world(400);
    world.settle();
    let mut prng = Prng::new(5);
    let mut known: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for round in 0..60 {
        let key = format!("key{}", prng.below(6));
        let value = std::vec![round as u8 + 1; 1 + prng.below(9_000) as usize];
        let is_removal = prng.one_in(4) && known.contains_key(&key);
        let volume = world.volumes.volume_named("bag").expect("it is there");
        let mut data = world.buffer();
        data.bytes_mut()[..value.len()].copy_from_slice(&value);
        let act = match is_removal {
            true => ObjectAct::Remove,
            false => ObjectAct::Put {
                offset: 0,
                bytes: value.len(),
                is_last: true,
            },
        };
        let started = world
            .volumes
            .start_object(0, volume, Key::cut_from(&key), act, Some(data));
        assert!(started.is_ok());
        world.step();
        // Cut in the middle of it, or let it end.
        let moments = prng.below(60);
        let mut has_ended = false;
        for _ in 0..moments {
            if let Some((running, result)) = world.volumes.next_object() {
                assert!(result.is_ok());
                world.data.extend(running.data);
                has_ended = true;
                break;
            }
            world.happen();
        }
        let mut now = known.clone();
        match is_removal {
            true => drop(now.remove(&key)),
            false => drop(now.insert(key.clone(), value)),
        }
        world = world.cut();
        let keys = world.keys();
        let mut found = BTreeMap::new();
        for key in keys {
            let value = world.get(&key).expect("it is whole");
            found.insert(key, value);
        }
        assert!(
            found == now || (!has_ended && found == known),
            "round {round}"
        );
        known = found;
    }
    world.settle();
    assert!(world.volumes.counts.contradictions() == 0);
}

/// One whole block a key, until there is no room.
fn fill_up(world: &mut World) -> (u64, VolumeError) {
    for number in 0.. {
        if let Err(error) = world.put(&format!("key{number}"), &[1; BLOCK_BYTES]) {
            return (number, error);
        }
    }
    unreachable!()
}

#[test]
fn a_full_volume_takes_again_what_was_removed_from_it() {
    let mut world = world(20);
    let (first, error) = fill_up(&mut world);
    assert_eq!(error, VolumeError::VolumeFull);
    for _ in 0..3 {
        // What was refused has left nothing.
        let refused = world.put("large", &[1; 30_000]);
        assert_eq!(refused, Err(VolumeError::VolumeFull));
    }
    for number in 0..first {
        let key = format!("key{number}");
        assert_eq!(world.object(&key, ObjectAct::Remove, &[]).map(drop), Ok(()));
    }
    assert!(world.keys().is_empty());
    let (second, _) = fill_up(&mut world);
    assert!(second + 2 >= first && second > 0, "{first} and {second}");
}

#[test]
fn a_key_can_be_removed_from_a_full_pool() {
    let mut world = World::new(1, 256, 1);
    let change = Change::Create {
        name: Name::cut_from("bag"),
        kind: Kind::Object,
        bytes: 4 << 20,
    };
    assert_eq!(world.change(change), Ok(()));
    let (first, error) = fill_up(&mut world);
    assert_eq!(error, VolumeError::NoSpace);
    assert!(first > 20);
    // And somebody else takes what room is left, to the last block.
    assert_eq!(world.create("db", 1000), Ok(()));
    let mut taken = 0;
    while world.write("db", taken, &[taken + 1], false).is_ok() {
        taken += 1;
    }
    for number in 0..first {
        let key = format!("key{number}");
        let result = world.object(&key, ObjectAct::Remove, &[]);
        assert_eq!(result.map(drop), Ok(()), "{key}");
    }
    let (second, _) = fill_up(&mut world);
    assert!(second + taken + 10 > first, "{first} and {second}");
}

#[test]
fn what_is_put_while_a_snapshot_is_restored_does_not_bring_back_other_keys() {
    for moments in 0..40 {
        let mut world = world(400);
        let change = Change::Snapshot {
            volume: Name::cut_from("bag"),
            name: Name::cut_from("empty"),
        };
        assert_eq!(world.change(change), Ok(()));
        let bucket = super::super::directory::bucket_of("a");
        let near = (0..).map(|number| format!("b{number}"));
        let mut near = near.filter(|key| super::super::directory::bucket_of(key) == bucket);
        let other = near.next().expect("there are many keys");
        assert_eq!(world.put(&other, b"old"), Ok(()));
        let volume = world.volumes.volume_named("bag").expect("it is there");
        let mut data = world.buffer();
        data.bytes_mut()[..3].copy_from_slice(b"new");
        let act = ObjectAct::Put {
            offset: 0,
            bytes: 3,
            is_last: true,
        };
        let key = Key::cut_from("a");
        let started = world.volumes.start_object(0, volume, key, act, Some(data));
        assert!(started.is_ok());
        for _ in 0..moments {
            world.happen();
        }
        let change = Change::Restore {
            volume: Name::cut_from("bag"),
            snapshot: Name::cut_from("empty"),
        };
        assert_eq!(world.change(change), Ok(()));
        world.settle();
        assert!(world.volumes.next_object().is_some());
        assert!(world.keys().is_empty(), "after {moments}");
    }
}
