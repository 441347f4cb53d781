//! One connection: its state, its two directions, what it wants of its surroundings.

use super::chunks::Chunks;
use super::confirm::Agreement;
use super::context::clock_at;
use super::flow::Flow;
use super::half_open::HalfOpen;
use super::header::{Header, TIMESTAMPS_BYTES, Timestamps};
use super::receiver::{Confirm, Receiver};
use super::ring::Ring;
use super::sender::Sender;
use super::sequence::Sequence;
use super::types::{End, Event, Options, StateName, Status};
use super::view::ConnectionView;
use crate::base::time::{Duration, Instant};
use core::net::IpAddr;

/// What every host takes without having said so (RFC 9293, section 3.7.1).
pub const SEGMENT_BYTES_LEAST_V4: usize = 536;
pub const SEGMENT_BYTES_LEAST_V6: usize = 1220;
/// A path that was found narrow may have become wide again (RFC 1191, section 6.3).
const PATH_LIFE: Duration = Duration::from_secs(600);
/// Answers to segments that do not fit are at least so far apart (RFC 5961, section 7).
const ANSWERS_APART: Duration = Duration::from_millis(500);

/// Where it is in its life, with what only that part of life needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Our SYN is out, or due.
    SynSent {
        is_due: bool,
        retry_at: Instant,
    },
    /// Both sides have called each other at the same time.
    SynReceived {
        is_due: bool,
        retry_at: Instant,
    },
    Established,
    FinWait1,
    /// A connection that nobody uses any more does not wait for ever.
    FinWait2 {
        until: Option<Instant>,
    },
    CloseWait,
    Closing,
    LastAck,
    /// Both ends are confirmed; the table of ended connections remembers it.
    TimeWait,
    Closed(End),
}

impl State {
    pub const fn name(self) -> StateName {
        match self {
            Self::SynSent { .. } => StateName::SynSent,
            Self::SynReceived { .. } => StateName::SynReceived,
            Self::Established => StateName::Established,
            Self::FinWait1 => StateName::FinWait1,
            Self::FinWait2 { .. } => StateName::FinWait2,
            Self::CloseWait => StateName::CloseWait,
            Self::Closing => StateName::Closing,
            Self::LastAck => StateName::LastAck,
            Self::TimeWait => StateName::TimeWait,
            Self::Closed(_) => StateName::Closed,
        }
    }

    /// Over: no segment belongs to it any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::TimeWait | Self::Closed(_))
    }

    pub const fn is_opening(self) -> bool {
        matches!(self, Self::SynSent { .. } | Self::SynReceived { .. })
    }
}

pub struct Connection {
    pub flow: Flow,
    pub hash: u32,
    pub state: State,
    pub sender: Sender,
    pub receiver: Receiver,
    pub options: Options,
    pub first_sequence: Sequence,
    pub has_sack: bool,
    pub has_timestamps: bool,
    pub clock_offset: u32,
    /// What the peer takes in one segment, without options.
    pub segment_bytes_peer: usize,
    pub mtu: usize,
    pub path_mtu: Option<(usize, Instant)>,
    pub last_heard: Instant,
    pub keep_alive_probes: u8,
    /// Bits of what the user has not been told.
    pub events: u8,
    /// Segments with its endpoints find it.
    pub is_listed: bool,
    /// Nobody uses it any more.
    pub is_released: bool,
    /// The listener it waits at to be accepted.
    pub waits_at: Option<u16>,
    answered: Option<Instant>,
    /// The window that our SYN tells.
    pub syn_window: u16,
    /// The peer reported a soft error while we waited for it.
    pub soft_error: Option<End>,
}

impl Connection {
    /// One that we open.
    pub fn opening(
        now: Instant,
        flow: Flow,
        hash: u32,
        first_sequence: Sequence,
        clock_offset: u32,
        syn_window: u16,
        rings: (Ring, Ring),
    ) -> Self {
        let least = least_segment(flow.remote.address);
        let mut sender = Sender::new(first_sequence + 1, rings.0, least);
        sender.progress = now;
        Self {
            flow,
            hash,
            state: State::SynSent {
                is_due: true,
                retry_at: now,
            },
            sender,
            // The peer's SYN sets the numbers anew.
            receiver: Receiver::new(Sequence::default(), rings.1, 0, Sequence::default()),
            options: Options::default(),
            first_sequence,
            has_sack: true,
            has_timestamps: true,
            clock_offset,
            segment_bytes_peer: least,
            mtu: least + ip_and_tcp_bytes(flow.remote.address),
            path_mtu: None,
            last_heard: now,
            keep_alive_probes: 0,
            events: 0,
            is_listed: true,
            is_released: false,
            waits_at: None,
            answered: None,
            syn_window,
            soft_error: None,
        }
    }

