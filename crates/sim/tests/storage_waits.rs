//! Commands that come before the disks are known, or the pool is there, wait for it.

use rayos_kernel::base::time::Duration;
use rayos_sim::framed::{Answer, Decoder, Event};
use rayos_sim::{DiskSettings, Settings, World};

/// Large enough to be laid out.
const DISK_MEBIBYTES: u64 = 24;
/// Hundredths of a second that an answer may take.
const ANSWER_TURNS: usize = 6500;

fn world(disks: Vec<DiskSettings>) -> World {
    World::single(Settings {
        command_line: "shell=framed".to_string(),
        disks,
        ..Settings::default()
    })
}

/// Typed in at once, whatever the kernel is doing.
fn ask(world: &mut World, line: &str) -> Answer {
    world.serial(0).take_arrived();
    world.feed(0, format!("{line}\n").as_bytes());
    let mut decoder = Decoder::default();
    for _ in 0..ANSWER_TURNS {
        world.run_for(Duration::from_millis(10));
        let bytes = world.serial(0).take_arrived();
        for event in bytes.into_iter().filter_map(|byte| decoder.push(byte)) {
            match event {
                Event::Answer(answer) => return answer,
                Event::Panic(report) => panic!("{line}: {report}"),
                Event::Ready => {}
            }
        }
    }
    panic!("{line}: no answer");
}

fn format(world: &mut World) {
    let command = "storage format disk0";
    let shown = ask(world, command).text;
    let code = shown
        .split(&format!("{command} "))
        .nth(1)
        .map(|code| &code[..8]);
    let line = format!("{command} {}", code.expect("a code is shown"));
    assert!(ask(world, &line).has_succeeded);
}

fn is_done(world: &mut World, line: &str) -> String {
    let answer = ask(world, line);
    assert!(answer.has_succeeded, "{line}: {}", answer.text);
    answer.text
}

#[test]
fn what_is_asked_right_behind_a_format_or_a_boot_waits_for_the_pool() {
    let mut world = world(vec![DiskSettings::hdd(DISK_MEBIBYTES)]);
    world.run_for(Duration::from_secs(1));
    format(&mut world);
    is_done(&mut world, "storage create bag object 4M");
    is_done(&mut world, "storage put bag a first");
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
        is_done(&mut world, line);
    }
    let listed = is_done(&mut world, "storage list bag");
    assert!(listed.contains('a') && listed.contains('b'), "{listed}");
}

#[test]
fn a_disk_that_is_looked_at_is_measured_and_formatted_as_what_it_is() {
    let slow = DiskSettings::hdd(DISK_MEBIBYTES);
    let mut fresh = world(vec![slow.clone()]);
    // Written to, for it is blank, though nobody knew when this was asked.
    let measured = is_done(&mut fresh, "disk bench disk0 1 write-4k 1");
    assert!(measured.contains("write-4k"), "{measured}");
    let mut fresh = world(vec![slow]);
    format(&mut fresh);
}

#[test]
fn without_a_pool_nobody_waits() {
    let none = "there is no pool of volumes; see storage status";
    for disks in [vec![], vec![DiskSettings::ssd(DISK_MEBIBYTES)]] {
        let mut world = world(disks);
        let began = world.now();
        for _ in 0..2 {
            let answer = ask(&mut world, "storage create db block 4M");
            assert!(answer.text.contains(none), "{}", answer.text);
        }
        assert!(world.now().since(began) < Duration::from_secs(2));
    }
}
