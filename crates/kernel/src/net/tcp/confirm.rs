//! What an acknowledgement changes for who sends: losses found, the window steered.

use super::context::{Context, clock_at};
use super::flights::Flight;
use super::header::{Header, Range};
use super::sender::{Phase, Sender, Undo};
use super::sequence::Sequence;
use crate::base::time::{Duration, Instant};

/// What both sides have agreed on that matters here.
#[derive(Clone, Copy)]
pub struct Agreement {
    pub has_sack: bool,
    pub segment: usize,
    pub clock_offset: u32,
}

/// What one acknowledgement has brought.
#[derive(Default)]
struct News {
    /// Bytes that are known to have arrived only now.
    delivered: usize,
    /// The round trip of the latest of them that was sent once.
    sample: Option<Duration>,
    advanced: usize,
}

impl Sender {
    /// `header` acknowledges nothing that was not sent. `is_repetition` says that it
    /// brought neither data nor another window.
    pub fn on_acknowledgement(
        &mut self,
        context: &mut Context<'_>,
        header: &Header,
        agreement: Agreement,
        is_repetition: bool,
    ) {
        let now = context.now;
        self.flight_high = self.flight_high.max(self.flights.in_flight());
        let duplicate = self.duplicate_told(header);
        let mut news = self.take_in(now, header, agreement);
        if let Some(range) = duplicate {
            self.rack.on_duplicate(self.first, self.next);
            self.forgive_probe(range);
        }
        self.advance(context, header, agreement, &mut news);
        if !agreement.has_sack {
            self.count_repetitions(context, agreement, is_repetition, news.advanced);
        }
        self.judge_probe(context, header, agreement.segment);
        if news.advanced > 0 {
            self.maybe_undo(context, header);
            self.maybe_leave_recovery();
        }
        let found = self.find_losses(context, agreement);
        self.steer(context, agreement.segment, &news, found);
        self.arm(now, agreement.segment, agreement.has_sack);
    }

    /// A timer says that what was sent before something that arrived may be lost by now.
    pub fn find_losses(&mut self, context: &mut Context<'_>, agreement: Agreement) -> bool {
        let smoothed = self.round_trip.smoothed().unwrap_or_default();
        let minimum = self.round_trip.minimum().unwrap_or_default();
        let (lost, look_again) = self.rack.detect(
            context.now,
            &mut self.flights,
            smoothed,
            minimum,
            agreement.segment,
            self.phase != Phase::Open,
        );
        self.reorder_at = look_again;
        if lost > 0 && self.phase == Phase::Open {
            self.become_recovering(context, agreement);
        }
        lost > 0
    }

    /// Nothing was heard for the whole wait (RFC 6298, section 5).
    pub fn on_timeout(&mut self, context: &mut Context<'_>, agreement: Agreement) {
        context.counters.timeouts += 1;
        if self.phase == Phase::Open {
            self.remember(context.now, agreement.clock_offset);
            self.congestion.on_loss(agreement.segment);
        }
        self.flights.mark_all_lost();
        self.congestion.set_window(agreement.segment);
        self.phase = Phase::Loss { until: self.next };
        self.tail_probe = None;
        self.reorder_at = None;
        self.duplicates = 0;
        self.round_trip.back_off();
        self.progress = context.now;
    }

    fn remember(&mut self, now: Instant, clock_offset: u32) {
        self.undo = Some(Undo {
            window: self.congestion.window(),
            threshold: self.congestion.threshold(),
            clock: clock_at(now, clock_offset),
        });
    }

    fn become_recovering(&mut self, context: &mut Context<'_>, agreement: Agreement) {
        context.counters.fast_recoveries += 1;
        self.remember(context.now, agreement.clock_offset);
        let at_start = self.next.since(self.first);
        self.congestion.on_loss(agreement.segment);
        self.phase = Phase::Recovery {
            until: self.next,
            at_start: at_start.max(agreement.segment),
            delivered: 0,
            sent: 0,
        };
        self.tail_probe = None;
        // One segment may go at once, whatever is still on its way (fast retransmission).
        let in_flight = self.flights.in_flight();
        self.congestion.set_window(in_flight + agreement.segment);
    }

