//! What is due goes out: deadlines, answers to strangers, then the connections in turn.

use super::Tcp;
use super::connection::ip_and_tcp_bytes;
use super::context::clock_at;
use super::depart::{Turn, own_segment_max, send_from};
use super::header::flags;
use crate::base::time::{Duration, Instant};
use crate::net::segment::{SegmentSink, SendError};

/// After so many refusals in a row the network is taken to be full for everybody.
const REFUSALS_MAX: usize = 16;
/// The network is tried again at the latest after that.
const RETRY_AFTER: Duration = Duration::from_millis(10);

impl Tcp {
    /// Sends whatever is due, a connection at a time in turn; stops when the sink is busy.
    pub fn transmit(&mut self, now: Instant, sink: &mut dyn SegmentSink) {
        self.busy_since = None;
        self.expire(now);
        self.send_replies(now, sink);
        self.answer_requests(now, sink);
        self.take_turns(now, sink);
    }

    /// When `transmit` is to be called though nothing happens.
    pub fn next_deadline(&self) -> Option<Instant> {
        let has_work =
            self.to_send.len() > 0 || self.to_answer.len() > 0 || !self.replies.queue.is_empty();
        let work = match self.busy_since {
            Some(since) => Some(since + RETRY_AFTER),
            None => has_work.then_some(Instant::ZERO),
        };
        let all = [
            work,
            self.timers.next_deadline(),
            self.half_opens.timers.next_deadline(),
            self.time_waits.next_deadline(),
        ];
        all.into_iter().flatten().min()
    }

    fn expire(&mut self, now: Instant) {
        while let Some(index) = self.timers.pop_due(now) {
            self.with(now, index, |connection, context| {
                connection.on_deadline(context);
            });
        }
        while let Some(index) = self.half_opens.timers.pop_due(now) {
            match self.half_opens.on_deadline(index) {
                true => self.to_answer.push(index),
                false => {
                    self.drop_half_open(index);
                }
            }
        }
        while let Some(index) = self.time_waits.due(now) {
            self.forget(index);
        }
    }

    fn send_replies(&mut self, now: Instant, sink: &mut dyn SegmentSink) {
        for _ in 0..self.replies.queue.len() {
            let Some(reply) = self.replies.queue.pop() else {
                return;
            };
            match send_from(reply.flow, sink, &reply.header, &[], 1) {
                Ok(()) => {
                    self.counters.departures += 1;
                    self.counters.segments_sent += 1;
                    self.counters.resets_sent += u64::from(reply.header.has(flags::RST));
                }
                Err(SendError::Busy) => {
                    self.busy_since = Some(now);
                    self.replies.push(reply.flow, reply.header);
                }
                Err(_) => self.counters.sends_refused += 1,
            }
        }
    }

    fn answer_requests(&mut self, now: Instant, sink: &mut dyn SegmentSink) {
        for _ in 0..self.to_answer.len() {
            let Some(index) = self.to_answer.pop() else {
                return;
            };
            let Some(half_open) = self.half_opens.get_mut(index) else {
                continue;
            };
            if !half_open.is_due {
                continue;
            }
            let flow = half_open.flow;
            let route = sink.route(flow.tenant, Some(flow.local.address), flow.remote.address);
            let Some(route) = route else {
                self.counters.sends_refused += 1;
                self.drop_half_open(index);
                continue;
            };
            half_open.mtu = route.mtu.max(ip_and_tcp_bytes(flow.remote.address) + 88);
            let segment = own_segment_max(route.mtu, flow.remote.address);
            let header = half_open.answer(clock_at(now, half_open.clock_offset), segment);
            match send_from(flow, sink, &header, &[], 1) {
                Err(SendError::Busy) => {
                    self.busy_since = Some(now);
                    self.to_answer.push(index);
                }
                Err(_) => {
                    self.counters.sends_refused += 1;
                    self.half_opens.was_sent(index, now);
                }
                Ok(()) => {
                    self.counters.departures += 1;
                    self.counters.segments_sent += 1;
                    self.half_opens.was_sent(index, now);
                }
            }
        }
    }

    /// Each connection in turn, until nobody has anything or the network has no room. One
    /// that waits for its neighbour's address does not keep the others.
    fn take_turns(&mut self, now: Instant, sink: &mut dyn SegmentSink) {
        let mut refusals = 0;
        while refusals < REFUSALS_MAX.min(self.to_send.len()) {
            let Some(index) = self.to_send.pop() else {
                return;
            };
            let Some(turn) = self.turn(now, index, sink) else {
                continue;
            };
            match turn {
                Turn::Done => refusals = 0,
                Turn::More => {
                    refusals = 0;
                    self.to_send.push(index);
                }
                Turn::Busy => {
                    refusals += 1;
                    self.busy_since = Some(now);
                    self.to_send.push(index);
                }
            }
        }
    }

    fn turn(&mut self, now: Instant, index: u16, sink: &mut dyn SegmentSink) -> Option<Turn> {
        let connection = self.table.get_mut(index)?;
        if connection.state.is_over() {
            return None;
        }
        let mut context = super::Context {
            now,
            pool: &mut self.pool,
            counters: &mut self.counters,
        };
        let turn = connection.transmit(&mut context, sink);
        if connection.state.is_over() {
            self.settle_ended(now, index);
        } else if let Some(deadline) = connection.deadline() {
            self.timers.arm(index, deadline);
        }
        Some(turn)
    }
}
