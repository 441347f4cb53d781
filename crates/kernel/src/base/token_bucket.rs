//! A token bucket: so much a second on average, so much at once, exactly.
//!
//! Invariant: what is taken in any span of time is at most rate x span + burst.
//! Tokens are counted in thousand-millionths, so nothing is rounded and nothing drifts.

use crate::base::time::{Duration, Instant};

const NANOS: u128 = 1_000_000_000;

#[derive(Clone, Debug)]
pub struct TokenBucket {
    rate_per_s: u64,
    burst: u64,
    /// Tokens x `NANOS`; at most burst x `NANOS`.
    credit: u128,
    /// Up to when the credit has been given.
    filled_at: Instant,
}

impl TokenBucket {
    /// Full at first.
    pub const fn new(rate_per_s: u64, burst: u64) -> Self {
        Self {
            rate_per_s,
            burst,
            credit: burst as u128 * NANOS,
            filled_at: Instant::ZERO,
        }
    }

    pub const fn rate_per_s(&self) -> u64 {
        self.rate_per_s
    }

    /// Takes all of `amount`, or nothing and says when it can be had.
    ///
    /// `None`: it never can, for it is more than the burst.
    pub fn take(&mut self, now: Instant, amount: u64) -> Result<(), Option<Instant>> {
        self.fill(now);
        let wanted = u128::from(amount) * NANOS;
        if let Some(credit) = self.credit.checked_sub(wanted) {
            self.credit = credit;
            return Ok(());
        }
        if amount > self.burst || self.rate_per_s == 0 {
            return Err(None);
        }
        let wait = (wanted - self.credit).div_ceil(u128::from(self.rate_per_s));
        let wait = Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX));
        Err(Some(self.filled_at + wait))
    }

    /// Puts back what was taken and not used; never more than the burst stays.
    pub fn give_back(&mut self, amount: u64) {
        let full = u128::from(self.burst) * NANOS;
        let given = u128::from(amount) * NANOS;
        self.credit = self.credit.saturating_add(given).min(full);
    }

    fn fill(&mut self, now: Instant) {
        // A clock that steps back gives nothing and takes nothing.
        let elapsed = u128::from(now.since(self.filled_at).as_nanos());
        let full = u128::from(self.burst) * NANOS;
        let earned = elapsed * u128::from(self.rate_per_s);
        self.credit = self.credit.saturating_add(earned).min(full);
        self.filled_at = self.filled_at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use std::vec::Vec;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn no_window_of_time_sees_more_than_its_share_and_one_burst() {
        for seed in 0..40 {
            let mut prng = Prng::new(seed);
            let (rate, burst) = (1 + prng.below(1 << 24), 1 + prng.below(1 << 18));
            let mut bucket = TokenBucket::new(rate, burst);
            let mut now = 0;
            let mut taken: Vec<(u64, u64)> = Vec::new();
            for _ in 0..300 {
                now += prng.below(20_000_000);
                let amount = 1 + prng.below(burst);
                if bucket.take(at(now), amount).is_ok() {
                    taken.push((now, amount));
                }
            }
            for (first, &(start, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for &(end, amount) in &taken[first..] {
                    sum += u128::from(amount);
                    let earned = u128::from(rate) * u128::from(end - start);
                    assert!(sum * NANOS <= earned + u128::from(burst) * NANOS);
                }
            }
        }
    }

    #[test]
    fn a_day_of_small_steps_gives_exactly_what_one_large_step_gives() {
        // 7 tokens a second asked for every 1.000003 ms: any rounding would add up.
        let (step, steps) = (1_000_003, 86_400_000);
        let mut bucket = TokenBucket::new(7, 1);
        let mut taken: u128 = 0;
        let mut now = 0;
        // Most steps earn nothing whole; going from one success to the next is the same.
        while now < step * steps {
            match bucket.take(at(now), 1) {
                Ok(()) => taken += 1,
                Err(Some(ready)) => now = ready.as_nanos(),
                Err(None) => unreachable!("one token is not more than the burst"),
            }
        }
        let expected = 1 + 7 * u128::from(step * steps) / NANOS;
        assert!(taken.abs_diff(expected) <= 1, "{taken} of {expected}");
    }

    #[test]
    fn the_promised_moment_is_the_first_one_at_which_it_works() {
        let mut prng = Prng::new(3);
        for _ in 0..2_000 {
            let (rate, burst) = (1 + prng.below(1 << 30), 1 + prng.below(1 << 20));
            let mut bucket = TokenBucket::new(rate, burst);
            assert_eq!(bucket.take(at(5), burst), Ok(()));
            let amount = 1 + prng.below(burst);
            let Err(Some(ready)) = bucket.take(at(5), amount) else {
                panic!("the bucket was empty");
            };
            let before = at(ready.as_nanos() - 1);
            assert!(bucket.clone().take(before, amount).is_err());
            assert_eq!(bucket.take(ready, amount), Ok(()));
        }
    }

    #[test]
    fn far_apart_and_backward_times_are_survived() {
        let mut bucket = TokenBucket::new(u64::MAX, u64::MAX);
        assert_eq!(bucket.take(at(u64::MAX), u64::MAX), Ok(()));
        assert_eq!(bucket.take(at(0), 1), Err(Some(Instant::FAR_FUTURE)));
        let mut bucket = TokenBucket::new(10, 5);
        assert_eq!(bucket.take(at(1_000_000_000), 5), Ok(()));
        assert!(bucket.take(at(0), 1).is_err());
        assert!(bucket.take(at(1_000_000_000), 1).is_err());
        assert_eq!(bucket.take(at(1_100_000_000), 1), Ok(()));
        assert_eq!(bucket.take(Instant::FAR_FUTURE, 6), Err(None));
        assert_eq!(TokenBucket::new(0, 3).take(at(9), 4), Err(None));
    }
}
