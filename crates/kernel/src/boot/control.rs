//! The control loop: the thread that owns the kernel and runs its ticks.

use super::machine::Metal;
use super::notes::LOG;
use super::screen;
use crate::arch::clock;
use crate::base::late::Late;
use crate::base::log::Level;
use crate::base::time::{Duration, Instant};
use crate::kernel::{Kernel, Machine};
use crate::limits::CONTROL_STACK_BYTES;
use crate::sched::{self, PRIORITY_NORMAL, Spawn, ThreadId};
use core::sync::atomic::{AtomicU64, Ordering::*};
use spin::{Mutex, Once};

static THREAD: Once<ThreadId> = Once::new();
static START: Mutex<Late<Metal>> = Mutex::new(Late::new());
/// When the running tick began, in nanoseconds; 0 between ticks.
static TICK_SINCE: AtomicU64 = AtomicU64::new(0);

pub fn start(metal: Metal) {
    START.lock().set(metal);
    let thread = sched::spawn(Spawn {
        name: "control",
        priority: PRIORITY_NORMAL,
        pinned_to: Some(0),
        entry: run,
        argument: 0,
        stack_bytes: CONTROL_STACK_BYTES,
    });
    if let Err(error) = thread {
        panic!("the control loop cannot start: {error}");
    }
}

fn run(_: usize) {
    let Some(metal) = START.lock().take() else {
        return LOG.write(
            clock::now(),
            Level::Error,
            "boot",
            format_args!("no machine to run on"),
        );
    };
    // Before the first tick: what comes after it must find whom to wake.
    THREAD.call_once(sched::current);
    let mut kernel = Kernel::new(metal);
    loop {
        TICK_SINCE.store(clock::now().as_nanos().max(1), Release);
        let next = kernel.tick();
        let has_more = screen::exchange() | kernel.machine_mut().draw();
        // What was drawn may have to be shown at a time of its own.
        let drawn = kernel.machine().next_device_deadline(clock::now());
        let next = next.into_iter().chain(drawn).min();
        TICK_SINCE.store(0, Release);
        match next {
            _ if has_more => sched::yield_now(),
            Some(deadline) => sched::park_until(deadline),
            None => sched::park(),
        }
    }
}

/// Lets the loop run a tick soon: something has come.
pub fn wake() {
    if let Some(thread) = THREAD.get() {
        sched::unpark(*thread);
    }
}

pub fn thread() -> Option<ThreadId> {
    THREAD.get().copied()
}

/// How long the running tick has run.
pub fn tick_runs_for(now: Instant) -> Option<Duration> {
    let since = TICK_SINCE.load(Acquire);
    (since != 0).then(|| now.since(Instant::from_nanos(since)))
}
