//! Several machines in one world, and lines that lose what they carry.

use rayos_kernel::base::time::Duration;
use rayos_sim::{Settings, World};

fn three_machines() -> World {
    let machine = |seed| Settings {
        seed,
        cores: seed as usize,
        ..Settings::default()
    };
    World::new(vec![machine(1), machine(2), machine(4)])
}

/// Everything that the machines have said to the same questions.
fn story() -> Vec<Vec<u8>> {
    let mut world = three_machines();
    for node in 0..3 {
        world.serial(node).set_loss(50);
        world.serial(node).set_speed(9_600);
    }
    for line in [
        "status\n",
        "cpu --json\n",
        "limits\n",
        "uptime; trace-ring\n",
    ] {
        for node in 0..3 {
            world.feed(node, line.as_bytes());
        }
        world.run_for(Duration::from_millis(137));
    }
    world.run_for(Duration::from_secs(5));
    (0..3)
        .map(|node| world.serial(node).take_arrived())
        .collect()
}

#[test]
fn the_same_seeds_tell_the_same_story_to_the_byte() {
    let first = story();
    assert_eq!(first, story());
    assert!(first.iter().all(|told| told.len() > 1000));
    assert!(first[0] != first[1] && first[1] != first[2]);
}

#[test]
fn machines_of_one_world_are_machines_of_their_own() {
    let mut world = three_machines();
    for node in 0..3 {
        world.feed(node, b"cpu | where key=cores_online\n");
    }
    world.feed(1, b"poweroff\n");
    world.run_for(Duration::from_secs(1));
    for (node, cores) in [(0, 1), (1, 2), (2, 4)] {
        let told = String::from_utf8(world.serial(node).take_arrived()).unwrap();
        assert!(
            told.contains(&format!("cores online  {cores}\n")),
            "{told:?}"
        );
        let is_off = !world.machine(node).power_actions.is_empty();
        assert_eq!(is_off, node == 1);
    }
    world.feed(2, b"echo still on\n");
    world.run_for(Duration::from_secs(1));
    let told = world.serial(2).take_arrived();
    assert_eq!(told, b"\x02still on\n\x030\x05");
}

#[test]
fn a_line_that_loses_bytes_loses_commands_and_nothing_else() {
    let mut world = World::single(Settings::default());
    world.serial(0).set_loss(7);
    for _ in 0..500 {
        world.feed(0, b"echo some words; mem map | limit 2\n");
        world.run_for(Duration::from_millis(1));
    }
    world.serial(0).set_loss(0);
    world.feed(0, b"\n");
    world.run_for(Duration::from_millis(1));
    let _ = world.serial(0).take_arrived();
    world.feed(0, b"echo heard\n");
    world.run_for(Duration::from_millis(1));
    assert_eq!(world.serial(0).take_arrived(), b"\x02heard\n\x030\x05");
}

#[test]
fn megabytes_without_an_end_are_one_refused_line() {
    let mut world = World::single(Settings::default());
    for _ in 0..1024 {
        world.feed(0, &[b'x'; 2048]);
        world.run_for(Duration::from_millis(1));
    }
    world.feed(0, b"\necho heard\n");
    world.run_for(Duration::from_millis(1));
    let told = String::from_utf8(world.serial(0).take_arrived()).unwrap();
    let expected = "error: the line has 2097152 bytes; at most 1024 are taken\n\x031\x05";
    assert!(told.contains(expected), "{told:?}");
    assert!(told.ends_with("\x02heard\n\x030\x05"), "{told:?}");
}
