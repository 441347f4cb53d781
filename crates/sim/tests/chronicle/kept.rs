//! What was done and said in earlier boots is known after a restart, and tampering is found.

use crate::desk::{Desk, MEBIBYTES};
use rayos_kernel::base::disk::SECTOR_BYTES;
use rayos_kernel::base::log::Level;
use rayos_kernel::base::time::Duration;
use rayos_kernel::kernel::Machine as _;
use rayos_sim::{DiskMood, DiskSettings, Settings, World};

#[test]
fn entries_of_earlier_boots_are_there_after_power_cuts_and_the_chain_goes_on() {
    let mut desk = Desk::new();
    for round in 1..=3 {
        desk.run(&format!("device quota set 2 network-out {round}MB"));
        desk.rest();
        desk.crash();
        let earlier = desk.run("audit earlier 200").text;
        assert!(
            earlier.contains(&format!("to {round}000000 bytes a second")),
            "{earlier}"
        );
        assert_eq!(
            desk.field("audit status", "earlier boots"),
            format!("{round}")
        );
        let verified = desk.run("audit verify");
        assert!(verified.has_succeeded, "{}", verified.text);
        assert!(verified.text.contains("kept on disk"), "{}", verified.text);
        let boots = format!("boots    {}", round + 1);
        assert!(verified.text.contains(&boots), "{}", verified.text);
    }
    let earlier = desk.run("audit earlier 200").text;
    assert!(earlier.contains("join"), "{earlier}");
    assert!(earlier.contains("behind"), "{earlier}");
}

#[test]
fn what_came_before_the_disk_was_in_use_is_kept_once_it_is() {
    let mut desk = Desk::new();
    desk.crash();
    let earlier = desk.run("audit earlier 200").text;
    // The command that laid the disk out was before it was in use.
    assert!(earlier.contains("storage format"), "{earlier}");
    assert_eq!(desk.field("audit status", "entries missed"), "0");
}

#[test]
fn messages_of_the_boot_before_are_shown() {
    let mut desk = Desk::new();
    let now = desk.0.now();
    let log = desk.0.machine(0).log();
    log.write(
        now,
        Level::Warn,
        "test",
        format_args!("said before the cut"),
    );
    desk.0.wake(0);
    desk.rest();
    desk.crash();
    let previous = desk.run("log-previous").text;
    assert!(previous.contains("said before the cut"), "{previous}");
    assert!(!desk.run("log").text.contains("said before"));
    desk.say("said after it");
    desk.crash();
    let answer = desk.run("log-previous").text;
    assert!(answer.contains("said after it"), "{answer}");
    assert!(!answer.contains("said before the cut"), "{answer}");
}

#[test]
fn what_was_typed_last_is_kept_when_the_power_is_switched_off() {
    let mut desk = Desk::new();
    desk.run("poweroff");
    desk.rest();
    desk.0.restart(0);
    desk.rest();
    let earlier = desk.run("audit earlier 5").text;
    assert!(earlier.contains("poweroff"), "{earlier}");
}

#[test]
fn sectors_that_somebody_changed_are_found() {
    let mut desk = Desk::new();
    desk.run("device quota set 2 network-out 7MB");
    desk.rest();
    let at = {
        let disk = &mut desk.0.machine(0).disks[0];
        let safe = disk.safe();
        let needle = b"to 7000000 bytes";
        let found = safe
            .windows(needle.len())
            .position(|window| window == needle);
        found.expect("the entry is on the disk")
    };
    let disk = &mut desk.0.machine(0).disks[0];
    disk.tamper((at / SECTOR_BYTES) as u64, |sector| {
        sector[at % SECTOR_BYTES + 3] = b'9'
    });
    let answer = desk.run("audit verify");
    assert!(
        !answer.has_succeeded && answer.text.contains("damaged"),
        "{}",
        answer.text
    );
    desk.crash();
    let status = desk.run("audit status").text;
    assert!(status.contains("damaged"), "{status}");
    let answer = desk.run("audit verify");
    assert!(!answer.has_succeeded, "{}", answer.text);
    let earlier = desk.run("audit earlier").text;
    assert!(earlier.contains("damaged"), "{earlier}");
    // Until somebody accepts the loss.
    assert!(desk.run("storage logs").text.contains("records of batch"));
    let answer = desk.run("storage accept-loss audit");
    assert!(answer.has_succeeded, "{}", answer.text);
    desk.rest();
    let answer = desk.run("audit verify");
    assert!(
        answer.has_succeeded && answer.text.contains("kept on disk"),
        "{}",
        answer.text
    );
    assert!(!desk.run("storage accept-loss audit").has_succeeded);
}

#[test]
fn without_a_disk_nothing_is_kept_and_that_is_said() {
    let mut desk = Desk(World::single(Settings::default()));
    desk.rest();
    let answer = desk.run("audit earlier");
    assert!(answer.text.contains("no disk is in use"), "{}", answer.text);
    let answer = desk.run("log-previous");
    assert!(answer.text.contains("no disk is in use"), "{}", answer.text);
    assert!(desk.run("audit verify").has_succeeded);
}

