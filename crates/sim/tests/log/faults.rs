//! Disks that lie: what was acknowledged and is gone is found and never papered over.

use crate::bench::{Bench, settings};
use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::Duration;
use rayos_kernel::storage::log::LogStateView;
use rayos_sim::{DiskFaults, SimDisk};

/// Lives with faults, rests until a seal is written, and opens what is there.
fn reopened(seed: u64, faults: DiskFaults) -> Bench {
    let mut prng = Prng::new(seed);
    let mut bench = Bench::fresh(SimDisk::new(0, settings(true), seed));
    bench.disk.0.set_faults(faults);
    bench.is_lying = true;
    for _ in 0..150 {
        bench.act(&mut prng);
        bench.step();
    }
    bench.disk.0.set_faults(DiskFaults::default());
    let end = bench.now + Duration::from_secs(1);
    while bench.now < end && bench.step() {}
    let disk = bench.disk.0.after_cut(seed);
    Bench::on(disk, bench.model)
}

/// Counts how often it was as if nothing had happened, and how often a loss was found.
fn judge(faults: &DiskFaults) -> (u32, u32) {
    let (mut whole, mut found) = (0, 0);
    for seed in 0..300 {
        let mut bench = reopened(seed, faults.clone());
        let model = bench.model.clone();
        match bench.recover() {
            Ok(()) => whole += 1,
            Err(why) => {
                let state = bench.log.view().state;
                assert!(
                    matches!(state, LogStateView::Damaged(_) | LogStateView::Failed(_)),
                    "seed {seed}: {why}, and it is {state:?}"
                );
                let invented = model.invented(&bench.recovered);
                assert!(!invented, "seed {seed}: what came out was never appended");
                found += 1;
            }
        }
    }
    (whole, found)
}

#[test]
fn a_write_that_was_lost_is_found() {
    let (whole, found) = judge(&DiskFaults {
        lost_one_in: 60,
        ..DiskFaults::default()
    });
    assert!(whole > 20 && found > 20, "{whole} whole, {found} found");
}

#[test]
fn a_write_that_went_elsewhere_is_found() {
    let (whole, found) = judge(&DiskFaults {
        misdirected_one_in: 60,
        ..DiskFaults::default()
    });
    assert!(whole > 20 && found > 20, "{whole} whole, {found} found");
}

#[test]
fn a_bit_that_rots_is_found() {
    let (whole, found) = judge(&DiskFaults {
        rotten_write_one_in: 60,
        ..DiskFaults::default()
    });
    assert!(whole > 20 && found > 20, "{whole} whole, {found} found");
}

#[test]
fn a_dying_disk_fails_its_log_and_what_was_acknowledged_is_still_there() {
    for seed in 0..50 {
        let mut prng = Prng::new(seed);
        let mut bench = Bench::fresh(SimDisk::new(0, settings(true), seed));
        bench.disk.0.set_faults(DiskFaults {
            dying_after: 200,
            ..DiskFaults::default()
        });
        for _ in 0..3_000 {
            if !bench.log.is_open() {
                break;
            }
            bench.act(&mut prng);
            bench.step();
        }
        assert_eq!(bench.log.view().state.name(), "failed", "seed {seed}");
        bench.disk.0.set_faults(DiskFaults::default());
        let disk = bench.disk.0.after_cut(seed);
        let mut bench = Bench::on(disk, bench.model);
        bench
            .recover()
            .unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}
