//! How much may be on its way at once: CUBIC (RFC 9438), in whole numbers.
//!
//! Times are milliseconds, windows bytes. With C = 0.4 segments / s^3 and beta = 0.7:
//! W(t) = C * (t - K)^3 + W_max, where W_max is the window at the last loss.

use super::slow_start::SlowStart;
use crate::base::time::{Duration, Instant};

/// Ten segments may be sent at the start (RFC 6928).
const FIRST_SEGMENTS: usize = 10;
/// Longer than any epoch that ends by a loss; keeps the cube within 128 bits and sense.
const EPOCH_MS_MAX: u64 = 1 << 22;

/// The window grows since `start` along one curve.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    start: Instant,
    /// When the curve reaches `window_max`.
    k_ms: u64,
    /// What Reno would have (section 4.3), in bytes and 1/1000 of a byte.
    reno_millibytes: u64,
}

#[derive(Clone, Debug)]
pub struct Cubic {
    window: usize,
    threshold: Option<usize>,
    window_max: usize,
    /// The window when the epoch's loss was found; from there on Reno grows faster.
    window_prior: usize,
    epoch: Option<Epoch>,
    /// What did not make a whole byte yet, times the window.
    rest: u64,
    slow_start: SlowStart,
}

impl Cubic {
    pub fn new(segment: usize) -> Self {
        Self {
            window: FIRST_SEGMENTS * segment,
            threshold: None,
            window_max: 0,
            window_prior: 0,
            epoch: None,
            rest: 0,
            slow_start: SlowStart::default(),
        }
    }

    pub const fn window(&self) -> usize {
        self.window
    }

    /// Below it the window doubles with each round trip; `None` until something was lost.
    pub const fn threshold(&self) -> Option<usize> {
        self.threshold
    }

    pub fn is_in_slow_start(&self) -> bool {
        self.threshold
            .is_none_or(|threshold| self.window < threshold)
    }

    /// Recovery steers the window itself (RFC 6937).
    pub const fn set_window(&mut self, bytes: usize) {
        self.window = bytes;
    }

    /// The loss was none.
    pub const fn restore(&mut self, window: usize, threshold: Option<usize>) {
        self.window = window;
        self.threshold = threshold;
        self.epoch = None;
        if self.window_max < window {
            self.window_max = window;
        }
    }

    /// A round trip begins.
    pub fn on_round(&mut self) {
        if self.is_in_slow_start() {
            self.slow_start.begin_round();
        }
    }

    /// So many bytes have arrived while the window was in use.
    pub fn on_acknowledged(
        &mut self,
        now: Instant,
        bytes: usize,
        segment: usize,
        sample: Option<Duration>,
        round_trip: Duration,
    ) {
        if !self.is_in_slow_start() {
            self.avoid_congestion(now, bytes, segment, round_trip);
            return;
        }
        let grown = self.slow_start.growth(bytes, sample);
        self.window += grown;
        if self.slow_start.is_over() {
            self.threshold = Some(self.window);
        }
        if let Some(threshold) = self.threshold
            && self.window > threshold
        {
            let beyond = self.window - threshold;
            self.window = threshold;
            self.avoid_congestion(now, beyond, segment, round_trip);
        }
    }

    /// Something was lost: the window is to become the new threshold.
    pub fn on_loss(&mut self, segment: usize) {
        self.window_prior = self.window;
        // Fast convergence (section 4.7): leave room for who came later.
        self.window_max = if self.window < self.window_max {
            self.window * 17 / 20
        } else {
            self.window
        };
        self.threshold = Some((self.window * 7 / 10).max(2 * segment));
        self.epoch = None;
        self.rest = 0;
    }

    /// Nothing was sent for so long; the curve is not to run on meanwhile (section 5.8).
    pub fn on_idle(&mut self, idle: Duration, wait: Duration, segment: usize) {
        if let Some(epoch) = &mut self.epoch {
            epoch.start = epoch.start + idle;
        }
        if idle > wait {
            self.window = self.window.min(FIRST_SEGMENTS * segment);
        }
    }

    /// The path takes only smaller segments; the count of them stays.
    pub const fn on_segment_size(&mut self, before: usize, after: usize) {
        if before > 0 {
            self.window = self.window / before * after;
        }
    }

    fn avoid_congestion(
        &mut self,
        now: Instant,
        bytes: usize,
        segment: usize,
        round_trip: Duration,
    ) {
        let mut epoch = self.epoch.unwrap_or_else(|| self.begin_epoch(now, segment));
        let (window, bytes_wide) = (self.window as u64, bytes as u64);
        // 3 * (1 - beta) / (1 + beta) = 0.529 of a segment a round trip, then a whole one.
        let alpha = match epoch.reno_millibytes / 1000 < self.window_prior as u64 {
            true => 529,
            false => 1000,
        };
        epoch.reno_millibytes += alpha * bytes_wide * segment as u64 / window.max(1);
        self.epoch = Some(epoch);
        let elapsed = now.since(epoch.start);
        let reno = (epoch.reno_millibytes / 1000) as usize;
        if self.curve(&epoch, elapsed, segment) < reno {
            self.window = self.window.max(reno);
            return;
        }
        let ahead = Duration::from_nanos(elapsed.as_nanos() + round_trip.as_nanos());
        let target = self
            .curve(&epoch, ahead, segment)
            .clamp(self.window, self.window + self.window / 2);
        let credit = self.rest + (target - self.window) as u64 * bytes_wide;
        self.window += (credit / window.max(1)) as usize;
        self.rest = credit % window.max(1);
    }

