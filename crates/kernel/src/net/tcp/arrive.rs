//! A segment comes to a connection (RFC 9293, section 3.10.7; RFC 5961; RFC 7323).

use super::connection::{Connection, State};
use super::context::Context;
use super::header::{Header, flags};
use super::receiver::Confirm;
use super::types::{End, Event};
use crate::base::time::{Duration, Instant};

/// How long the end of a connection that nobody uses may take the other side.
pub const HALF_CLOSED: Duration = Duration::from_secs(60);

impl Connection {
    /// The header that is returned is to be sent without the connection: a reset.
    pub fn on_segment(
        &mut self,
        context: &mut Context<'_>,
        header: &Header,
        payload: &[u8],
    ) -> Option<Header> {
        if let State::SynSent { .. } = self.state {
            return self.on_answer_to_syn(context, header);
        }
        let mut header = *header;
        let is_syn_again = matches!(self.state, State::SynReceived { .. })
            && header.has(flags::SYN)
            && header.sequence + 1 == self.receiver.next;
        if is_syn_again {
            header.flags &= !flags::SYN;
            header.sequence = header.sequence + 1;
        }
        if !self.passes(context, &header, payload) {
            return None;
        }
        self.last_heard = context.now;
        self.keep_alive_probes = 0;
        if let Some(timestamps) = header.timestamps
            && self.has_timestamps
        {
            let value = timestamps.value;
            self.receiver
                .note_timestamp(context.now, header.sequence, value);
        }
        if let State::SynReceived { .. } = self.state {
            if header.acknowledgement != self.sender.first {
                context.counters.unacceptable += 1;
                return Some(reset_for(&header, payload.len()));
            }
            self.become_established();
        }
        self.on_acknowledgement(context, &header, payload);
        if self.state.is_over() {
            return None;
        }
        self.on_payload(context, &header, payload)
    }

    /// The checks before anything is believed.
    fn passes(&mut self, context: &mut Context<'_>, header: &Header, payload: &[u8]) -> bool {
        let now = context.now;
        let is_reset = header.has(flags::RST);
        if let Some(timestamps) = header.timestamps
            && self.has_timestamps
            && !is_reset
            && self.receiver.is_old_timestamp(now, timestamps.value)
        {
            context.counters.old_timestamps += 1;
            self.answer_misfit(now, header, payload);
            return false;
        }
        let length = header.sequence_length(payload.len());
        if !self.receiver.is_acceptable(header.sequence, length) {
            if !is_reset {
                if !payload.is_empty() {
                    context.counters.duplicates += 1;
                }
                self.answer_misfit(now, header, payload);
            }
            return false;
        }
        if is_reset {
            self.on_reset(context, header);
            return false;
        }
        if header.has(flags::SYN) {
            self.challenge(context);
            return false;
        }
        if !header.has(flags::ACK) {
            return false;
        }
        let sender = &self.sender;
        let oldest = sender.first - sender.window_max.max(1 << 16);
        let is_possible = !header.acknowledgement.is_after(sender.next)
            && !header.acknowledgement.is_before(oldest);
        if !is_possible && !self.state.is_opening() {
            context.counters.unacceptable += 1;
            self.challenge(context);
            return false;
        }
        true
    }

    /// Data that does not fit is always answered: its sender waits. Anything else could be
    /// an answer to our answer.
    fn answer_misfit(&mut self, now: Instant, header: &Header, payload: &[u8]) {
        if payload.is_empty() && !header.has(flags::FIN) {
            self.answer_rarely(now);
        } else {
            let end = header.sequence + payload.len();
            self.receiver.note_duplicate(header.sequence, end);
            self.receiver.confirm = Confirm::Now;
        }
    }

    fn challenge(&mut self, context: &mut Context<'_>) {
        if self.answer_rarely(context.now) {
            context.counters.challenges_sent += 1;
        }
    }

    /// Only a reset at the very place that we expect ends the connection.
    fn on_reset(&mut self, context: &mut Context<'_>, header: &Header) {
        if header.sequence != self.receiver.next {
            self.challenge(context);
            return;
        }
        context.counters.resets_received += 1;
        self.end_with(match self.state {
            State::SynReceived { .. } => End::Refused,
            State::Closing | State::LastAck => End::Finished,
            _ => End::Reset,
        });
    }

    fn on_answer_to_syn(&mut self, context: &mut Context<'_>, header: &Header) -> Option<Header> {
        let has_ack = header.has(flags::ACK);
        if has_ack && header.acknowledgement != self.sender.first {
            context.counters.unacceptable += 1;
            return (!header.has(flags::RST)).then(|| reset_for(header, 0));
        }
        if header.has(flags::RST) {
            if has_ack {
                context.counters.resets_received += 1;
                self.end_with(End::Refused);
            }
            return None;
        }
        if !header.has(flags::SYN) {
            return None;
        }
        let (now, sent) = (context.now, self.sender.last_sent);
        self.learn(now, header);
        self.last_heard = now;
        if !has_ack {
            self.state = State::SynReceived {
                is_due: true,
                retry_at: now,
            };
            return None;
        }
        if self.sender.round_trip.doublings() == 0 {
            self.sender.round_trip.measured(now, now.since(sent));
        }
        self.become_established();
        self.receiver.confirm = Confirm::Now;
        None
    }

