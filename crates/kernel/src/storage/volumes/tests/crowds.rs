//! Many requests at the same time, and who waits for whom.

use super::super::*;
use super::audit::audit;
use super::world::{World, fill, tag_of};
use crate::base::disk::DiskOperation;
use crate::base::tenant::Tenant;
use crate::storage::io::{IoRequest, Priority};
use std::collections::BTreeMap;

fn name(text: &str) -> Name {
    Name::cut_from(text)
}

fn limit_requests(world: &mut World, requests_per_s: u64) {
    let limits = Limits {
        requests_per_s: Some(requests_per_s),
        bytes_per_s: None,
    };
    let volume = name("db");
    assert_eq!(world.change(Change::Limit { volume, limits }), Ok(()));
}

#[test]
fn a_volume_whose_requests_wait_holds_no_other_one_up() {
    let mut world = World::new(1, 512, 1);
    assert_eq!(world.create("db", 600), Ok(()));
    assert_eq!(world.create("other", 600), Ok(()));
    limit_requests(&mut world, 1);
    for _ in 0..20 {
        let data = world.buffer();
        assert!(
            world
                .ask("db", VolumeOperation::Read, 0, 1, Some(data))
                .is_ok()
        );
    }
    let began = world.now;
    let data = world.buffer();
    let own = world.ask("other", VolumeOperation::Read, 0, 1, Some(data));
    let own = own.expect("there is room");
    while world.wait().request.number != own {}
    assert!(world.now.since(began) < Duration::from_secs(1));
}

#[test]
fn a_tenant_leaves_when_the_last_of_its_requests_has_ended() {
    let mut world = World::new(2, 512, 1);
    assert_eq!(world.create("db", 600), Ok(()));
    limit_requests(&mut world, 1);
    let tenant = Tenant::new(1).expect("one");
    let volume = name("db");
    assert_eq!(world.change(Change::Attach { volume, tenant }), Ok(()));
    let volume = world.volumes.volume_named("db").expect("it is there");
    for number in 0..3 {
        let request = VolumeRequest {
            volume,
            asker: Asker::Tenant(tenant),
            number,
            operation: VolumeOperation::Read,
            block: 0,
            blocks: 1,
            data: Some(world.buffer()),
            priority: Priority::USUAL,
        };
        assert!(world.volumes.submit(request).is_ok());
    }
    let volume = name("db");
    assert_eq!(world.change(Change::Detach { volume }), Ok(()));
    let answers = core::iter::from_fn(|| world.volumes.next_done());
    assert_eq!(answers.count(), 3);
}

#[test]
fn a_read_that_writes_overtake_gives_one_of_the_values_and_is_no_damage() {
    for seed in 0..30 {
        // So small that what is given up is soon used anew.
        let mut world = World::new(seed, 256, 1);
        assert_eq!(world.create("db", 200), Ok(()));
        let mut values: BTreeMap<u64, std::vec::Vec<u64>> = BTreeMap::new();
        let mut tag = 0;
        for _ in 0..600 {
            let (block, blocks) = (world.prng.below(190), 1 + world.prng.below(8));
            let is_write = world.prng.one_in(2);
            let mut data = world.buffer();
            for piece in 0..blocks as usize {
                if is_write {
                    tag += 1;
                    fill(moving::block_mut(&mut data, piece), tag);
                    values.entry(block + piece as u64).or_default().push(tag);
                }
            }
            let operation = match is_write {
                true => VolumeOperation::Write { is_synced: false },
                false => VolumeOperation::Read,
            };
            let asked = world.ask("db", operation, block, blocks, Some(data));
            assert!(asked.is_ok() || asked == Err(VolumeError::Busy));
            if world.prng.one_in(2) {
                world.happen();
            }
            while let Some(done) = world.volumes.next_done() {
                check(&done, &values);
                world.data.extend(done.request.data);
            }
        }
        world.settle();
        while let Some(done) = world.volumes.next_done() {
            check(&done, &values);
        }
        audit(&world, 0);
        let live = world.volumes.live[0].as_ref().expect("it is there");
        assert_eq!(live.state, State::Available);
    }
}

fn check(done: &VolumeDone, values: &BTreeMap<u64, std::vec::Vec<u64>>) {
    let is_full = matches!(done.result, Err(VolumeError::NoSpace));
    assert!(done.result.is_ok() || is_full, "{:?}", done.result);
    let data = done.request.data.as_ref().expect("it comes back");
    if done.request.operation != VolumeOperation::Read {
        return;
    }
    for piece in 0..done.request.blocks {
        let found = tag_of(moving::block_of(data, piece as usize));
        let known = values.get(&(done.request.block + piece));
        assert!(found == 0 || known.is_some_and(|known| known.contains(&found)));
    }
}

/// As `World::happen`, but whoever reads waits.
fn happen_but_reads(world: &mut World) {
    let waiting = &world.disks.waiting;
    let is_change = |request: &IoRequest| request.operation != DiskOperation::Read;
    if let Some(at) = waiting.iter().position(is_change) {
        let done = world.disks.carry_out(at).expect("it waits");
        world.volumes.on_done(done);
    } else if world.journal.durable < world.journal.next {
        world.journal.durable += 1;
    } else if let Some(at) = world.volumes.next_deadline() {
        world.now = world.now.max(at);
    }
    world.step();
}

#[test]
fn a_read_whose_block_was_used_anew_meanwhile_is_no_damage() {
    let mut world = World::new(3, 256, 1);
    assert_eq!(world.create("db", 1000), Ok(()));
    let mut blocks = 0;
    while world.write("db", blocks, &[blocks + 1], false).is_ok() {
        blocks += 1;
    }
    let discard = VolumeOperation::Discard;
    assert_eq!(world.plain("db", discard, 0, 8), Ok(()));
    assert_eq!(world.flush("db"), Ok(()));
    world.settle();
    let data = world.buffer();
    let read = world.ask("db", VolumeOperation::Read, 20, 1, Some(data));
    let read = read.expect("there is room");
    world.step();
    for round in 0..60 {
        let mut data = world.buffer();
        fill(moving::block_mut(&mut data, 0), 1000 + round);
        let write = VolumeOperation::Write { is_synced: false };
        let asked = world.ask("db", write, 20 + round % 8, 1, Some(data));
        assert!(asked.is_ok());
        let done = loop {
            if let Some(done) = world.volumes.next_done() {
                break done;
            }
            happen_but_reads(&mut world);
        };
        assert_eq!(
            (done.result, Some(done.request.number)),
            (Ok(()), asked.ok())
        );
        world.data.extend(done.request.data);
    }
    let done = world.wait();
    assert_eq!((done.request.number, done.result), (read, Ok(())));
    let data = done.request.data.expect("it comes back");
    assert_eq!(tag_of(moving::block_of(&data, 0)), 1056);
}
