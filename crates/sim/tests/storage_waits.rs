//! Commands that come before the disks are known, or the pool is there, wait for it.

use rayos_kernel::base::time::Duration;
use rayos_sim::{DiskSettings, Settings, World};

/// Large enough to be laid out.
const DISK_MEBIBYTES: u64 = 24;

fn world(disks: Vec<DiskSettings>) -> World {
    World::single(Settings {
        command_line: "shell=framed".to_string(),
        disks,
        ..Settings::default()
    })
}

#[test]
fn what_is_asked_right_behind_a_format_or_a_boot_waits_for_the_pool() {
    let mut world = world(vec![DiskSettings::hdd(DISK_MEBIBYTES)]);
    world.run_for(Duration::from_secs(1));
    world.lay_out(0, "disk0");
    world.answer_of(0, "storage create bag object 4M");
    world.answer_of(0, "storage put bag a first");
    for line in [
        "storage put bag b second",
        "storage get bag a",
        "storage list bag",
        "storage snapshot bag monday",
        "storage restore bag monday",
        "storage scrub",
        "storage delete monday",
    ] {
        world.crash(0);
        world.restart(0);
        world.answer_of(0, line);
    }
    let listed = world.answer_of(0, "storage list bag");
    assert!(listed.contains('a') && listed.contains('b'), "{listed}");
}

#[test]
fn a_disk_that_is_looked_at_is_measured_and_formatted_as_what_it_is() {
    let slow = DiskSettings::hdd(DISK_MEBIBYTES);
    let mut fresh = world(vec![slow.clone()]);
    // Written to, for it is blank, though nobody knew when this was asked.
    let measured = fresh.answer_of(0, "disk bench disk0 1 write-4k 1");
    assert!(measured.contains("write-4k"), "{measured}");
    let mut fresh = world(vec![slow]);
    fresh.lay_out(0, "disk0");
}

#[test]
fn without_a_pool_nobody_waits() {
    let none = "there is no pool of volumes; see storage status";
    for disks in [vec![], vec![DiskSettings::ssd(DISK_MEBIBYTES)]] {
        let mut world = world(disks);
        let began = world.now();
        for _ in 0..2 {
            let answer = world.ask(0, "storage create db block 4M");
            assert!(answer.text.contains(none), "{}", answer.text);
        }
        assert!(world.now().since(began) < Duration::from_secs(2));
    }
}
