//! Several commands on one volume at the same time, and a disk that goes.

use super::super::{Act, FileError, FilesState, Wish};
use super::bench::{Bench, FIRST, noise};
use super::checker::check;
use super::refusals::scattered;
use crate::base::file_sink::FileSink;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::base::time::Instant;
use crate::limits::FILE_WORK_BYTES;
use crate::storage::fat::Kind;
use crate::storage::io::{IoDone, IoError};
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

fn start(bench: &mut Bench, path: &str, act: Act) -> OperationId {
    let id = bench.open();
    let wish = Wish::new(path, act).unwrap();
    bench.files.start(id, wish).unwrap();
    id
}

/// What becomes of a file whose contents have come.
fn until_over(bench: &mut Bench, id: OperationId) -> Result<u64, String> {
    for _ in 0..10_000 {
        bench.turn();
        if let Some(outcome) = bench.files.outcome(id) {
            bench.settle();
            return outcome.map_err(|error| error.as_str().into());
        }
    }
    panic!("it is never over");
}

/// The disk answers until a change has come to nothing; then it is well again.
fn fail(bench: &mut Bench) {
    while bench.files.view().failures == 0 {
        let done = bench.rig.answer().expect("a change is on its way");
        bench.files.on_done(Instant::ZERO, done);
        bench.files.step(Instant::ZERO, &mut bench.rig);
    }
    bench.rig.bad_sectors.clear();
}

#[test]
fn a_change_that_fails_half_way_takes_nothing_from_others() {
    // The last two stand in sectors of the table that are written one by one.
    let mut bench = scattered(|cluster| (300..=364).contains(&cluster) || cluster == 1200);
    let other = noise(FILE_WORK_BYTES);
    let others = start(&mut bench, "other", Act::Receive);
    assert_eq!(bench.files.take(others, &other), FILE_WORK_BYTES);
    bench.settle();
    let failing = start(
        &mut bench,
        "failing",
        Act::Put {
            text: "x".repeat(1024).into(),
        },
    );
    let is_table = |bench: &Bench| {
        let mut waiting = bench.rig.waiting.iter();
        waiting.any(|request| request.sector == FIRST + 5 && request.data.is_some())
    };
    while !is_table(&bench) {
        bench.turn();
    }
    bench.rig.bad_sectors = vec![FIRST + 5];
    // The other one goes on as soon as it may, and gets a cluster that is free on the disk.
    assert_eq!(bench.files.take(others, b"more"), 4);
    bench.files.end(others);
    fail(&mut bench);
    assert!(bench.answer(failing).is_err());
    let outcome = until_over(&mut bench, others);
    assert_eq!(outcome, Ok(other.len() as u64 + 4));
    let contents = check(bench.volume()).expect("no cluster of a file is free");
    assert_eq!(contents.files["other"], [&other[..], b"more"].concat());
}

#[test]
fn what_was_taken_before_a_failure_is_given_back() {
    let mut bench = Bench::new(Kind::Fat16);
    let free = bench.free();
    let id = start(&mut bench, "large", Act::Receive);
    for _ in 0..3 {
        assert_eq!(
            bench.files.take(id, &noise(FILE_WORK_BYTES)),
            FILE_WORK_BYTES
        );
        bench.settle();
    }
    assert_eq!(
        bench.files.take(id, &noise(FILE_WORK_BYTES)),
        FILE_WORK_BYTES
    );
    bench.files.step(Instant::ZERO, &mut bench.rig);
    bench.rig.bad_sectors = (FIRST..FIRST + 6000).collect();
    fail(&mut bench);
    assert!(until_over(&mut bench, id).is_err());
    assert_eq!(bench.free(), free);
    assert_eq!(check(bench.volume()).unwrap().lost, 0);
}

#[test]
fn a_large_file_is_read_to_its_end_though_others_write_all_the_time() {
    let mut bench = Bench::new(Kind::Fat16);
    let large = noise(300_000);
    bench.receive("large", &large).unwrap();
    bench.put("log", "").unwrap();
    let quiet = steps(&mut bench, false);
    let busy = steps(&mut bench, true);
    assert!(busy < 20 * quiet, "{busy} steps, {quiet} without others");
}

