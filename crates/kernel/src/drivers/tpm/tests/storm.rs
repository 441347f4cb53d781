//! Registers that give anything: every command ends, and soon.

use super::crb_model::{self, CrbModel};
use super::tis_model::{self, TisModel};
use super::{command, run};
use crate::base::prng::Prng;
use crate::base::time::{Duration, Instant};
use crate::drivers::tpm::REGISTERS_ADDRESS;
use crate::drivers::tpm::crb::Crb;
use crate::drivers::tpm::exchange::FAULTS_IN_A_ROW_MAX;
use crate::drivers::tpm::tis::Tis;

const SEEDS: u64 = 10_000;
const PATIENCE: Duration = Duration::from_millis(10_000);
/// From a lie in every other read to one in some hundred.
const RATES: [u64; 6] = [2, 3, 8, 30, 100, 400];

fn storm(mut one: impl FnMut(u64, u64, Instant, &[u8]) -> (Duration, bool)) {
    let mut good = 0;
    for seed in 0..SEEDS {
        let mut prng = Prng::new(seed);
        let rate = RATES[prng.below(RATES.len() as u64) as usize];
        let command = command(10 + prng.below(300) as usize);
        let (took, is_good) = one(seed, rate, Instant::from_nanos(seed), &command);
        assert!(took <= PATIENCE, "seed {seed}");
        good += u64::from(is_good);
    }
    // Some must get through, or nothing behind the first register was tried.
    assert!(good > SEEDS / 20, "{good}");
}

#[test]
fn a_fifo_that_gives_anything_ends_every_command() {
    storm(|seed, rate, now, command| {
        let model = TisModel::new(tis_model::Lie::None, seed);
        let mut port = Tis::new(model.clone()).unwrap();
        model.set_lie(tis_model::Lie::Random(rate));
        let run = run(&mut port, &model, now, command);
        (run.took, run.result.is_ok())
    });
}

#[test]
fn a_buffer_that_gives_anything_ends_every_command() {
    storm(|seed, rate, now, command| {
        let model = CrbModel::new(crb_model::Lie::None, seed);
        let mut port = Crb::new(model.clone(), REGISTERS_ADDRESS).unwrap();
        model.set_lie(crb_model::Lie::Random(rate));
        let run = run(&mut port, &model, now, command);
        (run.took, run.result.is_ok())
    });
}

#[test]
fn after_a_storm_an_honest_device_is_used_again() {
    for seed in 0..200 {
        let model = TisModel::new(tis_model::Lie::None, seed);
        let mut port = Tis::new(model.clone()).unwrap();
        let command = command(40);
        for _ in 0..FAULTS_IN_A_ROW_MAX - 1 {
            model.set_lie(tis_model::Lie::Random(3));
            run(&mut port, &model, Instant::ZERO, &command);
        }
        model.set_lie(tis_model::Lie::None);
        let honest = run(&mut port, &model, Instant::ZERO + PATIENCE, &command);
        assert!(honest.result.is_ok(), "seed {seed}: {:?}", honest.result);
    }
}