    /// Notes what the header says has arrived.
    fn take_in(&mut self, now: Instant, header: &Header, agreement: Agreement) -> News {
        let mut news = News::default();
        let minimum = self.round_trip.minimum().unwrap_or_default();
        let echo = header.timestamps.map(|timestamps| timestamps.echo);
        let (first, next) = (self.first, self.next);
        let rack = &mut self.rack;
        let mut visit = |flight: &Flight| {
            let sent = clock_at(flight.sent, agreement.clock_offset);
            let is_first_sending =
                echo.is_some_and(|echo| Sequence::new(echo).is_before(Sequence::new(sent)));
            rack.arrived(now, flight, is_first_sending, minimum);
            news.delivered += flight.bytes();
            if !flight.was_retransmitted {
                let span = now.since(flight.sent);
                news.sample = Some(news.sample.map_or(span, |other| other.min(span)));
            }
        };
        self.flights.acknowledge(header.acknowledgement, &mut visit);
        if agreement.has_sack {
            for (start, end) in header.sack.as_slice() {
                let is_plausible = start.is_before(*end)
                    && !start.is_before(first.later(header.acknowledgement))
                    && !end.is_after(next);
                if is_plausible {
                    self.flights.mark_arrived(*start, *end, &mut visit);
                }
            }
        }
        news
    }

    /// Frees what was confirmed for good and measures the round trip.
    fn advance(
        &mut self,
        context: &mut Context<'_>,
        header: &Header,
        agreement: Agreement,
        news: &mut News,
    ) {
        let now = context.now;
        news.advanced = header.acknowledgement.beyond(self.first);
        if news.advanced > 0 {
            let data = news.advanced.min(self.queued);
            self.ring.advance(context.pool, data);
            self.queued -= data;
            self.first = header.acknowledgement;
            self.progress = now;
            self.round_trip.heard();
            self.duplicates = 0;
        }
        if let Some(sample) = news.sample {
            self.round_trip.measured(now, sample);
        } else if let Some(timestamps) = header.timestamps
            && news.advanced > 0
            && timestamps.echo != 0
        {
            let clock = clock_at(now, agreement.clock_offset);
            let millis = clock.wrapping_sub(timestamps.echo);
            // An echo of the future, or of hours ago, is not ours.
            if millis < 3_600_000 {
                let span = Duration::from_millis(u64::from(millis.max(1)));
                self.round_trip.measured(now, span);
            }
        }
    }

    /// The first block, when it tells of something that arrived twice (RFC 2883).
    fn duplicate_told(&self, header: &Header) -> Option<Range> {
        let (first, rest) = header.sack.as_slice().split_first()?;
        let is_old =
            first.0.is_before(header.acknowledgement) && !first.1.is_after(header.acknowledgement);
        let is_inside = rest
            .first()
            .is_some_and(|run| !first.0.is_before(run.0) && !first.1.is_after(run.1));
        ((is_old || is_inside) && first.0.is_before(first.1)).then_some(*first)
    }

    /// The probe arrived beside what it repeated: nothing was lost.
    fn forgive_probe(&mut self, duplicate: Range) {
        if self
            .tail_probe
            .is_some_and(|probe| probe.was_retransmission && duplicate.1 == probe.end)
        {
            self.tail_probe = None;
        }
    }

    /// RFC 8985, section 7.4: a probe that filled a hole means that something was lost.
    fn judge_probe(&mut self, context: &mut Context<'_>, header: &Header, segment: usize) {
        let Some(probe) = self.tail_probe else {
            return;
        };
        if header.acknowledgement.is_before(probe.end) {
            return;
        }
        if !probe.was_retransmission {
            self.tail_probe = None;
        } else if header.acknowledgement.is_after(probe.end) {
            self.tail_probe = None;
            if self.phase == Phase::Open {
                context.counters.fast_recoveries += 1;
                self.congestion.on_loss(segment);
                self.take_threshold();
            }
        }
    }

    /// Without SACK: three repetitions mean that the first segment is lost (RFC 6582).
    fn count_repetitions(
        &mut self,
        context: &mut Context<'_>,
        agreement: Agreement,
        is_repetition: bool,
        advanced: usize,
    ) {
        if advanced > 0 {
            if matches!(self.phase, Phase::Recovery { until, .. } if self.first.is_before(until)) {
                self.lose_first(agreement.segment);
            }
            return;
        }
        if !is_repetition || self.flights.is_empty() {
            return;
        }
        self.duplicates += 1;
        if self.duplicates == 3 && self.phase == Phase::Open {
            self.lose_first(agreement.segment);
            self.become_recovering(context, agreement);
        }
    }

