//! The way out of a connection: what waits, what is on its way, what may be sent.
//!
//! Invariants: `first` <= `next`; the ring's front is the byte `first`; flights cover
//! `first..next`. The end of the stream takes one sequence number behind the last byte.

use super::chunks::Chunks;
use super::cubic::Cubic;
use super::flights::Flights;
use super::rack::Rack;
use super::ring::{RING_BYTES_MAX, Ring};
use super::round_trip::RoundTrip;
use super::sequence::Sequence;
use crate::base::time::{Duration, Instant};
use crate::limits::TCP_CHUNK_BYTES;

/// What is kept for sending however small the window of congestion is.
const QUEUE_BYTES_LEAST: usize = 256 * 1024;
/// How long a single segment may wait for the other side's delayed acknowledgement.
const DELAYED_ACKNOWLEDGEMENT: Duration = Duration::from_millis(200);
/// Room for the other side's own scheduling before a tail probe.
const PROBE_SLACK: u64 = 10_000_000;

/// Probes of a closed window never get rarer than that.
const PROBES_APART_MAX: Duration = Duration::from_secs(60);

/// How losses are dealt with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Open,
    /// Something was found lost; over when `until` is confirmed. The rest is the
    /// proportional reduction of RFC 6937.
    Recovery {
        until: Sequence,
        at_start: usize,
        delivered: usize,
        sent: usize,
    },
    /// Nothing was heard; everything is sent again.
    Loss {
        until: Sequence,
    },
}

/// What was before a loss, should it turn out to be none (RFC 4015).
#[derive(Clone, Copy, Debug)]
pub struct Undo {
    pub window: usize,
    pub threshold: Option<usize>,
    /// Our clock when something was first sent again.
    pub clock: u32,
}

/// A probe for a lost tail that is not answered yet (RFC 8985, section 7).
#[derive(Clone, Copy, Debug)]
pub struct TailProbe {
    pub end: Sequence,
    pub was_retransmission: bool,
}

pub struct Sender {
    /// The oldest byte that is not confirmed, and the next one to be sent for the first time.
    pub first: Sequence,
    pub next: Sequence,
    pub ring: Ring,
    /// Bytes in the ring.
    pub queued: usize,
    /// The user writes nothing more; the end of the stream has been sent.
    pub is_finished: bool,
    pub has_sent_end: bool,
    pub window: usize,
    pub window_max: usize,
    /// The segment that told the window: its sequence number and acknowledgement.
    pub window_told: (Sequence, Sequence),
    pub window_shift: u8,
    pub flights: Flights,
    pub round_trip: RoundTrip,
    pub congestion: Cubic,
    pub rack: Rack,
    pub phase: Phase,
    pub undo: Option<Undo>,
    pub tail_probe: Option<TailProbe>,
    /// Acknowledgements in a row that say nothing new, from a peer without SACK.
    pub duplicates: u32,
    /// The retransmission timer counts from here.
    pub progress: Instant,
    pub reorder_at: Option<Instant>,
    pub probe_at: Option<Instant>,
    pub persist_at: Option<Instant>,
    pub is_probe_due: bool,
    pub is_window_probe_due: bool,
    /// The end of the last short segment.
    pub short_end: Sequence,
    /// A round trip ends when this is confirmed; the most that was in flight in it.
    pub round_end: Sequence,
    pub flight_high: usize,
    pub last_sent: Instant,
    pub retransmitted: u64,
    /// Probes of a closed window: how far apart, and how many in a row had no answer.
    pub window_probes: u32,
    pub window_probes_unanswered: u32,
    /// Fewer than a quarter of the buffer was free when the user wrote last.
    pub was_low: bool,
}

impl Sender {
    /// `first` is the first byte of the stream, behind the SYN.
    pub fn new(first: Sequence, ring: Ring, segment: usize) -> Self {
        Self {
            first,
            next: first,
            ring,
            queued: 0,
            is_finished: false,
            has_sent_end: false,
            window: 0,
            window_max: 0,
            window_told: (first, first),
            window_shift: 0,
            flights: Flights::default(),
            round_trip: RoundTrip::default(),
            congestion: Cubic::new(segment),
            rack: Rack::default(),
            phase: Phase::Open,
            undo: None,
            tail_probe: None,
            duplicates: 0,
            progress: Instant::ZERO,
            reorder_at: None,
            probe_at: None,
            persist_at: None,
            is_probe_due: false,
            is_window_probe_due: false,
            short_end: first,
            round_end: first,
            flight_high: 0,
            last_sent: Instant::ZERO,
            retransmitted: 0,
            window_probes: 0,
            window_probes_unanswered: 0,
            was_low: false,
        }
    }

    /// Behind the last byte that was written.
    pub fn data_end(&self) -> Sequence {
        self.first + self.queued
    }

