//! Promises that are kept without any power cut.

use super::super::*;
use super::audit::audit;
use super::world::World;
use std::vec::Vec;

fn name(text: &str) -> Name {
    Name::cut_from(text)
}

fn snapshot(world: &mut World, volume: &str, to: &str) -> Result<(), VolumeError> {
    world.change(Change::Snapshot {
        volume: name(volume),
        name: name(to),
    })
}

fn delete(world: &mut World, what: &str) -> Result<(), VolumeError> {
    world.change(Change::Delete { name: name(what) })
}

#[test]
fn what_was_written_is_read_and_the_rest_is_zero() {
    let mut world = World::new(1, 1024, 1);
    assert_eq!(world.create("db", 600), Ok(()));
    assert_eq!(world.read("db", 0, 3), Ok([0, 0, 0].into()));
    assert_eq!(world.write("db", 250, &[7, 8, 9, 10], false), Ok(()));
    assert_eq!(world.read("db", 249, 6), Ok([0, 7, 8, 9, 10, 0].into()));
    assert_eq!(world.write("db", 252, &[11], true), Ok(()));
    assert_eq!(world.read("db", 250, 4), Ok([7, 8, 11, 10].into()));
    assert_eq!(world.flush("db"), Ok(()));
    world.settle();
    audit(&world, 0);
}

#[test]
fn what_is_durable_is_there_after_a_power_cut() {
    let mut world = World::new(2, 1024, 1);
    assert_eq!(world.create("db", 600), Ok(()));
    assert_eq!(world.write("db", 5, &[7, 8], true), Ok(()));
    let mut world = world.cut();
    assert_eq!(world.read("db", 5, 2), Ok([7, 8].into()));
    audit(&world, 0);
}

#[test]
fn a_snapshot_keeps_what_was_there_and_restoring_brings_it_back() {
    let mut world = World::new(3, 1024, 1);
    assert_eq!(world.create("db", 600), Ok(()));
    assert_eq!(world.write("db", 5, &[7, 8], false), Ok(()));
    assert_eq!(snapshot(&mut world, "db", "monday"), Ok(()));
    assert_eq!(world.write("db", 6, &[9, 9], false), Ok(()));
    assert_eq!(snapshot(&mut world, "db", "tuesday"), Ok(()));
    world.settle();
    let all = audit(&world, 0);
    assert_eq!(all.snapshots["monday"], [(5, 7), (6, 8)].into());
    assert_eq!(all.snapshots["tuesday"], [(5, 7), (6, 9), (7, 9)].into());
    let change = Change::Restore {
        volume: name("db"),
        snapshot: name("monday"),
    };
    assert_eq!(world.change(change), Ok(()));
    assert_eq!(world.read("db", 5, 3), Ok([7, 8, 0].into()));
    let change = Change::Clone {
        snapshot: name("tuesday"),
        name: name("copy"),
    };
    assert_eq!(world.change(change), Ok(()));
    assert_eq!(world.write("copy", 7, &[1], true), Ok(()));
    assert_eq!(world.read("copy", 5, 3), Ok([7, 9, 1].into()));
    world.settle();
    audit(&world, 0);
}

#[test]
fn deleting_in_any_order_gives_every_block_back() {
    let orders = [
        ["a", "b", "db", "copy"],
        ["db", "copy", "b", "a"],
        ["b", "db", "a", "copy"],
        ["copy", "a", "db", "b"],
    ];
    for order in orders {
        let mut world = World::new(4, 1024, 1);
        world.settle();
        let before = world.volumes.counts.used();
        assert_eq!(world.create("db", 70_000), Ok(()));
        for round in 0..3 {
            let tags: Vec<u64> = (1..20).map(|tag| tag + round * 100).collect();
            assert_eq!(world.write("db", 240 + round * 7, &tags, false), Ok(()));
            assert_eq!(world.write("db", 65_000 + round, &tags, false), Ok(()));
            match round {
                0 => assert_eq!(snapshot(&mut world, "db", "a"), Ok(())),
                1 => assert_eq!(snapshot(&mut world, "db", "b"), Ok(())),
                _ => {}
            }
        }
        let change = Change::Clone {
            snapshot: name("a"),
            name: name("copy"),
        };
        assert_eq!(world.change(change), Ok(()));
        for what in order {
            assert_eq!(delete(&mut world, what), Ok(()), "{what}");
            world.settle();
            audit(&world, 0);
        }
        assert_eq!(world.volumes.counts.used(), before);
    }
}

#[test]
fn discarded_blocks_are_zero_and_free() {
    let mut world = World::new(5, 1024, 1);
    world.settle();
    let before = world.volumes.counts.used();
    assert_eq!(world.create("db", 70_000), Ok(()));
    for block in [0, 240, 64_000] {
        let tags: Vec<u64> = (1..30).collect();
        assert_eq!(world.write("db", block, &tags, false), Ok(()));
    }
    let discard = VolumeOperation::Discard;
    assert_eq!(world.plain("db", discard, 5, 63_998), Ok(()));
    assert_eq!(world.read("db", 3, 4), Ok([4, 5, 0, 0].into()));
    assert_eq!(world.read("db", 64_001, 4), Ok([0, 0, 4, 5].into()));
    assert_eq!(world.plain("db", discard, 0, 70_000), Ok(()));
    assert_eq!(world.flush("db"), Ok(()));
    world.settle();
    audit(&world, 0);
    assert_eq!(world.volumes.counts.used(), before);
}

