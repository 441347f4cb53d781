//! Threads on cores: start, wait, wake, pre-empt.
//!
//! Each core has a run queue under a lock of its own. A thread has one home core;
//! its state changes under that core's lock only, so that a wake-up either finds
//! it waiting or leaves a note (`is_notified`) that its next wait reads: none is
//! lost. A waiting or ready thread may get another home, if it is not pinned and
//! the core it ran on has left its stack.

use super::policy::{FixedPriority, Policy, Runnable};
use super::table::{CURRENT, RUNS_SINCE, State, THREADS, Thread, ThreadId};
use crate::arch::{apic, clock, context, core_local};
use crate::base::fixed::Vec;
use crate::base::sync::IrqLock;
use crate::base::time::{Duration, Instant};
use crate::base::trace::{Kind, Trace};
use crate::limits::{CORES_MAX, THREADS_MAX};
use core::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use x86_64::instructions::interrupts;

pub const PRIORITY_IDLE: u8 = 0;
pub const PRIORITY_LOW: u8 = 8;
pub const PRIORITY_NORMAL: u8 = 16;
pub const PRIORITY_HIGH: u8 = 24;
pub const PRIORITY_WATCHDOG: u8 = 31;

/// One core's own side of scheduling.
pub(super) struct Queue {
    policy: FixedPriority,
    /// Sorted by deadline: the earliest stands last.
    sleepers: Vec<(Instant, usize), THREADS_MAX>,
}

pub(super) struct Core {
    pub(super) queue: IrqLock<Queue>,
    /// The slot of its idle thread plus 1; 0 before it has one.
    idle: AtomicUsize,
    switches: AtomicU64,
    idle_nanos: AtomicU64,
    busy_nanos: AtomicU64,
    ready: AtomicUsize,
}

impl Core {
    /// The slot of its idle thread.
    fn idle(&self) -> Option<usize> {
        self.idle.load(Relaxed).checked_sub(1)
    }

    pub(super) fn set_idle(&self, slot: usize) {
        self.idle.store(slot + 1, Release);
    }
}

pub(super) static CORES: [Core; CORES_MAX] = [const {
    Core {
        queue: IrqLock::new(Queue {
            policy: FixedPriority::new(),
            sleepers: Vec::new(),
        }),
        idle: AtomicUsize::new(0),
        switches: AtomicU64::new(0),
        idle_nanos: AtomicU64::new(0),
        busy_nanos: AtomicU64::new(0),
        ready: AtomicUsize::new(0),
    }
}; CORES_MAX];

static TRACE: spin::Once<&'static Trace> = spin::Once::new();

/// Switches and wake-ups are written there from now on.
pub fn set_trace(trace: &'static Trace) {
    TRACE.call_once(|| trace);
}

fn trace(kind: Kind, first: usize, second: usize) {
    if let Some(trace) = TRACE.get() {
        trace.push(
            clock::now(),
            core_local::index() as u8,
            kind,
            first as u64,
            second as u64,
        );
    }
}

fn runnable(slot: usize) -> Runnable {
    let thread = &THREADS[slot];
    Runnable {
        slot,
        priority: thread.priority.load(Relaxed),
        is_pinned: thread.is_pinned.load(Relaxed),
    }
}

/// The idle thread's life: take work from busy cores, else halt.
pub fn idle() -> ! {
    loop {
        interrupts::disable();
        let has_work = CORES[core_local::index()]
            .queue
            .with(|queue| queue.policy.ready() > 0);
        if has_work || maybe_steal() {
            reschedule();
            interrupts::enable();
        } else {
            interrupts::enable_and_hlt();
        }
    }
}

/// Takes a ready thread from a core that has more than it can run.
fn maybe_steal() -> bool {
    let thief = core_local::index();
    for (victim, _) in core_local::online().filter(|(index, _)| *index != thief) {
        if CORES[victim].ready.load(Relaxed) == 0 {
            continue;
        }
        let taken = CORES[victim].queue.with(|queue| {
            let taken = queue
                .policy
                .give_away(|thread| THREADS[thread.slot].context.is_saved())?;
            THREADS[taken.slot].home.store(thief, Release);
            CORES[victim].ready.store(queue.policy.ready(), Relaxed);
            Some(taken)
        });
        if let Some(thread) = taken {
            add_ready(thief, thread.slot);
            return true;
        }
    }
    false
}

fn add_ready(core: usize, slot: usize) {
    CORES[core].queue.with(|queue| enqueue(core, queue, slot));
}

