//! The trace ring: the last events of every core, written without a lock.
//!
//! A writer claims a slot by one atomic addition; a reader that meets a slot in
//! the middle of being written sees that by its sequence number and skips it.

use crate::base::time::Instant;
use crate::limits::TRACE_EVENTS_MAX;
use core::sync::atomic::{AtomicU64, Ordering::*};

/// What happened; `first` and `second` of an event mean what is said here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Boot step done: the time stamp counter.
    Boot,
    /// Switched to a thread: its slot, its priority.
    Switch,
    /// Woke a thread: its slot, its core.
    Wake,
    /// Exception that ends the kernel: vector, address of the instruction.
    Exception,
    /// Tick over budget: nanoseconds used, budget.
    SlowTick,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Boot,
        Self::Switch,
        Self::Wake,
        Self::Exception,
        Self::SlowTick,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Switch => "switch",
            Self::Wake => "wake",
            Self::Exception => "exception",
            Self::SlowTick => "slow-tick",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// Counts all events since boot.
    pub number: u64,
    pub at: Instant,
    pub core: u8,
    pub kind: Kind,
    pub first: u64,
    pub second: u64,
}

struct Slot {
    /// Event number + 1 once written, 0 while it is being written.
    sequence: AtomicU64,
    at: AtomicU64,
    core_and_kind: AtomicU64,
    first: AtomicU64,
    second: AtomicU64,
}

impl Slot {
    const fn empty() -> Self {
        Self {
            sequence: AtomicU64::new(0),
            at: AtomicU64::new(0),
            core_and_kind: AtomicU64::new(0),
            first: AtomicU64::new(0),
            second: AtomicU64::new(0),
        }
    }
}

pub struct Trace {
    next: AtomicU64,
    slots: [Slot; TRACE_EVENTS_MAX],
}

impl Trace {
    pub const fn new() -> Self {
        Self {
            next: AtomicU64::new(0),
            slots: [const { Slot::empty() }; TRACE_EVENTS_MAX],
        }
    }

    pub fn push(&self, at: Instant, core: u8, kind: Kind, first: u64, second: u64) {
        let number = self.next.fetch_add(1, Relaxed);
        let slot = &self.slots[number as usize % TRACE_EVENTS_MAX];
        slot.sequence.store(0, Relaxed);
        core::sync::atomic::fence(Release);
        slot.at.store(at.as_nanos(), Relaxed);
        slot.core_and_kind
            .store(u64::from(core) << 8 | kind as u64, Relaxed);
        slot.first.store(first, Relaxed);
        slot.second.store(second, Relaxed);
        slot.sequence.store(number + 1, Release);
    }

    /// Events written since boot.
    pub fn written(&self) -> u64 {
        self.next.load(Relaxed)
    }

    /// The last `count` events that are still there, oldest first.
    pub fn tail(&self, count: usize) -> impl Iterator<Item = Event> + '_ {
        let written = self.written();
        let count = written.min(count.min(TRACE_EVENTS_MAX) as u64);
        (written - count..written).filter_map(|number| self.read(number))
    }

    fn read(&self, number: u64) -> Option<Event> {
        let slot = &self.slots[number as usize % TRACE_EVENTS_MAX];
        let is_whole = |sequence: u64| sequence == number + 1;
        if !is_whole(slot.sequence.load(Acquire)) {
            return None;
        }
        let core_and_kind = slot.core_and_kind.load(Relaxed);
        let event = Event {
            number,
            at: Instant::from_nanos(slot.at.load(Relaxed)),
            core: (core_and_kind >> 8) as u8,
            kind: *Kind::ALL.get(core_and_kind as usize & 0xff)?,
            first: slot.first.load(Relaxed),
            second: slot.second.load(Relaxed),
        };
        core::sync::atomic::fence(Acquire);
        is_whole(slot.sequence.load(Relaxed)).then_some(event)
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_holds_the_newest_events_in_order() {
        let trace = std::boxed::Box::new(Trace::new());
        for number in 0..TRACE_EVENTS_MAX as u64 + 10 {
            trace.push(Instant::from_nanos(number), 3, Kind::Wake, number, 0);
        }
        let firsts: std::vec::Vec<u64> = trace.tail(4).map(|event| event.first).collect();
        let end = TRACE_EVENTS_MAX as u64 + 10;
        assert_eq!(firsts, [end - 4, end - 3, end - 2, end - 1]);
        assert_eq!(trace.tail(usize::MAX).count(), TRACE_EVENTS_MAX);
    }

    #[test]
    fn every_kind_is_found_by_its_number() {
        for (index, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, index);
        }
    }
}