/// Sums up the large file; how many steps that takes.
fn steps(bench: &mut Bench, is_busy: bool) -> usize {
    let id = start(bench, "large", Act::Sum);
    let mut other = None;
    let mut report = Report::new();
    for step in 0..100_000 {
        if is_busy && other.is_none() {
            let text = "x".into();
            other = Some(start(bench, "log", Act::Put { text }));
        }
        bench.turn();
        if let Some(writing) = other
            && bench.files.maybe_answer(writing, &mut Report::new())
        {
            other = None;
        }
        if bench.files.maybe_answer(id, &mut report) {
            let digest = crate::base::digest::sha256(&[&noise(300_000)]);
            let digest = format!("{}", crate::base::digest::Hex(&digest));
            assert!(super::bench::text(&report).contains(&digest));
            if let Some(writing) = other {
                bench.answer(writing).unwrap();
            }
            return step;
        }
    }
    panic!("it is never read to its end");
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_is_shown_as_one_of_both() {
    for turns in 0..60 {
        let mut bench = Bench::new(Kind::Fat12);
        let (old, new) = ("an old line\n".repeat(1000), "a new one\n".repeat(1000));
        bench.receive("file", old.as_bytes()).unwrap();
        let id = start(&mut bench, "file", Act::Show);
        (0..turns).for_each(|_| bench.turn());
        let other = start(&mut bench, "file", Act::Receive);
        bench.files.take(other, new.as_bytes());
        bench.files.end(other);
        let shown = bench.answer(id).unwrap();
        assert!(
            [old.trim_end(), new.trim_end()].contains(&&*shown),
            "after {turns} turns"
        );
        until_over(&mut bench, other).unwrap();
    }
}

#[test]
fn two_who_append_to_a_file_that_is_not_there_yet_are_both_in_it() {
    for (one, other) in [("one\n", "other\n"), ("", "other\n"), ("one\n", "")] {
        for turns in 0..20 {
            let mut bench = Bench::new(Kind::Fat16);
            let free = bench.free();
            let append = |text: &str| Act::Append { text: text.into() };
            let first = start(&mut bench, "new log", append(one));
            (0..turns).for_each(|_| bench.turn());
            let second = start(&mut bench, "new log", append(other));
            bench.answer(first).unwrap();
            bench.answer(second).unwrap();
            bench.settle();
            let contents = check(bench.volume()).expect("the volume keeps the rules");
            let has = |text: &str| contents.files["new log"].starts_with(text.as_bytes());
            assert!(has(&[one, other].concat()) || has(&[other, one].concat()));
            assert_eq!(contents.files["new log"].len(), one.len() + other.len());
            assert_eq!((contents.lost, contents.trailing), (0, 0));
            assert_eq!(bench.free(), free - 1);
        }
    }
}

#[test]
fn a_count_into_which_others_write_is_not_kept() {
    for turns in 0..40 {
        let mut bench = Bench::new(Kind::Fat16);
        let id = start(&mut bench, "", Act::Measure);
        (0..turns).for_each(|_| bench.turn());
        bench.put("file", "x").unwrap();
        bench.answer(id).unwrap();
        let counted = bench.free();
        let region = bench.region;
        bench.files.mount(region, &mut bench.rig);
        assert_eq!(counted, bench.free(), "after {turns} turns");
    }
}

fn acts() -> Vec<(&'static str, Act)> {
    let text = || String::from("text").into_boxed_str();
    vec![
        ("", Act::List),
        ("", Act::Measure),
        ("file", Act::Show),
        ("file", Act::Sum),
        ("file", Act::Script),
        ("new", Act::Put { text: text() }),
        ("file", Act::Put { text: text() }),
        ("file", Act::Append { text: text() }),
        ("file", Act::Remove),
        ("a directory", Act::MakeDirectory),
        ("received", Act::Receive),
    ]
}

/// The disk goes, with everything that it was asked for; before or after the kernel has
/// heard of that.
fn unplug(bench: &mut Bench, is_known_first: bool) {
    if is_known_first {
        bench.files.unmount();
    }
    while let Some(request) = bench.rig.waiting.pop_front() {
        let result = Err(IoError::NoDisk);
        bench
            .files
            .on_done(Instant::ZERO, IoDone { request, result });
    }
    bench.files.unmount();
}

#[test]
fn a_disk_that_goes_in_the_middle_of_anything_leaves_nothing_in_use_and_works_again() {
    for (path, act) in acts() {
        for turns in 0..30 {
            let mut bench = Bench::new(Kind::Fat16);
            bench
                .receive("file", "echo\n".repeat(600).as_bytes())
                .unwrap();
            let id = start(&mut bench, path, act.clone());
            bench.files.take(id, &noise(FILE_WORK_BYTES));
            bench.files.end(id);
            (0..turns).for_each(|_| bench.turn());
            unplug(&mut bench, turns % 2 == 0);
            let said = format!("{act:?} after {turns} turns");
            match act {
                Act::Receive => assert!(bench.files.outcome(id).is_some(), "{said}"),
                _ => {
                    let answer = bench.answer(id);
                    let gone = format!("{}", FileError::Gone);
                    let is_gone = |error: String| error.ends_with(&gone) || error.contains("gone");
                    assert!(answer.is_ok() || answer.is_err_and(is_gone), "{said}");
                }
            }
            assert_eq!(bench.files.view().state, FilesState::NoDisk);
            let mut in_use = vec![];
            bench.files.visit_usages(&mut |usage| {
                if usage.used > Some(0) {
                    in_use.push(usage.name);
                }
            });
            assert_eq!(in_use, Vec::<&str>::new(), "{said}");
            let region = bench.region;
            bench.files.mount(region, &mut bench.rig);
            bench.put("after", "well").unwrap();
            assert_eq!(bench.run("after", Act::Show).unwrap(), "well");
            assert!(check(bench.volume()).is_ok(), "{said}");
        }
    }
}
