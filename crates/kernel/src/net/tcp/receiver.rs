//! The way in: what has arrived, may arrive, is to be confirmed.
//!
//! Invariants: the ring's front is the oldest byte that the user has not consumed,
//! `readable` before `next`; the window's edge never moves back; nothing is stored beyond
//! it. Bytes behind a gap lie in the ring where they belong.

use super::chunks::Chunks;
use super::context::Context;
use super::gaps::{Gaps, Novelty};
use super::header::Range;
use super::ring::{RING_BYTES_MAX, Ring};
use super::sequence::Sequence;
use crate::base::time::{Duration, Instant};
use crate::limits::TCP_CHUNK_BYTES;

/// What a connection may have unread at first; it doubles while the user keeps up.
const CAPACITY_FIRST: usize = 128 * 1024;
/// How long a confirmation may wait for data to travel with (RFC 9293, section 3.8.6.3).
const CONFIRM_WITHIN: Duration = Duration::from_millis(40);
/// Confirmations that are sent at once at the start, while the peer's window is small.
const QUICK_CONFIRMATIONS: u8 = 16;
/// A timestamp that old says nothing any more (RFC 7323, section 5.5).
const TIMESTAMP_LIFE: Duration = Duration::from_secs(24 * 86_400);

/// When the peer is to be told what has arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirm {
    Nothing,
    By(Instant),
    Now,
}

pub struct Receiver {
    pub ring: Ring,
    /// The next byte in order.
    pub next: Sequence,
    /// Bytes before `next` that the user has not consumed.
    pub readable: usize,
    pub gaps: Gaps,
    /// The end of what the peer was told that it may send.
    pub edge: Sequence,
    pub window_shift: u8,
    capacity: usize,
    /// When this is reached, the capacity is looked at again.
    measure_end: Sequence,
    /// The sequence number of the end of the stream, once it has arrived.
    pub end: Option<Sequence>,
    pub is_ended: bool,
    pub confirm: Confirm,
    unconfirmed: usize,
    quick: u8,
    duplicate: Option<Range>,
    /// The `next` that the peer was told last.
    confirmed: Sequence,
    timestamp: Option<(u32, Instant)>,
}

impl Receiver {
    /// `next` is the first byte of the stream, behind the peer's SYN.
    pub fn new(next: Sequence, ring: Ring, window_shift: u8, edge: Sequence) -> Self {
        Self {
            ring,
            next,
            readable: 0,
            gaps: Gaps::default(),
            edge,
            window_shift,
            capacity: CAPACITY_FIRST,
            measure_end: next.behind(CAPACITY_FIRST),
            end: None,
            is_ended: false,
            confirm: Confirm::Nothing,
            unconfirmed: 0,
            quick: QUICK_CONFIRMATIONS,
            duplicate: None,
            confirmed: next,
            timestamp: None,
        }
    }

    /// The peer's first sequence number is known: the stream begins at `next`.
    pub const fn restart(&mut self, next: Sequence, window: usize) {
        self.next = next;
        self.edge = next.behind(window);
        self.confirmed = next;
        self.measure_end = next.behind(CAPACITY_FIRST);
    }

    pub fn timestamp_echo(&self) -> u32 {
        self.timestamp.map_or(0, |(value, _)| value)
    }

    pub const fn start_timestamps(&mut self, now: Instant, value: u32) {
        self.timestamp = Some((value, now));
    }

    /// Is it older than one that was seen before (RFC 7323, section 5.3)?
    pub fn is_old_timestamp(&self, now: Instant, value: u32) -> bool {
        self.timestamp.is_some_and(|(recent, at)| {
            Sequence::new(value).is_before(Sequence::new(recent)) && now.since(at) < TIMESTAMP_LIFE
        })
    }

    /// A segment that begins at `start` is acceptable: its timestamp may be the next echo.
    pub fn note_timestamp(&mut self, now: Instant, start: Sequence, value: u32) {
        if !start.is_after(self.confirmed) && !self.is_old_timestamp(now, value) {
            self.timestamp = Some((value, now));
        }
    }

    /// RFC 9293, section 3.4: does any of it lie in the window?
    pub fn is_acceptable(&self, start: Sequence, length: usize) -> bool {
        let window = self.edge.since(self.next);
        match (length, window) {
            (0, 0) => start == self.next,
            (0, _) => !start.is_before(self.next) && start.is_before(self.edge),
            (_, 0) => false,
            _ => start.is_before(self.edge) && (start + length).is_after(self.next),
        }
    }