    fn lose_first(&mut self, segment: usize) {
        let (first, mut is_first) = (self.first, true);
        let end = first + segment;
        self.flights.mark_lost(|flight| {
            let is_lost = is_first && !flight.start.is_after(first) && flight.end.is_after(first);
            is_first = false;
            is_lost && !flight.start.is_after(end)
        });
    }

    /// The other side has confirmed what was sent first: nothing was lost (RFC 3522).
    fn maybe_undo(&mut self, context: &mut Context<'_>, header: &Header) {
        let (Some(undo), Some(timestamps)) = (self.undo, header.timestamps) else {
            return;
        };
        if self.phase == Phase::Open {
            return;
        }
        let is_for_first = Sequence::new(timestamps.echo).is_before(Sequence::new(undo.clock));
        // Only the first answer after the loss tells; later ones may follow the second sending.
        self.undo = None;
        if timestamps.echo != 0 && is_for_first {
            context.counters.spurious_recoveries += 1;
            let window = self.congestion.window().max(undo.window);
            self.congestion.restore(window, undo.threshold);
            self.flights.mark_none_lost();
            self.phase = Phase::Open;
            self.rack.on_needless_recovery();
        }
    }

    fn maybe_leave_recovery(&mut self) {
        match self.phase {
            Phase::Recovery { until, .. } if !self.first.is_before(until) => {
                self.take_threshold();
                self.rack.on_recovered();
                self.phase = Phase::Open;
                self.undo = None;
            }
            Phase::Loss { until } if !self.first.is_before(until) => {
                self.phase = Phase::Open;
                self.undo = None;
            }
            _ => {}
        }
    }

    fn take_threshold(&mut self) {
        if let Some(threshold) = self.congestion.threshold() {
            self.congestion.set_window(threshold);
        }
    }

    /// Opens the window by what has arrived, or lets it down slowly while recovering.
    fn steer(&mut self, context: &Context<'_>, segment: usize, news: &News, found: bool) {
        if let Phase::Recovery {
            at_start,
            delivered,
            sent,
            until,
        } = self.phase
        {
            let delivered = delivered + news.delivered;
            self.phase = Phase::Recovery {
                at_start,
                delivered,
                sent,
                until,
            };
            if news.delivered > 0 {
                self.reduce(segment, news, found);
            }
            return;
        }
        let window = self.congestion.window();
        let is_used = self.flight_high + segment.max(window / 8) >= window
            || (self.congestion.is_in_slow_start() && 2 * self.flight_high >= window);
        if news.advanced > 0 && is_used {
            let smoothed = self.round_trip.smoothed().unwrap_or_default();
            self.congestion.on_acknowledged(
                context.now,
                news.advanced,
                segment,
                news.sample,
                smoothed,
            );
        }
        if news.advanced > 0 && !self.first.is_before(self.round_end) {
            self.round_end = self.next;
            self.flight_high = self.flights.in_flight();
            self.congestion.on_round();
        }
    }

    /// Proportional rate reduction (RFC 6937): as much may be sent as has arrived, scaled.
    fn reduce(&mut self, segment: usize, news: &News, found: bool) {
        let Phase::Recovery {
            at_start,
            delivered,
            sent,
            ..
        } = self.phase
        else {
            return;
        };
        let in_flight = self.flights.in_flight();
        let threshold = self.congestion.threshold().unwrap_or(2 * segment);
        let allowed = if in_flight > threshold {
            (delivered as u64 * threshold as u64)
                .div_ceil(at_start as u64)
                .saturating_sub(sent as u64) as usize
        } else {
            let mut limit = delivered.saturating_sub(sent).max(news.delivered);
            if news.advanced > 0 && !found {
                limit += segment;
            }
            limit.min(threshold - in_flight)
        };
        let least = if sent == 0 { segment } else { 0 };
        self.congestion.set_window(in_flight + allowed.max(least));
    }
}
