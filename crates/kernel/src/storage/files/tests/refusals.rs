//! What people are told when something does not work, and what that leaves.

use super::super::{Act, FileError, FilesState, Unusable, Wish};
use super::bench::{Bench, expect, noise};
use super::checker::check;
use crate::base::time::Instant;
use crate::storage::fat::{FatError, Kind};
use std::format;

const KINDS: [Kind; 3] = [Kind::Fat12, Kind::Fat16, Kind::Fat32];

#[test]
fn what_does_not_fit_leaves_nothing_behind() {
    for kind in KINDS {
        let mut bench = Bench::new(kind);
        bench.put("kept", "kept").unwrap();
        let free = bench.free();
        let cluster = match bench.files.view().state {
            FilesState::Mounted(measured) => u64::from(measured.cluster_bytes),
            _ => 0,
        };
        let full = "the disk is full; remove something, and see df";
        let mut all = noise((free * cluster) as usize + 1);
        assert_eq!(bench.receive("huge", &all), Err(full.into()));
        bench.settle();
        assert_eq!(bench.free(), free);
        expect(&bench, &[("kept", b"kept")]);
        // And all of it can be used.
        all.pop();
        assert_eq!(bench.receive("all", &all), Ok(all.len() as u64));
        assert_eq!(bench.free(), 0);
        assert_eq!(bench.put("one more", "x"), Err(format!("one more: {full}")));
        expect(&bench, &[("all", &all), ("kept", b"kept")]);
    }
}

/// A volume of which only some clusters are free: the others are marked as defective.
pub fn scattered(is_free: impl Fn(u32) -> bool) -> Bench {
    let mut bench = Bench::new(Kind::Fat16);
    let table = (super::bench::FIRST as usize + 1) * 512;
    let table_bytes = usize::from(bench.volume()[22]) * 512;
    for cluster in (2..table_bytes as u32 / 2).filter(|cluster| !is_free(*cluster)) {
        for copy in 0..2 {
            let at = table + copy * table_bytes + cluster as usize * 2;
            bench.rig.disks[0][at..at + 2].copy_from_slice(&[0xf7, 0xff]);
        }
    }
    let region = bench.region;
    bench.files.mount(region, &mut bench.rig);
    bench
}

#[test]
fn a_volume_in_splinters_is_filled_to_the_last_cluster() {
    for every in [2, 3, 300] {
        let mut bench = scattered(|cluster| cluster % every == 0);
        let free = bench.free();
        let all = noise(free as usize * 512);
        assert_eq!(bench.receive("all", &all), Ok(all.len() as u64), "{every}");
        assert_eq!(check(bench.volume()).unwrap().files["all"], all);
        assert_eq!(bench.free(), 0);
        bench.run("all", Act::Remove).unwrap();
        assert_eq!(bench.free(), free);
    }
}

#[test]
fn a_text_for_which_there_is_no_room_nearby_is_refused_and_costs_nothing() {
    let mut bench = scattered(|cluster| cluster == 10 || cluster == 2500 || cluster == 5000);
    bench.append("file", "x").unwrap();
    let refusal = bench.append("file", &"y".repeat(1500)).unwrap_err();
    assert_eq!(
        refusal,
        "file: the disk is full; remove something, and see df"
    );
    bench.append("file", &"z".repeat(512)).unwrap();
    assert_eq!(bench.free(), 1);
    bench.put("another", "x").unwrap();
    assert!(bench.put("one more", "x").is_err());
    bench.run("another", Act::Remove).unwrap();
    bench.put("one more", "x").unwrap();
    let contents = check(bench.volume()).unwrap();
    assert_eq!(contents.files["file"].len(), 513);
}

#[test]
fn a_full_root_directory_says_so() {
    let mut bench = Bench::new(Kind::Fat16);
    let mut refused = None;
    for count in 0..600 {
        if let Err(error) = bench.put(&format!("{count}"), "") {
            refused = Some((count, error));
            break;
        }
    }
    let (count, error) = refused.expect("512 entries are the most");
    assert_eq!(count, 511);
    assert!(error.contains("another directory"), "{error}");
    let contents = check(bench.volume()).unwrap();
    assert_eq!((contents.files.len(), contents.lost), (511, 0));
}