    /// Takes the payload of an acceptable segment. `segment` is the largest that the peer
    /// sends on the wire. Says whether there is something new to read.
    pub fn take(
        &mut self,
        context: &mut Context<'_>,
        start: Sequence,
        payload: &[u8],
        has_end: bool,
        segment: usize,
    ) -> bool {
        let before = (self.next, self.is_ended);
        if self.is_ended {
            self.confirm = Confirm::Now;
            return false;
        }
        if has_end {
            self.note_end(start + payload.len());
        }
        let (start, payload) = self.cut(context, start, payload);
        if !payload.is_empty() {
            context.counters.bytes_received += payload.len() as u64;
            if start == self.next {
                self.take_in_order(context, payload, segment);
            } else {
                self.take_beyond_gap(context, start, payload);
            }
        }
        if self.end == Some(self.next) {
            self.next = self.next + 1;
            self.edge = self.edge.later(self.next);
            self.is_ended = true;
        }
        if has_end {
            self.confirm = Confirm::Now;
        }
        before != (self.next, self.is_ended)
    }

    /// The stream ends once; an end that contradicts what has arrived is none.
    fn note_end(&mut self, end: Sequence) {
        let is_beyond = self.gaps.overlap(end, end + RING_BYTES_MAX).is_none();
        let is_possible = !end.is_before(self.next) && !end.is_after(self.edge) && is_beyond;
        if self.end.is_none() && is_possible {
            self.end = Some(end);
        }
    }

