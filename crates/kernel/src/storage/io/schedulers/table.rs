//! Requests that wait, found by the slots that they have in their queue.

use super::{SlotIndex, Waiting};
use crate::limits::IO_REQUESTS_MAX;
use alloc::boxed::Box;
use alloc::vec;

pub(super) struct Table {
    /// On the heap from the first, for a scheduler is made on a stack.
    places: Box<[Option<Place>]>,
    len: usize,
    arrivals: u64,
}

#[derive(Clone, Copy)]
struct Place {
    waiting: Waiting,
    arrival: u64,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            places: vec![None; IO_REQUESTS_MAX].into(),
            len: 0,
            arrivals: 0,
        }
    }
}

impl Table {
    /// Keeps a request, and says which arrival it is: the first has the lowest number.
    pub fn add(&mut self, waiting: Waiting) -> u64 {
        let place = self.places.get_mut(usize::from(waiting.slot.0));
        let is_free = place.as_ref().is_some_and(|place| place.is_none());
        crate::invariant!(is_free, "slot {} is taken or beyond", waiting.slot.0);
        let arrival = self.arrivals;
        if let Some(place) = place {
            *place = Some(Place { waiting, arrival });
        }
        self.arrivals += 1;
        self.len += 1;
        arrival
    }

    pub fn get(&self, slot: SlotIndex) -> Option<&Waiting> {
        let place = self.places.get(usize::from(slot.0))?.as_ref()?;
        Some(&place.waiting)
    }

    /// Forgets a request; with it comes which arrival it was.
    pub fn remove(&mut self, slot: SlotIndex) -> Option<(Waiting, u64)> {
        let place = self.places.get_mut(usize::from(slot.0))?.take()?;
        self.len -= 1;
        Some((place.waiting, place.arrival))
    }

    /// The one that arrived first. It looks at all, for it is asked when a scheduler is
    /// switched and not for each request.
    pub fn oldest(&self) -> Option<SlotIndex> {
        let all = self.places.iter().flatten();
        let oldest = all.min_by_key(|place| place.arrival)?;
        Some(oldest.waiting.slot)
    }

    pub const fn len(&self) -> usize {
        self.len
    }
}
