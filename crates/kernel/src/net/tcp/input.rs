//! A segment comes in: to a connection, to one that is half open, to the memory of one
//! that is over, to a listener, or to nobody.

use super::Tcp;
use super::arrive::reset_for;
use super::connection::{Connection, State};
use super::flow::{Flow, Place};
use super::half_open::HalfOpen;
use super::header::{Header, flags};
use super::sequence::Sequence;
use super::types::End;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::net::packet::Endpoint;
use crate::net::segment::Arrival;

impl Tcp {
    pub fn on_segment(&mut self, now: Instant, arrival: &Arrival<'_>) {
        self.counters.segments_received += 1;
        let flow = Flow {
            tenant: arrival.tenant,
            local: arrival.local,
            remote: arrival.remote,
        };
        let (Ok(header), false) = (Header::parse(arrival.header), is_nobody(&flow)) else {
            self.counters.malformed += 1;
            return;
        };
        let hash = self.flows.hash(&flow);
        match self.place_of(hash, &flow) {
            Some(Place::Connection(index)) => {
                let answer = self.with(now, index, |connection, context| {
                    connection.on_segment(context, &header, arrival.payload)
                });
                if let Some(Some(reset)) = answer {
                    self.replies.push(flow, reset);
                }
            }
            Some(Place::HalfOpen(index)) => {
                self.on_half_open(now, index, &header, arrival.payload);
            }
            Some(Place::TimeWait(index)) => {
                self.on_time_wait(now, index, &header, arrival.payload);
            }
            None => self.on_stranger(now, flow, &header, arrival.payload.len()),
        }
    }

    pub(super) fn place_of(&self, hash: u32, flow: &Flow) -> Option<Place> {
        self.flows.find(hash, |place| {
            let other = match place {
                Place::Connection(index) => self.table.get(index).map(|it| &it.flow),
                Place::HalfOpen(index) => self.half_opens.get(index).map(|it| &it.flow),
                Place::TimeWait(index) => self.time_waits.get(index).map(|it| &it.flow),
            };
            other == Some(flow)
        })
    }

    fn on_stranger(&mut self, now: Instant, flow: Flow, header: &Header, payload: usize) {
        if header.has(flags::RST) {
            return;
        }
        match self.listeners.find(&flow) {
            Some(listener) if !header.has(flags::ACK) => {
                if header.has(flags::SYN) && !header.has(flags::FIN) {
                    self.on_request(now, flow, listener, header);
                }
            }
            _ => {
                let reset = reset_for(header, payload);
                self.replies.push_to_stranger(now, flow, reset);
            }
        }
    }

    /// Somebody asks for a connection: no buffers until he has confirmed that it was him.
    fn on_request(&mut self, now: Instant, flow: Flow, listener: u16, header: &Header) {
        let has_room = self.listeners.get(listener).is_some_and(|it| it.has_room());
        if !has_room || !self.has_room() {
            self.counters.backlog_full += 1;
            return;
        }
        if let Some(oldest) = self.half_opens.in_the_way() {
            self.counters.half_open_dropped += 1;
            self.drop_half_open(oldest);
        }
        let half_open = HalfOpen {
            flow,
            listener,
            request: *header,
            first_sequence: self.first_sequence(now, &flow),
            clock_offset: self.clock_offset(&flow),
            window: self.first_window(),
            mtu: 0,
            sent: now,
            was_repeated: false,
            is_due: true,
            repeats: 0,
            age: 0,
        };
        if let Some(index) = self.half_opens.insert(half_open) {
            let hash = self.flows.hash(&flow);
            self.flows.insert(hash, Place::HalfOpen(index));
            self.to_answer.push(index);
        }
    }

    pub(super) fn drop_half_open(&mut self, index: u16) -> Option<HalfOpen> {
        let half_open = self.half_opens.remove(index)?;
        let hash = self.flows.hash(&half_open.flow);
        self.flows.remove(hash, Place::HalfOpen(index));
        Some(half_open)
    }

    fn on_half_open(&mut self, now: Instant, index: u16, header: &Header, payload: &[u8]) {
        let Some(half_open) = self.half_opens.get_mut(index) else {
            return;
        };
        let next = half_open.request.sequence + 1;
        if header.has(flags::RST) {
            if header.sequence == next {
                self.counters.resets_received += 1;
                self.drop_half_open(index);
            }
            return;
        }
        if header.has(flags::SYN) {
            // The same request again, or a new one: a peer that does not know our answer
            // resets it, and then its new request is heard.
            half_open.is_due = true;
            half_open.was_repeated = true;
            self.to_answer.push(index);
            return;
        }
        if !header.has(flags::ACK) {
            return;
        }
        let is_old = match (half_open.request.timestamps, header.timestamps) {
            (Some(first), Some(now)) => {
                Sequence::new(now.value).is_before(Sequence::new(first.value))
            }
            _ => false,
        };
        let is_in_window = !header.sequence.is_before(next)
            && !header
                .sequence
                .is_after(next + usize::from(half_open.window));
        if is_old || !is_in_window {
            self.counters.unacceptable += 1;
        } else if header.acknowledgement == half_open.first_sequence + 1 {
            self.promote(now, index, header, payload);
        } else {
            let flow = half_open.flow;
            let reset = reset_for(header, payload.len());
            self.replies.push_to_stranger(now, flow, reset);
        }
    }

