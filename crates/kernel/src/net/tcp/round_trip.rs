//! How long an answer takes, and how long to wait for one (RFC 6298).

use crate::base::time::{Duration, Instant};

/// Before anything was measured (section 2.1).
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Shorter waits would take the other side's delayed acknowledgements for losses.
const WAIT_MIN: Duration = Duration::from_millis(200);
const WAIT_MAX: Duration = Duration::from_secs(120);
/// The shortest round trip is that of the last two spans of this length.
const MINIMUM_SPAN: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
pub struct RoundTrip {
    smoothed: Option<Duration>,
    variation: Duration,
    minimum: Duration,
    minimum_before: Duration,
    minimum_since: Instant,
    /// How often the wait was doubled since anything was heard.
    doublings: u32,
}

impl Default for RoundTrip {
    fn default() -> Self {
        let unknown = Duration::from_nanos(u64::MAX);
        Self {
            smoothed: None,
            variation: Duration::ZERO,
            minimum: unknown,
            minimum_before: unknown,
            minimum_since: Instant::ZERO,
            doublings: 0,
        }
    }
}

impl RoundTrip {
    /// A measurement of bytes that were sent only once, or that named their sending.
    pub fn measured(&mut self, now: Instant, span: Duration) {
        let sample = span.as_nanos().max(1);
        self.smoothed = Some(match self.smoothed {
            None => {
                self.variation = Duration::from_nanos(sample / 2);
                span
            }
            Some(smoothed) => {
                let smoothed = smoothed.as_nanos();
                let variation = self.variation.as_nanos();
                self.variation =
                    Duration::from_nanos(variation - variation / 4 + smoothed.abs_diff(sample) / 4);
                Duration::from_nanos(smoothed - smoothed / 8 + sample / 8)
            }
        });
        if now.since(self.minimum_since) > MINIMUM_SPAN {
            self.minimum_before = self.minimum;
            self.minimum = span;
            self.minimum_since = now;
        }
        self.minimum = self.minimum.min(span);
    }

    pub const fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }

    /// The shortest of the last minutes; `None` until measured.
    pub fn minimum(&self) -> Option<Duration> {
        self.smoothed?;
        Some(self.minimum.min(self.minimum_before))
    }

    /// How long to wait before what was not confirmed is sent again.
    pub fn wait(&self) -> Duration {
        let once = self.smoothed.map_or(FIRST_WAIT, |smoothed| {
            let spread = (4 * self.variation.as_nanos()).max(WAIT_MIN.as_nanos());
            Duration::from_nanos(smoothed.as_nanos().saturating_add(spread))
        });
        let doubled = once.as_nanos().saturating_mul(1 << self.doublings.min(20));
        Duration::from_nanos(doubled).min(WAIT_MAX)
    }

    pub const fn back_off(&mut self) {
        self.doublings = self.doublings.saturating_add(1);
    }

    pub const fn doublings(&self) -> u32 {
        self.doublings
    }

    pub const fn heard(&mut self) {
        self.doublings = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_the_standard() {
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.wait(), Duration::from_secs(1));
        round_trip.measured(Instant::ZERO, Duration::from_millis(800));
        // 800 + 4 * 400, then 3/4 of the variation and an eighth of the way.
        assert_eq!(round_trip.wait(), Duration::from_millis(2_400));
        round_trip.measured(Instant::ZERO, Duration::from_millis(400));
        assert_eq!(round_trip.smoothed(), Some(Duration::from_millis(750)));
        assert_eq!(round_trip.wait(), Duration::from_millis(750 + 4 * 400));
        assert_eq!(round_trip.minimum(), Some(Duration::from_millis(400)));
        round_trip.back_off();
        assert_eq!(round_trip.wait(), Duration::from_millis(2 * 2_350));
        for _ in 0..40 {
            round_trip.back_off();
        }
        assert_eq!(round_trip.wait(), WAIT_MAX);
        round_trip.heard();
        assert_eq!(round_trip.wait(), Duration::from_millis(2_350));
    }

    #[test]
    fn a_path_that_grew_longer_is_believed_after_a_while() {
        let mut round_trip = RoundTrip::default();
        round_trip.measured(Instant::ZERO, Duration::from_millis(1));
        for minute in 1..4 {
            let now = Instant::ZERO + Duration::from_secs(61 * minute);
            round_trip.measured(now, Duration::from_millis(50));
        }
        assert_eq!(round_trip.minimum(), Some(Duration::from_millis(50)));
    }
}
