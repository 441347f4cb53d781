//! A connection sends what is due: first what was lost, then what is new, then a mere
//! confirmation (RFC 9293, section 3.8).

use super::connection::{Connection, State, ip_and_tcp_bytes};
use super::context::{Context, clock_at};
use super::header::{HEADER_BYTES, HEADER_BYTES_MAX, Header, Timestamps, flags};
use super::receiver::Confirm;
use super::sender::{Phase, TailProbe};
use super::sequence::Sequence;
use super::types::End;
use crate::limits::TCP_DEPARTURE_BYTES_MAX;
use crate::net::segment::{Departure, Route, SegmentSink, SendError};

/// Departures of one connection before the next one has its turn.
const DEPARTURES_A_TURN: usize = 4;

/// How a connection's turn has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Done,
    /// There is more, and it is somebody else's turn.
    More,
    /// The network takes nothing now.
    Busy,
}

/// A piece of the stream that is to go out.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: Sequence,
    bytes: usize,
    has_end: bool,
    why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    New,
    Lost,
    TailProbe,
}

impl Connection {
    pub fn transmit(&mut self, context: &mut Context<'_>, sink: &mut dyn SegmentSink) -> Turn {
        let flow = self.flow;
        let source = Some(flow.local.address);
        let Some(route) = sink.route(flow.tenant, source, flow.remote.address) else {
            self.on_no_way(context);
            return Turn::Done;
        };
        self.learn_route(context.now, route.mtu);
        match self.state {
            State::SynSent { .. } | State::SynReceived { .. } => self.send_syn(context, sink),
            State::TimeWait | State::Closed(_) => Turn::Done,
            _ => self.send_stream(context, sink, &route),
        }
    }

    fn on_no_way(&mut self, context: &mut Context<'_>) {
        context.counters.sends_refused += 1;
        match self.state {
            State::SynSent { .. } => self.end_with(End::Unreachable),
            State::SynReceived { .. } => {}
            // The timers try again; a route may come back.
            _ => {
                self.receiver.confirm = Confirm::Nothing;
                self.sender.is_probe_due = false;
                self.sender.is_window_probe_due = false;
                self.sender.arm(context.now, self.segment(), self.has_sack);
            }
        }
    }

    fn send_syn(&mut self, context: &mut Context<'_>, sink: &mut dyn SegmentSink) -> Turn {
        let now = context.now;
        let is_answer = matches!(self.state, State::SynReceived { .. });
        let (State::SynSent { is_due: true, .. } | State::SynReceived { is_due: true, .. }) =
            self.state
        else {
            return Turn::Done;
        };
        let header = Header {
            sequence: self.first_sequence,
            acknowledgement: match is_answer {
                true => self.receiver.next,
                false => Sequence::default(),
            },
            flags: flags::SYN | if is_answer { flags::ACK } else { 0 },
            window: self.syn_window,
            segment_bytes_max: Some(own_segment_max(self.mtu, self.flow.remote.address)),
            window_shift: (!is_answer || self.receiver.window_shift > 0)
                .then_some(super::connection::WINDOW_SHIFT),
            is_sack_permitted: self.has_sack,
            timestamps: self.has_timestamps.then(|| Timestamps {
                value: clock_at(now, self.clock_offset),
                echo: match is_answer {
                    true => self.receiver.timestamp_echo(),
                    false => 0,
                },
            }),
            ..Header::default()
        };
        match self.send(context, sink, &header, &[], 1) {
            Ok(()) => {}
            Err(SendError::Busy) => return Turn::Busy,
            Err(SendError::Forbidden) => {
                self.end_with(End::Forbidden);
                return Turn::Done;
            }
            Err(SendError::Unreachable | SendError::TooLarge) => {
                self.soft_error = Some(End::Unreachable);
            }
        }
        let retry_at = now + self.sender.round_trip.wait();
        self.sender.last_sent = now;
        self.state = match is_answer {
            true => State::SynReceived {
                is_due: false,
                retry_at,
            },
            false => State::SynSent {
                is_due: false,
                retry_at,
            },
        };
        Turn::Done
    }

