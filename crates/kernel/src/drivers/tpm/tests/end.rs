//! The last word to a TPM: heard, also behind another command, and bounded.

use super::crb_model::{self, CrbModel};
use super::tis_model::{self, TisModel};
use super::{Model, command};
use crate::base::time::{Duration, Instant};
use crate::base::tpm::TpmPort;
use crate::drivers::tpm::crb::Crb;
use crate::drivers::tpm::tis::Tis;
use crate::drivers::tpm::{PATIENCE, REGISTERS_ADDRESS, shut_down};
use std::boxed::Box;

const START: Instant = Instant::from_nanos(1_000_000_000);
const PAUSE: Duration = Duration::from_micros(100);

/// Whether it was heard, and how long that took.
fn end(port: &mut dyn TpmPort, model: &dyn Model) -> (bool, Duration) {
    let mut now = START;
    let mut later = || {
        now = now + PAUSE;
        model.set_now(now);
        now
    };
    let is_heard = shut_down(port, &mut later);
    (is_heard, now.since(START))
}

fn both(
    tis_lie: tis_model::Lie,
    crb_lie: crb_model::Lie,
) -> [(Box<dyn TpmPort>, Box<dyn Model>); 2] {
    let (tis, crb) = (TisModel::new(tis_lie, 1), CrbModel::new(crb_lie, 1));
    let (tis_port, crb_port) = (
        Tis::new(tis.clone()),
        Crb::new(crb.clone(), REGISTERS_ADDRESS),
    );
    [
        (Box::new(tis_port.unwrap()), Box::new(tis)),
        (Box::new(crb_port.unwrap()), Box::new(crb)),
    ]
}

#[test]
fn a_tpm_hears_that_its_power_goes_also_behind_another_command() {
    for is_busy in [false, true] {
        for (mut port, model) in both(tis_model::Lie::None, crb_model::Lie::None) {
            if is_busy {
                port.send(START, &command(200)).unwrap();
            }
            let (is_heard, took) = end(&mut *port, &*model);
            assert!(is_heard && took < PATIENCE, "{took}");
        }
    }
}

#[test]
fn a_tpm_that_says_nothing_is_not_waited_for_long() {
    let lies = (tis_model::Lie::NeverAnswers, crb_model::Lie::NeverAnswers);
    for is_busy in [false, true] {
        for (mut port, model) in both(lies.0, lies.1) {
            if is_busy {
                port.send(START, &command(200)).unwrap();
            }
            let (is_heard, took) = end(&mut *port, &*model);
            assert!(
                !is_heard && took.as_millis() <= PATIENCE.as_millis(),
                "{took}"
            );
        }
    }
    let lies = (tis_model::Lie::Vanishes(4), crb_model::Lie::Vanishes(4));
    for (mut port, model) in both(lies.0, lies.1) {
        assert!(!end(&mut *port, &*model).0);
    }
}
