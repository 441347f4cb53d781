//! Counters and gauges that any thread or interrupt handler may write.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A count that only grows.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub fn increment(&self) {
        self.add(1);
    }

    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A level that rises and falls, with the highest it has been.
#[derive(Default)]
pub struct Gauge {
    level: AtomicU64,
    high_water: AtomicU64,
}

impl Gauge {
    pub const fn new() -> Self {
        Self {
            level: AtomicU64::new(0),
            high_water: AtomicU64::new(0),
        }
    }

    pub fn set(&self, level: u64) {
        self.level.store(level, Relaxed);
        self.high_water.fetch_max(level, Relaxed);
    }

    pub fn rise(&self, amount: u64) {
        let level = self.level.fetch_add(amount, Relaxed) + amount;
        self.high_water.fetch_max(level, Relaxed);
    }

    pub fn fall(&self, amount: u64) {
        self.level.fetch_sub(amount, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.level.load(Relaxed)
    }

    pub fn high_water(&self) -> u64 {
        self.high_water.load(Relaxed)
    }
}

/// How much of a bounded thing is in use: a row of `limits` and of `status`.
///
/// `None` where nobody counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// The name of the capacity in `limits.rs`.
    pub name: &'static str,
    pub used: Option<u64>,
    pub high_water: Option<u64>,
    pub capacity: u64,
    /// How often something was refused because it was full.
    pub refused: Option<u64>,
    /// Does the oldest make room for the newest? Then being full is its normal state.
    pub is_ring: bool,
}

impl Usage {
    /// Nothing known yet.
    pub const fn of(name: &'static str, capacity: usize) -> Self {
        Self {
            name,
            used: None,
            high_water: None,
            capacity: capacity as u64,
            refused: None,
            is_ring: false,
        }
    }

    pub const fn used(self, used: u64) -> Self {
        Self {
            used: Some(used),
            ..self
        }
    }

    pub const fn high_water(self, high_water: u64) -> Self {
        Self {
            high_water: Some(high_water),
            ..self
        }
    }

    pub const fn refused(self, refused: u64) -> Self {
        Self {
            refused: Some(refused),
            ..self
        }
    }

    pub const fn ring(self) -> Self {
        Self {
            is_ring: true,
            ..self
        }
    }

    /// The most of it that is known to have been in use.
    pub fn highest(&self) -> u64 {
        let high_water = self.high_water.unwrap_or_default();
        self.used.unwrap_or_default().max(high_water)
    }

    /// Has it refused something, or is or was it in use by so many percent?
    pub fn is_near(&self, percent: u64) -> bool {
        let is_filled = self.highest().saturating_mul(100) >= self.capacity.saturating_mul(percent);
        self.refused.is_some_and(|refused| refused > 0) || (is_filled && !self.is_ring)
    }

    /// Two things of one kind as one: the fuller one, and the refusals of both.
    pub fn merge(self, other: &Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, None) => None,
            _ => Some(a.unwrap_or_default() + b.unwrap_or_default()),
        };
        Self {
            used: self.used.max(other.used),
            high_water: self.high_water.max(other.high_water),
            refused: sum(self.refused, other.refused),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_remembers_its_highest_level() {
        let gauge = Gauge::new();
        gauge.rise(7);
        gauge.fall(5);
        gauge.rise(1);
        assert_eq!((gauge.get(), gauge.high_water()), (3, 7));
    }

    #[test]
    fn near_is_four_fifths_of_a_table_but_a_ring_only_when_it_refused() {
        let usage = Usage::of("THREADS_MAX", 10);
        assert!(!usage.used(7).is_near(80) && usage.used(8).is_near(80));
        assert!(usage.used(1).high_water(9).is_near(80));
        assert!(!usage.used(10).ring().is_near(80));
        assert!(usage.refused(1).is_near(80));
        let merged = usage.used(1).refused(2).merge(&usage.used(3).refused(4));
        assert_eq!(
            (merged.used, merged.high_water, merged.refused),
            (Some(3), None, Some(6))
        );
    }
}