    fn send_stream(
        &mut self,
        context: &mut Context<'_>,
        sink: &mut dyn SegmentSink,
        route: &Route,
    ) -> Turn {
        self.note_idle(context);
        let received = self.segment_received();
        if self.receiver.should_tell_window(context.pool, received) {
            self.receiver.confirm = Confirm::Now;
        }
        for _ in 0..DEPARTURES_A_TURN {
            let mut header = self.header(context);
            let options = header_bytes(&header) - HEADER_BYTES;
            let segment = self.segment_with(options);
            let whole = route
                .departure_bytes_max
                .clamp(segment, TCP_DEPARTURE_BYTES_MAX.max(segment));
            let Some(piece) = self.next_piece(segment, whole - whole % segment) else {
                return self.send_confirmation(context, sink, &header);
            };
            header.sequence = piece.start;
            if piece.has_end {
                header.flags |= flags::FIN;
            }
            if piece.start + piece.bytes == self.sender.data_end() {
                header.flags |= flags::PSH;
            }
            if self.send_piece(context, sink, &header, &piece, segment) == Turn::Busy {
                return Turn::Busy;
            }
        }
        Turn::More
    }

    /// The header of everything but a SYN.
    fn header(&self, context: &Context<'_>) -> Header {
        let segment = self.segment_received();
        let mut header = Header {
            sequence: self.sender.next,
            acknowledgement: self.receiver.next,
            flags: flags::ACK,
            window: self.receiver.window(context.pool, segment),
            timestamps: self.timestamps(context.now),
            ..Header::default()
        };
        if self.has_sack {
            header.sack = self.receiver.blocks();
        }
        header
    }

    /// After a pause the window of congestion may not be what the path takes any more.
    fn note_idle(&mut self, context: &Context<'_>) {
        let sender = &mut self.sender;
        if sender.flights.is_empty() && sender.unsent() > 0 {
            let idle = context.now.since(sender.last_sent);
            let wait = sender.round_trip.wait();
            let segment = self.segment();
            self.sender.congestion.on_idle(idle, wait, segment);
        }
    }

    /// What goes out next, if anything may. `whole` is the largest departure.
    fn next_piece(&mut self, segment: usize, whole: usize) -> Option<Piece> {
        if self.sender.flights.lost() > 0 {
            if let Some(piece) = self.lost_piece(segment, whole) {
                return Some(piece);
            }
            return self.tail_probe(segment);
        }
        if let Some(piece) = self.new_piece(segment, whole) {
            return Some(piece);
        }
        self.tail_probe(segment)
    }

    fn lost_piece(&self, segment: usize, whole: usize) -> Option<Piece> {
        let sender = &self.sender;
        let in_flight = sender.flights.in_flight();
        let allowed = sender.congestion.window().saturating_sub(in_flight);
        if allowed < segment && in_flight > 0 {
            return None;
        }
        let flight = sender.flights.first_lost()?;
        let most = whole.min((allowed / segment).max(1) * segment);
        Some(self.piece(flight.start, flight.bytes().min(most), Why::Lost))
    }

    /// Repeats or adds a segment so that a lost tail shows (RFC 8985, section 7.3).
    fn tail_probe(&mut self, segment: usize) -> Option<Piece> {
        if !self.sender.is_probe_due {
            return None;
        }
        self.sender.is_probe_due = false;
        let sender = &self.sender;
        let unsent = sender.unsent().min(segment);
        if unsent > 0 && unsent <= sender.window_left() && sender.flights.has_room() {
            let piece = self.piece(sender.next, unsent, Why::New);
            return Some(Piece {
                why: Why::TailProbe,
                ..piece
            });
        }
        let mut flights = sender.flights.iter().rev();
        let last = flights.find(|flight| flight.fate != super::flights::Fate::Arrived)?;
        let bytes = last.bytes().min(segment);
        Some(self.piece(last.end - bytes, bytes, Why::TailProbe))
    }