#[test]
fn what_is_wanted_before_the_disk_is_in_use_waits_for_it() {
    let mut desk = Desk::new();
    for line in [
        "storage create box object 1MB",
        "storage put box key something",
        "put note.txt something",
    ] {
        let answer = desk.run(line);
        assert!(answer.has_succeeded, "{line}: {}", answer.text);
    }
    desk.say("said long ago");
    for (line, wanted) in [
        ("audit earlier 200", "storage put"),
        ("log-previous", "said long ago"),
        ("audit verify", "kept on disk"),
        ("storage get box key", "something"),
        ("cat note.txt", "something"),
    ] {
        desk.0.crash(0);
        desk.0.run_for(Duration::from_secs(1));
        desk.0.restart(0);
        let answer = desk.run(line);
        let is_told = answer.has_succeeded && answer.text.contains(wanted);
        assert!(is_told, "{line}: {}", answer.text);
    }
    // The last thing that a short boot was told is kept.
    desk.0.crash(0);
    desk.0.restart(0);
    desk.run("poweroff");
    desk.rest();
    desk.0.restart(0);
    let earlier = desk.run("audit earlier 10").text;
    assert!(earlier.contains("poweroff"), "{earlier}");
}

#[test]
fn a_disk_that_was_just_laid_out_can_be_used_at_once() {
    let mut desk = Desk(World::single(Settings {
        command_line: "shell=framed".to_string(),
        disks: vec![DiskSettings::ssd(MEBIBYTES)],
        ..Settings::default()
    }));
    desk.rest();
    desk.lay_out();
    let answer = desk.run("storage create box object 1MB");
    assert!(answer.has_succeeded, "{}", answer.text);
}

/// The sectors of the log partition, as they are on the disk.
fn log_sectors(disk: &rayos_sim::SimDisk) -> (u64, Vec<u8>) {
    // The plan of a disk of this size.
    let first: usize = 2048 + (4 << 11);
    let bytes = first * SECTOR_BYTES..(first + (4 << 11)) * SECTOR_BYTES;
    (first as u64, disk.safe()[bytes].to_vec())
}

#[test]
fn an_old_copy_of_the_logs_is_right_in_itself_and_nothing_else_is() {
    let mut desk = Desk::new();
    desk.run("device quota set 2 network-out 1MB");
    desk.rest();
    let (first, old) = log_sectors(&desk.0.machine(0).disks[0]);
    desk.run("device quota set 2 network-out 2MB");
    desk.rest();
    desk.0.crash(0);
    for (index, sector) in old.chunks(SECTOR_BYTES).enumerate() {
        let disk = &mut desk.0.machine(0).disks[0];
        disk.tamper(first + index as u64, |place| place.copy_from_slice(sector));
    }
    desk.0.restart(0);
    desk.rest();
    // As the documentation says: only an anchor that somebody else has tells.
    let verified = desk.run("audit verify");
    assert!(verified.has_succeeded, "{}", verified.text);
    let earlier = desk.run("audit earlier 200").text;
    assert!(earlier.contains("to 1000000") && !earlier.contains("to 2000000"));
    // Two sectors that have changed places are found.
    let (first, now) = log_sectors(&desk.0.machine(0).disks[0]);
    let sectors: Vec<&[u8]> = now.chunks(SECTOR_BYTES).collect();
    let holds = |text: &[u8]| {
        let has = |sector: &&[u8]| sector.windows(text.len()).any(|window| window == text);
        sectors.iter().position(has).expect("it is kept")
    };
    let (one, other) = (holds(b"to 1000000"), holds(b"rayosbat"));
    assert_ne!(one, other);
    for (from, to) in [(one, other), (other, one)] {
        let disk = &mut desk.0.machine(0).disks[0];
        disk.tamper(first + to as u64, |place| {
            place.copy_from_slice(sectors[from])
        });
    }
    let verified = desk.run("audit verify");
    assert!(!verified.has_succeeded, "{}", verified.text);
}

#[test]
fn without_a_disk_the_power_goes_at_once() {
    let mut desk = Desk(World::single(Settings {
        command_line: "shell=framed".to_string(),
        disks: Vec::new(),
        ..Settings::default()
    }));
    desk.rest();
    desk.run("poweroff");
    desk.0.run_for(Duration::from_millis(5));
    assert!(!desk.0.machine(0).power_actions.is_empty());
}

#[test]
fn a_boot_that_fills_the_log_keeps_its_number_and_is_followed_by_the_next() {
    let mut desk = Desk::new();
    desk.crash();
    assert_eq!(desk.field("audit status", "boot "), "2");
    for _ in 0..1000 {
        (0..10).for_each(|line| drop(desk.run(&format!("echo line {line}"))));
        desk.0.run_for(Duration::from_millis(20));
    }
    desk.rest();
    assert_eq!(desk.field("audit status", "entries missed"), "0");
    assert_ne!(desk.field("audit status", "records that made room"), "0");
    let is_well = |desk: &mut Desk, boot: &str, earlier: &str| {
        let verified = desk.run("audit verify");
        assert!(verified.has_succeeded, "{}", verified.text);
        assert_eq!(desk.field("audit status", "boot "), boot);
        assert_eq!(desk.field("audit status", "earlier boots"), earlier);
    };
    desk.0.machine(0).disks[0].set_mood(DiskMood::Failing);
    desk.run("echo its disk fails");
    desk.0.run_for(Duration::from_secs(3));
    desk.0.machine(0).disks[0].set_mood(DiskMood::Well);
    desk.0.run_for(Duration::from_secs(70));
    is_well(&mut desk, "2", "0");
    assert!(!desk.run("audit earlier").has_succeeded);
    desk.crash();
    is_well(&mut desk, "3", "1");
    assert!(desk.run("audit earlier").text.contains("echo line 9"));
}