#[test]
fn every_refusal_says_what_can_be_done() {
    let mut bench = Bench::new(Kind::Fat12);
    bench.put("file", "x").unwrap();
    bench.run("dir", Act::MakeDirectory).unwrap();
    let put = || Act::Put { text: "x".into() };
    let cases: [(&str, Act, &str); 12] = [
        (
            "nothing",
            Act::Show,
            "nothing: there is no such file; see ls",
        ),
        (
            "nothing/x",
            put(),
            "nothing/x: there is no such file; see ls",
        ),
        (
            "file/x",
            put(),
            "file/x: a name on the way is a file, not a directory; see ls",
        ),
        ("dir", Act::Show, "dir: this is a directory; name a file"),
        ("dir", put(), "dir: this is a directory; name a file"),
        (
            "file",
            Act::MakeDirectory,
            "file: there is something of that name already; see ls",
        ),
        (
            "a:b",
            put(),
            "':' may not stand in a name; leave out control characters and \" * : < > ? \\ |",
        ),
        (
            "a.",
            put(),
            "a name does not begin with a blank or end with a blank or a dot",
        ),
        ("/", put(), "this is the root directory; name a file in it"),
        (
            "..",
            Act::List,
            "a name does not begin with a blank or end with a blank or a dot",
        ),
        (
            &"x".repeat(200),
            put(),
            "a name is too long; 195 characters are the most",
        ),
        (
            &"x/".repeat(240),
            Act::List,
            "a path goes through 16 directories at most",
        ),
    ];
    for (path, act, refusal) in cases {
        assert_eq!(bench.run(path, act), Err(refusal.into()), "{path}");
    }
    expect(&bench, &[("dir/", b""), ("file", b"x")]);
    assert!(bench.is_idle());
}

#[test]
fn names_of_devices_are_left_to_windows_and_files_of_other_systems_are_not() {
    let mut bench = Bench::new(Kind::Fat16);
    let refusal = "Windows takes this name for a device; choose another";
    for name in ["con", "NUL.txt", "Com1", "lpt9.tar.gz", "aux .c"] {
        assert_eq!(bench.put(name, "x"), Err(format!("{name}: {refusal}")));
        let made = bench.run(name, Act::MakeDirectory);
        assert_eq!(made, Err(format!("{name}: {refusal}")));
    }
    for name in ["console", "com", "COM10", "a.con", "lpt0", "nul-x"] {
        bench.put(name, "x").unwrap();
    }
    // One that is there all the same is a file like others.
    bench.put("abc.txt", "x").unwrap();
    let disk = &mut bench.rig.disks[0];
    let long = [b'a', 0, b'b', 0, b'c', 0, b'.', 0];
    let at = disk.windows(8).position(|bytes| bytes == long).unwrap();
    for (index, letter) in b"aux".iter().enumerate() {
        disk[at + 2 * index] = *letter;
    }
    let region = bench.region;
    bench.files.mount(region, &mut bench.rig);
    bench.put("AUX.TXT", "y").unwrap();
    assert_eq!(bench.run("aux.txt", Act::Show).unwrap(), "y");
    bench.run("aux.txt", Act::Remove).unwrap();
}

/// The slot of a short name.
pub fn slot<'a>(bench: &'a mut Bench, name: &[u8; 11]) -> &'a mut [u8] {
    let (slots, _) = bench.rig.disks[0].as_chunks_mut::<32>();
    let mut named = slots.iter_mut().filter(|slot| slot.starts_with(name));
    named.next().expect("it has a slot of its own")
}

pub fn mount_again(bench: &mut Bench) {
    let region = bench.region;
    bench.files.mount(region, &mut bench.rig);
}

#[test]
fn attributes_are_kept_and_what_is_written_again_wants_a_backup() {
    let mut bench = Bench::new(Kind::Fat32);
    bench.put("SHY", "x").unwrap();
    // Hidden and of the system, and saved.
    slot(&mut bench, b"SHY        ")[11] = 0x06;
    mount_again(&mut bench);
    assert!(bench.run("", Act::List).unwrap().starts_with("SHY "));
    bench.put("SHY", "y").unwrap();
    assert_eq!(slot(&mut bench, b"SHY        ")[11], 0x26);
    slot(&mut bench, b"SHY        ")[11] = 0x07;
    mount_again(&mut bench);
    let refusal = Err("SHY: the file is read-only; change that on another machine".into());
    assert_eq!(bench.put("SHY", "z"), refusal);
    assert_eq!(bench.append("SHY", "z"), refusal);
    assert_eq!(bench.run("SHY", Act::Remove), refusal);
    assert_eq!(bench.run("SHY", Act::Show).unwrap(), "y");
}

#[test]
fn a_file_without_a_byte_gives_its_clusters_back_when_it_gets_some() {
    let mut bench = Bench::new(Kind::Fat16);
    let free = bench.free();
    bench.receive("EMPTY", &noise(3000)).unwrap();
    slot(&mut bench, b"EMPTY      ")[28..].fill(0);
    mount_again(&mut bench);
    bench.append("EMPTY", "x").unwrap();
    assert_eq!(bench.free(), free - 1);
    expect(&bench, &[("EMPTY", b"x")]);
}

