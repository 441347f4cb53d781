//! The watchdog: a thread that names a control loop that hangs.
//!
//! It runs before every other thread. On a machine with one core it needs the
//! timer's interrupt; a loop that hangs there with interrupts off is not caught.

use super::control;
use super::notes::log;
use crate::arch::{clock, core_local};
use crate::base::log::Level;
use crate::base::time::Duration;
use crate::failure;
use crate::limits::STACK_BYTES;
use crate::sched::{self, PRIORITY_WATCHDOG, Spawn};

/// A tick has a budget of milliseconds; one that takes this long never ends.
const PATIENCE: Duration = Duration::from_secs(4);
const INTERVAL: Duration = Duration::from_secs(1);

pub fn start() {
    let last = core_local::online().map(|(index, _)| index).last();
    let started = sched::spawn(Spawn {
        name: "watchdog",
        priority: PRIORITY_WATCHDOG,
        pinned_to: last,
        entry: run,
        argument: 0,
        stack_bytes: STACK_BYTES,
    });
    if let Err(error) = started {
        log(Level::Error, format_args!("there is no watchdog: {error}"));
    }
}

fn run(_: usize) {
    loop {
        let now = clock::now();
        if let Some(ran) = control::tick_runs_for(now)
            && ran >= PATIENCE
            && let Some(thread) = control::thread()
        {
            failure::on_hang(thread, ran);
        }
        sched::sleep_until(now + INTERVAL);
    }
}