fn enqueue(core: usize, queue: &mut Queue, slot: usize) {
    let is_added = queue.policy.add(runnable(slot), clock::now());
    crate::invariant!(is_added, "a run queue is smaller than the thread table");
    CORES[core].ready.store(queue.policy.ready(), Relaxed);
}

/// Waits until someone calls `unpark`, which may have happened already.
pub fn park() {
    wait(None);
}

/// As `park`, but no longer than until `deadline`.
pub fn park_until(deadline: Instant) {
    wait(Some(deadline));
}

/// Waits until `deadline`; wake-ups that come meanwhile are kept for later.
pub fn sleep_until(deadline: Instant) {
    let thread = &THREADS[current_slot()];
    let mut was_notified = false;
    while clock::now() < deadline {
        park_until(deadline);
        was_notified |= clock::now() < deadline;
    }
    if was_notified {
        thread.is_notified.store(true, Release);
    }
}

/// Lets equals run first.
pub fn yield_now() {
    interrupts::without_interrupts(|| {
        let core = core_local::index();
        let slot = CURRENT[core].load(Relaxed);
        CORES[core].queue.with(|queue| {
            THREADS[slot].set_state(State::Ready);
            enqueue(core, queue, slot);
        });
        reschedule();
    });
}

fn current_slot() -> usize {
    interrupts::without_interrupts(|| CURRENT[core_local::index()].load(Relaxed))
}

fn wait(deadline: Option<Instant>) {
    interrupts::without_interrupts(|| {
        let state = if deadline.is_some() {
            State::Sleeping
        } else {
            State::Parked
        };
        leave(state, deadline);
    });
}

/// Stops running the calling thread, unless a wake-up has come before.
pub(super) fn leave(state: State, deadline: Option<Instant>) {
    let core = core_local::index();
    let slot = CURRENT[core].load(Relaxed);
    let thread = &THREADS[slot];
    let has_left = CORES[core].queue.with(|queue| {
        let is_due = deadline.is_some_and(|deadline| deadline <= clock::now());
        if state != State::Ended && (thread.is_notified.swap(false, AcqRel) || is_due) {
            return false;
        }
        if let Some(deadline) = deadline {
            let place = queue
                .sleepers
                .partition_point(|(other, _)| *other > deadline);
            let is_added = queue.sleepers.insert(place, (deadline, slot)).is_ok();
            crate::invariant!(is_added, "more sleepers than threads");
        }
        thread.set_state(state);
        true
    });
    if has_left {
        reschedule();
    }
}

/// What a wake-up has come to.
enum Woken {
    /// It was not waiting; it has its note, or it has ended.
    NotWaiting,
    /// It stands in its home core's queue.
    Queued,
    /// It is ready and belongs to this other core, whose queue it is not in yet.
    Moved(usize),
}

/// Ends a thread's wait, on whatever core it waits; never lost.
pub fn unpark(id: ThreadId) {
    let thread = &THREADS[id.slot];
    interrupts::without_interrupts(|| {
        loop {
            let home = thread.home.load(Acquire);
            let woken = CORES[home].queue.with(|queue| {
                let is_here = thread.home.load(Acquire) == home;
                is_here.then(|| wake_at_home(queue, id, home))
            });
            match woken {
                // It has got another home in between.
                None => continue,
                Some(Woken::NotWaiting) => return,
                Some(Woken::Queued) => return announce(home, id.slot),
                Some(Woken::Moved(other)) => {
                    add_ready(other, id.slot);
                    return announce(other, id.slot);
                }
            }
        }
    });
}

/// Runs under the lock of `home`.
fn wake_at_home(queue: &mut Queue, id: ThreadId, home: usize) -> Woken {
    let thread = &THREADS[id.slot];
    if thread.generation.load(Relaxed) != id.generation {
        return Woken::NotWaiting;
    }
    match thread.state() {
        State::Parked => {}
        State::Sleeping => {
            if let Some(index) = queue.sleepers.iter().position(|(_, slot)| *slot == id.slot) {
                queue.sleepers.remove(index);
            }
        }
        State::Ready | State::Running => {
            thread.is_notified.store(true, Release);
            return Woken::NotWaiting;
        }
        State::Free | State::Claimed | State::Ended => return Woken::NotWaiting,
    }
    thread.set_state(State::Ready);
    match idle_core_for(thread, home) {
        Some(other) => {
            thread.home.store(other, Release);
            Woken::Moved(other)
        }
        None => {
            enqueue(home, queue, id.slot);
            Woken::Queued
        }
    }
}