    /// Cuts off what is there already and what the window has no room for.
    fn cut<'a>(
        &mut self,
        context: &mut Context<'_>,
        start: Sequence,
        payload: &'a [u8],
    ) -> (Sequence, &'a [u8]) {
        let end = start + payload.len();
        let old = self.next.beyond(start).min(payload.len());
        if old > 0 {
            context.counters.duplicates += 1;
            self.duplicate = Some((start, self.next.earlier(end)));
            self.confirm = Confirm::Now;
        }
        let edge = self.end.map_or(self.edge, |end| end.earlier(self.edge));
        let excess = end.beyond(edge).min(payload.len() - old);
        if excess > 0 {
            context.counters.beyond_window += 1;
            self.confirm = Confirm::Now;
        }
        (start + old, &payload[old..payload.len() - excess])
    }

    fn take_in_order(&mut self, context: &mut Context<'_>, payload: &[u8], segment: usize) {
        let stored = self.ring.store(context.pool, self.readable, payload);
        if stored < payload.len() {
            context.counters.beyond_window += 1;
            self.confirm = Confirm::Now;
        }
        let start = self.next;
        self.next = start + stored;
        self.readable += stored;
        if !self.gaps.is_empty() {
            if let Some(range) = self.gaps.overlap(start, self.next) {
                context.counters.duplicates += 1;
                self.duplicate = Some(range);
            }
            let joined = self.gaps.join(self.next);
            self.readable += joined.since(self.next);
            self.next = joined;
            self.confirm = Confirm::Now;
        }
        self.owe_confirmation(context.now, stored, segment);
        self.maybe_grow();
    }

    fn take_beyond_gap(&mut self, context: &mut Context<'_>, start: Sequence, payload: &[u8]) {
        context.counters.out_of_order += 1;
        self.confirm = Confirm::Now;
        if !self.gaps.has_room_for(start, start + payload.len()) {
            context.counters.beyond_window += 1;
            return;
        }
        let place = self.readable + start.since(self.next);
        let stored = self.ring.store(context.pool, place, payload);
        if stored < payload.len() {
            context.counters.beyond_window += 1;
        }
        if stored == 0 {
            return;
        }
        if let Ok(Novelty::Some(range)) = self.gaps.insert(start, start + stored) {
            context.counters.duplicates += 1;
            self.duplicate = Some(range);
        }
    }

    /// At once for every second full segment, for one that was a row of them, and at the
    /// start; else within `CONFIRM_WITHIN`.
    fn owe_confirmation(&mut self, now: Instant, bytes: usize, segment: usize) {
        self.unconfirmed += bytes;
        let is_much = self.unconfirmed >= 2 * segment || bytes > segment;
        if is_much || self.quick > 0 {
            self.confirm = Confirm::Now;
        } else if self.confirm == Confirm::Nothing {
            self.confirm = Confirm::By(now + CONFIRM_WITHIN);
        }
    }

    /// A whole capacity has come in and the user has kept up: it may be more.
    fn maybe_grow(&mut self) {
        if self.next.is_before(self.measure_end) {
            return;
        }
        if self.readable <= self.capacity / 2 {
            self.capacity = (2 * self.capacity).min(RING_BYTES_MAX);
        }
        self.measure_end = self.next + self.capacity;
    }

    pub fn consume(&mut self, pool: &mut Chunks, count: usize) -> usize {
        let count = count.min(self.readable);
        self.ring.advance(pool, count);
        self.readable -= count;
        if self.readable == 0 && self.gaps.is_empty() {
            // The window is that of a whole piece again.
            self.ring.rewind();
        }
        count
    }

    /// What may be unread now: what the user keeps up with, as far as there is memory.
    fn capacity_now(&self, pool: &Chunks) -> usize {
        let memory = self.ring.owned_bytes() + pool.growth_bytes();
        let capacity = self.capacity.min(memory).max(self.ring.owned_bytes());
        capacity.min(RING_BYTES_MAX)
    }

    /// The largest window that a header can tell.
    const fn window_most(&self) -> usize {
        (u16::MAX as usize) << self.window_shift
    }

    /// How far the window could reach now.
    fn edge_wanted(&self, pool: &Chunks) -> Sequence {
        let room = self.capacity_now(pool).saturating_sub(self.readable);
        self.next + room.min(self.window_most())
    }

    /// Has the user made so much room, and has the peer so little left, that it should
    /// know at once? Otherwise the next confirmation tells it. Both are measured against
    /// what the peer can be told at all, else it would wait for ever.
    pub fn should_tell_window(&self, pool: &Chunks, segment: usize) -> bool {
        let capacity = self.capacity_now(pool).min(self.window_most());
        let capacity = capacity.max(TCP_CHUNK_BYTES);
        let left = self.edge.since(self.next);
        if self.is_ended || left > capacity / 8 * 3 {
            return false;
        }
        let opened = self.edge_wanted(pool).beyond(self.edge);
        opened >= (capacity / 4).max((2 * segment).min(capacity / 2))
            || (left == 0 && opened >= segment.min(TCP_CHUNK_BYTES / 2))
    }

    /// The edge that the next header may tell. It moves in steps that are worth a segment
    /// (RFC 9293, section 3.8.6.2.2).
    fn edge_to_tell(&self, pool: &Chunks, segment: usize) -> Sequence {
        let wanted = self.edge_wanted(pool);
        if wanted.beyond(self.edge) >= segment.min(TCP_CHUNK_BYTES / 2) && !self.is_ended {
            wanted
        } else {
            self.edge
        }
    }

    /// The window for the next header.
    pub fn window(&self, pool: &Chunks, segment: usize) -> u16 {
        let window = self.edge_to_tell(pool, segment).since(self.next) >> self.window_shift;
        window.min(usize::from(u16::MAX)) as u16
    }

    /// What the peer is to be told of gaps; a duplicate is told once.
    pub fn blocks(&self) -> super::header::SackBlocks {
        self.gaps.blocks(self.duplicate)
    }

    /// A whole segment was there already (RFC 2883).
    pub fn note_duplicate(&mut self, start: Sequence, end: Sequence) {
        if start.is_before(end) && !end.is_after(self.next) {
            self.duplicate = Some((start, end));
        }
    }

    /// A segment has carried the confirmation and the window.
    pub fn was_confirmed(&mut self, pool: &Chunks, segment: usize) {
        self.edge = self.edge_to_tell(pool, segment);
        if self.unconfirmed > 0 {
            self.quick = self.quick.saturating_sub(1);
        }
        self.confirm = Confirm::Nothing;
        self.unconfirmed = 0;
        self.duplicate = None;
        self.confirmed = self.next;
    }

    #[cfg(test)]
    pub fn assert_consistent(&self) {
        self.ring.assert_consistent();
        assert!(!self.edge.is_before(self.next), "the window is negative");
        assert!(self.readable + self.edge.since(self.next) <= RING_BYTES_MAX + 65_536);
        if !self.is_ended {
            self.gaps.assert_consistent(self.next, self.edge);
        }
        if let Some(end) = self.end {
            assert_eq!(self.is_ended, self.next.is_after(end));
        }
    }
}
