//! Disks that fail, or do not answer: nothing is taken twice, and nobody waits for ever.

use crate::desk::Desk;
use rayos_kernel::base::log::Level;
use rayos_kernel::base::time::Duration;
use rayos_kernel::kernel::Machine as _;
use rayos_sim::{DiskMood, World};

fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

#[test]
fn a_disk_that_fails_for_a_while_is_taken_into_use_again_with_all_that_was_acknowledged() {
    let mut desk = Desk::new();
    for line in [
        "storage create box object 1MB",
        "storage put box before acknowledged",
        "device quota set 2 network-out 1MB",
    ] {
        let answer = desk.run(line);
        assert!(answer.has_succeeded, "{line}: {}", answer.text);
    }
    desk.say("said once");
    for (round, seconds) in [(2, 5), (3, 200)] {
        desk.0.machine(0).disks[0].set_mood(DiskMood::Failing);
        desk.run(&format!("device quota set 2 network-out {round}MB"));
        desk.0.run_for(Duration::from_secs(seconds));
        let logs = desk.run("storage logs").text;
        assert!(logs.contains("disk failed"), "{logs}");
        desk.0.machine(0).disks[0].set_mood(DiskMood::Well);
        desk.0.run_for(Duration::from_secs(70));
        let logs = desk.run("storage logs").text;
        assert_eq!(count(&logs, " open "), 3, "{logs}");
        let got = desk.run("storage get box before");
        assert!(got.text.contains("acknowledged"), "{}", got.text);
        let put = desk.run(&format!("storage put box round-{round} goes-on"));
        assert!(put.has_succeeded, "{}", put.text);
        assert_eq!(desk.field("audit status", "earlier boots"), "0");
        assert_eq!(desk.field("audit status", "entries missed"), "0");
        let verified = desk.run("audit verify");
        assert!(
            verified.has_succeeded && verified.text.contains("boots    1"),
            "{}",
            verified.text
        );
    }
    desk.say("said behind");
    desk.crash();
    let earlier = desk.run("audit earlier 256").text;
    for round in 1..=3 {
        let wanted = format!("to {round}000000 bytes a second");
        assert_eq!(count(&earlier, &wanted), 1, "{earlier}");
    }
    assert_eq!(desk.field("audit status", "earlier boots"), "1");
    let got = desk.run("storage get box round-3");
    assert!(got.text.contains("goes-on"), "{}", got.text);
    let previous = desk.run("log-previous").text;
    assert_eq!(count(&previous, "said once"), 1, "{previous}");
    assert_eq!(count(&previous, "said behind"), 1, "{previous}");
}

#[test]
fn a_disk_that_fails_at_the_start_is_taken_into_use_once_it_is_well() {
    let mut desk = Desk::new();
    desk.run("device quota set 2 network-out 4MB");
    desk.rest();
    desk.0.crash(0);
    desk.0.machine(0).disks[0].set_mood(DiskMood::Failing);
    desk.0.restart(0);
    desk.0.run_for(Duration::from_secs(30));
    let status = desk.run("storage status").text;
    assert!(status.contains("unreadable"), "{status}");
    desk.0.machine(0).disks[0].set_mood(DiskMood::Well);
    desk.0.run_for(Duration::from_secs(70));
    let earlier = desk.run("audit earlier 200").text;
    assert!(earlier.contains("to 4000000 bytes a second"), "{earlier}");
}

#[test]
fn a_disk_that_never_answers_is_not_waited_for_without_end() {
    let mut desk = Desk::new();
    desk.0.crash(0);
    desk.0.machine(0).disks[0].set_mood(DiskMood::Silent);
    desk.0.restart(0);
    let answer = desk.run("audit earlier");
    assert!(answer.text.contains("no disk is in use"), "{}", answer.text);
    let answer = desk.run("ls");
    assert!(!answer.has_succeeded, "{}", answer.text);
}

/// A machine whose logs are being read anew, from a disk that takes its time.
fn read_anew() -> Desk {
    let mut desk = Desk::new();
    desk.say("said before");
    desk.crash();
    let disk = &mut desk.0.machine(0).disks[0];
    disk.set_mood(DiskMood::Failing);
    desk.run("device quota set 2 network-out 1MB");
    desk.say("said to nobody");
    let disk = &mut desk.0.machine(0).disks[0];
    disk.set_mood(DiskMood::Silent);
    desk.0.run_for(Duration::from_secs(2));
    let logs = desk.run("storage logs").text;
    assert_eq!(count(&logs, " recovering "), 2, "{logs}");
    desk
}

#[test]
fn what_is_asked_while_the_logs_are_read_anew_waits_and_is_answered_in_full() {
    for (line, wanted) in [
        ("audit verify", "boots    2"),
        ("audit earlier 200", "storage format"),
        ("log-previous", "said before"),
    ] {
        let mut desk = read_anew();
        desk.0.feed(0, format!("{line}\n").as_bytes());
        // Until it is waited for no longer, and a little more.
        let ticks = desk.0.kernel(0).ticks();
        let is_over = |world: &mut World| world.kernel(0).ticks() > ticks + 10_000;
        let spins = desk.0.run_until(Duration::from_secs(12), is_over);
        assert!(!spins, "{line}: the loop turns and turns");
        desk.0.machine(0).disks[0].set_mood(DiskMood::Well);
        let answer = desk.0.hear(0, Duration::from_secs(40));
        let answer = answer.unwrap_or_else(|| panic!("no answer to {line}"));
        assert!(answer.has_succeeded, "{line}: {}", answer.text);
        assert!(answer.text.contains(wanted), "{line}: {}", answer.text);
    }
}

#[test]
fn the_power_goes_in_time_though_the_disk_never_answers() {
    let mut desk = Desk::new();
    desk.0.machine(0).disks[0].set_mood(DiskMood::Silent);
    desk.run("poweroff");
    // Who asks again does not wait longer.
    for _ in 0..2 {
        desk.0.run_for(Duration::from_millis(400));
        desk.0.feed(0, b"poweroff\n");
    }
    desk.0.run_for(Duration::from_millis(300));
    assert!(!desk.0.machine(0).power_actions.is_empty());
}

#[test]
fn a_boot_that_says_much_while_its_disk_fails_is_not_taken_for_an_earlier_one() {
    let mut desk = Desk::new();
    desk.say("said early");
    desk.0.machine(0).disks[0].set_mood(DiskMood::Failing);
    let now = desk.0.now();
    let log = desk.0.machine(0).log();
    // More than the ring in memory holds.
    for number in 0..600 {
        log.write(now, Level::Warn, "test", format_args!("said {number}"));
    }
    desk.0.wake(0);
    desk.0.run_for(Duration::from_secs(3));
    desk.0.machine(0).disks[0].set_mood(DiskMood::Well);
    desk.0.run_for(Duration::from_secs(70));
    let previous = desk.run("log-previous").text;
    assert!(
        previous.contains("nothing of an earlier boot"),
        "{previous}"
    );
    desk.crash();
    let previous = desk.run("log-previous").text;
    assert!(previous.contains("said 599"), "{previous}");
}
