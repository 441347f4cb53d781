//! What people may rely on when they work with files.

use super::super::{Act, FileError, FilesState, Unusable, Wish};
use super::bench::Bench;
use super::checker::check;
use crate::base::file_sink::FileSink;
use crate::base::prng::Prng;
use crate::base::time::Instant;
use crate::storage::fat::{FatError, Kind};
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

const KINDS: [Kind; 3] = [Kind::Fat12, Kind::Fat16, Kind::Fat32];

/// Everything is in order, and this is what is there.
fn expect(bench: &Bench, files: &[(&str, &[u8])]) {
    let contents = check(bench.volume()).expect("the volume keeps the rules");
    let found: Vec<_> = contents
        .files
        .iter()
        .map(|(path, bytes)| (&**path, &**bytes))
        .collect();
    assert_eq!(found, files);
    assert_eq!((contents.lost, contents.trailing), (0, 0));
    assert!(contents.are_tables_alike);
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    Prng::new(bytes as u64).fill(&mut noise);
    noise
}

#[test]
fn what_was_put_is_shown_and_listed() {
    for kind in KINDS {
        let mut bench = Bench::new(kind);
        assert_eq!(bench.run("", Act::List).unwrap(), "");
        assert_eq!(
            bench.put("NOTE.TXT", "hello\n").unwrap(),
            "6 bytes written to NOTE.TXT"
        );
        bench.put("a longer name.text", "two\nlines\n").unwrap();
        assert_eq!(bench.run("note.txt", Act::Show).unwrap(), "hello");
        assert_eq!(
            bench.run("/A Longer Name.TEXT", Act::Show).unwrap(),
            "two\nlines"
        );
        assert_eq!(
            bench.run("", Act::List).unwrap(),
            "NOTE.TXT 6 file 1980-01-01 00:00\na longer name.text 10 file 1980-01-01 00:00"
        );
        assert_eq!(
            bench.run("note.txt", Act::List).unwrap(),
            "NOTE.TXT 6 file 1980-01-01 00:00"
        );
        expect(
            &bench,
            &[
                ("NOTE.TXT", b"hello\n"),
                ("a longer name.text", b"two\nlines\n"),
            ],
        );
    }
}

#[test]
fn a_file_that_is_put_again_has_the_new_contents_and_gives_the_old_room_back() {
    for kind in KINDS {
        let mut bench = Bench::new(kind);
        bench.receive("big", &noise(50_000)).unwrap();
        let free = bench.free();
        bench.put("big", "small").unwrap();
        assert!(bench.free() > free + 40);
        expect(&bench, &[("big", b"small")]);
        bench.run("big", Act::Remove).unwrap();
        assert_eq!(
            bench.run("big", Act::Show),
            Err("big: there is no such file; see ls".into())
        );
        expect(&bench, &[]);
    }
}

#[test]
fn texts_are_appended_byte_for_byte() {
    for kind in KINDS {
        let mut bench = Bench::new(kind);
        let mut whole = String::new();
        for count in 0..90 {
            let text = format!("line {count} {}\n", "x".repeat(count));
            bench.append("log", &text).unwrap();
            whole.push_str(&text);
        }
        assert!(whole.len() > 4000);
        expect(&bench, &[("log", whole.as_bytes())]);
    }
}

#[test]
fn a_large_file_comes_in_piece_by_piece_and_is_the_same() {
    for kind in KINDS {
        let mut bench = Bench::new(kind);
        let large = noise(700_123);
        assert_eq!(bench.receive("large.bin", &large), Ok(700_123));
        let digest = crate::base::digest::sha256(&[&large]);
        let sum = format!("{} 700123", crate::base::digest::Hex(&digest));
        let said = bench.run("large.bin", Act::Sum).unwrap();
        assert_eq!(said.replace("\nsize_bytes", "").replace("sha256 ", ""), sum);
        expect(&bench, &[("large.bin", &large)]);
        assert_eq!(bench.receive("empty", &[]), Ok(0));
        expect(&bench, &[("empty", &[]), ("large.bin", &large)]);
    }
}

#[test]
fn directories_hold_more_than_fits_a_cluster() {
    for kind in KINDS {
        let mut bench = Bench::new(kind);
        bench.run("sub", Act::MakeDirectory).unwrap();
        bench.run("sub/Deeper one", Act::MakeDirectory).unwrap();
        let mut expected = vec![
            (String::from("sub/"), vec![]),
            ("sub/Deeper one/".into(), vec![]),
        ];
        for count in 0..70 {
            let path = format!("sub/Deeper one/a name that is long {count}.txt");
            let text = format!("{count}");
            bench.put(&path, &text).unwrap();
            expected.push((path, text.into_bytes()));
        }
        expected.sort();
        let expected: Vec<_> = expected
            .iter()
            .map(|(path, bytes)| (&**path, &**bytes))
            .collect();
        expect(&bench, &expected);
        assert_eq!(
            bench
                .run("sub/deeper one", Act::List)
                .unwrap()
                .lines()
                .count(),
            70
        );
        assert_eq!(
            bench.run("sub", Act::Remove),
            Err("sub: the directory is not empty; remove what is in it first".into())
        );
        for count in 0..70 {
            let path = format!("sub/Deeper one/a name that is long {count}.txt");
            bench.run(&path, Act::Remove).unwrap();
        }
        bench.run("sub/Deeper one", Act::Remove).unwrap();
        bench.run("sub", Act::Remove).unwrap();
        expect(&bench, &[]);
    }
}

