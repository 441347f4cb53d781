//! Limits of volumes in force, tenants, and what many ask for at the same time.

use super::super::*;
use super::audit::audit;
use super::world::{World, fill};
use crate::base::tenant::Tenant;
use crate::limits::VOLUME_REQUESTS_MAX;
use crate::storage::io::Priority;
use std::vec::Vec;

fn name(text: &str) -> Name {
    Name::cut_from(text)
}

fn limit(world: &mut World, requests_per_s: Option<u64>, bytes_per_s: Option<u64>) {
    let limits = Limits {
        requests_per_s,
        bytes_per_s,
    };
    let volume = name("db");
    assert_eq!(world.change(Change::Limit { volume, limits }), Ok(()));
}

/// Seconds until so many reads of one block each have ended.
fn seconds_for(world: &mut World, volume: &str, reads: u64) -> f64 {
    let began = world.now;
    for _ in 0..reads {
        world
            .read(volume, 0, 1)
            .expect("it waits and is not refused");
    }
    world.now.since(began).as_nanos() as f64 / 1e9
}

#[test]
fn a_volume_gets_what_its_limit_says_and_another_is_not_held_up() {
    let mut world = World::new(1, 512, 1);
    assert_eq!(world.create("db", 600), Ok(()));
    assert_eq!(world.create("other", 600), Ok(()));
    limit(&mut world, Some(50), None);
    world.settle();
    // Five at once, then one every fiftieth of a second.
    let took = seconds_for(&mut world, "db", 105);
    assert!((1.99..2.05).contains(&took), "{took}");
    assert!(seconds_for(&mut world, "other", 100) < 0.01);
    limit(&mut world, None, Some(1 << 20));
    let took = seconds_for(&mut world, "db", 32 + 256);
    assert!((0.99..1.05).contains(&took), "{took}");
    let counters = world.volumes.live[0]
        .as_ref()
        .expect("it is there")
        .counters;
    assert!(counters.throttled > 300, "{counters:?}");
    // They are still in force after a power cut.
    let mut world = world.cut();
    let took = seconds_for(&mut world, "db", 32 + 256);
    assert!((0.99..1.05).contains(&took), "{took}");
    limit(&mut world, None, None);
    assert!(seconds_for(&mut world, "db", 100) < 0.01);
}

#[test]
fn an_attached_volume_is_its_tenants_only_also_after_a_power_cut() {
    let mut world = World::new(2, 512, 1);
    assert_eq!(world.create("db", 600), Ok(()));
    let (one, two) = (Tenant::new(1).expect("one"), Tenant::new(2).expect("two"));
    let attach = |tenant| Change::Attach {
        volume: name("db"),
        tenant,
    };
    assert_eq!(world.change(attach(one)), Ok(()));
    let taken = VolumeError::AttachedTo {
        name: name("db"),
        tenant: one,
    };
    let mut world = world.cut();
    assert_eq!(world.change(attach(two)), Err(taken.clone()));
    assert_eq!(
        world.change(Change::Delete { name: name("db") }),
        Err(taken.clone())
    );
    assert_eq!(world.read("db", 0, 1), Err(taken));
    let volume = world.volumes.volume_named("db").expect("it is there");
    let mut ask = |asker| {
        let request = VolumeRequest {
            volume,
            asker,
            number: 1,
            operation: VolumeOperation::Read,
            block: 0,
            blocks: 1,
            data: Some(world.buffer()),
            priority: Priority::USUAL,
        };
        world.volumes.submit(request).map_err(|(error, _)| error)
    };
    assert!(ask(Asker::Tenant(two)).is_err());
    assert_eq!(ask(Asker::Tenant(one)), Ok(()));
    let detach = Change::Detach { volume: name("db") };
    assert_eq!(world.change(detach.clone()), Ok(()));
    assert!(
        world.volumes.next_done().is_some(),
        "its last request came first"
    );
    let none = VolumeError::NotAttached { name: name("db") };
    assert_eq!(world.change(detach), Err(none));
    assert_eq!(world.read("db", 0, 1), Ok([0].into()));
}

#[test]
fn many_at_once_are_all_answered_and_one_too_many_is_refused() {
    for seed in 0..20 {
        let mut world = World::new(seed, 1024, 1);
        world.disks.transfer_bytes_max = 16 << 10;
        assert_eq!(world.create("db", 70_000), Ok(()));
        let mut asked = 0;
        for number in 0..3 * VOLUME_REQUESTS_MAX as u64 {
            let (block, blocks) = (world.prng.below(2_000) * 30, 1 + world.prng.below(16));
            let mut data = world.buffer();
            for piece in 0..blocks as usize {
                fill(moving::block_mut(&mut data, piece), number + 1);
            }
            let operation = match world.prng.below(4) {
                0 => VolumeOperation::Read,
                1 => VolumeOperation::Discard,
                _ => VolumeOperation::Write {
                    is_synced: number % 5 == 0,
                },
            };
            let data = match operation {
                VolumeOperation::Discard => {
                    world.data.push(data);
                    None
                }
                _ => Some(data),
            };
            match world.ask("db", operation, block, blocks, data) {
                Ok(_) => asked += 1,
                Err(error) => assert_eq!(error, VolumeError::Busy),
            }
            if number % 3 == 0 {
                world.happen();
            }
        }
        assert!(asked >= VOLUME_REQUESTS_MAX);
        for _ in 0..asked {
            let done = world.wait();
            assert_eq!(done.result, Ok(()));
            world.data.extend(done.request.data);
        }
        world.settle();
        audit(&world, 0);
    }
}

#[test]
fn names_that_cannot_be_and_places_that_are_not_there_are_refused() {
    let mut world = World::new(3, 512, 1);
    assert_eq!(world.create("db", 600), Ok(()));
    assert_eq!(
        world.create("db", 600),
        Err(VolumeError::Taken { name: name("db") })
    );
    for bad in ["", "1a", "a b", "a/b", "ä"] {
        assert_eq!(world.create(bad, 600), Err(VolumeError::BadName), "{bad}");
    }
    let out = VolumeError::OutOfRange { blocks: 600 };
    assert_eq!(world.read("db", 590, 11), Err(out.clone()));
    assert_eq!(world.read("db", u64::MAX, 2), Err(out));
    assert_eq!(world.read("no", 0, 1), Err(VolumeError::NoVolume));
    let found: Vec<_> = (0..40)
        .map(|at| world.create(&std::format!("v{at}"), 1))
        .collect();
    assert_eq!(found.iter().filter(|result| result.is_ok()).count(), 31);
    assert_eq!(found[39], Err(VolumeError::TooManyVolumes));
}