    /// Bytes that were never sent.
    pub fn unsent(&self) -> usize {
        self.data_end().beyond(self.next)
    }

    /// The end of the stream is still to be sent.
    pub const fn owes_end(&self) -> bool {
        self.is_finished && !self.has_sent_end
    }

    /// Everything, the end of the stream included, has been confirmed.
    pub fn is_end_confirmed(&self) -> bool {
        self.has_sent_end && self.first == self.next
    }

    /// Bytes by which the peer's window reaches beyond what was sent.
    pub fn window_left(&self) -> usize {
        (self.first + self.window).beyond(self.next)
    }

    /// Bytes of the buffer: enough for two windows of congestion, as memory allows.
    pub fn capacity(&self, pool: &Chunks) -> usize {
        let wanted = QUEUE_BYTES_LEAST.max(2 * self.congestion.window());
        let memory = self.ring.owned_bytes() + pool.growth_bytes();
        wanted.min(RING_BYTES_MAX).min(memory)
    }

    pub fn space(&self, pool: &Chunks) -> usize {
        if self.is_finished {
            return 0;
        }
        let within = self.capacity(pool).saturating_sub(self.queued);
        // What a piece that is there has room for can always be written.
        within.max(
            self.ring
                .owned_bytes()
                .min(RING_BYTES_MAX)
                .saturating_sub(self.queued),
        )
    }

    pub fn write(&mut self, pool: &mut Chunks, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.space(pool));
        if self.queued == 0 && self.flights.is_empty() {
            self.ring.rewind();
        }
        let stored = self.ring.store(pool, self.queued, &bytes[..count]);
        self.queued += stored;
        self.note_space(pool);
        stored
    }

    pub fn write_with(
        &mut self,
        pool: &mut Chunks,
        count: usize,
        fill: impl FnOnce(&mut [u8]) -> usize,
    ) -> usize {
        let count = count.min(self.space(pool));
        let written = match self.ring.room(pool, self.queued, count) {
            Some(room) if count > 0 => {
                let length = room.len();
                fill(room).min(length)
            }
            _ => 0,
        };
        self.queued += written;
        self.note_space(pool);
        written
    }

    fn note_space(&mut self, pool: &Chunks) {
        self.was_low |= !self.has_quarter(pool);
    }

    pub fn has_quarter(&self, pool: &Chunks) -> bool {
        let quarter = (self.capacity(pool) / 4).min(TCP_CHUNK_BYTES * 8);
        self.space(pool) > quarter
    }

    /// Sets the timers after something was sent or confirmed.
    pub fn arm(&mut self, now: Instant, segment: usize, has_sack: bool) {
        self.probe_at = None;
        if self.flights.is_empty() {
            self.reorder_at = None;
            let is_blocked = self.unsent() > 0 || self.owes_end();
            if !is_blocked {
                self.persist_at = None;
            } else if self.persist_at.is_none() {
                let wait = self.round_trip.wait().as_nanos() << self.window_probes.min(16);
                self.persist_at = Some(now + Duration::from_nanos(wait).min(PROBES_APART_MAX));
            }
            return;
        }
        self.persist_at = None;
        let is_calm = self.phase == Phase::Open
            && self.flights.arrived() == 0
            && self.flights.lost() == 0
            && self.tail_probe.is_none();
        if let Some(smoothed) = self.round_trip.smoothed()
            && is_calm
            && has_sack
        {
            let slack = match self.flights.in_flight() <= segment {
                true => DELAYED_ACKNOWLEDGEMENT.as_nanos(),
                false => PROBE_SLACK,
            };
            let wait = Duration::from_nanos(2 * smoothed.as_nanos() + slack);
            self.probe_at = Some((now + wait).min(self.retransmit_at()));
        }
    }

    pub fn retransmit_at(&self) -> Instant {
        self.progress + self.round_trip.wait()
    }

    /// The next moment at which something is to be done though nothing is heard.
    pub fn deadline(&self) -> Option<Instant> {
        if self.flights.is_empty() {
            return self.persist_at;
        }
        let earlier = self.probe_at.into_iter().chain(self.reorder_at);
        earlier.chain([self.retransmit_at()]).min()
    }

    #[cfg(test)]
    pub fn assert_consistent(&self) {
        self.ring.assert_consistent();
        let end = self.data_end() + usize::from(self.has_sent_end && self.first != self.next);
        assert!(!self.next.is_after(end), "more was sent than there is");
        match self.flights.is_empty() {
            true => assert_eq!(self.first, self.next),
            false => self.flights.assert_consistent(self.first, self.next),
        }
        assert!(self.queued <= RING_BYTES_MAX + TCP_CHUNK_BYTES);
    }
}