    fn become_established(&mut self) {
        self.state = match self.sender.is_finished {
            true => State::FinWait1,
            false => State::Established,
        };
        self.sender.round_trip.heard();
        self.tell(Event::Opened);
    }

    fn on_acknowledgement(&mut self, context: &mut Context<'_>, header: &Header, payload: &[u8]) {
        let ack = header.acknowledgement;
        let (seen, is_wider) = self.take_window(header);
        let advances = ack.is_after(self.sender.first);
        let is_repetition = !advances
            && ack == self.sender.first
            && payload.is_empty()
            && !seen
            && !header.has(flags::FIN);
        let has_news =
            advances || !header.sack.as_slice().is_empty() || (is_repetition && !self.has_sack);
        if self.sender.persist_at.is_some() {
            self.sender.window_probes_unanswered = 0;
            if is_wider {
                self.sender.window_probes = 0;
            }
        }
        if !has_news || ack.is_before(self.sender.first) {
            return;
        }
        let agreement = self.agreement();
        self.sender
            .on_acknowledgement(context, header, agreement, is_repetition);
        if advances {
            if self.sender.was_low && self.sender.has_quarter(context.pool) {
                self.sender.was_low = false;
                self.tell(Event::Writable);
            }
            if self.sender.is_end_confirmed() {
                self.on_end_confirmed(context.now);
            }
        }
    }

    /// Says whether the window changed, and whether it has grown.
    fn take_window(&mut self, header: &Header) -> (bool, bool) {
        let sender = &mut self.sender;
        let (sequence, ack) = sender.window_told;
        let is_newer = sequence.is_before(header.sequence)
            || (sequence == header.sequence && !header.acknowledgement.is_before(ack));
        if !is_newer || header.acknowledgement.is_before(sender.first) {
            return (false, false);
        }
        let window = usize::from(header.window) << sender.window_shift;
        let before = core::mem::replace(&mut sender.window, window);
        sender.window_max = sender.window_max.max(window);
        sender.window_told = (header.sequence, header.acknowledgement);
        (before != window, window > before)
    }

    fn on_end_confirmed(&mut self, now: Instant) {
        match self.state {
            State::FinWait1 => {
                let until = self.is_released.then(|| now + HALF_CLOSED);
                self.state = State::FinWait2 { until };
            }
            State::Closing => self.become_waiting(),
            State::LastAck => self.end_with(End::Finished),
            _ => {}
        }
    }

    fn become_waiting(&mut self) {
        self.state = State::TimeWait;
        self.tell(Event::Closed);
    }

    fn on_payload(
        &mut self,
        context: &mut Context<'_>,
        header: &Header,
        payload: &[u8],
    ) -> Option<Header> {
        let has_end = header.has(flags::FIN);
        if payload.is_empty() && !has_end {
            return None;
        }
        let end = header.sequence + payload.len();
        if self.is_released && end.is_after(self.receiver.next) && !self.receiver.is_ended {
            // Nobody will read it, and the other side should know (RFC 2525, section 2.17).
            self.end_with(End::Aborted);
            return Some(self.reset());
        }
        let segment = self.segment_received();
        let is_news = self
            .receiver
            .take(context, header.sequence, payload, has_end, segment);
        if !is_news {
            return None;
        }
        self.tell(Event::Readable);
        if self.receiver.is_ended {
            self.on_end_of_stream();
        }
        None
    }

    fn on_end_of_stream(&mut self) {
        match self.state {
            State::Established => self.state = State::CloseWait,
            State::FinWait1 => self.state = State::Closing,
            State::FinWait2 { .. } => self.become_waiting(),
            _ => {}
        }
    }

    /// What breaks the connection off at the other side.
    pub fn reset(&self) -> Header {
        Header {
            sequence: self.sender.next,
            acknowledgement: self.receiver.next,
            flags: flags::RST | flags::ACK,
            ..Header::default()
        }
    }
}

/// The answer to a segment that belongs to no connection (RFC 9293, section 3.10.7.1).
pub fn reset_for(header: &Header, payload: usize) -> Header {
    if header.has(flags::ACK) {
        return Header {
            sequence: header.acknowledgement,
            flags: flags::RST,
            ..Header::default()
        };
    }
    Header {
        acknowledgement: header.sequence + header.sequence_length(payload),
        flags: flags::RST | flags::ACK,
        ..Header::default()
    }
}