    /// One whose opening by the peer is complete.
    pub fn accepted(now: Instant, hash: u32, half_open: &HalfOpen, rings: (Ring, Ring)) -> Self {
        let mut connection = Self::opening(
            now,
            half_open.flow,
            hash,
            half_open.first_sequence,
            half_open.clock_offset,
            half_open.window,
            rings,
        );
        connection.state = State::Established;
        connection.mtu = half_open.mtu;
        connection.learn(now, &half_open.request);
        if !half_open.was_repeated {
            let span = now.since(half_open.sent);
            connection.sender.round_trip.measured(now, span);
        }
        connection.waits_at = Some(half_open.listener);
        connection
    }

    /// Takes over what the peer's SYN says.
    pub fn learn(&mut self, now: Instant, syn: &Header) {
        let least = least_segment(self.flow.remote.address);
        self.segment_bytes_peer = syn.segment_bytes_max.map_or(least, |bytes| {
            // Less than that is nobody's network, but somebody's attack.
            usize::from(bytes).max(88)
        });
        self.has_sack = syn.is_sack_permitted;
        self.has_timestamps = syn.timestamps.is_some();
        let next = syn.sequence + 1;
        self.receiver.restart(next, usize::from(self.syn_window));
        if let Some(timestamps) = syn.timestamps {
            self.receiver.start_timestamps(now, timestamps.value);
        }
        match syn.window_shift {
            Some(shift) => {
                self.sender.window_shift = shift;
                self.receiver.window_shift = WINDOW_SHIFT;
            }
            None => {
                self.sender.window_shift = 0;
                self.receiver.window_shift = 0;
            }
        }
        self.sender.window = usize::from(syn.window);
        self.sender.window_max = self.sender.window;
        self.sender.window_told = (syn.sequence, self.sender.first);
        self.sender.progress = now;
        self.sender.last_sent = now;
        self.sender.congestion = super::cubic::Cubic::new(self.segment());
    }

    /// Payload bytes of a segment with so many bytes of options.
    pub fn segment_with(&self, options_bytes: usize) -> usize {
        let mtu = self
            .path_mtu
            .map_or(self.mtu, |(path, _)| path.min(self.mtu));
        let of_path = mtu.saturating_sub(ip_and_tcp_bytes(self.flow.remote.address));
        // Even the narrowest path takes some bytes beside the options.
        of_path
            .min(self.segment_bytes_peer)
            .max(88)
            .saturating_sub(options_bytes)
    }

    /// Payload bytes of an ordinary segment.
    pub fn segment(&self) -> usize {
        self.segment_with(match self.has_timestamps {
            true => TIMESTAMPS_BYTES,
            false => 0,
        })
    }

    /// Payload bytes of the largest segment that the peer sends on the wire.
    pub fn segment_received(&self) -> usize {
        self.mtu
            .saturating_sub(ip_and_tcp_bytes(self.flow.remote.address))
            .max(88)
    }

    pub fn agreement(&self) -> Agreement {
        Agreement {
            has_sack: self.has_sack,
            segment: self.segment(),
            clock_offset: self.clock_offset,
        }
    }

    pub fn timestamps(&self, now: Instant) -> Option<Timestamps> {
        self.has_timestamps.then(|| Timestamps {
            value: clock_at(now, self.clock_offset),
            echo: self.receiver.timestamp_echo(),
        })
    }

    pub fn learn_route(&mut self, now: Instant, mtu: usize) {
        if self
            .path_mtu
            .is_some_and(|(_, at)| now.since(at) > PATH_LIFE)
        {
            self.path_mtu = None;
        }
        if mtu != self.mtu {
            self.change_mtu(|connection| connection.mtu = mtu);
        }
    }

