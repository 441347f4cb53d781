//! How threads begin and end.

use super::table::{CURRENT, RUNS_SINCE, State, THREADS, ThreadId, claim};
use super::threads::{CORES, PRIORITY_IDLE, leave, unpark};
use crate::arch::{clock, core_local};
use crate::base::fixed::Text;
use crate::memory::stacks::Stack;
use crate::memory::{self, MemoryError};
use core::fmt;
use core::sync::atomic::Ordering::{Relaxed, Release};
use x86_64::instructions::interrupts;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpawnError {
    TableFull,
    Memory(MemoryError),
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TableFull => f.write_str("the thread table is full; see limits"),
            Self::Memory(error) => write!(f, "a thread needs a stack: {error}"),
        }
    }
}

/// What a new thread is.
pub struct Spawn<'a> {
    pub name: &'a str,
    pub priority: u8,
    /// The core it must stay on.
    pub pinned_to: Option<usize>,
    pub entry: fn(usize),
    pub argument: usize,
    /// `STACK_BYTES`, unless it is known to need more.
    pub stack_bytes: usize,
}

/// Starts a thread; it ends when `entry` returns.
pub fn spawn(wanted: Spawn<'_>) -> Result<ThreadId, SpawnError> {
    let slot = claim().ok_or(SpawnError::TableFull)?;
    let thread = &THREADS[slot];
    let old_stack = thread.label.with(|label| label.stack);
    let stack = match old_stack {
        // Only the control loop asks for more, once, before any thread has ended.
        Some(stack) if stack.bytes() >= wanted.stack_bytes as u64 => {
            memory::rename_stack(stack, wanted.name);
            stack
        }
        _ => memory::allocate_stack(wanted.name, wanted.stack_bytes as u64).map_err(|error| {
            thread.set_state(State::Free);
            SpawnError::Memory(error)
        })?,
    };
    thread.label.with(|label| {
        label.name = Text::cut_from(wanted.name);
        label.stack = Some(stack);
        label.entry = Some(wanted.entry);
        label.argument = wanted.argument;
    });
    thread.priority.store(wanted.priority, Relaxed);
    thread.is_pinned.store(wanted.pinned_to.is_some(), Relaxed);
    thread.is_notified.store(false, Relaxed);
    thread.run_nanos.store(0, Relaxed);
    thread.switches.store(0, Relaxed);
    thread.context.prepare(stack.top(), run, slot);
    let home = wanted.pinned_to.unwrap_or_else(core_local::index);
    thread.home.store(home, Release);
    // Under the lock, so that a late wake-up of the slot's former thread is told
    // apart by its generation.
    CORES[home].queue.with(|_| thread.set_state(State::Parked));
    let id = ThreadId {
        slot,
        generation: thread.generation.load(Relaxed),
    };
    unpark(id);
    Ok(id)
}

/// Where every spawned thread begins and ends.
extern "C" fn run(slot: usize) -> ! {
    let (entry, argument) = THREADS[slot]
        .label
        .with(|label| (label.entry, label.argument));
    if let Some(entry) = entry {
        entry(argument);
    }
    interrupts::disable();
    loop {
        leave(State::Ended, None);
    }
}

/// Makes the code that runs now the idle thread of its core; called once a core.
pub fn become_idle_thread(stack: Stack) -> Result<(), SpawnError> {
    let core = core_local::index();
    let slot = claim().ok_or(SpawnError::TableFull)?;
    let thread = &THREADS[slot];
    thread.label.with(|label| {
        label.name = Text::format(format_args!("idle-{core}"));
        label.stack = Some(stack);
    });
    thread.priority.store(PRIORITY_IDLE, Relaxed);
    thread.is_pinned.store(true, Relaxed);
    thread.home.store(core, Relaxed);
    thread.context.adopt_current();
    thread.set_state(State::Running);
    CURRENT[core].store(slot, Relaxed);
    RUNS_SINCE[core].store(clock::now().as_nanos(), Relaxed);
    CORES[core].set_idle(slot);
    Ok(())
}