/// An idle core that may run the thread while its home is busy.
fn idle_core_for(thread: &Thread, home: usize) -> Option<usize> {
    let may_move = !thread.is_pinned.load(Relaxed) && thread.context.is_saved();
    if !may_move || is_idle(home) {
        return None;
    }
    core_local::online()
        .map(|(index, _)| index)
        .find(|&index| index != home && is_idle(index))
}

fn is_idle(core: usize) -> bool {
    CORES[core].idle() == Some(CURRENT[core].load(Relaxed)) && CORES[core].ready.load(Relaxed) == 0
}

/// Sees to it that `core` notices a thread that has become ready for it.
fn announce(core: usize, slot: usize) {
    trace(Kind::Wake, slot, core);
    if core != core_local::index() {
        if let Some(cells) = core_local::of(core) {
            apic::send_reschedule(cells.apic_id.load(Relaxed));
        }
    } else if core_local::current().interrupt_depth.load(Relaxed) == 0 {
        reschedule();
    }
}

/// Runs with interrupts off, after an interrupt or when the running thread has
/// left: goes on with whoever is to run now.
pub fn reschedule() {
    let core = core_local::index();
    let Some(idle) = CORES[core].idle() else {
        return;
    };
    let now = clock::now();
    let from = CURRENT[core].load(Relaxed);
    let to = CORES[core]
        .queue
        .with(|queue| choose(queue, core, (from, idle), now));
    if to == from {
        return;
    }
    let since = Instant::from_nanos(RUNS_SINCE[core].swap(now.as_nanos(), Relaxed));
    account(core, from, now.since(since));
    THREADS[to].switches.fetch_add(1, Relaxed);
    CORES[core].switches.fetch_add(1, Relaxed);
    trace(
        Kind::Switch,
        to,
        usize::from(THREADS[to].priority.load(Relaxed)),
    );
    context::switch(&THREADS[from].context, &THREADS[to].context);
}

/// Under the core's lock: wakes the sleepers that are due, says who runs now and
/// sets the timer for the next look.
fn choose(queue: &mut Queue, core: usize, (from, idle): (usize, usize), now: Instant) -> usize {
    while let Some((_, slot)) = queue
        .sleepers
        .last()
        .copied()
        .filter(|(due, _)| *due <= now)
    {
        queue.sleepers.pop();
        THREADS[slot].set_state(State::Ready);
        enqueue(core, queue, slot);
    }
    let ran = now.since(Instant::from_nanos(RUNS_SINCE[core].load(Relaxed)));
    let is_running = THREADS[from].state() == State::Running;
    let stays = is_running && !queue.policy.preempts(&runnable(from), ran);
    let to = if stays {
        from
    } else {
        if is_running {
            THREADS[from].set_state(State::Ready);
            if from != idle {
                enqueue(core, queue, from);
            }
        }
        let next = queue.policy.pick(now).map_or(idle, |thread| thread.slot);
        CORES[core].ready.store(queue.policy.ready(), Relaxed);
        THREADS[next].set_state(State::Running);
        CURRENT[core].store(next, Relaxed);
        next
    };
    let slice = queue.policy.slice(&runnable(to)).map(|slice| now + slice);
    let wake = queue.sleepers.last().map(|(due, _)| *due);
    apic::arm_timer(now, [slice, wake].into_iter().flatten().min());
    to
}

fn account(core: usize, slot: usize, ran: Duration) {
    THREADS[slot].run_nanos.fetch_add(ran.as_nanos(), Relaxed);
    let sum = match CORES[core].idle() == Some(slot) {
        true => &CORES[core].idle_nanos,
        false => &CORES[core].busy_nanos,
    };
    sum.fetch_add(ran.as_nanos(), Relaxed);
}

/// What one core's scheduling has come to so far.
pub struct CoreUse {
    pub busy: Duration,
    pub idle: Duration,
    pub switches: u64,
    pub ready: usize,
}

pub fn core_use(core: usize, now: Instant) -> CoreUse {
    let cells = &CORES[core];
    let mut busy = cells.busy_nanos.load(Relaxed);
    let mut idle = cells.idle_nanos.load(Relaxed);
    let running_for = now
        .since(Instant::from_nanos(RUNS_SINCE[core].load(Relaxed)))
        .as_nanos();
    match is_idle(core) {
        true => idle += running_for,
        false => busy += running_for,
    }
    CoreUse {
        busy: Duration::from_nanos(busy),
        idle: Duration::from_nanos(idle),
        switches: cells.switches.load(Relaxed),
        ready: cells.ready.load(Relaxed),
    }
}