    /// A router told that the path takes less.
    pub fn learn_path(&mut self, now: Instant, mtu: usize) {
        let least = match self.flow.remote.address {
            IpAddr::V4(_) => 552,
            IpAddr::V6(_) => 1280,
        };
        let mtu = mtu.max(least);
        if self.path_mtu.is_none_or(|(path, _)| mtu < path) && mtu < self.mtu {
            self.change_mtu(|connection| connection.path_mtu = Some((mtu, now)));
            // What was too large never arrived; it goes out again in smaller pieces.
            self.sender.flights.mark_lost(|_| true);
        }
    }

    fn change_mtu(&mut self, change: impl FnOnce(&mut Self)) {
        let before = self.segment();
        change(self);
        let after = self.segment();
        self.sender.congestion.on_segment_size(before, after);
    }

    pub fn tell(&mut self, event: Event) {
        self.events |= 1 << event as u8;
    }

    pub fn end_with(&mut self, end: End) {
        if !self.state.is_over() {
            self.state = State::Closed(end);
            self.tell(Event::Closed);
        }
    }

    /// Answers a segment that does not fit, but not every one (RFC 5961, section 7).
    pub fn answer_rarely(&mut self, now: Instant) -> bool {
        let is_due = self
            .answered
            .is_none_or(|at| now.since(at) >= ANSWERS_APART);
        if is_due {
            self.answered = Some(now);
            self.receiver.confirm = Confirm::Now;
        }
        is_due
    }

    /// Is there something to send? A wrong yes costs one look.
    pub fn wants_to_send(&self, pool: &Chunks) -> bool {
        match self.state {
            State::SynSent { is_due, .. } | State::SynReceived { is_due, .. } => is_due,
            State::TimeWait | State::Closed(_) => false,
            _ => {
                let sender = &self.sender;
                self.receiver.confirm == Confirm::Now
                    || sender.flights.lost() > 0
                    || sender.is_probe_due
                    || sender.is_window_probe_due
                    || sender.unsent() > 0
                    || sender.owes_end()
                    || self
                        .receiver
                        .should_tell_window(pool, self.segment_received())
            }
        }
    }

    pub fn status(&self) -> Status {
        let end = match self.state {
            State::Closed(end) => Some(end),
            State::TimeWait => Some(End::Finished),
            _ => None,
        };
        let sender = &self.sender;
        Status {
            state: self.state.name(),
            is_end_of_stream: self.receiver.readable == 0
                && (self.receiver.is_ended || self.state.is_over()),
            is_flushed: sender.queued == 0 && (!sender.is_finished || sender.is_end_confirmed()),
            end,
        }
    }

    pub fn view(&self) -> ConnectionView {
        let sender = &self.sender;
        ConnectionView {
            tenant: self.flow.tenant,
            local: self.flow.local,
            remote: self.flow.remote,
            state: self.state.name(),
            congestion_window_bytes: sender.congestion.window(),
            slow_start_threshold_bytes: sender.congestion.threshold(),
            smoothed_round_trip: sender.round_trip.smoothed(),
            retransmit_after: sender.round_trip.wait(),
            send_window_bytes: sender.window,
            receive_window_bytes: self.receiver.edge.since(self.receiver.next),
            segment_bytes: self.segment(),
            bytes_in_flight: sender.flights.in_flight(),
            send_queue_bytes: sender.queued,
            receive_queue_bytes: self.receiver.readable,
            retransmitted_bytes: sender.retransmitted,
        }
    }

    #[cfg(test)]
    pub fn assert_consistent(&self) {
        self.sender.assert_consistent();
        if !self.state.is_opening() {
            self.receiver.assert_consistent();
        }
    }
}

/// The least shift with which a window can tell a whole ring.
pub const WINDOW_SHIFT: u8 = 6;

const _: () = assert!((u16::MAX as usize) << WINDOW_SHIFT >= super::ring::RING_BYTES_MAX);

pub const fn least_segment(address: IpAddr) -> usize {
    match address {
        IpAddr::V4(_) => SEGMENT_BYTES_LEAST_V4,
        IpAddr::V6(_) => SEGMENT_BYTES_LEAST_V6,
    }
}

/// Headers of IP and TCP without options.
pub const fn ip_and_tcp_bytes(address: IpAddr) -> usize {
    match address {
        IpAddr::V4(_) => 40,
        IpAddr::V6(_) => 60,
    }
}
