//! The thread table: one slot for each thread, kept for the kernel's life.
//!
//! A slot's `state` and `home` change only under the lock of the core that is its
//! home at that time (`threads.rs`).

use super::view::{ThreadView, ThreadsView};
use crate::arch::context::Context;
use crate::arch::core_local;
use crate::base::fixed::Text;
use crate::base::metric::Counter;
use crate::base::sync::IrqLock;
use crate::base::time::{Duration, Instant};
use crate::limits::{CORES_MAX, THREAD_NAME_MAX, THREADS_MAX};
use crate::memory::stacks::Stack;
use core::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed},
};

/// Names one thread; the slot of one that has ended gets another generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThreadId {
    pub(super) slot: usize,
    pub(super) generation: u64,
}

impl ThreadId {
    pub const fn slot(self) -> usize {
        self.slot
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum State {
    Free,
    /// Chosen for a new thread that is not ready to be woken.
    Claimed,
    Ready,
    Running,
    /// Until its deadline, or until it is woken.
    Sleeping,
    /// Until it is woken.
    Parked,
    /// Has returned; its slot and stack are for the next.
    Ended,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Free,
        Self::Claimed,
        Self::Ready,
        Self::Running,
        Self::Sleeping,
        Self::Parked,
        Self::Ended,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Claimed => "starting",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Sleeping => "sleeping",
            Self::Parked => "parked",
            Self::Ended => "ended",
        }
    }
}

/// What `spawn` writes once for each life of a slot.
pub(super) struct Label {
    pub name: Text<THREAD_NAME_MAX>,
    pub stack: Option<Stack>,
    pub entry: Option<fn(usize)>,
    pub argument: usize,
}

pub(super) struct Thread {
    pub context: Context,
    pub label: IrqLock<Label>,
    state: AtomicU8,
    pub generation: AtomicU64,
    pub priority: AtomicU8,
    pub is_pinned: AtomicBool,
    pub home: AtomicUsize,
    /// Woken while it was not waiting: the next wait ends at once.
    pub is_notified: AtomicBool,
    pub run_nanos: AtomicU64,
    pub switches: AtomicU64,
}

impl Thread {
    const fn new() -> Self {
        let label = Label {
            name: Text::new(),
            stack: None,
            entry: None,
            argument: 0,
        };
        Self {
            context: Context::new(),
            label: IrqLock::new(label),
            state: AtomicU8::new(State::Free as u8),
            generation: AtomicU64::new(0),
            priority: AtomicU8::new(0),
            is_pinned: AtomicBool::new(false),
            home: AtomicUsize::new(0),
            is_notified: AtomicBool::new(false),
            run_nanos: AtomicU64::new(0),
            switches: AtomicU64::new(0),
        }
    }

    pub fn state(&self) -> State {
        State::ALL[usize::from(self.state.load(Acquire))]
    }

    pub fn set_state(&self, state: State) {
        self.state
            .store(state as u8, core::sync::atomic::Ordering::Release);
    }
}

pub(super) static THREADS: [Thread; THREADS_MAX] = [const { Thread::new() }; THREADS_MAX];
/// The thread that runs on each core.
pub(super) static CURRENT: [AtomicUsize; CORES_MAX] = [const { AtomicUsize::new(0) }; CORES_MAX];
/// When it began to.
pub(super) static RUNS_SINCE: [AtomicU64; CORES_MAX] = [const { AtomicU64::new(0) }; CORES_MAX];
pub(super) static REFUSED: Counter = Counter::new();
static HIGH_WATER: AtomicUsize = AtomicUsize::new(0);

/// Held while a slot is chosen.
static CHOICE: IrqLock<()> = IrqLock::new(());

/// Claims a slot that is free, or whose thread has ended and left its stack.
pub(super) fn claim() -> Option<usize> {
    CHOICE.with(|()| {
        let is_usable = |thread: &Thread| match thread.state() {
            State::Free => true,
            State::Ended => thread.context.is_saved(),
            _ => false,
        };
        let Some(slot) = THREADS.iter().position(is_usable) else {
            REFUSED.increment();
            return None;
        };
        THREADS[slot].set_state(State::Claimed);
        THREADS[slot].generation.fetch_add(1, Relaxed);
        HIGH_WATER.fetch_max(used(), Relaxed);
        Some(slot)
    })
}

fn used() -> usize {
    let is_used = |thread: &&Thread| !matches!(thread.state(), State::Free | State::Ended);
    THREADS.iter().filter(is_used).count()
}

/// The calling thread.
pub fn current() -> ThreadId {
    x86_64::instructions::interrupts::without_interrupts(|| {
        let slot = CURRENT[core_local::index()].load(Relaxed);
        ThreadId {
            slot,
            generation: THREADS[slot].generation.load(Relaxed),
        }
    })
}

/// Fills in the threads as they are now.
pub fn view(view: &mut ThreadsView, now: Instant) {
    view.threads.clear();
    for (slot, thread) in THREADS.iter().enumerate() {
        let state = thread.state();
        if matches!(state, State::Free | State::Ended) {
            continue;
        }
        let home = thread.home.load(Relaxed);
        let mut nanos = thread.run_nanos.load(Relaxed);
        if state == State::Running && CURRENT[home].load(Relaxed) == slot {
            let since = Instant::from_nanos(RUNS_SINCE[home].load(Relaxed));
            nanos += now.since(since).as_nanos();
        }
        let (name, stack) = thread.label.with(|label| (label.name.clone(), label.stack));
        let row = ThreadView {
            id: slot as u64,
            name,
            state: state.name(),
            priority: thread.priority.load(Relaxed),
            core: home,
            is_pinned: thread.is_pinned.load(Relaxed),
            run_time: Duration::from_nanos(nanos),
            switches: thread.switches.load(Relaxed),
            stack_bytes: stack.map_or(0, |stack| stack.bytes()),
            stack_high_water_bytes: stack.map_or(0, |stack| stack.high_water_bytes()),
        };
        // The view has a place for each slot.
        let _ = view.threads.push(row);
    }
    view.refused = REFUSED.get();
    view.high_water = HIGH_WATER.load(Relaxed);
}

/// The running thread's name, for a report of a failure: waits for no lock.
pub fn current_name() -> Option<Text<THREAD_NAME_MAX>> {
    let slot = CURRENT[core_local::index()].load(Relaxed);
    THREADS[slot]
        .label
        .try_with(|label| label.name.clone())
        .filter(|name| !name.is_empty())
}

/// Where a thread is, for a report of a failure.
pub struct Whereabouts {
    pub core: usize,
    /// Its stack pointer, unless it runs.
    pub saved_stack: Option<u64>,
}

pub fn whereabouts(id: ThreadId) -> Whereabouts {
    let thread = &THREADS[id.slot];
    let is_saved = thread.context.is_saved();
    Whereabouts {
        core: thread.home.load(Relaxed),
        saved_stack: is_saved.then(|| thread.context.saved_stack_pointer()),
    }
}
