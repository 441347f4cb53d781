//! Connections that a peer has asked for and not confirmed: small, few, and the first to go.
//!
//! They take no buffers. A flood of requests pushes out the oldest of its own kind and
//! nothing else.

use super::flow::Flow;
use super::header::{Header, Timestamps, flags};
use super::sequence::Sequence;
use super::timers::Timers;
use crate::base::time::{Duration, Instant};
use crate::limits::TCP_HALF_OPEN_MAX;
use alloc::boxed::Box;

/// Answers to a request before it is forgotten: after 1, 2, 4, 8 and 16 s.
const REPEATS_MAX: u32 = 5;

#[derive(Clone, Copy, Debug)]
pub struct HalfOpen {
    pub flow: Flow,
    pub listener: u16,
    /// The peer's SYN.
    pub request: Header,
    pub first_sequence: Sequence,
    pub clock_offset: u32,
    /// The window that our answer tells, and the path it takes.
    pub window: u16,
    pub mtu: usize,
    /// When our answer went out last, and how often it had to.
    pub sent: Instant,
    pub was_repeated: bool,
    pub is_due: bool,
    pub repeats: u32,
    /// Grows with each request: the smallest is the oldest.
    pub age: u64,
}

impl HalfOpen {
    /// Our answer: SYN and ACK, with the options that the peer has offered.
    pub fn answer(&self, clock: u32, segment_bytes_max: u16) -> Header {
        Header {
            sequence: self.first_sequence,
            acknowledgement: self.request.sequence + 1,
            flags: flags::SYN | flags::ACK,
            window: self.window,
            segment_bytes_max: Some(segment_bytes_max),
            window_shift: self
                .request
                .window_shift
                .map(|_| super::connection::WINDOW_SHIFT),
            is_sack_permitted: self.request.is_sack_permitted,
            timestamps: self.request.timestamps.map(|theirs| Timestamps {
                value: clock,
                echo: theirs.value,
            }),
            ..Header::default()
        }
    }
}

pub struct HalfOpens {
    entries: Box<[Option<HalfOpen>]>,
    pub timers: Timers,
    count: usize,
    most: usize,
    born: u64,
}

impl HalfOpens {
    pub fn new() -> Self {
        Self {
            entries: alloc::vec![None; TCP_HALF_OPEN_MAX].into_boxed_slice(),
            timers: Timers::new(TCP_HALF_OPEN_MAX),
            count: 0,
            most: 0,
            born: 0,
        }
    }

    pub fn get(&self, index: u16) -> Option<&HalfOpen> {
        self.entries.get(usize::from(index))?.as_ref()
    }

    pub fn get_mut(&mut self, index: u16) -> Option<&mut HalfOpen> {
        self.entries.get_mut(usize::from(index))?.as_mut()
    }

    /// The oldest, when there is no place for another.
    pub fn in_the_way(&self) -> Option<u16> {
        if self.count < self.entries.len() {
            return None;
        }
        let ages = self.entries.iter().enumerate();
        ages.filter_map(|(index, entry)| Some((entry.as_ref()?.age, index as u16)))
            .min()
            .map(|(_, index)| index)
    }

    /// Only when nothing is in the way.
    pub fn insert(&mut self, half_open: HalfOpen) -> Option<u16> {
        let index = self.entries.iter().position(Option::is_none)?;
        self.born += 1;
        self.entries[index] = Some(HalfOpen {
            age: self.born,
            ..half_open
        });
        self.count += 1;
        self.most = self.most.max(self.count);
        Some(index as u16)
    }

    pub fn remove(&mut self, index: u16) -> Option<HalfOpen> {
        let entry = self.entries.get_mut(usize::from(index))?.take()?;
        self.count -= 1;
        self.timers.disarm(index);
        Some(entry)
    }

    /// The answer went out; says when it is to be repeated.
    pub fn was_sent(&mut self, index: u16, now: Instant) {
        let Some(entry) = self.get_mut(index) else {
            return;
        };
        entry.is_due = false;
        entry.sent = now;
        let wait = Duration::from_secs(1 << entry.repeats.min(REPEATS_MAX));
        self.timers.arm(index, now + wait);
    }

    /// Its wait is over: it is to be answered again, unless it was often enough.
    pub fn on_deadline(&mut self, index: u16) -> bool {
        let Some(entry) = self.get_mut(index) else {
            return false;
        };
        entry.repeats += 1;
        entry.was_repeated = true;
        entry.is_due = true;
        entry.repeats <= REPEATS_MAX
    }

    /// Those that a listener which is closed has left behind.
    pub fn of_listener(&self, listener: u16) -> Option<u16> {
        let mut entries = self.entries.iter();
        entries
            .position(|entry| entry.is_some_and(|entry| entry.listener == listener))
            .map(|index| index as u16)
    }

    pub const fn count(&self) -> usize {
        self.count
    }

    pub const fn most(&self) -> usize {
        self.most
    }
}
