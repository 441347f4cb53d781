//! A connection's deadlines: what it does when nothing is heard.

use super::connection::{Connection, State};
use super::context::Context;
use super::receiver::Confirm;
use super::types::End;
use crate::base::time::{Duration, Instant};

/// Requests for a connection before giving up: after about two minutes.
const SYN_REPEATS_MAX: u32 = 6;
/// Time-outs in a row before giving up: after about a quarter of an hour.
const TIMEOUTS_MAX: u32 = 15;
/// The same for a connection that nobody uses any more.
const TIMEOUTS_MAX_RELEASED: u32 = 8;
/// Questions to a peer that keeps silent, and the time between them.
const KEEP_ALIVE_PROBES_MAX: u8 = 9;
const KEEP_ALIVE_APART: Duration = Duration::from_secs(75);

impl Connection {
    /// When `on_deadline` is to be called.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::SynSent { is_due, retry_at } | State::SynReceived { is_due, retry_at } => {
                (!is_due).then_some(retry_at)
            }
            State::TimeWait | State::Closed(_) => None,
            _ => {
                let confirm = match self.receiver.confirm {
                    Confirm::By(at) => Some(at),
                    Confirm::Nothing | Confirm::Now => None,
                };
                let until = match self.state {
                    State::FinWait2 { until } => until,
                    _ => None,
                };
                let all = [self.sender.deadline(), confirm, until, self.keep_alive_at()];
                all.into_iter().flatten().min()
            }
        }
    }

    pub fn on_deadline(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        if self.state.is_over() {
            return;
        }
        if self.state.is_opening() {
            self.maybe_repeat_syn(context);
            return;
        }
        if matches!(self.receiver.confirm, Confirm::By(at) if at <= now) {
            self.receiver.confirm = Confirm::Now;
        }
        if matches!(self.state, State::FinWait2 { until: Some(until) } if until <= now) {
            self.end_with(End::Finished);
            return;
        }
        if self.sender.flights.is_empty() {
            self.maybe_probe_window(now);
        } else {
            self.maybe_retransmit(context);
        }
        if self.keep_alive_at().is_some_and(|at| at <= now) {
            self.keep_alive(now);
        }
    }

    fn maybe_repeat_syn(&mut self, context: &mut Context<'_>) {
        let (State::SynSent { is_due, retry_at } | State::SynReceived { is_due, retry_at }) =
            &mut self.state
        else {
            return;
        };
        if *is_due || *retry_at > context.now {
            return;
        }
        if self.sender.round_trip.doublings() >= SYN_REPEATS_MAX {
            let end = self.soft_error.unwrap_or(End::TimedOut);
            self.end_with(end);
            return;
        }
        *is_due = true;
        self.sender.round_trip.back_off();
        context.counters.segments_retransmitted += 1;
    }

    fn maybe_retransmit(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        let sender = &mut self.sender;
        if sender.retransmit_at() <= now {
            let most = match self.is_released {
                true => TIMEOUTS_MAX_RELEASED,
                false => TIMEOUTS_MAX,
            };
            if sender.round_trip.doublings() >= most {
                self.end_with(self.soft_error.unwrap_or(End::TimedOut));
                return;
            }
            let agreement = self.agreement();
            self.sender.on_timeout(context, agreement);
        } else if sender.reorder_at.is_some_and(|at| at <= now) {
            let agreement = self.agreement();
            self.sender.find_losses(context, agreement);
        } else if sender.probe_at.is_some_and(|at| at <= now) {
            sender.probe_at = None;
            sender.is_probe_due = true;
        }
    }

    fn maybe_probe_window(&mut self, now: Instant) {
        if self.sender.persist_at.is_none_or(|at| at > now) {
            return;
        }
        let most = match self.is_released {
            true => TIMEOUTS_MAX_RELEASED,
            false => TIMEOUTS_MAX,
        };
        if self.sender.window_probes_unanswered >= most {
            self.end_with(self.soft_error.unwrap_or(End::TimedOut));
            return;
        }
        self.sender.persist_at = None;
        self.sender.window_probes += 1;
        self.sender.window_probes_unanswered += 1;
        self.sender.is_window_probe_due = true;
    }

    fn keep_alive_at(&self) -> Option<Instant> {
        let idle = self.options.keep_alive?;
        let waited = u64::from(self.keep_alive_probes) * KEEP_ALIVE_APART.as_nanos();
        Some(self.last_heard + idle + Duration::from_nanos(waited))
    }

    fn keep_alive(&mut self, now: Instant) {
        if self.keep_alive_probes >= KEEP_ALIVE_PROBES_MAX {
            self.end_with(End::TimedOut);
            return;
        }
        self.keep_alive_probes += 1;
        // What is on its way already asks.
        if self.sender.flights.is_empty() {
            self.sender.is_window_probe_due = true;
        } else {
            self.last_heard = now;
        }
    }
}
