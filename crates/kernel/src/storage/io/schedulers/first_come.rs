//! First come, first served: the order of arrival.

use super::{DiskNow, Scheduler, SlotIndex, Waiting};
use crate::base::fixed::Vec;
use crate::base::time::Instant;
use crate::limits::IO_REQUESTS_MAX;

#[derive(Default)]
pub struct FirstCome {
    waiting: Vec<Waiting, IO_REQUESTS_MAX>,
}

impl Scheduler for FirstCome {
    fn add(&mut self, _: Instant, waiting: Waiting) {
        let kept = self.waiting.push(waiting);
        crate::invariant!(kept.is_ok(), "more requests wait than the queue has places");
    }

    fn next(&mut self, _: Instant, _: DiskNow) -> Option<Waiting> {
        self.waiting.remove(0)
    }

    fn take(&mut self, _: Instant, slot: SlotIndex) -> Option<Waiting> {
        let place = self.waiting.iter().position(|each| each.slot == slot)?;
        self.waiting.remove(place)
    }

    /// Each in its turn, alone.
    fn merges(&self) -> bool {
        false
    }

    fn len(&self) -> usize {
        self.waiting.len()
    }
}