    /// So many sequence numbers from `start`: the last may be the end of the stream.
    fn piece(&self, start: Sequence, length: usize, why: Why) -> Piece {
        let sender = &self.sender;
        let bytes = length.min(sender.data_end().beyond(start));
        let reaches_end = start + bytes == sender.data_end();
        let has_end = match start.is_before(sender.next) {
            true => length > bytes,
            false => sender.is_finished && reaches_end,
        };
        Piece {
            start,
            bytes,
            has_end,
            why,
        }
    }

    fn new_piece(&self, segment: usize, whole: usize) -> Option<Piece> {
        let sender = &self.sender;
        if !sender.flights.has_room() {
            return None;
        }
        let unsent = sender.unsent();
        if unsent == 0 {
            return sender
                .owes_end()
                .then(|| self.piece(sender.next, 0, Why::New));
        }
        let bytes = self.new_bytes(segment, whole, unsent)?;
        Some(self.piece(sender.next, bytes, Why::New))
    }

    /// How much new data may go out now (RFC 9293, section 3.8.6.2.1).
    fn new_bytes(&self, segment: usize, whole: usize, unsent: usize) -> Option<usize> {
        let sender = &self.sender;
        let in_flight = sender.flights.in_flight();
        let allowed = sender.congestion.window().saturating_sub(in_flight);
        let window = sender.window_left();
        let limit = allowed.min(window).min(whole);
        if limit >= unsent {
            return self.last_bytes(segment, unsent);
        }
        let is_forced = sender.is_window_probe_due && window > 0;
        if limit < segment {
            // A small window is used when it is half of the largest ever seen.
            let is_worth_it = window <= allowed && 2 * window >= sender.window_max && window > 0;
            return (is_forced || (is_worth_it && sender.flights.is_empty()))
                .then(|| window.min(unsent).min(segment));
        }
        // With a device that cuts, one large departure is cheaper than some small ones:
        // what is on its way will open the window soon.
        let is_worth_waiting = whole > segment
            && in_flight > 0
            && sender.phase == Phase::Open
            && limit < whole.min(sender.congestion.window() / 4);
        (!is_worth_waiting).then(|| limit - limit % segment)
    }

    /// The tail of what was written: a short segment waits while another one is on its way
    /// (RFC 896 as changed by Minshall), unless nothing will follow.
    fn last_bytes(&self, segment: usize, unsent: usize) -> Option<usize> {
        let sender = &self.sender;
        let short = unsent % segment;
        let has_short_on_its_way = sender.short_end.is_after(sender.first);
        let waits = short > 0
            && has_short_on_its_way
            && self.options.delays_short_segments
            && !sender.is_finished;
        match waits {
            false => Some(unsent),
            true => (unsent > segment).then(|| unsent - short),
        }
    }

    fn send_piece(
        &mut self,
        context: &mut Context<'_>,
        sink: &mut dyn SegmentSink,
        header: &Header,
        piece: &Piece,
        segment: usize,
    ) -> Turn {
        let place = piece.start.since(self.sender.first);
        let pool = &*context.pool;
        let (pieces, count) = self.sender.ring.pieces(pool, place, piece.bytes);
        let result = send_from(self.flow, sink, header, &pieces[..count], segment);
        match result {
            Err(SendError::Busy) => {
                self.sender.is_probe_due |= piece.why == Why::TailProbe;
                return Turn::Busy;
            }
            Err(_) => context.counters.sends_refused += 1,
            Ok(()) => {}
        }
        self.was_sent(context, piece, segment);
        Turn::Done
    }