#[test]
fn a_full_pool_refuses_and_takes_again_when_something_was_deleted() {
    let mut world = World::new(6, 256, 1);
    assert_eq!(world.create("db", 1000), Ok(()));
    let tags: Vec<u64> = (1..33).collect();
    let mut refused = None;
    for round in 0..10 {
        if let Err(error) = world.write("db", round * 32, &tags, false) {
            refused = Some((round, error));
            break;
        }
    }
    let (round, error) = refused.expect("the pool is smaller than that");
    assert_eq!(error, VolumeError::NoSpace);
    assert!(round > 4, "only {round} rounds");
    let all = world.plain("db", VolumeOperation::Discard, 0, 64);
    assert_eq!(all, Ok(()));
    assert_eq!(world.write("db", 500, &tags, true), Ok(()));
    world.settle();
    audit(&world, 0);
    assert_eq!(delete(&mut world, "db"), Ok(()));
    world.settle();
    assert_eq!(world.volumes.counts.used(), 1);
}

#[test]
fn a_pool_that_is_full_to_the_last_block_can_be_discarded_from_and_deleted_in() {
    for has_snapshot in [false, true] {
        let mut world = World::new(6, 256, 1);
        assert_eq!(world.create("db", 1000), Ok(()));
        let mut blocks = 0;
        while world.write("db", blocks, &[blocks + 1], false).is_ok() {
            blocks += 1;
        }
        if has_snapshot {
            assert_eq!(snapshot(&mut world, "db", "all"), Ok(()));
        }
        let refused = world.write("db", 900, &[1], true);
        assert_eq!(refused, Err(VolumeError::NoSpace));
        let discard = VolumeOperation::Discard;
        assert_eq!(world.plain("db", discard, 10, blocks), Ok(()));
        assert_eq!(world.flush("db"), Ok(()));
        world.settle();
        audit(&world, 0);
        if has_snapshot {
            assert_eq!(delete(&mut world, "all"), Ok(()));
        }
        assert_eq!(world.write("db", 900, &[1], true), Ok(()));
        assert_eq!(delete(&mut world, "db"), Ok(()));
        world.settle();
        assert_eq!(world.volumes.counts.used(), 1);
    }
}

#[test]
fn a_flush_waits_for_the_transaction_that_is_on_its_way() {
    let mut world = World::new(8, 512, 1);
    assert_eq!(world.create("db", 600), Ok(()));
    assert_eq!(world.write("db", 5, &[7], false), Ok(()));
    let generation = loop {
        if let Some(generation) = world.volumes.commit.generation() {
            break generation;
        }
        assert!(world.happen(), "it is committed after a second");
    };
    assert_eq!(world.flush("db"), Ok(()));
    assert!(world.volumes.commit.durable >= generation);
}

#[test]
fn a_journal_that_was_read_in_part_is_forgotten_when_its_disk_goes() {
    let mut world = World::new(9, 512, 1);
    assert_eq!(world.create("db", 600), Ok(()));
    assert_eq!(world.create("other", 600), Ok(()));
    world.volumes.give_up_pool();
    world.settle();
    assert!(!world.volumes.is_mounted());
    // It is there again, and gone again in the middle of its journal.
    for (_, record) in &world.journal.records[..2] {
        assert_eq!(world.volumes.replay(record), Ok(()));
    }
    world.volumes.give_up_pool();
    world.mount();
    world.settle();
    assert_eq!(world.read("other", 0, 1), Ok([0].into()));
}

#[test]
fn a_disk_that_goes_at_any_moment_ends_everything_and_comes_back_whole() {
    for seed in 0..30 {
        let mut world = World::new(seed, 512, 1);
        assert_eq!(world.create("db", 70_000), Ok(()));
        assert_eq!(world.write("db", 3, &[7, 8], true), Ok(()));
        let mut asked = 0;
        for block in 0..6 {
            let data = world.buffer();
            let write = VolumeOperation::Write { is_synced: true };
            asked += usize::from(
                world
                    .ask("db", write, 300 + block * 300, 2, Some(data))
                    .is_ok(),
            );
        }
        let change = Change::Snapshot {
            volume: name("db"),
            name: name("half"),
        };
        let id = world.volumes.change(change).expect("it is taken on");
        for _ in 0..seed {
            world.happen();
        }
        world.disks.images[0].is_gone = true;
        world.volumes.give_up_pool();
        world.settle();
        assert!(!world.volumes.is_mounted());
        assert_eq!(world.volumes.next_deadline(), None);
        assert!(world.volumes.maybe_changed(id).is_some());
        let answers = core::iter::from_fn(|| world.volumes.next_done());
        assert_eq!(answers.count(), asked);
        let mut used = 0;
        world.volumes.visit_usages(&mut |usage| {
            let is_held = usage.name != "VOLUME_MAP_PAGES";
            used += usage.used.filter(|_| is_held).unwrap_or(0);
        });
        assert_eq!(used, 0);
        world.disks.images[0].is_gone = false;
        world.mount();
        world.settle();
        assert_eq!(world.read("db", 3, 2), Ok([7, 8].into()));
        audit(&world, 0);
    }
}
