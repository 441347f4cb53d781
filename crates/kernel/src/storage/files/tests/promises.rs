//! What people may rely on when they work with files.

use super::super::{Act, Wish};
use super::bench::{Bench, expect, noise};
use super::checker::check;
use crate::base::file_sink::FileSink;
use crate::storage::fat::Kind;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

const KINDS: [Kind; 3] = [Kind::Fat12, Kind::Fat16, Kind::Fat32];

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
fn a_directory_may_have_thousands_of_names_that_begin_alike() {
    const COUNT: usize = 1500;
    let mut bench = Bench::new(Kind::Fat32);
    bench.run("many", Act::MakeDirectory).unwrap();
    for count in 0..COUNT {
        bench
            .put(&format!("many/measurement {count}.csv"), "")
            .unwrap();
    }
    let contents = check(bench.volume()).unwrap();
    assert_eq!(contents.files.len(), COUNT + 1);
    let last = format!("many/MEASUREMENT {}.CSV", COUNT - 1);
    assert_eq!(bench.run(&last, Act::Show).unwrap(), "");
    let listed = bench.run("many", Act::List).unwrap();
    let shown = listed.lines().count() - 1;
    assert!(
        listed.ends_with(&format!(
            "{} more are not shown; the answer is full",
            COUNT - shown
        )),
        "{listed}"
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

#[test]
fn a_script_may_come_from_an_editor_of_windows() {
    let mut bench = Bench::new(Kind::Fat16);
    bench
        .put("dos.txt", "\u{feff}# one\r\n\r\necho two\r\n")
        .unwrap();
    let lines = bench.run("dos.txt", Act::Script).unwrap();
    assert_eq!(lines, "# one\n\necho two");
}

#[test]
fn letters_that_share_a_capital_with_others_are_told_apart_as_windows_does() {
    let mut bench = Bench::new(Kind::Fat16);
    for name in ["isi.txt", "ısı.txt", "İsi.txt", "Kelvin", "\u{212a}elvin"] {
        bench.put(name, name).unwrap();
    }
    bench.run("ısı.txt", Act::Remove).unwrap();
    assert_eq!(bench.run("ISI.TXT", Act::Show).unwrap(), "isi.txt");
    assert_eq!(bench.run("kelvin", Act::Show).unwrap(), "Kelvin");
    bench.put("ΛΌΓΟΣ", "x").unwrap();
    assert_eq!(bench.run("λόγος", Act::Show).unwrap(), "x");
}