    /// Notes what is on its way now, whether or not somebody on the way refused it.
    fn was_sent(&mut self, context: &mut Context<'_>, piece: &Piece, segment: usize) {
        let now = context.now;
        let segments = piece.bytes.div_ceil(segment).max(1) as u64;
        let counters = &mut *context.counters;
        counters.departures += 1;
        counters.segments_sent += segments;
        counters.bytes_sent += piece.bytes as u64;
        let end = piece.start + piece.bytes + usize::from(piece.has_end);
        let alike = self.sender.round_trip.smoothed().unwrap_or_default();
        let sender = &mut self.sender;
        if sender.flights.is_empty() {
            sender.progress = now;
        }
        let is_new = piece.start == sender.next;
        if is_new {
            sender
                .flights
                .push(piece.start, end, now, alike.as_nanos() / 16);
            sender.next = end;
            sender.has_sent_end |= piece.has_end;
            if piece.bytes % segment != 0 {
                sender.short_end = end;
            }
        } else {
            sender.flights.retransmitted(piece.start, end, now);
            sender.retransmitted += piece.bytes as u64;
            counters.segments_retransmitted += segments;
        }
        if piece.why == Why::TailProbe {
            counters.tail_probes += 1;
            sender.progress = now;
            sender.tail_probe = Some(TailProbe {
                end,
                was_retransmission: !is_new,
            });
        }
        if let Phase::Recovery { sent, .. } = &mut sender.phase {
            *sent += piece.bytes;
        }
        sender.last_sent = now;
        sender.is_window_probe_due = false;
        let received = self.segment_received();
        self.receiver.was_confirmed(context.pool, received);
        let (segment, has_sack) = (self.segment(), self.has_sack);
        self.sender.arm(now, segment, has_sack);
    }

    /// An empty segment, when one is owed; also what asks whether a window is still closed.
    fn send_confirmation(
        &mut self,
        context: &mut Context<'_>,
        sink: &mut dyn SegmentSink,
        header: &Header,
    ) -> Turn {
        let is_probe = self.sender.is_window_probe_due;
        if self.receiver.confirm == Confirm::Now || is_probe {
            let mut header = *header;
            if is_probe {
                // What was confirmed long ago is always answered (RFC 9293, section 3.8.6.1).
                header.sequence = self.sender.first - 1;
            }
            if self.send(context, sink, &header, &[], 1) == Err(SendError::Busy) {
                return Turn::Busy;
            }
            if is_probe {
                self.sender.is_window_probe_due = false;
                context.counters.window_probes += 1;
            }
            let received = self.segment_received();
            self.receiver.was_confirmed(context.pool, received);
        }
        let (segment, has_sack) = (self.segment(), self.has_sack);
        if self.sender.flights.is_empty() {
            self.sender.arm(context.now, segment, has_sack);
        }
        Turn::Done
    }

    /// Everything without payload; a refusal is counted and otherwise like a loss.
    fn send(
        &mut self,
        context: &mut Context<'_>,
        sink: &mut dyn SegmentSink,
        header: &Header,
        payload: &[&[u8]],
        segment: usize,
    ) -> Result<(), SendError> {
        let result = send_from(self.flow, sink, header, payload, segment);
        match result {
            Ok(()) => {
                context.counters.departures += 1;
                context.counters.segments_sent += 1;
            }
            Err(SendError::Busy) => {}
            Err(_) => context.counters.sends_refused += 1,
        }
        result
    }
}

/// Hands a segment, or a row of them, to the network.
pub fn send_from(
    flow: super::flow::Flow,
    sink: &mut dyn SegmentSink,
    header: &Header,
    payload: &[&[u8]],
    segment: usize,
) -> Result<(), SendError> {
    let mut buffer = [0; HEADER_BYTES_MAX];
    sink.send(&Departure {
        tenant: flow.tenant,
        local: flow.local,
        remote: flow.remote,
        header: header.emit(flow.local.port, flow.remote.port, &mut buffer),
        payload,
        segment_bytes: segment,
        is_congestion_capable: false,
    })
}

/// The largest segment that we can take on a path.
pub fn own_segment_max(mtu: usize, remote: core::net::IpAddr) -> u16 {
    let bytes = mtu.saturating_sub(ip_and_tcp_bytes(remote)).max(88);
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

/// What `emit` will make of it.
fn header_bytes(header: &Header) -> usize {
    let mut bytes = HEADER_BYTES;
    if header.timestamps.is_some() {
        bytes += super::header::TIMESTAMPS_BYTES;
    }
    match header.sack.as_slice().len() {
        0 => bytes,
        blocks => bytes + 4 + 8 * blocks.min(super::header::SACK_BLOCKS_SENT_MAX),
    }
}
