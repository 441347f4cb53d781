//! When to stop doubling: HyStart++ (RFC 9406), before queues overflow.
//!
//! A round whose shortest trip is clearly longer than that of the round before fills a
//! queue somewhere: the window grows slowly for some rounds, and goes back to doubling
//! only if the trips get short again.

use crate::base::time::Duration;

const RISE_MIN: u64 = 4_000_000;
const RISE_MAX: u64 = 16_000_000;
/// Samples of a round before it is judged.
const SAMPLES: u32 = 8;
/// A slow round adds this part of what a fast one would.
const SLOW_DIVISOR: usize = 4;
const SLOW_ROUNDS: u32 = 5;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pace {
    Doubling,
    /// `baseline` is the shortest trip when it began.
    Slow {
        baseline: u64,
        rounds: u32,
    },
    Over,
}

#[derive(Clone, Debug)]
pub struct SlowStart {
    pace: Pace,
    shortest_before: u64,
    shortest: u64,
    samples: u32,
}

impl Default for SlowStart {
    fn default() -> Self {
        Self {
            pace: Pace::Doubling,
            shortest_before: u64::MAX,
            shortest: u64::MAX,
            samples: 0,
        }
    }
}

impl SlowStart {
    pub fn begin_round(&mut self) {
        self.shortest_before = self.shortest;
        self.shortest = u64::MAX;
        self.samples = 0;
        if let Pace::Slow { rounds, baseline } = self.pace {
            self.pace = match rounds + 1 < SLOW_ROUNDS {
                true => Pace::Slow {
                    baseline,
                    rounds: rounds + 1,
                },
                false => Pace::Over,
            };
        }
    }

    pub fn is_over(&self) -> bool {
        self.pace == Pace::Over
    }

    /// What confirmed bytes add to the window.
    pub fn growth(&mut self, bytes: usize, sample: Option<Duration>) -> usize {
        if let Some(sample) = sample {
            self.samples += 1;
            self.shortest = self.shortest.min(sample.as_nanos());
        }
        if self.samples >= SAMPLES {
            self.judge();
        }
        match self.pace {
            Pace::Doubling => bytes,
            Pace::Slow { .. } | Pace::Over => bytes / SLOW_DIVISOR,
        }
    }

    fn judge(&mut self) {
        match self.pace {
            Pace::Doubling if self.shortest_before != u64::MAX => {
                let rise = (self.shortest_before / 8).clamp(RISE_MIN, RISE_MAX);
                if self.shortest >= self.shortest_before.saturating_add(rise) {
                    self.pace = Pace::Slow {
                        baseline: self.shortest,
                        rounds: 0,
                    };
                }
            }
            Pace::Slow { baseline, .. } if self.shortest < baseline => {
                self.pace = Pace::Doubling;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(slow_start: &mut SlowStart, millis: u64) -> usize {
        slow_start.begin_round();
        let sample = Some(Duration::from_millis(millis));
        (0..16).map(|_| slow_start.growth(100, sample)).sum()
    }

    #[test]
    fn a_rising_trip_slows_the_growth_and_then_ends_it() {
        let mut slow_start = SlowStart::default();
        assert_eq!(round(&mut slow_start, 20), 1600);
        assert_eq!(round(&mut slow_start, 22), 1600);
        assert_eq!(round(&mut slow_start, 40), 7 * 100 + 9 * 25);
        for _ in 0..4 {
            assert!(!slow_start.is_over());
            assert_eq!(round(&mut slow_start, 40), 400);
        }
        round(&mut slow_start, 40);
        assert!(slow_start.is_over());
    }

    #[test]
    fn a_trip_that_was_long_by_chance_is_forgiven() {
        let mut slow_start = SlowStart::default();
        round(&mut slow_start, 20);
        round(&mut slow_start, 40);
        round(&mut slow_start, 20);
        assert_eq!(round(&mut slow_start, 20), 1600);
    }
}
