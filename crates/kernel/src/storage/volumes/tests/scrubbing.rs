//! What the walk over everything finds and mends; members come and go.

use super::super::members::MemberState;
use super::super::*;
use super::audit::audit;
use super::model::Model;
use super::world::{FIRST, World};
use crate::base::tenant::Tenant;
use std::vec::Vec;

fn name(text: &str) -> Name {
    Name::cut_from(text)
}

fn furnished(members: usize) -> World {
    let mut world = World::new(1, 512, members);
    assert_eq!(world.create("db", 70_000), Ok(()));
    let tags: Vec<u64> = (1..31).collect();
    assert_eq!(world.write("db", 240, &tags, true), Ok(()));
    let change = Change::Snapshot {
        volume: name("db"),
        name: name("monday"),
    };
    assert_eq!(world.change(change), Ok(()));
    assert_eq!(world.write("db", 240, &[100, 101, 102], true), Ok(()));
    world.settle();
    world
}

/// Where a block of a volume lies.
fn place_of(world: &mut World, block: u64) -> u32 {
    let live = world.volumes.live[0].as_ref().expect("it is there");
    let (root, levels) = (live.tree.root, live.levels);
    world.read("db", block, 1).expect("it is whole");
    let found = tree::look_up(&mut world.volumes.cache, root, levels, block);
    found.expect("its page is in memory").block
}

fn rot(world: &mut World, disk: usize, block: u32) {
    let at = (FIRST + u64::from(block) * BLOCK_SECTORS) as usize * 512;
    world.disks.images[disk].bytes[at + 77] ^= 4;
}

fn scrub(world: &mut World) -> Progress {
    assert_eq!(world.volumes.start_scrub(), Ok(()));
    world.settle();
    world.volumes.view().scrubbed.expect("it has ended")
}

fn state(world: &World) -> State {
    world.volumes.live[0].as_ref().expect("it is there").state
}

#[test]
fn what_is_whole_is_found_whole_and_every_block_is_looked_at() {
    let mut world = furnished(1);
    let progress = scrub(&mut world);
    assert_eq!((progress.lost, progress.repaired), (0, 0));
    // All but the header.
    assert_eq!(progress.checked, u64::from(world.volumes.counts.used()) - 1);
    audit(&world, 0);
}

#[test]
fn a_rotten_block_is_an_error_with_its_place_and_the_volume_is_degraded() {
    let mut world = furnished(1);
    let block = place_of(&mut world, 242);
    rot(&mut world, 0, block);
    let sector = FIRST + u64::from(block) * BLOCK_SECTORS;
    let error = world.read("db", 240, 10).expect_err("it is rotten");
    let VolumeError::Damaged { place } = error else {
        panic!("{error}");
    };
    assert_eq!(
        (place.block, place.sector, place.what),
        (242, sector, What::Data)
    );
    assert_eq!(state(&world), State::Degraded);
    // What is whole is still served.
    assert_eq!(world.read("db", 243, 2), Ok([4, 5].into()));
    world.settle();
    let mut world = world.cut();
    assert_eq!(state(&world), State::Degraded);
    let progress = scrub(&mut world);
    assert_eq!((progress.lost, progress.repaired), (1, 0));
    let mut found = Vec::new();
    world
        .volumes
        .visit_damages(&mut |damage| found.push((damage.name.clone(), damage.place.sector)));
    assert_eq!(found, [(name("db"), sector)]);
    // Written anew, it is whole again.
    assert_eq!(world.write("db", 242, &[7], true), Ok(()));
    assert_eq!(scrub(&mut world).lost, 0);
    assert_eq!(state(&world), State::Available);
}

#[test]
fn a_lost_page_of_a_map_stops_writing_until_what_had_it_is_deleted() {
    let mut world = furnished(1);
    let root = world
        .volumes
        .table
        .snapshot(0)
        .expect("it is there")
        .tree
        .root;
    rot(&mut world, 0, root.block);
    let mut world = world.cut();
    assert_eq!(world.read("db", 240, 2), Ok([100, 101].into()));
    assert_eq!(
        world.write("db", 240, &[1], true),
        Err(VolumeError::ReadOnly)
    );
    assert_eq!(
        world.change(Change::Delete {
            name: name("monday")
        }),
        Ok(())
    );
    world.settle();
    assert_eq!(world.write("db", 240, &[1], true), Ok(()));
    world.settle();
    audit(&world, 0);
}

#[test]
fn a_disk_that_cannot_read_a_sector_loses_one_block_and_no_more() {
    let mut world = furnished(1);
    let block = place_of(&mut world, 250);
    let sector = FIRST + u64::from(block) * BLOCK_SECTORS + 3;
    world.disks.images[0].bad_sectors.push(sector);
    let error = world.read("db", 245, 10).expect_err("it cannot be read");
    assert!(
        matches!(error, VolumeError::Damaged { place } if place.block == 250),
        "{error}"
    );
    assert_eq!(world.read("db", 251, 3), Ok([12, 13, 14].into()));
    assert_eq!(state(&world), State::Degraded);
}

