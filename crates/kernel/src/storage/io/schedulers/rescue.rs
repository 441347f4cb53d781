//! Keeps lower classes from starving where higher ones go first.

use super::sorted::Sorted;
use super::{SlotIndex, Waiting};
use crate::base::time::{Duration, Instant};

/// A request that has waited so long is due, though a higher class goes before its own.
pub(super) const STARVED_AFTER: Duration = Duration::from_secs(2);
/// Picks of which one goes to a lower class, once one of its requests is due.
pub(super) const PICKS: u32 = 8;

#[derive(Default)]
pub(super) struct Rescue {
    /// A class a group.
    by_arrival: Sorted,
    picks: u32,
}

impl Rescue {
    pub fn add(&mut self, class: u16, waiting: &Waiting) {
        let arrived = waiting.arrived.as_nanos();
        self.by_arrival.insert(class, arrived, waiting.slot);
    }

    pub fn remove(&mut self, class: u16, waiting: &Waiting) {
        let arrived = waiting.arrived.as_nanos();
        self.by_arrival.remove(class, arrived, waiting.slot);
    }

    /// The highest class in which a request waits; the first is the highest.
    pub fn class(&self) -> Option<u16> {
        self.by_arrival.group_from(0)
    }

    /// The one of a lower class that goes now though this one would.
    pub fn due(&mut self, now: Instant, class: u16, classes: u16) -> Option<SlotIndex> {
        let lower = (class + 1..classes).filter_map(|class| self.by_arrival.first(class));
        let (arrived, slot) = lower.min()?;
        if now.since(Instant::from_nanos(arrived)) < STARVED_AFTER {
            return None;
        }
        self.picks = (self.picks + 1) % PICKS;
        (self.picks == 0).then_some(slot)
    }
}
