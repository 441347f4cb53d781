//! Power cuts: nothing that was acknowledged is lost, nothing is invented.

use crate::bench::{Bench, settings};
use rayos_kernel::base::prng::Prng;
use rayos_sim::SimDisk;

/// A long life; after each thing that the disk has carried out, what a cut there would
/// leave is recovered, used, cut again and recovered again.
fn cut_at_every_boundary(seed: u64, is_torn: bool) {
    let mut prng = Prng::new(seed);
    let mut bench = Bench::fresh(SimDisk::new(0, settings(is_torn), seed));
    let (mut boundary, mut cuts) = (0, 0);
    while boundary < 1_500 {
        if prng.one_in(2) {
            bench.act(&mut prng);
        }
        if !bench.step() {
            bench.act(&mut prng);
        }
        if bench.disk.0.boundaries() == boundary {
            continue;
        }
        boundary = bench.disk.0.boundaries();
        for chance in 0..2 {
            let place = format!("seed {seed}, boundary {boundary}, chance {chance}");
            let disk = bench.disk.0.after_cut(prng.next_u64());
            let mut cut = Bench::on(disk, bench.model.clone());
            cut.recover().unwrap_or_else(|why| panic!("{place}: {why}"));
            cuts += 1;
            live_on(cut, &mut prng).unwrap_or_else(|why| panic!("{place}, later: {why}"));
        }
    }
    assert!(cuts >= 2 * 1_000, "only {cuts} cuts");
    assert!(bench.reads > 20, "only {} reads", bench.reads);
}

/// A short life with another cut at its end, which may come while it still recovers.
fn live_on(mut bench: Bench, prng: &mut Prng) -> Result<(), String> {
    for _ in 0..prng.below(12) {
        bench.act(prng);
        bench.step();
    }
    let disk = bench.disk.0.after_cut(prng.next_u64());
    let mut again = Bench::on(disk, bench.model.clone());
    for _ in 0..prng.below(12) {
        // What a recovery that was cut off gave counts for nothing.
        again.step();
    }
    let disk = again.disk.0.after_cut(prng.next_u64());
    Bench::on(disk, bench.model).recover()
}

#[test]
fn a_cut_at_every_boundary_keeps_what_was_acknowledged_and_invents_nothing() {
    (0..2).for_each(|seed| cut_at_every_boundary(seed, false));
}

#[test]
fn the_same_with_torn_writes() {
    (10..12).for_each(|seed| cut_at_every_boundary(seed, true));
}

#[test]
fn a_disk_whose_power_goes_hundreds_of_times_keeps_its_log() {
    let mut prng = Prng::new(77);
    let mut bench = Bench::fresh(SimDisk::new(0, settings(true), 77));
    for cut in 0..400 {
        let boundaries = bench.disk.0.boundaries();
        bench.disk.0.cut_after(boundaries + prng.below(60));
        while !bench.disk.0.is_off() {
            // The power may have gone while the log still recovered.
            if bench.log.is_open() {
                bench
                    .judge()
                    .unwrap_or_else(|why| panic!("cut {cut}: {why}"));
                bench.act(&mut prng);
            }
            bench.step();
        }
        let model = bench.model.clone();
        let mut disk = std::mem::take(&mut bench.disk.0);
        disk.cut_power();
        bench = Bench::on(disk, model);
    }
    bench
        .recover()
        .unwrap_or_else(|why| panic!("at the end: {why}"));
}
