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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    pub name: &'static str,
    pub used: u64,
    pub high_water: u64,
    pub capacity: u64,
    /// How often something was refused because it was full.
    pub refused: u64,
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
}
