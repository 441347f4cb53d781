//! Several kernels on one wire: they find each other and answer, whatever the wire does.

use rayos_kernel::base::time::Duration;
use rayos_sim::segment::{DeviceShape, Faults, Segment};
use rayos_sim::{Settings, World};

fn machine(segment: &Segment, number: u64) -> Settings {
    Settings {
        seed: number,
        command_line: format!("shell=framed ip=10.77.0.{number}/24"),
        segments: vec![segment.clone()],
        ..Settings::default()
    }
}

fn world(segment: &Segment, machines: u64) -> World {
    let machines = (1..=machines).map(|number| machine(segment, number));
    let mut world = World::new(machines.collect());
    world.run_for(Duration::from_secs(3));
    world
}

fn ask(world: &mut World, node: usize, command: &str, span: Duration) -> String {
    let _ = world.serial(node).take_arrived();
    world.feed(node, format!("{command}\n").as_bytes());
    let is_answered = |world: &mut World| world.serial(node).arrived().ends_with(&[5]);
    world.run_for(Duration::from_micros(10));
    assert!(world.run_until(span, is_answered), "no answer to {command}");
    String::from_utf8(world.serial(node).take_arrived()).unwrap()
}

/// The value of a field in an answer.
fn field<'a>(told: &'a str, name: &str) -> &'a str {
    let mut lines = told.lines().filter_map(|line| line.split_once(' '));
    let found = lines.find(|(key, _)| *key == name);
    found.map_or("", |(_, value)| value.trim())
}

#[test]
fn kernels_on_one_wire_ping_each_other_over_both_protocols() {
    let segment = Segment::new(1);
    let mut world = world(&segment, 3);
    for (from, to) in [(0, "10.77.0.2"), (1, "10.77.0.3"), (2, "10.77.0.1")] {
        let told = ask(
            &mut world,
            from,
            &format!("net ping {to} 3"),
            Duration::from_secs(9),
        );
        assert_eq!(field(&told, "received"), "3", "{told}");
    }
    let to = "fe80::5054:ff:fe77:3";
    let told = ask(
        &mut world,
        0,
        &format!("net ping {to} 2"),
        Duration::from_secs(9),
    );
    assert_eq!(field(&told, "received"), "2", "{told}");
    let told = ask(
        &mut world,
        0,
        "net ping 127.0.0.1 2",
        Duration::from_secs(9),
    );
    assert_eq!(field(&told, "received"), "2", "{told}");
}

#[test]
fn a_host_that_is_not_there_is_said_to_be_so() {
    let segment = Segment::new(1);
    let mut world = world(&segment, 1);
    let told = ask(
        &mut world,
        0,
        "net ping 10.77.0.99 2",
        Duration::from_secs(20),
    );
    assert!(told.contains("did not answer"), "{told}");
    let told = ask(&mut world, 0, "net ping 8.8.8.8 1", Duration::from_secs(20));
    assert!(told.contains("1 were not sent"), "{told}");
}

#[test]
fn a_bad_wire_costs_replies_and_breaks_nothing() {
    for seed in 0..20 {
        let shape = DeviceShape {
            completes_checksums: seed % 2 == 0,
            is_trusted: false,
            ..DeviceShape::default()
        };
        let segment = Segment::with_shape(seed, shape);
        segment.set_faults(Faults {
            loss_one_in: 10,
            duplicate_one_in: 10,
            corrupt_one_in: 10,
            reorder_one_in: 5,
            ..Faults::default()
        });
        let mut world = world(&segment, 2);
        let told = ask(
            &mut world,
            0,
            "net ping 10.77.0.2 30",
            Duration::from_secs(90),
        );
        let count: u32 = field(&told, "received").parse().unwrap();
        assert!((8..=30).contains(&count), "seed {seed}: {told}");
        segment.set_faults(Faults::default());
        let told = ask(
            &mut world,
            0,
            "net ping 10.77.0.2 4",
            Duration::from_secs(90),
        );
        assert_eq!(field(&told, "received"), "4", "seed {seed}: {told}");
        for node in 0..2 {
            assert_eq!(world.machine(node).ports[0].outside(), 0, "frames leaked");
        }
    }
}

#[test]
fn a_cable_that_is_pulled_and_a_card_that_is_unplugged_come_back() {
    let segment = Segment::new(7);
    let mut world = world(&segment, 2);
    for round in 0..2 {
        match round {
            0 => segment.set_link(1, false),
            _ => segment.set_plugged(1, false),
        }
        world.wake(1);
        let told = ask(
            &mut world,
            0,
            "net ping 10.77.0.2 2",
            Duration::from_secs(20),
        );
        assert!(told.contains("did not answer"), "{told}");
        let told = ask(&mut world, 1, "net interfaces", Duration::from_secs(1));
        assert!(told.contains("down"), "{told}");
        match round {
            0 => segment.set_link(1, true),
            _ => segment.set_plugged(1, true),
        }
        world.wake(1);
        world.run_for(Duration::from_secs(3));
        let told = ask(
            &mut world,
            0,
            "net ping 10.77.0.2 2",
            Duration::from_secs(20),
        );
        assert_eq!(field(&told, "received"), "2", "{told}");
    }
}