    fn begin_epoch(&mut self, now: Instant, segment: usize) -> Epoch {
        self.window_max = self.window_max.max(self.window);
        let short = (self.window_max - self.window) as u128;
        // K^3 = short / C, in seconds and segments; 2.5e9 = 1000^3 / 0.4.
        let k_ms = cube_root(short * 2_500_000_000 / segment.max(1) as u128);
        Epoch {
            start: now,
            k_ms,
            reno_millibytes: self.window as u64 * 1000,
        }
    }

    /// The window of the curve at a time after the epoch's start.
    fn curve(&self, epoch: &Epoch, elapsed: Duration, segment: usize) -> usize {
        let t = elapsed.as_millis().min(EPOCH_MS_MAX);
        let distance = u128::from(t.abs_diff(epoch.k_ms));
        let bytes = distance * distance * distance * segment as u128 / 2_500_000_000;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if t < epoch.k_ms {
            self.window_max.saturating_sub(bytes)
        } else {
            self.window_max.saturating_add(bytes)
        }
    }
}

/// The largest number whose cube is not more.
fn cube_root(number: u128) -> u64 {
    let mut root: u64 = 0;
    for bit in (0..32).rev() {
        let tried = u128::from(root | 1 << bit);
        if tried * tried * tried <= number {
            root |= 1 << bit;
        }
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: usize = 1000;

    #[test]
    fn cube_roots_are_exact() {
        for number in [0, 1, 7, 8, 26, 27, 75_000_000_000] {
            let root = u128::from(cube_root(number));
            assert!(root.pow(3) <= number && (root + 1).pow(3) > number);
        }
    }

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    /// Confirms one whole window a round trip, segment by segment.
    fn run_round(cubic: &mut Cubic, now: Instant, round_trip: Duration) -> usize {
        let segments = cubic.window() / SEGMENT;
        for _ in 0..segments {
            cubic.on_acknowledged(now, SEGMENT, SEGMENT, None, round_trip);
        }
        segments
    }

    #[test]
    fn the_curve_returns_to_the_old_window_after_k() {
        let mut cubic = Cubic::new(SEGMENT);
        cubic.set_window(100 * SEGMENT);
        cubic.on_loss(SEGMENT);
        cubic.set_window(70 * SEGMENT);
        // Long enough that Reno is slower.
        let round_trip = Duration::from_millis(200);
        // K = cbrt(100 * 0.3 / 0.4) = 4.217 s
        for round in 0..21 {
            run_round(&mut cubic, at(200 * round), round_trip);
            assert!(cubic.window() <= 101 * SEGMENT);
        }
        assert!(cubic.window() >= 99 * SEGMENT, "{}", cubic.window());
        // 4 s beyond K: 0.4 * 64 segments more.
        for round in 21..41 {
            run_round(&mut cubic, at(200 * round), round_trip);
        }
        assert!((124..=127).contains(&(cubic.window() / SEGMENT)));
    }

    /// RFC 9438, table 1 (round trip 0.1 s, C = 0.4): average windows in segments.
    #[test]
    fn average_windows_are_those_of_the_standard() {
        for (one_in, expected) in [(100, 12), (1_000, 38), (10_000, 187), (100_000, 1_054)] {
            let mut cubic = Cubic::new(SEGMENT);
            cubic.on_loss(SEGMENT);
            let (mut now, mut since_loss, mut losses, mut sum, mut rounds) = (0, 0, 0, 0, 0_usize);
            while losses < 60 {
                since_loss += run_round(&mut cubic, at(now), Duration::from_millis(100));
                now += 100;
                if losses >= 20 {
                    sum += cubic.window() / SEGMENT;
                    rounds += 1;
                }
                if since_loss >= one_in {
                    since_loss -= one_in;
                    losses += 1;
                    cubic.on_loss(SEGMENT);
                    cubic.set_window(cubic.threshold().unwrap());
                }
            }
            let average = sum / rounds;
            assert!(
                average.abs_diff(expected) * 100 <= expected * 12,
                "one in {one_in}: {average}, the standard says {expected}"
            );
        }
    }

    #[test]
    fn a_window_doubles_until_something_is_lost() {
        let mut cubic = Cubic::new(SEGMENT);
        for doubled in [20, 40, 80] {
            run_round(&mut cubic, at(0), Duration::from_millis(1));
            assert_eq!(cubic.window(), doubled * SEGMENT);
        }
        cubic.on_loss(SEGMENT);
        assert_eq!(cubic.threshold(), Some(56 * SEGMENT));
    }

    #[test]
    fn losses_in_a_row_leave_two_segments() {
        let mut cubic = Cubic::new(SEGMENT);
        for _ in 0..40 {
            cubic.on_loss(SEGMENT);
            cubic.set_window(cubic.threshold().unwrap());
        }
        assert_eq!(cubic.window(), 2 * SEGMENT);
    }

    #[test]
    fn time_that_runs_far_ahead_breaks_nothing() {
        let mut cubic = Cubic::new(SEGMENT);
        cubic.on_loss(SEGMENT);
        cubic.set_window(1);
        for shift in 0..64 {
            let now = Instant::from_nanos(1 << shift);
            cubic.on_acknowledged(now, 1 << 20, SEGMENT, None, Duration::from_secs(100));
            cubic.set_window(cubic.window().min(1 << 30));
        }
    }
}
