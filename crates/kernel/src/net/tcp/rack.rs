//! What is lost: found by time, from what arrived although it was sent later (RFC 8985).

use super::flights::{Flight, Flights};
use super::sequence::Sequence;
use crate::base::time::{Duration, Instant};

/// Recoveries for which a wider window for reordering is kept.
const PERSISTENCE: u32 = 16;
/// Segments behind a gap after which waiting for the gap is over.
const DUPLICATES: usize = 3;

#[derive(Debug, Default)]
pub struct Rack {
    /// When the latest of what has arrived was sent, and where it ended.
    newest: Option<(Instant, Sequence)>,
    round_trip: Duration,
    /// The highest end of what has arrived.
    highest: Option<Sequence>,
    has_seen_reordering: bool,
    window_multiple: u32,
    persistence: u32,
    /// Until this is confirmed, another needless retransmission widens nothing.
    widened_until: Option<Sequence>,
}

impl Rack {
    /// A run has arrived. Of a run that was sent twice it may be known that the first
    /// sending was what arrived; `minimum` is the shortest that a round trip can be.
    pub fn arrived(
        &mut self,
        now: Instant,
        flight: &Flight,
        is_first_sending: bool,
        minimum: Duration,
    ) {
        let is_highest = self
            .highest
            .is_none_or(|highest| flight.end.is_after(highest));
        if is_highest {
            self.highest = Some(flight.end);
        } else if !flight.was_retransmitted {
            self.has_seen_reordering = true;
        }
        let round_trip = now.since(flight.sent);
        if flight.was_retransmitted && (is_first_sending || round_trip < minimum) {
            return;
        }
        if self
            .newest
            .is_none_or(|newest| was_sent_after((flight.sent, flight.end), newest))
        {
            self.newest = Some((flight.sent, flight.end));
            self.round_trip = round_trip;
        }
    }

    /// The other side got something twice: we were too hasty.
    pub fn on_duplicate(&mut self, first: Sequence, next: Sequence) {
        if self
            .widened_until
            .is_none_or(|until| !first.is_before(until))
        {
            self.widened_until = Some(next);
            self.window_multiple = (self.window_multiple + 1).min(16);
            self.persistence = PERSISTENCE;
        }
    }

    /// A whole recovery was needless: patience grows at once to what is likely to do.
    pub fn on_needless_recovery(&mut self) {
        self.has_seen_reordering = true;
        self.window_multiple = (2 * self.window_multiple + 2).min(16);
        self.persistence = PERSISTENCE;
    }

    pub const fn on_recovered(&mut self) {
        self.persistence = self.persistence.saturating_sub(1);
        if self.persistence == 0 {
            self.window_multiple = 0;
        }
    }

    /// Marks what is lost by now. Returns the bytes, and when to look again.
    pub fn detect(
        &self,
        now: Instant,
        flights: &mut Flights,
        smoothed: Duration,
        minimum: Duration,
        segment: usize,
        is_recovering: bool,
    ) -> (usize, Option<Instant>) {
        let Some(newest) = self.newest else {
            return (0, None);
        };
        let has_duplicates = flights.arrived() >= DUPLICATES * segment;
        let patience = if !self.has_seen_reordering && (is_recovering || has_duplicates) {
            Duration::ZERO
        } else {
            let quarters = u64::from(self.window_multiple) + 1;
            Duration::from_nanos(quarters.saturating_mul(minimum.as_nanos() / 4)).min(smoothed)
        };
        let mut look_again = None;
        let lost = flights.mark_lost(|flight| {
            if !was_sent_after(newest, (flight.sent, flight.end)) {
                return false;
            }
            let deadline = flight.sent + self.round_trip + patience;
            if deadline <= now {
                return true;
            }
            look_again = Some(look_again.map_or(deadline, |at: Instant| at.min(deadline)));
            false
        });
        (lost, look_again)
    }
}

fn was_sent_after(one: (Instant, Sequence), other: (Instant, Sequence)) -> bool {
    one.0 > other.0 || (one.0 == other.0 && one.1.is_after(other.1))
}
