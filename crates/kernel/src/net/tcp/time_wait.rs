//! Ended connections, remembered so that late segments meet somebody (RFC 9293, section
//! 3.6.1; RFC 7323; RFC 1337).
//!
//! Invariant: the oldest stands first; a full table forgets it early.

use super::flow::Flow;
use super::header::{Header, Timestamps, flags};
use super::sequence::Sequence;
use crate::base::time::{Duration, Instant};
use crate::limits::TCP_TIME_WAIT_MAX;
use alloc::boxed::Box;

/// Twice the life of a segment, which nobody lets live half a minute.
const WAIT: Duration = Duration::from_secs(60);
const NONE: u16 = u16::MAX;

/// What answers for a connection that is over.
#[derive(Clone, Copy, Debug)]
pub struct TimeWait {
    pub flow: Flow,
    pub hash: u32,
    pub next_send: Sequence,
    pub next_receive: Sequence,
    pub window: u16,
    /// Our clock's offset and the peer's latest, where they were used.
    pub clock: Option<(u32, u32)>,
    pub until: Instant,
}

impl TimeWait {
    /// May this SYN begin a new connection between the same ends (RFC 6191)?
    pub fn gives_way_to(&self, header: &Header) -> bool {
        if header.flags & (flags::SYN | flags::ACK | flags::RST) != flags::SYN {
            return false;
        }
        match (self.clock, header.timestamps) {
            (Some((_, recent)), Some(timestamps)) if timestamps.value != recent => {
                Sequence::new(timestamps.value).is_after(Sequence::new(recent))
            }
            _ => header.sequence.is_after(self.next_receive),
        }
    }

    pub fn answer(&self, now: Instant) -> Header {
        Header {
            sequence: self.next_send,
            acknowledgement: self.next_receive,
            flags: flags::ACK,
            window: self.window,
            timestamps: self.clock.map(|(offset, recent)| Timestamps {
                value: super::context::clock_at(now, offset),
                echo: recent,
            }),
            ..Header::default()
        }
    }
}

#[derive(Clone, Copy)]
struct Slot {
    entry: Option<TimeWait>,
    before: u16,
    behind: u16,
}

/// A list through a fixed table, in the order in which they end; free slots are linked, too.
pub struct TimeWaits {
    slots: Box<[Slot]>,
    oldest: u16,
    newest: u16,
    free: u16,
    count: usize,
    most: usize,
}

impl TimeWaits {
    pub fn new() -> Self {
        let slots = (0..TCP_TIME_WAIT_MAX).map(|index| Slot {
            entry: None,
            before: NONE,
            behind: match index + 1 < TCP_TIME_WAIT_MAX {
                true => index as u16 + 1,
                false => NONE,
            },
        });
        Self {
            slots: slots.collect(),
            oldest: NONE,
            newest: NONE,
            free: 0,
            count: 0,
            most: 0,
        }
    }

    pub fn get(&self, index: u16) -> Option<&TimeWait> {
        self.slots.get(usize::from(index))?.entry.as_ref()
    }

    /// The oldest, when it has to make room for another.
    pub fn in_the_way(&self) -> Option<u16> {
        (self.free == NONE).then_some(self.oldest)
    }

    /// The oldest, when its time is over.
    pub fn due(&self, now: Instant) -> Option<u16> {
        let until = self.next_deadline()?;
        (until <= now).then_some(self.oldest)
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        Some(self.get(self.oldest)?.until)
    }

    /// Only when nothing is in the way.
    pub fn insert(&mut self, now: Instant, entry: TimeWait) -> Option<u16> {
        let index = self.free;
        let slot = self.slots.get_mut(usize::from(index))?;
        self.free = slot.behind;
        slot.entry = Some(TimeWait {
            until: now + WAIT,
            ..entry
        });
        self.link(index);
        self.count += 1;
        self.most = self.most.max(self.count);
        Some(index)
    }

    pub fn remove(&mut self, index: u16) -> Option<TimeWait> {
        let entry = self.slots.get_mut(usize::from(index))?.entry.take()?;
        self.unlink(index);
        self.slots[usize::from(index)].behind = self.free;
        self.free = index;
        self.count -= 1;
        Some(entry)
    }

    /// The peer has repeated its end: the wait begins anew.
    pub fn prolong(&mut self, now: Instant, index: u16) {
        if let Some(slot) = self.slots.get_mut(usize::from(index))
            && let Some(entry) = &mut slot.entry
        {
            entry.until = now + WAIT;
            self.unlink(index);
            self.link(index);
        }
    }

    pub const fn count(&self) -> usize {
        self.count
    }

    pub const fn most(&self) -> usize {
        self.most
    }

    fn link(&mut self, index: u16) {
        let newest = core::mem::replace(&mut self.newest, index);
        let slot = &mut self.slots[usize::from(index)];
        (slot.before, slot.behind) = (newest, NONE);
        match self.slots.get_mut(usize::from(newest)) {
            Some(before) => before.behind = index,
            None => self.oldest = index,
        }
    }

    fn unlink(&mut self, index: u16) {
        let Slot { before, behind, .. } = self.slots[usize::from(index)];
        match self.slots.get_mut(usize::from(before)) {
            Some(slot) => slot.behind = behind,
            None => self.oldest = behind,
        }
        match self.slots.get_mut(usize::from(behind)) {
            Some(slot) => slot.before = before,
            None => self.newest = before,
        }
    }
}
