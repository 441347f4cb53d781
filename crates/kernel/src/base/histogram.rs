//! How long things took: counts in buckets that grow with the value.
//!
//! Four buckets for each doubling, so that a percentile is at most a fifth too high.

use crate::base::time::Duration;

/// Buckets of one doubling.
const STEPS: u64 = 4;
/// Beyond 2^44 ns, almost five hours, everything is in the last bucket.
const BUCKETS: usize = 43 * STEPS as usize;

#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: [u32; BUCKETS],
    count: u64,
    longest: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            count: 0,
            longest: Duration::ZERO,
        }
    }
}

impl Histogram {
    pub fn add(&mut self, taken: Duration) {
        let index = bucket_of(taken.as_nanos());
        if self.buckets[index] == u32::MAX {
            // Half of each says the same; a full one would count for ever less.
            self.buckets.iter_mut().for_each(|count| *count /= 2);
        }
        self.buckets[index] += 1;
        self.count += 1;
        self.longest = self.longest.max(taken);
    }

    pub const fn count(&self) -> u64 {
        self.count
    }

    /// `None` before anything was counted.
    pub fn longest(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.longest)
    }

    /// So many of a thousand took at most this; `None` before anything was counted.
    pub fn per_mille(&self, share: u64) -> Option<Duration> {
        let kept: u64 = self.buckets.iter().map(|count| u64::from(*count)).sum();
        let wanted = (kept * share.min(1000)).div_ceil(1000).max(1);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= wanted {
                let upper = Duration::from_nanos(upper_of(index));
                return Some(upper.min(self.longest));
            }
        }
        self.longest()
    }
}

fn bucket_of(nanos: u64) -> usize {
    if nanos < STEPS {
        return nanos as usize;
    }
    let doubling = u64::from(nanos.ilog2()) - 1;
    let step = (nanos >> (doubling - 1)) - STEPS;
    ((doubling * STEPS + step) as usize).min(BUCKETS - 1)
}

/// The largest value of a bucket.
const fn upper_of(index: usize) -> u64 {
    let index = index as u64;
    if index < STEPS {
        return index;
    }
    let (doubling, step) = (index / STEPS, index % STEPS);
    ((STEPS + step + 1) << (doubling - 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use std::vec::Vec;

    #[test]
    fn every_value_is_in_a_bucket_whose_bounds_hold_it() {
        for shift in 0..44 {
            for value in [
                (1_u64 << shift) - 1,
                1 << shift,
                (1 << shift) + (1 << shift >> 1),
            ] {
                let bucket = bucket_of(value);
                assert!(value <= upper_of(bucket), "{value}");
                assert!(bucket == 0 || value > upper_of(bucket - 1), "{value}");
            }
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_bucket_that_is_full_goes_on_counting() {
        let mut histogram = Histogram::default();
        let (quick, slow) = (Duration::from_micros(10), Duration::from_millis(10));
        let [quick_at, slow_at] = [quick, slow].map(|it| bucket_of(it.as_nanos()));
        for taken in [quick, slow] {
            histogram.add(taken);
            histogram.buckets[bucket_of(taken.as_nanos())] = u32::MAX;
        }
        histogram.add(quick);
        assert!(histogram.buckets[quick_at] > histogram.buckets[slow_at]);
        assert!(histogram.per_mille(500).is_some_and(|told| told < slow));
        assert_eq!(histogram.per_mille(1000), Some(slow));
        assert_eq!(histogram.count(), 3);
    }

    #[test]
    fn a_percentile_is_at_most_a_quarter_above_the_true_one() {
        let mut prng = Prng::new(7);
        let mut histogram = Histogram::default();
        assert_eq!(histogram.per_mille(500), None);
        let mut values: Vec<u64> = (0..5000).map(|_| prng.below(1 << 30)).collect();
        for value in &values {
            histogram.add(Duration::from_nanos(*value));
        }
        values.sort_unstable();
        for share in [10, 500, 990, 1000] {
            let truth = values[(values.len() * share).div_ceil(1000) - 1];
            let told = histogram.per_mille(share as u64).expect("it has values");
            let told = told.as_nanos();
            assert!(
                told >= truth && told <= truth + truth / 4 + 1,
                "{truth} {told}"
            );
        }
    }
}
