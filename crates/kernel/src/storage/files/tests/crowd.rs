//! Many at once, some of whom give up, on a disk that fails now and then.

use super::super::{Act, Wish};
use super::bench::{Bench, FIRST, noise};
use super::checker::check;
use crate::base::file_sink::FileSink;
use crate::base::operation::{OperationId, Performer};
use crate::base::prng::Prng;
use crate::base::report::Report;
use crate::storage::fat::Kind;
use std::format;
use std::vec::Vec;

fn wish(prng: &mut Prng) -> Wish {
    let number = prng.below(4);
    let path = match prng.below(4) {
        0 => "dir".into(),
        1 => format!("dir/a file with a long name {number}"),
        2 => format!("dir/F{number}"),
        _ => format!("another file with a long name {number}"),
    };
    let text = "text ".repeat(prng.below(200) as usize).into();
    let act = match prng.below(10) {
        0 | 1 => Act::Put { text },
        2..=4 => Act::Append { text },
        5 | 6 => Act::Remove,
        7 => Act::MakeDirectory,
        8 => Act::Measure,
        _ => Act::Receive,
    };
    Wish::new(&path, act).expect("it is a path")
}

fn go_on(bench: &mut Bench, prng: &mut Prng, open: &mut Vec<(OperationId, bool)>) {
    if open.len() < 4 && prng.one_in(3) {
        let wish = wish(prng);
        let is_received = wish.act == Act::Receive;
        let id = bench.open();
        if bench.files.start(id, wish).is_ok() {
            open.push((id, is_received));
        }
    }
    for _ in 0..prng.below(20) {
        bench.turn();
    }
    let piece = noise(9000);
    open.retain(|(id, is_received)| {
        if prng.one_in(20) {
            bench.files.forget(*id);
            return false;
        }
        if *is_received {
            bench.files.take(*id, &piece);
            if prng.one_in(5) {
                bench.files.end(*id);
            }
            return bench.files.outcome(*id).is_none();
        }
        !bench.files.maybe_answer(*id, &mut Report::new())
    });
}

fn run(kind: Kind, seed: u64, fails: bool) {
    let mut prng = Prng::new(seed);
    let mut bench = Bench::new(kind);
    bench.settle();
    let mut open = Vec::new();
    for _ in 0..300 {
        bench.rig.bad_sectors.clear();
        if fails && prng.one_in(10) {
            let first = FIRST + prng.below(300);
            bench.rig.bad_sectors = (first..first + prng.below(40)).collect();
        }
        go_on(&mut bench, &mut prng, &mut open);
    }
    bench.rig.bad_sectors.clear();
    for (id, _) in open {
        bench.files.forget(id);
    }
    bench.settle();
    assert!(bench.is_idle(), "{kind:?} {seed}");
    let contents = check(bench.volume()).unwrap_or_else(|error| panic!("{kind:?} {seed}: {error}"));
    if !fails {
        assert_eq!(
            (contents.lost, contents.trailing),
            (0, 0),
            "{kind:?} {seed}"
        );
    }
    let free = bench.free();
    let region = bench.region;
    bench.files.mount(region, &mut bench.rig);
    assert_eq!(bench.free(), free, "{kind:?} {seed}");
}

#[test]
fn a_crowd_leaves_whole_files_and_no_cluster_that_belongs_to_none() {
    for seed in 0..60 {
        for kind in [Kind::Fat12, Kind::Fat16, Kind::Fat32] {
            run(kind, seed, false);
        }
    }
}

#[test]
fn a_crowd_on_a_disk_that_fails_leaves_whole_files() {
    for seed in 0..60 {
        for kind in [Kind::Fat12, Kind::Fat16, Kind::Fat32] {
            run(kind, seed, true);
        }
    }
}