#[test]
fn gaps_of_a_directory_are_used_again() {
    let mut bench = Bench::new(Kind::Fat12);
    for round in 0..200 {
        bench
            .put(&format!("a temporary file {round}"), "x")
            .unwrap();
        bench
            .run(&format!("A Temporary File {round}"), Act::Remove)
            .unwrap();
    }
    bench.put("last", "x").unwrap();
    expect(&bench, &[("last", b"x")]);
}

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
fn scattered(is_free: impl Fn(u32) -> bool) -> Bench {
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
    assert!(error.contains("mkdir"), "{error}");
    let contents = check(bench.volume()).unwrap();
    assert_eq!((contents.files.len(), contents.lost), (511, 0));
}

#[test]
fn names_that_begin_alike_get_short_names_of_their_own() {
    let mut bench = Bench::new(Kind::Fat32);
    for count in 0..60 {
        bench
            .put(&format!("measurement of day {count}.csv"), "x")
            .unwrap();
    }
    let contents = check(bench.volume()).unwrap();
    assert_eq!(contents.files.len(), 60);
    assert_eq!(
        bench
            .run("MEASUR~1.CSV", Act::List)
            .unwrap()
            .lines()
            .count(),
        1
    );
}

#[test]
fn a_name_may_have_letters_of_any_language() {
    let mut bench = Bench::new(Kind::Fat16);
    for name in ["Grüße an Ömer.txt", "日本語", "😀.md", "ÀÉ"] {
        bench.put(name, name).unwrap();
        assert_eq!(bench.run(name, Act::Show).unwrap(), name);
    }
    assert!(bench.run("grüsse", Act::Show).is_err());
    assert_eq!(
        bench.run("GRÜßE AN öMER.TXT", Act::Show).unwrap(),
        "Grüße an Ömer.txt"
    );
    assert_eq!(check(bench.volume()).unwrap().files.len(), 4);
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
fn works_go_on_side_by_side_and_one_too_many_is_refused() {
    let mut bench = Bench::new(Kind::Fat16);
    bench.receive("big", &noise(30_000)).unwrap();
    let mut ids = vec![];
    for path in ["one", "two", "three", "four"] {
        let id = bench.open();
        let text = path.into();
        let wish = Wish::new(path, Act::Put { text }).unwrap();
        bench.files.start(id, wish).unwrap();
        ids.push(id);
    }
    let id = bench.open();
    let wish = Wish::new("big", Act::Show).unwrap();
    assert_eq!(bench.files.start(id, wish), Err(super::super::Files::BUSY));
    for id in ids {
        bench.answer(id).unwrap();
    }
    let contents = check(bench.volume()).unwrap();
    assert_eq!(contents.files.len(), 5);
    assert_eq!(contents.files["two"], b"two");
    assert!(bench.is_idle());
}

#[test]
fn two_who_write_the_same_file_leave_one_of_both() {
    let mut bench = Bench::new(Kind::Fat12);
    let mut ids = vec![];
    for text in ["first", "second"] {
        let id = bench.open();
        let text = text.into();
        bench
            .files
            .start(id, Wish::new("same name", Act::Put { text }).unwrap())
            .unwrap();
        ids.push(id);
    }
    for id in ids {
        bench.answer(id).unwrap();
    }
    bench.settle();
    let contents = check(bench.volume()).unwrap();
    assert_eq!((contents.files.len(), contents.lost), (1, 0));
    let left = &*contents.files["same name"];
    assert!([&b"first"[..], b"second"].contains(&left));
}

#[test]
fn whoever_gives_up_leaves_no_clusters_behind() {
    let mut bench = Bench::new(Kind::Fat16);
    let free = bench.free();
    let id = bench.open();
    bench
        .files
        .start(id, Wish::new("half", Act::Receive).unwrap())
        .unwrap();
    let piece = noise(20_000);
    for _ in 0..200 {
        bench.files.take(id, &piece);
        bench.turn();
    }
    assert!(check(bench.volume()).unwrap().lost > 100);
    crate::base::operation::Performer::forget(&mut bench.files, id);
    bench.settle();
    assert_eq!(bench.free(), free);
    expect(&bench, &[]);
    assert!(bench.is_idle());
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
fn what_is_no_text_is_shown_as_bytes_and_long_texts_are_cut() {
    let mut bench = Bench::new(Kind::Fat16);
    bench.receive("binary", &noise(5000)).unwrap();
    let shown = bench.run("binary", Act::Show).unwrap();
    assert!(shown.starts_with("this is no text; the first 256 of its 5000 bytes:"));
    let long = "twenty bytes a line\n".repeat(2000);
    bench.receive("long", long.as_bytes()).unwrap();
    let shown = bench.run("long", Act::Show).unwrap();
    assert!(shown.ends_with("... the first 32768 of 40000 bytes are shown"));
    let refusal = bench.run("long", Act::Script).unwrap_err();
    assert_eq!(
        refusal,
        "long: this script has 40000 bytes; 32768 are the most"
    );
    assert!(bench.run("binary", Act::Script).is_err());
}