#[test]
fn another_member_has_what_one_has_wrong_and_it_is_mended() {
    let mut world = furnished(2);
    let block = place_of(&mut world, 242);
    rot(&mut world, 1, block);
    for _ in 0..3 {
        assert_eq!(world.read("db", 242, 3), Ok([102, 4, 5].into()));
        world.settle();
    }
    audit(&world, 1);
    rot(&mut world, 0, block);
    let progress = scrub(&mut world);
    assert_eq!((progress.lost, progress.repaired), (0, 1));
    audit(&world, 0);
    assert_eq!(state(&world), State::Available);
}

#[test]
fn a_member_that_fails_is_left_out_and_filled_when_it_is_back() {
    let mut world = furnished(3);
    world.disks.images[1].is_gone = true;
    assert_eq!(world.write("db", 500, &[1, 2, 3], true), Ok(()));
    world.settle();
    let member = |world: &World| world.volumes.members.get(1).map(|it| it.state);
    assert_eq!(member(&world), Some(MemberState::Stale));
    assert_eq!(world.volumes.view().state, "degraded");
    assert_eq!(world.write("db", 600, &[4], true), Ok(()));
    // It comes back at the next mount, is known to be behind, and is filled.
    world.disks.images[1].is_gone = false;
    let mut world = world.cut();
    world.settle();
    assert_eq!(member(&world), Some(MemberState::Healthy));
    assert_eq!(world.volumes.view().state, "ready");
    audit(&world, 1);
    let progress = scrub(&mut world);
    assert_eq!((progress.lost, progress.repaired), (0, 0));
}

#[test]
fn a_member_is_filled_while_everything_goes_on() {
    for seed in 0..6 {
        let mut world = World::new(seed, 700, 2);
        let mut model = Model::new(seed);
        for _ in 0..40 {
            model.act(&mut world);
        }
        world.volumes.members.become_state(0, MemberState::Stale);
        let at = (FIRST + BLOCK_SECTORS) as usize * 512;
        world.disks.images[0].bytes[at..].fill(0xbb);
        assert_eq!(world.volumes.start_scrub(), Ok(()));
        for _ in 0..60 {
            model.act(&mut world);
        }
        world.settle();
        let found = audit(&world, 0);
        world.check(&found);
        assert_eq!(found, audit(&world, 1));
    }
}

#[test]
fn what_is_counted_as_own_is_what_deleting_sets_free() {
    for what in ["db", "monday"] {
        let mut world = furnished(1);
        world.settle();
        let slot = if what == "db" { 0 } else { 32 };
        let generation = world.volumes.table.generation();
        let own = world
            .volumes
            .scrub
            .own(slot, generation)
            .expect("it was counted");
        let before = world.volumes.counts.used();
        assert_eq!(world.change(Change::Delete { name: name(what) }), Ok(()));
        world.settle();
        assert_eq!(
            u64::from(before - world.volumes.counts.used()),
            own,
            "{what}"
        );
    }
}

#[test]
fn a_rotten_block_in_the_middle_of_what_lies_together_is_found() {
    let mut world = furnished(1);
    let block = place_of(&mut world, 247);
    rot(&mut world, 0, block);
    let error = world.read("db", 244, 8).expect_err("it is rotten");
    assert!(
        matches!(error, VolumeError::Damaged { place } if place.block == 247),
        "{error}"
    );
    assert_eq!(world.read("db", 248, 2), Ok([9, 10].into()));
}

#[test]
fn a_volume_that_lost_something_is_degraded_also_when_its_tenant_leaves() {
    let mut world = furnished(1);
    let tenant = Tenant::new(1).expect("one");
    let volume = name("db");
    assert_eq!(world.change(Change::Attach { volume, tenant }), Ok(()));
    let live = world.volumes.live[0].as_ref().expect("it is there");
    let (root, levels) = (live.tree.root, live.levels);
    let found = tree::look_up(&mut world.volumes.cache, root, levels, 242);
    let block = found.expect("its page is in memory").block;
    rot(&mut world, 0, block);
    assert_eq!(scrub(&mut world).lost, 1);
    assert_eq!(state(&world), State::Degraded);
    let volume = name("db");
    assert_eq!(world.change(Change::Detach { volume }), Ok(()));
    assert_eq!(state(&world), State::Degraded);
}

#[test]
fn a_scrub_is_taken_on_while_blocks_are_counted() {
    let mut world = furnished(1);
    assert_eq!(world.write("db", 900, &[1], true), Ok(()));
    while world.volumes.view().running.is_none() {
        assert!(world.happen(), "it is counted again after a while");
    }
    assert_eq!(scrub(&mut world).mode, Mode::Check);
}