#[test]
fn two_files_with_the_same_clusters_are_read_and_removed_without_harm_to_a_third() {
    let mut bench = Bench::new(Kind::Fat16);
    for name in ["ONE", "TWO", "THREE"] {
        bench.receive(name, &noise(2000)).unwrap();
    }
    let first: [u8; 2] = slot(&mut bench, b"ONE        ")[26..28].try_into().unwrap();
    slot(&mut bench, b"TWO        ")[26..28].copy_from_slice(&first);
    mount_again(&mut bench);
    bench.run("TWO", Act::Sum).unwrap();
    bench.run("ONE", Act::Remove).unwrap();
    let refusal = bench.run("TWO", Act::Sum).unwrap_err();
    assert!(refusal.contains("damaged at cluster"), "{refusal}");
    bench.run("TWO", Act::Remove).unwrap();
    assert_eq!(check(bench.volume()).unwrap().files["THREE"], noise(2000));
}

#[test]
fn no_disk_and_a_foreign_one_are_told_apart() {
    let mut bench = Bench::new(Kind::Fat12);
    bench.files.unmount();
    assert_eq!(
        bench.run("x", Act::Show),
        Err(super::super::Files::NO_DISK.into())
    );
    let at = super::bench::FIRST as usize * 512;
    bench.rig.disks[0][at + 510] = 0;
    let region = bench.region;
    bench.files.mount(region, &mut bench.rig);
    let refusal = "x: the exchange partition cannot be used: it holds no FAT file system: its first sector has no signature";
    assert_eq!(bench.run("x", Act::Show), Err(refusal.into()));
    assert_eq!(bench.run("x", Act::Show), Err(refusal.into()));
    let unusable = Unusable::Fat(FatError::NotFat("its first sector has no signature"));
    assert_eq!(bench.files.view().state, FilesState::Failed(unusable));
    bench.rig.disks[0][at + 510] = 0x55;
    bench.rig.disks[0][at + 11] = 0;
    bench.rig.disks[0][at + 12] = 4;
    bench.files.mount(region, &mut bench.rig);
    let refusal = bench.run("x", Act::Show).unwrap_err();
    assert!(refusal.contains("its sectors have 1024 bytes"), "{refusal}");
}

#[test]
fn a_disk_that_fails_is_named_and_the_next_work_goes_on() {
    let mut bench = Bench::new(Kind::Fat16);
    bench.put("before", "x").unwrap();
    let wish = || Wish::new("before", Act::Show).unwrap();
    bench.files.unmount();
    let region = bench.region;
    bench.files.mount(region, &mut bench.rig);
    // Behind the first sector, which tells what the volume is.
    bench.settle();
    bench.rig.bad_sectors = (super::bench::FIRST + 40..super::bench::FIRST + 90).collect();
    let id = bench.open();
    bench.files.start(id, wish()).unwrap();
    let refusal = bench.answer(id).unwrap_err();
    assert!(refusal.contains("the disk failed at sector"), "{refusal}");
    let refusal = bench.put("after", "x").unwrap_err();
    assert!(refusal.contains("the disk failed at sector"), "{refusal}");
    bench.rig.bad_sectors.clear();
    bench.put("after", "x").unwrap();
    assert_eq!(bench.run("before", Act::Show).unwrap(), "x");
    expect(&bench, &[("after", b"x"), ("before", b"x")]);
}

#[test]
fn a_disk_that_goes_away_ends_what_waits_for_it() {
    let mut bench = Bench::new(Kind::Fat16);
    let id = bench.open();
    bench
        .files
        .start(id, Wish::new("x", Act::Show).unwrap())
        .unwrap();
    bench.files.step(Instant::ZERO, &mut bench.rig);
    bench.files.unmount();
    let gone = format!("x: {}", FileError::Gone);
    assert_eq!(bench.answer(id), Err(gone));
    // What the old mount had asked for is not believed by the new one.
    let region = bench.region;
    bench.files.mount(region, &mut bench.rig);
    bench.put("x", "new").unwrap();
    assert_eq!(bench.run("x", Act::Show).unwrap(), "new");
    assert_eq!(bench.files.view().answers_ignored, 0);
}

#[test]
fn a_disk_that_fails_when_it_is_looked_at_first_is_looked_at_again() {
    let mut bench = Bench::new(Kind::Fat16);
    bench.rig.bad_sectors = std::vec![super::bench::FIRST];
    let refusal = bench.run("x", Act::Show).unwrap_err();
    assert!(refusal.contains("the disk failed at sector"), "{refusal}");
    assert!(bench.put("x", "x").is_err());
    bench.settle();
    assert!(matches!(bench.files.view().state, FilesState::Failed(_)));
    bench.rig.bad_sectors.clear();
    bench.put("x", "well").unwrap();
    assert_eq!(bench.run("x", Act::Show).unwrap(), "well");
}