    /// The peer has confirmed: now it gets its buffers, if there is room.
    fn promote(&mut self, now: Instant, index: u16, header: &Header, payload: &[u8]) {
        let Some(number) = self.half_opens.get(index).map(|it| it.listener) else {
            return;
        };
        let has_room = self.listeners.get(number).is_some_and(|it| it.has_room());
        if !has_room || !self.has_room() {
            // The peer takes it for a loss and tries again; so do we.
            self.counters.backlog_full += 1;
            return;
        }
        let Some(half_open) = self.drop_half_open(index) else {
            return;
        };
        let Some(rings) = self.rings() else {
            return;
        };
        let flow = half_open.flow;
        let hash = self.flows.hash(&flow);
        let connection = Connection::accepted(now, hash, &half_open, rings);
        let Some(index) = self.table.insert(connection) else {
            return;
        };
        self.flows.insert(hash, Place::Connection(index));
        self.counters.connections_accepted += 1;
        if let Some(listener) = self.listeners.get_mut(number) {
            let waits = listener.waiting.push(index);
            crate::invariant!(waits.is_ok(), "more connections wait than there are");
        }
        let answer = self.with(now, index, |connection, context| {
            connection.on_segment(context, header, payload)
        });
        if let Some(Some(reset)) = answer {
            self.replies.push(flow, reset);
        }
    }

    fn on_time_wait(&mut self, now: Instant, index: u16, header: &Header, payload: &[u8]) {
        let Some(time_wait) = self.time_waits.get(index).copied() else {
            return;
        };
        if header.has(flags::RST) {
            // RFC 1337: a late reset must not end the wait.
            return;
        }
        if time_wait.gives_way_to(header) && self.listeners.find(&time_wait.flow).is_some() {
            self.forget(index);
            self.on_stranger(now, time_wait.flow, header, payload.len());
            return;
        }
        if header.sequence_length(payload.len()) > 0 {
            if header.has(flags::FIN) {
                self.time_waits.prolong(now, index);
            }
            let answer = time_wait.answer(now);
            self.replies.push_to_stranger(now, time_wait.flow, answer);
        }
    }

    /// A router says that packets larger than `mtu` do not get to `remote`. `sequence` is
    /// that of the segment it quotes; a message about none of ours is ignored.
    pub fn on_path_mtu(
        &mut self,
        now: Instant,
        tenant: Tenant,
        local: Endpoint,
        remote: Endpoint,
        sequence: u32,
        mtu: usize,
    ) {
        let flow = Flow {
            tenant,
            local,
            remote,
        };
        if let Some(index) = self.quoted(&flow, sequence) {
            self.with(now, index, |connection, _| connection.learn_path(now, mtu));
        }
    }

    /// A router or the host says that `remote` cannot be reached; `is_hard` for what will
    /// not change by waiting (a closed port, a prohibition).
    pub fn on_unreachable(
        &mut self,
        now: Instant,
        tenant: Tenant,
        local: Endpoint,
        remote: Endpoint,
        sequence: u32,
        is_hard: bool,
    ) {
        let flow = Flow {
            tenant,
            local,
            remote,
        };
        let Some(index) = self.quoted(&flow, sequence) else {
            return;
        };
        self.with(now, index, |connection, _| {
            connection.soft_error = Some(End::Unreachable);
            // An open connection outlives such messages (RFC 5927, section 4).
            if is_hard && matches!(connection.state, State::SynSent { .. }) {
                connection.end_with(End::Unreachable);
            }
        });
    }

    /// The connection that has just that sequence number on its way: whoever only guesses
    /// the endpoints does not know it.
    fn quoted(&self, flow: &Flow, sequence: u32) -> Option<u16> {
        let hash = self.flows.hash(flow);
        let Some(Place::Connection(index)) = self.place_of(hash, flow) else {
            return None;
        };
        let connection = self.table.get(index)?;
        let sequence = Sequence::new(sequence);
        let sender = &connection.sender;
        let is_ours = match connection.state.is_opening() {
            true => sequence == connection.first_sequence,
            false => !sequence.is_before(sender.first) && sequence.is_before(sender.next),
        };
        is_ours.then_some(index)
    }
}

/// Ports and addresses that nobody can have.
fn is_nobody(flow: &Flow) -> bool {
    let address = flow.remote.address;
    flow.local.port == 0
        || flow.remote.port == 0
        || address.is_unspecified()
        || address.is_multicast()
        || flow.local.address.is_multicast()
        || address == core::net::IpAddr::V4(core::net::Ipv4Addr::BROADCAST)
}
